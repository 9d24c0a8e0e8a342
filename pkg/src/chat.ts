import type { EngineHost } from "./host.js";
import type { ChatEvent } from "./types.js";

export interface ChatOptions {
  /** Continues this session; otherwise the first message starts a new one. */
  session?: string;
  /** For a new session. */
  model?: string;
  /** For a new session: your own instructions to Claude. They stay as they are while the session lasts. */
  instructions?: string;
}

export interface SendOptions {
  /** Ends the answer. Nothing of it is recorded then. */
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
   * Sends a message with what memory holds on it, and gives what happens as it happens.
   * If it throws, nothing was recorded and the same text can be sent again.
   *
   * Ending the loop early (`break`) cancels the answer.
   */
  async *send(text: string, { signal }: SendOptions = {}): AsyncGenerator<ChatEvent, void, void> {
    const events: ChatEvent[] = [];
    let wake = (): void => {};
    let over = false;
    const stop = new AbortController();
    const cancel = (): void => stop.abort();
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel);

    const { model = null, instructions = null } = this.options;
    const answered = this.host
      .call({ type: "send", session: this.#session, text, model, instructions }, stop.signal, (event) => {
        events.push(event as ChatEvent);
        wake();
      })
      .finally(() => {
        over = true;
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
}
