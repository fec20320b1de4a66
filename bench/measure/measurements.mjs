import { setTimeout as delay } from "node:timers/promises";
import { machineCpu } from "./conditions.mjs";
import { packetThreadSeconds } from "./processes.mjs";
import { now } from "./session.mjs";

const frameBytes = 600;
const messageBytes = 60;

/** Longer than RedisPush's window: messages published before have left. */
const settleTime = 1.3;

/** How long the machine is watched before the pushes. */
const idleTime = 3;

/** How long a server that fell behind may catch up. */
const catchUpTime = 3;

/** Handshakes and joins, as fast as the server accepts them. */
export async function measureAccepting(session, connections) {
  const before = session.server.cpuSeconds();
  const { seconds } = await session.connect(connections);
  await delay(500); // work right after the last handshake belongs to it
  const cpu = session.server.cpuSeconds() - before;
  return { connections, seconds, cpu, perSecond: connections / seconds, perCpuSecond: connections / cpu };
}

/** One frame a second to every connection: CPU per push, and the time until the last connection has the frame. */
export async function measurePushes(session, seconds, warmUp) {
  const { publisher, clients } = session;
  const bytes = await messageLengthFor(session, frameBytes);
  await everySecond(warmUp, () => publisher.publish(1, bytes));
  await delay(settleTime * 1000);

  const { messages } = await requireAlike(clients);
  const idle = await idleSecondsPerSecond();
  const publishedAt = [];
  const used = await whileMeasuring(session, async () => {
    await everySecond(seconds, () => {
      publishedAt.push(now());
      publisher.publish(1, bytes);
    });
    await clients.whenReceived(messages + seconds * clients.count, catchUpTime);
    await delay(200);
  });

  const arrivals = [];
  for (let i = 0; i < seconds; i++) {
    const { count, first, last } = await clients.arrival(messages / clients.count + i);
    if (count === clients.count) arrivals.push({ toLast: last - publishedAt[i], firstToLast: last - first });
  }
  const late = seconds - arrivals.length;
  const machine = used.machine - idle * used.seconds;
  return { ...used, machinePerPush: machine / used.frames, perPush: used.cpu / used.frames, bytesPerFrame: used.bytes / used.frames, late, arrivals };
}

/** Many small messages a second: CPU per message that arrives. */
export async function measureDeliveries(session, rate, seconds, warmUp, { merged }) {
  const { publisher, clients } = session;
  const publish = (duration) => merged
    ? everySecond(duration, () => publisher.publish(rate, messageBytes + 1))
    : steadily(rate, duration, count => publisher.publish(count, messageBytes));
  const { messages } = await clients.counts();
  await publish(warmUp);
  await clients.whenReceived(messages + warmUp * rate * clients.count, catchUpTime);
  await delay(settleTime * 1000);

  const before = await clients.counts();
  const expected = rate * seconds * clients.count;
  const used = await whileMeasuring(session, async () => {
    await publish(seconds);
    await clients.whenReceived(before.messages + expected, catchUpTime);
  });
  return {
    ...used,
    rate,
    expected,
    received: used.messages / expected,
    perDelivery: used.cpu / used.messages,
    redisPerDelivery: used.redisCpu / used.messages,
  };
}

/**
 * Private memory of a server's idle connections, less what it has with a hundredth of them: its process, and what the first connections made it
 * load and compile. Both samples are taken after the same idle time, which several servers spend together: hence the steps.
 */
export class MemoryMeasurement {
  #session;
  #idleSeconds;
  #few;
  #many;
  #sampleAt;

  static async start(session, connections, idleSeconds) {
    const measurement = new MemoryMeasurement();
    measurement.#session = session;
    measurement.#idleSeconds = idleSeconds;
    measurement.#few = await measurement.#connect(Math.ceil(connections / 100));
    return measurement;
  }

  async addConnections(connections) {
    this.base = await this.#sample();
    this.#many = await this.#connect(connections);
  }

  async result() {
    const total = await this.#sample();
    const { count } = this.#many;
    return { base: this.base, total, connections: count, perConnection: (total - this.base) / count };
  }

  async stop() {
    await this.#few?.stop();
    await this.#session.stop();
  }

  async #connect(connections) {
    const { clients } = await this.#session.connect(connections);
    this.#sampleAt = now() + this.#idleSeconds;
    return clients;
  }

  async #sample() {
    await delay(Math.max(0, (this.#sampleAt - now()) * 1000));
    for (const clients of [this.#few, this.#many]) {
      const { closed } = await clients?.counts() ?? { closed: 0 };
      if (closed > 0) throw new Error(`it closed ${closed} idle connections`);
    }
    return this.#session.server.privateBytes();
  }
}

async function whileMeasuring(session, work) {
  const sample = async () => ({
    cpu: session.server.cpuSeconds(),
    redisCpu: session.redis?.cpuSeconds() ?? 0,
    packetThreads: packetThreadSeconds(),
    user: session.server.userSeconds(),
    machine: machineCpu().busy,
    at: now(),
    ...await session.clients.counts(),
  });
  const before = await sample();
  await work();
  const after = await sample();
  if (after.closed > 0) throw new Error(`it closed ${after.closed} connections`);
  if (after.messages === before.messages) throw new Error("no published message arrived");
  const difference = key => after[key] - before[key];
  return {
    seconds: difference("at"),
    cpu: difference("cpu"),
    redisCpu: difference("redisCpu"),
    packetThreads: difference("packetThreads"),
    user: difference("user"),
    machine: difference("machine"),
    frames: difference("frames"),
    bytes: difference("bytes"),
    messages: difference("messages"),
    clientCpu: difference("clientCpu"),
  };
}

/** CPU that the machine uses while nothing is published. */
async function idleSecondsPerSecond() {
  const [before, began] = [machineCpu().busy, now()];
  await delay(idleTime * 1000);
  return (machineCpu().busy - before) / (now() - began);
}

/** The message length that gives a frame of this many bytes on the wire, found by sending one. */
async function messageLengthFor({ publisher, clients }, bytesOnWire) {
  const probe = 500;
  publisher.publish(1, probe);
  await clients.whenReceived(clients.count, 10);
  const { frames, bytes } = await requireAlike(clients);
  return bytesOnWire - (bytes / frames - probe);
}

/** The counts; fails unless every connection has received the same number of messages. */
async function requireAlike(clients) {
  const counts = await clients.counts();
  if (counts.messages === 0 || counts.messages % clients.count !== 0) {
    throw new Error(`${clients.count} connections received ${counts.messages} messages in all`);
  }
  return counts;
}

async function everySecond(times, act) {
  const start = now();
  for (let i = 0; i < times; i++) {
    act();
    await delay(Math.max(0, (start + i + 1 - now()) * 1000));
  }
}

/** Publishes the due messages every few milliseconds. */
async function steadily(rate, seconds, publish) {
  const start = now();
  const total = rate * seconds;
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor((now() - start) * rate) + 1);
    if (due > sent) publish(due - sent);
    sent = due;
    await delay(Math.min(10, 1000 / rate));
  }
}
