export type SandboxErrorCode =
  /** An option or an input is not valid. */
  | "invalid_input"
  /** The signal was aborted; the program is gone. */
  | "cancelled"
  /** The sandbox could not be loaded or started; the message says why. */
  | "unavailable"
  // From a tool's `run`; these are the outcomes of a program.
  | "threw"
  | "stopped"
  | "pending";

/** What every call here throws. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
  /** Stable; branch on this, not on the message. */
  readonly code: SandboxErrorCode;

  constructor(code: SandboxErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
