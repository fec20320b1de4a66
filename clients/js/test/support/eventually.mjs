import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** Waits until a condition holds; the time is generous, because machines are slow at times. */
export async function eventually(condition, what, log = () => "") {
  for (const end = Date.now() + 120_000; !(await condition()); await delay(10))
    if (Date.now() > end) assert.fail(`Not in two minutes: ${what}. ${log()}`);
}
