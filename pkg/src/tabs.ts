/** Other tabs of the same memory: who runs the queue, and who hears of a commit. */

/** Runs `work` in one tab at a time. The browser frees the lock when a tab dies. */
export async function inOneTab<T>(name: string, work: () => Promise<T>): Promise<T> {
  // Missing outside secure contexts; then there is no way to ask the other tabs.
  if (!navigator.locks) return work();
  return (await navigator.locks.request(name, work)) as T;
}

/** A turn that is waited for, and then kept until it is released or this thread ends. It can be released before it came. */
export interface Hold {
  held: Promise<void>;
  release(): void;
}

export function holdLock(name: string): Hold {
  const gone = new AbortController();
  let end = (): void => {};
  const over = new Promise<void>((resolve) => (end = resolve));
  const held = new Promise<void>((resolve, reject) => {
    if (!navigator.locks) return resolve();
    navigator.locks.request(name, { signal: gone.signal }, () => (resolve(), over)).catch(reject);
  });
  // Whoever has let go does not wait any more.
  held.catch(() => {});
  return { held, release: () => (end(), gone.abort()) };
}

/** The lock under which the memory files of a namespace are changed. */
export function filesLock({ database, user, project }: { database: string; user: string; project: string }): string {
  return `onhand:${database}:${user}:${project}:files`;
}

/** Tells the other tabs of commits and hears of theirs. */
export class CommitChannel {
  readonly #channel: BroadcastChannel;
  /** Kinds that were heard of while `heard` ran. */
  readonly #waiting = new Set<string>();
  #hearing = false;

  /**
   * `heard` is not called again before it is done: whatever comes meanwhile is told together. Reading for every one of a
   * hundred commits at once is reading the same a hundred times.
   */
  constructor(
    name: string,
    private readonly heard: (kinds: string[]) => Promise<void>,
  ) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: MessageEvent<{ kinds: string[] }>) => {
      for (const kind of data.kinds) this.#waiting.add(kind);
      void this.#hear();
    };
  }

  tell(kinds: string[]): void {
    this.#channel.postMessage({ kinds });
  }

  close(): void {
    this.#channel.close();
  }

  async #hear(): Promise<void> {
    if (this.#hearing) return;
    this.#hearing = true;
    while (this.#waiting.size > 0) {
      const kinds = [...this.#waiting];
      this.#waiting.clear();
      // The next commit, from here or elsewhere, brings this tab up to date.
      await this.heard(kinds).catch(() => {});
    }
    this.#hearing = false;
  }
}

/**
 * Hears of the end of other tabs, however they end: each holds a lock for as long as it lives, and the browser frees it. A tab
 * that dies right after a commit could tell nobody of it.
 */
export class Presence {
  readonly #prefix: string;
  readonly #channel: BroadcastChannel;
  readonly #over = new AbortController();
  readonly #watched = new Set<string>();
  #release: () => void = () => {};

  constructor(name: string, private readonly ended: () => void) {
    this.#prefix = `${name}:tab:`;
    this.#channel = new BroadcastChannel(`${name}:tabs`);
    if (!navigator.locks) return;
    const own = this.#prefix + crypto.randomUUID();
    this.#watched.add(own);
    this.#channel.onmessage = ({ data }: MessageEvent<string>) => this.#watch(data);
    const life = new Promise<void>((resolve) => (this.#release = resolve));
    void navigator.locks.request(own, () => {
      // Those that are there hear of this tab, and this tab finds them; whichever came first.
      this.#channel.postMessage(own);
      void navigator.locks.query().then(({ held = [] }) => {
        for (const { name } of held) if (name?.startsWith(this.#prefix)) this.#watch(name);
      });
      return life;
    });
  }

  close(): void {
    this.#over.abort();
    this.#release();
    this.#channel.close();
  }

  #watch(lock: string): void {
    if (this.#watched.has(lock) || this.#over.signal.aborted) return;
    this.#watched.add(lock);
    navigator.locks.request(lock, { mode: "shared", signal: this.#over.signal }, () => {}).then(
      () => {
        this.#watched.delete(lock);
        if (!this.#over.signal.aborted) this.ended();
      },
      // This tab ended first.
      () => {},
    );
  }
}

/**
 * Calls `back` when the page is looked at again. Meanwhile the browser may have frozen it, so that it did not hear of the other
 * tabs' commits, or have taken its database away; gives the way to stop.
 */
export function onReturn(back: () => void): () => void {
  // A Web Worker of the host's own has no document, and is not put away.
  if (typeof document === "undefined") return () => {};
  const seen = (): void => {
    if (document.visibilityState === "visible") back();
  };
  const restored = (event: PageTransitionEvent): void => {
    if (event.persisted) back();
  };
  document.addEventListener("visibilitychange", seen);
  globalThis.addEventListener("pageshow", restored);
  return () => {
    document.removeEventListener("visibilitychange", seen);
    globalThis.removeEventListener("pageshow", restored);
  };
}
