/** The engine's thread: holds one engine and passes messages. */
import { openEngine, type Engine } from "./engine.js";
import { isErrorData } from "./errors.js";
import type { FromEngine, ToEngine } from "./protocol.js";

let engine: Engine | undefined;
const running = new Map<number, AbortController>();

function post(message: FromEngine): void {
  (globalThis as unknown as { postMessage(message: FromEngine): void }).postMessage(message);
}

globalThis.addEventListener("message", ({ data }: MessageEvent<ToEngine>) => {
  if (data.type === "open") void open(data);
  else if (data.type === "call") void call(data);
  else running.get(data.id)?.abort();
});

async function open({ options }: ToEngine & { type: "open" }): Promise<void> {
  try {
    engine = await openEngine(options, (notice) => post({ type: "notice", notice }));
    post({ type: "opened" });
  } catch (error) {
    post({ type: "refused", error: isErrorData(error) ? error : null, reason: String(error) });
  }
}

async function call({ id, request }: ToEngine & { type: "call" }): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const value = await engine!.call(request, controller.signal, (event) => post({ type: "event", id, event }));
    post({ type: "answer", id, value });
  } catch (error) {
    if (isErrorData(error)) post({ type: "error", id, error });
    else post({ type: "dead", reason: error instanceof Error ? error.name : "unknown" });
  } finally {
    running.delete(id);
  }
}
