import type { Milliseconds } from "./types.js";

/** What this package asks of Claude's API about models. */
export interface ModelsOptions {
  /**
   * Whether the API may be asked once a day which models there are (`GET /v1/models`, after a message was answered). The request holds
   * nothing of the memory. Default true; with false only the table in this package counts.
   */
  refresh?: boolean;
}

/** A value, and whether it is of the table in this package or was said by Claude's API. */
export interface Said<T> {
  value: T;
  source: "built-in" | "api";
}

/** How up to date what is known of models is. */
export interface ModelsStatus {
  /** The day when the table in this package was last compared with what was published: prices are always of that day. */
  tableDate: string;
  /** When Claude's API listed its models last; null if it did not yet. */
  refreshed: Milliseconds | null;
  /** Why the last try came to nothing; what was known before counts on. */
  error: { code: string; message: string; status?: number } | null;
}

/** US dollars per million tokens, by the table in this package. */
export interface ModelPrice {
  input: number;
  output: number;
  cacheRead: number;
  /** Written to the cache for five minutes. */
  cacheWrite5m: number;
  /** Written to the cache for one hour. */
  cacheWrite1h: number;
}

/** One model, as requests to it go by. */
export interface Model {
  id: string;
  /** As the API calls it; null if it did not list it. */
  name: string | null;
  /** In the API's words, such as `active`; null if it did not say. */
  lifecycle: string | null;
  /** Whether the API listed it last. */
  listed: boolean;
  /** The longest prompt. */
  contextTokens: Said<number>;
  /** The longest answer. */
  maxOutputTokens: Said<number>;
  /** Whether it keeps to a JSON schema; facts are asked for in words otherwise. */
  structuredOutputs: Said<boolean>;
  /** Whether the API leaves out results of old tool calls (`contextEditing`). */
  clearsToolUses: Said<boolean>;
  /** Whether it leaves out old thinking (`contextEditing.keepThinking`). */
  clearsThinking: Said<boolean>;
  /** Whether it compacts long prompts by itself (`compaction.strategy: "server"`). */
  compacts: Said<boolean>;
  /** What `thinking.type` of a request may be: `adaptive`, `enabled`, `disabled`, `between_tools`. */
  thinking: Said<string[]>;
  /** Whether requests may name an effort. */
  effort: Said<boolean>;
  /** Null if it is not known: then no cost is shown, and a limit in US dollars is refused. */
  price: ModelPrice | null;
  /** The price of the whole request once its prompt is longer than this; null if it is always the same. */
  longPrompt: { aboveTokens: number; price: ModelPrice } | null;
}

/** What is known of models. */
export interface Models extends ModelsStatus {
  /** Those of the table in this package, then those that only the API knows. */
  models: Model[];
}
