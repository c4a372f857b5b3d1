#!/usr/bin/env bash
# Installs what the client stories need: the official Python and Node SDKs and Debian's rclone.
#
# Safe to run again: each part keeps a stamp of what it was installed from and does nothing when that is unchanged.
# Writes only target/test-tools and tests/clients/node/node_modules (both ignored by git), and, as root on Debian,
# the system packages named below when they are missing.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
tools="$root/target/test-tools"
mkdir -p "$tools"

say() { printf 'test tools: %s\n' "$*"; }
fail() { printf 'test tools: %s\n' "$*" >&2; exit 1; }

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

install_python
install_node
install_rclone
say "ready ($("$tools/venv/bin/python" -c 'from importlib.metadata import version; print("boxsdk " + version("boxsdk"))'), $(
    node -p '"box-node-sdk " + require(process.argv[1]).version' "$root/tests/clients/node/node_modules/box-node-sdk/package.json"
), $(rclone version | head -n 1))"
