#!/usr/bin/env bash
# Lets one of two clouds fail again and again while clients read and write: it refuses, hangs, is slow, sends wrong bytes, or
# lists what was there long ago. No request may fail, and everything must mend itself.
#
#   scripts/outage-test.sh [PROGRAM]
#
# PROGRAM is the `entente` to test (default: $ENTENTE_BIN, else target/debug/entente).
#
#   OUTAGE_EPISODES   how often a cloud fails (default 12)
#   ENTENTE_SEED      the seed of all choices; drawn and printed when it is not set
#   DRILL_BENCH       the program that drills it (default target/debug/entente-bench)
#
# Exit status: 0 when every check passed, 1 when the test could not be run, 3 when a check failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
source scripts/drill.sh
drill outage --episodes "${OUTAGE_EPISODES:-12}"
exit "$status"
