#!/usr/bin/env bash
# Five minutes of Entente: three clouds in one zone (emulated on this machine), a client that uploads all the time, and one
# command that moves everything from one cloud to another meanwhile.
#
#   scripts/tour.sh [PROGRAM]
#
# PROGRAM is the `entente` to show (default: $ENTENTE_BIN, else target/debug/entente, which is built first). Everything is
# on 127.0.0.1 and in a throwaway folder; nothing is left behind.
#
#   TOUR_SECONDS   how long the client uploads before the move (default 10)
#   TOUR_PAUSE     seconds between two steps, for readers (default 1)
#
# Exit status: 0 when no request of the client failed, every file came back, and the source is empty; 1 otherwise.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
say() { printf '\n\033[1m%s\033[0m\n' "$*"; sleep "${TOUR_PAUSE:-1}"; }
show() { printf '  $ %s\n' "$*"; }
fail() { printf 'tour: %s\n' "$*" >&2; exit 1; }
unset HTTPS_PROXY HTTP_PROXY ALL_PROXY https_proxy http_proxy all_proxy

program="${1:-${ENTENTE_BIN:-}}"
bench="target/debug/entente-bench"
if [ -z "$program" ]; then
    cargo build --quiet --bin entente --bin entente-bench || exit 1
    program="target/debug/entente"
fi
[ -x "$program" ] || fail "no program at $program"
[ -x "$bench" ] || cargo build --quiet --bin entente-bench || exit 1
scripts/install-test-tools.sh servers >/dev/null || exit 1

scratch="$(mktemp -d "${TMPDIR:-/tmp}/entente-tour.XXXXXX")"
server="" client=""
cleanup() {
    for process in $client $server; do
        kill -TERM "$process" 2>/dev/null && wait "$process" 2>/dev/null
    done
    rm -rf "$scratch"
    scripts/test-servers.sh release >/dev/null 2>&1
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say '1. Three rival clouds: Azure (Azurite), S3 (SeaweedFS) and Google (fake-gcs-server), each with an empty bucket.'
settings="$(scripts/test-servers.sh fresh)" || fail 'the emulators do not start'
eval "$settings"
export AZURE_ACCOUNT_KEY="$ENTENTE_TEST_AZURE_KEY"
export S3_ACCESS_KEY_ID="$ENTENTE_TEST_S3_ACCESS_KEY" S3_SECRET_ACCESS_KEY="$ENTENTE_TEST_S3_SECRET_KEY"
config="$scratch/three-clouds.toml"
sed -e "s|http://127.0.0.1:10000/account|$ENTENTE_TEST_AZURE_ENDPOINT|" -e "s|azure-container|$ENTENTE_TEST_AZURE_CONTAINER|" \
    -e "s|\"ententetests\"|\"$ENTENTE_TEST_AZURE_ACCOUNT\"|" -e "s|\"us-east-1\"|\"$ENTENTE_TEST_S3_REGION\"|" \
    -e "s|http://127.0.0.1:9000|$ENTENTE_TEST_S3_ENDPOINT|" -e "s|s3-bucket|$ENTENTE_TEST_S3_BUCKET|" \
    -e "s|http://127.0.0.1:4443|$ENTENTE_TEST_GCS_ENDPOINT|" -e "s|gcs-bucket|$ENTENTE_TEST_GCS_BUCKET|" \
    examples/three-clouds.toml >"$config"
printf '  Azure %s, S3 %s, Google %s\n' "$ENTENTE_TEST_AZURE_ENDPOINT" "$ENTENTE_TEST_S3_ENDPOINT" "$ENTENTE_TEST_GCS_ENDPOINT"

say '2. One zone, France, with all three; every file on Azure and then on S3 too (examples/three-clouds.toml).'
show entente config check --config three-clouds.toml
"$program" config check --config "$config" || fail 'the configuration is wrong'
show entente serve --config three-clouds.toml
"$program" serve --config "$config" --data "$scratch/data" --listen 127.0.0.1:0 >"$scratch/server.log" 2>&1 &
server=$!
for _ in $(seq 600); do
    [ -s "$scratch/data/ready.json" ] && break
    kill -0 "$server" 2>/dev/null || { cat "$scratch/server.log" >&2; fail 'the server did not start'; }
    sleep 0.1
done
url="$(sed -n 's/.*"url"[^"]*"\([^"]*\)".*/\1/p' "$scratch/data/ready.json" | head -n 1)"
[ -n "$url" ] || fail 'the server is not ready'
entente() { "$program" "$@" --config "$config" --data "$scratch/data"; }
entente token issue --login admin@entente.local >"$scratch/token" || fail 'no token could be issued'
printf '  serving %s\n' "$url"

