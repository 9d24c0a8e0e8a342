/** Error codes. The first group comes from the engine (`src/error.rs`), the second from this package. */
export type ErrorCode =
  | "invalid_input"
  | "not_found"
  | "conflict"
  | "storage_unavailable"
  | "quota_exceeded"
  | "storage"
  | "corrupt"
  | "newer_format"
  | "passphrase_needed"
  | "damaged_file"
  | "session_ended"
  | "embedder_unavailable"
  | "embedder_failed"
  | "network"
  | "cancelled"
  | "api"
  | "compaction_failed"
  | "stream_cut"
  | "malformed_stream"
  | "limit_reached"
  | "budget_reached"
  | "circuit_open"
  | "hook_failed"
  | "refused"
  | "locked"
  | "wrong_key"
  | "not_granted"
  | "closed"
  // From this package:
  | "engine_restarted"
  | "engine_failed"
  | "passkey_unavailable";

/** What an embedder did wrong: the `kind` of an `embedder_failed`. */
export type EmbedderFault =
  | "not_loaded"
  | "wrong_checksum"
  | "unreadable"
  | "threw"
  | "timed_out"
  | "wrong_count"
  | "wrong_dimensions"
  | "not_finite"
  | "uniform";

/** Why Claude's own compaction failed: the `kind` of a `compaction_failed`. */
export type CompactionFault =
  | "unavailable"
  | "block_ambiguous"
  | "block_misplaced"
  | "content_mismatch"
  | "signature_invalid"
  | "incomplete_turn"
  | "nothing_to_summarize"
  | "too_many_tool_references"
  | "tool_changes_mismatch"
  | "no_summary";

/** An error as it crosses threads: a plain object. */
export interface ErrorData {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  status?: number;
  kind?: string;
  errorCode?: string;
  retryAfterMs?: number;
  requestId?: string;
}

/** What every call of this package throws. The message says what to do next. */
export class OnhandError extends Error {
  override readonly name = "OnhandError";
  /** Stable; branch on this, not on the message. */
  readonly code: ErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** HTTP status of Claude's API or the edge worker. */
  readonly status: number | undefined;
  /** The API's `error.type`; of an `embedder_failed` or `compaction_failed`, what went wrong. */
  readonly kind: string | undefined;
  /** The API's `error.details.error_code`. */
  readonly errorCode: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;

  constructor(data: ErrorData) {
    super(data.message);
    this.code = data.code;
    this.retryable = data.retryable;
    this.status = data.status;
    this.kind = data.kind;
    this.errorCode = data.errorCode;
    this.retryAfterMs = data.retryAfterMs;
    this.requestId = data.requestId;
  }
}

/** Whether a thrown value is the engine's own error; anything else means that the engine stopped. */
export function isErrorData(value: unknown): value is ErrorData {
  return typeof value === "object" && value !== null && "code" in value && "retryable" in value;
}

/** What kind of thing was thrown; its message can quote anything. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "unknown";
}

export function restarted(): ErrorData {
  return {
    code: "engine_restarted",
    message: "The engine stopped and was started again from what is saved. Try again.",
    retryable: true,
  };
}

export function failed(reason: string): ErrorData {
  return {
    code: "engine_failed",
    message: `The engine could not be started (${reason}). Reload the page; what is saved is kept.`,
    retryable: false,
  };
}

export function closed(): ErrorData {
  return { code: "closed", message: "This memory was closed. Open it again.", retryable: false };
}
