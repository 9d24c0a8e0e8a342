// Header rules, routes, bodies that are no JSON, and what the journal keeps of credentials.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { always, call, fakeFor, hello, KEY, send } from './client.mjs';

const ROWS = [
  ['no key', { 'x-api-key': undefined }, 401, /x-api-key header is required/],
  ['a key without the prefix', { 'x-api-key': 'secret' }, 401, /invalid x-api-key/],
  ['an empty bearer', { 'x-api-key': undefined, authorization: 'Bearer ' }, 401, /invalid/],
  ['basic authorization', { 'x-api-key': undefined, authorization: 'Basic abc' }, 401, /invalid authorization/],
  ['a good key beside a bad bearer', { authorization: 'Bearer via-worker' }, 401, /invalid bearer/],
  ['an origin', { origin: 'https://chat.example.com' }, 401, /CORS requests must set/],
  ['no version', { 'anthropic-version': undefined }, 400, /anthropic-version: header is required/],
  ['an unknown version', { 'anthropic-version': '2020-01-01' }, 400, /not a valid version/],
  ['no content type', { 'content-type': '' }, 400, /content-type/],
  ['another content type', { 'content-type': 'text/plain' }, 400, /content-type/],
  ['an unknown beta', { 'anthropic-beta': 'made-up-2026-01-01' }, 400, /Unexpected value\(s\) `made-up-2026-01-01` for the `anthropic-beta` header/],
  ['an empty beta', { 'anthropic-beta': 'compact-2026-01-12,' }, 400, /Unexpected value\(s\)/],
  ['a referer', { referer: 'https://chat.example.com/' }, 400, /referer/],
  ['a cookie', { cookie: 'a=b' }, 400, /cookie/],
  ['a client hint', { 'sec-ch-ua': '"x"' }, 400, /sec-ch-ua/],
  ['the visitor address', { 'cf-connecting-ip': '192.0.2.1' }, 400, /cf-connecting-ip/],
  ['a forwarded address', { 'x-forwarded-for': '192.0.2.1' }, 400, /x-forwarded-for/],
];

/** Plain HTTP: `fetch` would drop or add some of these headers. */
function rawPost(fake, headers, body = JSON.stringify(hello()), { method, path } = { method: 'POST', path: '/v1/messages' }) {
  const base = { 'x-api-key': KEY, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' };
  const all = Object.fromEntries(Object.entries({ ...base, ...headers }).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    const req = httpRequest(fake.url + path, { method, headers: all }, async (res) => {
      const chunks = [];
      for await (const chunk of res) chunks.push(chunk);
      resolve({ status: res.statusCode, headers: res.headers, json: JSON.parse(Buffer.concat(chunks).toString()) });
    });
    req.on('error', reject);
    req.end(body);
  });
}

for (const [name, headers, status, message] of ROWS) {
  test(`refuses ${name}`, async (t) => {
    const fake = await fakeFor(t);
    fake.script(always());
    const answer = await rawPost(fake, headers);
    assert.equal(answer.status, status);
    assert.match(answer.json.error.message, message);
    assert.equal(answer.json.error.type, status === 401 ? 'authentication_error' : 'invalid_request_error');
    assert.equal(fake.journal[0].outcome, 'rejected');
    const telling = /origin|referer|cookie|^sec-|^cf-|forwarded/.test(Object.keys(headers)[0]);
    assert.deepEqual(fake.journal[0].violations.map(({ kind }) => kind), [telling ? 'privacy' : 'request']);
  });
}

test('accepts either kind of key, both versions, and a direct browser that says so', async (t) => {
  const fake = await fakeFor(t);
  fake.script(always());
  const accepted = [
    {},
    { 'x-api-key': undefined, authorization: `Bearer ${KEY}` },
    { 'anthropic-version': '2026-10-21', 'content-type': 'application/json; charset=utf-8' },
    { 'anthropic-beta': 'compact-2026-01-12, context-management-2025-06-27' },
    { origin: 'https://a.example', referer: 'https://a.example/', 'sec-fetch-site': 'cross-site', 'anthropic-dangerous-direct-browser-access': 'true' },
  ];
  for (const headers of accepted) assert.equal((await rawPost(fake, headers)).status, 200, JSON.stringify(headers));
  assert.deepEqual(fake.journal.flatMap((entry) => entry.violations), []);
});

test('refuses the beta header sent twice', async (t) => {
  const fake = await fakeFor(t);
  const answer = await rawPost(fake, { 'anthropic-beta': ['compact-2026-01-12', 'compact-2026-09-04'] });
  assert.equal(answer.status, 400);
  assert.match(answer.json.error.message, /one header/);
});

test('a preflight passes only with the direct browser header', async (t) => {
  const fake = await fakeFor(t);
  const preflight = (asked) => send(fake, { method: 'OPTIONS', headers: { 'access-control-request-headers': asked } });
  assert.equal((await preflight('content-type, x-api-key')).status, 401);
  const good = await preflight('content-type, anthropic-dangerous-direct-browser-access');
  assert.equal(good.status, 200);
  assert.match(good.headers.get('access-control-allow-headers'), /direct-browser/);
});

test('every answer carries an id and rate limits', async (t) => {
  const fake = await fakeFor(t, { now: () => Date.UTC(2026, 10, 21) });
  fake.script(always());
  for (const body of [hello(), {}]) {
    const { headers } = await call(fake, { body });
    assert.match(headers.get('request-id'), /^req_01\w{22}$/);
    for (const kind of ['requests', 'tokens', 'input-tokens', 'output-tokens']) {
      for (const part of ['limit', 'remaining']) assert.match(headers.get(`anthropic-ratelimit-${kind}-${part}`), /^\d+$/);
      assert.equal(headers.get(`anthropic-ratelimit-${kind}-reset`), '2026-11-21T00:01:00Z');
    }
  }
});

