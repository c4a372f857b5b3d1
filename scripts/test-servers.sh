#!/usr/bin/env bash
# Starts and stops the servers that tests talk to: Azurite, SeaweedFS (S3), fake-gcs-server and PostgreSQL.
#
#   scripts/test-servers.sh start            start them; nothing happens when they run and answer
#   scripts/test-servers.sh stop             stop them, whoever uses them
#   scripts/test-servers.sh release          stop them unless somebody uses them
#   scripts/test-servers.sh status           tell which run
#   scripts/test-servers.sh env              start them, and print where they are as shell variables
#   scripts/test-servers.sh fresh            the same, with a new bucket, container and database
#   scripts/test-servers.sh run -- COMMAND   start them, run the command, then stop them as `release` does
#
# All listen on 127.0.0.1, on ports found free; where they are, and their keys, is in target/test-servers/endpoints.json.
# What they store is thrown away at the next start. They stop by themselves when nobody has asked for them for two
# hours. One set serves the whole checkout; any number of tests may share it.
#
# Exit status: 0 done; 1 a server could not be started (the message says why, the logs are in target/test-servers/logs);
# 2 no such verb; 3 `status` found one that does not run. `run` ends with the status of the command.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if ! command -v python3 >/dev/null 2>&1; then
    printf 'test servers: missing: python3. Install it, then run this again\n' >&2
    exit 1
fi
exec python3 -B "$root/tests/servers/servers.py" "$@"
