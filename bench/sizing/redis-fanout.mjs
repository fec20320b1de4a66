// What one PUBLISH costs redis-server, by number of subscribers: node bench/sizing/redis-fanout.mjs [SIZE]
// Starts a Redis on a free loopback port, takes about half a minute and stops it again. The figure is the server's own account of its CPU
// (getrusage), so the load of publisher and subscribers on the same machine does not count.
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { once } from "node:events";
import { freePort } from "../measure/processes.mjs";

const Size = Number(process.argv[2] ?? 600);
const Subscribers = [1, 10, 50, 100, 200];
const InFlight = [1, 64];
const Copies = 400_000;
const MaxMessages = 40_000;

async function open(port) {
  const socket = connect(port, "127.0.0.1").setNoDelay();
  await once(socket, "connect");
  return socket;
}

/** Sends a command and returns its reply as text. */
async function ask(socket, command) {
  socket.write(command + "\r\n");
  const [answer] = await once(socket, "data");
  return answer.toString();
}

/** CPU of the server so far, in microseconds. */
async function cpu(socket) {
  const info = await ask(socket, "INFO cpu");
  const seconds = name => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)[1]);
  return (seconds("used_cpu_sys") + seconds("used_cpu_user")) * 1e6;
}

/** Publishes this many messages, with at most inFlight unanswered at a time. */
function publish(socket, messages, inFlight) {
  const payload = "x".repeat(Size);
  const command = `*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$${Size}\r\n${payload}\r\n`;
  let sent = 0;
  let answered = 0;
  return new Promise(resolve => {
    const fill = () => {
      const room = Math.min(inFlight - (sent - answered), messages - sent);
      if (room > 0) {
        sent += room;
        socket.write(command.repeat(room));
      }
    };
    socket.on("data", data => {
      for (const byte of data) {
        if (byte === 10) answered++;
      }
      if (answered === messages) {
        socket.removeAllListeners("data");
        resolve();
      } else {
        fill();
      }
    });
    fill();
  });
}

const port = await freePort();
const options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--client-output-buffer-limit", "pubsub 0 0 0"];
const redis = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
process.on("exit", () => redis.kill());
for await (const line of redis.stdout) {
  if (line.includes("Ready to accept connections")) break;
}
redis.stdout.resume();

const publisher = await open(port);
const observer = await open(port);
const members = [];
console.log(`${Size}-byte payload\n\nsubscribers  in flight  us CPU/PUBLISH  us CPU/copy  PUBLISH/s of one core`);
for (const subscribers of Subscribers) {
  while (members.length < subscribers) {
    const member = await open(port);
    await ask(member, "SUBSCRIBE c");
    member.on("data", () => {});
    members.push(member);
  }
  for (const inFlight of InFlight) {
    const messages = Math.min(MaxMessages, Math.ceil(Copies / subscribers));
    await publish(publisher, Math.ceil(messages / 10), inFlight);
    const before = await cpu(observer);
    await publish(publisher, messages, inFlight);
    const each = (await cpu(observer) - before) / messages;
    const perCopy = (each / subscribers).toFixed(2);
    const columns = [[subscribers, 11], [inFlight, 11], [each.toFixed(1), 16], [perCopy, 13], [Math.round(1e6 / each), 23]];
    console.log(columns.map(([value, width]) => String(value).padStart(width)).join(""));
  }
}
process.exit();
