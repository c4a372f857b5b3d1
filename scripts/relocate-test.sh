#!/usr/bin/env bash
# Moves everything from one cloud to another while clients read and write, and kills the server that moves it again and again.
#
#   scripts/relocate-test.sh [PROGRAM]
#
# No request may fail, no acknowledged file may be lost, and the source must be empty at the end. PROGRAM is the `entente` to
# test (default: $ENTENTE_BIN, else target/debug/entente).
#
#   RELOCATE_PAIRS     from and to, of disk s3 azure gcs (default "disk:azure gcs:s3 s3:disk")
#   RELOCATE_FILES     files before the move (default 600)
#   RELOCATE_BYTES     their size together (default 12MiB)
#   RELOCATE_CLIENTS   clients at work meanwhile (default 32)
#   RELOCATE_KILLS     how often the server is killed, in a run of its own (default 6)
#   RELOCATE_KILLED    from and to of that run (default azure:gcs)
#   ENTENTE_SEED       the seed of all choices; drawn and printed when it is not set
#   DRILL_BENCH        the program that drills it (default target/debug/entente-bench)
#
# Exit status: 0 when every check passed, 1 when a move could not be made, 3 when a check failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
source scripts/drill.sh
pairs=(${RELOCATE_PAIRS:-disk:azure gcs:s3 s3:disk})
kills="${RELOCATE_KILLS:-6}" killed="${RELOCATE_KILLED:-azure:gcs}"
common=(--files "${RELOCATE_FILES:-600}" --bytes "${RELOCATE_BYTES:-12MiB}" --clients "${RELOCATE_CLIENTS:-32}" --baseline 1
    --parallel 0)
for pair in "${pairs[@]}"; do
    drill relocate --from "${pair%:*}" --to "${pair#*:}" "${common[@]}"
done
if [ "$kills" -gt 0 ]; then
    # Slow enough that it is not over before the last kill.
    drill relocate --from "${killed%:*}" --to "${killed#*:}" "${common[@]}" --kills "$kills" --rate 4MiB
fi
exit "$status"
