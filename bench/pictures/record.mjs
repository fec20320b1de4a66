import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stopAll } from "../measure/processes.mjs";
import { Farm } from "./farm.mjs";
import { check } from "./panel.mjs";
import { repository } from "./repository.mjs";

// As in prometheus.yml and in Grafana's data source; Grafana's rate interval is four of it.
const ScrapeSeconds = 5;
const RateInterval = `${4 * ScrapeSeconds}s`;

/** Runs a farm for so many minutes, disturbs it, and asks Prometheus everything that the dashboards ask. */
export async function record(minutes) {
  const directory = join(repository, "grafana/dashboards");
  const names = readdirSync(directory).filter(name => name.endsWith(".json"));
  const dashboards = names.map(name => ({ name: name.replace(".json", ""), file: JSON.parse(readFileSync(join(directory, name), "utf8")) }));
  dashboards.forEach(({ name, file }) => file.panels.forEach(panel => check(name, panel)));

  const farm = new Farm();
  try {
    await farm.start();
    const from = Math.ceil(Date.now() / 1000 / ScrapeSeconds) * ScrapeSeconds;
    await Promise.all([...farm.load(minutes * 60).map(load => load.ended), disturb(farm, minutes * 60)]);
    // PushLoad publishes until a moment after this, so the last values are those of a farm at work.
    const range = { from, to: from + minutes * 60 - ScrapeSeconds, step: ScrapeSeconds };
    const answered = [];
    for (const dashboard of dashboards) answered.push(await answers(farm, dashboard, range));
    return { date: new Date().toISOString().slice(0, 10), ...range, dashboards: answered };
  } finally {
    await stopAll();
    farm.forget();
  }
}

async function disturb(farm, seconds) {
  await delay(0.25 * seconds * 1000);
  await farm.restart(0);
  await delay(0.15 * seconds * 1000);
  await farm.crash(1, 50);
  await delay(0.15 * seconds * 1000);
  await farm.stallRedis(12);
}

async function answers(farm, { name, file }, range) {
  const variables = { __rate_interval: RateInterval };
  for (const variable of file.templating.list) variables[variable.name] = await allValues(farm, variable);
  const panels = [];
  for (const panel of file.panels) {
    const targets = [];
    for (const { expr, instant, legendFormat } of panel.targets ?? [])
      targets.push({ legend: legendFormat, result: await ask(farm, filledIn(expr, variables), instant, range) });
    panels.push({ panel, targets });
  }
  const annotations = [];
  for (const annotation of file.annotations.list)
    annotations.push({ ...annotation, result: await ask(farm, annotation.expr, false, range) });
  return { name, title: file.title, panels, annotations };
}

/** The variable set to All: Grafana joins its values to one regular expression. */
async function allValues(farm, { name, query }) {
  const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(query.query) ?? [];
  if (!series) throw new Error(`The variable ${name} is not a label_values(SERIES, LABEL): ${query.query}`);
  const values = await farm.ask(`label/${label}/values`, { "match[]": series });
  return `(${values.map(value => value.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&")).join("|")})`;
}

function filledIn(expression, variables) {
  return expression.replace(/\$(\w+)/g, (_, name) => {
    if (name in variables) return variables[name];
    throw new Error(`Unknown variable $${name} in ${expression}`);
  });
}

async function ask(farm, query, instant, { from, to, step }) {
  const data = instant ? await farm.ask("query", { query, time: to }) : await farm.ask("query_range", { query, start: from, end: to, step });
  return data.result;
}
