const microseconds = 1e6;
const milliseconds = 1e3;
const kilobytes = 1 / 1024;

/** Tables in Markdown, and what is to be said about them. */
export function report({ entries, results, alone, failures, options, machine, minutes }) {
  const rows = Object.keys(entries).map(key => ({ key, title: entries[key].title, results: results[key] }));
  const floor = rows.find(row => row.key === "floor");
  const us = rows.find(row => entries[row.key].kind === "ours" && row.results.pushes.length > 0);
  const tables = [
    `**One room of ${grouped(options.connections)} connections, a 600-byte frame a second**`,
    table(rows, [
      figure("CPU per push, us", "pushes", push => push.perPush * microseconds, 2),
      ratio("x floor", floor, "pushes", push => push.perPush),
      figure("publish to last, ms", "pushes", push => toLast(push) * milliseconds, 0),
      ratio("x floor", floor, "pushes", toLast),
      figure("first to last, ms", "pushes", push => median(push.arrivals.map(arrival => arrival.firstToLast)) * milliseconds, 0),
    ]),
    `**One room of ${grouped(options.smallRoom)} connections, messages of 60 bytes, 100 and 1,000 a second**`,
    table(rows, [
      figure("100/s: CPU per delivery, us", "deliveries100", delivery => delivery.perDelivery * microseconds, 3),
      ratio("x RedisPush", us, "deliveries100", delivery => delivery.perDelivery),
      plain("arrived in time", "deliveries100", delivery => delivery.received * 100, value => `${Math.floor(value)} %`),
      plain("Redis beside, us", "deliveries100", delivery => delivery.redisPerDelivery * microseconds, value => value ? value.toFixed(3) : ""),
      figure("1,000/s: CPU per delivery, us", "deliveries1000", delivery => delivery.perDelivery * microseconds, 3),
      plain("arrived in time", "deliveries1000", delivery => delivery.received * 100, value => `${Math.floor(value)} %`),
      plain("Redis beside, us", "deliveries1000", delivery => delivery.redisPerDelivery * microseconds, value => value ? value.toFixed(3) : ""),
    ]),
    `**Connections**`,
    table(rows, [
      figure("private memory per idle connection, KB", "memory", memory => memory.perConnection * kilobytes, 2),
      ratio("x RedisPush", us, "memory", memory => memory.perConnection),
      plain("of the process, MB", "memory", memory => memory.total / 2 ** 20, value => value.toFixed(0)),
      figure("handshakes and joins per CPU second", "accepting", accepting => accepting.perCpuSecond, 0),
      ratio("x RedisPush", us, "accepting", accepting => accepting.perCpuSecond),
      figure("per second", "accepting", accepting => accepting.perSecond, 0),
    ]),
  ];
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`).join(", ");
  const facts = [
    `\`${options.command}\`, ${options.rounds} ${options.rounds === 1 ? "round" : "rounds"}, ${minutes} minutes, ${machine.date}, commit ${machine.commit}.`,
    `Machine: ${machine.cpu}, ${machine.memory}, ${machine.system}, Linux ${machine.kernel}, load ${machine.loadBefore} before the run.`,
    `Versions: ${versions}.`,
    options.rounds > 1 ? "Each figure is the median of the rounds, in brackets the least and the greatest." : "One round: no medians.",
    us ? `"x RedisPush" compares with ${us.title}.` : "",
  ];
  const notes = rows.flatMap(row => [...lateNotes(row), ...packetThreadNotes(row)]).concat(failures.map(({ title, what, round, reason }) => `- ${title}, ${what}, round ${round}, not measured: ${reason.split("\n")[0]}`));
  return [facts.filter(Boolean).join("\n"), ...tables, ...aloneParts(alone), ...(notes.length > 0 ? [`**Notes**`, notes.join("\n")] : [])].join("\n\n");
}

/** What only this project was asked. */
function aloneParts({ title, lockWait, farm }) {
  const upTo = seconds => Number.isFinite(seconds) ? `at most ${seconds * microseconds} us` : "more than the last bucket";
  const lines = [];
  if (lockWait) {
    lines.push(`- Lock wait: ${grouped(Math.round(lockWait.changesPerSecond))} joins and leaves a second during ${grouped(Math.round(lockWait.framesPerSecond))} pushes a second: ${grouped(lockWait.acquisitions)} acquisitions of a shard's lock, p99 ${upTo(lockWait.p99)}, p99.9 ${upTo(lockWait.p999)}, ${lockWait.above} above 1 ms. PushLoad ended with ${lockWait.exitCode}.`);
  }
  if (farm) {
    lines.push(`- ${farm.nodes} nodes, ${grouped(farm.connections)} connections, one room, a batch a second for ${Math.round(farm.seconds)} s: ${grouped(farm.messages)} messages, ${grouped(farm.deliveries)} deliveries, ${farm.lost} lost, ${farm.duplicates} duplicated, ${farm.reordered} out of order, ${farm.disconnects} disconnects; a frame's last member got it ${Math.round(farm.lastMember.p50 / 1000)} ms after its newest message was due (median), ${Math.round(farm.lastMember.max / 1000)} ms at most. PushLoad ended with ${farm.exitCode}.`);
  }
  return lines.length > 0 ? [`**${title} alone**`, lines.join("\n")] : [];
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Frames that some connection had not received when the measurement ended: they are in no time to the last. */
function lateNotes({ title, results }) {
  const late = results.pushes.reduce((sum, push) => sum + push.late, 0);
  return late > 0 ? [`- ${title}: ${late} frames of all rounds had not reached every connection in time.`] : [];
}

/** Where so much was done outside the server's account that its figure is too low. */
function packetThreadNotes({ title, results }) {
  return ["pushes", "deliveries100", "deliveries1000"].flatMap(stage => {
    const share = results[stage].length > 0 ? median(results[stage].map(({ packetThreads, cpu }) => packetThreads / cpu)) : 0;
    return share > 0.05 ? [`- ${title}, ${stage}: the kernel's packet threads, whoever they worked for, took ${Math.round(share * 100)} % of the server's CPU beside it.`] : [];
  });
}

const toLast = push => median(push.arrivals.map(arrival => arrival.toLast));

function figure(heading, stage, read, digits) {
  return { heading, cell: row => summary(row.results[stage].map(read).filter(Number.isFinite), value => grouped(value.toFixed(digits))) };
}

function plain(heading, stage, read, write) {
  return { heading, cell: row => row.results[stage].length > 0 ? write(median(row.results[stage].map(read))) : "" };
}

function ratio(heading, base, stage, read) {
  const of = row => median(row.results[stage].map(read).filter(Number.isFinite));
  return {
    heading,
    cell: row => {
      const value = base && of(row) / of(base);
      return Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : 0) : "";
    },
  };
}

function summary(values, write) {
  if (values.length === 0) return "-";
  if (values.length === 1) return write(values[0]);
  return `${write(median(values))} (${write(Math.min(...values))} - ${write(Math.max(...values))})`;
}

function grouped(number) {
  const [whole, fraction] = String(number).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (fraction ? `.${fraction}` : "");
}

function table(rows, columns) {
  const cells = [
    ["server", ...columns.map(column => column.heading)],
    ...rows.map(row => [row.title, ...columns.map(column => column.cell(row))]),
  ];
  const widths = cells[0].map((_, i) => Math.max(...cells.map(line => line[i].length)));
  const line = values => `| ${values.map((value, i) => i === 0 ? value.padEnd(widths[i]) : value.padStart(widths[i])).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`).join("|")}|`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join("\n");
}
