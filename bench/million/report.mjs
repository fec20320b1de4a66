import { whole } from "./needs.mjs";
import { batchMessages, limits } from "./options.mjs";

const gigabytes = bytes => (bytes / 2 ** 30).toFixed(2);

/** The result in words, and whether it passed. */
export function report({ options, result, watch, before, connected, counters, deaths }) {
  const { viewers, batches, window } = options;
  const { sequences, total, bursts, verdict } = result;
  const lines = [`\n${whole(viewers)} viewers of ${options.processes} nodes connected and joined in ${result.connectSeconds.toFixed(0)} s.`, ""];
  lines.push("batch   deliveries     missing  first member, s  last member, s  CPU of the machine, s  of nodes  of the load");
  bursts.forEach((burst, i) => {
    const [at, first, last] = [burst.at, burst.first, burst.last].map(microseconds => microseconds / 1e6);
    const cpu = watch.cpuBetween(at, last);
    const cells = [
      [i + 1, 5], [whole(burst.deliveries), 13], [whole(viewers * batchMessages - burst.deliveries), 12],
      [(first - at).toFixed(2), 17], [(last - at).toFixed(2), 16],
      [cpu.machine.toFixed(1), 23], [cpu.nodes.toFixed(1), 10], [cpu.load.toFixed(1), 13],
    ];
    lines.push(cells.map(([value, width]) => String(value).padStart(width)).join(""));
  });

  const perViewer = figure => `${((connected[figure] - before[figure]) / viewers / 1024).toFixed(1)} KB a viewer`;
  lines.push(
    "",
    `memory when all had joined, GB: nodes ${gigabytes(connected.nodeBytes)} (${perViewer("nodeBytes")} above the empty nodes), `
      + `load ${gigabytes(connected.loadBytes)}, kernel ${gigabytes(connected.kernelBytes)} (${perViewer("kernelBytes")})`,
    `the most of the run, GB: nodes ${gigabytes(watch.most("nodeBytes"))}, load ${gigabytes(watch.most("loadBytes"))}, `
      + `kernel ${gigabytes(watch.most("kernelBytes"))}, TCP's queues ${gigabytes(watch.most("socketPages") * 4096)}; least available ${gigabytes(watch.least("available"))}`,
    `frames, the first message's included: ${whole(total.deflatedFrames)}, ${gigabytes(total.deflatedBytes)} GB deflated, `
      + `${gigabytes(total.inflatedBytes)} GB of JSON`,
    `kernel: ${words(watch.troubles())}`,
    `nodes: ${words(Object.fromEntries(counters))}`,
    "",
  );

  const last = Math.max(0, ...bursts.map(burst => burst.last - burst.at)) / 1e6;
  const checks = [
    [`connected and joined in ${limits.connect} s`, `${result.connectSeconds.toFixed(0)} s`, result.connectSeconds <= limits.connect],
    ["batches", bursts.length, bursts.length === batches],
    ["deliveries", whole(total.deliveries), total.deliveries === viewers * batches * batchMessages],
    ["lost", sequences.lost, sequences.lost === 0],
    ["duplicated", sequences.duplicates, sequences.duplicates === 0],
    ["out of order", sequences.reordered, sequences.reordered === 0],
    [`last member within ${window + limits.behindWindow} s of its window's begin`, `${last.toFixed(2)} s`, bursts.length > 0 && last <= window + limits.behindWindow],
    ["PushLoad", verdict.reasons.join("; ") || "passed", verdict.exitCode === "Passed"],
    ["programs that ended early", deaths.join("; ") || 0, deaths.length === 0],
  ];
  const passed = checks.every(([, , isGood]) => isGood);
  lines.push(...checks.map(([what, value, isGood]) => `${isGood ? "ok  " : "FAIL"} ${what}: ${value}`), "", passed ? "passed" : "FAILED");
  return { text: lines.join("\n"), passed };
}

const words = counts => Object.entries(counts).map(([name, value]) => `${name} ${whole(value)}`).join(", ") || "nothing to tell";
