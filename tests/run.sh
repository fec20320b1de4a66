#!/usr/bin/env bash
# Installs what the tests need and the machine lacks, builds in Release, runs every test, and ends with one line:
#   N passed, N failed            (", N skipped" behind it if any)
# The exit code is 0 only when tests ran and all of them passed.
#   tests/run.sh --install    installs what the machine lacks, and ends
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# shellcheck source=tests/packages.sh
source tests/packages.sh

missing_packages() {
    has redis-server || echo redis-server
    has redis-cli || echo redis-tools
    has nginx || echo nginx
    has dnsmasq || echo dnsmasq-base
    has envsubst || echo gettext-base
    has docker-compose || echo docker-compose
    has promtool || echo prometheus
    has amtool || echo prometheus-alertmanager
    has prometheus-redis-exporter || echo prometheus-redis-exporter
    has prometheus-nginx-exporter || echo prometheus-nginx-exporter
    has node || echo nodejs
    has npm || echo npm
    has curl || echo curl
    has chromium || has chromium-browser || has google-chrome || echo chromium
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
install_missing "The tests need"
if [[ ${1:-} == --install ]]; then exit; fi
dotnet build RedisPush.sln --configuration Release --disable-build-servers

# One project's tests; prints what they say once they have ended, so that two projects' lines never mix.
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

run_projects() {
    local name
    for name in "$@"; do run_project "$name"; done
}

# Most tests wait most of the time. So the longest project runs beside all others.
projects=(tests/*/*Tests.csproj)
projects=("${projects[@]%/*}")
projects=("${projects[@]#tests/}")
longest=PushFarm.FunctionalTests
others=()
for name in "${projects[@]}"; do
    if [[ $name != "$longest" ]]; then others+=("$name"); fi
done
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$results"' EXIT
run_projects "$longest" &
run_projects "${others[@]}" &
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
if [[ $skipped != 0 ]]; then summary+=", $skipped skipped"; fi
echo "$summary"
[[ $failed == 0 && $passed != 0 ]]
