#!/usr/bin/env bash
# Fills small file systems under a real server: errors are clear, nothing acknowledged is lost, and it recovers.
#
#   scripts/disk-full-test.sh [PROGRAM]
#
# PROGRAM is the `entente` to test (default: $ENTENTE_BIN, else target/debug/entente). The file systems (a tmpfs, and as
# root an ext4 in a file) are mounted in a mount namespace of their own, and are gone with it. Where that is not permitted
# the test is skipped, and says so.
#
#   DISK_MIB         size of the file systems (default 64)
#   ENTENTE_SEED     the seed of sizes and contents; drawn and printed when it is not set
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
say() { printf 'disk-full test: %s\n' "$*"; }

if [ "${1:-}" != --inside ]; then
    program="$(realpath -m "${1:-${ENTENTE_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/entente}}")"
    [ -x "$program" ] || { say "no program at $program" >&2; exit 1; }
    scripts/install-test-tools.sh clients || exit 1
    if [ "$(id -u)" -eq 0 ]; then apart=(unshare --mount); else apart=(unshare --user --map-root-user --mount); fi
    # Mounting is what is asked for: a namespace that may not mount is of no use.
    if ! "${apart[@]}" sh -c 'mount -t tmpfs -o size=1m entente /mnt' 2>/dev/null; then
        say "skipped: this user may not mount a file system here"
        exit 0
    fi
    exec "${apart[@]}" "$0" --inside "$program"
fi

program="$2"
python="$root/target/test-tools/venv/bin/python"
folder="$root/target/durability"
mib="${DISK_MIB:-64}"
scratch="$(mktemp -d "${TMPDIR:-/tmp}/entente-disk-full.XXXXXX")"
mkdir -p "$folder" "$scratch/disk"
export PYTHONDONTWRITEBYTECODE=1
unset HTTPS_PROXY HTTP_PROXY ALL_PROXY https_proxy http_proxy all_proxy

cleanup() {
    umount "$scratch/disk" 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

status=0
run() { # FILESYSTEM
    say "on $1"
    rm -f "$folder/disk-full-$1.log"
    "$python" tests/durability/disk_full.py --program "$program" --folder "$scratch/disk" \
        --log "$folder/disk-full-$1.log" ${ENTENTE_SEED:+--seed "$ENTENTE_SEED"} || status=1
    umount "$scratch/disk"
}

mount -t tmpfs -o "size=${mib}m" entente "$scratch/disk" && run tmpfs
export PATH="$PATH:/usr/sbin:/sbin"
if truncate -s "${mib}M" "$scratch/image" && mkfs.ext4 -q -F -m 0 "$scratch/image" 2>/dev/null &&
    mount -o loop "$scratch/image" "$scratch/disk" 2>/dev/null; then
    run ext4
else
    say "ext4 skipped: no loop device can be mounted here"
fi
exit "$status"
