// Bytes on the wire of one batch in each encoding, and what encoding costs: node bench/encodings/bytes.mjs [--seed N] [--batches N]
// Prints Markdown for docs/performance.md. Needs `npm install --prefix bench/encodings`, and the program zstd for its rows.
// The bytes are the same on every machine (with the same zlib and zstd); the microseconds are not.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import zlib from "node:zlib";
import { encode } from "@msgpack/msgpack";
import { Corpus, defaultSeed, kinds, pushOf, roomsOf } from "./corpus.mjs";
import { languages } from "./languages.mjs";
import { translations } from "./translations.mjs";

const sizes = [1, 10, 100, 1000];
const { values } = parseArgs({
  options: { seed: { type: "string", default: String(defaultSeed) }, batches: { type: "string", default: "80" } },
});
const seed = Number(values.seed);
const batches = Number(values.batches);

const push = chats => Buffer.from(pushOf(chats));
const pack = json => Buffer.from(encode(JSON.parse(json)));
const webSocketHead = length => length < 126 ? 2 : length < 65_536 ? 4 : 10;
const frame = length => webSocketHead(length) + length;
const chunk = length => length.toString(16).length + 4 + length;

/** RFC 7692: a sync flush without its last four bytes, which say nothing. */
const deflate = (json, options = {}) =>
  zlib.deflateRawSync(json, { level: 6, finishFlush: zlib.constants.Z_SYNC_FLUSH, ...options }).length - 4;
const brotli = (json, quality) => zlib.brotliCompressSync(json, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: quality } }).length;

const scratch = mkdtempSync(join(tmpdir(), "encodings-"));
process.on("exit", () => rmSync(scratch, { recursive: true }));
const zstd = (json, ...options) =>
  execFileSync("zstd", ["-q", "-c", "--no-check", ...options], { input: json, stdio: ["pipe", "pipe", "ignore"] }).length;

