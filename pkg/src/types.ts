/** The plain objects that the engine gives. `src/web/views.rs` writes the same shapes. */

import type { EmbedderFault } from "./errors.js";
import type { ModelsStatus } from "./models.js";

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
  /**
   * The words it rests on; offsets count UTF-16 code units of the turn's text, as `String.slice` does. Of what Claude noted without
   * a quote the turn that led to it, and no words.
   */
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

/** A memory file, without its text. */
export interface MemoryFileInfo {
  /** Begins with `/memories/`. */
  path: string;
  /** Length of the text in UTF-8. */
  bytes: number;
  created: Milliseconds;
  /** When the text was last written. */
  modified: Milliseconds;
}

/** What Claude wrote down through its memory tool, or the person for it. */
export interface MemoryFile extends MemoryFileInfo {
  text: string;
}

/** A large text, without the text. */
export interface ArtifactInfo {
  id: string;
  /** The tool that said it, or your name for it. */
  name: string;
  /** The turn with the result that it is, and with which it is erased; null for what was added. */
  turn: string | null;
  at: Milliseconds;
  /** Length of the text in UTF-8. */
  bytes: number;
  /** What stands in a prompt for it: its id, its size and its beginning. */
  reference: string;
}

/** A large text. */
export interface Artifact extends ArtifactInfo {
  text: string;
}

export interface Session {
  id: string;
  started: Milliseconds;
  /** When its last turn was said. */
  last: Milliseconds;
  turns: number;
  /** Its turns are still being read (`status().rebuilding`): `last` and `turns` go by those that were. */
  unread: boolean;
  model: string;
}

/** How many facts and turns were read, of how many, where the kept index is of no use: recall goes by those. */
export interface Rebuilding {
  done: number;
  total: number;
}

/** What recall found, best first. `partial` while it does not go by all of the memory yet, otherwise null. */
export type Recalled = RecalledItem[] & { readonly partial: Rebuilding | null };

/** A memory that recall found, with the reasons. */
export interface RecalledItem {
  /** Whose it is, where `recall` was given `projects`. */
  project?: string;
  /** `fact:ID`, `turn:ID` or `file:ID`. */
  record: string;
  fact: Fact | null;
  /** Superseded versions of the fact, newest first. */
  older: Fact[];
  turn: Turn | null;
  /** A memory file. */
  file: MemoryFileInfo | null;
  /** The part of the turn or file that matched. */
  excerpt: string | null;
  score: number;
  /** What the score is the sum of. */
  parts: { name: string; value: number }[];
  /** Which searches found it, at which rank (from 1), with which score of their own. */
  lanes: { lane: string; rank: number; score: number }[];
}

/** The person's word on whether a record was right to come up for a query. */
export interface Judgement {
  query: string;
  /** `fact:ID` or `turn:ID`. */
  record: string;
  good: boolean;
  at: Milliseconds;
}

/** A question whose answer is known. */
export interface EvaluationQuestion {
  query: string;
  /** The records that answer it, each `fact:ID` or `turn:ID`; empty if nothing does. */
  evidence: readonly string[];
  /** Questions of one category are reported together. Default `"other"`. */
  category?: string;
  /** When it is asked: what "last week" is counted from. Default now. */
  now?: Milliseconds;
}

/** Means over questions, each from 0 to 1. A fact counts for the turn whose words it is and for the versions that it replaced. */
export interface EvaluationFigures {
  /** Questions with evidence. */
  n: number;
  /** The share of a question's evidence that comes first. */
  recallAt1: number;
  /** The share among the first five. */
  recallAt5: number;
  recallAt10: number;
  /** One divided by the rank of the first. */
  mrr: number;
  /** Normalised discounted cumulative gain of the first ten. */
  ndcgAt10: number;
}

/** What `memory.evaluate` found. */
export interface Evaluation {
  /** Whose vectors recall went by; null if it went by words. */
  embedder: string | null;
  /** Questions that were asked by words because the embedder gave no vector for them. */
  byWords: number;
  /** Over all questions with evidence. */
  all: EvaluationFigures;
  /** Judgements are of the category `"judged"`. */
  byCategory: Record<string, EvaluationFigures>;
  /**
   * Recall as a chat asks, at each level: of what came up the share that is right, of what is right the share that came up, and of the
   * questions with empty evidence the share for which anything came up. Of judged queries only judged records count. Null: there was
   * nothing to take a share of.
   */
  levels: { level: Level; precision: number | null; recall: number | null; raised: number | null }[];
  /** The first ten of each question, if only those with at least this `score` came up; ascending. */
  sweep: { threshold: number; precision: number | null; recall: number | null }[];
  /**
   * What was not asked, and why. `line` counts from 1: a line of the text, an item of the list, or a judgement in the order of
   * `judgements.list()`.
   */
  problems: { line: number; code: "not_json" | "wrong_field" | "unknown_record"; message: string }[];
}

