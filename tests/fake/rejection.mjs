// A request that breaks a rule is answered with a `Rejection`: the API's status, error type and words.
//
// Rules throw it where they find the mistake; only the server catches it. The journal keeps it as a violation, so a
// test can assert that a client broke no rule at all, even where the client recovered from the answer.

/** Error type by HTTP status, as the API documents it. 408 has no type of its own. */
export const ERROR_TYPES = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export class Rejection extends Error {
  /**
   * @param {number} status HTTP status.
   * @param {string} message The API's words where they are known.
   * @param {{details?: object, kind?: string, rule?: string}} [about] `details` goes into the body; `kind` and `rule`
   *   only into the journal. Kinds: `request` (malformed), `privacy` (something left the device that must not),
   *   `script` (the test's own script is wrong or missing).
   */
  constructor(status, message, { details, kind = 'request', rule = 'request' } = {}) {
    super(message);
    this.status = status;
    this.type = ERROR_TYPES[status];
    this.details = details;
    this.kind = kind;
    this.rule = rule;
  }

  violation() {
    return { kind: this.kind, rule: this.rule, message: this.message };
  }
}

/** Throws the 400 of a request that does not hold to the contract. */
export function refuse(message, about) {
  throw new Rejection(400, message, about);
}

/** The JSON body of every error. */
export function errorBody({ type, message, details }, requestId) {
  return { type: 'error', error: { type, message, ...(details && { details }) }, request_id: requestId };
}
