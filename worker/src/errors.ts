/** Errors of the worker itself, in the shape of the Claude API so that SDKs treat them correctly. */

export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "api_error"
  | "timeout_error";

export class EdgeError extends Error {
  readonly status: number;
  readonly type: ErrorType;
  readonly errorCode: string | undefined;

  /** `message` reaches the caller: it must never quote a body, a key or an upstream's words. */
  constructor(status: number, type: ErrorType, message: string, errorCode?: string) {
    super(message);
    this.status = status;
    this.type = type;
    this.errorCode = errorCode;
  }
}

/** The operator has to act; a retry cannot help, and `x-should-retry: false` says so to SDKs. */
export class ConfigurationError extends EdgeError {
  constructor(message: string) {
    super(500, "api_error", `Edge worker configuration: ${message}`, "edge_configuration");
  }
}

export function errorResponse(error: EdgeError, cors: Headers): Response {
  const headers = new Headers(cors);
  headers.set("content-type", "application/json");
  headers.set("cache-control", "no-store");
  if (error instanceof ConfigurationError) headers.set("x-should-retry", "false");
  const { type, message, errorCode } = error;
  const details = errorCode === undefined ? {} : { details: { error_code: errorCode } };
  const body = { type: "error", error: { type, message, ...details }, request_id: null };
  return new Response(JSON.stringify(body), { status: error.status, headers });
}
