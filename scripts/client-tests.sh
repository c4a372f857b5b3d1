#!/usr/bin/env bash
# Runs the client stories: unmodified vendor clients against a real server.
#
# Starts `entente serve` on a throwaway data directory with TLS, runs the Python, Node and rclone stories against it,
# stops it with SIGTERM, and checks the data directory with `entente verify`. Then the same with three nodes that share a
# PostgreSQL and their backends, behind a proxy that gives each request of the Python and Node stories to any one of them.
# Ends with 0 only when all of it went well.
#
#   scripts/client-tests.sh [PROGRAM] [WORDS FOR PYTEST]      e.g. scripts/client-tests.sh -k trash -x
#
# PROGRAM is the `entente` to test (default: $ENTENTE_BIN, else target/debug/entente, which is built first).
#
#   ENTENTE_TREE_FILES   files in the tree story (default 300; 5000 for the full run)
#   ENTENTE_BIG_MIB      size of the one big file (default 64; 1024 for the full run)
#   ENTENTE_STORIES      which suites, of "python node rclone dav" (default: all)
#   ENTENTE_SITES        against what, of "one three" nodes (default: both)
#   ENTENTE_KEEP         when set, the data directories and the servers' logs are kept and named at the end
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
python="$root/target/test-tools/venv/bin/python"
stories=" ${ENTENTE_STORIES:-python node rclone dav} "
sites=" ${ENTENTE_SITES:-one three} "
chosen=("$@")
failed=""
# Of what runs now: its processes, in the order in which they are stopped.
running=()

cleanup() {
    for process in "${running[@]}"; do
        if kill -0 "$process" 2>/dev/null; then
            kill -KILL "$process" 2>/dev/null
            wait "$process" 2>/dev/null
        fi
    done
    if [ -n "${ENTENTE_KEEP:-}" ]; then
        say "kept $scratch"
    else
        rm -rf "$scratch"
    fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

export ENTENTE_BIN PYTHONDONTWRITEBYTECODE=1
unset HTTPS_PROXY HTTP_PROXY ALL_PROXY https_proxy http_proxy all_proxy

# Two zones, so that there is a choice of storage policies. `configuration FILE FOLDER` puts their backends below a folder.
configuration() {
    cat >"$1" <<END
${3:-}
[webhooks]
allow_private = true

[mail]
folder = "$scratch/mail"

[[custodian]]
name = "local"
kind = "local"
path = "keys/local.key"

[[backend]]
name = "local"
kind = "fs"
path = "$2/segments"
jurisdiction = "local"

[[backend]]
name = "abroad"
kind = "fs"
path = "$2/segments-abroad"
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
}

# start DATA CONFIGURATION ARGUMENT...: starts a node, and waits until it accepts requests.
start() {
    local data="$1" config="$2" log="$1.log" node
    shift 2
    "$ENTENTE_BIN" serve --config "$config" --data "$data" --listen 127.0.0.1:0 --tls self-signed "$@" >"$log" 2>&1 &
    node=$!
    running+=("$node")
    for _ in $(seq 600); do
        [ -s "$data/ready.json" ] && return
        if ! kill -0 "$node" 2>/dev/null; then
            cat "$log" >&2
            fail "the server ended before it was ready"
        fi
        sleep 0.1
    done
    cat "$log" >&2
    fail "the server was not ready within a minute"
}

ready() {
    local data="$1"
    shift
    "$python" -c 'import json, sys
said = json.load(open(sys.argv[1]))
print(next(said[name] for name in sys.argv[2:] if said.get(name)))' "$data/ready.json" "$@"
}

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

# stories URL DATA: what every site must pass. `DATA` is that of a node on which the operator works.
stories() {
    local ca
    ca="$(realpath "$(ready "$2" ca_file ca)")" || fail "ready.json does not say whom to trust"
    export ENTENTE_URL="${1%/}/box" ENTENTE_CA="$ca" ENTENTE_DATA="$2" ENTENTE_TREE="$2.tree" NODE_EXTRA_CA_CERTS="$ca"
    say "the server is at $ENTENTE_URL"
    suite python python_stories --ignore=tests/clients/python/test_rclone.py \
        --ignore=tests/clients/python/test_dav_programs.py tests/clients/python
    suite node node_stories
}

# stop DATA...: stops everything, and looks whether the nodes ended well.
stop() {
    local process status data
    for process in "${running[@]}"; do
        kill -TERM "$process" 2>/dev/null
        wait "$process"
        status=$?
        if [ "$status" -ne 0 ]; then
            say "process $process ended with $status after SIGTERM"
            failed="$failed server"
        fi
    done
    running=()
    for data in "$@"; do
        if [ -e "$data/ready.json" ]; then
            say "the server of $data left ready.json behind"
            failed="$failed server"
        fi
    done
    say "verify"
    "$ENTENTE_BIN" verify --data "$1" || failed="$failed verify"
    if [ -n "$failed" ]; then
        for data in "$@"; do
            say "the end of $data.log:"
            tail -n 40 "$data.log"
        done
        fail "failed:$failed"
    fi
}

one_node() {
    local data="$scratch/data"
    configuration "$scratch/entente.toml" "$data"
    start "$data" "$scratch/entente.toml"
    stories "$(ready "$data" url)" "$data"
    suite rclone python_stories tests/clients/python/test_rclone.py
    suite dav python_stories tests/clients/python/test_dav_programs.py
    stop "$data"
}

# Nothing but the database, the backends and the key is shared: what a node keeps to itself is missed here.
three_nodes() {
    local nodes=("$scratch/node-1" "$scratch/node-2" "$scratch/node-3") url
    scripts/install-test-tools.sh servers || fail "the servers for tests cannot be installed"
    eval "$(scripts/test-servers.sh fresh | grep POSTGRES)"
    [ -n "${ENTENTE_TEST_POSTGRES_DATABASE_URL:-}" ] || fail "there is no PostgreSQL"
    printf '%s' "$ENTENTE_TEST_POSTGRES_PASSWORD" >"$scratch/password"
    url="${ENTENTE_TEST_POSTGRES_DATABASE_URL/:$ENTENTE_TEST_POSTGRES_PASSWORD@/@}"
    configuration "$scratch/nodes.toml" "${nodes[0]}" "[database]
url = \"$url\"
password_file = \"$scratch/password\""
    "$python" tests/clients/spray.py "$scratch/url" "${nodes[@]}" &
    running+=("$!")
    for _ in $(seq 100); do [ -s "$scratch/url" ] && break; sleep 0.1; done
    url="$(cat "$scratch/url")" && [ -n "$url" ] || fail "the proxy did not start"
    start "${nodes[0]}" "$scratch/nodes.toml" --public-url "$url"
    for data in "${nodes[@]:1}"; do
        mkdir -p "$data/keys" && cp "${nodes[0]}/keys/local.key" "$data/keys/" || fail "the key cannot be copied"
        start "$data" "$scratch/nodes.toml" --public-url "$url"
    done
    stories "$url" "${nodes[0]}"
    say "requests of each node:"
    stop "${nodes[@]}"
}

case "$sites" in *" one "*) one_node ;; esac
case "$sites" in *" three "*) say "three nodes"; three_nodes ;; esac
say "all stories passed"
