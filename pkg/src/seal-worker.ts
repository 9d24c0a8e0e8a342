/** Builds the graph of one index, which takes seconds, and ends. Its owner may end it sooner. */
import type { FromSealer, ToSealer } from "./seal-protocol.js";
import { loadIndexWasm } from "./vector-index.js";

globalThis.addEventListener("message", ({ data }: MessageEvent<ToSealer>) => void seal(data.bytes));

function post(message: FromSealer, transfer: Transferable[] = []): void {
  (globalThis as unknown as { postMessage(message: FromSealer, transfer: Transferable[]): void }).postMessage(message, transfer);
}

async function seal(bytes: Uint8Array): Promise<void> {
  const { RawIndex } = await loadIndexWasm();
  const index = RawIndex.load(bytes);
  index.seal((done: number, total: number) => post({ type: "progress", done, total }));
  // Here, where it keeps nobody waiting; the graph carries the figures.
  index.choose(() => performance.now());
  const graph = index.graph() ?? new Uint8Array();
  post({ type: "sealed", graph }, [graph.buffer]);
}
