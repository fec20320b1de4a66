#!/usr/bin/env bash
# The second half of tests/containers.sh: the farm, in namespaces of its own, which this script may change freely.
# shellcheck disable=SC2154 # work comes from tests/containers.sh
set -euo pipefail

trap 'code=$?; [[ $code == 0 ]] || echo "  FAILED  $what" >&2' EXIT
what="starting" checks=0
check() { what=$1; }
passed() { checks=$((checks + 1)); echo "  ok  $what"; }

# State that engines leave in fixed places.
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
# The engine's DNS forwards unknown names. This server refuses them; the machine's own is unreachable here, so each would time out.
resolv_conf=$(readlink -m /etc/resolv.conf)
echo 'nameserver 127.0.0.1' > "$work/resolv.conf"
mkdir -p "$(dirname "$resolv_conf")"
[[ -e $resolv_conf ]] || : > "$resolv_conf"
mount --bind "$work/resolv.conf" "$resolv_conf"

check "without an IPv6 address nginx listens on IPv4 only"
# Not even loopback is up yet.
[[ ! -s /proc/net/if_inet6 ]]
PUSH_RESOLVER=127.0.0.1 PUSH_NODES=push-node:7777 PUSH_API=push-api:7799 nginx/render.sh "$work/no-ipv6"
[[ $(grep -c '^ *listen ' "$work/no-ipv6/farm.conf") == 3 ]]
if grep '\[::' "$work/no-ipv6/farm.conf"; then false; fi
passed

ip link set lo up
dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --no-resolv --no-hosts --local=/#/ --listen-address=127.0.0.1 --bind-interfaces --user=root &
# Without systemd this script has to run the health checks.
export DISABLE_HC_SYSTEMD=true
export DOCKER_HOST=unix://$work/podman.sock COMPOSE_PROJECT_NAME=redispush GRAFANA_ADMIN_PASSWORD=test REDIS_PASSWORD=0123456789abcdef
podman --cgroup-manager cgroupfs system service --time=0 "$DOCKER_HOST" > "$work/podman.log" 2>&1 &
for _ in {1..100}; do [[ -S $work/podman.sock ]] && break; sleep 0.1; done

compose() { docker-compose -f docker-compose.yml -f tests/Containers/docker-compose.stand-ins.yml "$@"; }
of() { podman ps --all --quiet --filter "label=com.docker.compose.service=$1"; }
first() { of "$1" | sed -n 1p; }
pid() { podman inspect --format '{{.State.Pid}}' "$1"; }
# $1: seconds; the rest: a command that is repeated until it succeeds
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if (( SECONDS > end )); then return 1; fi
        sleep 0.2
    done
}
# $1: a text that the output of the command in the rest must contain. A pipe to grep -q would end early and fail the command.
says() {
    local text=$1
    shift
    [[ $("$@" 2>&1 || true) == *"$text"* ]]
}
healthy() { podman healthcheck run "$1" > /dev/null 2>&1; }
tell_of() { podman inspect --format '{{.Name}} {{.State.Status}} {{.Config.Healthcheck}} {{.State.Health}}' "$1"; podman logs --tail 20 "$1"; }

check "the farm starts"
compose up --no-build --detach --scale push-node=3 > "$work/up.log" 2>&1 || { cat "$work/up.log" "$work/podman.log" >&2; false; }
passed

