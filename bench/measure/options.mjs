import { argumentsOf } from "./arguments.mjs";

const usage = `usage: bench/run.sh [--quick] [--rounds N] [--connections N] [--seconds N] [--idle N] [--warm-up N]
                    [--farm N] [--only NAME,NAME] [--large-room] [--no-docs]

  --quick          one small round to check that it works: 1,000 connections, 3 s, 5 s idle, 3 s to warm up
  --rounds N       rounds; the report gives their medians (5)
  --connections N  members of the large room (10000); the small one has a tenth
  --seconds N      length of each measured period (6)
  --idle N         seconds from the last handshake to the memory sample (60)
  --warm-up N      seconds of load before each measurement, for .NET (32), which recompiles hot methods; others get at most 8
  --farm N         connections of each of four nodes in one room (19000)
  --only A,B       only these servers; --only help lists them
  --large-room     only handshakes and pushes in the large room: a few minutes, to compare machines
  --no-docs        do not write docs/performance.md; runs smaller than the defaults never do`;

const { parse, number, refuse } = argumentsOf(usage);

const published = { rounds: 5, connections: 10_000, seconds: 6, idle: 60, warmUp: 32, farm: 19_000 };
const quick = { rounds: 1, connections: 1_000, seconds: 3, idle: 5, warmUp: 3, farm: 1_000 };

/** Reads the command line; ends the process with one sentence when it is wrong. */
export function readOptions(args) {
  const { values } = parse({
    args,
    options: {
      quick: { type: "boolean" },
      rounds: { type: "string" },
      connections: { type: "string" },
      seconds: { type: "string" },
      idle: { type: "string" },
      "warm-up": { type: "string" },
      farm: { type: "string" },
      only: { type: "string" },
      "large-room": { type: "boolean" },
      "no-docs": { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });

  if (values.help) {
    console.log(usage);
    process.exit(0);
  }

  const defaults = values.quick ? quick : published;
  const options = {
    rounds: number(values, "rounds", defaults.rounds, 1, 100),
    connections: number(values, "connections", defaults.connections, 100, 19_000),
    seconds: number(values, "seconds", defaults.seconds, 1, 600),
    idle: number(values, "idle", defaults.idle, 0, 3600),
    warmUp: number(values, "warm-up", defaults.warmUp, 1, 600),
    farm: number(values, "farm", defaults.farm, 1, 19_000),
    only: values.only?.split(","),
    largeRoomOnly: values["large-room"] ?? false,
  };
  options.smallRoom = Math.ceil(options.connections / 10);
  options.writeDocs = !values["no-docs"] && !options.only && !options.largeRoomOnly && Object.keys(published).every(key => options[key] >= published[key]);
  options.command = ["bench/run.sh", ...args].join(" ");
  return options;
}
