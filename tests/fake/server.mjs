// A strict local fake of the Claude API.
//
//   import { startFake } from './fake/server.mjs';
//   const fake = await startFake({ seed: 1 });
//   fake.script([{ match: (request) => request.body.stream, reply: { content: 'Hello' } }]);
//
// It refuses every request the real API would refuse, answers from a script (or as the demo's stand-in), simulates the
// prompt cache, thinking binding and context editing, and keeps a journal. It is no test of the real API: see README.md.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { countedTokens, diagnosticsFor, readPrompt } from './answer.mjs';
import { fingerprint, PromptCache } from './cache.mjs';
import { control, isControl } from './control.mjs';
import { hang, sendFault, sendJson, sendMessage, streamMessage, waitsAt } from './deliver.mjs';
import { checkHeaders, DIRECT_BROWSER, privacyViolations, redactHeaders } from './headers.mjs';
import { Issued } from './issued.mjs';
import { Journal } from './journal.mjs';
import { findModel, modelInfo, MODELS } from './models.mjs';
import { randomFrom } from './random.mjs';
import { errorBody, refuse, Rejection } from './rejection.mjs';
import { buildMessage } from './reply.mjs';
import { Script } from './script.mjs';
import { standInReply } from './stand-in.mjs';
import { checkBody, checkWellFormed } from './validate.mjs';

export { gate } from './script.mjs';

/** Body limit of the message endpoints. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MESSAGES = '/v1/messages';
const COUNT_TOKENS = '/v1/messages/count_tokens';
const MODELS_PATH = '/v1/models';
/** Query parameters in use; older clients send `beta=true`. */
const QUERY = { [MESSAGES]: ['beta'], [COUNT_TOKENS]: ['beta'], [MODELS_PATH]: ['beta', 'limit', 'after_id', 'before_id'] };

/**
 * Starts a fake.
 * @param {object} [options]
 * @param {number} [options.port] 0 chooses a free one.
 * @param {string} [options.host] Interface; keep it on the loopback.
 * @param {number} [options.seed] Of ids, delta sizes and chunk boundaries.
 * @param {() => number} [options.now] Clock in ms, for cache lifetimes and the journal.
 * @param {boolean} [options.standIn] Answers requests that no script entry matches.
 * @param {boolean} [options.newAccount] Whether thinking is bound by default (accounts made since 2026-08-31).
 * @param {Record<string, string>} [options.keys] label → accepted key; without it any `sk-ant-…` is accepted.
 * @returns {Promise<object>} `{url, journal, script, unused, until, release, reset, close}`
 */
