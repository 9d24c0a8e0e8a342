/** Reads the worker's variables into checked values. Every mistake names its variable. */

import { ConfigurationError } from "./errors.ts";
import { DEFAULT_BETAS, DEFAULT_MODELS, DEFAULT_TOOLS, EFFORTS, type Effort, type Rules } from "./policy.ts";

/** What Cloudflare hands in: all text, all optional. README.md lists meaning and defaults. */
export interface Env {
  readonly ALLOWED_ORIGINS?: string;
  readonly MODE?: string;
  readonly UPSTREAM?: string;
  readonly ANTHROPIC_API_KEY?: string;
  readonly ALLOWED_MODELS?: string;
  readonly ALLOWED_BETAS?: string;
  readonly ALLOWED_TOOLS?: string;
  readonly MAX_OUTPUT_TOKENS?: string;
  readonly MAX_EFFORT?: string;
  readonly MAX_BODY_BYTES?: string;
  readonly UPSTREAM_STREAM_TIMEOUT_MS?: string;
  readonly UPSTREAM_TIMEOUT_MS?: string;
}

export interface Settings {
  /** `managed`: the worker's key pays. `byok`: every caller brings a key and the worker's is unused. */
  readonly mode: "managed" | "byok";
  readonly serverKey: string | null;
  readonly upstream: URL;
  readonly origins: ReadonlySet<string>;
  readonly rules: Rules;
  readonly maxBodyBytes: number;
  /** Until response headers, for `stream: true`; the body itself has no time limit. */
  readonly streamTimeoutMs: number;
  /** Until response headers, for everything else: without streaming they come with the whole answer. */
  readonly timeoutMs: number;
}

export function readSettings(env: Env): Settings {
  const mode = env.MODE || "managed";
  if (mode !== "managed" && mode !== "byok") throw new ConfigurationError("MODE must be `managed` or `byok`.");
  return {
    mode,
    serverKey: env.ANTHROPIC_API_KEY || null,
    upstream: upstreamUrl(env.UPSTREAM || "https://api.anthropic.com"),
    origins: new Set(list(env.ALLOWED_ORIGINS) ?? []),
    rules: {
      models: list(env.ALLOWED_MODELS) ?? DEFAULT_MODELS,
      betas: list(env.ALLOWED_BETAS) ?? DEFAULT_BETAS,
      tools: list(env.ALLOWED_TOOLS) ?? DEFAULT_TOOLS,
      maxOutputTokens: count("MAX_OUTPUT_TOKENS", env.MAX_OUTPUT_TOKENS, 16_384),
      maxEffort: effort(env.MAX_EFFORT),
    },
    maxBodyBytes: count("MAX_BODY_BYTES", env.MAX_BODY_BYTES, 1_048_576),
    streamTimeoutMs: count("UPSTREAM_STREAM_TIMEOUT_MS", env.UPSTREAM_STREAM_TIMEOUT_MS, 60_000),
    timeoutMs: count("UPSTREAM_TIMEOUT_MS", env.UPSTREAM_TIMEOUT_MS, 600_000),
  };
}

export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function upstreamUrl(text: string): URL {
  if (!URL.canParse(text)) throw new ConfigurationError("UPSTREAM is not a URL.");
  const url = new URL(text);
  const safe = url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
  if (!safe) throw new ConfigurationError("UPSTREAM must be https (http only for a loopback host).");
  if (url.username || url.password || url.search || url.hash) {
    throw new ConfigurationError("UPSTREAM must be a plain base URL: no credentials, query or fragment.");
  }
  return url;
}

function list(text: string | undefined): string[] | null {
  if (!text?.trim()) return null;
  return text.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

function count(name: string, text: string | undefined, otherwise: number): number {
  if (!text) return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new ConfigurationError(`${name} must be a whole number above 0.`);
  return value;
}

function effort(text: string | undefined): Effort | null {
  if (!text) return null;
  const found = EFFORTS.find((level) => level === text);
  if (found === undefined) throw new ConfigurationError(`MAX_EFFORT must be one of ${EFFORTS.join(", ")}.`);
  return found;
}
