// Writes numbers for people: three digits are enough for a look.

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

const sizes = ['B', 'KB', 'MB', 'GB', 'TB'];

/** A count; thousands keep all their digits. */
export const count = value => Math.abs(value) >= 1000 ? whole.format(value) : number.format(value);

export function bytes(value) {
  let power = 0;
  while (Math.abs(value) >= 1000 && power < sizes.length - 1) {
    value /= 1000;
    power++;
  }
  return `${number.format(value)} ${sizes[power]}`;
}

export function seconds(value) {
  if (value === 0) return '0 s';
  if (value < 1e-3) return `${number.format(value * 1e6)} µs`;
  if (value < 1) return `${number.format(value * 1e3)} ms`;
  return `${number.format(value)} s`;
}

/** A duration of minutes to days, as two units. */
export function duration(total) {
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  const first = units.findIndex(([, size]) => total >= size);
  if (first < 0) return '0 s';
  const parts = [];
  for (const [name, size] of units.slice(first, first + 2)) {
    const units = Math.floor(total / size);
    total -= units * size;
    if (units > 0) parts.push(`${units} ${name}`);
  }
  return parts.join(' ');
}

export const clock = milliseconds => new Date(milliseconds).toLocaleTimeString('en-GB');

const writers = {
  count,
  per_second: value => `${count(value)}/s`,
  bytes,
  bytes_per_second: value => `${bytes(value)}/s`,
  seconds,
};

/** A value of a plot. */
export const inUnit = (value, unit) => value === null || value === undefined ? 'none' : writers[unit](value);
