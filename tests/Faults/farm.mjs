import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ChildProcess, answers200, freePorts, killAll, stopAll, until } from "../../bench/measure/processes.mjs";

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const name = "push-node.test";

export const program = project => join(repository, "src", project, "bin/Release/net10.0", `${project}.dll`);

/** A farm whose parts can be killed, paused and started again, each at the address that it had. Lives in a directory of its own. */
export class Farm {
  #parts = new Map();
  #ports = {};
  #directory = mkdtempSync(join(tmpdir(), "redispush-faults-"));
  #certificate;

  get clients() { return `ws://127.0.0.1:${this.#ports.clients}/ws`; }

  get publishers() { return `http://127.0.0.1:${this.#ports.publishers}`; }

  get nodes() { return [2, 3, 4].map(last => `127.0.0.${last}`); }

  /** For clients without nginx. */
  get direct() { return this.nodes.map(address => `ws://${address}:${this.#ports.node}/ws`); }

  get api() { return `http://127.0.0.1:${this.#ports.api}`; }

  get directory() { return this.#directory; }

  /** For clients with TLS, if the farm started with it. */
  get tlsClients() { return `https://127.0.0.1:${this.#ports.tls}`; }

  /**
   * Starts Redis, nodes, API, their name and nginx, and waits until all are ready.
   * @param nodes Those that start now; the others have their addresses, and can be started later.
   * @param tls Whether nginx also serves clients over TLS.
   */
  async start({ nodes = this.nodes, tls = false } = {}) {
    const parts = ["redis", "api", "apiManagement", "node", "names", "clients", "tls", "publishers", "status", ...this.nodes];
    this.#ports = Object.fromEntries((await freePorts(parts.length)).map((port, i) => [parts[i], port]));
    await this.startPart("redis");
    await Promise.all(["api", ...nodes].map(part => this.startPart(part)));
    writeFileSync(join(this.#directory, "hosts"), this.nodes.map(address => `${address} ${name}\n`).join(""));
    this.#parts.set("names", new ChildProcess("dnsmasq", [
      "--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--pid-file=", `--user=${execFileSync("id", ["-un"], { encoding: "utf8" }).trim()}`,
      "--no-resolv", "--no-hosts", `--addn-hosts=${join(this.#directory, "hosts")}`, `--port=${this.#ports.names}`, "--listen-address=127.0.0.1", "--bind-interfaces",
    ]));
    if (tls) this.#makeCertificate();
    this.#renderNginx();
    await this.startPart("nginx");
  }

