// Header rules: who may call, with which version and betas, and what must never arrive here.

import { Rejection, refuse } from './rejection.mjs';

/** Values of `anthropic-version` in use: the documented one and the one the SDK sends since 1.0. */
const VERSIONS = ['2023-06-01', '2026-10-21'];

/** Betas that switch a request field on; `validate.mjs` asks for them by these names. */
export const BETA = {
  contextManagement: 'context-management-2025-06-27',
  thresholdCompaction: 'compact-2026-01-12',
  onDemandCompaction: 'compact-2026-09-04',
  clearAt: 'mid-conversation-system-clear-at-2026-08-21',
  thinkingBinding: 'thinking-binding-controls-2026-08-01',
  messageOutputConfig: 'mid-conversation-output-config-2026-07-01',
};

/** Names the API accepts. The last group is sent by old SDK versions, the AI SDK or the SDK's threads. */
const KNOWN_BETAS = new Set([
  ...Object.values(BETA),
  'token-counting-2024-11-01',
  'structured-outputs-2025-11-13',
  'structured-outputs-2025-12-15',
  'prompt-caching-2024-07-31',
  'extended-cache-ttl-2025-04-11',
  'interleaved-thinking-2025-05-14',
  'mid-conversation-system-2026-04-07',
  'cache-diagnosis-2026-04-07',
  'model-context-window-exceeded-2025-08-26',
  'message-threads-2026-08-12',
]);

export const DIRECT_BROWSER = 'anthropic-dangerous-direct-browser-access';

/**
 * What a JavaScript runtime adds to every outgoing `fetch` by itself; it says nothing about the person. Node's fetch
 * sends `sec-fetch-mode: cors`; the Workers runtime names the calling worker in `cf-worker`.
 */
const ADDED_BY_RUNTIME = { 'sec-fetch-mode': (value) => value === 'cors', 'cf-worker': () => true };

/** Names that tell about the person or the page and have no business at the provider. */
const TELLING = /^(referer|cookie|sec-.*|cf-.*|x-forwarded-.*|x-real-ip|forwarded|true-client-ip|via)$/;

/** Header names the client has no reason to send upstream although nothing in the API refuses them. */
export function privacyViolations(headers) {
  if (headers[DIRECT_BROWSER] === 'true') return [];
  return Object.keys(headers)
    .filter((name) => TELLING.test(name) && !(Object.hasOwn(ADDED_BY_RUNTIME, name) && ADDED_BY_RUNTIME[name](headers[name])))
    .map((name) => ({ kind: 'privacy', rule: 'header', message: `The header ${name} must not be sent to the API.` }));
}

/**
 * Headers as the journal keeps them: a credential becomes a marker that names its header, its visible prefix and, if
 * the fake was given names for its keys, which key it was.
 */
export function redactHeaders(headers, keys) {
  const kept = { ...headers };
  for (const name of ['x-api-key', 'authorization', 'proxy-authorization', 'cookie']) {
    if (kept[name] !== undefined) kept[name] = redacted(name, kept[name], keys);
  }
  return kept;
}

function redacted(name, value, keys) {
  const bearer = /^bearer /i.test(value) ? 'Bearer ' : '';
  const secret = value.slice(bearer.length);
  const prefix = secret.startsWith('sk-ant-') ? `${bearer}sk-ant-` : `${bearer}other`;
  const label = keys && Object.keys(keys).find((key) => keys[key] === secret);
  return `[redacted ${name} prefix=${prefix}${label ? ` key=${label}` : ''}]`;
}

/**
 * Checks everything about a request that its headers say. Returns the betas it asks for.
 * @param {object} headers Lower-case names.
 * @param {string[]} rawHeaders As Node received them, to see repeated ones.
 * @param {{method: string, keys?: Record<string, string>}} expected `keys`: label → key; without it any key with the
 *   right prefix is accepted.
 */
export function checkHeaders(headers, rawHeaders, { method, keys }) {
  checkOrigin(headers);
  checkKey(headers, keys);
  const telling = privacyViolations(headers);
  if (telling.length > 0) refuse(telling[0].message, { kind: 'privacy', rule: 'header' });
  if (headers['anthropic-version'] === undefined) refuse('anthropic-version: header is required');
  if (!VERSIONS.includes(headers['anthropic-version'])) {
    refuse(`anthropic-version: "${headers['anthropic-version']}" is not a valid version`);
  }
  if (method === 'POST') checkContentType(headers);
  return checkBetas(headers, rawHeaders);
}

function checkOrigin(headers) {
  if (headers.origin !== undefined && headers[DIRECT_BROWSER] !== 'true') {
    throw new Rejection(401, `CORS requests must set '${DIRECT_BROWSER}' header`, { kind: 'privacy', rule: 'origin' });
  }
}

function checkKey(headers, keys) {
  const unauthorized = (message) => {
    throw new Rejection(401, message, { rule: 'key' });
  };
  const key = headers['x-api-key'];
  const bearer = /^Bearer (.*)$/i.exec(headers.authorization ?? '')?.[1];
  if (key === undefined && headers.authorization === undefined) unauthorized('x-api-key header is required');
  if (headers.authorization !== undefined && bearer === undefined) unauthorized('invalid authorization header');
  for (const [name, value] of [['x-api-key', key], ['bearer token', bearer]]) {
    if (value === undefined) continue;
    if (!/^sk-ant-\S+$/.test(value)) unauthorized(`invalid ${name}`);
    if (keys && !Object.values(keys).includes(value)) unauthorized(`invalid ${name}`);
  }
}

function checkContentType(headers) {
  const [type, ...parameters] = (headers['content-type'] ?? '').split(';').map((part) => part.trim().toLowerCase());
  if (type !== 'application/json' || parameters.some((part) => part !== 'charset=utf-8')) {
    refuse('content-type: header must be `application/json`');
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') refuse('content-encoding: not supported by this fake');
}

function checkBetas(headers, rawHeaders) {
  const sent = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'anthropic-beta');
  if (sent.length === 0) return new Set();
  if (sent.length > 1) refuse('anthropic-beta: send one header with comma-separated names');
  const names = headers['anthropic-beta'].split(',').map((name) => name.trim());
  for (const name of names) {
    if (!KNOWN_BETAS.has(name)) {
      refuse(
        `Unexpected value(s) \`${name}\` for the \`anthropic-beta\` header. ` +
          'Please consult our documentation or try again without the header.',
      );
    }
  }
  return new Set(names);
}
