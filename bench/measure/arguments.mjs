import { parseArgs } from "node:util";

/** What the command lines of the benches have in common: each refuses with one sentence and the usage. */
export function argumentsOf(usage) {
  function refuse(sentence) {
    console.error(`${sentence}\n\n${usage}`);
    process.exit(2);
  }

  function parse(config) {
    try {
      return parseArgs(config);
    } catch (error) {
      return refuse(error.message);
    }
  }

  function number(values, key, otherwise, least, most) {
    const value = values[key] === undefined ? otherwise : Number(values[key]);
    if (!Number.isInteger(value) || value < least || value > most) refuse(`--${key} accepts a number from ${least} to ${most}.`);
    return value;
  }

  return { parse, number, refuse };
}