test('routes', async (t) => {
  const fake = await fakeFor(t);
  fake.script(always());
  assert.equal((await call(fake, { path: '/v1/messages?beta=true', body: hello() })).status, 200);
  assert.equal((await call(fake, { path: '/v1/messages?q=secret', body: hello() })).status, 400);
  for (const [method, path] of [['POST', '/v1/complete'], ['GET', '/v1/messages'], ['GET', '/'], ['POST', '/v1/models']]) {
    const { status, json } = await call(fake, { method, path, body: method === 'POST' ? hello() : undefined });
    assert.equal(status, 404, `${method} ${path}`);
    assert.equal(json.error.type, 'not_found_error');
  }
});

test('bodies that are no JSON object, and too large ones', async (t) => {
  const fake = await fakeFor(t);
  const bad = ['', '{', '[]', 'null', '"text"', '\uFEFF{}', Buffer.from([0x22, 0xff, 0x22])];
  for (const raw of bad) {
    const { status, json } = await call(fake, { raw });
    assert.equal(status, 400, String(raw));
    assert.match(json.error.message, /not valid JSON|valid dictionary/);
  }
  const large = await call(fake, { raw: ' '.repeat(32 * 1024 * 1024 + 1) });
  assert.equal(large.status, 413);
  assert.equal(large.json.error.type, 'request_too_large');
});

test('the journal never holds a key, and names it if the fake was told', async (t) => {
  const fake = await fakeFor(t, { keys: { server: 'sk-ant-server-1', visitor: 'sk-ant-visitor-2' } });
  fake.script(always());
  assert.equal((await rawPost(fake, { 'x-api-key': 'sk-ant-server-1' })).status, 200);
  assert.equal((await rawPost(fake, { 'x-api-key': undefined, authorization: 'Bearer sk-ant-visitor-2' })).status, 200);
  assert.equal((await rawPost(fake, { 'x-api-key': 'sk-ant-unknown-3' })).status, 401);
  assert.equal((await rawPost(fake, { 'x-api-key': 'plain-secret', cookie: 'session=plain-secret' })).status, 401);
  assert.doesNotMatch(JSON.stringify(fake.journal), /server-1|visitor-2|unknown-3|plain-secret/);
  assert.equal(fake.journal[0].headers['x-api-key'], '[redacted x-api-key prefix=sk-ant- key=server]');
  assert.equal(fake.journal[1].headers.authorization, '[redacted authorization prefix=Bearer sk-ant- key=visitor]');
  assert.equal(fake.journal[3].headers['x-api-key'], '[redacted x-api-key prefix=other]');
});

test('models', async (t) => {
  const fake = await fakeFor(t);
  const get = (path) => call(fake, { method: 'GET', path });
  const first = await get('/v1/models?limit=4');
  assert.equal(first.json.data.length, 4);
  assert.equal(first.json.has_more, true);
  const rest = await get(`/v1/models?after_id=${first.json.last_id}`);
  assert.equal(rest.json.data.length, 7);
  assert.equal(rest.json.has_more, false);
  const back = await get(`/v1/models?before_id=${rest.json.first_id}&limit=2`);
  assert.deepEqual(back.json.data.map(({ id }) => id), first.json.data.slice(2).map(({ id }) => id));
  assert.equal(back.json.has_more, true);
  const haiku = (await get('/v1/models/claude-haiku-4-5')).json;
  assert.equal(haiku.max_input_tokens, 200_000);
  assert.equal(haiku.capabilities.thinking.types.adaptive.supported, false);
  assert.equal(haiku.capabilities.context_management.compact_20260112.supported, false);
  const missing = await get('/v1/models/claude-9');
  assert.deepEqual([missing.status, missing.json.error.type, missing.json.error.message], [404, 'not_found_error', 'model: claude-9']);
  assert.deepEqual([first.json.first_id, first.json.last_id], [first.json.data[0].id, first.json.data[3].id]);
});

test('a list of models is asked for as the API documents it', async (t) => {
  const fake = await fakeFor(t);
  const get = (path, more = {}) => call(fake, { method: 'GET', path, ...more });
  for (const query of [
    'limit=0', 'limit=1001', 'limit=two', 'after_id=claude-9', 'before_id=claude-9', 'limit=2&limit=3', 'page=2',
    'after_id=claude-opus-5&before_id=claude-opus-5',
  ]) {
    const { status, json } = await get(`/v1/models?${query}`);
    assert.deepEqual([status, json.error.type], [400, 'invalid_request_error'], query);
  }
  assert.equal((await get('/v1/models/claude-opus-5?limit=2')).status, 400, 'a model is no list');
  const ask = (headers, body) => rawPost(fake, { 'content-type': undefined, 'content-length': body.length, ...headers }, body, { method: 'GET', path: '/v1/models' });
  assert.equal((await ask({}, '')).status, 200);
  assert.equal((await ask({}, '{}')).status, 400, 'a body');
  assert.equal((await ask({ origin: 'https://chat.example.com' }, '')).status, 401);
  assert.equal((await get('/v1/models', { headers: { 'anthropic-version': undefined } })).status, 400);
  assert.equal((await get('/v1/models', { headers: { 'x-api-key': undefined } })).status, 401);
});
