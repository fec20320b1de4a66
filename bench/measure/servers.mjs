import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FloorPublisher, HttpPublisher, RedisPublisher } from "./publishers.mjs";

/**
 * What is compared. Each entry:
 *   title       its name in the tables
 *   kind        "floor", "ours" or "peer"
 *   pushesOnly  whether it differs from another entry only in how frames reach the sockets, so that small messages would show nothing new
 *   merges      whether a frame carries all messages of a second, so that 1,000 messages a second are worth measuring
 *   isDotnet    whether its runtime recompiles hot methods, which for work done once a second takes half a minute
 *   path        where clients connect
 *   client      the client's options: texts to send and to await after the handshake until a connection has joined
 *   command     port, a second port -> { command, args, env, cwd } of the server
 *   ready       the same ports -> a URL that answers 200 when the server is ready; absent where a listening port is enough
 *   publisher   port, process -> the publisher to the room
 *   redis       whether published messages pass through Redis
 */
export function servers({ artifacts, bench, scratch, redisPort }) {
  const production = { NODE_ENV: "production", ASPNETCORE_ENVIRONMENT: "Production", Logging__LogLevel__Default: "Warning" };

  const floor = (title, ...mode) => ({
    title,
    kind: "floor",
    merges: true,
    path: "/",
    client: [],
    command: port => ({ command: join(artifacts, "floor"), args: [String(port), ...mode] }),
    publisher: (_, process) => new FloorPublisher(process),
  });

  const node = (title, settings) => ({
    title: `RedisPush, ${title}`,
    kind: "ours",
    merges: true,
    isDotnet: true,
    path: "/ws?room=bench",
    client: ["--await", '"JOINED"'],
    redis: true,
    command: (port, management) => ({
      command: join(artifacts, "PushNode/PushNode"),
      args: ["--urls", `http://127.0.0.1:${port}`, `--Management:Port=${management}`],
      cwd: join(artifacts, "PushNode"),
      env: {
        ...production,
        ConnectionStrings__Redis: `127.0.0.1:${redisPort}`,
        ...settings,
      },
    }),
    ready: (_, management) => `http://127.0.0.1:${management}/readyz`,
    publisher: () => new RedisPublisher(redisPort, "push:room:bench"),
  });

  const javaScript = (title, file, path, client) => ({
    title,
    kind: "peer",
    path,
    client,
    command: port => ({ command: process.execPath, args: [join(bench, "peers/node", file), String(port)], env: production }),
    publisher: port => new HttpPublisher(port, "/publish"),
  });

  return {
    floor: floor("floor: C, send(2)"),
    uring: { ...floor("floor: C, io_uring", "uring"), pushesOnly: true },
    iouring: node("Epoll, io_uring", { Push__Transport: "Epoll", Push__FanOut__Sends: "IoUring" }),
    epoll: { ...node("Epoll, send(2)", { Push__Transport: "Epoll", Push__FanOut__Sends: "Send" }), pushesOnly: true },
    stream: { ...node("Stream", { Push__Transport: "Stream" }), pushesOnly: true },
    signalr: {
      title: "SignalR",
      kind: "peer",
      isDotnet: true,
      path: "/hub",
      client: ["--say", '{"protocol":"json","version":1}\x1e', "--await", "{}\x1e"],
      command: port => ({
        command: join(artifacts, "SignalR/SignalR"),
        args: ["--urls", `http://127.0.0.1:${port}`],
        cwd: join(artifacts, "SignalR"),
        env: production,
      }),
      publisher: port => new HttpPublisher(port, "/publish"),
    },
    nchan: {
      title: "nchan",
      kind: "peer",
      path: "/subscribe",
      client: [],
      command: port => nginx(port, join(bench, "peers/nchan/nginx.conf"), scratch),
      publisher: port => new HttpPublisher(port, "/publish"),
    },
    centrifuge: {
      title: "Centrifuge",
      kind: "peer",
      path: "/connection/websocket",
      client: ["--say", '{"id":1,"params":{}}', "--await", '"id":1', "--say", '{"id":2,"method":1,"params":{"channel":"bench"}}', "--await", '"id":2'],
      command: port => ({ command: join(artifacts, "centrifuge"), args: [String(port)] }),
      publisher: port => new HttpPublisher(port, "/publish"),
    },
    ws: javaScript("ws", "ws.mjs", "/", []),
    socketio: javaScript("Socket.IO", "socketio.mjs", "/socket.io/?EIO=4&transport=websocket",
      ["--engine-io", "--await", '0{"sid"', "--say", "40", "--await", '40{"sid"']),
  };
}

/** nginx, with its own directory for everything that it writes. */
function nginx(port, template, scratch) {
  const cwd = mkdtempSync(join(scratch, "nginx-"));
  const file = join(cwd, "nginx.conf");
  const text = readFileSync(template, "utf8")
    .replace("load_module @MODULE@", `load_module ${process.env.NCHAN_MODULE}`)
    .replace("127.0.0.1:@PORT@", `127.0.0.1:${port}`);
  writeFileSync(file, text);
  return { command: "nginx", args: ["-p", cwd, "-c", file, "-e", "stderr"], cwd };
}
