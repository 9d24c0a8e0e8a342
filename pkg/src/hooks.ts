import type { Tokens } from "./types.js";
import type { Awaitable, ContentBlock, ToolOutput } from "./tools.js";

/**
 * Your say between the steps of a message. What a hook throws ends the message with `hook_failed`, and nothing is recorded;
 * `beforeTool` alone ends only its tool. No hook can change what Claude was sent or has said: its cache and its thinking are
 * bound to those bytes.
 */
export interface Hooks {
  /** Before memory is put before the person's words: put something else there, or with null nothing. */
  beforeInject?(of: { text: string; block: string }): Awaitable<{ block: string | null } | void>;
  /** Before each request, with its body as it goes out. */
  beforeRequest?(of: { session: string; body: string }): Awaitable<void>;
  /** After each reply, before its tools run. */
  afterReply?(of: { content: ContentBlock[]; stopReason: string; model: string; tokens: Tokens }): Awaitable<void>;
  /** Before a tool runs, yours or the memory's: give its result in its place, such as that the person did not allow it. */
  beforeTool?(of: { id: string; name: string; input: unknown }): Awaitable<(Pick<ToolOutput, "content"> & { isError?: boolean }) | void>;
  /** Before the exchange is stored: with `{ facts: false }` it is kept and no facts are read out of it. */
  beforeStore?(of: { turns: { id: string; role: "user" | "assistant" | "tool"; text: string; content: ContentBlock[] }[] }): Awaitable<{ facts: boolean } | void>;
}

const NAMES = ["beforeInject", "beforeRequest", "afterReply", "beforeTool", "beforeStore"] as const satisfies (keyof Hooks)[];

/** Those that a host has: the engine does not ask for the others. */
export function namesOf(hooks: Hooks): string[] {
  return NAMES.filter((name) => hooks[name] !== undefined);
}

/** Asks the hook of this name. */
export async function askHook(hooks: Hooks, name: string, of: unknown): Promise<unknown> {
  const hook = NAMES.find((known) => known === name);
  return hook && (await (hooks[hook] as ((of: unknown) => unknown) | undefined)?.call(hooks, of));
}