export async function startFake(options = {}) {
  const fake = new Fake(options);
  const { port = 0, host = '127.0.0.1' } = options;
  const server = createServer((req, res) => fake.handle(req, res));
  server.on('connection', (socket) => socket.setNoDelay(true));
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const at = server.address();
  return {
    url: `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`,
    journal: fake.journal,
    script: (entries) => fake.script(entries),
    unused: () => fake.unused(),
    until: (fits) => fake.until(fits),
    release: (name) => fake.release(name),
    reset: () => fake.reset(),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

class Fake {
  #script = new Script();
  #journal = new Journal();
  #cache = new PromptCache();
  #issued = new Issued();
  #now;
  #account;
  #keys;
  #random;
  #n = 0;

  constructor({ seed = 1, now = () => 0, standIn = false, newAccount = true, keys } = {}) {
    this.seed = seed;
    this.standIn = standIn;
    this.#now = now;
    this.#account = { newAccount };
    this.#keys = keys;
    this.#random = randomFrom(seed);
  }

  get journal() {
    return this.#journal.entries;
  }
  script(entries) {
    this.#script.add(entries);
  }
  unused() {
    return this.#script.unused();
  }
  until(fits) {
    return this.#journal.until(fits);
  }
  release(name) {
    this.#script.release(name);
  }

  /** Forgets everything and starts again from the seed. */
  reset() {
    this.#script.clear();
    this.#journal.clear();
    this.#cache.clear();
    this.#issued.clear();
    this.#random = randomFrom(this.seed);
    this.#n = 0;
  }

  /** The clock is part of an id, so that a restarted demo does not repeat the ids of its last run. */
  #newId(prefix) {
    this.#n += 1;
    const hash = createHash('sha256').update(`${this.seed}:${this.#now()}:${this.#n}`).digest('base64url');
    return `${prefix}01${hash.replace(/[-_]/g, 'x').slice(0, 22)}`;
  }

  async handle(req, res) {
    const url = URL.canParse(req.url, 'http://fake') ? new URL(req.url, 'http://fake') : new URL('http://fake/unreadable');
    if (isControl(url.pathname)) {
      const { status, headers, value } = await control(
        { method: req.method, path: url.pathname, origin: req.headers.origin, remoteAddress: req.socket.remoteAddress, readJson: async () => JSON.parse(await readAll(req)) },
        this,
      );
      await sendJson(res, status, headers, value);
      return;
    }
    const entry = this.#journal.open({
      at: this.#now(),
      method: req.method,
      path: url.pathname,
      headers: redactHeaders(req.headers, this.#keys),
      body: null,
      status: null,
      outcome: 'pending',
      violations: privacyViolations(req.headers),
    });
    const requestId = this.#newId('req_');
    const headers = this.#responseHeaders(req, requestId);
    try {
      const outcome = await this.#answer(req, res, { url, entry, requestId, headers });
      this.#journal.close(entry, outcome, res.headersSent ? res.statusCode : null);
    } catch (error) {
      await this.#reject(res, entry, headers, requestId, error);
    }
  }

  async #reject(res, entry, headers, requestId, error) {
    const rejection = error instanceof Rejection ? error : new Rejection(500, `fake: ${error.stack}`, { kind: 'fake', rule: 'bug' });
    if (!entry.violations.some(({ message }) => message === rejection.message)) entry.violations.push(rejection.violation());
    if (res.headersSent) {
      res.destroy();
      this.#journal.close(entry, 'cut', res.statusCode);
      return;
    }
    // A retry cannot mend the test's own mistake; it would only hide the first message.
    const noRetry = rejection.status === 500 ? { 'x-should-retry': 'false' } : {};
    this.#journal.close(entry, 'rejected', rejection.status);
    await sendJson(res, rejection.status, { ...headers, ...noRetry }, errorBody(rejection, requestId));
  }

  #responseHeaders(req, requestId) {
    const reset = new Date(this.#now() + 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
    const limits = { requests: [4000, 3999], tokens: [2_400_000, 2_399_000], 'input-tokens': [2_000_000, 1_999_000], 'output-tokens': [400_000, 400_000] };
    const headers = { 'request-id': requestId, 'anthropic-organization-id': 'fake-organization', 'anthropic-workspace-id': 'fake-workspace' };
    for (const [name, [limit, remaining]] of Object.entries(limits)) {
      headers[`anthropic-ratelimit-${name}-limit`] = String(limit);
      headers[`anthropic-ratelimit-${name}-remaining`] = String(remaining);
      headers[`anthropic-ratelimit-${name}-reset`] = reset;
    }
    if (req.headers.origin !== undefined && req.headers[DIRECT_BROWSER] === 'true') {
      headers['access-control-allow-origin'] = '*';
      headers['access-control-expose-headers'] = 'request-id, retry-after, retry-after-ms, x-should-retry';
    }
    return headers;
  }

  async #answer(req, res, context) {
    const { url, entry, headers } = context;
    if (req.method === 'OPTIONS') return preflight(req, res, headers);
    const raw = await readBody(req);
    if (raw === 'aborted') return 'aborted';
    entry.body = journalBody(raw);
    const betas = checkHeaders(req.headers, req.rawHeaders, { method: req.method, keys: this.#keys });
    checkQuery(url);
    const route = `${req.method} ${url.pathname}`;
    if (route === `POST ${MESSAGES}`) return this.#messages(res, { ...context, betas, body: parse(raw) });
    if (route === `POST ${COUNT_TOKENS}`) return this.#countTokens(res, { ...context, betas, body: parse(raw) });
    if (req.method === 'GET' && raw.length > 0) refuse('A GET request has no body');
    if (req.method === 'GET' && (url.pathname === MODELS_PATH || url.pathname.startsWith(`${MODELS_PATH}/`))) {
      return this.#models(res, context);
    }
    throw new Rejection(404, `Not found: ${route}`);
  }

  /** A scripted fault for an endpoint that needs no script to answer. */
  #faultFor(request) {
    const reply = this.#script.take(request);
    return reply?.status === undefined ? null : reply;
  }

  #models(res, { url, entry, headers, requestId }) {
    const fault = this.#faultFor({ ...entry, path: MODELS_PATH });
    if (fault) return sendFault(res, headers, fault, requestId);
    if (url.pathname === MODELS_PATH) return sendJson(res, 200, headers, modelPage(url.searchParams));
    const id = url.pathname.slice(MODELS_PATH.length + 1);
    if (!findModel(id)) throw new Rejection(404, `model: ${id}`);
    return sendJson(res, 200, headers, modelInfo(id));
  }

  #countTokens(res, { entry, headers, requestId, betas, body }) {
    const model = checkBody(body, { counting: true, betas, issued: this.#issued });
    const fault = this.#faultFor(entry);
    if (fault) return sendFault(res, headers, fault, requestId);
    return sendJson(res, 200, headers, countedTokens(body, readPrompt(body, model, this.#account)));
  }

  async #messages(res, { entry, headers, requestId, betas, body }) {
    const startMs = this.#now();
    const model = checkBody(body, { counting: false, betas, issued: this.#issued });
    const seen = readPrompt(body, model, this.#account);
    entry.violations.push(...this.#issued.changedToolUses(body.messages), ...ignoredSystemMessages(body, model), ...personalUserId(body));

    const reply = this.#chooseReply(entry, body, model, seen.messages);
    if (reply.slowFirstByte && !(await waitsAt(res, this.#script.waitFor(reply.slowFirstByte)))) return 'aborted';
    if (reply.hang) return hang(res);
    if (reply.status !== undefined) return sendFault(res, headers, reply, requestId);

    const plan = this.#cache.plan(body, seen.prompt, model, startMs);
    const { message, cutInputs } = buildMessage(reply, {
      body,
      model,
      betas,
      next: seen.next,
      usage: plan.usage,
      applied: seen.applied,
      transformations: seen.transformations,
      diagnostics: diagnosticsFor(body, model, seen.prompt, this.#issued),
      newId: (prefix) => this.#newId(prefix),
    });
    const begins = () => {
      plan.commit();
      this.#issued.record(message, fingerprint(seen.prompt, model));
    };
    if (!body.stream) return sendMessage(res, headers, message, reply, requestId, begins);
    const waitFor = (wanted) => this.#script.waitFor(wanted);
    return streamMessage(res, headers, { message, cutInputs, reply, random: this.#random, waitFor, requestId, begins });
  }

  #chooseReply(entry, body, model, messages) {
    // A pre-warm request generates nothing, so there is nothing to script.
    if (body.max_tokens === 0) return { content: [], stop_reason: 'max_tokens' };
    const reply = this.#script.take(entry) ?? (this.standIn ? standInReply({ body: { ...body, messages }, model }) : undefined);
    if (reply) return reply;
    throw new Rejection(500, `fake: no script entry matched ${entry.method} ${entry.path} (${this.unused().length} entries unused)`, {
      kind: 'script',
      rule: 'unscripted',
    });
  }
}

function preflight(req, res, headers) {
  const asked = (req.headers['access-control-request-headers'] ?? '').toLowerCase().split(',').map((name) => name.trim());
  if (!asked.includes(DIRECT_BROWSER)) {
    throw new Rejection(401, `CORS requests must set '${DIRECT_BROWSER}' header`, { kind: 'privacy', rule: 'origin' });
  }
  const allow = {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': asked.join(', '),
  };
  return sendJson(res, 200, { ...headers, ...allow }, {});
}

/** Reads the whole body, also one that is too long, so that the client gets to read the answer. */
async function readBody(req) {
  const chunks = [];
  let length = 0;
  try {
    for await (const chunk of req) {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    return 'aborted';
  }
  if (length > MAX_BODY_BYTES) throw new Rejection(413, 'Request exceeds the maximum size');
  return Buffer.concat(chunks);
}

async function readAll(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function parse(raw) {
  let value;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw));
  } catch (error) {
    refuse(`The request body is not valid JSON: ${error.message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('body: Input should be a valid dictionary');
  checkWellFormed(value);
  return value;
}

/** The body for the journal: parsed if it is JSON, else its text. */
function journalBody(raw) {
  if (raw.length === 0) return null;
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    return raw.toString('utf8');
  }
}

function checkQuery(url) {
  const allowed = QUERY[url.pathname] ?? ['beta'];
  for (const name of url.searchParams.keys()) {
    if (!allowed.includes(name)) refuse(`Unexpected query parameter '${name}'`);
    if (url.searchParams.getAll(name).length > 1) refuse(`${name}: given twice`);
  }
}

function modelPage(query) {
  const ids = Object.keys(MODELS);
  if (query.has('before_id') && query.has('after_id')) refuse('Only one of before_id and after_id may be given');
  const limit = Number(query.get('limit') ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) refuse('limit: Input should be between 1 and 1000');
  const place = (name) => {
    if (!query.has(name)) return -1;
    if (!ids.includes(query.get(name))) refuse(`${name}: not found`);
    return ids.indexOf(query.get(name));
  };
  const before = place('before_id');
  const rest = before >= 0 ? ids.slice(Math.max(0, before - limit), before) : ids.slice(place('after_id') + 1);
  const page = rest.slice(0, limit);
  const more = before >= 0 ? before - limit > 0 : rest.length > limit;
  return { data: page.map(modelInfo), has_more: more, first_id: page[0] ?? null, last_id: page.at(-1) ?? null };
}

/** A model that ignores `role: "system"` messages answers 200; a client that relies on them is wrong all the same. */
function ignoredSystemMessages(body, model) {
  if (model.systemMessage !== 'ignored' || !body.messages.some((message) => message.role === 'system')) return [];
  return [{ kind: 'ignored', rule: 'system_message', message: `${model.id} ignores role 'system' messages.` }];
}

/** `metadata.user_id` is an opaque id; an address in it is personal data at the provider. */
function personalUserId(body) {
  const id = body.metadata?.user_id ?? '';
  return /@|\s/.test(id) ? [{ kind: 'privacy', rule: 'user_id', message: 'metadata.user_id must be an opaque id.' }] : [];
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8788' },
      host: { type: 'string', default: '127.0.0.1' },
      seed: { type: 'string', default: '1' },
      'stand-in': { type: 'boolean', default: false },
    },
  });
  const fake = await startFake({ port: Number(values.port), host: values.host, seed: Number(values.seed), standIn: values['stand-in'], now: Date.now });
  console.log(fake.url);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
