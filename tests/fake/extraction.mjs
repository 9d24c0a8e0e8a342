// Fact extraction by patterns: what the stand-in answers where Claude would read and understand.
//
// Only the user's own statements count. A statement is a clause of one turn, word for word, so its quote is always a
// substring of that turn. What no pattern matches yields nothing.

/**
 * A pattern matches a whole clause (interjections removed). `make` returns the fact's own parts; `value` is what the
 * clause says, from which entities are taken.
 */
const PATTERNS = [
  { find: /^I(?:'m| am) (?:(?:severely|very|highly|deathly) )?allergic to (.+)$/i, make: (m) => fact('constraint', 'speaker', 'allergy', m[1], 'high') },
  { find: /^I (?:can't|cannot|can not|mustn't) eat (.+)$/i, make: (m) => fact('constraint', 'speaker', 'diet', m[1], 'high') },
  {
    find: /^I(?:'m| am) (?:(?:a|strictly|now) )?(vegetarian|vegan|pescatarian|lactose[- ]intolerant|gluten[- ]free|coeliac|celiac)\b.*$/i,
    make: (m) => fact('constraint', 'speaker', 'diet', m[1], 'high'),
  },
  { find: /^I live in (.+)$/i, make: (m) => fact('entity', 'speaker', 'residence', m[1], 'high') },
  { find: /^my name(?:'s| is) (.+)$/i, make: (m) => fact('entity', 'speaker', 'name', m[1], 'high') },
  { find: /^my goal(?:'s| is)(?: to)? (.+)$/i, make: (m) => fact('goal', 'speaker', 'goal', m[1], 'high') },
  { find: /^I(?:'d like| want) to (.+)$/i, make: (m) => fact('goal', 'speaker', 'goal', m[1], 'medium') },
  { find: /^my ((?:\S+ ){0,2}\S+) (loves?|likes?|hates?|prefers?) (.+)$/i, make: (m) => fact('preference', m[1], attitude(m[2]), m[3], 'high') },
  { find: /^I (?:really |also )?(love|like|prefer|hate) (.+)$/i, make: (m) => fact('preference', 'speaker', attitude(m[1]), m[2], 'high') },
  {
    find: /^we(?:'ve| have)? (?:just |recently |now )?(?:moved|switched|migrated)(?: (?!to\b)\S+){0,6}? (?:over )?to (.+)$/i,
    make: (m) => ({ ...fact('decision', 'speaker', 'platform', m[1], 'high'), replaces: true }),
  },
  { find: /^we (?:now |currently )?run (?:\S+ ){0,4}?on (.+)$/i, make: (m) => fact('decision', 'speaker', 'platform', m[1], 'high') },
  { find: /^we (?:now |currently )?use (.+)$/i, make: (m) => fact('decision', 'speaker', 'tool', m[1], 'high') },
  { find: /^my ((?:\S+ ){0,3}?\S+) (?:is|are) (.+)$/i, make: (m) => fact('entity', 'speaker', m[1], m[2], 'medium') },
  { find: /^I(?:'m| am) (?!not\b|so\b|sure\b|sorry\b|fine\b|ok\b|okay\b|here\b|glad\b|happy\b|\w+ing\b)(.+)$/i, make: (m) => fact('entity', 'speaker', 'identity', m[1], 'medium') },
];

const fact = (type, subject, attribute, value, confidence) => ({ type, subject, attribute, value, confidence });
const attitude = (verb) => (/^hate/i.test(verb) ? 'dislikes' : /^prefer/i.test(verb) ? 'prefers' : 'likes');

/** Words before a statement that are no part of it. */
const INTERJECTION = /^(?:(?:hi|hello|hey|thanks|ok|okay|well|so|yes|no|and|but|also|btw|by the way|actually|fyi|please remember that|please remember|remember that|remember|note that)\b[,:]?\s+)+/i;
/** When something happened, at the end of a clause: part of the statement, not of the thing. */
const TIME = /\s+(?:last (?:week|month|year|spring|summer|autumn|fall|winter)|yesterday|today|recently|this (?:week|month|year)|(?:a|two|three|\d+) (?:days?|weeks?|months?|years?) ago)$/i;

/**
 * @param {{id: string, subject: string, attribute: string, statement: string, since: string}[]} known
 * @param {{turn: number, speaker: string, date: string, text: string}[]} turns
 * @returns {object[]} Facts as the extraction schema names them.
 */
export function extractFacts(known, turns) {
  return turns
    .filter((turn) => turn.speaker === 'user')
    .flatMap((turn) => statements(turn.text).flatMap((quote) => factOf(quote, turn, known)));
}

/** The clauses of a text that state something, in order and verbatim. */
export function statements(text) {
  return sentences(text)
    .filter(({ end, body }) => end !== '?' && !/^\s*(?:if|when|unless|suppose)\b/i.test(body))
    .flatMap(({ body }) => body.split(/,\s+and\s+|,\s+(?=(?:I|my|we)\b)|\s+and\s+(?=(?:I|my|we)\b)/i))
    .map((clause) => clause.trim().replace(INTERJECTION, '').replace(/[,:\s]+$/, ''))
    .filter((clause) => clause !== '');
}

/** Sentences with the sign that ends them. A full stop ends one only before a space or the end: `Node.js`, `3.5`. */
function sentences(text) {
  const found = [];
  let start = 0;
  for (const match of text.matchAll(/[;!?\n]|\.(?=\s|$)/g)) {
    found.push({ body: text.slice(start, match.index), end: match[0] });
    start = match.index + 1;
  }
  found.push({ body: text.slice(start), end: '' });
  return found;
}

function factOf(quote, turn, known) {
  const plain = quote.replaceAll('\u2019', "'");
  for (const { find, make } of PATTERNS) {
    const match = find.exec(plain);
    if (!match) continue;
    const { type, subject, attribute, value, confidence, replaces } = make(match);
    const statement = quote;
    return [{
      type,
      subject,
      attribute,
      statement,
      entities: entities(type, value, quote),
      numbers: quote.match(/\d+(?:[.,:]\d+)*%?/g) ?? [],
      turn: turn.turn,
      quote,
      confidence,
      valid_from: TIME.test(plain) ? null : turn.date,
      supersedes: replaces ? newestKnown(known, subject, attribute, statement) : null,
    }];
  }
  return [];
}

/** Names in the clause, and for a decision the thing decided on. */
function entities(type, value, quote) {
  const names = [...quote.matchAll(/(?<![\p{L}\p{N}])\p{Lu}[\p{L}\p{N}.+#-]*(?: \p{Lu}[\p{L}\p{N}.+#-]*)*/gu)]
    .map((match) => match[0])
    .filter((name) => !/^(?:I|My|We)$/.test(name));
  const thing = value.replace(TIME, '').replace(/^(?:a|an|the) /i, '');
  return type === 'decision' && !names.includes(thing) && quote.includes(thing) ? [thing, ...names.filter((name) => !thing.includes(name))] : names;
}

function newestKnown(known, subject, attribute, statement) {
  const same = known.filter((candidate) => candidate.subject === subject && candidate.attribute === attribute);
  const newest = same.reduce((best, candidate) => (best === null || candidate.since >= best.since ? candidate : best), null);
  return newest !== null && newest.statement !== statement ? newest.id : null;
}
