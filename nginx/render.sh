#!/bin/sh
# Makes a configuration directory for nginx from this one: the files, and the templates with the PUSH_ variables inserted.
#   nginx/render.sh DIRECTORY           clients over plain connections
#   nginx/render.sh --tls DIRECTORY     clients over TLS too
# Then: nginx -c DIRECTORY/nginx.conf
set -eu

source=$(cd "$(dirname "$0")" && pwd)
templates=farm.conf.template
names="PUSH_RESOLVER PUSH_NODES PUSH_API PUSH_LISTEN PUSH_API_LISTEN PUSH_STATUS_LISTEN PUSH_CONNECTIONS_PER_ADDRESS"

if [ "${1:-}" = --tls ]; then
    shift
    templates="$templates farm-tls.conf.template"
    names="$names PUSH_TLS_LISTEN PUSH_TLS_CERTIFICATE PUSH_TLS_KEY"
fi
if [ $# != 1 ]; then
    echo "usage: nginx/render.sh [--tls] DIRECTORY" >&2
    exit 2
fi

# IPv6 only where this machine or container has an IPv6 address: nginx does not start if it cannot listen.
addresses=$(cat /proc/net/if_inet6 2> /dev/null || true)
any6='' loopback6=''
if [ -n "$addresses" ]; then any6=true; fi
case $addresses in *00000000000000000000000000000001*) loopback6=true ;; esac

# Defaults that suit most installations.
: "${PUSH_LISTEN:=7777${any6:+ [::]:7777}}" "${PUSH_TLS_LISTEN:=7443${any6:+ [::]:7443}}" "${PUSH_API_LISTEN:=127.0.0.1:7799${loopback6:+ [::1]:7799}}"
: "${PUSH_STATUS_LISTEN:=127.0.0.1:7780}" "${PUSH_CONNECTIONS_PER_ADDRESS:=1000}"
export PUSH_LISTEN PUSH_TLS_LISTEN PUSH_API_LISTEN PUSH_STATUS_LISTEN PUSH_CONNECTIONS_PER_ADDRESS
for name in $names; do
    eval "value=\${$name:-}"
    if [ -z "$value" ]; then
        echo "$name is not set; docs/deployment.md has a table of what it accepts." >&2
        exit 2
    fi
done

# A variable after `listen` may have several addresses: the line is repeated for each.
one_line_for_each_address() {
    awk '
        match($0, /listen \$\{PUSH_[A-Z_]*\}/) {
            name = substr($0, RSTART + 9, RLENGTH - 10)
            count = split(ENVIRON[name], address, " ")
            for (i = 1; i <= count; i++)
                print substr($0, 1, RSTART + 6) address[i] substr($0, RSTART + RLENGTH)
            next
        }
        { print }' "$1"
}

mkdir -p "$1"
cp "$source/nginx.conf" "$source/clients.conf" "$source/publishers.conf" "$1"
for template in $templates; do
    # All other names with a dollar sign are nginx's own.
    # shellcheck disable=SC2016,SC2086 # envsubst expands the names; they are a list of words
    one_line_for_each_address "$source/$template" | envsubst "$(printf '${%s} ' $names)" > "$1/${template%.template}"
done
