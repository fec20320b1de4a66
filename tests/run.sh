#!/usr/bin/env bash
# Installs the packages that the tests need and the machine lacks, builds in Release, runs every test, and ends with one line:
#   N passed, N failed            (", N skipped" is appended if tests were skipped)
# The exit code is 0 only when tests ran and all of them passed.
#   tests/run.sh --fast       installs nothing, and skips the tests that need a program from a package (redis-server, nginx, node, ...)
#   tests/run.sh --install    installs what the machine lacks, and ends
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

results=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$results"' EXIT

# shellcheck source=tests/packages.sh
source tests/packages.sh

# Each Debian package and its programs. A package counts as installed when one of them is there. --fast hides them all. A package without
# programs has a file instead, which --fast leaves alone.
programs="
redis-server               redis-server
redis-tools                redis-cli
nginx                      nginx
dnsmasq-base               dnsmasq
gettext-base               envsubst
docker-compose             docker-compose
prometheus                 promtool prometheus
prometheus-alertmanager    amtool prometheus-alertmanager
prometheus-redis-exporter  prometheus-redis-exporter
prometheus-nginx-exporter  prometheus-nginx-exporter
firefox-esr                firefox-esr
python3-websockets         /usr/lib/python3/dist-packages/websockets/__init__.py
python3-jwt                /usr/lib/python3/dist-packages/jwt/__init__.py
nodejs                     node
npm                        npm
curl                       curl
iproute2                   ip
iptables                   iptables
chromium                   chromium chromium-browser google-chrome
"

missing_packages() {
    local package names name
    while read -r package names; do
        for name in $names; do
            if has "$name" || [[ $name == /* && -e $name ]]; then continue 2; fi
        done
        echo "$package"
    done <<< "${programs:1:-1}"
}

# Replaces PATH by a directory of links to everything on it but those programs. A test that starts one without asking for it fails.
hide_programs() {
    local folder=$results/path names
    mkdir "$folder"
    tr : '\n' <<< "$PATH" | while read -r place; do
        find -L "$place" -maxdepth 1 -type f -executable -print0 2> /dev/null | xargs -0r ln -s -t "$folder" 2> /dev/null || true
    done
    read -ra names <<< "$(cut -s -d ' ' -f 2- <<< "$programs" | grep -v / | tr '\n' ' ')"
    (cd "$folder" && rm -f "${names[@]}")
    export PATH=$folder PUSH_TESTS_FAST=1
}

# The value of one attribute of the <Counters> element; 0 where there are no results.
counter() {
    local value
    value=$(sed -n "s/.*<Counters .*\b$2=\"\([0-9]*\)\".*/\1/p" "$1" 2>/dev/null || true)
    echo "${value:-0}"
}

if ! has dotnet; then
    echo "The .NET 10 SDK is missing: see https://dotnet.microsoft.com/download" >&2
    exit 1
fi
case ${1:-} in
    --fast) hide_programs ;;
    --install)
        install_missing "The tests need"
        exit
        ;;
    *) install_missing "The tests need" ;;
esac
# One compiler for all projects: each of its own would first compile itself and the analyzers, for four minutes of CPU. It ends with the build.
built=0
dotnet build RedisPush.sln --configuration Release --property:UseSharedCompilation=true --nodereuse:false || built=$?
dotnet build-server shutdown --vbcscompiler > "$results/compiler.log" 2>&1 || true
((built == 0)) || exit "$built"

# Runs one project's tests; prints their output when they have ended, so that the lines of two projects never mix.
run_project() {
    local name=$1 code=0
    dotnet test "tests/$name" --no-build --configuration Release --results-directory "$results" --logger "trx;LogFileName=$name.trx" \
        --blame-hang-timeout 10m --blame-hang-dump-type none > "$results/$name.log" 2>&1 || code=$?
    echo "$code" > "$results/$name.code"
    (
        flock 9
        printf '\n== %s\n' "$name"
        cat "$results/$name.log"
    ) 9> "$results/printing"
}

# The longest begin. Together the tests need 18 minutes of two cores, and more projects at a time would only starve each other: one for each core
# beside PushFarm.FunctionalTests, which runs four tests at a time, and then one more.
projects=(tests/*/*Tests.csproj)
projects=("${projects[@]%/*}")
projects=("${projects[@]#tests/}")
longest=(PushFarm.FunctionalTests Deployment.Tests Observability.Tests PushLoad.Tests JavaScriptClient.Tests PushNode.Tests)
mapfile -t projects < <(printf '%s\n' "${longest[@]}" "${projects[@]}" | awk '!seen[$0]++')
for name in "${projects[@]}"; do
    while (($(jobs -rp | wc -l) >= $(nproc) + $([[ -e $results/PushFarm.FunctionalTests.code ]] && echo 1 || echo 0))); do wait -n || true; done
    run_project "$name" &
done
wait

passed=0 failed=0 skipped=0
for name in "${projects[@]}"; do
    trx=$results/$name.trx
    ran=$(counter "$trx" executed)
    ran_well=$(counter "$trx" passed)
    passed=$((passed + ran_well))
    failed=$((failed + ran - ran_well))
    skipped=$((skipped + $(counter "$trx" total) - ran))
    code=$(cat "$results/$name.code" 2> /dev/null || echo unknown)
    if [[ $code != 0 && $ran == "$ran_well" ]]; then
        echo "$name ended with exit code $code without a failed test: it crashed or hung, and counts as one failure." >&2
        failed=$((failed + 1))
    fi
done

echo
summary="$passed passed, $failed failed"
if [[ ${1:-} == --fast ]]; then
    echo "$skipped tests were skipped, mostly for want of a program that --fast does without."
elif [[ $skipped != 0 ]]; then
    summary+=", $skipped skipped"
fi
echo "$summary"
[[ $failed == 0 && $passed != 0 ]]
