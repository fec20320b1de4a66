#!/usr/bin/env bash
# Breaks a farm while every client of a load generator checks what it gets: Redis with AOF, three nodes, an API, nginx, all on loopback. Says what it
# saw, ends with code 0 if nothing was lost, repeated, or claimed wrongly, and leaves nothing behind.
#   tests/faults.sh                        20 minutes of random faults
#   tests/faults.sh random [MINUTES] [SEED]
#   tests/faults.sh node-killed | rolling-restart | redis-killed | storm [CONNECTIONS]
#   tests/faults.sh figures                these four, one after the other: three minutes
# It needs node, redis-server 7, nginx, envsubst, dnsmasq and setpriv; for 19,000 clients 20,000 descriptors (ulimit -n).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
for name in node redis-server redis-cli nginx envsubst dnsmasq setpriv; do
    command -v "$name" > /dev/null || { echo "$name is missing." >&2; exit 2; }
done
for project in PushNode PushApi PushLoad; do
    dotnet build "src/$project" --configuration Release --verbosity quiet
done
exec node tests/Faults/main.mjs "$@"
