// One page in a headless browser, driven by npm's puppeteer-core.
//   node browser.js <chrome or firefox> <its program> <view as JSON>
// Each line of standard input is [what, ...arguments], a method of `page` below; each line of standard output is {"value": any} or {"failed": "..."},
// its answer, after one without a value that tells that the browser is open. The browser closes at the end of standard input.
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [kind, executablePath, view] = process.argv.slice(2);
const { width, height, dark, reducedMotion, host } = JSON.parse(view);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"];
const tell = (what) => console.log(JSON.stringify(what));
const browser = await puppeteer.launch({
  browser: kind,
  executablePath,
  headless: true,
  // Who asks decides how long to wait.
  timeout: 0,
  defaultViewport: { width, height },
  args: kind === "chrome" ? [...flags, ...(host ? [`--host-resolver-rules=MAP ${host} 127.0.0.1`] : [])] : [],
  // Firefox has no emulation of media features over WebDriver BiDi.
  extraPrefsFirefox: { "ui.systemUsesDarkTheme": dark ? 1 : 0, "ui.prefersReducedMotion": reducedMotion ? 1 : 0 },
});
// Not the tab that is there: Firefox's has no focus, so that keys press no button in it.
const tab = await browser.newPage();
tab.setDefaultTimeout(0);
await tab.setViewport({ width, height });
if (kind === "chrome") {
  await tab.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
    { name: "prefers-reduced-motion", value: reducedMotion ? "reduce" : "no-preference" },
  ]);
}

const errors = [];
tab.on("console", (message) => { if (message.type() === "error") errors.push(`console: ${message.text()}`); });
tab.on("pageerror", (error) => errors.push(`exception: ${error.message}`));
tab.on("requestfailed", (request) => errors.push(`failed: ${request.method()} ${request.url()} ${request.failure()?.errorText}`));
tab.on("response", (response) => { if (response.status() >= 400) errors.push(`status ${response.status()}: ${response.url()}`); });
// Firefox does not report these as console messages.
await tab.evaluateOnNewDocument(() => addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)));

// It is open.
tell({ value: null });

const page = {
  goto: (url) => tab.goto(url, { waitUntil: "load" }).then((response) => response?.status() || 200),
  evaluate: (expression) => tab.evaluate(expression),
  press: (key) => tab.keyboard.press(key),
  type: (text) => tab.keyboard.type(text),
  click: (selector) => tab.click(selector),
  resize: (size) => tab.setViewport(size),
  screenshot: (path) => tab.screenshot({ path }).then(() => null),
  leave: async () => {
    const before = errors.length;
    await tab.goto("about:blank");
    errors.length = before;
    return null;
  },
  errors: () => errors.splice(0),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...args] = JSON.parse(line);
  try {
    tell({ value: (await page[what](...args)) ?? null });
  } catch (error) {
    tell({ failed: error.message });
  }
}
await browser.close();
