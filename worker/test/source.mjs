/** The worker's own files for tests: sources as modules that Node 20 can load, and the configuration. */

import { build } from "esbuild";
import { readFile } from "node:fs/promises";
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

/** wrangler.jsonc as a value. Its comments stand on lines of their own. */
export async function readConfig() {
  const text = await readFile(new URL("../wrangler.jsonc", import.meta.url), "utf8");
  return JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, ""));
}
