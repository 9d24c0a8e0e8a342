/** One program in a worker of its own, from loading QuickJS to the worker's end. */
import { SandboxError } from "./sandbox-error.js";
import type { SandboxLimits } from "./sandbox-limits.js";
import type { CodeOutcome, FromSandbox, ToSandbox } from "./sandbox-protocol.js";

/** Each takes a thread and up to its limit of memory. */
const AT_ONCE = 4;
/** A worker whose script does not come. It is some 20 kB, but networks are what they are. */
const START_MS = 30_000;
/** The interpreter stops a program by itself; a built-in that never looks at the clock does not let it, and then the worker is ended. */
const GRACE_MS = 400;

type Ran = CodeOutcome & { printed: string; truncated: boolean };

export async function runInWorker(code: string, limits: SandboxLimits, wasmUrl: string | undefined, signal: AbortSignal | undefined): Promise<Ran> {
  const leave = await enter(signal);
  try {
    const quickjs = await unless(signal, loadQuickJs(wasmUrl));
    return await run({ quickjs, code, limits }, signal);
  } finally {
    leave();
  }
}

function run(task: ToSandbox, signal: AbortSignal | undefined): Promise<Ran> {
  // Bundlers look for exactly this expression.
  const worker = new Worker(new URL("./sandbox-worker.js", import.meta.url), { type: "module", name: "onhand-sandbox" });
  const lines: string[] = [];
  let truncated = false;
  let timer: ReturnType<typeof setTimeout>;
  const ended = new Promise<Ran>((resolve, reject) => {
    const end = (outcome: CodeOutcome): void => resolve({ ...outcome, printed: lines.join("\n"), truncated });
    const fail = (reason: string): void => reject(unavailable(reason));
    timer = setTimeout(() => fail("its worker did not start"), START_MS);
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message || "its script did not load");
    };
    worker.onmessage = ({ data }: MessageEvent<FromSandbox>) => {
      switch (data.type) {
        case "running":
          clearTimeout(timer);
          timer = setTimeout(() => end({ outcome: "stopped", limit: "time" }), task.limits.timeMs + GRACE_MS);
          return;
        case "printed":
          return void lines.push(data.text);
        case "cut":
          return void (truncated = true);
        case "done":
          return end(data.outcome);
        case "failed":
          return fail(data.reason);
      }
    };
    worker.postMessage(task);
  });
  return unless(signal, ended).finally(() => {
    clearTimeout(timer);
    worker.terminate();
  });
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** Compiled once for a page and then handed to each worker. */
function loadQuickJs(wasmUrl: string | undefined): Promise<WebAssembly.Module> {
  // Bundlers look for exactly this expression.
  const url = wasmUrl ? new URL(wasmUrl, location.href).href : new URL("./quickjs/emscripten-module.wasm", import.meta.url).href;
  const loading = compiled.get(url) ?? compile(url);
  compiled.set(url, loading);
  // So that a page that was offline can try again.
  loading.catch(() => compiled.delete(url));
  return loading;
}

async function compile(url: string): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}`);
    // Servers that do not know the type of wasm are many.
    if (response.headers.get("content-type") !== "application/wasm") return await WebAssembly.compile(await response.arrayBuffer());
    return await WebAssembly.compileStreaming(response);
  } catch (error) {
    throw unavailable(error instanceof Error ? error.message : String(error));
  }
}

let running = 0;
const waiting: (() => void)[] = [];

/** Waits for a place, and gives the function that leaves it. */
async function enter(signal: AbortSignal | undefined): Promise<() => void> {
  if (signal?.aborted) throw cancelled();
  if (running < AT_ONCE) running++;
  else {
    // Whoever leaves hands over the place.
    let enterNow!: () => void;
    const place = new Promise<void>((resolve) => waiting.push((enterNow = resolve)));
    try {
      await unless(signal, place);
    } catch (error) {
      const at = waiting.indexOf(enterNow);
      if (at >= 0) waiting.splice(at, 1);
      else leave();
      throw error;
    }
  }
  return leave;
}

function leave(): void {
  const next = waiting.shift();
  if (next) next();
  else running--;
}

/** The promise, or `cancelled` as soon as the signal is aborted. */
function unless<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(cancelled());
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function cancelled(): SandboxError {
  return new SandboxError("cancelled", "The program was cancelled and is gone.");
}

function unavailable(reason: string): SandboxError {
  return new SandboxError("unavailable", `The sandbox could not be started (${reason}). No program ran.`);
}
