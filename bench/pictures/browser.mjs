import { existsSync } from "node:fs";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import { images } from "./repository.mjs";

const Flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"];
const Programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const Format = { type: "webp", quality: 80 };

/** Takes a picture of a page, or of its element, as docs/images/NAME.webp. */
export async function save(page, name) {
  const path = join(images, `${name}.webp`);
  await page.screenshot({ path, ...Format });
  console.log(path);
}

/** Takes a picture for readers of light and one for readers of dark pages, after the work is done. */
export async function inBothColors(name, width, height, work) {
  for (const scheme of ["light", "dark"]) {
    await withPage(width, height, async page => {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await work(page);
      await save(page, `${name}-${scheme}`);
    });
  }
}

/** Runs something with Debian's Chromium, and ends it. A mistake in the page is an error here. */
export async function withPage(width, height, work) {
  const executablePath = Programs.find(existsSync);
  if (!executablePath) throw new Error(`No Chromium at ${Programs.join(", ")}`);
  const browser = await puppeteer.launch({ executablePath, args: Flags });
  try {
    const page = await browser.newPage(), errors = [];
    page.on("pageerror", error => errors.push(error));
    await page.setViewport({ width, height });
    await work(page);
    if (errors.length > 0) throw errors[0];
  } finally {
    await browser.close();
  }
}
