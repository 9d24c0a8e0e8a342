/** Large texts, kept on this device: results of tools, and what the person adds. Claude reads them in ranges. */
import type { EngineHost } from "./host.js";
import type { Artifact, ArtifactInfo } from "./types.js";

export class Artifacts {
  readonly #host: EngineHost;

  /** @internal It is `memory.artifacts`. */
  constructor(host: EngineHost) {
    this.#host = host;
  }

  /**
   * Keeps a text of up to 4 MiB, such as a file that the person chose. Put its `reference` into your message: Claude sees the
   * beginning, and reads what it needs with its tool `read_artifact`. Chats with tools have it, and all with `preset: "agent"`.
   */
  add(name: string, text: string): Promise<ArtifactInfo> {
    return this.#host.call({ type: "artifacts", ask: { do: "add", name, text } });
  }

  /** All of them without their texts, oldest first. */
  list(): Promise<ArtifactInfo[]> {
    return this.#host.call({ type: "artifacts", ask: { do: "list" } });
  }

  /** One of them, whole; `not_found` if there is none. */
  get(id: string): Promise<Artifact> {
    return this.#host.call({ type: "artifacts", ask: { do: "get", id } });
  }

  /** Deletes one. What was shown of it in a conversation stays there: to have that erased, erase the turn or the session. */
  remove(id: string): Promise<void> {
    return this.#host.call({ type: "artifacts", ask: { do: "remove", id } });
  }
}
