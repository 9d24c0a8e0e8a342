import type { ErrorData } from "./errors.js";
import type { EngineNotice, EngineOptions, EngineRequest } from "./engine.js";

/** What the page sends to the engine's thread. */
export type ToEngine =
  | { type: "open"; options: EngineOptions }
  | { type: "call"; id: number; request: EngineRequest }
  | { type: "cancel"; id: number };

/** What the engine's thread sends back. */
export type FromEngine =
  | { type: "opened" }
  | { type: "refused"; error: ErrorData | null; reason: string }
  | { type: "event"; id: number; event: unknown }
  | { type: "answer"; id: number; value: unknown }
  | { type: "error"; id: number; error: ErrorData }
  | { type: "notice"; notice: EngineNotice }
  /** A call threw something that is not the engine's own error: the instance can not be trusted any more. */
  | { type: "dead"; reason: string };
