import { inOneTab } from "./tabs.js";

/** setTimeout takes at most 2³¹ − 1 ms. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** How long what is not urgent waits, so that one run serves all that happens meanwhile. */
const SOON_MS = 1_000;

/** Runs work in the background when something is due, in one tab at a time. */
export class Runner {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #again = false;
  #closed = false;
  readonly #online = (): void => this.wake();

  /** `work` gives the milliseconds after which it wants to be called again, or null. */
  constructor(
    private readonly lock: string,
    private readonly work: (isClosed: () => boolean) => Promise<number | null>,
    first: "now" | "soon" = "now",
  ) {
    globalThis.addEventListener("online", this.#online);
    if (first === "now") this.wake();
    else this.wakeSoon();
  }

  /** Looks for work in a second. */
  wakeSoon(): void {
    if (this.#closed) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.wake();
    }, SOON_MS);
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
    clearTimeout(this.#soon);
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
