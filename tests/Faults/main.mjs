// The command of tests/faults.sh, which says what it accepts.
import { Farm } from "./farm.mjs";
import { random } from "./random.mjs";
import { nodeKilled, redisKilled, rollingRestart, storm } from "./scenarios.mjs";

const scenarios = { "node-killed": nodeKilled, "rolling-restart": rollingRestart, "redis-killed": redisKilled, storm };
const [command = "random", ...rest] = process.argv.slice(2);
const numbers = rest.map(Number);
const [minutes = 20, seed = Math.floor(Math.random() * 2 ** 30) + 1] = command === "random" ? numbers : [];
const known = command === "random" || command === "figures" || Object.hasOwn(scenarios, command);
if (!known || numbers.some(number => !(number > 0))) {
  console.error("See the first lines of tests/faults.sh.");
  process.exit(2);
}

let farm;
process.on("exit", () => farm?.clear());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
setTimeout(() => {
  console.error("It took far longer than it should, and is stopped.");
  process.exit(1);
}, (minutes + 15) * 60_000).unref();

async function run(name, act) {
  console.log(`\n== ${name}`);
  farm = new Farm();
  await farm.start();
  const passed = await act();
  await farm.stop();
  return passed;
}

let passed = true;
if (command === "random") {
  passed = await run(`random faults for ${minutes} minutes, seed ${seed}`, () => random(farm, minutes, seed));
} else {
  for (const name of command === "figures" ? Object.keys(scenarios) : [command])
    passed = await run(name, () => scenarios[name](farm, ...numbers)) && passed;
}
console.log(passed ? "\npassed" : "\nFAILED");
process.exit(passed ? 0 : 1);
