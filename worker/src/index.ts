/**
 * onhand's edge worker: lets a page talk to Claude without holding the key, and keeps nothing.
 *
 * One straight path per request: origin → route → key → read → check → upstream → pass the answer
 * through. Nothing is stored, nothing is written to a log, and the answer is never parsed.
 */

import { CLAMPED_HEADER, corsHeaders, judgeOrigin, type OriginVerdict, passedHeaders, preflightResponse } from "./cors.ts";
import { ConfigurationError, EdgeError, errorResponse } from "./errors.ts";
import { applyEdits, duplicateKey } from "./json.ts";
import { checkBody, checkHeaders, checkQuery, type Edit } from "./policy.ts";
import { type Env, readSettings, type Settings } from "./settings.ts";

interface Outgoing {
  /** Of the upstream: the path, and what of the query string it is given. */
  readonly target: string;
  readonly body: Uint8Array | null;
  readonly edits: readonly Edit[];
  readonly timeoutMs: number;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    let cors = new Headers({ vary: "Origin" });
    try {
      const settings = readSettings(env);
      const verdict = judgeOrigin(request, settings.origins);
      cors = corsHeaders(request, verdict, settings.mode);
      return await answer(request, settings, verdict, cors);
    } catch (error) {
      // The message of an unexpected error may quote the body, so it is neither sent nor logged.
      const known = error instanceof EdgeError ? error : new EdgeError(500, "api_error", "Internal error in the edge worker.");
      return errorResponse(known, cors);
    }
  },
} satisfies ExportedHandler<Env>;

async function answer(request: Request, settings: Settings, verdict: OriginVerdict, cors: Headers): Promise<Response> {
  if (verdict === "refused") {
    throw new EdgeError(403, "permission_error", "This origin may not use this edge worker; its operator can add it to ALLOWED_ORIGINS.");
  }
  if (request.method === "OPTIONS") return preflightResponse(cors);
  const { pathname, searchParams } = new URL(request.url);
  switch (`${request.method} ${pathname}`) {
    case "GET /health":
      return health(settings, cors);
    case "POST /v1/messages":
    case "POST /v1/messages/count_tokens":
      break;
    default:
      if (request.method === "GET" && /^\/v1\/models(\/[\w.-]+)?$/.test(pathname)) break;
      throw new EdgeError(404, "not_found_error", "Not found.");
  }
  const key = upstreamKey(request, settings, verdict);
  // Rate limits belong here, keyed by who `upstreamKey` found the caller to be.
  checkRequestHeaders(request, settings);
  const outgoing = request.method === "POST" ? await readMessage(request, pathname, settings) : readLookup(pathname, searchParams, settings);
  // A budget per user belongs here: the body is judged and nothing has been spent yet.
  return passThrough(await callUpstream(request, key, outgoing, settings), outgoing.edits, settings, cors);
}

/** Whose answers a page gets, so that it can say so when they are not api.anthropic.com's. */
function health(settings: Settings, cors: Headers): Response {
  if (settings.mode === "managed") requireServerKey(settings);
  const headers = new Headers(cors);
  headers.set("cache-control", "no-store");
  return Response.json({ status: "ok", upstream: settings.upstream.host, mode: settings.mode }, { headers });
}

/** The key for this request. Caller tokens of managed mode will be checked here. */
function upstreamKey(request: Request, settings: Settings, verdict: OriginVerdict): string {
  if (settings.mode === "managed") {
    if (verdict === "absent") {
      throw new EdgeError(403, "permission_error", "Requests without an Origin are refused in managed mode; its operator can add `none` to ALLOWED_ORIGINS.");
    }
    return requireServerKey(settings);
  }
  const bearer = /^bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "");
  const key = request.headers.get("x-api-key") ?? bearer?.[1] ?? "";
  if (!key.startsWith("sk-ant-")) {
    throw new EdgeError(401, "authentication_error", "Send your own Anthropic API key (sk-ant-…) in x-api-key or Authorization: Bearer.");
  }
  return key;
}

function requireServerKey(settings: Settings): string {
  if (settings.serverKey !== null) return settings.serverKey;
  throw new ConfigurationError("ANTHROPIC_API_KEY is not set. Deployed: `npx wrangler secret put ANTHROPIC_API_KEY`; local: write it to worker/.dev.vars.");
}

