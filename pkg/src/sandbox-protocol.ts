/** What the page and the worker of one run say to each other. */
import type { SandboxLimits } from "./sandbox-limits.js";

/** How a program ended. Lines count from 1. */
export type CodeOutcome =
  /** `value` is that of the last expression, as a string or as JSON; `null` if there is none. */
  | { outcome: "finished"; value: string | null }
  /** `name` is `null` if what was thrown is no error. */
  | { outcome: "threw"; name: string | null; message: string; line: number | null }
  /** Where it was then is not known: QuickJS notes the lines of calls, and a loop needs none. */
  | { outcome: "stopped"; limit: "time" | "memory" | "stack" }
  /** It waits for a promise that nothing will settle. */
  | { outcome: "pending" };

export interface ToSandbox {
  quickjs: WebAssembly.Module;
  code: string;
  limits: SandboxLimits;
}

export type FromSandbox =
  | { type: "running" }
  | { type: "printed"; text: string }
  /** More was printed, or the value is longer, than fits. */
  | { type: "cut" }
  | { type: "done"; outcome: CodeOutcome }
  /** The interpreter itself failed. */
  | { type: "failed"; reason: string };
