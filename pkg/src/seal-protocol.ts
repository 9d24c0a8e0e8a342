/** What an index and the worker that builds its graph say to each other. */

/** The saved index, without gaps. */
export interface ToSealer {
  bytes: Uint8Array;
}

export type FromSealer = { type: "progress"; done: number; total: number } | { type: "sealed"; graph: Uint8Array };
