import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { ChildProcess, answers200, freePort, killAll, listens, until } from "../measure/processes.mjs";

const bench = dirname(dirname(fileURLToPath(import.meta.url)));
const repository = dirname(bench);
const artifacts = join(repository, "artifacts/bench");
const production = { NODE_ENV: "production", ASPNETCORE_ENVIRONMENT: "Production", Logging__LogLevel__Default: "Warning" };

const deflate = ["--header", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"];
const packed = ["--header", "Sec-WebSocket-Protocol: push.msgpack"];

const node = (path, room, client) => ({ title: "RedisPush", server: "node", path: `${path}?room=${room}`, client });

/** What can be measured beside each other: a server with clients of one kind, in a room with the lane's name. */
export const lanes = {
  json: node("/ws", "json", ["--await", '"JOINED"']),
  json_deflate: node("/ws", "json_deflate", [...deflate, "--await", '"JOINED"']),
  message_pack: node("/ws", "message_pack", [...packed, "--await", "JOINED"]),
  message_pack_deflate: node("/ws", "message_pack_deflate", [...packed, ...deflate, "--await", "JOINED"]),
  sse: node("/sse", "sse", ["--http", "--await", "event: joined"]),
  stream: node("/stream", "stream", ["--http", "--await", '"JOINED"']),
  // The kernel's part: a C program that sends the same number of bytes.
  floor: { title: "floor: C, send(2)", server: "floor", path: "/", client: [] },
  floor_deflate: { title: "floor: C, send(2), as many bytes as deflated", server: "floor", deflates: true, path: "/", client: [] },
  ws: { title: "ws", server: "ws", path: "/", client: [] },
  ws_deflate: { title: "ws, its own perMessageDeflate", server: "ws", deflates: true, path: "/", client: deflate },
  nchan: { title: "nchan", server: "nchan", path: "/subscribe", client: [] },
  nchan_deflate: { title: "nchan, deflated at publish", server: "nchan", deflates: true, path: "/subscribe", client: deflate },
};

function build() {
  mkdirSync(artifacts, { recursive: true });
  for (const program of ["client", "cputime", "floor"])
    execFileSync("sh", ["-c", `cc -std=c11 -O2 -o "$1" "$2"/*.c`, "sh", join(artifacts, program), join(bench, program)]);
}

const pushNode = join(repository, "src/PushNode/bin/Release/net10.0/PushNode.dll");

/** A server of a lane. */
export class Server {
  #agent = new Agent({ keepAlive: true });
  #deflates;

  /** What publishes to it: Redis for the node, a POST for the others. */
  static async start(lane, { redisPort, scratch }) {
    const server = new Server();
    server.kind = lane.server;
    server.#deflates = lane.deflates;
    server.port = await freePort();
    server.management = await freePort();
    server.process = start[lane.server](server, lane, { redisPort, scratch });
    const late = () => `${lane.title} did not start: ${server.process.lastWords}`;
    await until(async () => {
      if (server.process.hasEnded) throw new Error(late());
      return lane.server === "node" ? await answers200(`http://127.0.0.1:${server.management}/readyz`) : await listens(server.port);
    }, 60, late);
    return server;
  }

  /** Publishes a batch as one message to a server without Redis. */
  post(chats) {
    if (this.kind === "floor") {
      const json = Buffer.from(`{"type":"PUSH","data":{"room":"floor","items":[${chats}]}}`);
      this.process.write(`push 1 ${this.#deflates ? deflateRawSync(json).length : json.length}`);
      return;
    }

    const body = `[${chats}]`;
    const post = request({ agent: this.#agent, host: "127.0.0.1", port: this.port, path: "/publish", method: "POST",
      headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) } }, response => response.resume());
    post.on("error", () => {}); // shows as messages that do not arrive
    post.end(body);
  }

  /** A metric's values by the value of its label `variant`. */
  async metric(name) {
    const text = await (await fetch(`http://127.0.0.1:${this.management}/metrics`)).text();
    const line = new RegExp(`^${name}\\{[^}]*variant="([a-z_]+)"[^}]*\\} (\\S+)$`, "gm");
    return Object.fromEntries([...text.matchAll(line)].map(([, variant, value]) => [variant, Number(value)]));
  }

  async stop() {
    this.#agent.destroy();
    await this.process.stop();
  }
}

