// Says what a run needs, refuses with code 2 when it is not there, and asks. Code 3: nothing is to be run.
import { createInterface } from "node:readline/promises";
import { conditions } from "../measure/conditions.mjs";
import { describe, problems, warnings } from "./needs.mjs";
import { readOptions } from "./options.mjs";

const options = readOptions(process.argv.slice(2));
console.log(describe(options));
for (const sentence of [...await conditions(), ...warnings(options)]) console.log(`Warning: ${sentence}`);

const missing = await problems(options);
if (missing.length > 0) {
  console.error(missing.join("\n"));
  process.exit(2);
}
if (!options.yes) {
  if (!process.stdin.isTTY) {
    console.error("There is no terminal to ask: say --yes.");
    process.exit(2);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question("Begin? [y/N] ");
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) process.exit(3);
}
