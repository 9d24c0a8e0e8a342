import { inOneTab } from "./tabs.js";

/** setTimeout takes at most 2³¹ − 1 ms. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** Runs work in the background when something is due, in one tab at a time. */
export class Runner {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #again = false;
  #closed = false;
  readonly #online = (): void => this.wake();

  /** `work` gives the milliseconds after which it wants to be called again, or null. */
  constructor(
    private readonly lock: string,
    private readonly work: (isClosed: () => boolean) => Promise<number | null>,
  ) {
    globalThis.addEventListener("online", this.#online);
    this.wake();
  }

  /** Looks for work now. */
  wake(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    void inOneTab(this.lock, () => this.#work())
      // What failed stays to be done; the next commit, the network's return or the next start looks again.
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
    const nextInMs = await this.work(() => this.#closed);
    if (nextInMs !== null && !this.#closed) {
      this.#timer = setTimeout(() => this.wake(), Math.min(nextInMs, LONGEST_TIMER_MS));
    }
  }
}
