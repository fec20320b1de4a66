import { ChildProcess, answers200, freePort, stopAll, until } from "../measure/processes.mjs";
import { program } from "./repository.mjs";

/** Runs something with a PushFarm on free loopback ports, and ends both. */
export async function withPushFarm(work) {
  const [clients, publishers, management] = [await freePort(), await freePort(), await freePort()];
  const urls = { clients: `http://localhost:${clients}`, publishers: `http://localhost:${publishers}`, management: `http://127.0.0.1:${management}` };
  const farm = new ChildProcess("dotnet", [
    program("PushFarm"), `--Farm:NodeUrl=${urls.clients}`, `--Farm:ApiUrl=${urls.publishers}`, `--Management:Port=${management}`, "--Push:Node=node-1",
  ]);
  try {
    await until(() => answers200(`${urls.management}/readyz`), 30, () => `PushFarm is not ready: ${farm.lastWords}`);
    await work(urls);
  } finally {
    await stopAll();
  }
}
