// The control endpoints, and the command line as another process uses it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask, call, fakeFor, hello, send } from './client.mjs';

const control = async (fake, method, path, body, headers = {}) => {
  const response = await fetch(`${fake.url}/__fake/${path}`, { method, body: body && JSON.stringify(body), headers });
  return { status: response.status, headers: response.headers, json: await response.json() };
};

test('script, journal, health and reset over HTTP', async (t) => {
  const fake = await fakeFor(t, { seed: 9 });
  assert.equal((await control(fake, 'POST', 'script', [{ match: { bodyIncludes: 'Hello' }, reply: { content: 'remote' } }, { name: 'spare', reply: {} }])).status, 200);
  assert.equal((await ask(fake, hello())).content[0].text, 'remote');
  const { json: journal } = await control(fake, 'GET', 'journal');
  assert.equal(journal.length, 1, 'control requests are not in the journal');
  assert.deepEqual(journal[0].body, hello());
  assert.deepEqual((await control(fake, 'GET', 'health')).json, { ok: true, standIn: false, seed: 9, requests: 1, unused: ['spare'] });
  await control(fake, 'POST', 'reset');
  assert.deepEqual((await control(fake, 'GET', 'journal')).json, []);
  assert.match((await control(fake, 'POST', 'script', [{ reply: { nope: 1 } }])).json.error, /unknown field 'nope'/);
  assert.equal((await control(fake, 'GET', 'nothing')).status, 404);
});

test('a named gate is opened from outside', async (t) => {
  const fake = await fakeFor(t);
  await control(fake, 'POST', 'script', [{ reply: { slowFirstByte: 'first' } }]);
  const answer = call(fake, { body: hello() });
  await fake.until((entry) => entry.outcome === 'pending');
  await control(fake, 'POST', 'release', { gate: 'first' });
  assert.equal((await answer).status, 200);
});

test('pages elsewhere cannot use the control endpoints', async (t) => {
  const fake = await fakeFor(t);
  assert.equal((await control(fake, 'GET', 'journal', undefined, { origin: 'https://evil.example' })).status, 403);
  const local = await control(fake, 'GET', 'journal', undefined, { origin: 'http://localhost:5173' });
  assert.equal(local.status, 200);
  assert.equal(local.headers.get('access-control-allow-origin'), 'http://localhost:5173');
});

test('the command line prints its address and answers as a stand-in', async (t) => {
  const script = fileURLToPath(new URL('../server.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, '--port', '0', '--stand-in'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const [url] = await once(createInterface({ input: child.stdout }), 'line');
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  const response = await send({ url }, { body: hello() });
  assert.equal(response.status, 200);
  assert.match((await response.json()).content.at(-1).text, /stand-in, not Claude/);
});
