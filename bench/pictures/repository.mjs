import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The directory of the repository. */
export const repository = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** A program's assembly. */
export const program = name => join(repository, `src/${name}/bin/Release/net10.0/${name}.dll`);

/** Where the pictures are. */
export const images = join(repository, "docs/images");
