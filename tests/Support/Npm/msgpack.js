// @msgpack/msgpack, the other side of interop tests. Each line of standard input is one task, each line of standard output its result.
//   decode <hex>       -> JSON of the value; bigints and integers as strings, binary as {"bin": hex}
//   encode <json>      -> hex; {"bin": hex} is binary, {"ext": [type, hex]} an extension, {"big": digits} a bigint
//   same <hex> <hex>   -> "same" if MessagePack, the second, decodes to what JSON.parse makes of the JSON, the first; otherwise where it differs
//   floats <json>      -> hex, with each number as a float of 32 bits
import { createInterface } from "node:readline";
import { decode, encode, ExtData } from "@msgpack/msgpack";

const fromHex = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const toHex = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

const readable = (value) => {
  if (value instanceof Uint8Array) return { bin: toHex(value) };
  if (Array.isArray(value)) return value.map(readable);
  return typeof value === "bigint" || typeof value === "number" ? String(value) : value;
};

const revive = (_, value) => {
  if (typeof value?.bin === "string") return fromHex(value.bin);
  if (Array.isArray(value?.ext)) return new ExtData(value.ext[0], fromHex(value.ext[1]));
  return typeof value?.big === "string" ? BigInt(value.big) : value;
};

// A pair of surrogates, a lone one, or any other escape.
const escapes = /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u([dD][89a-fA-F][0-9a-fA-F]{2})|\\./g;
const withoutLoneSurrogates = (json) => json.replace(escapes, (escape, lone) => (lone ? "\\ufffd" : escape));

// Where two values differ; undefined if nowhere. Tells 0 from -0, and looks at the order of members.
const difference = (one, other, path = "$") => {
  if (Object.is(one, other)) return undefined;
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object" || Array.isArray(one) !== Array.isArray(other))
    return `${path}: ${JSON.stringify(one)} and ${JSON.stringify(other)}`;
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  if (keys.length !== others.length || keys.some((key, i) => key !== others[i])) return `${path}: keys ${keys} and ${others}`;
  for (const key of keys) {
    const found = difference(one[key], other[key], `${path}.${key}`);
    if (found) return found;
  }
};

const answer = (task, argument) => {
  switch (task) {
    case "decode": return JSON.stringify(readable(decode(fromHex(argument), { useBigInt64: true })));
    case "encode": return toHex(encode(JSON.parse(argument, revive), { useBigInt64: argument.includes('"big"') }));
    case "floats": return toHex(encode(JSON.parse(argument), { forceIntegerToFloat: true, forceFloat32: true }));
    case "same": {
      const [json, packed] = argument.split(" ").map(fromHex);
      return difference(JSON.parse(withoutLoneSurrogates(Buffer.from(json).toString())), decode(packed)) ?? "same";
    }
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const space = line.indexOf(" ");
  try {
    console.log(answer(line.slice(0, space), line.slice(space + 1)));
  } catch (error) {
    console.log(`${error.name}: ${error.message}`);
  }
}