/**
 * Where memory stands that goes with a message. `"user"`: in the message, before its words, where it stays, so each memory goes out once.
 * `"system"`: in a system message behind it that Claude reads for this turn only. It costs nothing on later turns, so it always
 * holds all that fits. But it speaks with your authority: a block with something that nobody in the conversation said (of a memory
 * file, a tool or an import) goes to `"user"`, and so does every block for a model without such messages.
 */
export type RecallPlace = "user" | "system";

/** How memory gets to Claude. */
export interface RecallOptions {
  /** Default `"user"`. Events and `memory.block()` tell which place was used. */
  place?: RecallPlace;
}

/** The working-memory block of one message, as it would be sent. */
export interface Block {
  text: string;
  place: RecallPlace;
  items: RecalledItem[];
  /** Estimated; never above the limit that was set. */
  tokens: number;
  /** While recall does not go by all of the memory yet. */
  partial: Rebuilding | null;
}

export interface Tokens {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** The part of `cacheWrite` that is kept for an hour, not five minutes; null where the answer did not tell. */
  cacheWrite1h: number | null;
}

/**
 * What stands in the place of turns that are left out: `"window"` nothing; `"summary"` one summary by the extraction model, written anew
 * each time; `"hierarchical"` summaries of parts, the oldest merged; `"retrieve"` the facts read out of them, and for each message
 * what recall finds in them; `"server"` Claude's own compaction, and with models that have none as `"summary"`. Claude's API compacts by
 * itself where the model does, and is asked for a signed summary where it does not, or by `chat.compact()`. Where nothing is kept
 * (preset `"stateless"`) all but `"server"` are `"window"`.
 */
export type CompactionStrategy = "window" | "summary" | "hierarchical" | "retrieve" | "server";

/** What came of `chat.compact()`. */
export interface Compacted {
  /** `"window"` where no summary could be had. */
  strategy: CompactionStrategy;
  /** Turns that were left out now. */
  turns: number;
  /** Why no summary could be had; null where one was, or none was asked for. */
  problem: { code: string; message: string; kind?: string } | null;
}

/** When a long session is compacted, and how. */
export interface CompactionOptions {
  /** Default `"summary"`. If no summary can be had, `"window"` is used instead. */
  strategy?: CompactionStrategy;
  /**
   * Before a message, if the prompt before it had so many tokens. Default 150,000; never more than three quarters of the model's
   * window.
   */
  atTokens?: number;
  /** Before a message, if so many turns would go with it; off by default. */
  everyTurns?: number;
  /** At least so many turns stay, the newest. Default 6. */
  keepTurns?: number;
}

/** What Claude's API may leave out of a long prompt, for one request at a time. */
export interface ContextEditingOptions {
  /** Results of old tool calls are cleared from so many tokens on. Default 100,000. */
  atTokens?: number;
  /** Calls whose results stay, the newest. Default 3. */
  keep?: number;
  /** Nothing is cleared unless it is so many tokens. Default 5,000. */
  atLeastTokens?: number;
  /** Tools whose results are never cleared. Default `["memory"]`. */
  exclude?: string[];
  /** Of how many of the last turns with thinking that thinking stays. Default: as the model does by itself. */
  keepThinking?: number;
}

