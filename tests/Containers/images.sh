#!/usr/bin/env bash
# The first half of tests/containers.sh: base images, and the images of src/Dockerfile.
# shellcheck disable=SC2154 # work and dotnet_root come from tests/containers.sh and stand-ins.sh
set -euo pipefail

# shellcheck source=tests/Containers/stand-ins.sh
source tests/Containers/stand-ins.sh
echo "== base images"
make_stand_ins

case $(uname -m) in x86_64) architecture=amd64 ;; aarch64) architecture=arm64 ;; *) architecture=$(uname -m) ;; esac
for program in PushNode PushApi PushFarm; do
    echo "== image of $program"
    name=$(sed 's/\(.\)\([A-Z]\)/\1-\2/' <<< "$program" | tr '[:upper:]' '[:lower:]')
    # Packages come from this machine's cache, or from its package sources.
    buildah bud --isolation chroot --format docker --build-arg "PROGRAM=$program" --build-arg "TARGETARCH=$architecture" \
        --volume "$dotnet_root:$dotnet_root:ro" --volume "${NUGET_PACKAGES:-$HOME/.nuget/packages}:/packages:ro" \
        --volume /etc/ssl/certs:/etc/ssl/certs:ro --volume /etc/resolv.conf:/etc/resolv.conf:ro \
        -f src/Dockerfile -t "redispush/$name" . > "$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
done
