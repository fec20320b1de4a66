#!/bin/sh
# Runs a command in a network of its own, as root: bench/million/network.sh COMMAND...
# Its table of connections has room for two million: a machine's is made for fewer, and each packet would look through a list. Congestion control is
# the same everywhere, and no connection tracking or firewall is passed. A network's table is sized by the one that makes it, hence two.
outer='echo 4194304 > /proc/sys/net/ipv4/tcp_child_ehash_entries && exec unshare --net sh -c "$0" sh "$@"'
inner='ip link set lo up && echo reno > /proc/sys/net/ipv4/tcp_congestion_control && exec "$@"'
exec unshare --net sh -c "$outer" "$inner" "$@"
