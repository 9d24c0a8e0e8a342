/** Reading what the engine could not take from its kept index. */
import { breathe } from "./breath.js";
import { OnhandError } from "./errors.js";
import type { EngineHost } from "./host.js";
import type { MemoryEvent, Rebuilding } from "./types.js";

/** A step is not put between the many short waits of a recall; an answer that streams for minutes holds it up no longer than this. */
const LONGEST_PAUSE_MS = 100;
/** After a failure of the store, which may be a moment's. */
const RETRY_MS = 2_000;

/** Has the engine read its records, in steps that leave room for whatever else is asked of it. Each tab does so for itself. */
export class Rebuild {
  #running: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly host: EngineHost,
    private readonly tell: (event: MemoryEvent) => void,
    /** Called when all that was left is read. */
    private readonly over: () => void,
  ) {}

  /** Reads what is left to be read, if there is anything. Resolves when it is read or can not be; never rejects. */
  run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running ??= this.#steps()
      .catch((error: unknown) => {
        // With its key it is read; `run` is called then.
        if (this.#closed || (error instanceof OnhandError && error.code === "locked")) return;
        this.#timer = setTimeout(() => void this.run(), RETRY_MS);
      })
      .finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Resolves when nothing is being read. */
  async idle(): Promise<void> {
    await this.#running;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #steps(): Promise<void> {
    let last: Rebuilding | undefined;
    while (!this.#closed) {
      const left = await this.host.call<Rebuilding | null>({ type: "rebuildStep" });
      if (!left) {
        if (!last) return;
        this.tell({ type: "rebuild", done: last.total, total: last.total });
        return this.over();
      }
      last = left;
      this.tell({ type: "rebuild", ...left });
      await breathe();
      await this.host.idle(LONGEST_PAUSE_MS);
    }
  }
}
