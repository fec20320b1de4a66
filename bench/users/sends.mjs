// Ten thousand users with tokens SEND under limits, on one farm of one node and one Redis:
//   dotnet build -c Release src/PushFarm && dotnet build -c Release src/PushLoad
//   node bench/users/sends.mjs [connections, 10000] [SENDs a second, 1000] [seconds, 30]
// 200 rooms, 111 of them in slow mode. Two to three minutes. The exit code is 0 if the accounts close: every SEND is accepted or refused, the
// node counts the same, and every accepted one reached every member of its room once, from its sender. It needs redis-server and 20,000 descriptors.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ChildProcess, answers200, freePort, scratchDirectory, stopAll, until } from "../measure/processes.mjs";

const [connections = 10_000, rate = 1_000, seconds = 30] = process.argv.slice(2).map(Number);
const rooms = 200, slowMode = "00:00:15", secret = "a-secret-of-the-bench-thirty-two-bytes";
const sources = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "src");
const program = name => join(sources, name, "bin/Release/net10.0", `${name}.dll`);

const scratch = scratchDirectory("redispush-users-");
process.on("SIGINT", () => process.exit(130));
setTimeout(() => { throw new Error("The bench took ten minutes."); }, 600_000).unref();

const [redisPort, clients, api, management] = [await freePort(), await freePort(), await freePort(), await freePort()];
new ChildProcess("redis-server", ["--port", `${redisPort}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", scratch]);
const farm = new ChildProcess("dotnet", [program("PushFarm")], {
  cwd: dirname(program("PushFarm")),
  env: {
    DOTNET_ENVIRONMENT: "Production", ASPNETCORE_ENVIRONMENT: "Production", Logging__LogLevel__Default: "Warning",
    ConnectionStrings__Redis: `127.0.0.1:${redisPort}`, Management__Port: `${management}`,
    Farm__NodeUrl: `http://127.0.0.1:${clients}`, Farm__ApiUrl: `http://127.0.0.1:${api}`,
    Push__Auth__Mode: "Required", Push__Auth__Keys__0__Algorithm: "HS256", Push__Auth__Keys__0__Secret: secret,
    // load-1, load-10 to load-19, load-100 to load-199
    Rooms__0__Pattern: "load-1*", Rooms__0__SlowMode: slowMode,
  },
});
await until(() => farm.hasEnded || answers200(`http://127.0.0.1:${management}/readyz`), 60, () => `The farm is not ready: ${farm.lastWords}`);
if (farm.hasEnded) throw new Error(`The farm ended: ${farm.lastWords}`);

const json = join(scratch, "result.json");
const load = new ChildProcess("dotnet", [
  program("PushLoad"), `ws://127.0.0.1:${clients}/ws`, "--token-key", secret, "--connections", `${connections}`, "--rooms", `${rooms}`,
  "--send-rate", `${rate}`, "--duration", `${seconds}`, "--drain", "15", "--connect-timeout", "120", "--json", json,
]);
(async () => { for (;;) console.log(await load.readLine()); })().catch(() => {});
const code = await load.ended;

const metrics = await (await fetch(`http://127.0.0.1:${management}/metrics`)).text();
const counted = Object.fromEntries([...metrics.matchAll(/^push_sends_total\{(?:[^}]*,)?result="(\w+)"[^}]*\} (\d+)/gm)].map(([, result, count]) => [result, Number(count)]));
const { total } = JSON.parse(readFileSync(json, "utf8"));
const sends = total.sends, refused = Object.values(sends.refused).reduce((sum, count) => sum + count, 0);
const nodeTotal = Object.values(counted).reduce((sum, count) => sum + count, 0);
const accounts = [
  ["sent = SENT + refused + unanswered", sends.sent, sends.accepted + refused + sends.unanswered],
  ["SENT = published by the node", sends.accepted, counted.published],
  ["sent = SENDs that the node counts", sends.sent, nodeTotal],
  ["refused for slow mode, by both", sends.refused.slow_mode ?? 0, counted.slow_mode],
  ["deliveries = SENT x members of a room", sends.deliveries, sends.accepted * (connections / rooms)],
  ["members checked", sends.checkedMembers, connections],
];
for (const [what, left, right] of accounts) console.log(`${left === right ? "ok  " : "FAIL"} ${what}: ${left} = ${right}`);
await stopAll();
process.exit(code === 0 && accounts.every(([, left, right]) => left === right) ? 0 : 1);
