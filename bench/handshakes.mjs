// CPU per handshake with and without a token, side by side. One node without tokens and one for each kind run at once; each in turn gets N clients that
// connect, join a room and disconnect, so that the machine's noise hits all alike. The first rounds warm up. Loopback and free ports only; it
// stops what it started. Needs redis-server and cc.
import { execFileSync } from "node:child_process";
import { createHmac, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { argumentsOf } from "./measure/arguments.mjs";
import { scratchDirectory } from "./measure/processes.mjs";
import { median } from "./measure/report.mjs";
import { compile, startNode, startRedis, wave } from "./measure/waves.mjs";

const WarmRounds = 4;
const Claims = { sub: "alice", exp: Math.floor(Date.now() / 1000) + 86400, join: ["news", "chat-*", "r"], send: ["chat-42"], info: { name: "Alice" } };
const Secret = "a-secret-of-thirty-two-bytes-min";

const here = dirname(fileURLToPath(import.meta.url));
const { parse, number } = argumentsOf(`usage: node bench/handshakes.mjs [REPOSITORY] [--connections N] [--rounds N]

  REPOSITORY       has a Release build of src/PushNode (this one)
  --connections N  clients of a wave (4000)
  --rounds N       measured waves of each node (9)`);
const { values, positionals } = parse({ allowPositionals: true, options: { rounds: { type: "string" }, connections: { type: "string" } } });
const repository = positionals[0] ?? dirname(here);
const count = number(values, "connections", 4000, 1, 19_000);
const rounds = number(values, "rounds", 9, 1, 1000);

const temporary = scratchDirectory("handshakes-");
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => process.exit(1));
const [cputime, client] = ["cputime", "client"].map(name => compile(here, name, temporary));

/** CPU of a process so far, in microseconds, ended threads included. */
const cpu = pid => Number(execFileSync(cputime, [String(pid)], { encoding: "utf8" })) / 1000;

/** A signed token. */
function token(algorithm, claims, makeSignature) {
  const signed = [{ alg: algorithm, typ: "JWT" }, claims].map(part => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${makeSignature(signed).toString("base64url")}`;
}

/** Settings and path of each kind of node. */
function kinds() {
  const path = "/ws?room=r";
  const pem = (name, pair) => {
    const file = join(temporary, `${name}.pem`);
    writeFileSync(file, pair.publicKey);
    return [createPrivateKey(pair.privateKey), file];
  };
  const encodings = { publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } };
  const [rsa, rsaFile] = pem("rsa", generateKeyPairSync("rsa", { modulusLength: 2048, ...encodings }));
  const [ec, ecFile] = pem("ec", generateKeyPairSync("ec", { namedCurve: "P-256", ...encodings }));
  const hmac = signed => createHmac("sha256", Secret).update(signed).digest();
  const { sub, ...anonymous } = Claims;
  const using = (algorithm, key, value) => ["--Push:Auth:Mode=Required", `--Push:Auth:Keys:0:Algorithm=${algorithm}`, `--Push:Auth:Keys:0:${key}=${value}`];
  return [
    { name: "no token", settings: [], path },
    { name: "HS256", settings: using("HS256", "Secret", Secret), path: `${path}&token=${token("HS256", anonymous, hmac)}` },
    { name: "HS256 and a user", settings: using("HS256", "Secret", Secret), path: `${path}&token=${token("HS256", Claims, hmac)}` },
    { name: "RS256", settings: using("RS256", "File", rsaFile), path: `${path}&token=${token("RS256", anonymous, signed => sign("sha256", signed, rsa))}` },
    {
      name: "ES256", settings: using("ES256", "File", ecFile),
      path: `${path}&token=${token("ES256", anonymous, signed => sign("sha256", signed, { key: ec, dsaEncoding: "ieee-p1363" }))}`,
    },
  ];
}

async function start({ name, settings, path }, redis) {
  return { name, path, ...await startNode(join(repository, "src/PushNode/bin/Release/net10.0/PushNode.dll"), redis, settings), results: [] };
}

/** One wave: the microseconds of CPU per handshake and JOIN. */
async function measure({ node, port, path }) {
  const { before, after } = await wave(client, [port, path, count, "--await", "JOINED"], () => cpu(node.pid));
  return (after - before) / count;
}

const redis = await startRedis();
const servers = [];
for (const kind of kinds())
  servers.push(await start(kind, redis));
await sleep(1000);
for (let round = 0; round < WarmRounds + rounds; round++) {
  for (const server of round % 2 === 0 ? servers : servers.toReversed())
    server.results.push(await measure(server));
  if (round >= WarmRounds)
    console.log(servers.map(server => `${server.name} ${server.results.at(-1).toFixed(1)} us`).join(", "));
}
const plain = servers[0].results.slice(WarmRounds);
for (const { name, results } of servers) {
  const warm = results.slice(WarmRounds);
  const ratios = warm.map((value, i) => value / plain[i]).sort((a, b) => a - b);
  console.log(`${name}: median ${median(warm).toFixed(1)} us, least ${Math.min(...warm).toFixed(1)} us (first wave ${results[0].toFixed(0)} us); `
    + `of no token: ${median(ratios).toFixed(3)} (${ratios[0].toFixed(2)} to ${ratios.at(-1).toFixed(2)}), by the least ${(Math.min(...warm) / Math.min(...plain)).toFixed(3)}`);
}
process.exit();
