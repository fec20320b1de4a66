// How values are written: Grafana's units, as far as the dashboards use them. Runs in the page.
const scaled = (factor, names) => (value, decimals) => {
  let size = value, index = 0;
  while (Math.abs(size) >= factor && index < names.length - 1) {
    size /= factor;
    index++;
  }
  return `${digits(size, decimals)}${names[index]}`;
};

const seconds = (value, decimals) => {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 1e-3) return `${digits(value * 1e6, decimals)} µs`;
  if (size < 1) return `${digits(value * 1e3, decimals)} ms`;
  if (size < 60) return `${digits(value, decimals)} s`;
  return `${digits(value / 60, decimals)} min`;
};

const formats = {
  none: digits,
  locale: value => Number(digits(value)).toLocaleString("en"),
  cps: scaled(1000, [" c/s", "K c/s", "M c/s"]),
  reqps: scaled(1000, [" req/s", "K req/s", "M req/s"]),
  Bps: scaled(1000, [" B/s", " kB/s", " MB/s", " GB/s"]),
  bytes: scaled(1024, [" B", " KiB", " MiB", " GiB"]),
  percentunit: (value, decimals) => `${digits(value * 100, decimals)}%`,
  s: seconds,
};

/** The number with about three significant digits, or with the decimals that the panel wants. */
function digits(value, decimals) {
  if (decimals !== undefined) return value.toFixed(decimals);
  if (value === 0) return "0";
  return String(Number(value.toPrecision(Math.abs(value) >= 100 ? Math.ceil(Math.log10(Math.abs(value) + 1)) : 3)));
}

/** The value with its unit. */
function formatted(value, { unit, decimals }) {
  return formats[unit](value, decimals);
}
