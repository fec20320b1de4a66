import { setTimeout as delay } from "node:timers/promises";
import { ChildProcess } from "../measure/processes.mjs";
import { inBothColors } from "./browser.mjs";
import { withPushFarm } from "./pushfarm.mjs";
import { program } from "./repository.mjs";

// How long the load goes on before the picture, so that the plots have a shape.
const Minutes = 4;

/** The page on the management port of a PushFarm under load. */
export const drawNode = () => withPushFarm(async ({ clients, publishers, management }) => {
  const load = (url, ...options) => new ChildProcess("dotnet", [
    program("PushLoad"), url, "--publish", publishers, "--duration", String(60 * (Minutes + 2)), ...options,
  ]);
  const socket = `${clients.replace("http", "ws")}/ws`;
  load(socket, "--deflate", "--rooms", "6", "--room-prefix", "match-", "--connections", "600", "--rate", "150", "--churn", "20", "--reconnects", "2");
  load(`${clients}/sse`, "--protocol", "sse", "--rooms", "2", "--room-prefix", "lobby-", "--connections", "150", "--rate", "20");
  await delay(Minutes * 60_000);
  await inBothColors("node-page", 1200, 1200, async page => {
    await page.goto(`${management}/`);
    await page.waitForFunction(() => document.querySelector("#plots section"), { timeout: 20_000 });
  });
});
