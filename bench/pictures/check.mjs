// Whether dashboards can be drawn: node bench/pictures/check.mjs FILE.json... Ends with 1 and a sentence if not. Needs no packages.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { check } from "./panel.mjs";

try {
  for (const file of process.argv.slice(2)) {
    for (const panel of JSON.parse(readFileSync(file, "utf8")).panels) check(basename(file), panel);
  }
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
