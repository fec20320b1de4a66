// Watches the live room for a long time with its storm at full: memory, frames a second, layout shifts, and whether the counts agree.
//   npm install --prefix bench/live-room
//   node bench/live-room/soak.mjs [http://localhost:7777] [minutes, 10] [chrome or firefox]
// A PushFarm runs there already. Chromium alone reports its heap (after a collection) and layout shifts. One line a minute, then the verdict;
// the exit code is 1 if the page lost count, had an error, or moved.
import { existsSync } from "node:fs";
import puppeteer from "puppeteer-core";

const [url = "http://localhost:7777", minutes = "10", kind = "chrome"] = process.argv.slice(2);
const Programs = {
  chrome: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
  firefox: ["/usr/bin/firefox-esr", "/usr/bin/firefox"],
};
const FrameBudget = 1000 / 60;

const executablePath = Programs[kind]?.find(existsSync);
if (!executablePath) throw new Error(`No ${kind} at ${Programs[kind]?.join(", ") ?? "any place"}`);
const browser = await puppeteer.launch({
  browser: kind, executablePath, headless: true, defaultViewport: { width: 1280, height: 800 },
  args: kind === "chrome" ? ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] : [],
});
const page = await browser.newPage(), errors = [];
page.on("pageerror", error => errors.push(error.message));
page.on("console", message => message.type() === "error" && errors.push(message.text()));

/** Runs in the page: counts the time between its frames, in whole milliseconds, and what moved without being asked. */
function observe() {
  const soak = globalThis.soak = { frames: new Uint32Array(1001), shifts: 0 };
  let last = performance.now();
  const frame = now => {
    soak.frames[Math.min(1000, Math.round(now - last))]++;
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  if (PerformanceObserver.supportedEntryTypes.includes("layout-shift"))
    new PerformanceObserver(list => list.getEntries().forEach(({ value }) => soak.shifts += value)).observe({ type: "layout-shift", buffered: true });
}

/** Runs in the page: its figures, and the frames since the last call. */
function read() {
  const number = id => Number(document.getElementById(id).textContent.replaceAll(",", ""));
  const figures = Object.fromEntries(["messages-total", "frames-total", "sent", "received", "missed", "waiting", "on-the-way", "gaps", "reconnects"].map(id => [id, number(id)]));
  const frames = [...globalThis.soak.frames];
  globalThis.soak.frames.fill(0);
  return { ...figures, frames, shifts: globalThis.soak.shifts, elements: document.getElementsByTagName("*").length, latency: document.getElementById("latency").textContent };
}

const setStorm = value => page.evaluate(value => {
  const slider = document.getElementById("storm");
  slider.value = value === "max" ? slider.max : "0";
  slider.dispatchEvent(new Event("input"));
}, value);

async function heap() {
  if (kind !== "chrome") return null;
  const session = await page.createCDPSession();
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize / 1e6;
}

function quantile(frames, part) {
  let rest = part * frames.reduce((sum, count) => sum + count, 0);
  return frames.findIndex(count => (rest -= count) <= 0);
}

const pause = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));

try {
  await page.goto(`${url}/#room=soak`);
  await page.waitForSelector(".state.joined");
  await page.evaluate(observe);
  await setStorm("max");
  await pause(10);
  await page.evaluate(read);
  console.log("minute   frames/s   median   99 %   longest      heap   elements   messages   missed   latency");
  const heaps = [], all = new Array(1001).fill(0);
  for (let minute = 1; minute <= Number(minutes); minute++) {
    const began = performance.now();
    await pause(60);
    const figures = await page.evaluate(read);
    const elapsed = (performance.now() - began) / 1000;
    figures.frames.forEach((count, time) => all[time] += count);
    heaps.push(await heap());
    console.log([
      String(minute).padStart(6), (figures.frames.reduce((sum, count) => sum + count, 0) / elapsed).toFixed(1).padStart(11),
      `${quantile(figures.frames, 0.5)} ms`.padStart(9), `${quantile(figures.frames, 0.99)} ms`.padStart(7), `${figures.frames.findLastIndex(count => count > 0)} ms`.padStart(10),
      (heaps.at(-1) === null ? "–" : `${heaps.at(-1).toFixed(2)} MB`).padStart(10), String(figures.elements).padStart(11),
      figures["messages-total"].toLocaleString("en").padStart(11), String(figures.missed).padStart(9), figures.latency.padStart(10),
    ].join(""));
  }

  await setStorm("0");
  await page.waitForFunction(() => ["waiting", "on-the-way"].every(id => document.getElementById(id).textContent === "0"), { timeout: 60_000 });
  const last = await page.evaluate(read);
  const late = all.reduce((sum, count, time) => sum + (time > 1.5 * FrameBudget ? count : 0), 0);
  const agrees = last.sent === last.received && last.received === last["messages-total"] && last.missed === 0 && last.gaps === 0;
  console.log(`sent ${last.sent}, received ${last.received}, missed ${last.missed}, in ${last["frames-total"]} frames; gaps ${last.gaps}, reconnects ${last.reconnects}`);
  console.log(`frames later than 25 ms: ${(100 * late / all.reduce((sum, count) => sum + count, 0)).toFixed(2)} %; layout shifts ${last.shifts.toFixed(4)}`);
  if (heaps[0] !== null) console.log(`heap ${heaps[0].toFixed(2)} MB after the first minute, ${heaps.at(-1).toFixed(2)} MB after the last`);
  console.log(`errors: ${errors.length === 0 ? "none" : errors.join("; ")}`);
  process.exitCode = agrees && errors.length === 0 && last.shifts === 0 ? 0 : 1;
} finally {
  await browser.close();
}
