/** QuickJS with one program in it. Knows nothing of workers and pages. */
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten-core";
import { QuickJSWASMModule } from "./quickjs/core.js";
import { QuickJSFFI } from "./quickjs/ffi.js";
import loadQuickJs from "./quickjs/loader.js";
import { PRELUDE } from "./sandbox-prelude.js";
import type { CodeOutcome } from "./sandbox-protocol.js";

/** `JS_EVAL_FLAG_ASYNC` of `quickjs.h`: `await` may stand anywhere, and the result is a promise of `{ value }`. The package does not name it. */
const ASYNC = 1 << 7;
/** What errors call the program. */
const FILE = "program.js";
/**
 * Bytes of QuickJS's own stack, some 600 calls; the error beyond is one that a program can catch. With half as much again the browser's own stack
 * ends first in Chromium's workers, where code that is not optimised yet takes more of it. What gets there all the same is stopped.
 */
const STACK_BYTES = 128 << 10;
/** After so many jobs of settled promises the clock is looked at. One job may run long; it looks at the clock itself. */
const JOBS_AT_ONCE = 100;
const PAGE_BYTES = 1 << 16;
/** What the wasm declares as its first and its greatest memory; ours has to lie between them. */
const FIRST_PAGES = 256;

export interface InterpreterLimits {
  timeMs: number;
  memoryBytes: number;
  /** Longer lines and values come with one character more than that. */
  lineCharacters: number;
}

/** A fresh instance, ready to run one program. `print` is the only thing that a program can call outside, with a string. */
export async function startInterpreter(quickjs: WebAssembly.Module, limits: InterpreterLimits, print: (line: string) => void, now = () => performance.now()): Promise<Interpreter> {
  const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: Math.floor(limits.memoryBytes / PAGE_BYTES) });
  const emscripten = await loadQuickJs({
    wasmMemory: memory,
    instantiateWasm: (imports, instantiated) => {
      const instance = new WebAssembly.Instance(quickjs, imports);
      instantiated(instance);
      return instance.exports;
    },
    // What C code would print; none of it may reach the console.
    print: () => {},
    printErr: () => {},
  } as Parameters<typeof loadQuickJs>[0]);
  emscripten.type = "sync";
  return new Interpreter(new QuickJSWASMModule(emscripten, new QuickJSFFI(emscripten)), limits, memory, print, now);
}

export class Interpreter {
  readonly #runtime: QuickJSRuntime;
  readonly #vm: QuickJSContext;
  readonly #limits: InterpreterLimits;
  readonly #now: () => number;
  /** The prelude's function that writes a value as a string. */
  readonly #show: QuickJSHandle;
  #deadline = Infinity;
  #memoryEnded = false;

  constructor(module: QuickJSWASMModule, limits: InterpreterLimits, memory: WebAssembly.Memory, print: (line: string) => void, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    // The memory's maximum is the limit, so that it holds for everything; QuickJS's own counts only what it asks malloc for.
    memory.grow = (pages) => {
      try {
        return WebAssembly.Memory.prototype.grow.call(memory, pages);
      } catch (error) {
        this.#memoryEnded = true;
        throw error;
      }
    };
    this.#runtime = module.newRuntime({ maxStackSizeBytes: STACK_BYTES, interruptHandler: () => this.#late() });
    this.#vm = this.#runtime.newContext();
    const vm = this.#vm;
    const prelude = vm.unwrapResult(vm.evalCode(PRELUDE, "prelude.js", 0));
    // In braces: whatever `print` may return, nothing goes back in.
    const printer = vm.newFunction("print", (line) => {
      print(this.#string(line) ?? "");
    });
    this.#show = vm.unwrapResult(vm.callFunction(prelude, vm.undefined, printer, vm.newNumber(limits.lineCharacters)));
  }

  /** Runs a program to its end. Call it once: nothing is freed, the instance goes with its worker. */
  run(code: string): CodeOutcome {
    this.#deadline = this.#now() + this.#limits.timeMs;
    const outcome = this.#outcome(code);
    // Whatever the program made of being interrupted, and of being looked at afterwards.
    return this.#late() ? { outcome: "stopped", limit: "time" } : outcome;
  }

  #outcome(code: string): CodeOutcome {
    try {
      const started = this.#vm.evalCode(code, FILE, ASYNC);
      if (started.error) return this.#failure(started.error);
      this.#runJobs();
      return this.#settled(started.value, (result) => this.#settled(this.#vm.getProp(result, "value"), (value) => this.#finished(value)));
    } catch (error) {
      // The browser's stack ended before QuickJS's: a RangeError, in Firefox an InternalError.
      if (/recursion|call stack/i.test(String(error))) return { outcome: "stopped", limit: "stack" };
      throw error;
    }
  }

  #late(): boolean {
    return this.#now() >= this.#deadline;
  }

  /** Everything that settled promises have to do, also after the program's last line. A job that fails has rejected its promise. */
  #runJobs(): void {
    while (this.#runtime.hasPendingJob() && !this.#late()) this.#runtime.executePendingJobs(JOBS_AT_ONCE);
  }

  /** Goes on with what a promise was settled with, or with a value that is no promise. */
  #settled(handle: QuickJSHandle, goOn: (value: QuickJSHandle) => CodeOutcome): CodeOutcome {
    const state = this.#vm.getPromiseState(handle);
    if (state.type === "pending") return { outcome: "pending" };
    return state.type === "rejected" ? this.#failure(state.error) : goOn(state.value);
  }

  #finished(value: QuickJSHandle): CodeOutcome {
    if (this.#vm.typeof(value) === "undefined") return { outcome: "finished", value: null };
    const shown = this.#vm.callFunction(this.#show, this.#vm.undefined, value);
    return shown.error ? this.#failure(shown.error) : { outcome: "finished", value: this.#string(shown.value) ?? "" };
  }

  /** What came of something thrown. Which limit was reached is known here; words and lines are the program's own. */
  #failure(error: QuickJSHandle): CodeOutcome {
    const [name, message, stack] = ["name", "message", "stack"].map((property) => this.#property(error, property));
    // Without room for an error QuickJS throws null.
    const noRoom = message === "out of memory" || this.#vm.eq(error, this.#vm.null);
    if (this.#memoryEnded && noRoom) return { outcome: "stopped", limit: "memory" };
    if (message === "stack overflow") return { outcome: "stopped", limit: "stack" };
    const line = Number(/program\.js:(\d+)/.exec(stack ?? "")?.[1] ?? 0) || null;
    if (name !== undefined && message !== undefined && stack !== undefined) return { outcome: "threw", name, message, line };
    const shown = this.#vm.callFunction(this.#show, this.#vm.undefined, error);
    return { outcome: "threw", name: null, message: (shown.error ? undefined : this.#string(shown.value)) ?? "", line: null };
  }

  #property(handle: QuickJSHandle, name: string): string | undefined {
    return this.#vm.typeof(handle) === "object" ? this.#string(this.#vm.getProp(handle, name)) : undefined;
  }

  /** A string of the program, if it is one and is not longer than a line may be. */
  #string(handle: QuickJSHandle): string | undefined {
    if (this.#vm.typeof(handle) !== "string") return undefined;
    const length = this.#vm.getNumber(this.#vm.getProp(handle, "length"));
    return length <= this.#limits.lineCharacters + 1 ? this.#vm.getString(handle) : undefined;
  }
}
