# shellcheck shell=bash
# Installs the packages that a script needs. Sourced by scripts that define missing_packages, which prints the missing Debian packages.

has() { command -v "$1" >/dev/null 2>&1; }

# $1: the beginning of the sentence that names the packages
install_missing() {
    local missing
    missing=$(missing_packages | tr '\n' ' ')
    if [[ -z $missing ]]; then return; fi
    if ! has apt-get; then
        echo "$1 these Debian packages, or what your system calls them: $missing. Install them and start again." >&2
        exit 1
    fi
    if [[ $(id -u) != 0 ]]; then
        echo "$1 packages that are not installed. Run: sudo apt-get update && sudo apt-get install --no-install-recommends $missing" >&2
        exit 1
    fi
    echo "Installing $missing"
    (
        # The scripts start servers of their own: the packages must not start theirs.
        policy=/usr/sbin/policy-rc.d
        if [[ ! -e $policy ]]; then
            trap 'rm -f "$policy"' EXIT
            printf '#!/bin/sh\nexit 101\n' > "$policy"
            chmod +x "$policy"
        fi
        apt-get update -qq
        # shellcheck disable=SC2086 # a list of words
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    )
    missing=$(missing_packages | tr '\n' ' ')
    if [[ -n $missing ]]; then
        echo "Still missing after the installation: $missing" >&2
        exit 1
    fi
}
