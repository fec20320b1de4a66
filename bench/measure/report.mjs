const microseconds = 1e6;
const milliseconds = 1e3;
const kilobytes = 1 / 1024;

/** The tables in Markdown, with facts before and notes after them. */
export function report({ entries, results, alone, failures, options, machine, minutes }) {
  const rows = Object.keys(entries).map(key => ({ key, title: entries[key].title, results: results[key] }));
  const floor = rows.find(row => row.key === "floor");
  const us = rows.find(row => entries[row.key].kind === "ours" && row.results.pushes.length > 0);
  const largeRoom = [
    `**One room of ${grouped(options.connections)} connections, a 600-byte frame a second**`,
    table(rows, [
      figure("CPU per push, us", "pushes", push => push.perPush * microseconds, 2),
      ratio("x floor", floor, "pushes", push => push.perPush),
      plain("of it in user mode", "pushes", push => push.user / push.cpu * 100, value => `${value.toFixed(0)} %`),
      figure("CPU of the machine per push, us", "pushes", push => push.machinePerPush * microseconds, 2),
      ratio("x floor", floor, "pushes", push => push.machinePerPush),
      figure("publish to last, ms", "pushes", push => toLast(push) * milliseconds, 0),
      ratio("x floor", floor, "pushes", toLast),
      figure("first to last, ms", "pushes", push => median(push.arrivals.map(arrival => arrival.firstToLast)) * milliseconds, 0),
    ]),
  ];
  const smallRoom = [
    `**One room of ${grouped(options.smallRoom)} connections, messages of 60 bytes, 100 and 1,000 a second**`,
    table(rows, [
      figure("100/s: CPU per delivery, us", "deliveries100", delivery => delivery.perDelivery * microseconds, 3),
      ratio("x RedisPush", us, "deliveries100", delivery => delivery.perDelivery),
      plain("arrived in time", "deliveries100", delivery => delivery.received * 100, value => `${Math.floor(value)} %`),
      plain("CPU of Redis, us", "deliveries100", delivery => delivery.redisPerDelivery * microseconds, value => value ? value.toFixed(3) : ""),
      figure("1,000/s: CPU per delivery, us", "deliveries1000", delivery => delivery.perDelivery * microseconds, 3),
      plain("arrived in time", "deliveries1000", delivery => delivery.received * 100, value => `${Math.floor(value)} %`),
      plain("CPU of Redis, us", "deliveries1000", delivery => delivery.redisPerDelivery * microseconds, value => value ? value.toFixed(3) : ""),
    ]),
  ];
  const connections = [
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
  const rounds = options.rounds === 1 ? "1 round" : `${options.rounds} rounds`;
  const facts = [
    `\`${options.command}\`, ${rounds}, ${minutes} minutes, ${machine.date}, commit ${machine.commit}.`,
    `Machine: ${machine.cpu}, ${machine.memory}, ${machine.system}, Linux ${machine.kernel}, load ${machine.loadBefore} before the run.`,
    ...machine.warnings.map(sentence => `**Warning:** ${sentence}`),
    `Versions: ${versions}.`,
    options.rounds > 1 ? "Each figure is the median of the rounds, in brackets the least and the greatest." : "One round: no medians.",
    us ? `"x RedisPush" compares with ${us.title}.` : "",
  ];
  const failed = failures.map(({ title, what, round, reason }) => `- ${title}, ${what}, round ${round}, not measured: ${reason.split("\n")[0]}`);
  const notes = [...rows.flatMap(row => [...lateNotes(row), ...packetThreadNotes(row)]), ...failed];
  const noteParts = notes.length > 0 ? [`**Notes**`, notes.join("\n")] : [];
  return [facts.filter(Boolean).join("\n"), ...largeRoom, ...(options.largeRoomOnly ? [] : smallRoom), ...connections, ...aloneParts(alone), ...noteParts].join("\n\n");
}

/** The measurements of this project alone. */
function aloneParts({ title, lockWait, farm }) {
  const upTo = seconds => Number.isFinite(seconds) ? `at most ${seconds * microseconds} us` : "more than the last bucket";
  const lines = [];
  if (lockWait) {
    const [changes, frames] = [lockWait.changesPerSecond, lockWait.framesPerSecond].map(value => grouped(Math.round(value)));
    lines.push(`- Lock wait: ${changes} joins and leaves a second during ${frames} pushes a second: `
      + `${grouped(lockWait.acquisitions)} acquisitions of a shard's lock,\n  p99 ${upTo(lockWait.p99)}, p99.9 ${upTo(lockWait.p999)}, `
      + `${lockWait.above} above 1 ms. PushLoad ended with ${lockWait.exitCode}.`);
  }
  if (farm) {
    const [p50, max] = [farm.lastMember.p50, farm.lastMember.max].map(value => Math.round(value / 1000));
    lines.push(`- ${farm.nodes} nodes, ${grouped(farm.connections)} connections, one room, a batch a second for ${Math.round(farm.seconds)} s: `
      + `${grouped(farm.messages)} messages, ${grouped(farm.deliveries)} deliveries,\n  ${farm.lost} lost, ${farm.duplicates} duplicated, `
      + `${farm.reordered} out of order, ${farm.disconnects} disconnects; a frame's last member received it\n  `
      + `${p50} ms after its newest message was due (median), ${max} ms at most. PushLoad ended with ${farm.exitCode}.`);
  }
  return lines.length > 0 ? [`**${title} alone**`, lines.join("\n")] : [];
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Frames that had not reached every connection at the end; "publish to last" does not count them. */
function lateNotes({ title, results }) {
  const late = results.pushes.reduce((sum, push) => sum + push.late, 0);
  return late > 0 ? [`- ${title}: ${late} frames of all rounds did not reach every connection in time.`] : [];
}

/** Servers whose figure is too low, because much work was outside their account. */
function packetThreadNotes({ title, results }) {
  return ["pushes", "deliveries100", "deliveries1000"].flatMap(stage => {
    const share = results[stage].length > 0 ? median(results[stage].map(({ packetThreads, cpu }) => packetThreads / cpu)) : 0;
    const percent = Math.round(share * 100);
    if (share <= 0.05) return [];
    return [`- ${title}, ${stage}: the kernel's packet threads used ${percent} % of the server's CPU in addition, which the figure leaves out.`];
  });
}

const toLast = push => median(push.arrivals.map(arrival => arrival.toLast));

function figure(heading, stage, read, digits) {
  return { heading, cell: row => summary(row.results[stage].map(read).filter(Number.isFinite), value => grouped(value.toFixed(digits))) };
}

function plain(heading, stage, read, write) {
  return { heading, cell: row => row.results[stage].length > 0 ? write(median(row.results[stage].map(read))) : "" };
}

/** The ratio to another server's figure of the same round: the median of the rounds and its spread. */
function ratio(heading, base, stage, read) {
  return {
    heading,
    cell: row => {
      if (!base) return "";
      const values = row.results[stage].flatMap(result => {
        const other = base.results[stage].find(({ round }) => round === result.round);
        return other ? [read(result) / read(other)] : [];
      }).filter(Number.isFinite);
      return values.length > 0 ? summary(values, value => value.toFixed(value < 10 ? 2 : 0)) : "";
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
