import type { Engine } from "./engine.js";
import { buildGraph } from "./seal.js";

/** Records often come in bursts; the graph of all of them is built once. */
const QUIET_MS = 1_000;

export interface GraphKeeper {
  /** Looks whether the graph lags behind, once it has been quiet for a while. */
  wake(): void;
  close(): void;
}

/** Has the graph of an engine's vector index built in a worker whenever it lags far behind. Searches scan meanwhile. */
export function keepGraph(engine: Engine): GraphKeeper {
  const closing = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function build(): Promise<void> {
    const task = engine.graphTask();
    if (!task) return;
    const [serial, bytes] = task;
    try {
      engine.takeGraph(serial, await buildGraph(bytes, undefined, closing.signal));
    } catch {
      // Cancelled, or a page that allows no worker: the scan serves, and nothing is tried again before the next start.
      close();
    }
  }

  function wake(): void {
    clearTimeout(timer);
    if (!closing.signal.aborted) timer = setTimeout(() => void build(), QUIET_MS);
  }

  function close(): void {
    clearTimeout(timer);
    closing.abort();
  }

  wake();
  return { wake, close };
}