function hasZstd() {
  try {
    execFileSync("zstd", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.error("zstd is not installed; its rows are left out.");
    return false;
  }
}

/** Batches of one size: the same number for each language of a room, fewer of the largest size. */
function batchesOf(corpus, size, count = batches) {
  return roomsOf(size === 1000 ? Math.ceil(count / 5) : count).map(language => push(corpus.batch(size, language)));
}

const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
const meanOf = (all, measure) => mean(all.map(measure));
const grouped = value => Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");

function table(head, rows) {
  const line = cells => `| ${cells.join(" | ")} |`;
  console.log([line(head), line(head.map((_, i) => i === 0 ? "---" : "---:")), ...rows.map(line), ""].join("\n"));
}

/** A row of bytes with the ratio to plain JSON. */
const compared = (name, bytes, plain) => [name, ...bytes.map((value, i) => `${grouped(value)} (${(value / plain[i]).toFixed(2)})`)];

function wireBytes() {
  const encodings = {
    "JSON, WebSocket (`json`)": json => frame(json.length),
    "JSON, deflated (`json_deflate`)": json => frame(deflate(json)),
    "MessagePack (`message_pack`)": json => frame(pack(json).length),
    "MessagePack, deflated (`message_pack_deflate`)": json => frame(deflate(pack(json))),
    // The data of the PUSH is the event's.
    "server-sent events (`sse`)": json => chunk(json.length - '{"type":"PUSH","data":}'.length + "event: push\ndata: \n\n".length),
    "stream (`stream`)": json => chunk(json.length + 1),
  };
  console.log("Bytes on the wire of one batch; in brackets the ratio to plain JSON:\n");
  console.log(Object.entries(kinds).map(([kind, text]) => `- \`${kind}\`: ${text}`).join("\n"), "\n");
  for (const kind of Object.keys(kinds)) {
    const corpus = new Corpus(kind, seed);
    const all = sizes.map(size => batchesOf(corpus, size));
    const plain = all.map(some => meanOf(some, json => frame(json.length)));
    table([`\`${kind}\``, ...sizes.map(size => size === 1 ? "1 chat" : `${grouped(size)} chats`)],
      Object.entries(encodings).map(([name, measure]) => compared(name, all.map(some => meanOf(some, measure)), plain)));
  }
}

/** Around the size from which batches are deflated. */
function small() {
  const corpus = new Corpus("chats", seed);
  const counts = [1, 2, 3, 4, 5, 7, 10];
  const all = counts.map(count => batchesOf(corpus, count));
  const [plain, deflated] = [json => json.length, deflate].map(measure => all.map(some => meanOf(some, json => frame(measure(json)))));
  console.log("Small batches of `chats`, bytes on the wire:\n");
  table(["", ...counts.map(count => count === 1 ? "1 chat" : `${count}`)], [
    ["`json`", ...plain.map(grouped)], ["deflated", ...deflated.map(grouped)], ["saved", ...plain.map((bytes, i) => grouped(bytes - deflated[i]))],
  ]);
}

function byLanguage() {
  const real = translations();
  const corpora = [new Corpus("chats", seed)];
  if (Object.values(real).every(sentences => sentences.length >= 1000)) corpora.push(new Corpus("chats", seed, real));
  else console.error("This machine lacks translations in some of the languages; their row is left out.");
  console.log("100 chats by the language of the room, `json_deflate` to `json`; and with sentences of installed translations:\n");
  table(["", ...Object.keys(languages), "all"], corpora.map((corpus, i) => {
    const ratios = Object.keys(languages).map(language => {
      const some = Array.from({ length: batches / 4 }, () => push(corpus.batch(100, language)));
      return meanOf(some, json => frame(deflate(json))) / meanOf(some, json => frame(json.length));
    });
    return [i === 0 ? "made from words" : "translations", ...ratios.map(ratio => ratio.toFixed(3)), mean(ratios).toFixed(3)];
  }));
}

/** Where the deflated bytes of 100 chats come from: each step makes one more member the same in all chats. */
function byMember() {
  const chats = Array.from({ length: batches }, (_, i) => new Corpus("chats", seed + i).batch(100).map(chat => JSON.parse(chat)));
  // Equal values cost almost nothing.
  const equal = { text: "", user: "", color: "", badge: 1, time: 1_795_300_000_000 };
  const steps = [[], ["text"], ["user"], ["color", "badge"], ["time"]].map((_, i, all) => all.slice(0, i + 1).flat());
  const without = (chat, left) => JSON.stringify(chat, (key, value) => left.includes(key) ? equal[key] : value);
  const sizesOf = steps.map(left => chats.map(batch => push(batch.map(chat => without(chat, left)))));
  const deflated = sizesOf.map(some => meanOf(some, json => deflate(json)) / 100);
  console.log("Deflated bytes of a chat in a batch of 100, by what it says:\n");
  table(["text", "user", "colour and badge", "time", "all the rest", "sum"],
    [[...deflated.slice(1).map((value, i) => (deflated[i] - value).toFixed(1)), deflated.at(-1).toFixed(1), deflated[0].toFixed(1)]]);
}

/** The mean of the least time for each: others use the machine. */
function microseconds(some, work) {
  return meanOf(some.slice(0, 20), json => {
    let least = Infinity;
    for (let round = 0; round < 9; round++) {
      const begin = process.hrtime.bigint();
      work(json);
      least = Math.min(least, Number(process.hrtime.bigint() - begin) / 1000);
    }
    return least;
  });
}

function compressors() {
  const corpus = new Corpus("chats", seed);
  // What a dictionary is made of must not be what it is tried on.
  const earlier = batchesOf(new Corpus("chats", seed + 1), 100, 40);
  const dictionary = Buffer.concat(earlier).subarray(-32_768);
  const all = [10, 100, 1000].map(size => batchesOf(corpus, size));
  const plain = all.map(some => meanOf(some, json => json.length));
  const rows = [];
  const row = (name, measure, timed = true) => rows.push([
    ...compared(name, all.map(some => meanOf(some, measure)), plain), timed ? microseconds(all[1], measure).toFixed(0) : "-",
  ]);
  for (const level of [1, 6, 9]) row(`deflate ${level}`, json => deflate(json, { level }));
  row("deflate 6, 32 KiB of earlier chats as dictionary", json => deflate(json, { dictionary }));
  for (const quality of [1, 4, 5, 9, 11]) row(`brotli ${quality}`, json => brotli(json, quality));
  if (hasZstd()) {
    for (const level of [1, 3, 9, 19]) row(`zstd ${level}`, json => zstd(json, `-${level}`), false);
    const samples = earlier.flatMap((json, i) => JSON.parse(json).data.items.map((chat, k) => {
      const file = join(scratch, `${i}-${k}`);
      writeFileSync(file, JSON.stringify(chat));
      return file;
    }));
    execFileSync("zstd", ["-q", "--train", ...samples, "-o", join(scratch, "dictionary")], { stdio: "ignore" });
    row("zstd 3, trained dictionary of 110 KB", json => zstd(json, "-3", "-D", join(scratch, "dictionary")), false);
  }
  console.log("Payloads of `chats` and other compressors; the time is node:zlib's for 100 chats:\n");
  table(["", "10 chats", "100 chats", "1,000 chats", "us"], rows);
}

/** A stream that keeps what it has seen, for one connection: the window of RFC 7692 without no_context_takeover. */
async function takeover(some, options = {}) {
  const stream = zlib.createDeflateRaw({ level: 6, ...options });
  let bytes = 0;
  stream.on("data", data => bytes += data.length);
  const first = 10;
  let before = 0;
  for (const [i, json] of some.entries()) {
    if (i === first) before = bytes;
    stream.write(json);
    await new Promise(resolve => stream.flush(zlib.constants.Z_SYNC_FLUSH, resolve));
    await new Promise(resolve => setImmediate(resolve));
  }
  return (bytes - before) / (some.length - first) - 4;
}

async function windows() {
  const rows = [];
  for (const rate of [10, 100]) {
    const corpus = new Corpus("chats", seed);
    const merged = [1, 2, 5].map(seconds => ({ seconds, some: batchesOf(corpus, rate * seconds) }));
    const plain = meanOf(merged[0].some, json => frame(json.length));
    const kept = [];
    for (const language of Object.keys(languages))
      kept.push(await takeover(Array.from({ length: 40 }, () => push(corpus.batch(rate, language)))));
    const cells = merged.map(({ seconds, some }) => meanOf(some, json => frame(deflate(json))) / seconds);
    rows.push([`${rate} chats a second`, grouped(plain), ...compared("", [...cells, frame(mean(kept))], [plain, plain, plain, plain]).slice(1)]);
  }
  console.log("Bytes a second for each member, deflated: longer windows of merging, and a deflater for each connection:\n");
  table(["", "plain", "1 s", "2 s", "5 s", "1 s, context kept"], rows);
}

console.log(`\`node bench/encodings/bytes.mjs\`, seed ${seed}, node ${process.version}, zlib ${process.versions.zlib}.\n`);
wireBytes();
small();
byLanguage();
byMember();
compressors();
await windows();
