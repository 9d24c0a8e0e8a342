import type { EngineHost } from "./host.js";
import { inOneTab } from "./tabs.js";

interface WorkReport {
  nextInMs: number | null;
}

/** setTimeout takes at most 2³¹ − 1 ms. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** Runs the queue when something is due, in one tab at a time. */
export class JobRunner {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #again = false;
  #closed = false;
  readonly #online = (): void => this.wake();

  constructor(
    private readonly host: EngineHost,
    private readonly lock: string,
  ) {
    globalThis.addEventListener("online", this.#online);
    this.wake();
  }

  /** Looks at the queue now. */
  wake(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    void inOneTab(this.lock, () => this.#work())
      // What failed stays queued; the next commit, the network's return or the next start looks again.
      .catch(() => {})
      .finally(() => {
        this.#running = false;
        if (this.#again) {
          this.#again = false;
          this.wake();
        }
      });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    globalThis.removeEventListener("online", this.#online);
  }

  async #work(): Promise<void> {
    if (this.#closed) return;
    // Another tab may have done the work while this one waited for the lock.
    await this.host.call({ type: "catchUp" });
    const { nextInMs } = await this.host.call<WorkReport>({ type: "work" });
    if (nextInMs !== null && !this.#closed) {
      this.#timer = setTimeout(() => this.wake(), Math.min(nextInMs, LONGEST_TIMER_MS));
    }
  }
}
