#!/bin/sh
# Makes a configuration directory for nginx out of this one, as the official image does it at its start: the files, and the templates with the PUSH_ variables put in.
#   nginx/render.sh DIRECTORY           clients over plain connections
#   nginx/render.sh --tls DIRECTORY     and over TLS
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

# The rest is the same in most places.
: "${PUSH_LISTEN:=7777}" "${PUSH_API_LISTEN:=127.0.0.1:7799}" "${PUSH_STATUS_LISTEN:=127.0.0.1:7780}" "${PUSH_CONNECTIONS_PER_ADDRESS:=1000}"
export PUSH_LISTEN PUSH_API_LISTEN PUSH_STATUS_LISTEN PUSH_CONNECTIONS_PER_ADDRESS
for name in $names; do
    eval "value=\${$name:-}"
    if [ -z "$value" ]; then
        echo "$name is not set; docs/operations.md has a table of what it accepts." >&2
        exit 2
    fi
done

mkdir -p "$1"
cp "$source/nginx.conf" "$source/clients.conf" "$source/publishers.conf" "$1"
for template in $templates; do
    # Everything else with a dollar is nginx's own.
    # shellcheck disable=SC2016,SC2086 # envsubst expands the names; they are a list of words
    envsubst "$(printf '${%s} ' $names)" < "$source/$template" > "$1/${template%.template}"
done
