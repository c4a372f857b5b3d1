#!/usr/bin/env bash
# Has people use the web app: stories in Chromium, against the real program on a new store.
#
#   scripts/web-tests.sh PROGRAM [OPTIONS OF PLAYWRIGHT]
#
# PROGRAM is an `entente` that was built after `make ui`. Pictures of the screens are in target/web/screens afterwards,
# and what is known of a story that failed in target/web/results. Only the failures are shown in full.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
say() { printf 'web tests: %s\n' "$*"; }
fail() { printf 'web tests: %s\n' "$*" >&2; exit 1; }

program="$(realpath -m "${1:?which program?}")"
shift
[ -x "$program" ] || fail "no program at $program"
scripts/install-test-tools.sh web

scratch="$(mktemp -d "${TMPDIR:-/tmp}/entente-web-tests.XXXXXX")"
node=""
cleanup() {
    [ -z "$node" ] || { kill -TERM "$node" 2>/dev/null; wait "$node" 2>/dev/null || true; }
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
export ENTENTE_URL ENTENTE_TOKEN ENTENTE_LOGIN=admin@entente.local ENTENTE_PASSWORD="correct horse battery staple"
ENTENTE_URL="$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$scratch/data/ready.json" | head -1)"
ENTENTE_TOKEN="$("$program" token issue --data "$scratch/data" --login "$ENTENTE_LOGIN")"
export ENTENTE_LINK
ENTENTE_LINK="$("$program" user password-link --data "$scratch/data" --login "$ENTENTE_LOGIN")"

outcome=0
(cd ui && npx --no-install playwright test "$@") || outcome=$?
kill -0 "$node" 2>/dev/null || { tail -50 "$scratch/log" >&2; fail "the server did not outlive it"; }
if grep -q ' ERROR ' "$scratch/log"; then
    grep ' ERROR ' "$scratch/log" | head -20 >&2
    fail "the server logged errors"
fi
[ "$outcome" -eq 0 ] || { tail -20 "$scratch/log" >&2; fail "a story failed"; }
