import { mkdirSync, mkdtempSync, cpSync, writeFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ChildProcess, answers200, freePort, listens, until } from "../measure/processes.mjs";
import { program, repository } from "./repository.mjs";

/** Two nodes, an API, a Redis with its exporter, and a Prometheus with the repository's own configuration; all on free loopback ports. */
export class Farm {
  #directory = mkdtempSync(join(tmpdir(), "redispush-pictures-"));
  #nodes = [];
  #redis;
  #redisAddress;
  #api;
  #prometheus;

  async start() {
    await this.#startRedis();
    for (const index of [0, 1]) {
      this.#nodes.push({ port: await freePort(), management: await freePort() });
      await this.#startNode(index);
    }
    const port = await freePort(), management = await freePort(), exporter = await freePort();
    this.#api = `http://127.0.0.1:${port}`;
    await this.#startProgram("PushApi", port, management);
    const watched = ["-redis.addr", `redis://${this.#redisAddress}`, "-web.listen-address", `127.0.0.1:${exporter}`];
    new ChildProcess("prometheus-redis-exporter", watched);
    await this.#startPrometheus({ "push-node": this.#nodes.map(node => node.management), "push-api": [management], redis: [exporter] });
  }

  /** Loads the farm until the seconds are over. PushLoad's verdict does not matter here: this farm is disturbed on purpose. */
  load(seconds) {
    const [first, second] = this.#nodes;
    const run = (path, scheme, ...options) => new ChildProcess("dotnet", [
      program("PushLoad"), ...[first, second].map(node => `${scheme}://127.0.0.1:${node.port}/${path}`), "--publish", this.#api,
      "--rooms", "5", "--duration", String(seconds), "--drain", "1", ...options,
    ]);
    return [
      run("ws", "ws", "--deflate", "--connections", "600", "--rate", "120", "--churn", "20", "--reconnects", "2"),
      run("ws", "ws", "--protocol", "msgpack", "--connections", "200", "--rate", "20"),
      run("sse", "http", "--protocol", "sse", "--connections", "200", "--rate", "20"),
      run("ws", "ws", "--connections", "100", "--rate", "10", "--size", "2000", "--slow-readers", "20", "--slow-rate", "1024"),
    ];
  }

  /** A drain and a new start, as a rolling restart does it. */
  async restart(index) {
    const { process: node } = this.#nodes[index];
    process.kill(node.pid, "SIGTERM");
    await until(() => node.hasEnded, 40, () => "The node did not end its drain.");
    await delay(10_000);
    await this.#startNode(index);
  }

  /** A crash, and a new start after so long. */
  async crash(index, seconds) {
    this.#nodes[index].process.kill();
    await delay(seconds * 1000);
    await this.#startNode(index);
  }

  /** Redis answers nothing for so long. */
  async stallRedis(seconds) {
    process.kill(this.#redis.pid, "SIGSTOP");
    await delay(seconds * 1000);
    process.kill(this.#redis.pid, "SIGCONT");
  }

  /** What Prometheus answers; fails where it finds a mistake. */
  async ask(path, parameters) {
    const answer = await fetch(`${this.#prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const body = await answer.json();
    if (body.status !== "success") throw new Error(`Prometheus refuses ${parameters.query ?? path}: ${body.error}`);
    return body.data;
  }

  /** After the processes have ended. */
  forget() {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #startRedis() {
    const port = await freePort();
    this.#redisAddress = `127.0.0.1:${port}`;
    this.#redis = new ChildProcess("redis-server", ["--port", String(port), "--save", "", "--bind", "127.0.0.1", "--dir", this.#directory]);
    await until(() => listens(port), 10, () => `Redis does not listen: ${this.#redis.lastWords}`);
  }

  async #startNode(index) {
    const node = this.#nodes[index];
    node.process = await this.#startProgram("PushNode", node.port, node.management);
  }

  async #startProgram(name, port, management) {
    const started = new ChildProcess("dotnet", [
      program(name), "--urls", `http://127.0.0.1:${port}`, `--Management:Port=${management}`, `--ConnectionStrings:Redis=${this.#redisAddress}`,
    ], { cwd: this.#directory });
    await until(() => answers200(`http://127.0.0.1:${management}/readyz`), 30, () => `${name} is not ready: ${started.lastWords}`);
    return started;
  }

  async #startPrometheus(targets) {
    const port = await freePort(), home = join(this.#directory, "prometheus");
    mkdirSync(home);
    for (const name of ["prometheus.yml", "prometheus"]) cpSync(join(repository, name), join(home, name), { recursive: true });
    for (const [job, ports] of Object.entries(targets))
      writeFileSync(join(home, `targets-${job}.yml`), `- targets: ${JSON.stringify(ports.map(port => `127.0.0.1:${port}`))}\n`);
    const started = new ChildProcess("prometheus", [
      "--config.file=prometheus.yml", "--storage.tsdb.path=data", `--web.listen-address=127.0.0.1:${port}`, "--log.level=error",
    ], { cwd: home });
    this.#prometheus = `http://127.0.0.1:${port}`;
    await until(() => answers200(`${this.#prometheus}/-/ready`), 30, () => `Prometheus is not ready: ${started.lastWords}`);
  }
}
