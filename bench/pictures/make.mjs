// Makes the pictures of README.md and docs: node bench/pictures/make.mjs room node dashboards [--minutes N] [--again]
// Once before: npm install --prefix bench/pictures --no-package-lock; dotnet build --configuration Release
// Needs Debian's chromium, redis-server, prometheus, prometheus-redis-exporter and fonts (CONTRIBUTING.md). Loopback and
// free ports only; it stops what it started.
import { parseArgs } from "node:util";
import { killAll } from "../measure/processes.mjs";

const pictures = {
  room: async () => (await import("./room.mjs")).drawRoom(),
  node: async () => (await import("./node.mjs")).drawNode(),
  dashboards: async options => (await import("./dashboards.mjs")).drawDashboards(options),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string", default: "8" }, again: { type: "boolean", default: false } },
});
const minutes = Number(values.minutes);
if (positionals.length === 0 || positionals.some(name => !pictures[name]) || !(minutes >= 2 && minutes <= 60)) {
  const names = Object.keys(pictures).join("|");
  console.error(`usage: node bench/pictures/make.mjs ${names}... [--minutes 2 to 60] [--again: draw the last recording]`);
  process.exit(2);
}
process.on("exit", killAll);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
for (const name of positionals) await pictures[name]({ minutes, again: values.again });
