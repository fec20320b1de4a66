#!/usr/bin/env bash
# Measures this project, the kernel's floor and other servers on one machine over loopback. bench/run.sh --help; docs/performance.md
set -euo pipefail

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$bench")
artifacts=$repository/artifacts/bench
go_library=/usr/share/gocode
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

# shellcheck source=tests/packages.sh
source "$repository/tests/packages.sh"

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
    has go || echo golang-go
    # Centrifuge, and what it needs but its package does not name.
    local library package
    for library in centrifugal/centrifuge centrifugal/protocol FZambia/eagle igm/sockjs-go mna/redisc; do
        package=golang-github-${library//\//-}-dev
        [[ -d $go_library/src/github.com/$library ]] || echo "${package,,}"
    done
}

build() {
    mkdir -p "$artifacts"
    local program
    for program in floor client cputime; do
        cc -std=c11 -O2 -Wall -Wextra -o "$artifacts/$program" "$bench/$program"/*.c
    done
    local node=("$repository/src/PushNode" --configuration Release --output "$artifacts/PushNode" --verbosity quiet --disable-build-servers)
    # Precompiled, as docs/deployment.md recommends for a node, if the compiler's package is available.
    dotnet publish "${node[@]}" --use-current-runtime --self-contained false -p:PublishReadyToRun=true || {
        echo "The node cannot be precompiled here; its first handshakes will be slower." >&2
        dotnet publish "${node[@]}"
    }
    local project
    for project in "$repository/src/PushLoad" "$bench/peers/SignalR"; do
        dotnet publish "$project" --configuration Release --output "$artifacts/${project##*/}" --verbosity quiet --disable-build-servers
    done
    # From Debian's packages alone: no module is fetched.
    GO111MODULE=off GOPATH=$go_library go build -o "$artifacts/centrifuge" "$bench/peers/centrifuge/main.go"
    npm install --prefix "$bench/peers/node" --no-audit --no-fund --silent
}

if ! has dotnet; then
    echo "The .NET 10 SDK is missing: see https://dotnet.microsoft.com/download" >&2
    exit 1
fi
case " $* " in
    *" --help "* | *" -h "*) ;;
    *)
        install_missing "The bench needs"
        build
        ;;
esac

# Each connection needs a descriptor in the server and one in the client.
ulimit -n "$(ulimit -Hn)"
NCHAN_MODULE=$(nchan_module)
export NCHAN_MODULE
exec node "$bench/measure/main.mjs" "$@"