check "the images have the runtime settings of ADR 16"
for image in push-node push-api push-farm; do
    mounted=$(podman image mount "redispush/$image")
    python3 - "$mounted"/app/*.runtimeconfig.json << 'END'
import json, sys
properties = json.load(open(sys.argv[1]))["runtimeOptions"]["configProperties"]
wanted = {"System.GC.Server": False, "System.GC.Concurrent": False, "System.Runtime.TieredPGO": False, "System.Threading.ThreadPool.UnfairSemaphoreSpinLimit": 0}
wrong = {name: properties.get(name) for name, value in wanted.items() if properties.get(name) != value}
if wrong: sys.exit(f"{sys.argv[1]}: {wrong}")
END
    podman image unmount "redispush/$image" > /dev/null
done
passed

check "every health check succeeds"
for container in $(of redis) $(of push-api) $(of push-node) $(of nginx) $(of prometheus); do within 60 healthy "$container" || { tell_of "$container" >&2; false; }; done
passed

check "no process is root, has a capability or may get one"
for container in $(podman ps --quiet); do
    status=$(< "/proc/$(pid "$container")/status")
    if grep -E '^Uid:\s0\s|^Cap(Inh|Prm|Eff|Bnd|Amb):.*[1-9a-f]|^NoNewPrivs:\s0' <<< "$status"; then podman inspect --format '{{.Name}}' "$container" >&2; false; fi
done
passed

check "every root and every mount of the repository is read-only"
for container in $(podman ps --quiet); do
    # Fields 5 and 6 are the mount point and its options.
    awk '
        $5 == "/" && $6 !~ /^ro/ || $5 ~ /^\/(redispush|etc\/prometheus)/ && $6 !~ /^ro/ { print; wrong = 1 }
        END { exit wrong }' "/proc/$(pid "$container")/mountinfo"
done
if podman exec "$(first push-node)" busybox touch /app/written 2> /dev/null; then false; fi
podman exec "$(first push-node)" busybox touch /tmp/written
passed

check "the kernel has a memory limit for every container"
for container in $(podman ps --quiet); do
    # cgroup v1 has a line for the memory controller, v2 one line for all controllers.
    group=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' "/proc/$(pid "$container")/cgroup")/memory.limit_in_bytes
    [[ -e $group ]] || group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid "$container")/cgroup")/memory.max
    [[ $(< "$group") == $(podman inspect --format '{{.HostConfig.Memory}}' "$container") ]]
    [[ $(< "$group") -le $((6 << 30)) ]]
done
passed

check "Redis wants its password"
says NOAUTH podman exec --env REDISCLI_AUTH= "$(first redis)" redis-cli ping
says PONG podman exec "$(first redis)" redis-cli ping
passed

check "Grafana's network leads to Prometheus and not to Redis, nodes or the API"
reaches() { podman exec "$(first grafana)" /bin/busybox timeout 3 bash -c ": > /dev/tcp/$1/$2" 2> /dev/null; }
address() { podman inspect --format "{{.NetworkSettings.Networks.redispush_$2.IPAddress}}" "$(first "$1")"; }
within 10 reaches prometheus 9090
for inside in "redis 6379" "$(address redis backplane) 6379" "push-node 9464" "$(address push-node monitoring) 9464" "push-api 7799" "$(address push-api edge) 7799"; do
    # shellcheck disable=SC2086 # a name or address, and a port
    if reaches $inside; then echo "$inside" >&2; false; fi
done
passed

check "Prometheus has every node, the API and what the exporters say"
query() { says ",\"$2\"]" curl -sf --get --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query; }
within 60 query 'count(up{job="push-node"} == 1)' 3
within 60 query 'count(up{job="push-api"} == 1)' 1
exporter() { says $'\n'"$2 1"$'\n' podman exec "$(first prometheus)" curl -sf "http://$1/metrics"; }
within 30 exporter redis-exporter:9121 redis_up
within 30 exporter nginx-exporter:9113 nginx_up
passed

check "a message goes from curl through nginx, API, Redis and three nodes to 300 clients"
dotnet src/PushLoad/bin/Release/net10.0/PushLoad.dll ws://127.0.0.1:7777/ws --publish http://127.0.0.1:7799 --connections 300 --rooms 10 --rate 50 --duration 300 \
    --allow-unconfirmed --allow-disconnects --json "$work/load.json" > "$work/load.log" 2>&1 &
load=$!
within 60 grep -q 's  run' "$work/load.log"
metric() { podman exec "$1" busybox wget -q -O - http://127.0.0.1:9464/metrics | awk -v name="$2" '$1 == name { print $2 }'; }
connections() { metric "$1" push_connections; }
for node in $(of push-node); do [[ $(connections "$node") -gt 0 ]]; done
answer=$(curl -sf -H 'Content-Type: application/json' -d '{"text":"hello"}' http://127.0.0.1:7799/v1/broadcast)
[[ $answer == '{"accepted":1,"nodes":3}' ]] || { echo "$answer" >&2; false; }
passed

check "a fourth node is found"
compose up --no-build --detach --no-recreate --scale push-node=4 push-node > "$work/scale.log" 2>&1 || { cat "$work/scale.log" >&2; false; }
newest=$(podman ps --all --quiet --filter name=redispush_push-node_4)
within 60 healthy "$newest"
come_to() {
    for _ in {1..10}; do
        curl -s --max-time 1 -o /dev/null -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' http://127.0.0.1:7777/ws || true
    done
    [[ $(metric "$1" push_connections_accepted_total) -gt 0 ]]
}
within 60 come_to "$newest"
passed

check "stopping a node drains it"
node=$(podman ps --all --quiet --filter name=redispush_push-node_1)
[[ $(podman inspect --format '{{.Config.StopTimeout}}' "$node") == 40 ]]
clients=$(connections "$node")
podman stop "$node" > /dev/null 2>&1
[[ $(podman inspect --format '{{.State.ExitCode}}' "$node") == 0 ]]
says '; 0 connections were cut' podman logs "$node"
passed

check "and none of its $clients clients was cut or missed a message"
all_back() { local sum=0 count; for node in $(podman ps --quiet --filter label=com.docker.compose.service=push-node); do count=$(connections "$node"); sum=$((sum + count)); done; (( sum >= 300 )); }
within 30 all_back
kill -TERM "$load"
wait "$load" || { tail -40 "$work/load.log" >&2; false; }
python3 - "$work/load.json" "$clients" << 'END'
import json, sys
result, clients = json.load(open(sys.argv[1])), int(sys.argv[2])
ends = result["total"]["disconnects"]
assert list(ends) == ["close 1001 with retry="] and sum(ends.values()) >= clients, ends
assert result["verdict"]["exitCode"] == "Passed" and result["sequences"]["lost"] == 0, result["verdict"]
END
passed

check "without an API nginx answers with a problem"
compose stop push-api > /dev/null 2>&1
problem() {
    curl -s -i -d 1 http://127.0.0.1:7799/v1/broadcast > "$work/problem"
    grep -q '^HTTP/1.1 502' "$work/problem" && grep -q '^Retry-After: 1' "$work/problem" && grep -q '^Content-Type: application/problem+json' "$work/problem" && grep -q '/problems/api-away' "$work/problem"
}
within 30 problem
passed

check "logs have a largest size"
for container in $(podman ps --quiet); do [[ $(podman inspect --format '{{.HostConfig.LogConfig.Size}}' "$container") == 10* ]]; done
passed

check "it all ends"
compose down --volumes > "$work/down.log" 2>&1 || { cat "$work/down.log" >&2; false; }
[[ -z $(podman ps --all --quiet) ]]
passed

echo "$checks" > "$work/passed"
