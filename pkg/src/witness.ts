/**
 * A witness of what was stored, in places that browsers clear at other times than the database: local storage, and a file of
 * the origin's private file system where there is one. It holds counts and times, no content. When the database comes back
 * empty, or as another one, the witness says that something was there.
 */

import type { Milliseconds } from "./types.js";

/** What is known to have been stored. */
export interface Witness {
  v: 1;
  /** The store's own id. */
  store: string;
  turns: number;
  facts: number;
  /** When it was last seen. */
  at: Milliseconds;
  /** When it was last exported; null if never. */
  backup: Milliseconds | null;
  /** The store that was here before this one, until somebody took note. */
  lost: { turns: number; facts: number; at: Milliseconds; backup: Milliseconds | null } | null;
}

/** The witness of one memory. A place that is missing or refuses is left out; the other one is enough. */
export class WitnessFile {
  constructor(private readonly name: string) {}

  /** The newest of what the places hold; null if no place holds anything. */
  async read(): Promise<Witness | null> {
    const texts = [this.#local(), await this.#file()];
    let newest: Witness | null = null;
    for (const text of texts) {
      const witness = parse(text);
      if (witness && (!newest || witness.at > newest.at)) newest = witness;
    }
    return newest;
  }

  /** Writes to every place that takes it. The first is written before this returns. */
  async write(witness: Witness): Promise<void> {
    const text = JSON.stringify(witness);
    try {
      localStorage.setItem(this.name, text);
    } catch {
      // Not there, not allowed or full.
    }
    try {
      const file = await (await this.#directory()).getFileHandle(this.#fileName, { create: true });
      const stream = await file.createWritable();
      await stream.write(text);
      await stream.close();
    } catch {
      // No private file system here, or one that only a worker may write.
    }
  }

  #local(): string | null {
    try {
      return localStorage.getItem(this.name);
    } catch {
      return null;
    }
  }

  async #file(): Promise<string | null> {
    try {
      const handle = await (await this.#directory()).getFileHandle(this.#fileName);
      return await (await handle.getFile()).text();
    } catch {
      return null;
    }
  }

  #directory(): Promise<FileSystemDirectoryHandle> {
    return navigator.storage.getDirectory();
  }

  get #fileName(): string {
    return `${encodeURIComponent(this.name)}.json`;
  }
}

function parse(text: string | null): Witness | null {
  try {
    const value = JSON.parse(text ?? "null") as Partial<Witness> | null;
    const isWitness = value?.v === 1 && typeof value.store === "string" && [value.turns, value.facts, value.at].every(Number.isFinite);
    return isWitness ? (value as Witness) : null;
  } catch {
    return null;
  }
}
