/**
 * On-device embeddings on their own, without a memory.
 *
 * ```js
 * import { embed } from "onhand/embed";
 * const [cat, kitten] = await embed(["a cat", "a kitten"]);
 * ```
 */
import { weightsSource, type TextKind, type Weights } from "./embedders.js";
import { failed, OnhandError } from "./errors.js";
import type { ModelSource } from "./model.js";
import type { FromEngine, ToEngine } from "./protocol.js";
import { newEngineWorker } from "./thread.js";

export type { TextKind, Weights } from "./embedders.js";
export { OnhandError } from "./errors.js";

export interface EmbedOptions {
  /** `"default"`: the table in this package. Otherwise a weights package's export, or where its file is. */
  model?: "default" | Weights | { weights: string | URL | Weights };
  /** What the vectors are for; only some models tell the difference. Default `"passage"`. */
  kind?: TextKind;
  /** Where the default model's table is served, if not from where your bundler put it. */
  tableUrl?: string;
}

interface Call {
  resolve(vectors: Float32Array[]): void;
  reject(error: OnhandError): void;
}

let thread: { worker: Worker; calls: Map<number, Call>; lastId: number } | undefined;

/**
 * One unit vector for each text, in order; their scalar products are cosines. A text without any known word gets zeros.
 *
 * It runs in a Web Worker, which loads the model on first use and keeps it.
 */
export function embed(texts: string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
  const { model = "default", kind = "passage", tableUrl } = options;
  return new Promise((resolve, reject) => {
    if (!Array.isArray(texts) || texts.some((text) => typeof text !== "string")) {
      throw new OnhandError({ code: "invalid_input", message: "`texts` is not valid: expected an array of strings", retryable: false });
    }
    const source: ModelSource =
      model === "default"
        ? { type: "table", url: tableUrl ? new URL(tableUrl, location.href).href : null }
        : { type: "weights", ...weightsSource("weights" in model ? model.weights : model) };
    const { worker, calls } = (thread ??= start());
    const id = ++thread.lastId;
    calls.set(id, { resolve, reject });
    worker.postMessage({ type: "vectors", id, texts, kind, model: source } satisfies ToEngine);
  });
}

function start(): NonNullable<typeof thread> {
  const worker = newEngineWorker();
  const calls = new Map<number, Call>();
  const end = (reason: string): void => {
    worker.terminate();
    thread = undefined;
    for (const call of calls.values()) call.reject(new OnhandError(failed(reason)));
    calls.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
    if (data.type === "vectors") calls.get(data.id)?.resolve(data.vectors);
    else if (data.type === "error") calls.get(data.id)?.reject(new OnhandError(data.error));
    else if (data.type === "dead") return end(data.reason);
    if ("id" in data) calls.delete(data.id);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    end(event.message || "its script did not load");
  };
  return { worker, calls, lastId: 0 };
}
