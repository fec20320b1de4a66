// A node with a history, behind the sockets of offline.mjs: it numbers what is published and answers as docs/protocol.md says.

/** One room's history. What `publish` returns is the PUSH of it. */
export class NodeHistory {
  items = [];
  floor = 0;
  pageSize = 100;

  constructor(epoch = "e1") { this.epoch = epoch; }

  get position() { return this.at(this.items.length); }

  at(offset) { return { epoch: this.epoch, offset }; }

  publish(...items) {
    this.items.push(...items);
    return { room: "x", ...this.position, items };
  }

  /** The PUSH of what followed an offset, up to another. */
  push(from, to = this.items.length) {
    return { room: "x", ...this.at(to), items: this.items.slice(from, to) };
  }

  join({ since }) {
    if (!since) return { room: "x", ...this.position };
    const recovered = since.epoch === this.epoch && since.offset >= this.floor && since.offset <= this.items.length;
    return { room: "x", recovered, ...(recovered ? since : this.position) };
  }

  page({ since, limit = this.pageSize }) {
    const recovered = since.epoch === this.epoch && since.offset >= this.floor;
    const start = recovered ? since.offset : this.floor;
    const end = Math.min(this.items.length, start + Math.min(limit, this.pageSize));
    return { room: "x", recovered, ...this.at(end), items: this.items.slice(start, end), more: end < this.items.length };
  }

  /** Answers JOINs, what was missed included, and HISTORYs unless `hold` keeps them. */
  answer(socket, hold) {
    socket.received = ({ type, id, data }) => {
      if (type === "PING") socket.tell("PONG", {});
      if (type === "HISTORY" && !hold?.push({ id, data })) socket.tell("HISTORY", this.page(data), { id });
      if (type !== "JOIN") return;
      const joined = this.join(data);
      socket.tell("JOINED", joined, { id });
      if (joined.offset < this.items.length) socket.tell("PUSH", this.push(joined.offset));
    };
  }
}

/** What a room's listeners hear, in order. */
export function heard(room) {
  const log = [];
  room.on("joined", ({ again, recovered }) => log.push(again ? `again ${recovered}` : `joined ${recovered}`));
  room.on("message", item => log.push(item));
  room.on("gap", ({ missed, reason, from, to }) => log.push(`${reason} ${missed} ${written(from)}-${written(to)}`));
  return log;
}

const written = position => position ? `${position.epoch}.${position.offset}` : "?";
