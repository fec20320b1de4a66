import { cpus } from "node:os";
import { join } from "node:path";
import { ChildProcess, answers200, freePorts, until } from "../measure/processes.mjs";
import { batchMessages, drainOf, limits, pauseOf } from "./options.mjs";

const startTime = 60;

/** A hundred runtimes share the cores: small heaps, no thread for garbage collection, no profiles, and no sockets of diagnostics, which would stay. */
const runtime = { DOTNET_gcServer: "0", DOTNET_gcConcurrent: "0", DOTNET_GCgen0size: "400000", DOTNET_TieredPGO: "0", DOTNET_EnableDiagnostics: "0" };

/** Redis, one API and the nodes, on free ports below those of clients. */
export class Farm {
  #options;
  #scratch;
  #program;
  nodes = [];

  /** @param program A project's name -> the command that runs it and its first arguments. */
  constructor(options, scratch, program) {
    [this.#options, this.#scratch, this.#program] = [options, scratch, program];
  }

  async start() {
    const { processes, window } = this.#options;
    const ports = await freePorts(2 * processes + 3);
    const [redis, api, apiManagement] = ports.splice(0, 3);
    const redisOptions = ["--port", redis, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", this.#scratch];
    this.redis = new ChildProcess("redis-server", redisOptions.map(String));
    // While a batch goes out, a hundred processes wait for two cores, and an answer may be late that is not lost.
    const patience = { Backplane__CanaryTimeout: "00:00:30", Backplane__PublishTimeout: "00:00:01.9" };
    const common = { ...patience, Logging__LogLevel__Default: "Warning", ConnectionStrings__Redis: `127.0.0.1:${redis}` };
    this.publishUrl = `http://127.0.0.1:${api}`;
    this.api = this.#start("PushApi", this.publishUrl, { ...common, Management__Port: apiManagement });
    await this.#ready("The API", this.api, apiManagement);

    const settings = {
      ...common,
      // A little shorter than the time from batch to batch, or a frame that leaves late would delay all that follow.
      Push__Merge__Window: `00:00:${(0.95 * window).toFixed(2).padStart(5, "0")}`,
      // One room needs one of each.
      Push__Merge__Workers: 1,
      Push__FanOut__Workers: 1,
      Push__Counts__Enabled: "false",
      // A million pings every 25 seconds would be a load of their own.
      Push__Connections__PingAfter: "01:00:00",
      Push__Connections__CloseAfter: "02:00:00",
      // All nodes start on the same cores, and clients come at a fixed rate.
      Push__Connections__WarmUpHandshakes: 0,
      // As patient as the clients, who all connect at once on two cores.
      Push__Connections__HandshakeTimeout: "00:00:30",
    };
    // As many at a time as the cores can start within the time.
    while (this.nodes.length < processes) {
      const group = Array.from({ length: Math.min(2 * cpus().length, processes - this.nodes.length) }, () => {
        const [port, management] = ports.splice(0, 2);
        const node = this.#start("PushNode", `http://127.0.0.1:${port}`, { ...settings, Management__Port: management });
        return Object.assign(node, { url: `ws://127.0.0.1:${port}/ws`, management });
      });
      this.nodes.push(...group);
      await Promise.all(group.map(node => this.#ready("A node", node, node.management)));
    }
  }

  /** The load generator. It starts its own processes. */
  load(json) {
    const { viewers, processes, batches, window, connectRate } = this.#options;
    const { command, args } = this.#program("PushLoad");
    return new ChildProcess(command, [
      ...args, ...this.nodes.map(node => node.url), "--deflate", "--connections", viewers, "--processes", processes, "--connect-rate", connectRate,
      "--connect-timeout", limits.connect, "--publish", this.publishUrl, "--retry", 20, "--rate", batchMessages / window, "--burst", batchMessages, "--size", 45,
      "--pause", pauseOf(this.#options), "--read-every", 0.05,
      // The last batch is due half a window before the end.
      "--duration", (batches - 0.5) * window, "--drain", drainOf(this.#options), "--json", json,
    ].map(String), { env: runtime });
  }

  /** Publishes one message to everybody, so that no program does anything for the first time when the first batch comes. PushLoad counts it as foreign. */
  async warm() {
    const body = JSON.stringify({ warm: "up ".repeat(300) });
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${this.publishUrl}/v1/rooms/load-0/messages`, { method: "POST", headers, body, signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(`The API answered ${answer.status} to the first message.`);
  }

  /** Those that have ended although nobody ended them, in words. */
  get deaths() {
    return [["Redis", this.redis], ["The API", this.api], ...this.nodes.map((node, i) => [`Node ${i}`, node])]
      .filter(([, child]) => child?.hasEnded).map(([name, child]) => `${name} has ended: ${child.lastWords}`);
  }

  /** Sums of all nodes' counters with one of these beginnings, without zeros. */
  async counters(...beginnings) {
    const sums = new Map();
    const texts = await Promise.all(this.nodes.map(node =>
      fetch(`http://127.0.0.1:${node.management}/metrics`, { signal: AbortSignal.timeout(20_000) }).then(answer => answer.text()).catch(() => "")));
    for (const text of texts) {
      for (const [, name, value] of text.matchAll(/^(\w+(?:\{[^}]*\})?) ([\d.e+]+)$/gm)) {
        if (Number(value) > 0 && beginnings.some(beginning => name.startsWith(beginning))) sums.set(name, (sums.get(name) ?? 0) + Number(value));
      }
    }
    return sums;
  }

  #start(project, url, settings) {
    const { command, args, cwd } = this.#program(project);
    const env = { ...runtime, DOTNET_ENVIRONMENT: "Production", ASPNETCORE_ENVIRONMENT: "Production", ...settings };
    return new ChildProcess(command, [...args, "--urls", url], { cwd, env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, String(value)])) });
  }

  async #ready(name, child, management) {
    await until(() => child.hasEnded || answers200(`http://127.0.0.1:${management}/readyz`), startTime, () => `${name} is not ready: ${child.lastWords}`);
    if (child.hasEnded) throw new Error(`${name} ended: ${child.lastWords}`);
  }
}

/** The published program, or what the build made of a project. */
export const programs = (repository, built) => project => {
  const cwd = built ? join(repository, "src", project, "bin", built, "net10.0") : join(repository, "artifacts/bench", project);
  return built ? { command: "dotnet", args: [join(cwd, `${project}.dll`)], cwd } : { command: join(cwd, project), args: [], cwd };
};
