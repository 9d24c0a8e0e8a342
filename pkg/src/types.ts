/** The plain objects that the engine gives. `src/web/views.rs` writes the same shapes. */

import type { EmbedderFault } from "./errors.js";

/** A moment in milliseconds since 1970-01-01T00:00:00Z. */
export type Milliseconds = number;

export type FactType = "preference" | "decision" | "constraint" | "goal" | "entity";
export type Origin = "user" | "assistant" | "tool" | "import" | "manual";
/** How sure recall has to be: `loose` lets more through, `strict` less. */
export type Level = "loose" | "normal" | "strict";

/** One version of one thing known. Versions are never rewritten. */
export interface Fact {
  id: string;
  type: FactType;
  /** `"user"` for the person who chats, otherwise a name. */
  subject: string;
  /** Which property of the subject, e.g. `cloud provider`. */
  attribute: string;
  /** The fact in the user's language. */
  statement: string;
  entities: string[];
  numbers: string[];
  origin: Origin;
  confidence: "low" | "medium" | "high";
  validFrom: Milliseconds;
  recordedAt: Milliseconds;
  /** The words it rests on; offsets count UTF-16 code units of the turn's text, as `String.slice` does. */
  evidence: { turn: string; start: number; end: number; quote: string } | null;
  /** The version that this one replaces. */
  supersedes: string | null;
  /** The version that replaced this one. */
  supersededBy: string | null;
  stale: { reason: string; by: Origin; at: Milliseconds } | null;
  /** How many turns say the same. */
  proofCount: number;
  /** Neither replaced nor stale. */
  current: boolean;
}

/** One message of a conversation, verbatim. */
export interface Turn {
  id: string;
  session: string;
  /** Position in its session, from 0. */
  index: number;
  role: "user" | "assistant" | "tool";
  /** The text blocks, joined by an empty line. */
  text: string;
  /** All blocks as they were sent or received, calls of tools and their results among them. */
  content: { type: string; [field: string]: unknown }[];
  at: Milliseconds;
}

/** Which turns; all that fit every field that is set. */
export interface TurnFilter {
  session?: string;
  /** Said at or after this moment. */
  from?: Milliseconds;
  /** Said before this moment. */
  until?: Milliseconds;
  role?: "user" | "assistant" | "tool";
  /** With a call of the tool of this name. */
  tool?: string;
  /** Only turns after this one: `next` of the previous page. */
  after?: string;
  /** At most so many. */
  limit?: number;
}

/** In the order of their sessions, and within a session as they were said. */
export interface TurnPage {
  turns: Turn[];
  /** `after` for the next page; null at the end. */
  next: string | null;
}

export interface Session {
  id: string;
  started: Milliseconds;
  /** When its last turn was said. */
  last: Milliseconds;
  turns: number;
  model: string;
}

/** A memory that recall found, with the reasons. */
export interface RecalledItem {
  /** `fact:ID` or `turn:ID`. */
  record: string;
  fact: Fact | null;
  /** Superseded versions of the fact, newest first. */
  older: Fact[];
  turn: Turn | null;
  /** The part of the turn that matched. */
  excerpt: string | null;
  score: number;
  /** What the score is the sum of. */
  parts: { name: string; value: number }[];
  /** Which searches found it, at which rank (from 1), with which score of their own. */
  lanes: { lane: string; rank: number; score: number }[];
}

/** The working-memory block of one message, as it would be sent. */
export interface Block {
  text: string;
  items: RecalledItem[];
  /** Estimated; never above the limit that was set. */
  tokens: number;
}

