import * as scalar from "./wasm/scalar/onhand.js";
import * as simd from "./wasm/simd/onhand.js";
import { hasSimd } from "./simd.js";
import { forgetTable, loadTable } from "./table.js";
import type { Status } from "./types.js";

/** What the engine is opened with; `src/web/engine.rs` reads it. */
export interface EngineOptions {
  endpoint: string;
  database: string;
  user: string;
  project: string;
  model: string | null;
  extractionModel: string | null;
  instructions: string;
  blockTokens: number | null;
  maxTokens: number | null;
  index: "scan" | "hnsw" | null;
  /** Where the embedding table is, if not in this package. */
  tableUrl: string | null;
  debug: boolean;
}

/** What the engine is asked; `type` selects. */
export type EngineRequest = { type: string; [argument: string]: unknown };

/** What the engine says unasked. */
export type EngineNotice =
  | { type: "committed"; commit: number; kinds: string[] }
  /** It panicked. This instance is dead. */
  | { type: "stopped"; place: string };

/** The engine in this thread. */
export interface Engine {
  call(request: EngineRequest, signal: AbortSignal | undefined, emit: ((event: unknown) => void) | undefined): Promise<unknown>;
  close(): void;
}

/** Set when the instance of this thread panicked: all that it holds is lost, and it must not be used again. */
let stopped = false;

/** Loads the WebAssembly build that this browser can run, and opens a memory in it. */
export async function openEngine(options: EngineOptions, notify: (notice: EngineNotice) => void): Promise<Engine> {
  const build = hasSimd() ? simd : scalar;
  const [table] = await Promise.all([readTable(options.tableUrl), build.default()]);
  if (stopped) {
    build.__wbg_reset_state();
    stopped = false;
  }
  const { tableUrl: _, ...rest } = options;
  const engine: Engine = await build.Engine.open({ ...rest, tableError: table.error }, table.bytes, (notice: EngineNotice) => {
    if (notice.type === "stopped") stopped = true;
    notify(notice);
  });
  if (table.bytes) await dropDamagedTable(engine);
  return engine;
}

async function readTable(url: string | null): Promise<{ bytes: Uint8Array | undefined; error: string | null }> {
  try {
    return { bytes: await loadTable(url), error: null };
  } catch (error) {
    return { bytes: undefined, error: error instanceof Error ? error.message : String(error) };
  }
}

/** A cached table that the engine refused would be refused for ever; the next start loads it anew. */
async function dropDamagedTable(engine: Engine): Promise<void> {
  const status = (await engine.call({ type: "status" }, undefined, undefined)) as Status;
  if (status.embedder.state === "missing") await forgetTable();
}
