#!/usr/bin/env bash
# Kills the real server again and again under real clients, and proves that nothing acknowledged is lost.
#
#   scripts/kill-test.sh [PROGRAM]
#
# Three parts: what is stored is sealed; SIGKILL at random moments; and, where this user may mount an ext4 of its own
# (root on Linux), power cuts, after which the file system has only what was made durable. PROGRAM is the `entente` to
# test (default: $ENTENTE_BIN, else target/debug/entente). Reports are written to target/durability.
#
#   KILL_ROUNDS      rounds that end with SIGKILL while clients work (default 200)
#   POWER_ROUNDS     rounds that end with a power cut while clients work (default 30)
#   ENTENTE_SEED     the seed of all choices; drawn and printed when it is not set
#   ENTENTE_PARTS    which parts, of "sealed kill power" (default: all)
#
# Exit status: 0 when every check passed, 1 otherwise.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
say() { printf 'kill test: %s\n' "$*"; }
python="$root/target/test-tools/venv/bin/python"
folder="$root/target/durability"
export PYTHONDONTWRITEBYTECODE=1
unset HTTPS_PROXY HTTP_PROXY ALL_PROXY https_proxy http_proxy all_proxy

# --- power cuts: in a mount namespace of their own, so that nothing stays mounted -----------------------------------
if [ "${1:-}" = --power-cuts ]; then
    scratch="$(mktemp -d "${TMPDIR:-/tmp}/entente-power.XXXXXX")"
    cleanup() { umount "$scratch/disk" 2>/dev/null; rm -rf "$scratch"; }
    trap cleanup EXIT
    trap 'exit 130' INT TERM
    export PATH="$PATH:/usr/sbin:/sbin"
    mkdir "$scratch/disk"
    # `commit`: the journal is written when somebody asks for it, and not by itself.
    if ! { truncate -s 4G "$scratch/image" && mkfs.ext4 -q -F "$scratch/image" &&
        mount -o loop,commit=3600 "$scratch/image" "$scratch/disk"; } 2>/dev/null; then
        say "power cuts skipped: no ext4 can be mounted here"
        exit 0
    fi
    "$python" tests/durability/kill.py --program "$2" --folder "$folder" --disk "$scratch/disk" \
        --rounds "${POWER_ROUNDS:-30}" ${ENTENTE_SEED:+--seed "$ENTENTE_SEED"}
    exit
fi

program="$(realpath -m "${1:-${ENTENTE_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/entente}}")"
[ -x "$program" ] || { say "no program at $program" >&2; exit 1; }
scripts/install-test-tools.sh clients || exit 1
mkdir -p "$folder"
# A copy, so that a build in the meantime does not change what is tested.
cp "$program" "$folder/entente" || exit 1
program="$folder/entente"
parts=" ${ENTENTE_PARTS:-sealed kill power} "
failed=""

case "$parts" in *" sealed "*)
    "$python" tests/durability/sealed.py --program "$program" --folder "$folder" || failed="$failed sealed" ;;
esac
case "$parts" in *" kill "*)
    "$python" tests/durability/kill.py --program "$program" --folder "$folder" --rounds "${KILL_ROUNDS:-200}" \
        ${ENTENTE_SEED:+--seed "$ENTENTE_SEED"} || failed="$failed kill" ;;
esac
case "$parts" in *" power "*)
    if [ "$(id -u)" -ne 0 ]; then
        say "power cuts skipped: they need root, to mount a file system"
    else
        unshare --mount "$0" --power-cuts "$program" || failed="$failed power"
    fi ;;
esac
rm -f "$program"
[ -z "$failed" ] || { say "failed:$failed" >&2; exit 1; }
