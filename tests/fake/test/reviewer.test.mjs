// The rules by which the stand-in goes through the demo of code reviews.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { reviewReply } from '../reviewer.mjs';

const sample = (name) => readFileSync(new URL(`../../../www/public/samples/${name}`, import.meta.url), 'utf8');
const tools = ['memory', 'read_sample', 'remember'].map((name) => ({ name }));
const wordsOf = ({ content }) => content.filter((block) => block.type === 'text').map((block) => block.text).join('\n');

/** Answers a message with a small memory of files until no tool is called; gives the words of all replies. */
function review(asked, files) {
  const messages = [{ role: 'user', content: [{ type: 'text', text: asked }] }];
  const run = ({ name, input }) => {
    if (name === 'read_sample') return sample(input.name);
    if (name === 'remember') return 'Noted.';
    if (input.command === 'create') files.set(input.path, input.file_text);
    return input.path === '/memories' ? [...files.keys()].map((path) => `1K\t${path}`).join('\n') : files.get(input.path);
  };
  const said = [];
  for (;;) {
    const content = reviewReply({ tools, messages }, wordsOf).map((block, at) => ({ ...block, id: `${messages.length}-${at}` }));
    said.push(...content.filter((block) => block.type === 'text').map((block) => block.text));
    const calls = content.filter((block) => block.type === 'tool_use');
    if (calls.length === 0) return said;
    const results = calls.map((call) => ({ type: 'tool_result', tool_use_id: call.id, content: run(call) }));
    messages.push({ role: 'assistant', content }, { role: 'user', content: results });
  }
}

test('it finds only what a memory file says to look for', () => {
  const files = new Map();
  assert.deepEqual(review('Please review likes.py', files)[0], 'likes.py: nothing that my memory says to look for.');
  assert.match(review('Please review inventory.js and keep what you learn', files).at(-1), /^I am a local stand-in, not Claude.* I noted/);
  assert.deepEqual([...files.keys()], ['/memories/reviews/lost-update.md']);
  const all = 'inventory.js, likes.py, wallet.js, seats.py, ledger.js, retry.js, upload.py, votes.py and schedule.js';
  assert.deepEqual(review(`Please review ${all}`, files).filter((line) => / lines \d/.test(line)).map((line) => line.split(':')[0]), [
    'inventory.js, lines 25 to 28', 'likes.py, lines 18 to 20', 'wallet.js, lines 38 to 42', 'seats.py, lines 36 to 40', 'votes.py, lines 26 to 30',
  ]);
  files.set('/memories/other.md', 'Look for, in this order within 12 lines: `sleep(`');
  assert.match(review('Please review retry.js', files)[0], /^retry\.js, lines 24 to 24/);
});

test('it leaves other requests alone', () => {
  const ask = (text, having = tools) => reviewReply({ tools: having, messages: [{ role: 'user', content: [{ type: 'text', text }] }] }, wordsOf);
  assert.equal(ask('Which kind of mistake do our reviews look for?'), undefined);
  assert.equal(ask('Please review likes.py', tools.slice(1)), undefined);
  assert.equal(ask('Please review likes.py', []), undefined);
});
