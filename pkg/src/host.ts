import type { Ask } from "./embedders.js";
import type { AskPage, EngineNotice, EngineOptions, EngineRequest } from "./engine.js";
import { closed, failed, isErrorData, OnhandError } from "./errors.js";
import { startInPage, startWorker, type Thread } from "./thread.js";

/** An engine that panics this often within this time has a cause that starting again does not mend. */
const MAX_RESTARTS = 3;
const RESTART_WINDOW_MS = 60_000;

export interface HostEvents {
  notice(notice: EngineNotice): void;
  restarted(reason: string): void;
  /** The page's own embedder, if it brought one. */
  embed: Ask | undefined;
}

/**
 * Keeps an engine running. All state that matters is in the store, so an engine that died is
 * replaced by a new one that reads it again.
 */
export class EngineHost {
  #thread: Promise<Thread>;
  #deaths: number[] = [];
  #closed = false;
  #nRunning = 0;
  #nCalls = 0;
  #whenIdle: (() => void)[] = [];

  private constructor(
    private readonly options: EngineOptions,
    private readonly place: "worker" | "page",
    private readonly events: HostEvents,
  ) {
    this.#thread = this.#start();
  }

  static async open(options: EngineOptions, place: "worker" | "page", events: HostEvents): Promise<EngineHost> {
    const host = new EngineHost(options, place, events);
    await host.#opened();
    return host;
  }

  async call<T>(request: EngineRequest, signal?: AbortSignal, emit?: (event: unknown) => void, ask?: AskPage): Promise<T> {
    if (this.#closed) throw new OnhandError(closed());
    const thread = await this.#opened();
    this.#nRunning += 1;
    this.#nCalls += 1;
    try {
      return (await thread.call(request, signal, emit, ask)) as T;
    } catch (error) {
      throw new OnhandError(isErrorData(error) ? error : failed(String(error)));
    } finally {
      this.#nRunning -= 1;
      if (this.#nRunning === 0) for (const resume of this.#whenIdle.splice(0)) resume();
    }
  }

  /** Resolves when nothing else is asked of the engine, or after `limitMs`. */
  idle(limitMs: number): Promise<void> {
    if (this.#nRunning === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#whenIdle.push(() => (clearTimeout(timer), resolve()));
    });
  }

  /** Resolves when nothing was asked of the engine for so long, or after `limitMs`. */
  async quiet(quietMs: number, limitMs: number): Promise<void> {
    const until = performance.now() + limitMs;
    for (;;) {
      await this.idle(until - performance.now());
      const before = this.#nCalls;
      await new Promise((then) => setTimeout(then, quietMs));
      if ((this.#nCalls === before && this.#nRunning === 0) || performance.now() >= until) return;
    }
  }

  close(): void {
    this.#closed = true;
    void this.#thread.then((thread) => thread.end(), () => {});
  }

  async #opened(): Promise<Thread> {
    try {
      return await this.#thread;
    } catch (error) {
      throw new OnhandError(isErrorData(error) ? error : failed(String(error)));
    }
  }

  #start(): Promise<Thread> {
    const start = this.place === "worker" ? startWorker : startInPage;
    const thread = start(this.options, { notice: this.events.notice, dead: (reason) => this.#replace(reason), embed: this.events.embed });
    // Whoever calls next sees the rejection; without this it would also be reported as unhandled.
    thread.catch(() => {});
    return thread;
  }

  #replace(reason: string): void {
    if (this.#closed) return;
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < RESTART_WINDOW_MS), now];
    if (this.#deaths.length > MAX_RESTARTS) {
      this.#thread = Promise.reject(failed(`it stopped several times in a row, last by: ${reason}`));
      this.#thread.catch(() => {});
      return;
    }
    this.#thread = this.#start();
    this.#thread.then(() => this.events.restarted(reason), () => {});
  }
}