/** What happens while a message is answered, in this order; `thinking` and `text` arrive in pieces. */
export type ChatEvent =
  | { type: "session"; session: string }
  | { type: "memory"; block: string | null; place: RecallPlace; tokens: number; items: RecalledItem[]; partial: Rebuilding | null }
  | { type: "retrying"; attempt: number; inMs: number; error: { code: string; message: string; status?: number } }
  /** The conversation is long: its oldest turns are left out of the requests from now on. They stay stored, and can be recalled. */
  | { type: "compaction"; state: "started"; strategy: CompactionStrategy }
  | { type: "compaction"; state: "finished"; strategy: CompactionStrategy; turns: number }
  /** Claude's API left parts of the prompt out of this request. */
  | { type: "cleared"; toolUses: number; thinkingTurns: number; inputTokens: number }
  | { type: "thinking"; text: string }
  | { type: "text"; text: string }
  /**
   * Of each request. `cost` is in US dollars, null for a model whose price is not known; `cacheShare` the part of the prompt that came
   * from the cache, 0 to 1; `firstTextMs` the time from sending to the first text, null without any.
   */
  | { type: "usage"; model: string; tokens: Tokens; cost: number | null; cacheShare: number | null; firstTextMs: number | null }
  /** Claude called a tool. Calls of one reply run at once and end in any order; `id` tells them apart. */
  | { type: "tool"; id: string; name: string; state: "started"; input: unknown }
  | { type: "tool"; id: string; name: string; state: "finished"; ms: number; isError: boolean }
  /** All turns are on disk: the user's first, and Claude's last answer last unless a limit came in between. */
  | { type: "saved"; turns: [user: string, ...following: string[]] }
  /** Memory did not work here, or a limit was reached; the chat goes on. */
  | { type: "notice"; code: string; message: string }
  | { type: "done"; stopReason: string };

