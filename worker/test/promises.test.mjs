/** What README.md promises and only the sources can show: nothing is stored, nothing is logged, nothing is depended on. */

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { readConfig } from "../config.mjs";

const root = new URL("../", import.meta.url);

/** Every key the configuration may have. A binding of any kind (kv, d1, r2, queues, ai, …) is a key that is not here. */
const CONFIG_KEYS = ["$schema", "name", "main", "compatibility_date", "compatibility_flags", "workers_dev", "preview_urls", "send_metrics", "observability", "vars"];

test("the configuration binds no storage, records nothing and holds no key", async () => {
  const config = await readConfig();
  assert.deepEqual(Object.keys(config).filter((key) => !CONFIG_KEYS.includes(key)), []);
  assert.equal(config.observability.enabled, false);
  assert.equal(config.observability.logs.enabled, false);
  assert.equal(config.observability.logs.invocation_logs, false);
  assert.equal(config.send_metrics, false);
  assert.equal(config.preview_urls, false);
  assert.deepEqual(config.compatibility_flags, ["enable_request_signal"]);
  assert.deepEqual(config.vars, { MODE: "managed", ALLOWED_ORIGINS: "" });
});

test("the compatibility date is not newer than the workerd that runs it", async () => {
  const { compatibility_date: date } = await readConfig();
  const lock = JSON.parse(await readFile(new URL("package-lock.json", root), "utf8"));
  const [, built] = /^1\.(\d{8})\./.exec(lock.packages["node_modules/workerd"].version);
  assert.ok(date.replaceAll("-", "") <= built, `${date} against ${built}`);
});

test("the sources log nothing, keep nothing between requests, and import only each other", async () => {
  const files = await readdir(new URL("src/", root));
  assert.ok(files.includes("index.ts"));
  for (const file of files) {
    const text = await readFile(new URL(`src/${file}`, root), "utf8");
    assert.doesNotMatch(text, /console\s*[.[]/, file);
    assert.doesNotMatch(text, /\b(caches|waitUntil|passThroughOnException|WebSocketPair|connect)\s*[.(]/, file);
    assert.doesNotMatch(text, /^(export )?(let|var) /m, `${file}: module state outlives a request`);
    assert.equal(text.match(/\bfetch\(/g)?.length ?? 0, file === "index.ts" ? 2 : 0, `${file}: one handler and one outgoing call`);
    for (const [, from] of text.matchAll(/\bfrom "([^"]+)"/g)) assert.match(from, /^\.\/[a-z]+\.ts$/, file);
  }
});

test("nothing is installed at run time, and every version is exact", async () => {
  const { dependencies, devDependencies, private: isPrivate } = JSON.parse(await readFile(new URL("package.json", root), "utf8"));
  assert.equal(dependencies, undefined);
  assert.equal(isPrivate, true);
  for (const [name, version] of Object.entries(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+(\.\d+)?$/, name);
});
