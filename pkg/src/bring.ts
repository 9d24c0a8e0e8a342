/** Brings the chosen embedder to an engine that is open already: nobody waits for it. */
import type { Ask, EmbedderOption, TextKind } from "./embedders.js";
import type { Engine } from "./engine.js";
import { isErrorData, type EmbedderFault } from "./errors.js";
import type { EmbedderStatus } from "./types.js";
import { forgetWeights, loadWeights, WeightsFailure } from "./weights.js";

/** How long the page's own embedder may take. A question holds up a message; the rest nobody waits for. */
const PATIENCE_MS: Record<TextKind, number> = { query: 3_000, passage: 60_000 };
/** Progress is told at most this often. */
const PROGRESS_MS = 100;

/** Resolves when the embedder is there, or it is clear that it is not; `tell` hears of each state. */
export async function bringEmbedder(engine: Engine, option: EmbedderOption, ask: Ask | undefined, tell: (status: EmbedderStatus) => void): Promise<void> {
  const say = async (request: { type: string; [argument: string]: unknown }): Promise<void> =>
    tell((await engine.call(request, undefined, undefined, undefined)) as EmbedderStatus);
  const fail = (fault: EmbedderFault, message: string): Promise<void> => say({ type: "embedderFailed", fault, message });
  if (option.type === "callback" && ask) {
    try {
      engine.useCallback(option.id, option.dimensions ?? undefined, patient(ask));
      await say({ type: "embedder" });
    } catch (error) {
      await fail("unreadable", messageOf(error));
    }
    return;
  }
  if (option.type !== "weights") return;
  let toldAt = -Infinity;
  const progress = (loaded: number, total: number | null): void => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_MS && loaded !== total) return;
    toldAt = now;
    void say({ type: "embedderLoading", loaded, total }).catch(() => {});
  };
  try {
    // It says so if nobody waits any more.
    await say({ type: "embedderLoading", loaded: 0, total: option.bytes });
    const bytes = await loadWeights(option, progress);
    try {
      engine.useWeights(bytes);
    } catch (error) {
      await forgetWeights(option);
      throw new WeightsFailure("unreadable", messageOf(error));
    }
    await say({ type: "embedder" });
  } catch (error) {
    // Also a panic of the engine, which tells of itself; whoever replaces it brings the embedder anew.
    if (!(error instanceof WeightsFailure)) throw error;
    await fail(error.fault, error.message);
    if (error.fault === "not_loaded") {
      globalThis.addEventListener("online", () => void bringEmbedder(engine, option, ask, tell).catch(() => {}), { once: true });
    }
  }
}

function messageOf(error: unknown): string {
  return isErrorData(error) || error instanceof Error ? error.message : String(error);
}

/** The page's embedder with a limit to waiting, and failures as the engine reads them. */
function patient(ask: Ask): Ask {
  return async (texts, kind) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const message = `no answer within ${PATIENCE_MS[kind] / 1_000} seconds`;
      timer = setTimeout(() => reject({ fault: "timed_out", message }), PATIENCE_MS[kind]);
    });
    const answer = Promise.resolve()
      .then(() => ask(texts, kind))
      .catch((error: unknown) => {
        throw { fault: "threw", message: messageOf(error) };
      });
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      clearTimeout(timer);
    }
  };
}
