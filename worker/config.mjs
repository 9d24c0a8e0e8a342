/** `wrangler.jsonc` as a value. Its comments stand on lines of their own. */

import { readFile } from "node:fs/promises";

export async function readConfig() {
  const text = await readFile(new URL("wrangler.jsonc", import.meta.url), "utf8");
  return JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, ""));
}