const start = {
  floor: server => new ChildProcess(join(artifacts, "floor"), [String(server.port)]),
  node: (server, _, { redisPort }) => {
    if (!existsSync(pushNode)) throw new Error("Build the node first: dotnet build src/PushNode -c Release");
    return new ChildProcess("dotnet", [pushNode, "--urls", `http://127.0.0.1:${server.port}`, `--Management:Port=${server.management}`,
      `--ConnectionStrings:Redis=127.0.0.1:${redisPort}`], { env: production });
  },
  ws: (server, { deflates }) => {
    const script = join(bench, "peers/node/ws.mjs");
    return new ChildProcess(process.execPath, [script, String(server.port), ...deflates ? ["deflate"] : []], { env: production });
  },
  nchan: (server, { deflates }, { scratch }) => {
    const module = ["/usr/lib/nginx/modules/ngx_nchan_module.so", "/usr/lib64/nginx/modules/ngx_nchan_module.so"].find(existsSync);
    if (!module) throw new Error("nchan is missing: apt-get install libnginx-mod-nchan");
    const cwd = mkdtempSync(join(scratch, "nginx-"));
    const text = readFileSync(join(bench, "peers/nchan/nginx.conf"), "utf8").replace("load_module @MODULE@", `load_module ${module}`)
      .replace("127.0.0.1:@PORT@", `127.0.0.1:${server.port}`)
      .replace(deflates ? "# @DEFLATE@" : "no such line", "nchan_deflate_message_for_websocket on;");
    writeFileSync(join(cwd, "nginx.conf"), text);
    return new ChildProcess("nginx", ["-p", cwd, "-c", join(cwd, "nginx.conf"), "-e", "stderr"], { cwd });
  },
};

/** Connections of one kind to a server: bench/client, asked one question at a time. */
export class Clients {
  #process;

  static async connect(server, lane, count) {
    const clients = new Clients();
    clients.count = count;
    clients.#process = new ChildProcess(join(artifacts, "client"), [server.port, lane.path, count, ...lane.client].map(String));
    await clients.#process.readLine();
    return clients;
  }

  /** Frames and bytes that arrived so far, and closed connections. */
  async counts() {
    this.#process.write("stat");
    return JSON.parse(await this.#process.readLine());
  }

  stop() {
    return this.#process.stop();
  }
}

/** Publishes batches to a node's room, each message by itself, all in one write. */
export class RoomPublisher {
  #socket;

  constructor(redisPort) {
    this.#socket = connect(redisPort, "127.0.0.1").setNoDelay(true);
    this.#socket.on("error", () => {}); // shows as messages that do not arrive
    this.#socket.resume();
  }

  publish(room, chats) {
    const channel = `push:room:${room}`;
    const head = `*3\r\n$7\r\nPUBLISH\r\n$${channel.length}\r\n${channel}\r\n`;
    this.#socket.write(chats.map(chat => `${head}$${Buffer.byteLength(chat)}\r\n${chat}\r\n`).join(""));
  }

  close() {
    this.#socket.destroy();
  }
}

/**
 * Compiles the bench's programs and starts a Redis that keeps nothing. All processes and the scratch folder end with this one.
 * @returns What a lane's server needs, and a publisher to Redis.
 */
export async function prepare() {
  const scratch = mkdtempSync(join(tmpdir(), "encodings-"));
  process.on("exit", () => {
    killAll();
    rmSync(scratch, { recursive: true, force: true });
  });
  for (const signal of ["SIGINT", "SIGTERM"])
    process.on(signal, () => process.exit(1));
  build();
  const redisPort = await freePort();
  const redis = new ChildProcess("redis-server", ["--port", String(redisPort), "--bind", "127.0.0.1", "--save", ""]);
  await until(() => listens(redisPort), 10, () => `Redis did not start: ${redis.lastWords}`);
  return { needs: { redisPort, scratch }, publisher: new RoomPublisher(redisPort) };
}
