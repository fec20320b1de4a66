import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

/** What the figures depend on: machine, date, and the version of each program. */
export function describeMachine({ repository, bench }) {
  const module = name => JSON.parse(readFileSync(join(bench, "peers/node/node_modules", name, "package.json"), "utf8")).version;
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: tell("git", ["-C", repository, "describe", "--always", "--dirty"]),
    cpu: `${cpus().length} x ${cpus()[0].model.trim()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    kernel: release(),
    system: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown",
    loadBefore: loadavg()[0].toFixed(2),
    versions: {
      ".NET": tell("dotnet", ["--list-runtimes"], /AspNetCore\.App (10\.\S+)(?![\s\S]*AspNetCore\.App 10)/),
      Redis: tell("redis-server", ["--version"], /v=(\S+)/),
      nginx: tell("nginx", ["-v"], /nginx\/(\S+)/),
      nchan: tell("dpkg-query", ["-W", "-f", "${Version}", "libnginx-mod-nchan"]),
      Centrifuge: tell("dpkg-query", ["-W", "-f", "${Version}", "golang-github-centrifugal-centrifuge-dev"]),
      Go: tell("go", ["version"], /go(\d\S+)/),
      Node: process.version,
      ws: module("ws"),
      "Socket.IO": module("socket.io"),
      cc: tell("cc", ["-dumpfullversion"]),
    },
  };
}

function tell(command, args, pattern = /(.*)/) {
  try {
    // nginx prints its version on standard error.
    const text = execFileSync("sh", ["-c", '"$@" 2>&1', "sh", command, ...args], { encoding: "utf8" });
    return pattern.exec(text.trim())?.[1] ?? "unknown";
  } catch {
    return "not installed"; // the server that needs it then fails to start, and the report says so
  }
}
