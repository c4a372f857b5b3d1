#!/usr/bin/env bash
# Has Schemathesis make requests out of Box's own description of the operations that are served: none may be answered
# with a 5xx, or with something that is not as described.
#
#   scripts/contract-test.sh [PROGRAM]
#
# PROGRAM is the `entente` to test (default: $ENTENTE_BIN, else target/debug/entente, which is built first).
#
#   ENTENTE_BOX_OPENAPI       the description (default: beside the checkout, in shared/data/box-openapi)
#   ENTENTE_CONTRACT_SECONDS  for how long (default 40; 300 for the full run)
#   ENTENTE_CONTRACT_SEED     with which seed (default: another each time; it is printed at the end)
#
# Without the description, which is not part of this repository, nothing is tested; that is said.
# Ends with 0 only when nothing was found. The report is target/contract/report.txt.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
say() { printf 'contract test: %s\n' "$*"; }
fail() { printf 'contract test: %s\n' "$*" >&2; exit 1; }

description="${ENTENTE_BOX_OPENAPI:-$root/../shared/data/box-openapi/openapi.json}"
if [ ! -f "$description" ]; then
    say "nothing was tested: no copy of Box's OpenAPI description (set ENTENTE_BOX_OPENAPI)"
    exit 0
fi
scripts/install-test-tools.sh contract || exit 1
program="${1:-${ENTENTE_BIN:-}}"
if [ -z "$program" ]; then
    cargo build --quiet --bin entente || exit 1
    program="${CARGO_TARGET_DIR:-$root/target}/debug/entente"
fi
program="$(realpath -m "$program")"
[ -x "$program" ] || fail "no program at $program"

tools="$root/target/test-tools/contract-venv/bin"
scratch="$(mktemp -d "${TMPDIR:-/tmp}/entente-contract-test.XXXXXX")"
node=""
cleanup() {
    [ -z "$node" ] || { kill -TERM "$node" 2>/dev/null; wait "$node" 2>/dev/null; }
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

"$program" serve --data "$scratch/data" --listen 127.0.0.1:0 >"$scratch/log" 2>&1 &
node=$!
for _ in $(seq 600); do
    [ -s "$scratch/data/ready.json" ] && break
    kill -0 "$node" 2>/dev/null || { cat "$scratch/log" >&2; fail "the server ended before it was ready"; }
    sleep 0.1
done
url="$("$tools/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["url"])' "$scratch/data/ready.json")/box"
token="$("$program" token issue --data "$scratch/data" --login admin@entente.local)"
"$tools/python" tests/contract/describe.py "$description" crates/door-box/COVERAGE.md "$url" "$token" \
    "$scratch/served.json" || fail "the server could not be filled"

mkdir -p target/contract
seed=()
[ -z "${ENTENTE_CONTRACT_SEED:-}" ] || seed=(--seed "$ENTENTE_CONTRACT_SEED")
# It keeps notes where it runs.
(cd "$scratch" && "$tools/schemathesis" --no-color run "$scratch/served.json" --url "$url/2.0" --header "Authorization: Bearer $token" \
    --checks not_a_server_error,response_schema_conformance,content_type_conformance --continue-on-failure \
    --phases examples,coverage,fuzzing --max-time "${ENTENTE_CONTRACT_SECONDS:-40}" --workers 1 --warnings off \
    --generation-database none "${seed[@]}") >target/contract/report.txt 2>&1
outcome=$?
sed -n '/SUMMARY/,$p' target/contract/report.txt
kill -0 "$node" 2>/dev/null || fail "the server did not outlive it"
if grep -q ' ERROR ' "$scratch/log"; then
    grep ' ERROR ' "$scratch/log" | head -20 >&2
    fail "the server logged errors"
fi
[ "$outcome" -eq 0 ] || { sed -n '/FAILURES/,/SUMMARY/p' target/contract/report.txt | head -80; fail "found something: target/contract/report.txt"; }
say "nothing was found"
