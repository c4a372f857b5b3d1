# What the scripts that drill the program have in common; to be sourced, with the program as the first argument.
#
# Copies both programs, so that a build in the meantime does not change what is tested, and starts the emulators if they do
# not run (they stop by themselves when nobody uses them).

unset HTTPS_PROXY HTTP_PROXY ALL_PROXY https_proxy http_proxy all_proxy
program="$(realpath -m "${1:-${ENTENTE_BIN:-target/debug/entente}}")"
bench="$(realpath -m "${DRILL_BENCH:-target/debug/entente-bench}")"
for needed in "$program" "$bench"; do
    [ -x "$needed" ] || { printf 'drill: no program at %s; build it\n' "$needed" >&2; exit 1; }
done
scripts/install-test-tools.sh servers >/dev/null || exit 1
drills="$(mkdir -p target/drills && mktemp -d "$PWD/target/drills/programs.XXXXXX")" || exit 1
trap 'rm -rf "$drills"' EXIT
trap 'exit 130' INT TERM
cp "$program" "$drills/entente" && cp "$bench" "$drills/entente-bench" || exit 1
seed="${ENTENTE_SEED:-$RANDOM}"

# Runs one drill; keeps the worst status of all in `status`, and the newest figures in target/drills.
status=0
drill() { # NAME ARGUMENT...
    local ended
    printf '== %s, seed %s\n' "$*" "$seed"
    "$drills/entente-bench" drill "$@" --program "$drills/entente" --dir "$drills/data" --seed "$seed" --no-table --json "target/drills/$1.json"
    ended=$?
    [ "$ended" = 0 ] || status=$ended
    return "$ended"
}
