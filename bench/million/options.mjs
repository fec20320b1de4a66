import { argumentsOf } from "../measure/arguments.mjs";

const usage = `usage: bench/million.sh [--yes] [--viewers N] [--batches N] [--window SECONDS] [--per-process N] [--connect-rate N] [--built CONFIGURATION]

  --yes                do not ask
  --viewers N          members of the room (1000000)
  --batches N          batches of 1,000 messages, one each window (10)
  --window SECONDS     the time from batch to batch; Push:Merge:Window is a twentieth shorter (10)
  --per-process N      connections of one node, and of one process of the load (19000)
  --connect-rate N     connects a second (4000)
  --built Release      take src/*/bin/Release as it is, not precompiled; or Debug`;

const { parse, number, refuse } = argumentsOf(usage);

/** The bounds that a run must keep, in seconds. */
export const limits = { connect: 600, behindWindow: 2 };

/** Seconds between the last JOINED and the first batch: for one frame to everybody, which is no batch, and a window behind it. */
export const pauseOf = ({ window }) => 2 * window;

/** Seconds behind the end of the load in which late viewers still count: a slow machine may need several windows for the last batch. */
export const drainOf = ({ window }) => 6 * window;

/** Messages of a batch. */
export const batchMessages = 1000;

/** Reads the command line; ends the process with one sentence when it is wrong, and with code 3 after --help. */
export function readOptions(args) {
  const { values } = parse({
    args,
    options: {
      yes: { type: "boolean" }, viewers: { type: "string" }, batches: { type: "string" }, window: { type: "string" }, "per-process": { type: "string" },
      "connect-rate": { type: "string" }, built: { type: "string" }, help: { type: "boolean", short: "h" },
    },
  });

  if (values.help) {
    console.log(usage);
    process.exit(3);
  }
  if (![undefined, "Release", "Debug"].includes(values.built)) refuse("--built accepts Release or Debug.");
  const options = {
    yes: values.yes ?? false,
    viewers: number(values, "viewers", 1_000_000, 2, 2_000_000),
    batches: number(values, "batches", 10, 1, 100),
    window: number(values, "window", 10, 1, 59),
    perProcess: number(values, "per-process", 19_000, 1, 19_000),
    connectRate: number(values, "connect-rate", 4000, 1, 100_000),
    built: values.built,
  };
  options.processes = Math.ceil(options.viewers / options.perProcess);
  if (options.processes > 250) refuse("--viewers accepts up to 250 processes of --per-process.");
  // Redis, the API and a hundred processes start; connections; batches and the last members; the pause; the end.
  options.atMost = 180 + limits.connect + options.batches * options.window + drainOf(options) + pauseOf(options) + 60;
  return options;
}
