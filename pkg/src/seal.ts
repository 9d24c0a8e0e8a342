import { VectorIndexError } from "./index-error.js";
import type { FromSealer, ToSealer } from "./seal-protocol.js";

/** Builds the graph of a saved index in a worker of its own. The bytes are handed over: they are gone here. */
export function buildGraph(bytes: Uint8Array, onProgress: ((done: number, total: number) => void) | undefined, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const cancelled = () => new VectorIndexError("cancelled", "Building the graph was cancelled. The index is as before.");
  if (signal?.aborted) return Promise.reject(cancelled());
  // Bundlers look for exactly this expression.
  const worker = new Worker(new URL("./seal-worker.js", import.meta.url), { type: "module", name: "onhand-seal" });
  return new Promise<Uint8Array>((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(cancelled()), { once: true });
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new VectorIndexError("sealer_failed", `The graph could not be built (${event.message || "its script did not load"}). Searches scan.`));
    };
    worker.onmessage = ({ data }: MessageEvent<FromSealer>) => {
      if (data.type === "progress") onProgress?.(data.done, data.total);
      else resolve(data.graph);
    };
    const message: ToSealer = { bytes };
    worker.postMessage(message, [bytes.buffer]);
  }).finally(() => worker.terminate());
}
