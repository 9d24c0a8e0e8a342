import type { ErrorData } from "./errors.js";
import type { TextKind } from "./embedders.js";
import type { EngineNotice, EngineOptions, EngineRequest } from "./engine.js";
import type { ModelSource } from "./model.js";

/** What the page sends to the engine's thread. */
export type ToEngine =
  | { type: "open"; options: EngineOptions }
  | { type: "call"; id: number; request: EngineRequest }
  | { type: "cancel"; id: number }
  /** What the page's own embedder made of an `embed`. */
  | { type: "embedded"; id: number; vectors: Float32Array[] }
  | { type: "notEmbedded"; id: number; message: string }
  /** What one of the page's tools or hooks made of an `ask`. */
  | { type: "told"; id: number; json: string | undefined }
  | { type: "notTold"; id: number; message: string }
  /** Vectors for `onhand/embed`; needs no open engine. */
  | { type: "vectors"; id: number; texts: string[]; kind: TextKind; model: ModelSource };

/** What the engine's thread sends back. */
export type FromEngine =
  | { type: "opened" }
  | { type: "refused"; error: ErrorData | null; reason: string }
  | { type: "event"; id: number; event: unknown }
  | { type: "answer"; id: number; value: unknown }
  | { type: "error"; id: number; error: ErrorData }
  | { type: "notice"; notice: EngineNotice }
  /** The page's own embedder is asked for vectors. */
  | { type: "embed"; id: number; texts: string[]; kind: TextKind }
  | { type: "vectors"; id: number; vectors: Float32Array[] }
  /** During this call one of the page's tools or hooks is asked. */
  | { type: "ask"; call: number; id: number; what: string; json: string }
  /** A call threw something that is not the engine's own error: the instance can not be trusted any more. */
  | { type: "dead"; reason: string };
