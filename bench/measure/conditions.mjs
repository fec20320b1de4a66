import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { cpus, loadavg } from "node:os";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

const quietShare = 0.1;
const watched = 1000;

/** What spoils the figures of this machine at this moment: one sentence for each; none on a quiet machine. */
export async function conditions() {
  const [tracked, busy] = [await trackedConnections(), await busyShare()];
  const sentences = [];
  if (tracked > 0) {
    sentences.push(`Connection tracking is on (nf_conntrack has ${tracked} entries, at most ${trackedAtMost()}): it costs CPU for each packet, on loopback too.`
      + " Container networks and firewalls switch it on.");
  }
  if (busy > quietShare) {
    sentences.push(`Other processes use ${Math.round(busy * 100)} % of the ${cpus().length} cores (load ${loadavg()[0].toFixed(2)}):`
      + " figures of a machine that is not quiet mean little.");
  }
  return sentences;
}

/** Entries of connection tracking while a loopback connection is open; 0 if it is off. */
export async function trackedConnections() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(server.address().port, "127.0.0.1");
  await once(client, "connect");
  const count = number("nf_conntrack_count");
  client.destroy();
  server.close();
  return count;
}

/** How many connections it can track. */
export const trackedAtMost = () => number("nf_conntrack_max");

/** User, nice, system, interrupt and stolen time of the machine, and all of it, in seconds since its start. */
export function machineCpu() {
  const [user, nice, system, idle, wait, irq, softirq, steal] = readFileSync("/proc/stat", "latin1").split("\n")[0].trim().split(/\s+/).slice(1).map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { busy: busy / 100, all: (busy + idle + wait) / 100 };
}

async function busyShare() {
  const before = machineCpu();
  await delay(watched);
  const after = machineCpu();
  return (after.busy - before.busy) / (after.all - before.all);
}

function number(name) {
  try {
    return Number(readFileSync(`/proc/sys/net/netfilter/${name}`, "latin1"));
  } catch {
    return 0; // the module is not loaded
  }
}
