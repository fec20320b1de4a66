#!/usr/bin/env bash
# Installs what the tests need and the machine lacks, builds in Release, runs every test, and ends with one line:
#   N passed, N failed            (", N skipped" behind it if any)
# The exit code is 0 only when tests ran and all of them passed.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

results=$(mktemp -d)
policy=/usr/sbin/policy-rc.d
wrote_policy=
clean_up() {
    rm -rf "$results"
    if [[ -n $wrote_policy ]]; then rm -f "$policy"; fi
}
trap clean_up EXIT

has() { command -v "$1" >/dev/null 2>&1; }

missing_packages() {
    has redis-server || echo redis-server
    has redis-cli || echo redis-tools
    has promtool || echo prometheus
    has node || echo nodejs
    has npm || echo npm
    has curl || echo curl
    has chromium || has chromium-browser || has google-chrome || echo chromium
}

install_missing() {
    local missing
    missing=$(missing_packages | tr '\n' ' ')
    if [[ -z $missing ]]; then return; fi
    if ! has apt-get; then
        echo "The tests need these Debian packages, or what your system calls them: $missing. Install them and start again." >&2
        exit 1
    fi
    if [[ $(id -u) != 0 ]]; then
        echo "The tests need packages that are not installed. Run: sudo apt-get update && sudo apt-get install --no-install-recommends $missing" >&2
        exit 1
    fi
    # The tests start their own redis-server; a machine need not run one, nor a Prometheus, for having run them.
    if [[ ! -e $policy ]]; then
        wrote_policy=yes
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod +x "$policy"
    fi
    echo "Installing $missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    missing=$(missing_packages | tr '\n' ' ')
    if [[ -n $missing ]]; then
        echo "Still missing after the installation: $missing" >&2
        exit 1
    fi
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
install_missing
dotnet build RedisPush.sln --configuration Release --disable-build-servers

passed=0 failed=0 skipped=0
for project in tests/*/*Tests.csproj; do
    name=$(basename "$project" .csproj)
    echo
    echo "== $name"
    code=0
    dotnet test "$project" --no-build --configuration Release --results-directory "$results" --logger "trx;LogFileName=$name.trx" \
        --blame-hang-timeout 10m --blame-hang-dump-type none || code=$?

    trx=$results/$name.trx
    ran=$(counter "$trx" executed)
    ran_well=$(counter "$trx" passed)
    passed=$((passed + ran_well))
    failed=$((failed + ran - ran_well))
    skipped=$((skipped + $(counter "$trx" total) - ran))
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