say '3. A client uploads and reads back, all the time (examples/uploader.py).'
python3 -B examples/uploader.py "$url" "$scratch/token" &
client=$!
sleep "${TOUR_SECONDS:-10}"
show entente backend list
entente backend list

say '4. What would it take to leave Azure for Google?'
show entente relocate --from azure-fr --to gcs-fr --dry-run --price-egress-per-gb 0.087 --price-per-1000-puts 0.005
entente relocate --from azure-fr --to gcs-fr --dry-run --price-egress-per-gb 0.087 --price-per-1000-puts 0.005 ||
    fail 'the estimate failed'

say '5. One command moves everything, while the client goes on.'
show entente relocate --from azure-fr --to gcs-fr --grace 5s
entente relocate --from azure-fr --to gcs-fr --grace 5s || fail 'the move failed'
show entente relocate list
entente relocate list

say '6. The client noticed nothing.'
kill -TERM "$client"
wait "$client" || fail 'a request of the client failed'
client=""
show entente backend list
entente backend list
left="$("$bench" drill count --kind azure --endpoint "$ENTENTE_TEST_AZURE_ENDPOINT" --bucket "$ENTENTE_TEST_AZURE_CONTAINER" \
    --id "$ENTENTE_TEST_AZURE_ACCOUNT" --secret-env AZURE_ACCOUNT_KEY)" || fail 'Azure cannot be listed'
printf '  Azure itself says: %s objects of ours left\n' "$left"
[ "$left" = 0 ] || fail 'the source is not empty'

say '7. The same files through two other doors: S3 and WebDAV.'
made="$(entente access-key create --login admin@entente.local --label tour --json)" || fail 'no access key could be made'
password="$(entente app-password create --login admin@entente.local --label tour)" || fail 'no app password could be made'
s3_url="$(sed -n 's/.*"s3_url" *: *"\([^"]*\)".*/\1/p' "$scratch/data/ready.json")"
key="$(sed -n 's/.*"access_key_id": *"\([^"]*\)".*/\1/p' <<<"$made")"
secret="$(sed -n 's/.*"secret_access_key": *"\([^"]*\)".*/\1/p' <<<"$made")"
signed=(--silent --show-error --fail --aws-sigv4 aws:amz:fr:s3 --user "$key:$secret" --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD')
show "curl --aws-sigv4 aws:amz:fr:s3 --user KEY:SECRET --upload-file README.md $s3_url/tour/README.md"
curl "${signed[@]}" --request PUT "$s3_url/tour" && curl "${signed[@]}" --upload-file README.md "$s3_url/tour/README.md" ||
    fail 'S3 did not take it'
show "curl --user LOGIN:APP-PASSWORD $url/dav/tour/README.md"
curl --silent --show-error --fail --user "admin@entente.local:$password" "$url/dav/tour/README.md" | cmp - README.md ||
    fail 'WebDAV gave something else'
printf '  put in through S3, read through WebDAV: equal\n'

say '8. And every byte is where it should be.'
kill -TERM "$server"
wait "$server" || fail 'the server did not end well'
server=""
show entente verify
entente verify || fail 'something is damaged'
say 'That is all: three clouds, one move, nothing lost, nothing left behind.'
