/**
 * The worker in real workerd, in a process of its own: reads its settings from standard input as one JSON object,
 * serves until it is told to end.
 *
 * Miniflare runs it, as inside `wrangler dev`, without what is only for editing: `wrangler dev` watches files and
 * starts the worker again when it believes that one changed, which ends requests under way.
 */

import { build } from "esbuild";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { readConfig } from "./config.mjs";

const { port, assetsDir, bindings } = JSON.parse(await text(process.stdin));
if (assetsDir !== undefined && !existsSync(assetsDir)) throw new Error(`The folder of the page does not exist: ${assetsDir}`);

const config = await readConfig();
const entry = fileURLToPath(new URL(config.main, import.meta.url));
const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", target: "esnext", write: false });
const miniflare = new Miniflare({
  name: config.name,
  host: "127.0.0.1",
  port,
  modules: true,
  script: outputFiles[0].text,
  compatibilityDate: config.compatibility_date,
  compatibilityFlags: config.compatibility_flags,
  bindings: { ...config.vars, ...bindings },
  cf: false, // Would be fetched from Cloudflare.
  ...(assetsDir === undefined ? {} : { assets: { directory: assetsDir, routerConfig: { has_user_worker: true } } }),
});
const url = await miniflare.ready;
console.log(`Ready on ${url.origin}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => miniflare.dispose().then(() => process.exit(0)));
