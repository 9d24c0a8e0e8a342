/** The engine's thread: holds one engine and passes messages. */
import type { Ask } from "./embedders.js";
import { openEngine, type AskPage, type Engine } from "./engine.js";
import { isErrorData, nameOf } from "./errors.js";
import { vectorsOf } from "./model.js";
import type { FromEngine, ToEngine } from "./protocol.js";

let engine: Engine | undefined;
const running = new Map<number, AbortController>();
/** What the page's own embedder was asked for. */
const asked = new Map<number, { resolve(vectors: Float32Array[]): void; reject(error: Error): void }>();
/** What the page's tools and hooks were asked. */
const told = new Map<number, { resolve(json: string | undefined): void; reject(error: Error): void }>();
let lastAsked = 0;

function post(message: FromEngine): void {
  (globalThis as unknown as { postMessage(message: FromEngine): void }).postMessage(message);
}

globalThis.addEventListener("message", ({ data }: MessageEvent<ToEngine>) => {
  switch (data.type) {
    case "open":
      return void open(data);
    case "call":
      return void answer(data.id, (signal, emit) => engine!.call(data.request, signal, emit, askPage(data.id)));
    case "vectors":
      return void answer(data.id, () => vectorsOf(data.model, data.texts, data.kind), "vectors");
    case "cancel":
      return running.get(data.id)?.abort();
    case "embedded":
      asked.get(data.id)?.resolve(data.vectors);
      return void asked.delete(data.id);
    case "notEmbedded":
      asked.get(data.id)?.reject(new Error(data.message));
      return void asked.delete(data.id);
    case "told":
      told.get(data.id)?.resolve(data.json);
      return void told.delete(data.id);
    case "notTold":
      told.get(data.id)?.reject(new Error(data.message));
      return void told.delete(data.id);
  }
});

/** Asks the page's tools and hooks during a call. */
const askPage =
  (call: number): AskPage =>
  (what, json) =>
    new Promise((resolve, reject) => {
      const id = ++lastAsked;
      told.set(id, { resolve, reject });
      post({ type: "ask", call, id, what, json });
    });

/** Asks the page, where the host's own embedder lives. */
const ask: Ask = (texts, kind) =>
  new Promise((resolve, reject) => {
    const id = ++lastAsked;
    asked.set(id, { resolve, reject });
    post({ type: "embed", id, texts, kind });
  });

async function open({ options }: ToEngine & { type: "open" }): Promise<void> {
  try {
    engine = await openEngine(options, (notice) => post({ type: "notice", notice }), ask);
    post({ type: "opened" });
  } catch (error) {
    post({ type: "refused", error: isErrorData(error) ? error : null, reason: String(error) });
  }
}

async function answer(
  id: number,
  work: (signal: AbortSignal, emit: (event: unknown) => void) => Promise<unknown>,
  as: "answer" | "vectors" = "answer",
): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const value = await work(controller.signal, (event) => post({ type: "event", id, event }));
    if (as === "vectors") post({ type: "vectors", id, vectors: value as Float32Array[] });
    else post({ type: "answer", id, value });
  } catch (error) {
    if (isErrorData(error)) post({ type: "error", id, error });
    else post({ type: "dead", reason: nameOf(error) });
  } finally {
    running.delete(id);
  }
}
