#!/usr/bin/env bash
# Builds the web app into ui/dist, from where it goes into the program. Does nothing when nothing has changed.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root/ui"
command -v npm >/dev/null 2>&1 || { echo "web app: missing: node 20 or later, with npm. Install it, then run this again" >&2; exit 1; }

mkdir -p "$root/target"
exec 9>"$root/target/ui.lock"
flock 9

stamp() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }

modules="$(stamp package.json package-lock.json)"
if [ "$(cat node_modules/.stamp 2>/dev/null || true)" != "$modules" ]; then
    echo "web app: installing what it is built with into ui/node_modules"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    printf '%s\n' "$modules" >node_modules/.stamp
fi

mapfile -t sources < <(find src public index.html ./*.json ./*.config.* -type f | LC_ALL=C sort)
built="$(stamp "${sources[@]}")"
if [ "$(cat dist/.stamp 2>/dev/null || true)" != "$built" ]; then
    echo "web app: building it into ui/dist"
    npm run --silent build -- --logLevel warn
    printf '%s\n' "$built" >dist/.stamp
fi
