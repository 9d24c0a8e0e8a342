// How the stand-in goes through the demo of code reviews: by rules that a person can follow, and only with what the request holds.
//
// It understands no code. The first time it is told to keep what it learns, it writes down a note that stands below. Later it
// looks in the files that it reads for the words that its memory files say to look for: without the note it finds nothing. What
// it finds it says at once, because results of old calls may be cleared from a long prompt.

import { contentBlocks } from './prompt.mjs';

const NOTE_PATH = '/memories/reviews/lost-update.md';
const NOTE = [
  '# Lost update',
  'Shared state is read, something is awaited, and the state is written back: of two calls at once, one is lost.',
  'Look for, in this order within 12 lines: `store.get(` `await ` `store.set(`',
  'Safe, if it stands within 3 lines before: `lock`',
  'Mend it with one atomic step of the store, or with a lock around all three.',
  '',
].join('\n');
const FACT = {
  type: 'decision',
  subject: 'code reviews',
  attribute: 'what to look for',
  statement: 'Reviews look for lost updates: shared state is read, something is awaited, and the state is written back; seen first in inventory.js',
};
const SAYS_WHO = 'I am a local stand-in, not Claude: I follow the rules of this demo.';
const FILE_NAME = /\b[\w-]+\.(?:js|py)\b/g;

/**
 * The next reply to a message that names sample files, where there are the tools for it; `undefined` for any other request.
 * @returns {object[] | undefined} content blocks
 */
export function reviewReply({ tools = [], messages }, wordsOf) {
  const has = (name) => tools.some((tool) => tool.name === name);
  if (!has('read_sample') || !has('memory') || !has('remember')) return undefined;
  const from = messages.findLastIndex((message) => message.role === 'user' && wordsOf(message) !== '');
  const asked = from < 0 ? '' : wordsOf(messages[from]);
  const files = [...new Set(asked.match(FILE_NAME))];
  if (files.length === 0) return undefined;

  const done = callsOf(messages.slice(from));
  const view = (path) => ({ type: 'tool_use', name: 'memory', input: { command: 'view', path } });
  const listing = done.find(({ name, input }) => name === 'memory' && input.path === '/memories');
  if (!listing) return [view('/memories')];
  const paths = listing.result.match(/\/memories\/\S+\.md/g) ?? [];
  const viewed = done.filter(({ name, input }) => name === 'memory' && paths.includes(input.path));
  if (viewed.length < paths.length) return paths.map(view);

  const rules = viewed.flatMap(({ result }) => ruleOf(result));
  const read = done.filter(({ name }) => name === 'read_sample');
  const said = read.length > 0 ? [{ type: 'text', text: finding(read.at(-1), rules) }] : [];
  const next = files[read.length];
  if (next) return [...said, { type: 'tool_use', name: 'read_sample', input: { name: next } }];

  const tellsToKeep = /\bkeep\b/i.test(asked) && rules.length === 0;
  if (tellsToKeep && !done.some(({ name }) => name === 'remember')) {
    const quote = /[^.?!:]*twice[^.?!:]*/i.exec(asked)?.[0].trim() ?? null;
    return [
      ...said,
      { type: 'tool_use', name: 'remember', input: { ...FACT, quote } },
      { type: 'tool_use', name: 'memory', input: { command: 'create', path: NOTE_PATH, file_text: NOTE } },
    ];
  }
  if (tellsToKeep) return [{ type: 'text', text: `${SAYS_WHO} I noted a pattern that stands in them, as a fact and as the memory file ${NOTE_PATH}.` }];
  const where = rules.length === 0 ? 'No memory file says what to look for.' : `What to look for stands in ${viewed.map(({ input }) => input.path).join(', ')}.`;
  return [...said, { type: 'text', text: `${SAYS_WHO} ${where}` }];
}

/** The calls of an exchange in their order, with what they gave. */
function callsOf(messages) {
  const blocks = messages.flatMap(contentBlocks);
  const results = new Map(blocks.filter((block) => block.type === 'tool_result').map((block) => [block.tool_use_id, block.content]));
  return blocks
    .filter((block) => block.type === 'tool_use')
    .map(({ id, name, input }) => ({ name, input, result: String(results.get(id) ?? '') }));
}

/** What a memory file says to look for; nothing if it says nothing of the kind. */
function ruleOf(text) {
  const quoted = (opening) => [...(text.split('\n').find((line) => line.includes(opening)) ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]);
  const inOrder = quoted('Look for, in this order');
  return inOrder.length === 0 ? [] : [{ inOrder, safe: quoted('Safe, if it stands') }];
}

/** One line about a file that was read. */
function finding({ input, result }, rules) {
  const lines = result.split('\n');
  for (const { inOrder, safe } of rules) {
    for (const [first] of lines.entries()) {
      const last = lastOf(lines, first, inOrder);
      const before = lines.slice(Math.max(0, first - 3), first).join('\n');
      if (last !== undefined && !safe.some((word) => before.includes(word))) {
        return `${input.name}, lines ${first + 1} to ${last + 1}: this is what my memory says to look for.`;
      }
    }
  }
  return `${input.name}: nothing that my memory says to look for.`;
}

/** Where the last of the words stands, if from this line on each stands below the one before, within twelve lines. */
function lastOf(lines, first, words) {
  let at = first - 1;
  for (const word of words) {
    const found = lines.slice(at + 1, first + 12).findIndex((line) => line.includes(word));
    if (found < 0 || (at < first && found > 0)) return undefined;
    at += 1 + found;
  }
  return at;
}
