import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ChildProcess } from "../../bench/measure/processes.mjs";
import { program } from "./farm.mjs";

/** A load generator that resumes, and whose publishers repeat what fails. */
export class Load {
  #child;
  #json;
  #phase = "";
  #output = [];

  /**
   * @param farm Where its result goes.
   * @param urls Where its clients connect.
   * @param publish Where it publishes.
   * @param options Further options.
   */
  constructor(farm, urls, publish, ...options) {
    this.#json = join(farm.directory, "load.json");
    this.#child = new ChildProcess("dotnet", [
      program("PushLoad"), ...urls, "--publish", publish, "--resume", "--retry", "90", "--allow-disconnects", "--drain", "60", "--connect-timeout", "120",
      "--json", this.#json, ...options.map(String),
    ]);
    this.#read();
  }

  get hasEnded() { return this.#child.hasEnded; }

  /** Waits until it publishes. */
  async runs() {
    while (this.#phase !== "run") {
      if (this.hasEnded) throw new Error(`The load generator ended: ${this.#output.join("\n")}\n${this.#child.lastWords}`);
      await delay(50);
    }
  }

  /** Waits for its end. */
  async result() {
    const code = await this.#child.ended;
    if (code === 1 || code === 2) throw new Error(`The load generator ended with code ${code}: ${this.#output.join("\n")}\n${this.#child.lastWords}`);
    return { code, output: this.#output.join("\n"), ...JSON.parse(readFileSync(this.#json, "utf8")) };
  }

  async #read() {
    try {
      for (;;) {
        const line = await this.#child.readLine();
        this.#phase = /^\s*[\d:.]+\s+(?:s\s+)?(\w+)/.exec(line)?.[1] ?? this.#phase;
        this.#output = [...this.#output.slice(-60), line];
      }
    } catch {
      // It has ended.
    }
  }
}

/** Prints what must be zero, what was seen, and returns whether it passed. */
export function judge(result, checks = []) {
  const { sequences, total, published, resumed, absence } = result;
  const { resumes } = total;
  const ms = microseconds => `${(microseconds / 1000).toFixed(0)} ms`;
  const all = [
    ["lost", sequences.lost, sequences.lost === 0],
    ["duplicated", sequences.duplicates, sequences.duplicates === 0],
    ["out of order", sequences.reordered, sequences.reordered === 0],
    ["violations, lies about positions among them", JSON.stringify(total.violations), Object.keys(total.violations).length === 0],
    ["positions not recovered", resumes.notRecovered, resumes.notRecovered === 0],
    ["GAPs", total.gaps, total.gaps === 0],
    ["messages not confirmed", `${published.unconfirmed} of ${published.messages}`, published.unconfirmed === 0],
    ["load generator's exit code", result.code, result.code === 0],
    ...checks,
  ];
  console.log(`deliveries ${total.deliveries}, positions recovered ${resumes.recovered}, messages caught up ${resumes.caughtUp}, epochs changed ${resumes.epochs}`);
  console.log(`publish requests repeated ${published.retries}; caught up after p50 ${ms(resumed.p50)}, max ${ms(resumed.max)}; absent p50 ${ms(absence.p50)}, max ${ms(absence.max)}`);
  console.log(`disconnected ${JSON.stringify(total.disconnects)}`);
  for (const [what, value, isGood] of all) console.log(`${isGood ? "ok  " : "FAIL"} ${what}: ${value}`);
  for (const example of sequences.examples) console.log(`     ${example}`);
  return all.every(([, , isGood]) => isGood);
}
