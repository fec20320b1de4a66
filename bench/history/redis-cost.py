#!/usr/bin/env python3
"""What a room's history costs Redis: python3 bench/history/redis-cost.py [--rounds N] [--seconds N] [--rate N] [--bytes N]

Sends one room's messages to a redis-server of its own, at a fixed rate, with three subscribers: by PUBLISH of envelopes as without history, and by
push_append as with it, each message alone, each with an Idempotency-Key, and 50 in an envelope. The ways take turns; a round without messages tells
what the server costs anyway, which is subtracted. Prints the CPU of the server's process for a message, the median of the rounds, and the ratio.

Wants a quiet machine: it looks at the load first. Loopback, free ports and a directory of its own; ends by itself after rounds x ways x seconds.
"""
import argparse
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
CHANNEL = b"push:room:demo"
KEYS = [b"push:h:demo", b"push:s:demo", b"push:life"]
GROUP = 50

# As PushBackplane/Redis/OnceScript.cs sends it for rooms without history.
ONCE = b"""local was = redis.pcall('MGET', KEYS[1], KEYS[2])
if was.err then return was end
if was[1] and was[1] ~= ARGV[2] then return redis.status_reply('reused') end
if was[2] then return redis.status_reply('replayed ' .. was[2]) end
local kept = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
if kept.err then return kept end
local nodes = redis.pcall('PUBLISH', ARGV[1], ARGV[3])
if type(nodes) == 'table' then return nodes end
redis.call('SET', KEYS[2], nodes, 'PX', ARGV[4])
return redis.status_reply('first ' .. nodes)
"""


class Redis:
    """A server of our own; stopped by close."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="redispush-history-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.directory],
            stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def cpu(self):
        """Seconds of CPU of the process, all threads."""
        with open(f"/proc/{self.process.pid}/schedstat", encoding="ascii") as file:
            main = int(file.read().split()[0])
        return main / 1e9

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb")

    def call(self, *words):
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        line = self.replies.readline().rstrip(b"\r\n")
        if line[:1] == b"-":
            raise RuntimeError(line.decode())
        return self.replies.read(int(line[1:]) + 2)[:-2] if line[:1] == b"$" else line


def subscribe(port):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"SUBSCRIBE " + CHANNEL + b"\r\n")

    def drain():
        while connection.recv(1 << 20):
            pass

    threading.Thread(target=drain, daemon=True).start()


def binary(value):
    return (b"\xc4" + bytes([len(value)]) if len(value) < 256 else b"\xc5" + len(value).to_bytes(2, "big")) + value


def body(count, size):
    items = b"".join(binary(b'"' + b"x" * (size - 2) + b'"') for _ in range(count))
    return b"\xcf" + (time.time_ns() // 1000).to_bytes(8, "big") + b"\xdc" + count.to_bytes(2, "big") + items


def number(value):
    return str(value).encode()


def ways(redis, size):
    """Each way's name, messages of one call, and the call."""
    serial = iter(range(1 << 60))

    def publish(count):
        return redis.call(b"PUBLISH", CHANNEL, b"\xc1\x01\x92" + body(count, size))

    def publish_once():
        key = number(next(serial)).rjust(36, b"k")
        return redis.call(b"EVAL", ONCE, b"2", b"push:k:/" + key, b"push:k:room:demo/" + key, CHANNEL, b"f" * 16, b"\xc1\x01\x92" + body(1, size), b"120000")

    def append(count):
        return redis.call(b"FCALL", b"push_append", b"3", *KEYS, CHANNEL, number(count), body(count, size), b"1000", b"300000")

    def append_once():
        key = number(next(serial)).rjust(36, b"k")
        return redis.call(b"FCALL", b"push_append", b"5", *KEYS, b"push:k:/" + key, b"push:k:room:demo/" + key,
                          CHANNEL, b"1", body(1, size), b"1000", b"300000", b"f" * 16, b"120000")

    return {
        "nothing": (1, lambda: None),
        "alone, without": (1, lambda: publish(1)),
        "alone, with": (1, lambda: append(1)),
        "alone and a key, without": (1, publish_once),
        "alone and a key, with": (1, append_once),
        f"{GROUP} in an envelope, without": (GROUP, lambda: publish(GROUP)),
        f"{GROUP} in an envelope, with": (GROUP, lambda: append(GROUP)),
    }


def run(server, way, rate, seconds):
    """Sends at the rate; returns microseconds of CPU for a message (for "nothing" too, as if there had been some)."""
    count, call = way
    calls = max(1, round(rate * seconds / count))
    began, cpu = time.monotonic(), server.cpu()
    for i in range(calls):
        late = began + i * count / rate - time.monotonic()
        if late > 0:
            time.sleep(late)
        call()
    return (server.cpu() - cpu) * 1e6 / (calls * count)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=int, default=1000, help="messages a second")
    parser.add_argument("--bytes", type=int, default=112, help="of each message")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"The load is {load:.1f}: the machine is not quiet, so the figures count for little.")

    server = Redis()
    try:
        redis = Connection(server.port)
        with open(os.path.join(ROOT, "src/PushBackplane/History/push.lua"), "rb") as file:
            redis.call(b"FUNCTION", b"LOAD", b"REPLACE", file.read())
        for _ in range(3):
            subscribe(server.port)
        all_ways = ways(redis, options.bytes)
        for way in all_ways.values():
            run(server, way, options.rate, 0.5)
        costs = {name: [] for name in all_ways}
        for _ in range(options.rounds):
            for name, way in all_ways.items():
                costs[name].append(run(server, way, options.rate, options.seconds))
    finally:
        server.close()

    idle = statistics.median(costs.pop("nothing"))
    print(f"{options.rounds} rounds of {options.seconds:g} s, {options.rate} messages of {options.bytes} bytes a second, three subscribers; idle {idle:.2f} subtracted")
    for name in costs:
        if not name.endswith(", with"):
            continue
        what = name.removesuffix(", with")
        before, after = (statistics.median(costs[f"{what}, {kind}"]) - idle for kind in ("without", "with"))
        print(f"{what:>24}: {before:6.2f} -> {after:6.2f} us of CPU for a message, {after / before:.2f} x")


if __name__ == "__main__":
    main()
