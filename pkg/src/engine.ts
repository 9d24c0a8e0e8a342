import * as scalar from "./wasm/scalar/onhand.js";
import * as simd from "./wasm/simd/onhand.js";
import { bringEmbedder } from "./bring.js";
import type { Ask, EmbedderOption } from "./embedders.js";
import { hasSimd } from "./simd.js";
import { keepGraph, type GraphKeeper } from "./graph-keeper.js";
import { forgetTable, loadTable } from "./table.js";
import { filesLock, holdLock, type Hold } from "./tabs.js";
import type { CompactionOptions, ContextEditingOptions, EmbedderStatus, RecallOptions } from "./types.js";

export type { TextEmbedder } from "./wasm/simd/onhand.js";

/** What the engine is opened with; `src/web/engine.rs` reads it. */
export interface EngineOptions {
  endpoint: string;
  database: string;
  user: string;
  project: string;
  /** Other projects that may be read. */
  grants: string[];
  model: string | null;
  extractionModel: string | null;
  instructions: string;
  blockTokens: number | null;
  maxTokens: number | null;
  dailyLimit: number | null;
  index: "scan" | "hnsw" | "auto" | null;
  embedder: EmbedderOption;
  preset: string | null;
  recall: RecallOptions;
  compaction: CompactionOptions | { off: true };
  contextEditing: ContextEditingOptions | { off: true };
  /** Whether the API is not asked which models there are. */
  models: { off: boolean };
  /** Where the embedding table is, if not in this package. */
  tableUrl: string | null;
  debug: boolean;
}

/** What the engine is asked; `type` selects. */
export type EngineRequest = { type: string; [argument: string]: unknown };

/** Asks the page during a call: one of its tools or hooks. Takes and gives JSON. */
export type AskPage = (what: string, json: string) => Promise<string | undefined>;

/** What the engine says unasked. */
export type EngineNotice =
  | { type: "committed"; commit: number; kinds: string[] }
  | { type: "embedder"; status: EmbedderStatus }
  /** It panicked. This instance is dead. */
  | { type: "stopped"; place: string };

/** The engine in this thread. */
export interface Engine {
  call(request: EngineRequest, signal: AbortSignal | undefined, emit: ((event: unknown) => void) | undefined, ask: AskPage | undefined): Promise<unknown>;
  graphTask(): [serial: number, bytes: Uint8Array] | undefined;
  takeGraph(serial: number, graph: Uint8Array | undefined): boolean;
  useWeights(bytes: Uint8Array): void;
  useCallback(id: string, dimensions: number | undefined, ask: Ask): void;
  close(): void;
}

/** Set when the instance of this thread panicked: all that it holds is lost, and it must not be used again. */
let stopped = false;

/** The WebAssembly build that this browser can run, ready to be used. */
export async function webAssembly(): Promise<typeof simd> {
  const build = hasSimd() ? simd : scalar;
  await build.default();
  if (stopped) {
    build.__wbg_reset_state();
    stopped = false;
  }
  // The two builds have the same interface; only classes' private fields set their types apart.
  return build as typeof simd;
}

/** Opens a memory. `ask` is the page's own embedder, if it chose one. */
export async function openEngine(options: EngineOptions, notify: (notice: EngineNotice) => void, ask: Ask | undefined): Promise<Engine> {
  // The engine awaits it: meanwhile it opens the database.
  const table = readTable(options);
  const build = await webAssembly();
  const { tableUrl: _, ...rest } = options;
  const hold = (): Hold => holdLock(filesLock(options));
  let graph: GraphKeeper | undefined;
  const engine: Engine = await build.Engine.open(rest, table, (notice: EngineNotice) => {
    if (notice.type === "stopped") {
      stopped = true;
      graph?.close();
    } else if (notice.type === "committed") graph?.wake();
    notify(notice);
  }, hold);
  if (options.index === "hnsw" || options.index === "auto") {
    graph = keepGraph(engine);
    const close = engine.close.bind(engine);
    engine.close = () => {
      graph?.close();
      close();
    };
  }
  if ((await table) instanceof Uint8Array) await dropDamagedTable(engine);
  const tell = (status: EmbedderStatus): void => notify({ type: "embedder", status });
  // Not awaited: the memory is of use without it. What goes wrong is in the status, or the engine has stopped.
  void bringEmbedder(engine, options.embedder, ask, tell).catch(() => {});
  return engine;
}

/** The table, or why there is none; undefined where none is wanted. Never rejects. */
async function readTable({ tableUrl, embedder }: EngineOptions): Promise<Uint8Array | string | undefined> {
  if (embedder.type === "none") return undefined;
  try {
    return await loadTable(tableUrl);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A cached table that the engine refused would be refused for ever; the next start loads it anew. */
async function dropDamagedTable(engine: Engine): Promise<void> {
  if (await engine.call({ type: "tableRefused" }, undefined, undefined, undefined)) await forgetTable();
}
