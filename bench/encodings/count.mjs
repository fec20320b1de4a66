// Encodings per batch with members of several kinds in one room: node bench/encodings/count.mjs [--lanes A,B] [--members N] [--batches N]
// One node; the members are shared out among the lanes. Reads push_batches_encoded_total. Needs what cpu.mjs needs.
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { stopAll } from "../measure/processes.mjs";
import { Corpus, defaultSeed } from "./corpus.mjs";
import { Clients, Server, lanes, prepare } from "./lanes.mjs";

const { values } = parseArgs({
  options: {
    lanes: { type: "string", default: "json,json_deflate,message_pack" },
    members: { type: "string", default: "10000" },
    batches: { type: "string", default: "20" },
  },
});
const names = values.lanes.split(",");
const [members, batches] = [values.members, values.batches].map(Number);

const { needs, publisher } = await prepare();
const corpus = new Corpus("chats", defaultSeed);
const server = await Server.start(lanes[names[0]], needs);
const share = Math.floor(members / names.length);
const clients = [];
for (const name of names) {
  const lane = { ...lanes[name], path: lanes[name].path.replace(/=.*/, "=demo") };
  clients.push(await Clients.connect(server, lane, share));
}
await delay(2000);

const read = async () => ({
  encoded: await server.metric("push_batches_encoded_total"),
  frames: await Promise.all(clients.map(async some => (await some.counts()).frames)),
});
const before = await read();
for (let i = 0; i < batches; i++) {
  publisher.publish("demo", corpus.batch(100));
  await delay(1500);
}
await delay(2000);
const after = await read();
const frames = after.frames.map((count, i) => (count - before.frames[i]) / share);
const command = ["node bench/encodings/count.mjs", ...process.argv.slice(2)].join(" ");
console.log(`\`${command}\`: ${share * names.length} members, ${batches} batches published.\n`);
console.log("| variant | members | frames each | encodings |\n| --- | ---: | ---: | ---: |");
let sum = 0;
for (const variant of Object.keys(after.encoded)) {
  const encodings = after.encoded[variant] - (before.encoded[variant] ?? 0);
  const lane = names.indexOf(variant);
  if (lane >= 0 || encodings > 0) console.log(`| ${variant} | ${lane < 0 ? 0 : share} | ${lane < 0 ? "-" : frames[lane]} | ${encodings} |`);
  sum += encodings;
}
console.log(`\n${(sum / frames[0]).toFixed(2)} encodings per batch.`);
publisher.close();
await stopAll();
process.exit(0);
