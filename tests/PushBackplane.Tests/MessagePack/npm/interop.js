// The other side of MessagePackInteropTests. Each line of standard input is one task, each line of standard output its result.
//   decode <hex>   -> JSON of the value; bigints and integers as strings, binary as {"bin": hex}
//   encode <json>  -> hex; {"bin": hex} is binary, {"ext": [type, hex]} an extension, {"big": digits} a bigint
import { createInterface } from "node:readline";
import { decode, encode, ExtData } from "@msgpack/msgpack";

const toHex = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

const readable = (value) => {
  if (value instanceof Uint8Array) return { bin: toHex(value) };
  if (Array.isArray(value)) return value.map(readable);
  return typeof value === "bigint" || typeof value === "number" ? String(value) : value;
};

const revive = (_, value) => {
  if (typeof value?.bin === "string") return new Uint8Array(Buffer.from(value.bin, "hex"));
  if (Array.isArray(value?.ext)) return new ExtData(value.ext[0], new Uint8Array(Buffer.from(value.ext[1], "hex")));
  return typeof value?.big === "string" ? BigInt(value.big) : value;
};

for await (const line of createInterface({ input: process.stdin })) {
  const [task, argument] = [line.slice(0, 6), line.slice(7)];
  if (task === "decode") console.log(JSON.stringify(readable(decode(Buffer.from(argument, "hex"), { useBigInt64: true }))));
  else console.log(toHex(encode(JSON.parse(argument, revive), { useBigInt64: argument.includes('"big"') })));
}
