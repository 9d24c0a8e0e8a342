import type { EngineHost } from "./host.js";
import type { Fact, MemoryFile, MemoryFileInfo, Session, Turn, TurnFilter, TurnPage } from "./types.js";

/** Another project of the same user, to be read. What a chat sends to Claude is never taken from it. */
export class Granted {
  /** @internal Made by {@link Memory.granted}. */
  constructor(
    private readonly host: EngineHost,
    readonly project: string,
  ) {}

  readonly facts = {
    /** All versions of all facts, newest first. */
    list: (): Promise<Fact[]> => this.#ask("facts"),
    /** All versions of one fact, newest first. */
    history: (id: string): Promise<Fact[]> => this.#ask("factHistory", { id }),
  };

  readonly sessions = {
    /** Newest first. */
    list: (): Promise<Session[]> => this.#ask("sessions"),
  };

  readonly turns = {
    /** By session and time; page by page with `limit` and `after`. */
    list: (filter: Omit<TurnFilter, "role" | "tool"> = {}): Promise<TurnPage> => {
      const { session = null, from = null, until = null, after = null, limit = null } = filter;
      return this.#ask("turns", { session, from, until, after, limit });
    },
    /** One turn, or null if there is none of this id. */
    get: (id: string): Promise<Turn | null> => this.#ask("turn", { id }),
  };

  readonly files = {
    /** By path. */
    list: (): Promise<MemoryFileInfo[]> => this.#ask("files"),
    read: (path: string): Promise<MemoryFile> => this.#ask("file", { path }),
  };

  #ask<T>(what: string, more: Record<string, unknown> = {}): Promise<T> {
    return this.host.call<T>({ type: "granted", project: this.project, ask: { do: what, ...more } });
  }
}
