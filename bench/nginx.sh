#!/usr/bin/env bash
# The cost of nginx in front of one node: CPU of both per frame, and nginx's memory per client, in one run. docs/sizing.md
#   bench/nginx.sh [CONNECTIONS] [BYTES]     defaults: 5000 connections, messages of 544 bytes, which make frames of 600
# Needs redis-server, nginx, envsubst and curl. Each connection is two descriptors of nginx.
# shellcheck disable=SC2046 # lists of paths
set -euo pipefail

connections=${1:-5000}
bytes=${2:-544}
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
directory=$(mktemp -d)
pids=()
clean_up() {
    if (( ${#pids[@]} > 0 )); then kill "${pids[@]}" 2>/dev/null || true; wait "${pids[@]}" 2>/dev/null || true; fi
    rm -rf "$directory"
}
trap clean_up EXIT

free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); (: > "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do :; done
    echo "$port"
}
redis=$(free_port) node=$(free_port) management=$(free_port) clients=$(free_port) publishers=$(free_port) status=$(free_port)
until_answered() {
    for _ in {1..200}; do
        if curl -sf "$1" > /dev/null; then return; fi
        sleep 0.1
    done
    cat "$directory/nginx" >&2 2> /dev/null || true
    echo "$1 does not answer: the measurement is not started." >&2
    exit 1
}

dotnet build "$repository/src/PushNode" -c Release -v quiet
dotnet build "$repository/src/PushLoad" -c Release -v quiet

redis-server --port "$redis" --bind 127.0.0.1 --save '' > /dev/null &
pids+=($!)
# Each message in its own frame, two a second.
ConnectionStrings__Redis=127.0.0.1:$redis Management__Port=$management Push__Merge__Window=00:00:00.05 Push__Merge__Gather=00:00:00 \
    dotnet "$repository/src/PushNode/bin/Release/net10.0/PushNode.dll" --urls "http://127.0.0.1:$node" > /dev/null &
node_pid=$!
pids+=("$node_pid")
PUSH_RESOLVER=127.0.0.1:9 PUSH_NODES=127.0.0.1:$node PUSH_API=127.0.0.1:9 PUSH_CONNECTIONS_PER_ADDRESS=65535 \
    PUSH_LISTEN=127.0.0.1:$clients PUSH_API_LISTEN=127.0.0.1:$publishers PUSH_STATUS_LISTEN=127.0.0.1:$status \
    "$repository/nginx/render.sh" "$directory"
nginx -e stderr -c "$directory/nginx.conf" -g "daemon off; pid $directory/nginx.pid;" 2> "$directory/nginx" &
nginx_pid=$!
pids+=("$nginx_pid")
until_answered "http://127.0.0.1:$management/readyz"
until_answered "http://127.0.0.1:$status/healthz"

ticks() { awk '{ sub(/.*\) /, ""); sum += $12 + $13 } END { print sum }' "${@/%//stat}"; }
of_nginx() { printf '/proc/%s\n' "$nginx_pid" $(cat "/proc/$nginx_pid/task/$nginx_pid/children"); }
kilobytes() { awk '/^Private_/ { sum += $2 } END { print sum }' $(of_nginx | sed 's,$,/smaps_rollup,'); }
frames() { curl -s "http://127.0.0.1:$management/metrics" | awk '$1 == "push_frames_sent_total" { print $2 }'; }
sample() { echo "$(frames) $(ticks /proc/"$node_pid") $(ticks $(of_nginx))"; }

memory_before=$(kilobytes)
dotnet "$repository/src/PushLoad/bin/Release/net10.0/PushLoad.dll" "ws://127.0.0.1:$clients/ws" --redis "127.0.0.1:$redis" \
    --connections "$connections" --rate 2 --size "$bytes" --duration 25 > "$directory/load" &
load=$!
pids+=("$load")
until grep -qs 's  run' "$directory/load"; do sleep 0.2; kill -0 "$load" || { cat "$directory/load" >&2; exit 1; }; done
sleep 3
read -r frames_before node_before nginx_before < <(sample)
sleep 15
read -r frames_after node_after nginx_after < <(sample)
memory_after=$(kilobytes)
wait "$load" || true
pids=("${pids[@]:0:3}")
grep -E 'frames  |latency|passed|FAILED' "$directory/load"
awk -v f="$((frames_after - frames_before))" -v n="$((node_after - node_before))" -v x="$((nginx_after - nginx_before))" \
    -v hz="$(getconf CLK_TCK)" -v m="$((memory_after - memory_before))" -v c="$connections" \
    'BEGIN {
        printf "%d frames in 15 s; CPU of a frame: node %.1f us, nginx %.1f us; ", f, n / hz * 1e6 / f, x / hz * 1e6 / f
        printf "memory of a client in nginx: %.1f KB\n", m / c
    }'