  /** Starts a part that does not run, and waits until it is ready: a node's address, redis, api or nginx. */
  async startPart(part) {
    const child = part === "redis" ? this.#redis() : part === "nginx" ? this.#nginx() : this.#program(part);
    this.#parts.set(part, child);
    await until(() => child.hasEnded || this.#isReady(part), 60, () => `${part} is not ready: ${child.lastWords}`);
    if (child.hasEnded) throw new Error(`${part} ended: ${child.lastWords}`);
  }

  async kill(part) {
    const child = this.#parts.get(part);
    child.kill();
    await child.ended;
  }

  /** Ends a part with SIGTERM, as a deployment does. */
  async terminate(part) {
    const child = this.#parts.get(part);
    process.kill(child.pid, "SIGTERM");
    await child.ended;
  }

  pause(part) { process.kill(this.#parts.get(part).pid, "SIGSTOP"); }

  resume(part) { process.kill(this.#parts.get(part).pid, "SIGCONT"); }

  /** What redis-cli prints. */
  redis(...command) {
    return execFileSync("redis-cli", ["-p", `${this.#ports.redis}`, ...command], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  }

  /** How often the histories' functions were called to read: all calls but the appends, each of which is an entry of a stream. */
  reads(rooms) {
    const calls = [...this.redis("INFO", "commandstats").matchAll(/cmdstat_fcall(?:_ro)?:calls=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    const appends = rooms.reduce((sum, room) => sum + Number(/entries-added\n(\d+)/.exec(this.redis("XINFO", "STREAM", `push:s:${room}`))[1]), 0);
    return calls - appends;
  }

  /** User and system time of a part and its children so far, in seconds. */
  cpuSeconds(part) { return this.#parts.get(part).cpuSeconds(); }

  /** How many clients a node has. */
  async connections(node) {
    const metrics = await (await fetch(`http://127.0.0.1:${this.#ports[node]}/metrics`)).text();
    return Number(/^push_connections(?:\{[^}]*\})? (\d+)/m.exec(metrics)[1]);
  }

  async stop() {
    await stopAll();
    this.clear();
  }

  /** Ends everything at once; for the end of this process. */
  clear() {
    killAll();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #redis() {
    return new ChildProcess("redis-server", [
      "--port", `${this.#ports.redis}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--dir", this.#directory,
    ]);
  }

  #nginx() {
    return new ChildProcess("nginx", ["-e", "stderr", "-c", join(this.#directory, "nginx", "nginx.conf"), "-g", `daemon off; pid ${join(this.#directory, "nginx.pid")};`]);
  }

  #program(part) {
    const isApi = part === "api";
    const [project, url] = isApi ? ["PushApi", `http://127.0.0.1:${this.#ports.api}`] : ["PushNode", `http://${part}:${this.#ports.node}`];
    return new ChildProcess("dotnet", [program(project), "--urls", url], {
      cwd: dirname(program(project)),
      env: {
        DOTNET_ENVIRONMENT: "Production", ASPNETCORE_ENVIRONMENT: "Production", Logging__LogLevel__Default: "Warning",
        ConnectionStrings__Redis: `127.0.0.1:${this.#ports.redis}`, Management__Port: `${this.#ports[isApi ? "apiManagement" : part]}`,
        Proxies__Trusted: "127.0.0.0/8", Rooms__0__Pattern: "load-*", Rooms__0__History__Size: "20000", Rooms__0__History__Ttl: "00:10:00",
        ...(isApi ? {} : { Push__Node: part, Push__Drain__RetryAfter: "00:00:00.2" }),
      },
    });
  }

  #makeCertificate() {
    const [file, key] = ["certificate.pem", "key.pem"].map(name => join(this.#directory, name));
    execFileSync("openssl", [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", file, "-days", "1", "-subj", "/CN=localhost",
    ], { stdio: "ignore" });
    this.#certificate = { file, key };
  }

  #renderNginx() {
    const ports = this.#ports;
    execFileSync(join(repository, "nginx/render.sh"), [...this.#certificate ? ["--tls"] : [], join(this.#directory, "nginx")], {
      env: {
        ...process.env, PUSH_RESOLVER: `127.0.0.1:${ports.names}`, PUSH_NODES: `${name}:${ports.node}`, PUSH_API: `127.0.0.1:${ports.api}`,
        PUSH_CONNECTIONS_PER_ADDRESS: "65535", PUSH_LISTEN: `127.0.0.1:${ports.clients}`, PUSH_API_LISTEN: `127.0.0.1:${ports.publishers}`,
        PUSH_STATUS_LISTEN: `127.0.0.1:${ports.status}`, PUSH_TLS_LISTEN: `127.0.0.1:${ports.tls}`,
        PUSH_TLS_CERTIFICATE: this.#certificate?.file ?? "", PUSH_TLS_KEY: this.#certificate?.key ?? "",
      },
    });
    // Its output is a socket here, which nginx cannot open by a name.
    const file = join(this.#directory, "nginx", "nginx.conf");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("/dev/stdout", "/dev/null"));
  }

  #isReady(part) {
    if (part === "nginx") return answers200(`http://127.0.0.1:${this.#ports.status}/healthz`);
    if (part !== "redis") return answers200(`http://127.0.0.1:${this.#ports[part === "api" ? "apiManagement" : part]}/readyz`);
    try {
      return this.redis("PING").trim() === "PONG";
    } catch {
      return false; // not listening, or still loading its data
    }
  }
}
