/** The worker's sources for tests, as modules that Node 20 can load. */

import { build } from "esbuild";
import { fileURLToPath } from "node:url";

/** One source file with all it imports as plain JavaScript. */
export async function bundleSource(name) {
  const entry = fileURLToPath(new URL(`../src/${name}`, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false, logLevel: "silent" });
  return outputFiles[0].text;
}

export async function loadSource(name) {
  return import(`data:text/javascript;base64,${Buffer.from(await bundleSource(name)).toString("base64")}`);
}
