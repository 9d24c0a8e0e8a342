/** The files of Claude's memory tool (`memory_20250818`), kept on this device. */
import type { EngineHost } from "./host.js";
import { inOneTab } from "./tabs.js";
import type { MemoryFile, MemoryFileInfo } from "./types.js";

/** The six commands of the tool, as `betaMemoryTool` of `@anthropic-ai/sdk` takes them. */
export type MemoryToolHandlers = Record<
  "view" | "create" | "str_replace" | "insert" | "delete" | "rename",
  (command: object) => Promise<string>
>;

interface Answer {
  text: string;
  isError: boolean;
}

/** The memory files of one person. Paths begin with `/memories/`. */
export class Files {
  readonly #host: EngineHost;
  readonly #lock: string;

  /** @internal It is `memory.files`. */
  constructor(host: EngineHost, lock: string) {
    this.#host = host;
    this.#lock = lock;
  }

  /**
   * For `betaMemoryTool(memory.files.handlers)` of `@anthropic-ai/sdk`. Calls are carried out one after another, also those
   * that the SDK makes at once, and are on disk when they are answered. What Claude asked wrongly is thrown with the tool's
   * own words, without the `Error: ` that the SDK puts before them.
   */
  readonly handlers: MemoryToolHandlers = {
    view: (command) => this.#run({ ...command, command: "view" }),
    create: (command) => this.#run({ ...command, command: "create" }),
    str_replace: (command) => this.#run({ ...command, command: "str_replace" }),
    insert: (command) => this.#run({ ...command, command: "insert" }),
    delete: (command) => this.#run({ ...command, command: "delete" }),
    rename: (command) => this.#run({ ...command, command: "rename" }),
  };

  /**
   * Carries out one call of the tool, whose input this is. For `anthropic.tools.memory_20250818({ execute: memory.files.execute })`
   * of the AI SDK, and for loops of your own. What Claude asked wrongly is thrown, without the `Error: ` that the AI SDK puts
   * before it: in a loop of your own, do so too, and mark the result as an error.
   */
  readonly execute = (action: object): Promise<string> => this.#run(action);

  /** All files without their texts, by path. */
  list(): Promise<MemoryFileInfo[]> {
    return this.#host.call({ type: "files", ask: { do: "list" } });
  }

  /** One file; `not_found` if there is none. */
  read(path: string): Promise<MemoryFile> {
    return this.#host.call({ type: "files", ask: { do: "read", path } });
  }

  /** Writes a file, whether there was one or not. */
  write(path: string, text: string): Promise<MemoryFile> {
    return this.#alone({ do: "write", path, text });
  }

  /** Deletes a file, or a directory with all that is in it. */
  remove(path: string): Promise<void> {
    return this.#alone({ do: "remove", path });
  }

  /** Gives a file or a directory another path, which must be free. */
  rename(from: string, to: string): Promise<void> {
    return this.#alone({ do: "rename", from, to });
  }

  async #run(action: object): Promise<string> {
    const { text, isError } = await this.#alone<Answer>({ do: "command", input: JSON.stringify(action) });
    if (isError) throw new Error(text);
    return text;
  }

  /** Two tabs that change one file at once must not lose either change. */
  #alone<T>(ask: object): Promise<T> {
    return inOneTab(this.#lock, () => this.#host.call<T>({ type: "files", ask }));
  }
}
