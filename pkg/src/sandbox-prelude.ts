/**
 * Runs in the sandbox before the program: gives it a `console`, and us a function that writes any value as a string.
 *
 * It is on the program's side of the wall. A program that changes the built-ins used here spoils its own output and nothing else: only
 * strings cross, and they are measured again outside.
 */
export const PRELUDE = `(print, limit) => {
  const json = (value) => JSON.stringify(value, (key, item) =>
    typeof item === "bigint" ? String(item) : item instanceof Map || item instanceof Set ? [...item] : item);
  const show = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return value.name + ": " + value.message;
    if (typeof value !== "object") return String(value);
    try {
      return json(value) ?? "undefined";
    } catch (error) {
      return "[can not be written as JSON: " + error.message + "]";
    }
  };
  // A zero would end the string on its way out.
  const fit = (text) => text.slice(0, limit + 1).replaceAll("\\0", "\\uFFFD");
  const log = (...values) => void print(fit(values.map(show).join(" ")));
  globalThis.console = { log, info: log, warn: log, error: log, debug: log, table: log };
  return (value) => fit(show(value));
}`;
