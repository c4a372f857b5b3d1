#!/usr/bin/env bash
# Runs the client stories: unmodified vendor clients against a real server.
#
# Starts `entente serve` on a throwaway data directory with TLS, runs the Python, Node and rclone stories against it,
# stops it with SIGTERM, and checks the data directory with `entente verify`. Ends with 0 only when all of it went well.
#
#   scripts/client-tests.sh [PROGRAM] [WORDS FOR PYTEST]      e.g. scripts/client-tests.sh -k trash -x
#
# PROGRAM is the `entente` to test (default: $ENTENTE_BIN, else target/debug/entente, which is built first).
#
#   ENTENTE_TREE_FILES   files in the tree story (default 300; 5000 for the full run)
#   ENTENTE_BIG_MIB      size of the one big file (default 64; 1024 for the full run)
#   ENTENTE_STORIES      which suites, of "python node rclone" (default: all)
#   ENTENTE_KEEP         when set, the data directory and the server's log are kept and named at the end
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
say() { printf 'client tests: %s\n' "$*"; }
fail() { printf 'client tests: %s\n' "$*" >&2; exit 1; }

if [ "$#" -gt 0 ] && [ "${1#-}" = "$1" ]; then
    ENTENTE_BIN="$1"
    shift
fi
scripts/install-test-tools.sh clients || exit 1
if [ -z "${ENTENTE_BIN:-}" ]; then
    cargo build --quiet --bin entente || exit 1
    ENTENTE_BIN="${CARGO_TARGET_DIR:-$root/target}/debug/entente"
fi
ENTENTE_BIN="$(realpath -m "$ENTENTE_BIN")"
[ -x "$ENTENTE_BIN" ] || fail "no program at $ENTENTE_BIN"

scratch="$(mktemp -d "${TMPDIR:-/tmp}/entente-client-tests.XXXXXX")"
data="$scratch/data"
log="$scratch/server.log"
server=""

cleanup() {
    if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
        kill -KILL "$server" 2>/dev/null
        wait "$server" 2>/dev/null
    fi
    if [ -n "${ENTENTE_KEEP:-}" ]; then
        say "kept $scratch"
    else
        rm -rf "$scratch"
    fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Two zones, so that there is a choice of storage policies.
cat >"$scratch/entente.toml" <<'END'
[[custodian]]
name = "local"
kind = "local"
path = "keys/local.key"

[[backend]]
name = "local"
kind = "fs"
path = "segments"
jurisdiction = "local"

[[backend]]
name = "abroad"
kind = "fs"
path = "segments-abroad"
jurisdiction = "abroad"

[[zone]]
name = "default"
jurisdiction = "local"
backends = ["local"]
custodian = "local"

[[zone]]
name = "abroad"
jurisdiction = "abroad"
backends = ["abroad"]
custodian = "local"

[[policy]]
name = "default"
zone = "default"
primary = "local"
default = true

[[policy]]
name = "abroad"
zone = "abroad"
primary = "abroad"
END
"$ENTENTE_BIN" serve --config "$scratch/entente.toml" --data "$data" --listen 127.0.0.1:0 --tls self-signed >"$log" 2>&1 &
server=$!
for _ in $(seq 600); do
    [ -s "$data/ready.json" ] && break
    if ! kill -0 "$server" 2>/dev/null; then
        cat "$log" >&2
        fail "the server ended before it was ready"
    fi
    sleep 0.1
done
if [ ! -s "$data/ready.json" ]; then
    cat "$log" >&2
    fail "the server was not ready within a minute"
fi

python="$root/target/test-tools/venv/bin/python"
ready() {
    "$python" -c 'import json, sys
said = json.load(open(sys.argv[1]))
print(next(said[name] for name in sys.argv[2:] if said.get(name)))' "$data/ready.json" "$@"
}
url="$(ready url)" && ca="$(ready ca_file ca)" || fail "ready.json does not say where the server is"
ca="$(realpath "$ca")"
case "$url" in */box) ;; *) url="${url%/}/box" ;; esac

export ENTENTE_BIN ENTENTE_URL="$url" ENTENTE_CA="$ca" ENTENTE_DATA="$data" ENTENTE_TREE="$scratch/tree"
export NODE_EXTRA_CA_CERTS="$ca" PYTHONDONTWRITEBYTECODE=1
unset HTTPS_PROXY HTTP_PROXY ALL_PROXY https_proxy http_proxy all_proxy
say "the server is at $ENTENTE_URL"

stories=" ${ENTENTE_STORIES:-python node rclone} "
failed=""

# Runs one suite; a failure is remembered, and the other suites still run.
suite() {
    local name="$1"
    shift
    case "$stories" in *" $name "*) ;; *) return ;; esac
    say "$name stories"
    "$@" || failed="$failed $name"
}

node_stories() {
    PYTHONPATH=tests/clients/python "$python" -c \
        'import pathlib, sys, trees; trees.plant(pathlib.Path(sys.argv[1]))' "$ENTENTE_TREE" || return 1
    node --test --test-reporter=spec --test-concurrency=2 tests/clients/node/*.test.mjs
}

# pytest ends with 5 when it ran nothing, which is an answer only to somebody who chose what to run.
python_stories() {
    "$python" -m pytest -q --basetemp="$scratch/pytest" "${chosen[@]}" "$@"
    local status=$?
    [ "$status" -eq 5 ] && [ "${#chosen[@]}" -gt 0 ] && status=0
    return "$status"
}

chosen=("$@")
suite python python_stories --ignore=tests/clients/python/test_rclone.py tests/clients/python
suite node node_stories
suite rclone python_stories tests/clients/python/test_rclone.py

kill -TERM "$server" 2>/dev/null
wait "$server"
status=$?
server=""
if [ "$status" -ne 0 ]; then
    say "the server ended with $status after SIGTERM"
    failed="$failed server"
fi
if [ -e "$data/ready.json" ]; then
    say "the server left ready.json behind"
    failed="$failed server"
fi
say "verify"
"$ENTENTE_BIN" verify --data "$data" || failed="$failed verify"

if [ -n "$failed" ]; then
    say "the end of the server's log:"
    tail -n 40 "$log"
    fail "failed:$failed"
fi
say "all stories passed"
