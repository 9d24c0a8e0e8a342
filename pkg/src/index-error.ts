export type IndexErrorCode =
  | "invalid_input"
  | "wrong_dimensions"
  | "not_a_direction"
  | "duplicate_id"
  | "unsupported_dimensions"
  | "full"
  | "not_an_index"
  | "unsupported_version"
  | "corrupt_head"
  | "wrong_length"
  | "corrupt_rows"
  | "corrupt_graph"
  | "cancelled"
  | "sealer_failed";

/** What every call here throws. Nothing was changed. */
export class VectorIndexError extends Error {
  override readonly name = "VectorIndexError";
  /** Stable; branch on this, not on the message. */
  readonly code: IndexErrorCode;

  constructor(code: IndexErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
