/**
 * JavaScript that a model wrote, run on this device in a sandbox: `import { codeTool } from "onhand/sandbox"`.
 *
 * ```js
 * const chat = memory.chat({ tools: [codeTool()] });
 * const result = await runCode("[1, 2, 3].map((n) => n * n)");      // { outcome: "finished", value: "[1,4,9]", … }
 * ```
 *
 * The code is interpreted by QuickJS, which is WebAssembly and is given nothing to call but a function that takes what it prints. It has
 * the language's built-ins, the device's clock and time zone, and no network, DOM, storage, timer or import. Each run has a worker
 * and a WebAssembly instance of its own, and both are gone afterwards. Nothing of it is loaded before the first run.
 */
import { describe, withLimits, type SandboxLimits } from "./sandbox-limits.js";
import { SandboxError } from "./sandbox-error.js";
import type { CodeOutcome } from "./sandbox-protocol.js";
import { runInWorker } from "./sandbox-run.js";

export { SandboxError, type SandboxErrorCode } from "./sandbox-error.js";
export type { SandboxLimits } from "./sandbox-limits.js";
export type { CodeOutcome } from "./sandbox-protocol.js";

export interface SandboxOptions {
  limits?: Partial<SandboxLimits>;
  /** Where QuickJS's wasm is served, if not from where your bundler put it. */
  wasmUrl?: string;
}

/** How a run ended, and what it printed until then. */
export type CodeResult = CodeOutcome & {
  /** The lines of `console.log` and its like. */
  printed: string;
  /** More was printed, or the value is longer, than `limits.outputCharacters`; the rest is lost. */
  truncated: boolean;
};

/** A tool as `memory.chat({ tools })` takes them. */
export interface CodeTool {
  name: string;
  description: string;
  /** JSON schema of `run`'s input. */
  inputSchema: { type: "object"; properties: { code: { type: "string"; description: string } }; required: ["code"]; additionalProperties: false };
  /** What the code printed and its value, as text for the model. */
  run(input: unknown, context?: { signal?: AbortSignal }): Promise<string>;
}

/**
 * A tool that runs the model's JavaScript.
 *
 * `run` throws a {@link SandboxError} whose message tells the model what went wrong, with the line; what was printed before is in it.
 */
export function codeTool({ name = "run_javascript", ...options }: SandboxOptions & { name?: string } = {}): CodeTool {
  const limits = withLimits(options.limits);
  return {
    name,
    description:
      "Runs JavaScript in a sandbox on the user's device. Returns what it prints with console.log, and the value of its last expression. " +
      "It has the built-ins of the language and nothing else: no network, files, DOM, timers or imports. Top-level await works, top-level return does not. " +
      `Nothing is kept between calls. Limits: ${describe(limits)}, recursion of some 600 calls.`,
    inputSchema: {
      type: "object",
      properties: { code: { type: "string", description: "The program. End it with an expression to get its value." } },
      required: ["code"],
      additionalProperties: false,
    },
    run: async (input, { signal } = {}) => {
      const code = (input as { code?: unknown } | null)?.code;
      if (typeof code !== "string") throw new SandboxError("invalid_input", "`code` is missing: give the program as a string.");
      const result = await runCode(code, { ...options, limits, ...(signal ? { signal } : {}) });
      const text = [...told(result, limits), ending(result, limits)].join("\n");
      if (result.outcome !== "finished") throw new SandboxError(result.outcome, text);
      return text;
    },
  };
}

/**
 * Runs one program. Whatever the program does, the promise resolves, at the latest half a second after its time.
 *
 * Rejects with a {@link SandboxError} of code `invalid_input`, `cancelled` or `unavailable`: the program had no say in it.
 * Up to four programs run at once, others wait for them.
 */
export async function runCode(code: string, { limits, wasmUrl, signal }: SandboxOptions & { signal?: AbortSignal } = {}): Promise<CodeResult> {
  if (typeof code !== "string") throw new SandboxError("invalid_input", "`code` is not valid: expected a string.");
  return runInWorker(code, withLimits(limits), wasmUrl, signal);
}

function told({ printed, truncated }: CodeResult, { outputCharacters }: SandboxLimits): string[] {
  return [...(printed ? [printed] : []), ...(truncated ? [`[Output was cut at ${outputCharacters} characters.]`] : [])];
}

function ending(result: CodeResult, limits: SandboxLimits): string {
  switch (result.outcome) {
    case "finished":
      return result.value === null ? "The program ended without a value." : `Value: ${result.value}`;
    case "threw":
      return `${result.name ?? "Thrown"}: ${result.message}${result.line === null ? "" : ` (line ${result.line})`}`;
    case "pending":
      return "The program waits for a promise that nothing settles. There are no timers and no events.";
    case "stopped": {
      const reason = { time: `it ran for more than ${limits.timeMs} ms`, memory: `it needed more than ${limits.memoryBytes} bytes`, stack: "its recursion is too deep" };
      return `The program was stopped: ${reason[result.limit]}.`;
    }
  }
}
