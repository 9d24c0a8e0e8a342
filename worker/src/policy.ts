/**
 * What a caller may ask of the upstream. Pure: plain data in, plain data out.
 *
 * Everything is an allow-list, so a field, beta or tool type the API gains later stays shut until
 * someone has read what it does. Nothing is dropped silently: a refusal names the field, and a
 * clamp is an `Edit` that the pipeline reports to the caller.
 */

/** From cheapest to dearest, as the API names them. */
export const EFFORTS = ["low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof EFFORTS)[number];

export interface Rules {
  readonly models: readonly string[];
  readonly betas: readonly string[];
  /** Values of `tools[].type`; a tool without `type` counts as `custom`. */
  readonly tools: readonly string[];
  readonly maxOutputTokens: number;
  /** Upper bound for `output_config.effort` where a request names one; null leaves it alone. */
  readonly maxEffort: Effort | null;
}

/** Replace the value at `path`; the rest of the body stays byte for byte. */
export interface Edit {
  readonly path: readonly string[];
  readonly value: number | string;
}

export interface Refusal {
  readonly kind: "refuse";
  readonly message: string;
  readonly errorCode?: string;
}
export type Verdict = { readonly kind: "accept"; readonly edits: readonly Edit[] } | Refusal;

/** Models on sale in November 2026. */
export const DEFAULT_MODELS: readonly string[] = [
  "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-2", "claude-mythos-5-2",
  "claude-fable-5-1", "claude-opus-5", "claude-sonnet-5", "claude-opus-4-8", "claude-sonnet-4-6",
  "claude-haiku-4-5", "claude-haiku-4-5-20251001",
];

/** Betas onhand uses, then those that SDKs send by themselves. None keeps state or runs code upstream. */
export const DEFAULT_BETAS: readonly string[] = [
  "context-management-2025-06-27", "compact-2026-01-12", "compact-2026-09-04",
  "mid-conversation-system-clear-at-2026-08-21", "thinking-binding-controls-2026-08-01",
  "mid-conversation-output-config-2026-07-01",
  "token-counting-2024-11-01", "structured-outputs-2025-11-13", "structured-outputs-2025-12-15",
  "prompt-caching-2024-07-31", "extended-cache-ttl-2025-04-11", "interleaved-thinking-2025-05-14",
  "mid-conversation-system-2026-04-07", "cache-diagnosis-2026-04-07", "model-context-window-exceeded-2025-08-26",
];

/** Tools that run at the caller. Server tools (search, fetch, code) reach hosts the user never named. */
export const DEFAULT_TOOLS: readonly string[] = ["custom", "memory_20250818"];

/** `2026-10-21` is what TypeScript SDK 1.x sends; the rest sends the documented `2023-06-01`. */
export const VERSIONS: readonly string[] = ["2023-06-01", "2026-10-21"];

const FIELDS: ReadonlySet<string> = new Set([
  "model", "max_tokens", "messages", "system", "tools", "tool_choice", "stream", "stop_sequences", "metadata",
  "cache_control", "output_config", "output_format", "thinking", "temperature", "top_p", "top_k",
  "diagnostics", "service_tier", "context_management", "compaction",
]);

/** Known to the API and kept shut here, with the reason a caller is told. */
const SHUT: ReadonlyMap<string, string> = new Map([
  ["thread", "it would keep the conversation at the provider"],
  ["mcp_servers", "the provider would call other hosts"],
  ["container", "it keeps state at the provider"],
  ["fallbacks", "the answer could come from a model that is not on the list"],
  ["inference_geo", "the operator decides where inference runs"],
  ["speed", "it multiplies the price"],
]);

/** Judges the parsed body of `/v1/messages` and `/v1/messages/count_tokens`. */
export function checkBody(body: unknown, rules: Rules): Verdict {
  if (!isObject(body)) return refuse("The request body must be a JSON object.");
  for (const field of Object.keys(body)) {
    const reason = SHUT.get(field);
    if (reason !== undefined) {
      const code = field === "thread" ? "thread_unsupported_request" : undefined;
      return refuse(`${field}: not allowed by this edge worker (${reason}).`, code);
    }
    if (!FIELDS.has(field)) return refuse(`${shown(field)}: Extra inputs are not permitted by this edge worker.`);
  }
  const model = body["model"];
  if (typeof model !== "string") return refuse("model: a model id is required.");
  if (!rules.models.includes(model)) return refuse(`model: ${shown(model)} is not on this edge worker's list (ALLOWED_MODELS).`);
  return checkTools(body["tools"], rules) ?? clamp(body, rules);
}

/** Judges the `anthropic-version` and `anthropic-beta` headers. */
export function checkHeaders(version: string | null, beta: string | null, rules: Rules): Refusal | null {
  if (version === null) return refuse("anthropic-version: header is required");
  if (!VERSIONS.includes(version)) return refuse(`anthropic-version: ${shown(version)} is not supported by this edge worker.`);
  const named = (beta ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  const unknown = named.find((name) => !rules.betas.includes(name));
  return unknown === undefined ? null : refuse(`anthropic-beta: ${shown(unknown)} is not on this edge worker's list (ALLOWED_BETAS).`);
}

/** What may be asked of the list of models, and how each value looks. Other parameters (`beta=true`) are ignored. */
const PAGING: ReadonlyMap<string, RegExp> = new Map([
  ["before_id", /^[\w.-]{1,128}$/],
  ["after_id", /^[\w.-]{1,128}$/],
  ["limit", /^([1-9]\d{0,2}|1000)$/],
]);

/** Judges the query string of `GET /v1/models`; gives what of it goes on, in the order of the table above. */
export function checkQuery(query: URLSearchParams): { readonly kind: "accept"; readonly query: string } | Refusal {
  const kept = new URLSearchParams();
  for (const [name, shape] of PAGING) {
    const values = query.getAll(name);
    if (values.length > 1) return refuse(`${name}: duplicate parameter.`);
    for (const value of values) {
      if (!shape.test(value)) return refuse(`${name}: ${name === "limit" ? "must be a whole number from 1 to 1000." : "must be a model id."}`);
      kept.set(name, value);
    }
  }
  return { kind: "accept", query: kept.toString() };
}

function checkTools(tools: unknown, rules: Rules): Refusal | null {
  if (tools === undefined || tools === null) return null;
  if (!Array.isArray(tools)) return refuse("tools: must be an array.");
  for (const [index, tool] of tools.entries()) {
    if (!isObject(tool)) return refuse(`tools.${index}: must be an object.`);
    const type = tool["type"] ?? "custom";
    if (typeof type !== "string" || !rules.tools.includes(type)) {
      return refuse(`tools.${index}.type: ${shown(String(type))} is not enabled on this edge worker (ALLOWED_TOOLS).`);
    }
  }
  return null;
}

function clamp(body: Record<string, unknown>, rules: Rules): Verdict {
  const edits: Edit[] = [];
  const maxTokens = body["max_tokens"];
  if (maxTokens !== undefined) {
    if (!Number.isSafeInteger(maxTokens)) return refuse("max_tokens: must be a whole number.");
    if ((maxTokens as number) > rules.maxOutputTokens) edits.push({ path: ["max_tokens"], value: rules.maxOutputTokens });
  }
  const outputConfig = body["output_config"];
  if (outputConfig === undefined || outputConfig === null) return { kind: "accept", edits };
  if (!isObject(outputConfig)) return refuse("output_config: must be an object.");
  const effort = outputConfig["effort"];
  if (rules.maxEffort === null || effort === undefined || effort === null) return { kind: "accept", edits };
  const level = (EFFORTS as readonly unknown[]).indexOf(effort);
  // An effort this list does not know could be dearer than all of them.
  if (level < 0) return refuse(`output_config.effort: must be one of ${EFFORTS.join(", ")}.`);
  if (level > EFFORTS.indexOf(rules.maxEffort)) edits.push({ path: ["output_config", "effort"], value: rules.maxEffort });
  return { kind: "accept", edits };
}

function refuse(message: string, errorCode?: string): Refusal {
  return errorCode === undefined ? { kind: "refuse", message } : { kind: "refuse", message, errorCode };
}

/** Names are echoed so that the caller can find them; long ones are cut, they are no names. */
function shown(name: string): string {
  return `\`${name.length > 80 ? `${name.slice(0, 80)}…` : name}\``;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
