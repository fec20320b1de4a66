import { setTimeout as delay } from "node:timers/promises";
import { inBothColors } from "./browser.mjs";
import { withPushFarm } from "./pushfarm.mjs";

// Messages a second of the page's own storm, and how long it blows before the picture: the page's chart shows 30 s.
const Rate = 200;
const Seconds = 33;

/** The live room of a PushFarm. */
export const drawRoom = () => withPushFarm(({ clients }) => inBothColors("live-room", 1200, 950, async page => {
  await page.goto(`${clients}/`);
  await page.waitForFunction(() => document.querySelector(".state.joined"), { timeout: 20_000 });
  await page.evaluate(blow, Rate);
  await delay(Seconds * 1000);
}));

/** In the page: moves the slider to the first place with at least this rate. */
function blow(rate) {
  const slider = document.getElementById("storm");
  for (const place of Array.from({ length: Number(slider.max) + 1 }, (_, index) => index)) {
    slider.value = place;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    if (Number.parseInt(document.getElementById("storm-rate").textContent.replace(",", "")) >= rate) return;
  }
  throw new Error(`The storm has no rate of ${rate}.`);
}
