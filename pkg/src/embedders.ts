/** The embedders that a host may choose. */
import { OnhandError } from "./errors.js";

/** What a text is embedded for: some models are told. */
export type TextKind = "query" | "passage";

/** A model's weights and how to know them again; weights packages such as `onhand-minilm` export one. */
export interface Weights {
  /** The model's name, as its file has it. */
  id: string;
  url: string | URL;
  /** Length of the file. */
  bytes: number;
  /** Of the file, in hexadecimal. */
  sha256: string;
}

/** An embedder of your own. */
export interface OwnEmbedder {
  /** Stored with its vectors. Change it whenever the model changes: everything is then embedded anew. */
  id: string;
  /** Found out by its first answer if missing. */
  dimensions?: number;
  /** One vector for each text, in order, all of one length. It is asked for few texts at a time; what it takes, recall waits. */
  embed(texts: string[], kind: TextKind): Promise<Float32Array[]>;
}

/**
 * - `"default"`: the table in this package; English, microseconds.
 * - `"none"`: recall by words only.
 * - weights: a transformer, loaded in the background from where you say.
 * - your own function.
 */
export type EmbedderChoice = "default" | "none" | Weights | { weights: string | URL | Weights } | OwnEmbedder;

/** The page's own embedder, as the engine asks it. */
export type Ask = (texts: string[], kind: TextKind) => Promise<Float32Array[]>;

/** Weights that are to be loaded; without a checksum only the file's own is checked. */
export interface WeightsSource {
  id: string | null;
  /** Absolute. */
  url: string;
  bytes: number | null;
  sha256: string | null;
}

/** The choice as it goes to the engine's thread; `src/web/engine.rs` reads its type and id. */
export type EmbedderOption =
  | { type: "default" }
  | { type: "none" }
  | ({ type: "weights" } & WeightsSource)
  | { type: "callback"; id: string; dimensions: number | null };

/** Reads a host's choice. */
export function embedderOption(choice: EmbedderChoice = "default"): { option: EmbedderOption; ask: Ask | undefined } {
  if (choice === "default" || choice === "none") return { option: { type: choice }, ask: undefined };
  if (typeof choice !== "object" || choice === null) throw invalid('expected "default", "none", weights, or an object with `embed`');
  if ("embed" in choice) {
    const { id, dimensions = null } = choice;
    if (typeof choice.embed !== "function") throw invalid("`embed` must be a function");
    if (!id || typeof id !== "string") throw invalid("an embedder of your own needs an `id`");
    if (dimensions !== null && !(Number.isInteger(dimensions) && dimensions > 0)) throw invalid("`dimensions` must be a whole number");
    return { option: { type: "callback", id, dimensions }, ask: (texts, kind) => choice.embed(texts, kind) };
  }
  return { option: { type: "weights", ...weightsSource("weights" in choice ? choice.weights : choice) }, ask: undefined };
}

/** Where weights are, from a package's export or a bare address. */
export function weightsSource(weights: string | URL | Weights): WeightsSource {
  const isAddress = typeof weights === "string" || weights instanceof URL;
  const { id, url, bytes, sha256 } = isAddress ? { id: null, url: weights, bytes: null, sha256: null } : weights;
  let absolute: string;
  try {
    absolute = new URL(url, location.href).href;
  } catch {
    throw invalid("the weights have no valid `url`");
  }
  if (!isAddress && !(id && /^[0-9a-f]{64}$/i.test(sha256 ?? ""))) throw invalid("weights need `id`, `url`, `bytes` and `sha256`");
  return { id, url: absolute, bytes, sha256: sha256?.toLowerCase() ?? null };
}

function invalid(reason: string): OnhandError {
  return new OnhandError({ code: "invalid_input", message: `\`embedder\` is not valid: ${reason}`, retryable: false });
}
