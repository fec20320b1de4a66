import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { save, withPage } from "./browser.mjs";
import { record } from "./record.mjs";
import { images, repository } from "./repository.mjs";

// Rows go into one picture as long as it has at most this many cells of Grafana's grid.
const MostCells = 34;

const Origin = "Drawn by bench/pictures/make.mjs from the dashboard's queries and a real Prometheus; not Grafana's own rendering.";

const recording = join(repository, "artifacts/images/dashboards.json");

/** Draws the dashboards. With `again`, from the last recording, without a farm. */
export async function drawDashboards({ minutes, again }) {
  if (!again) {
    mkdirSync(dirname(recording), { recursive: true });
    writeFileSync(recording, JSON.stringify(await record(minutes)));
  }
  const { dashboards, date, ...time } = JSON.parse(readFileSync(recording, "utf8"));
  for (const name of readdirSync(images).filter(name => /^grafana-.*\.webp$/.test(name))) rmSync(join(images, name));
  for (const dashboard of dashboards) {
    for (const [index, panels] of parts(dashboard.panels).entries()) {
      await draw(`grafana-${dashboard.name}-${index + 1}`, { panels, annotations: dashboard.annotations, caption: `${dashboard.title}, ${date}, UTC. ${Origin}`, ...time });
    }
  }
}

/** The panels in as few pictures as hold whole rows. */
function parts(panels) {
  const rows = [];
  for (const each of panels.toSorted((a, b) => a.panel.gridPos.y - b.panel.gridPos.y || a.panel.gridPos.x - b.panel.gridPos.x)) {
    if (each.panel.type === "row") rows.push([]);
    rows.at(-1).push(each);
  }
  const height = row => Math.max(...row.map(({ panel }) => panel.gridPos.y + panel.gridPos.h)) - row[0].panel.gridPos.y;
  const all = [];
  let cells = Infinity;
  for (const row of rows) {
    cells += height(row);
    if (cells > MostCells) {
      all.push([]);
      cells = height(row);
    }
    all.at(-1).push(...row);
  }
  return all;
}

async function draw(name, part) {
  const uplot = dirname(createRequire(import.meta.url).resolve("uplot"));
  const text = name => readFileSync(new URL(name, import.meta.url), "utf8");
  const scripts = [readFileSync(join(uplot, "uPlot.iife.min.js"), "utf8"), text("units.js"), text("dashboard.js")];
  await withPage(1200, 800, async page => {
    await page.setContent(`<!doctype html><meta charset="utf-8"><title>dashboard</title><div id="page"></div>`);
    await page.addStyleTag({ content: readFileSync(join(uplot, "uPlot.min.css"), "utf8") + text("dashboard.css") });
    for (const content of scripts) await page.addScriptTag({ content });
    await page.evaluate(part => globalThis.draw(part), part);
    const box = await page.$("#page");
    // uPlot draws in a microtask after it was made.
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await save(box, name);
  });
}
