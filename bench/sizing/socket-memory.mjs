// The kernel's memory for one idle TCP connection: node bench/sizing/socket-memory.mjs [PAIRS]
// Opens connections over loopback in this process, watched by epoll like a node's, and compares the kernel's memory before and after. Both ends
// are on one machine, and the figure is for one end. Needs Linux, a quiet machine, and two descriptors for each pair.
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

const Pairs = Number(process.argv[2] ?? 8000);
const Together = 100;

function kernel() {
  const memory = readFileSync("/proc/meminfo", "latin1");
  const kilobytes = name => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(memory)[1]);
  const pages = Number(/^TCP: .* mem (\d+)/m.exec(readFileSync("/proc/net/sockstat", "latin1"))[1]);
  return { slab: kilobytes("SUnreclaim") + kilobytes("SReclaimable"), buffers: pages * 4 };
}

const accepted = [];
const server = createServer(socket => accepted.push(socket)).listen({ port: 0, host: "127.0.0.1", backlog: 4096 });
await once(server, "listening");
const clients = [];
await delay(2000);
const before = kernel();
while (clients.length < Pairs) {
  const some = Array.from({ length: Math.min(Together, Pairs - clients.length) }, () => connect(server.address().port, "127.0.0.1"));
  await Promise.all(some.map(socket => once(socket, "connect")));
  clients.push(...some);
}
while (accepted.length < Pairs) await delay(50);
await delay(5000);
const after = kernel();

const bytes = (to, from) => Math.round((to - from) * 1024 / (2 * Pairs));
console.log(`${Pairs} idle connections over loopback, bytes for one end of each:`);
console.log(`  slab (socket, inode, file, epoll)   ${bytes(after.slab, before.slab)}`);
console.log(`  buffers (TCP mem of sockstat)       ${bytes(after.buffers, before.buffers)}`);
process.exit();