export interface Tokens {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/** What happens while a message is answered, in this order; `thinking` and `text` arrive in pieces. */
export type ChatEvent =
  | { type: "session"; session: string }
  | { type: "memory"; block: string | null; tokens: number; items: RecalledItem[] }
  | { type: "retrying"; attempt: number; inMs: number; error: { code: string; message: string; status?: number } }
  | { type: "thinking"; text: string }
  | { type: "text"; text: string }
  | { type: "usage"; model: string; tokens: Tokens }
  /** Both turns are on disk. */
  | { type: "saved"; turns: [user: string, assistant: string] }
  /** Memory did not work here; the chat goes on. */
  | { type: "notice"; code: string; message: string }
  | { type: "done"; stopReason: string };

export interface Counts {
  sessions: number;
  turns: number;
  facts: number;
  jobs: number;
  deadJobs: number;
}

/** What was stored here before and is gone. */
export interface Loss {
  turns: number;
  facts: number;
  lastSaved: Milliseconds;
  /** When it was last exported; null if never. */
  lastBackup: Milliseconds | null;
}

/** Whether what is stored will stay. */
export interface Keeping {
  /** Whether the browser promised not to remove it by itself; null where it does not say. */
  persistent: boolean | null;
  /**
   * Bytes that this site uses and may use; null where the browser does not say. Chromium names 10 GiB beyond what is used,
   * however little the disk has: there only a refused commit tells that it is full.
   */
  usage: number | null;
  quota: number | null;
  /** The browser, or somebody, removed what was here: say so, and offer to import the last export. */
  lost: Loss | null;
  lastBackup: Milliseconds | null;
}

export interface StorageStatus {
  /** `memory` where the browser gives the page no database: everything is lost when the page closes. */
  state: "disk" | "memory";
  reason?: { code: string; message: string };
  /** The store's own id; null before anything was saved. */
  store: string | null;
  /** The disk was full: vectors are kept in memory only, so that what is said can still be saved. */
  tight: boolean;
}

/** @internal What the engine itself knows. */
export type EngineStatus = Omit<Status, "storage"> & { storage: StorageStatus };

export interface Status {
  storage: StorageStatus & Keeping;
  embedder: EmbedderStatus;
  /**
   * The vector index, or null without an embedder. `sealed` vectors are in its graph. `reason` tells why mode `auto` uses what it
   * uses: see `IndexChoice` of `onhand/index`.
   */
  index: { vectors: number; sealed: number; uses: "scan" | "hnsw"; reason: string | null } | null;
  counts: Counts;
  /** Stored records that could not be read, as `kind:name`. They are left as they are. */
  unreadable: string[];
  /** Version of the engine. */
  version: string;
}

/**
 * How recall by meaning stands. `id` is the embedder that was chosen, null while its name is not known; `serving` is the one
 * that answers meanwhile, null while recall goes by words only.
 */
export type EmbedderStatus =
  | { state: "ready"; id: string }
  /** Recall goes by words because you chose `"none"`. */
  | { state: "off" }
  /** The embedding table is not there: recall goes by words only. */
  | { state: "missing"; message: string }
  /** Bytes of its weights that have come, and of how many if that is known. */
  | { state: "loading"; id: string | null; serving: string | null; loaded: number; total: number | null }
  /** Texts that have a vector of it, and of how many. It answers when all have. */
  | { state: "embedding"; id: string | null; serving: string | null; done: number; total: number }
  /** It does not work; it is tried again later. Nothing else passes for it. */
  | {
      state: "failed";
      id: string | null;
      serving: string | null;
      error: { code: string; kind?: EmbedderFault; message: string };
    };

/** What is not in order with a record, as {@link CheckReport} tells it. `src/memory/check.rs` says what each means. */
export type Problem =
  | "unreadable"
  | "session_missing"
  | "turn_missing"
  | "version_missing"
  | "job_without_turn"
  | "injection_without_turn"
  | "vector_without_owner"
  | "vector_misshapen"
  | "commit_missing"
  | "index_differs";

/** What a look through the whole memory found. */
export interface CheckReport {
  /** Nothing was found. */
  clean: boolean;
  /** The number of the commit that the report is of. */
  commit: number;
  /** How many records there are, by kind. */
  records: Record<string, number>;
  /** Records by `kind:name`, or the number of a commit; no content. */
  findings: { problem: Problem; record: string }[];
}

/** Work that waits, such as reading facts out of the last exchange. */
export interface Job {
  id: string;
  /** `dead` was given up after several unreadable answers. */
  state: "waiting" | "dead";
  attempts: number;
  /** The code of the last failure. */
  lastError: string | null;
  untilMs: Milliseconds | null;
}

/** What subscribers hear. */
export type MemoryEvent =
  /** Records of these kinds were written, by this tab or another. */
  | { type: "changed"; kinds: string[]; elsewhere: boolean }
  /** The engine stopped and was started again from what is saved. */
  | { type: "restarted" }
  /** More than 80 % of the room that the browser gives this site is used; in bytes. Told once, until there is room again. */
  | { type: "nearlyFull"; usage: number; quota: number }
  /** The embedder's state changed, or its progress. */
  | ({ type: "embedder" } & EmbedderStatus);
