// Draws one part of a dashboard into the page, with uPlot, the library that Grafana draws graphs with. The colours are Grafana's names.
/* global uPlot, formatted */
const Colors = { green: "#73bf69", yellow: "#fade2a", red: "#f2495c", blue: "#5794f2", orange: "#ff9830" };
const Palette = [
  "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9",
  "#705da0", "#37872d", "#fade2a", "#447ebc", "#c15c17", "#890f02", "#0a437c",
];
const Grey = "#9a9ba6", Grid = "rgba(204, 204, 220, 0.08)";
// What a step of an axis may be: whole minutes, bytes in powers of two, and whole numbers where the panel has no decimals.
const Minutes = [1, 2, 5, 10, 15, 30, 60].map(minutes => minutes * 60);
const PowersOfTwo = Array.from({ length: 40 }, (_, power) => 2 ** power);
const Whole = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map(digit => digit * 10 ** power)).flat();
// Of Grafana: a cell of the grid is 30 pixels high, the space between cells is 8.
const Cell = 30, Space = 8, Columns = 24, Width = 1200;

/** @param part the panels of some rows with what Prometheus answered, the time they span, and the sentence below them. */
function draw({ panels, annotations, from, to, step, caption }) {
  const page = document.getElementById("page"), top = Math.min(...panels.map(({ panel }) => panel.gridPos.y));
  let bottom = 0;
  for (const { panel, targets } of panels) {
    const { x, y, w, h } = panel.gridPos, column = (Width + Space) / Columns;
    const box = element("section", panel.type === "row" ? "row" : "panel");
    const size = { width: w * column - Space, height: h * (Cell + Space) - Space };
    place(box, { left: `${x * column}px`, top: `${(y - top) * (Cell + Space) + 4}px`, width: `${size.width}px`, height: `${size.height}px` });
    page.append(box);
    bottom = Math.max(bottom, (y - top + h) * (Cell + Space));
    box.append(panel.type === "row" ? panel.title : element("h2", "", panel.title));
    if (panel.type === "row") continue;
    const series = targets.flatMap(target => target.result.map(result => named(result, target.legend, { from, to, step })));
    const isEmpty = series.every(each => each.values.every(value => value === null));
    if (isEmpty) box.append(element("div", "empty", panel.fieldConfig.defaults.noValue));
    else drawings[panel.type](box, panel, series, { ...size, from, to, step, annotations });
  }
  const foot = element("footer", "", caption);
  foot.style.top = `${bottom + 2}px`;
  page.append(foot);
  page.style.height = `${bottom + 28}px`;
}

const drawings = { stat, timeseries, table, heatmap, "state-timeline": lanes };

/** A series of Prometheus with a value, or null, for each step. */
function named({ metric, values, value }, legend, { from, to, step }) {
  const known = new Map((values ?? [value]).map(([time, text]) => [Math.round(time), Number(text)]));
  const points = [];
  for (let time = from; time <= to; time += step) points.push(Number.isFinite(known.get(time)) ? known.get(time) : null);
  return { metric, values: points, name: legend?.replace(/{{\s*(\w+)\s*}}/g, (_, label) => metric[label] ?? "") ?? "" };
}

function stat(box, panel, series, { width, height, from, step }) {
  const { defaults } = panel.fieldConfig, all = element("div", "values");
  box.append(all);
  for (const { name, values } of series) {
    const last = values.findLast(value => value !== null), { text, color } = shown(last, defaults), one = element("div", "value");
    const number = element("b", "", text ?? formatted(last, defaults));
    number.style.color = color;
    one.append(number);
    if (name) one.append(element("span", "", name));
    all.append(one);
    const spark = element("div", "spark");
    one.prepend(spark);
    const times = values.map((_, index) => from + index * step), hidden = { show: false };
    new uPlot({
      width: width / series.length - 8, height: height * 0.36, legend: hidden, cursor: hidden, axes: [hidden, hidden], padding: [2, 0, 0, 0],
      scales: { x: {}, y: { range: (_, min, max) => [Math.min(0, min), max > min ? max : min + 1] } },
      series: [{}, { stroke: color, width: 1, fill: `${color}26`, points: hidden }],
    }, [times, values], spark);
  }
}

/** A value's text and colour: of its mapping, or of the highest threshold that it reaches. */
function shown(value, { mappings = [], thresholds }) {
  const mapped = mappings.map(mapping => mapping.options[String(value)]).find(Boolean);
  const threshold = thresholds.steps.findLast(step => step.value === null || value >= step.value);
  return { text: mapped?.text, color: Colors[mapped?.color ?? threshold.color] };
}

function timeseries(box, panel, series, { width, height, from, step, annotations }) {
  const { defaults } = panel.fieldConfig, stacked = defaults.custom.stacking?.mode === "normal";
  const times = series[0].values.map((_, index) => from + index * step), sums = times.map(() => 0);
  const lines = series.map(({ values }) => stacked ? values.map((value, index) => value === null ? null : sums[index] += value) : values);
  const opacity = Math.round(defaults.custom.fillOpacity * 2.55).toString(16).padStart(2, "0");
  const chart = element("div"), below = legend(series.map(({ name }, index) => [name, color(index)]));
  box.append(chart, below);
  const incrs = defaults.unit === "bytes" ? PowersOfTwo : defaults.decimals === 0 ? Whole : undefined;
  new uPlot({
    ...Bare, width: width - 18, height: height - 34 - below.offsetHeight,
    scales: { y: { range: (_, min, max) => [defaults.min ?? min, defaults.max ?? (max > 0 ? max * 1.05 : 1)] } },
    axes: [time(), axis({ size: 74, ...(incrs && { incrs }), values: (_, splits) => splits.map(value => formatted(value, defaults)) })],
    series: [{}, ...series.map((_, index) => (
      { stroke: color(index), width: defaults.custom.lineWidth, fill: `${color(index)}${opacity}`, points: { show: false } }))],
    // The area of a stacked series ends at the one below it.
    bands: stacked ? series.slice(1).map((_, index) => ({ series: [index + 2, index + 1] })) : [],
    hooks: { drawClear: [plot => mark(plot, annotations, step)] },
  }, [times, ...lines], chart);
}

