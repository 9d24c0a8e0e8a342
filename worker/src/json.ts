/**
 * Positions inside JSON text that `JSON.parse` has already accepted.
 *
 * A clamp must not re-serialise the body: prompt caches and thinking signatures depend on the exact
 * bytes of the rest, so only the clamped value's own characters are replaced. The same walk finds
 * duplicate keys, where two parsers may read two different requests from one text.
 */

import type { Edit } from "./policy.ts";

interface Span { readonly start: number; readonly end: number }
interface Member extends Span { readonly key: string }

/** `text` with each edited value replaced; edits whose path does not exist are an error. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const cuts = edits.map((edit) => ({ ...locate(text, edit.path), value: JSON.stringify(edit.value) }));
  cuts.sort((a, b) => b.start - a.start); // From the back, so that earlier positions stay valid.
  return cuts.reduce((done, cut) => done.slice(0, cut.start) + cut.value + done.slice(cut.end), text);
}

/** The first key that occurs twice in an object the policy reads (top level, `output_config`, each tool). */
export function duplicateKey(text: string): string | null {
  const top = members(text, skipSpace(text, 0));
  const objects = [top];
  for (const { key, start } of top) {
    if (key === "output_config" && text[start] === "{") objects.push(members(text, start));
    if (key !== "tools" || text[start] !== "[") continue;
    for (const item of items(text, start)) if (text[item.start] === "{") objects.push(members(text, item.start));
  }
  for (const object of objects) {
    const seen = new Set<string>();
    for (const { key } of object) {
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return null;
}

function locate(text: string, path: readonly string[]): Span {
  let span: Span = { start: skipSpace(text, 0), end: text.length };
  for (const key of path) {
    const found = members(text, span.start).find((member) => member.key === key);
    if (found === undefined) throw new Error("no value at the edited path");
    span = found;
  }
  return span;
}

function members(text: string, open: number): Member[] {
  const found: Member[] = [];
  for (let at = skipSpace(text, open + 1); text[at] !== "}"; ) {
    const keyEnd = endOfString(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = endOfValue(text, start);
    found.push({ key, start, end });
    at = afterComma(text, end);
  }
  return found;
}

function items(text: string, open: number): Span[] {
  const found: Span[] = [];
  for (let start = skipSpace(text, open + 1); text[start] !== "]"; ) {
    const end = endOfValue(text, start);
    found.push({ start, end });
    start = afterComma(text, end);
  }
  return found;
}

function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start);
  const nested = text[start] === "{" || text[start] === "[";
  const token = nested ? /["{}[\]]/g : /[,}\]\s]|$/g;
  token.lastIndex = start;
  for (let depth = 0; ; ) {
    const match = token.exec(text);
    if (match === null) throw new Error("not JSON");
    if (!nested) return match.index;
    if (match[0] === '"') token.lastIndex = endOfString(text, match.index);
    else if (match[0] === "{" || match[0] === "[") depth += 1;
    else if (--depth === 0) return match.index + 1;
  }
}

function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote > 0; quote = text.indexOf('"', quote + 1)) {
    let escapes = 0;
    while (text[quote - 1 - escapes] === "\\") escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
  }
  throw new Error("not JSON");
}

function afterComma(text: string, end: number): number {
  const at = skipSpace(text, end);
  return text[at] === "," ? skipSpace(text, at + 1) : at;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (text[at] === " " || text[at] === "\t" || text[at] === "\n" || text[at] === "\r") at += 1;
  return at;
}
