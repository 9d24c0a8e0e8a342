/** What is done when nobody waits for it, once all of the memory is read. */
import { breathe } from "./breath.js";
import type { EngineHost } from "./host.js";
import type { Rebuild } from "./rebuild.js";
import { Runner } from "./runner.js";
import type { EmbedderStatus } from "./types.js";

/**
 * A step is not put between the many short waits of a recall, which would then take several steps. An answer that streams for
 * minutes holds the next step up no longer than this.
 */
const LONGEST_PAUSE_MS = 100;

/** The kept index serves the next start only, so it waits for a moment in which nothing else is asked of the engine, as long as a step of its takes. */
const QUIET_MS = 50;

/** And no longer than this: whoever writes without a pause is to have a kept index, too. */
const LONGEST_BUSY_MS = 2_000;

/** Where records are written all the time, each try that another write overtakes costs a whole segment. */
const AFTER_OVERTAKEN_MS = 1_000;

interface WorkReport {
  nextInMs: number | null;
}

interface EmbedStep {
  left: number;
  nextInMs: number | null;
  embedder: EmbedderStatus;
}

/** Runs the queue. */
export function jobRunner(host: EngineHost, lock: string, rebuild: Rebuild): Runner {
  return new Runner(lock, async () => {
    await rebuild.idle();
    // Another tab may have done the work while this one waited for the lock.
    await host.call({ type: "catchUp" });
    // What a page asks when it opens comes before reading the queue.
    await host.idle(LONGEST_PAUSE_MS);
    const { nextInMs } = await host.call<WorkReport>({ type: "work" });
    return nextInMs;
  });
}

/** Keeps the index for the next start, in steps that leave room for whatever else is asked of the engine. */
export function indexRunner(host: EngineHost, lock: string, rebuild: Rebuild): Runner {
  return new Runner(
    lock,
    async (isClosed) => {
      await rebuild.idle();
      for (;;) {
        await host.quiet(QUIET_MS, LONGEST_BUSY_MS);
        if (isClosed()) return null;
        const outcome = await host.call<"done" | "more" | "overtaken">({ type: "keepIndex" });
        if (outcome === "done") return null;
        if (outcome === "overtaken") return AFTER_OVERTAKEN_MS;
      }
    },
    "soon",
  );
}

/** Makes missing vectors, in steps that leave room for whatever else is asked of the engine or the page. */
export function embedRunner(host: EngineHost, lock: string, rebuild: Rebuild, tell: (status: EmbedderStatus) => void): Runner {
  return new Runner(lock, async (isClosed) => {
    await rebuild.idle();
    await host.call({ type: "catchUp" });
    for (;;) {
      const { left, nextInMs, embedder } = await host.call<EmbedStep>({ type: "embedStep" });
      tell(embedder);
      if (left === 0 || nextInMs !== null || isClosed()) return nextInMs;
      await breathe();
      await host.idle(LONGEST_PAUSE_MS);
    }
  });
}
