/** Which pages may call, and which headers cross in either direction. CORS is not authentication. */

import { isLoopback } from "./settings.ts";

/** `absent`: no browser page, or a browser that had no reason to say (a typed address). */
export type OriginVerdict = "allowed" | "absent" | "refused";

const REQUEST_HEADERS = [
  "content-type", "authorization", "x-api-key", "anthropic-version", "anthropic-beta",
  "anthropic-dangerous-direct-browser-access", "user-agent",
  ...["lang", "package-version", "os", "arch", "runtime", "runtime-version", "retry-count", "timeout", "async",
    "helper", "helper-method", "poll-helper", "custom-poll-interval"].map((name) => `x-stainless-${name}`),
].join(", ");

const RETRY_HEADERS = ["request-id", "retry-after", "retry-after-ms", "x-should-retry"];
const RATE_LIMIT_HEADERS = ["requests", "tokens", "input-tokens", "output-tokens"].flatMap((kind) =>
  ["limit", "remaining", "reset"].map((what) => `anthropic-ratelimit-${kind}-${what}`));

/** Says which values were clamped, for example `max_tokens=16384`. */
export const CLAMPED_HEADER = "onhand-clamped";

/** Upstream headers a caller may see. With the operator's key, its rate limits are the operator's affair. */
export function passedHeaders(mode: "managed" | "byok"): string[] {
  return mode === "byok" ? [...RETRY_HEADERS, ...RATE_LIMIT_HEADERS] : RETRY_HEADERS;
}

export function judgeOrigin(request: Request, origins: ReadonlySet<string>): OriginVerdict {
  const origin = request.headers.get("origin");
  const own = ownOrigin(request);
  if (origin === null) {
    // Browsers leave Origin out of same-origin GETs, but no page can forge this header.
    const samePage = own !== null && request.headers.get("sec-fetch-site") === "same-origin";
    return samePage || origins.has("none") ? "allowed" : "absent";
  }
  // "null" is every sandboxed frame and every local file at once; "none" is a word of ours, not an origin.
  const named = origin !== "null" && origin !== "none";
  return named && (origin === own || origins.has(origin)) ? "allowed" : "refused";
}

export function corsHeaders(request: Request, verdict: OriginVerdict, mode: "managed" | "byok"): Headers {
  const headers = new Headers({ vary: "Origin" });
  const origin = request.headers.get("origin");
  if (verdict !== "allowed" || origin === null) return headers;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", [...passedHeaders(mode), CLAMPED_HEADER].join(", "));
  return headers;
}

export function preflightResponse(cors: Headers): Response {
  const headers = new Headers(cors);
  headers.delete("access-control-expose-headers");
  if (headers.has("access-control-allow-origin")) {
    headers.set("access-control-allow-methods", "GET, POST, OPTIONS");
    headers.set("access-control-allow-headers", REQUEST_HEADERS);
    headers.set("access-control-max-age", "86400");
  }
  return new Response(null, { status: 204, headers });
}

/**
 * The worker's own origin, for pages it serves itself. Over plain http only a loopback name counts:
 * otherwise a page whose host name was re-bound to a local worker would be "same origin" with it.
 */
function ownOrigin(request: Request): string | null {
  const url = new URL(request.url);
  return url.protocol === "https:" || isLoopback(url.hostname) ? url.origin : null;
}
