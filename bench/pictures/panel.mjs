// What of Grafana's panels is drawn. Everything else is refused: a guess would look like Grafana's answer.
const Drawn = {
  row: {},
  stat: { colorMode: ["value"], graphMode: ["area"], textMode: ["auto"] },
  timeseries: {},
  "state-timeline": { mergeValues: [true], showValue: ["never"] },
  table: { showHeader: [true] },
  heatmap: { calculate: [false], showValue: ["never"] },
};
const Units = ["none", "locale", "cps", "reqps", "s", "percentunit", "Bps", "bytes"];
const Calculations = ["lastNotNull"];
const Colors = ["palette-classic", "thresholds"];
const Transformations = ["organize"];

/** Fails where the panel has what this script does not draw. */
export function check(dashboard, panel) {
  const refuse = what => {
    throw new Error(`${dashboard}: ${panel.title}: bench/pictures does not draw ${what}. Teach it, or leave the panel out.`);
  };
  const options = Drawn[panel.type] ?? refuse(`the panel type ${panel.type}`);
  for (const [name, known] of Object.entries(options)) {
    if (!known.includes(panel.options[name])) refuse(`the option ${name} = ${panel.options[name]}`);
  }
  if (panel.type === "row") {
    if (panel.panels.length > 0) refuse("a collapsed row");
    return;
  }
  const { defaults, overrides } = panel.fieldConfig;
  if (overrides.length > 0) refuse("an override of fields");
  if (!Units.includes(defaults.unit)) refuse(`the unit ${defaults.unit}`);
  if (defaults.color && !Colors.includes(defaults.color.mode)) refuse(`the colour mode ${defaults.color.mode}`);
  if (defaults.thresholds && defaults.thresholds.mode !== "absolute") refuse(`the threshold mode ${defaults.thresholds.mode}`);
  if (defaults.mappings?.some(mapping => mapping.type !== "value")) refuse("a mapping other than of values");
  if (panel.type === "timeseries" && (defaults.custom.drawStyle !== "line" || defaults.custom.spanNulls)) refuse("other than lines with gaps");
  const legend = panel.type === "heatmap" ? undefined : panel.options.legend;
  if (legend && (!legend.showLegend || legend.placement !== "bottom" || legend.calcs.length > 0)) refuse("a legend other than names below");
  for (const calculation of panel.options.reduceOptions?.calcs ?? []) {
    if (!Calculations.includes(calculation)) refuse(`the calculation ${calculation}`);
  }
  for (const { id } of panel.transformations ?? []) {
    if (!Transformations.includes(id)) refuse(`the transformation ${id}`);
  }
}
