#!/usr/bin/env python3
"""What a connection with a user costs: memory of a node and of Redis for connections without a token, of distinct users, and of one user.

    dotnet build src/PushNode -c Release && python3 bench/bound-connections.py [connections]

Needs redis-server. Everything is on loopback, on free ports, and ends with the script.
"""
import base64, hashlib, hmac, json, os, socket, subprocess, sys, tempfile, time

SECRET = b"a secret of the measurement, long enough"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(user):
    claims = {"sub": user, "exp": int(time.time()) + 3600, "join": ["*"]}
    signed = b64(b'{"alg":"HS256"}') + "." + b64(json.dumps(claims).encode())
    return signed + "." + b64(hmac.new(SECRET, signed.encode(), hashlib.sha256).digest())


def private_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))


def redis_info(port, name):
    with socket.create_connection(("127.0.0.1", port)) as redis:
        redis.sendall(b"INFO\r\n")
        data = b""
        while b"\r\nsearch_" not in data and b"# Keyspace" not in data:
            data += redis.recv(65536)
    return int(next(line for line in data.decode().split("\r\n") if line.startswith(name + ":")).split(":")[1])


def connect(port, user):
    query = f"?token={token(user)}" if user else ""
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall((f"GET /ws{query} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
    answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101"), answer
    return client


def wait(condition):
    deadline = time.time() + 120
    while not condition():
        assert time.time() < deadline, "still waiting after two minutes"
        time.sleep(0.2)


def ready(port):
    try:
        with socket.create_connection(("127.0.0.1", port)) as page:
            page.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return b" 200 " in page.recv(64)
    except OSError:
        return False


def measure(name, count, user_of):
    redis_port, port, management = free_port(), free_port(), free_port()
    redis = subprocess.Popen(["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""],
                             cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL)
    settings = {"ConnectionStrings__Redis": f"127.0.0.1:{redis_port}", "Management__Port": str(management), "Push__Auth__Mode": "Optional",
                "Push__Auth__Keys__0__Algorithm": "HS256", "Push__Auth__Keys__0__Secret": SECRET.decode(), "Push__Connections__CloseAfter": "02:00:00",
                "Push__Connections__PingAfter": "01:00:00"}
    node = subprocess.Popen(["dotnet", f"{ROOT}/src/PushNode/bin/Release/net10.0/PushNode.dll", "--urls", f"http://127.0.0.1:{port}"],
                            env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    clients = []
    try:
        wait(lambda: ready(management))
        # Compiles what handshakes need, and lets the node tidy up behind them.
        clients = [connect(port, user_of(i)) for i in range(1500)]
        time.sleep(20)
        before = private_kb(node.pid), redis_info(redis_port, "used_memory")
        clients += [connect(port, user_of(i)) for i in range(1500, 1500 + count)]
        time.sleep(20)
        after = private_kb(node.pid), redis_info(redis_port, "used_memory")
        print(f"{name}: {(after[0] - before[0]) * 1024 / count:.0f} bytes in the node, {(after[1] - before[1]) / count:.0f} in Redis, for each connection;"
              f" {redis_info(redis_port, 'pubsub_channels')} channels", flush=True)
    finally:
        for client in clients:
            client.close()
        for process in (node, redis):
            process.terminate()
            process.wait()


if __name__ == "__main__":
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    measure("no user", connections, lambda i: None)
    measure("one user for each connection", connections, lambda i: f"user-{i:08}")
    measure("four connections for each user", connections, lambda i: f"user-{i // 4:08}")
