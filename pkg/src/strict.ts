/** Which schemas Claude's API can hold a tool's input to (`strict`), so that no request is refused for one that it can not. */
import type { Tool } from "./tools.js";

/** What one request may have, less what the memory's own tools use of it. */
const MAX_TOOLS = 20 - 4;
const MAX_OPTIONAL = 24 - 1;
const MAX_UNIONS = 16 - 1;

/** Keywords that the API compiles and that need no look at their value. */
const PLAIN = new Set(["type", "title", "description", "enum", "const", "default", "required", "$ref", "properties", "items", "anyOf", "additionalProperties", "$defs"]);
const FORMATS = new Set(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"]);

interface Use {
  optional: number;
  unions: number;
}

/** For each tool, whether it is sent as strict: what it says itself, or else if its schema and the room that is left allow it. */
export function strictly(tools: readonly Tool[]): boolean[] {
  const left = { tools: MAX_TOOLS, optional: MAX_OPTIONAL, unions: MAX_UNIONS };
  return tools.map(({ inputSchema, strict }) => {
    if (strict !== undefined) return strict;
    const use = { optional: 0, unions: 0 };
    const fits = isObject(inputSchema) && inputSchema["type"] === "object" && measure(inputSchema, use);
    if (!fits || left.tools < 1 || use.optional > left.optional || use.unions > left.unions) return false;
    left.tools -= 1;
    left.optional -= use.optional;
    left.unions -= use.unions;
    return true;
  });
}

/** Counts what a schema takes; false if the API would refuse it. */
function measure(schema: unknown, use: Use): boolean {
  if (!isObject(schema)) return false;
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "format" ? !FORMATS.has(String(value)) : keyword === "minItems" ? value !== 0 && value !== 1 : !PLAIN.has(keyword)) return false;
  }
  const { type, properties, items, anyOf, $defs } = schema;
  if (typeof schema["$ref"] === "string" && !schema["$ref"].startsWith("#")) return false;
  if (Array.isArray(type) || anyOf !== undefined) use.unions += 1;
  if (type === "object" || properties !== undefined) {
    if (schema["additionalProperties"] !== false) return false;
    const required = Array.isArray(schema["required"]) ? schema["required"] : [];
    use.optional += Object.keys(properties ?? {}).filter((name) => !required.includes(name)).length;
  }
  const parts = [...Object.values(properties ?? {}), ...Object.values($defs ?? {}), ...(Array.isArray(anyOf) ? anyOf : []), ...(items === undefined ? [] : [items])];
  return parts.every((part) => measure(part, use));
}

function isObject(value: unknown): value is Record<string, unknown> & { properties?: object; $defs?: object } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
