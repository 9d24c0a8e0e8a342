import type { Ask, TextKind } from "./embedders.js";
import { openEngine, type AskPage, type Engine, type EngineNotice, type EngineOptions, type EngineRequest } from "./engine.js";
import { failed, isErrorData, nameOf, restarted, type ErrorData } from "./errors.js";
import type { FromEngine, ToEngine } from "./protocol.js";

/** What the owner of a thread hears from it. */
export interface ThreadEvents {
  notice(notice: EngineNotice): void;
  /** The engine is dead; calls under way were rejected with `engine_restarted`. The reason quotes nothing that was said. */
  dead(reason: string): void;
  /** The page's own embedder: a function can not go to a worker, so it stays here and is asked. */
  embed: Ask | undefined;
}

/** An open engine, wherever it runs. Rejects with {@link ErrorData}. */
export interface Thread {
  call(request: EngineRequest, signal?: AbortSignal, emit?: (event: unknown) => void, ask?: AskPage): Promise<unknown>;
  end(): void;
}

/** A call under way in a worker. */
interface Call {
  resolve(value: unknown): void;
  reject(error: ErrorData): void;
  emit: ((event: unknown) => void) | undefined;
  ask: AskPage | undefined;
}

const NOT_LOADED = "its script did not load";

/** A thread with the engine's code. */
export function newEngineWorker(): Worker {
  // Bundlers look for exactly this expression.
  return new Worker(new URL("./engine-worker.js", import.meta.url), { type: "module", name: "onhand" });
}

/** Starts the engine in a Web Worker of its own: nothing it does can block the page. */
export function startWorker(options: EngineOptions, events: ThreadEvents): Promise<Thread> {
  const worker = newEngineWorker();
  const calls = new Map<number, Call>();
  const post = (message: ToEngine): void => worker.postMessage(message);
  let lastId = 0;
  let over = false;

  const end = (): void => {
    if (over) return;
    over = true;
    worker.terminate();
    for (const call of calls.values()) call.reject(restarted());
    calls.clear();
  };
  const die = (reason: string): void => {
    if (over) return;
    end();
    events.dead(reason);
  };

  const call: Thread["call"] = (request, signal, emit, ask) =>
    new Promise((resolve, reject) => {
      if (over) return reject(restarted());
      const id = ++lastId;
      const cancel = (): void => post({ type: "cancel", id });
      const settled = (): void => signal?.removeEventListener("abort", cancel);
      calls.set(id, {
        resolve: (value) => (settled(), resolve(value)),
        reject: (error) => (settled(), reject(error)),
        emit,
        ask,
      });
      post({ type: "call", id, request });
      if (signal?.aborted) cancel();
      else signal?.addEventListener("abort", cancel);
    });

  const embedFor = async (id: number, texts: string[], kind: TextKind): Promise<void> => {
    try {
      if (!events.embed) throw new Error("this page brought no embedder");
      post({ type: "embedded", id, vectors: await events.embed(texts, kind) });
    } catch (error) {
      // Also what can not be sent to a worker, such as a function among the vectors.
      post({ type: "notEmbedded", id, message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    }
  };

  const askFor = async (call: number, id: number, what: string, json: string): Promise<void> => {
    try {
      const ask = calls.get(call)?.ask;
      if (!ask) throw new Error("the call that asked is over");
      post({ type: "told", id, json: await ask(what, json) });
    } catch (error) {
      post({ type: "notTold", id, message: String(error) });
    }
  };

  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
      switch (data.type) {
        case "opened":
          return resolve({ call, end });
        case "refused":
          end();
          return reject(data.error ?? failed(data.reason));
        case "event":
          return calls.get(data.id)?.emit?.(data.event);
        case "answer":
          calls.get(data.id)?.resolve(data.value);
          return void calls.delete(data.id);
        case "error":
          calls.get(data.id)?.reject(data.error);
          return void calls.delete(data.id);
        case "embed":
          return void embedFor(data.id, data.texts, data.kind);
        case "ask":
          return void askFor(data.call, data.id, data.what, data.json);
        case "notice":
          return data.notice.type === "stopped" ? die(panicked(data.notice.place)) : events.notice(data.notice);
        case "dead":
          return die(data.reason);
      }
    };
    // An error that nobody caught, or a script that did not load.
    worker.onerror = (event) => {
      // The console would show the whole message, which can quote anything.
      if (!options.debug) event.preventDefault();
      reject(failed(event.message || NOT_LOADED));
      die(uncaught(event));
    };
    post({ type: "open", options });
  });
}

function panicked(place: string): string {
  return `panic at ${place}`;
}

/** The kind of error and its place, without the message. */
function uncaught({ message, filename, lineno }: ErrorEvent): string {
  if (!filename) return NOT_LOADED;
  const kind = /\b\w*(?:Error|Exception)\b/.exec(message)?.[0] ?? "error";
  return `uncaught ${kind} at ${filename.split("/").at(-1)}:${lineno}`;
}

/** Starts the engine in the page itself, for hosts whose policy allows no Web Worker. */
export async function startInPage(options: EngineOptions, events: ThreadEvents): Promise<Thread> {
  const pending = new Set<(error: ErrorData) => void>();
  let over = false;
  const die = (reason: string): void => {
    if (over) return;
    over = true;
    for (const reject of pending) reject(restarted());
    pending.clear();
    events.dead(reason);
  };
  let engine: Engine;
  try {
    engine = await openEngine(options, (notice) => (notice.type === "stopped" ? die(panicked(notice.place)) : events.notice(notice)), events.embed);
  } catch (error) {
    throw isErrorData(error) ? error : failed(String(error));
  }
  return {
    call: (request, signal, emit, ask) =>
      new Promise((resolve, reject) => {
        if (over) return reject(restarted());
        pending.add(reject);
        engine
          .call(request, signal, emit, ask)
          .then(resolve, (error: unknown) => {
            if (isErrorData(error)) reject(error);
            else die(nameOf(error));
          })
          .finally(() => pending.delete(reject));
      }),
    end: () => {
      if (over) return;
      over = true;
      engine.close();
      for (const reject of pending) reject(restarted());
    },
  };
}
