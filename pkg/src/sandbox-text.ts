/** The beginning of a text, at most so many UTF-16 units; a pair of surrogates is not parted, because half of one is no text. */
export function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const last = text.charCodeAt(characters - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? characters - 1 : characters);
}
