import { askHook, namesOf, type Hooks } from "./hooks.js";
import type { EngineHost } from "./host.js";
import { definitionsOf, runTool, type Tool } from "./tools.js";
import type { ChatEvent, Compacted, CompactionStrategy } from "./types.js";

/** How far one message may go. Reached after something was answered, a limit is a `notice`, and what was answered is kept. */
export interface Limits {
  /** Requests to Claude, the first one included. Default 32. */
  turns?: number;
  /** US dollars. The request that crosses it is paid; the next one is not sent. Only for models whose price is known. */
  cost?: number;
  /** Milliseconds from sending. */
  ms?: number;
}

export interface ChatOptions {
  /** Continues this session; otherwise the first message starts a new one. */
  session?: string;
  /** For a new session. */
  model?: string;
  /** For a new session: your own instructions to Claude. They stay as they are while the session lasts. */
  instructions?: string;
  /**
   * Tools of your own. A session keeps the definitions that it began with, also after a reload; bring the same tools again to
   * continue it. One that is missing then is answered for, and Claude goes on without it.
   */
  tools?: readonly Tool[];
  /** For each message. */
  limits?: Limits;
  hooks?: Hooks;
}

export interface SendOptions {
  /** Ends the answer, and tools that run. Nothing of it is recorded then. */
  signal?: AbortSignal;
  /** In place of the chat's own. */
  limits?: Limits;
}

export interface CompactOptions {
  /** Default: the one of `createMemory({ compaction })`. */
  strategy?: CompactionStrategy;
  /** Likewise. */
  keepTurns?: number;
  /** Ends it. Nothing is changed then. */
  signal?: AbortSignal;
}

/** One conversation with Claude. */
export class Chat {
  #session: string | null;

  /** @internal Made by `memory.chat()`. */
  constructor(
    private readonly host: EngineHost,
    private readonly options: ChatOptions,
  ) {
    this.#session = options.session ?? null;
  }

  /** The session's id; null until the first message was sent. */
  get session(): string | null {
    return this.#session;
  }

  /**
   * Sends a message with what memory holds on it, runs the tools that Claude calls, and gives what happens as it happens.
   * If it throws, nothing was recorded and the same text can be sent again; what tools did stays done.
   *
   * Ending the loop early (`break`) cancels the answer.
   */
  async *send(text: string, { signal, limits = this.options.limits ?? {} }: SendOptions = {}): AsyncGenerator<ChatEvent, void, void> {
    const events: ChatEvent[] = [];
    let wake = (): void => {};
    let over = false;
    const stop = new AbortController();
    const cancel = (): void => stop.abort();
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel);

    const { model = null, instructions = null, tools = [], hooks = {} } = this.options;
    const ask = async (what: string, json: string): Promise<string | undefined> => {
      const of = JSON.parse(json);
      return JSON.stringify(await (what === "tool" ? runTool(tools, of, stop.signal) : askHook(hooks, what, of)));
    };
    const request = { type: "send", session: this.#session, text, model, instructions, tools: definitionsOf(tools), limits, hooks: namesOf(hooks) };
    const emit = (event: unknown): void => {
      events.push(event as ChatEvent);
      wake();
    };
    const answered = this.host.call(request, stop.signal, emit, ask).finally(() => {
      over = true;
      // A tool whose time is over may still run.
      cancel();
      wake();
    });
    // It is awaited below; until then a rejection must not count as unhandled.
    answered.catch(() => {});
    try {
      for (;;) {
        const event = events.shift();
        if (event) {
          if (event.type === "session") this.#session = event.session;
          yield event;
        } else if (over) {
          break;
        } else {
          await new Promise<void>((resolve) => (wake = resolve));
        }
      }
      await answered;
    } finally {
      signal?.removeEventListener("abort", cancel);
      if (!over) cancel();
    }
  }

  /**
   * Leaves the oldest turns out of the next requests now, however long the conversation is; null if all of them are to stay. They
   * stay stored, and can be recalled. With the strategy `"server"` Claude's API makes a signed summary, with the models that can.
   */
  async compact({ strategy, keepTurns, signal }: CompactOptions = {}): Promise<Compacted | null> {
    if (this.#session === null) return null;
    const request = { type: "compact", session: this.#session, strategy: strategy ?? null, keepTurns: keepTurns ?? null };
    return (await this.host.call(request, signal)) as Compacted | null;
  }
}