/** The time while a critical alert fired, as Grafana marks a region. */
function mark(plot, annotations, step) {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { iconColor, result } of annotations) {
    ctx.fillStyle = `${Colors[iconColor]}30`;
    for (const [time] of result.flatMap(({ values }) => values)) {
      const left = plot.valToPos(time, "x", true), right = plot.valToPos(time + step, "x", true);
      ctx.fillRect(left, bbox.top, Math.min(right, bbox.left + bbox.width) - left, bbox.height);
    }
  }
  ctx.restore();
}

function lanes(box, panel, series, { from, to, step }) {
  const { defaults } = panel.fieldConfig, whole = to - from + step;
  const all = element("div", "lanes");
  box.append(all);
  for (const { name, values } of series) {
    const lane = element("div", "lane"), bar = element("div");
    lane.append(element("label", "", name), bar);
    for (let start = 0, index = 1; index <= values.length; index++) {
      if (index < values.length && values[index] === values[start]) continue;
      if (values[start] !== null) {
        const part = element("i");
        place(part, { left: `${start * step / whole * 100}%`, width: `${(index - start) * step / whole * 100}%` });
        part.style.background = shown(values[start], defaults).color;
        bar.append(part);
      }
      start = index;
    }
    all.append(lane);
  }
  const scale = element("div", "scale");
  scale.append(...[from, (from + to) / 2, to].map(time => element("span", "", clock(null, [time])[0])));
  all.append(scale);
  box.append(legend(defaults.mappings.flatMap(mapping => Object.values(mapping.options)).map(({ text, color }) => [text, Colors[color]])));
}

function heatmap(box, panel, series, { width, height, from, step }) {
  const { yAxis, color: { exponent }, filterValues } = panel.options;
  const limited = series.map(each => ({ ...each, limit: each.metric.le === "+Inf" ? Infinity : Number(each.metric.le) }));
  const buckets = limited.sort((a, b) => a.limit - b.limit);
  // Prometheus counts each bucket with all smaller ones.
  const smaller = (row, index) => buckets[row - 1]?.values[index] ?? 0;
  const cells = buckets.map(({ values }, row) => values.map((value, index) => value === null ? null : value - smaller(row, index)));
  const most = Math.max(...cells.flat()), times = cells[0].map((_, index) => from + index * step);
  const names = buckets.map(({ limit }) => limit === Infinity ? "more" : formatted(limit, yAxis));
  const chart = element("div");
  box.append(chart);
  new uPlot({
    ...Bare, width: width - 18, height: height - 36,
    scales: { y: { range: [0, names.length] } },
    axes: [time(), axis({ size: 74, splits: names.map((_, row) => row + 0.5), values: () => names })],
    series: [{}, { show: true, stroke: "transparent", points: { show: false } }],
    hooks: { draw: [plot => {
      for (const [row, values] of cells.entries()) {
        for (const [index, value] of values.entries()) {
          if (value === null || value <= filterValues.le) continue;
          const left = plot.valToPos(times[index] - step, "x", true), right = plot.valToPos(times[index], "x", true);
          const high = plot.valToPos(row + 1, "y", true), low = plot.valToPos(row, "y", true);
          plot.ctx.fillStyle = `hsl(28 90% ${25 + 60 * (value / most) ** exponent}%)`;
          plot.ctx.fillRect(Math.max(left, plot.bbox.left) + 1, high + 1, right - Math.max(left, plot.bbox.left) - 1, low - high - 1);
        }
      }
    }] },
  }, [times, times.map(() => 0)], chart);
}

function table(box, panel, series) {
  const { excludeByName = {}, indexByName = {} } = panel.transformations.find(({ id }) => id === "organize").options;
  const names = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].filter(name => !excludeByName[name])
    .sort((a, b) => (indexByName[a] ?? Infinity) - (indexByName[b] ?? Infinity));
  const grid = element("table"), line = (kind, texts) => {
    const row = element("tr");
    row.append(...texts.map(text => element(kind, "", text)));
    grid.append(row);
  };
  line("th", names);
  series.forEach(({ metric }) => line("td", names.map(name => metric[name] ?? "")));
  box.append(grid);
}

function legend(entries) {
  const box = element("div", "legend");
  for (const [name, color] of entries) {
    const entry = element("span"), line = element("i");
    line.style.background = color;
    entry.append(line, name);
    box.append(entry);
  }
  return box;
}

function element(kind, name = "", text = "") {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
}

const place = (box, style) => Object.assign(box.style, style);
const color = index => Palette[index % Palette.length];
const utc = time => uPlot.tzDate(new Date(time * 1000), "Etc/UTC");
const Bare = { legend: { show: false }, cursor: { show: false }, padding: [8, 8, 0, 0], tzDate: utc };
const clock = (_, times) => times.map(time => new Date(time * 1000).toISOString().slice(11, 16));
const time = () => axis({ size: 24, space: 40, incrs: Minutes, values: clock });
const axis = options => ({ stroke: Grey, font: '11px "DejaVu Sans"', grid: { stroke: Grid, width: 1 }, ticks: { show: false }, ...options });