export interface Counts {
  sessions: number;
  turns: number;
  facts: number;
  files: number;
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

/** Whether something is tried that failed before. */
export interface Circuit {
  state: "closed" | "open" | "halfOpen";
  /** In a row. */
  failures: number;
  /** Until the next try; 0 if it may be made now. */
  retryInMs: number;
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
  /**
   * What is kept of the index, so that a start need not make it anew from every text. `used`: this start read it; otherwise all
   * records were read, because of `reason` if there was something to read. `unkept` records changed since.
   */
  keptIndex: { used: boolean; reason: UnusableIndex | null; segments: number; unkept: number };
  /**
   * Until all records are read that the kept index did not hold; null otherwise. Recall goes by the newest of them meanwhile and says
   * so (`partial`), and `counts.turns` is an estimate. Told as `rebuild` events, too.
   */
  rebuilding: Rebuilding | null;
  /**
   * Of what fails again and again: `open` is left alone until `retryInMs` is over, `halfOpen` is being tried once. While recall's
   * is open messages go out without memory, with a notice `circuit_open`; while extraction's is open the queue waits.
   */
  circuits: { recall: Circuit; extraction: Circuit };
  /**
   * How good the estimates of token counts are, for the model that chats: they are multiplied by `factor`, which is learnt from what
   * requests really had since the memory was opened, and were off by `meanError` of the true number on average (null before any).
   */
  estimator: { model: string; factor: number; meanError: number | null; samples: number };
  /** How up to date what is known of models is: `memory.models()` has it. */
  models: ModelsStatus;
  /** Stored records that could not be read, as `kind:name`. They are left as they are. */
  unreadable: string[];
  /** It is encrypted and locked: what there is can not be counted, and `counts` are zero. */
  locked: boolean;
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

/**
 * Why the kept index could not be used: it was not finished, its list or a segment is damaged or missing, it was made by another
 * version or for another embedder, or too much was written since. It is written anew.
 */
export type UnusableIndex = "unfinished" | "list_damaged" | "other_maker" | "segment_missing" | "segment_damaged" | "too_old";

/** What is not in order with a record, as {@link CheckReport} tells it. `src/memory/check.rs` says what each means. */
export type Problem =
  | "unreadable"
  | "session_missing"
  | "turn_missing"
  | "version_missing"
  | "job_without_turn"
  | "injection_without_turn"
  | "artifact_without_turn"
  | "vector_without_owner"
  | "vector_misshapen"
  | "commit_missing"
  | "index_differs"
  | "kept_index_damaged"
  | "kept_index_differs";

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

/** What to erase. */
export type EraseTarget =
  /** `fact:ID` with all its versions, or `turn:ID` with the answer to it. */
  | { item: string }
  /** Every fact about somebody or something; `"user"` is the person who chats. */
  | { subject: string }
  | { session: string }
  /** All of this memory. */
  | { project: true }
  /** All memories in this database, of every user and project. */
  | { all: true };

/** What an erasure did. Counts are by kind of record, such as `fact`, `turn` or `vector`. */
export interface EraseReceipt {
  erased: Record<string, number>;
  /** Records that were kept without the erased words. */
  changed: Record<string, number>;
  /** Hashes that keep it from being read out of older messages again. They hold no content. */
  tombstones: number;
  /** Sessions whose prompt had shown it. They can be read, and a message to one begins a new session. */
  endedSessions: string[];
  /** Stored records that the last look went through, and what it still found: 0. */
  scanned: number;
  left: number;
  /** Records that can not be read and so could not be looked into, as `kind:name`. */
  unreadable: string[];
  /** The first hundred messages, as `turn:ID`, that still name what an erased fact was about, in other words; and how many. */
  mentions: string[];
  nMentions: number;
}

/** What an import did, or with `dryRun` would do. Lines count from 1; of a zip file, they are its entries. */
export interface ImportReport {
  /** What the file was recognised as. */
  format: "onhand" | "chatgpt" | "claude" | "mem0" | "memories";
  dryRun: boolean;
  added: number;
  addedByKind: Record<string, number>;
  /** Records that are here already. */
  skipped: number;
  /** The first thousand records that are here with another content and were left as they are; and how many. */
  conflicts: { line: number; record: string; path: string | null }[];
  nConflicts: number;
  /** The first thousand lines that could not be used; and how many. */
  refused: { line: number; reason: ImportRefusal; path: string | null }[];
  nRefused: number;
  /** Whether an export is what was written, was cut off, or was altered since. Null for other formats. */
  seal: "whole" | "cut" | "altered" | null;
}

/** Why a line was not used: see `docs/format-export.md`. */
export type ImportRefusal =
  | "not_text"
  | "not_json"
  | "too_long"
  | "wrong_shape"
  | "unknown_kind"
  | "unknown_version"
  | "after_end"
  | "empty"
  | "erased"
  | "no_session"
  | "no_evidence"
  | "bad_file"
  | "link"
  | "unsupported"
  | "damaged";

/** How the encryption of the database is. */
export interface EncryptionStatus {
  /** `sealing` and `unsealing`: what is written has the new shape already, the rest is being brought into it. */
  state: "off" | "sealing" | "sealed" | "unsealing";
  /** The key is not in this tab: calls throw `locked`, and the chat goes on without memory. */
  locked: boolean;
  /** Passkeys that open it, as hexadecimal digits. */
  passkeys: { credential: string; salt: string }[];
  /** Stored values gone through, of how many, and how many of them were unreadable and left as they are; null when idle. */
  progress: { done: number; total: number; left: number } | null;
}

/** One entry of the audit. It tells what happened to which record, and quotes nothing. */
export interface AuditEntry {
  /** From 1, without gaps. */
  number: number;
  /** Null once the entry's content was erased; then `changes` and `surfaced` are empty. */
  at: Milliseconds | null;
  action: AuditAction | null;
  /** `name` is null for what was erased, `digest` (SHA-256, salted, in hexadecimal digits) for what was deleted. */
  changes: { kind: string; name: string | null; deleted: boolean; digest: string | null }[];
  /**
   * What went to Claude beside your own words. `request` is `turn:ID` for a message, `session:ID` for what goes with every
   * request of a session, `job:ID` for a request that reads facts.
   */
  surfaced: { request: string; record: string; score: number | null }[];
  erased: boolean;
  /** SHA-256 of the content. */
  digest: string;
  /** SHA-256 of the previous entry's link and this digest. */
  link: string;
}

export type AuditAction =
  | "change"
  | "chat"
  /** A message with memory went out, and no complete answer came. */
  | "chat_failed"
  | "remember"
  | "extract"
  | "mark_stale"
  | "restore"
  | "correct"
  | "import"
  | "erase";

export interface AuditReport {
  /** Entries that follow each other as they should, from the first. */
  entries: number;
  /** Those among them whose content was erased. */
  erased: number;
  /** Where the chain breaks first; null if it is whole. */
  broken: { number: number; fault: "missing" | "unreadable" | "wrong_content" | "wrong_link" } | null;
}

/** What subscribers hear. */
export type MemoryEvent =
  /** Records of these kinds were written, by this tab or another. */
  | { type: "changed"; kinds: string[]; elsewhere: boolean }
  /** The engine stopped and was started again from what is saved. `reason` is for a report: what stopped it and where, without any content. */
  | { type: "restarted"; reason: string }
  /** More than 80 % of the room that the browser gives this site is used; in bytes. Told once, until there is room again. */
  | { type: "nearlyFull"; usage: number; quota: number }
  /** Records are read that the kept index did not hold; `done` is `total` at the end. */
  | ({ type: "rebuild" } & Rebuilding)
  /** The embedder's state changed, or its progress. */
  | ({ type: "embedder" } & EmbedderStatus)
  /** The encryption's state changed, here or elsewhere, or its progress. */
  | ({ type: "encryption" } & EncryptionStatus);
