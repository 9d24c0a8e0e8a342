/** Models for embedding without a memory: what `onhand/embed` uses inside the engine's thread. */
import { webAssembly, type TextEmbedder } from "./engine.js";
import type { TextKind, WeightsSource } from "./embedders.js";
import { isErrorData, type ErrorData } from "./errors.js";
import { breathe } from "./breath.js";
import { loadTable } from "./table.js";
import { loadWeights, WeightsFailure } from "./weights.js";

/** Which model; a table's address is null for the one in this package. */
export type ModelSource = { type: "table"; url: string | null } | ({ type: "weights" } & WeightsSource);

/** Work between two breaths. */
const STEP_MS = 25;

const models = new Map<string, Promise<TextEmbedder>>();

/** The vectors of some texts. Rejects with {@link ErrorData}. */
export async function vectorsOf(source: ModelSource, texts: string[], kind: TextKind): Promise<Float32Array[]> {
  const key = JSON.stringify(source);
  let model = models.get(key);
  if (!model) {
    model = load(source);
    models.set(key, model);
    // What failed may succeed later.
    model.catch(() => models.delete(key));
  }
  const embedder = await model;
  const vectors: Float32Array[] = [];
  let began = performance.now();
  for (const text of texts) {
    vectors.push(embedder.embed(text, kind === "query"));
    if (performance.now() - began < STEP_MS) continue;
    await breathe();
    began = performance.now();
  }
  return vectors;
}

async function load(source: ModelSource): Promise<TextEmbedder> {
  try {
    const [bytes, wasm] = await Promise.all([
      source.type === "table" ? loadTable(source.url) : loadWeights(source, () => {}),
      webAssembly(),
    ]);
    return source.type === "table" ? wasm.TextEmbedder.fromTable(bytes) : wasm.TextEmbedder.fromWeights(bytes);
  } catch (error) {
    if (isErrorData(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const data: ErrorData =
      error instanceof WeightsFailure
        ? { code: "embedder_failed", kind: error.fault, message, retryable: error.fault === "not_loaded" }
        : { code: "embedder_unavailable", message, retryable: true };
    throw data;
  }
}
