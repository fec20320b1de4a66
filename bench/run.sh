#!/usr/bin/env bash
# Measures this project beside the kernel's floor and other servers on one machine, loopback only. bench/run.sh --help; docs/performance.md
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$bench")
artifacts=$repository/artifacts/bench
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

policy=/usr/sbin/policy-rc.d
wrote_policy=
remove_policy() {
    if [[ -n $wrote_policy ]]; then rm -f "$policy"; fi
    wrote_policy=
}
trap remove_policy EXIT

has() { command -v "$1" >/dev/null 2>&1; }

nchan_module() {
    local file
    for file in /usr/lib/nginx/modules/ngx_nchan_module.so /usr/lib*/nginx/modules/ngx_nchan_module.so; do
        if [[ -e $file ]]; then
            echo "$file"
            return
        fi
    done
}

missing_packages() {
    has cc || echo gcc libc6-dev linux-libc-dev
    has redis-server || echo redis-server
    has node || echo nodejs
    has npm || echo npm
    has setpriv || echo util-linux
    has nginx || echo nginx
    [[ -n $(nchan_module) ]] || echo libnginx-mod-nchan
}

install_missing() {
    local missing
    missing=$(missing_packages | tr '\n' ' ')
    if [[ -z $missing ]]; then return; fi
    if ! has apt-get || [[ $(id -u) != 0 ]]; then
        echo "The bench needs packages that are not installed. Run as root: apt-get update && apt-get install --no-install-recommends $missing" >&2
        exit 1
    fi
    # The bench starts its own servers; the machine need not run any for having been measured.
    if [[ ! -e $policy ]]; then
        wrote_policy=yes
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod +x "$policy"
    fi
    echo "Installing $missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    remove_policy
}

build() {
    mkdir -p "$artifacts"
    local program
    for program in floor client cputime; do
        cc -std=c11 -O2 -Wall -Wextra -o "$artifacts/$program" "$bench/$program"/*.c
    done
    dotnet publish "$repository/src/PushNode" --configuration Release --output "$artifacts/PushNode" --verbosity quiet --disable-build-servers
    dotnet publish "$bench/peers/SignalR" --configuration Release --output "$artifacts/SignalR" --verbosity quiet --disable-build-servers
    npm install --prefix "$bench/peers/node" --no-audit --no-fund --silent
}

if ! has dotnet; then
    echo "The .NET 10 SDK is missing: see https://dotnet.microsoft.com/download" >&2
    exit 1
fi
case " $* " in
    *" --help "* | *" -h "*) ;;
    *)
        install_missing
        build
        ;;
esac

# A connection is a descriptor, in the server and in the client.
ulimit -n "$(ulimit -Hn)"
NCHAN_MODULE=$(nchan_module)
export NCHAN_MODULE
exec node "$bench/measure/main.mjs" "$@"
