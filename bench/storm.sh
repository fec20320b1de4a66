#!/usr/bin/env bash
# A node dies, and its clients come back to two others that have just started: directly, through nginx, and through nginx with TLS. Prints for each way
# how long the clients were without their room, the longest silence, and the CPU of each part. Each delivery is verified; nothing may be lost.
#   bench/storm.sh [CONNECTIONS] [direct|nginx|tls]...      19000 connections, all three ways: about three minutes. docs/performance.md
# It needs node, redis-server 7, nginx, envsubst, dnsmasq, setpriv, openssl and cc, and for 19,000 clients 20,000 descriptors (ulimit -n). It uses loopback
# only, gives up after ten minutes, and leaves nothing.
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$bench")
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
for name in dotnet node redis-server redis-cli nginx envsubst dnsmasq setpriv openssl cc; do
    command -v "$name" > /dev/null || { echo "$name is missing." >&2; exit 2; }
done
for project in PushNode PushApi PushLoad; do
    dotnet build "$repository/src/$project" --configuration Release --verbosity quiet
done
mkdir -p "$repository/artifacts/bench"
cc -std=c11 -O2 -Wall -Wextra -o "$repository/artifacts/bench/cputime" "$bench/cputime"/*.c
ulimit -n "$(ulimit -Hn)"
exec node "$bench/storm/main.mjs" "$@"
