# shellcheck shell=bash
# Base images for a machine without a registry. They have the names in src/Dockerfile and docker-compose.yml and this machine's SDK and programs.
# They test the repository's files, not the vendors' images. Sourced by images.sh; $work is a temporary directory.

dotnet_root=$(dirname "$(readlink -f "$(command -v dotnet)")")

# $1: a root directory; the rest: programs of this machine, which are copied with the libraries that they load
add_programs() {
    local root=$1 program
    shift
    mkdir -p "$root/usr/bin"
    for program in "$@"; do
        program=$(command -v "$program")
        cp --dereference "$program" "$root/usr/bin/"
        add_libraries_of "$root" "$program"
    done
}

# $1: a root directory; the rest: programs or libraries
add_libraries_of() {
    local root=$1 library
    shift
    for library in $(ldd "$@" 2> /dev/null | sed -n 's,^[^/]*\(/[^ ]*\) (0x.*,\1,p' | sort -u); do add_file "$root" "$library"; done
}

# $1: a root directory; the rest: names of libraries that are loaded without being linked
add_libraries() {
    local root=$1 name file
    shift
    for name in "$@"; do
        file=$(ldconfig -p | awk -v name="$name" '$1 == name && !found++ { print $NF }')
        if [[ -n $file ]]; then add_file "$root" "$file"; fi
    done
}

# $1: a root directory; $2: a file of this machine, which is copied to the same path
add_file() {
    if [[ -e $1$2 ]]; then return; fi
    mkdir -p "$1$(dirname "$2")"
    cp --dereference "$2" "$1$2"
}

# $1: a root directory
add_libraries_of_dotnet() {
    # shellcheck disable=SC2046 # a list of paths
    add_libraries_of "$1" "$dotnet_root/dotnet" $(find "$dotnet_root/shared" "$dotnet_root/host" -name '*.so')
    add_libraries "$1" libssl.so.3 libcrypto.so.3
}

# $1: a root directory; $2: the name of a user, $3 the user id, $4 the group id
add_user() {
    mkdir -p "$1/etc" "$1/tmp"
    chmod 1777 "$1/tmp"
    printf 'root:x:0:0::/root:/bin/sh\n%s:x:%s:%s::/tmp:/bin/sh\n' "$2" "$3" "$4" > "$1/etc/passwd"
    printf 'root:x:0:\n%s:x:%s:\n' "$2" "$4" > "$1/etc/group"
    printf 'hosts: files dns\n' > "$1/etc/nsswitch.conf"
    # Libraries that name resolution loads.
    add_libraries "$1" libnss_files.so.2 libnss_dns.so.2 libresolv.so.2
}

# busybox: a shell and the tools that vendors' images have. It is unpacked, not installed, because it would replace the machine's own.
add_busybox() {
    mkdir -p "$1/bin" "$1/usr/bin"
    cp "$work/busybox/bin/busybox" "$1/bin/busybox"
    local applet
    for applet in $("$1/bin/busybox" --list); do
        if [[ ! -e $1/bin/$applet && ! -e $1/usr/bin/$applet ]]; then ln -s busybox "$1/bin/$applet"; fi
    done
}

get_busybox() {
    mkdir -p "$work/busybox"
    (cd "$work/busybox" && apt-get download -qq busybox-static > /dev/null 2>&1 && dpkg -x busybox-static_*.deb .)
}

# $1: the image's name; $2: its root directory; standard input: the rest of its Dockerfile
make_image() {
    { printf 'FROM scratch\nCOPY . /\nENV PATH=/usr/bin:/bin\n'; cat; } > "$2.Dockerfile"
    buildah bud --quiet --isolation chroot --format docker -f "$2.Dockerfile" -t "$1" "$2" > /dev/null
    rm -rf "$2"
}

make_stand_ins() {
    local root=$work/root
    get_busybox

    # The SDK itself is mounted during builds. The image has what runs it, and this machine's package sources and cache.
    add_user "$root" app 1654 1654
    add_programs "$root" bash
    add_libraries_of_dotnet "$root"
    add_busybox "$root"
    ln -s "$dotnet_root/dotnet" "$root/usr/bin/dotnet"
    mkdir -p "$root/root/.nuget/NuGet"
    sed 's,</configuration>,<fallbackPackageFolders><add key="machine" value="/packages" /></fallbackPackageFolders></configuration>,' \
        ~/.nuget/NuGet/NuGet.Config > "$root/root/.nuget/NuGet/NuGet.Config"
    make_image mcr.microsoft.com/dotnet/sdk:10.0 "$root" <<< "ENV DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1"

    add_user "$root" app 1654 1654
    add_libraries_of_dotnet "$root"
    mkdir -p "$root/usr/share/dotnet"
    cp -r "$dotnet_root/host" "$dotnet_root/shared" "$dotnet_root/dotnet" "$root/usr/share/dotnet/"
    # As in the vendor's image; the Dockerfile unsets the second.
    make_image mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled "$root" <<< "ENV APP_UID=1654 ASPNETCORE_HTTP_PORTS=8080 DOTNET_ROOT=/usr/share/dotnet DOTNET_RUNNING_IN_CONTAINER=true"

    mkdir -p "$root/bin"
    cp "$work/busybox/bin/busybox" "$root/bin/busybox"
    make_image docker.io/library/busybox:1.37-musl "$root" < /dev/null

    add_user "$root" redis 999 1000
    add_programs "$root" redis-server redis-cli
    add_busybox "$root"
    mkdir "$root/data"
    make_image docker.io/library/redis:7.4-alpine "$root" <<< "WORKDIR /data"

    add_user "$root" nginx 101 101
    add_programs "$root" nginx envsubst
    add_busybox "$root"
    # Debian's nginx opens its default log before it has read its configuration.
    mkdir -p "$root/var/log/nginx" "$root/var/lib/nginx"
    make_image docker.io/library/nginx:1.28-alpine "$root" <<< "STOPSIGNAL SIGQUIT"

    add_user "$root" nobody 65534 65534
    # bash and curl are for tests/Containers/farm.sh: busybox, which is static, cannot look names up.
    add_programs "$root" prometheus promtool bash curl
    add_busybox "$root"
    mkdir -p "$root/prometheus" "$root/etc/prometheus"
    make_image docker.io/prom/prometheus:v3.5.0 "$root" << 'END'
RUN ["/bin/busybox", "chown", "65534:65534", "/prometheus"]
USER nobody
VOLUME /prometheus
WORKDIR /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
END

    add_user "$root" exporter 59000 59000
    add_programs "$root" prometheus-redis-exporter
    make_image docker.io/oliver006/redis_exporter:v1.62.0 "$root" << 'END'
USER 59000:59000
ENTRYPOINT ["/usr/bin/prometheus-redis-exporter"]
END

    add_user "$root" exporter 59000 59000
    add_programs "$root" prometheus-nginx-exporter
    make_image docker.io/nginx/nginx-prometheus-exporter:1.4.2 "$root" << 'END'
USER 59000:59000
ENTRYPOINT ["/usr/bin/prometheus-nginx-exporter"]
END
}
