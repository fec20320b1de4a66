// Private memory per connection of each encoding, idle after a few pushes: node bench/encodings/memory.mjs [--lanes A,B] [--members N] ...
// All lanes (lanes.mjs) at once, like bench/run.sh: Private_Dirty with many members less that with a hundredth, both after --idle seconds of
// silence. Loopback and free ports only; it stops what it started. Needs a Release build of src/PushNode, redis-server and cc.
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { stopAll } from "../measure/processes.mjs";
import { Corpus, defaultSeed } from "./corpus.mjs";
import { Clients, Server, lanes, prepare } from "./lanes.mjs";

const { values } = parseArgs({
  options: {
    lanes: { type: "string", default: "json,json_deflate" },
    members: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
    pushes: { type: "string", default: "5" },
    idle: { type: "string", default: "40" },
  },
});
const names = values.lanes.split(",");
const [members, rounds, pushes, idle] = [values.members, values.rounds, values.pushes, values.idle].map(Number);

const { needs, publisher } = await prepare();
const corpus = new Corpus("chats", defaultSeed);
const results = Object.fromEntries(names.map(name => [name, []]));
for (let round = 0; round < rounds; round++) {
  const servers = [];
  for (const name of names) servers.push(await Server.start(lanes[name], needs));
  const few = await fill(servers, members / 100);
  const base = servers.map(server => server.process.privateBytes());
  const many = await fill(servers, members);
  servers.forEach((server, i) => results[names[i]].push((server.process.privateBytes() - base[i]) / members / 1024));
  console.error(`round ${round + 1}: ${names.map(name => `${name} ${results[name].at(-1).toFixed(2)}`).join(", ")} KB`);
  await Promise.all([...few, ...many].map(clients => clients.stop()));
  await Promise.all(servers.map(server => server.stop()));
}
const command = ["node bench/encodings/memory.mjs", ...process.argv.slice(2)].join(" ");
console.log(`\`${command}\`: ${members} connections, ${pushes} pushes of 100 chats, ${idle} s idle.\n`);
console.log("| | private memory per connection, KB |\n| --- | ---: |");
for (const name of names) {
  const all = results[name].toSorted((a, b) => a - b);
  console.log(`| ${name} | ${all[all.length >> 1].toFixed(2)} (${all[0].toFixed(2)} - ${all.at(-1).toFixed(2)}) |`);
}
publisher.close();
await stopAll();
process.exit(0);

/** Connects so many members to each, pushes to all of them, and lets them idle. */
async function fill(servers, count) {
  const clients = [];
  for (const [i, server] of servers.entries()) clients.push(await Clients.connect(server, lanes[names[i]], count));
  for (let i = 0; i < pushes; i++) {
    const chats = corpus.batch(100);
    servers.forEach((server, k) => server.kind === "node" ? publisher.publish(names[k], chats) : server.post(chats));
    await delay(1500);
  }
  await delay(idle * 1000);
  return clients;
}
