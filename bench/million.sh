#!/usr/bin/env bash
# 1,000,000 viewers in one room, on real nodes and one machine, each delivery verified. It says what it needs, asks, stops by itself, and leaves nothing
# but its result in artifacts/bench/results.   bench/million.sh --help; docs/performance.md
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$bench")
artifacts=$repository/artifacts/bench
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

for name in dotnet node redis-server setpriv; do
    command -v "$name" > /dev/null || { echo "$name is missing: bench/million.sh needs the .NET 10 SDK, nodejs, redis-server and util-linux." >&2; exit 2; }
done

# In a network of its own, if that is allowed here; env only runs what follows.
network=$bench/million/network.sh
"$network" true 2> /dev/null || network=env

# Each connection needs a descriptor in the node and one in the load.
ulimit -n "$(ulimit -Hn)"
"$network" node "$bench/million/check.mjs" "$@" || exit $(($? == 3 ? 0 : $?))

# Precompiled, as docs/deployment.md recommends: a hundred processes that compile the same code would take minutes of both cores.
if [[ " $* " != *" --built"* ]]; then
    for project in PushNode PushApi PushLoad; do
        dotnet publish "$repository/src/$project" --configuration Release --output "$artifacts/$project" --verbosity quiet --disable-build-servers \
            --use-current-runtime --self-contained false -p:PublishReadyToRun=true
    done
fi
exec "$network" node "$bench/million/main.mjs" "$@"
