import type { EngineHost } from "./host.js";
import type { Milliseconds, Tokens } from "./types.js";

/** Which requests. */
export interface UsageFilter {
  session?: string;
  /** Sent at or after this time. */
  from?: Milliseconds;
  /** Sent before this time. */
  until?: Milliseconds;
}

/** What requests have in common. A day is one on the person's clock, as `2026-11-21`. */
export type UsageKey = "session" | "day" | "model" | "purpose";

/** One request that was answered to its end. */
export interface UsageRecord {
  id: string;
  /** A message, facts read out of one, or a summary for a long session. */
  purpose: "chat" | "extract" | "compact";
  session: string;
  model: string;
  /** As Claude's API gave it. */
  requestId: string | null;
  at: Milliseconds;
  tokens: Tokens;
  /** US dollars by the table of prices in this package; null for a model that is not in it. */
  cost: number | null;
  /** The part of the prompt that came from the cache, 0 to 1; null without a prompt. */
  cacheShare: number | null;
  /** From sending to the first text; null where nothing was streamed. */
  firstTextMs: number | null;
}

/** Requests summed up. */
export interface UsageTotal {
  /** The session, day, model or purpose. */
  key: string;
  requests: number;
  tokens: Tokens;
  /** US dollars of the requests whose price is known; null if it is known of none. */
  cost: number | null;
  /** Requests whose price is not known and is not in `cost`. */
  unpriced: number;
  cacheShare: number | null;
  /** The median of the streamed ones. */
  firstTextMs: number | null;
}

/**
 * What requests used. Only those that were answered to their end are known: one that failed on the way, was refused or cancelled may
 * have been billed, and is not in here.
 */
export class UsageLog {
  /** @internal It is `memory.usage`. */
  constructor(private readonly host: EngineHost) {}

  /** Oldest first. */
  list(filter: UsageFilter = {}): Promise<UsageRecord[]> {
    return this.host.call({ type: "usage", ask: { do: "list", ...asked(filter) } });
  }

  /** One total for each session, day, model or purpose, in the order of these. */
  totals({ by, ...filter }: UsageFilter & { by: UsageKey }): Promise<UsageTotal[]> {
    return this.host.call({ type: "usage", ask: { do: "totals", by, ...asked(filter) } });
  }
}

function asked({ session = null, from = null, until = null }: { session?: string | null; from?: number | null; until?: number | null }): object {
  return { session, from, until };
}
