// Makes dist/redispush.js and dist/redispush.d.ts from src. `node build.mjs DIRECTORY` writes elsewhere.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = resolve(process.argv[2] ?? join(here, "dist"));
mkdirSync(target, { recursive: true });

await build({
  absWorkingDir: here,
  entryPoints: ["src/redispush.ts"],
  outfile: join(target, "redispush.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
});

// The declarations of the entry need no other file: what is public is all there.
const declarations = mkdtempSync(join(tmpdir(), "redispush-"));
try {
  const tsc = join(here, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "--project", here, "--outDir", declarations], { stdio: "inherit" });
  copyFileSync(join(declarations, "redispush.d.ts"), join(target, "redispush.d.ts"));
} finally {
  rmSync(declarations, { recursive: true });
}
