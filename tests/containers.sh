#!/usr/bin/env bash
# Builds the images of src/Dockerfile, starts docker-compose.yml with three nodes, and checks them. It ends with one line:
#   containers: N checks passed            or            containers: FAILED
# Base images are stand-ins of the same names (tests/Containers/stand-ins.sh), so no registry is needed; Grafana is left out.
# Needs root on Debian, and at least five minutes. Everything that it creates is in one temporary directory, one network namespace and one
# process namespace, which end with it: other programs are unaffected, and no packet of a container leaves the machine.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"

# shellcheck source=tests/packages.sh
source tests/packages.sh

missing_packages() {
    for program in podman buildah runc docker-compose redis-server nginx prometheus prometheus-redis-exporter prometheus-nginx-exporter curl; do
        has "$program" || echo "$program"
    done
    has envsubst || echo gettext-base
    has redis-cli || echo redis-tools
    has iptables || echo iptables
    has ip || echo iproute2
    has dnsmasq || echo dnsmasq-base
    has python3 || echo python3
    [[ -e /usr/lib/podman/netavark ]] || echo netavark
    [[ -e /usr/lib/podman/aardvark-dns ]] || echo aardvark-dns
}

if [[ $(id -u) != 0 ]]; then
    echo "This script creates namespaces and needs root: sudo $0" >&2
    exit 1
fi
install_missing "The containers need"

work=$(mktemp -d)
export work TMPDIR=$work/tmp
mkdir "$TMPDIR"
verdict="containers: FAILED"
clean_up() {
    # Mounts, processes and firewall rules went with the namespaces.
    rm -rf "$work"
    find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} \; 2> /dev/null || true
    echo "$verdict"
}
trap clean_up EXIT

cat > "$work/containers.conf" << END
[containers]
default_ulimits = ["nofile=19000:19000", "nproc=10000:10000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "netavark"
network_config_dir = "$work/networks"
END
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/storage"\nrunroot = "%s/run"\n' "$work" "$work" > "$work/storage.conf"
printf 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n' > "$work/registries.conf"
export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_REGISTRIES_CONF=$work/registries.conf

dotnet build src/PushLoad --configuration Release --verbosity quiet --nologo --disable-build-servers
# The build has the network of this machine; the farm has none.
unshare --mount --pid --fork --kill-child --mount-proc bash tests/Containers/images.sh
unshare --net --mount --pid --fork --kill-child --mount-proc bash tests/Containers/farm.sh
verdict="containers: $(< "$work/passed") checks passed"
