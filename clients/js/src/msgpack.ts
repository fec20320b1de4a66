/** What `JSON.parse` would have given; throws if the bytes are not one MessagePack value of those that JSON has. */
export function decode(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  // The offset of the next bytes, which are taken.
  const take = (size: number) => (at += size) - size;
  const unsigned = (size: number) => {
    const from = take(size);
    if (size === 8) return Number(view.getBigUint64(from));
    return size === 1 ? view.getUint8(from) : size === 2 ? view.getUint16(from) : view.getUint32(from);
  };
  const signed = (size: number) => {
    const from = take(size);
    if (size === 8) return Number(view.getBigInt64(from));
    return size === 1 ? view.getInt8(from) : size === 2 ? view.getInt16(from) : view.getInt32(from);
  };
  const float = (size: number) => size === 4 ? view.getFloat32(take(4)) : view.getFloat64(take(8));
  // A length beyond the end throws before anything of that length is made.
  const within = (length: number) => {
    if (length > bytes.length - at) throw new RangeError("The MessagePack ends too early.");
    return length;
  };
  const text = (length: number) => {
    const from = take(within(length));
    if (length < 32) {
      // Most texts are short and ASCII, for which TextDecoder takes several times as long.
      let ascii = "";
      let next = from;
      while (next < at && bytes[next]! < 0x80) ascii += String.fromCharCode(bytes[next++]!);
      if (next === at) return ascii;
    }
    return utf8.decode(bytes.subarray(from, at));
  };
  const array = (length: number) => {
    const items: unknown[] = [];
    for (within(length); length > 0; length--) items.push(value());
    return items;
  };
  const map = (length: number) => {
    const members: Record<string, unknown> = {};
    for (within(length); length > 0; length--) {
      const key = value();
      if (typeof key !== "string") throw new TypeError("A MessagePack key is not a string.");
      // As JSON.parse does: a member of that name, not another prototype.
      if (key === "__proto__") Object.defineProperty(members, key, { ...ordinary, value: value() });
      else members[key] = value();
    }
    return members;
  };

  const value = (): unknown => {
    const first = unsigned(1);
    if (first < 0x80) return first;
    if (first < 0x90) return map(first & 15);
    if (first < 0xa0) return array(first & 15);
    if (first < 0xc0) return text(first & 31);
    if (first >= 0xe0) return first - 256;
    switch (first) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xca: case 0xcb: return float(4 << (first - 0xca));
      case 0xcc: case 0xcd: case 0xce: case 0xcf: return unsigned(1 << (first - 0xcc));
      case 0xd0: case 0xd1: case 0xd2: case 0xd3: return signed(1 << (first - 0xd0));
      case 0xd9: case 0xda: case 0xdb: return text(unsigned(1 << (first - 0xd9)));
      case 0xdc: case 0xdd: return array(unsigned(2 << (first - 0xdc)));
      case 0xde: case 0xdf: return map(unsigned(2 << (first - 0xde)));
    }
    throw new TypeError(`MessagePack of type 0x${first.toString(16)} has no JSON.`);
  };

  const result = value();
  if (at < bytes.length) throw new RangeError("Bytes follow the MessagePack.");
  return result;
}

const ordinary = { enumerable: true, configurable: true, writable: true };
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
