/** Random numbers from 0 to 1; the test prints the seed, and SEED=n repeats them. */
export function randomFrom(test) {
  let state = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  test.diagnostic(`SEED=${state}`);
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
