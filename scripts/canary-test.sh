#!/usr/bin/env bash
# Uploads marked files as users of four zones (a disk, S3, Azure, Google), and searches every byte on every zone's backends:
# no plaintext anywhere, and nothing of one zone in another; also while zones move to other backends, and after a user moved
# to another zone.
#
#   scripts/canary-test.sh [PROGRAM]
#
# PROGRAM is the `entente` to test (default: $ENTENTE_BIN, else target/debug/entente).
#
#   ENTENTE_SEED   the seed of all choices; drawn and printed when it is not set
#   DRILL_BENCH    the program that drills it (default target/debug/entente-bench)
#
# Exit status: 0 when every check passed, 1 when the test could not be run, 3 when a check failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
source scripts/drill.sh
drill canary
exit "$status"