function checkRequestHeaders(request: Request, settings: Settings): void {
  const refusal = checkHeaders(request.headers.get("anthropic-version"), request.headers.get("anthropic-beta"), settings.rules);
  if (refusal !== null) throw new EdgeError(400, "invalid_request_error", refusal.message);
}

/** Reads, judges and clamps the body. Unless something is clamped, the bytes go on as they came. */
async function readMessage(request: Request, target: string, settings: Settings): Promise<Outgoing> {
  const bytes = await readBytes(request, settings.maxBodyBytes);
  let text: string;
  let body: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    body = JSON.parse(text);
  } catch {
    throw new EdgeError(400, "invalid_request_error", "The request body is not valid JSON in UTF-8.");
  }
  const verdict = checkBody(body, settings.rules);
  if (verdict.kind === "refuse") throw new EdgeError(400, "invalid_request_error", verdict.message, verdict.errorCode);
  // What was judged is the last of two equal keys; another parser may take the first.
  if (duplicateKey(text) !== null) throw new EdgeError(400, "invalid_request_error", `${duplicateKey(text)}: duplicate key.`);
  const { edits } = verdict;
  const streams = (body as { stream?: unknown }).stream === true;
  return {
    target, // A query string (?beta=true) is ignored and not forwarded.
    body: edits.length === 0 ? bytes : new TextEncoder().encode(applyEdits(text, edits)),
    edits,
    timeoutMs: streams ? settings.streamTimeoutMs : settings.timeoutMs,
  };
}

/** A request about models has no body; the list is asked for page by page. */
function readLookup(pathname: string, query: URLSearchParams, settings: Settings): Outgoing {
  const verdict = checkQuery(pathname === "/v1/models" ? query : new URLSearchParams());
  if (verdict.kind === "refuse") throw new EdgeError(400, "invalid_request_error", verdict.message);
  const target = verdict.query === "" ? pathname : `${pathname}?${verdict.query}`;
  return { target, body: null, edits: [], timeoutMs: settings.timeoutMs };
}

/** Counts while reading: `content-length` may be absent, and is only a claim. */
async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = new EdgeError(413, "request_too_large", `The request body is larger than ${limit} bytes (MAX_BODY_BYTES).`);
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge; // Leaving the loop cancels the stream.
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** Headers are built anew: the API answers 401 to a forwarded Origin, and nothing about the user is its business. */
async function callUpstream(request: Request, key: string, outgoing: Outgoing, settings: Settings): Promise<Response> {
  const headers = new Headers({ "x-api-key": key });
  for (const name of ["anthropic-version", "anthropic-beta", "accept"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (outgoing.body !== null) headers.set("content-type", "application/json");

  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), outgoing.timeoutMs);
  try {
    return await fetch(settings.upstream.href.replace(/\/$/, "") + outgoing.target, {
      method: request.method,
      headers,
      body: outgoing.body,
      redirect: "manual", // A redirect would carry the key to another host.
      signal: AbortSignal.any([request.signal, timeout.signal]),
    });
  } catch {
    if (timeout.signal.aborted) throw new EdgeError(504, "timeout_error", "The upstream did not answer in time.");
    throw new EdgeError(502, "api_error", "The upstream could not be reached.");
  } finally {
    clearTimeout(timer); // From here on only the caller ends the stream.
  }
}

async function passThrough(upstream: Response, edits: readonly Edit[], settings: Settings, cors: Headers): Promise<Response> {
  if (upstream.status >= 300 && upstream.status < 400) {
    await upstream.body?.cancel(); // An unread body keeps its connection.
    throw new EdgeError(502, "api_error", "The upstream answered with a redirect, which is not followed.");
  }
  const headers = new Headers(cors);
  headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
  for (const name of ["content-type", ...passedHeaders(settings.mode)]) {
    const value = upstream.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (edits.length > 0) headers.set(CLAMPED_HEADER, edits.map((edit) => `${edit.path.join(".")}=${edit.value}`).join(", "));
  return new Response(upstream.body, { status: upstream.status, headers });
}
