/** A model's weights: fetched once from where the host says, checked, and kept in the browser's cache. */
import type { WeightsSource } from "./embedders.js";
import type { EmbedderFault } from "./errors.js";

/** Not named by this package's version: weights outlive an upgrade, their checksum tells them apart. */
export const WEIGHTS_CACHE = "onhand-weights";

/** Why there are no weights. */
export class WeightsFailure extends Error {
  constructor(
    readonly fault: EmbedderFault,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Loads weights: from the cache, also offline, or else from their address. `progress` hears of the bytes that came.
 *
 * Throws {@link WeightsFailure}.
 */
export async function loadWeights(source: WeightsSource, progress: (loaded: number, total: number | null) => void): Promise<Uint8Array> {
  const cache = await openCache();
  const key = cacheKey(source);
  const cached = await cache?.match(key);
  if (cached) {
    const bytes = new Uint8Array(await cached.arrayBuffer());
    if ((await complaint(bytes, source)) === null) return bytes;
    await cache?.delete(key);
  }
  const bytes = await fetchWeights(source, progress);
  const wrong = await complaint(bytes, source);
  if (wrong !== null) throw wrong;
  // Without room they are fetched again next time.
  await cache?.put(key, new Response(bytes as Uint8Array<ArrayBuffer>)).then(() => dropOthers(cache, key)).catch(() => {});
  return bytes;
}

/** Drops cached weights that proved to be unusable. */
export async function forgetWeights(source: WeightsSource): Promise<void> {
  const cache = await openCache();
  await cache?.delete(cacheKey(source)).catch(() => {});
}

async function fetchWeights({ url, bytes: expected }: WeightsSource, progress: (loaded: number, total: number | null) => void): Promise<Uint8Array> {
  const place = new URL(url).pathname;
  try {
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) throw new WeightsFailure("not_loaded", `${place} answered ${response.status}`);
    // With a content encoding the header counts other bytes than those that come.
    const declared = response.headers.has("content-encoding") ? null : Number(response.headers.get("content-length")) || null;
    const total = expected ?? declared;
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let loaded = 0;
    progress(loaded, total);
    const reader = response.body!.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      loaded += value.length;
      progress(loaded, total);
    }
    return new Uint8Array(await new Blob(pieces).arrayBuffer());
  } catch (error) {
    if (error instanceof WeightsFailure) throw error;
    throw new WeightsFailure("not_loaded", `${place} could not be fetched (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** What is wrong with the bytes; null if nothing is. */
async function complaint(bytes: Uint8Array, { bytes: expected, sha256 }: WeightsSource): Promise<WeightsFailure | null> {
  if (expected !== null && bytes.length !== expected) {
    return new WeightsFailure("wrong_checksum", `the weights have ${bytes.length} bytes instead of ${expected}`);
  }
  if (sha256 === null) return null;
  if (!globalThis.crypto?.subtle) {
    return new WeightsFailure("not_loaded", "weights can be checked on pages served over https only");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return found === sha256 ? null : new WeightsFailure("wrong_checksum", `the weights' SHA-256 is ${found.slice(0, 12)}… instead of ${sha256.slice(0, 12)}…`);
}

/** Other bytes at the same address are other weights. */
function cacheKey({ url, sha256 }: WeightsSource): string {
  const key = new URL(url);
  key.searchParams.set("onhand-sha256", sha256 ?? "unknown");
  return key.href;
}

/** Weights are large: only the last ones are kept. */
async function dropOthers(cache: Cache, key: string): Promise<void> {
  for (const request of await cache.keys()) if (request.url !== key) await cache.delete(request);
}

/** Missing outside secure contexts and where the user blocks storage: then the HTTP cache has to do. */
async function openCache(): Promise<Cache | undefined> {
  if (typeof caches === "undefined") return undefined;
  return caches.open(WEIGHTS_CACHE).catch(() => undefined);
}
