import { VERSION } from "./version.js";
import { WEIGHTS_CACHE } from "./weights.js";

/** Kept under the package's version, so that an upgrade never meets an old table. */
const CACHE = `onhand-${VERSION}`;
const TABLE = new URL("../model/static-128-int4.bin", import.meta.url);

/**
 * Loads the embedding table from the page's own origin, once: later loads come from the browser's cache,
 * also offline. The engine checks the bytes.
 */
export async function loadTable(url: string | null): Promise<Uint8Array> {
  const from = url ?? TABLE.href;
  const cache = await openCache();
  let response = await cache?.match(from);
  if (!response) {
    response = await fetch(from, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`${new URL(from, location.href).pathname} answered ${response.status}`);
    await cache?.put(from, response.clone()).catch(() => {});
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** Drops the cached table, for when the engine found its bytes damaged. */
export async function forgetTable(): Promise<void> {
  if (typeof caches !== "undefined") await caches.delete(CACHE).catch(() => {});
}

/** Missing outside secure contexts and where the user blocks storage: then the HTTP cache has to do. */
async function openCache(): Promise<Cache | undefined> {
  if (typeof caches === "undefined") return undefined;
  try {
    const cache = await caches.open(CACHE);
    // Nobody waits for it.
    void dropOlder().catch(() => {});
    return cache;
  } catch {
    return undefined;
  }
}

async function dropOlder(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith("onhand-") && name !== CACHE && name !== WEIGHTS_CACHE) await caches.delete(name);
  }
}
