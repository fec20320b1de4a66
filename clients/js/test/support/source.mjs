// The modules of src, which the built file does not export.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Imports one module of src: `source("msgpack")`. */
export async function source(name) {
  const folder = mkdtempSync(join(tmpdir(), "redispush-"));
  try {
    const outfile = join(folder, `${name}.mjs`);
    await build({ entryPoints: [fileURLToPath(new URL(`../../src/${name}.ts`, import.meta.url))], outfile, bundle: true, format: "esm", target: "es2022" });
    return await import(pathToFileURL(outfile));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
