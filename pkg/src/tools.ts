/** Tools that Claude may call: yours, and the memory's own. */
import type { EngineHost } from "./host.js";
import { strictly } from "./strict.js";
import type { Files } from "./files.js";

/** A block of a message, as Claude's API has it. */
export type ContentBlock = { type: string; [field: string]: unknown };

/** A tool of yours. */
// `any`, because a list holds tools with inputs of their own.
export interface Tool<Input = any> {
  /** Letters, digits, `_` and `-`; not `memory`, `recall`, `remember`, `read_artifact` or `mark_fact_stale`. */
  name: string;
  /** Tells Claude what it does and when to use it: the more precise, the better it is used. No personal data. */
  description?: string;
  /** JSON schema of an object. No personal data: the API keeps its compiled form. */
  inputSchema: object;
  /** Whether the API holds Claude to the schema. Default: if the schema is within what that allows. */
  strict?: boolean;
  /**
   * Does it. Gives text or content blocks. What it throws is told to Claude, as what went wrong. Calls of one reply run at
   * once. `signal` aborts when the message is cancelled or its time is over.
   */
  run(input: Input, context: { id: string; signal: AbortSignal }): Awaitable<string | ContentBlock[] | void>;
}

export type Awaitable<T> = T | Promise<T>;

/** What a tool said. */
export interface ToolOutput {
  content: string | ContentBlock[];
  isError: boolean;
}

/** One of the memory's own definitions. */
export type MemoryToolDefinition =
  | { type: "memory_20250818"; name: "memory" }
  | {
      name: "mark_fact_stale" | "read_artifact" | "recall" | "remember";
      description: string;
      strict: boolean;
      input_schema: { type: "object"; properties: Record<string, object>; required: string[]; additionalProperties: false };
    };

/** One of the memory's own tools as `toolRunner` of `@anthropic-ai/sdk` takes it. */
export type RunnableTool = MemoryToolDefinition & { run(input: object): Promise<string>; parse(input: unknown): object };

/** The definitions as JSON, in which keys keep their order. */
export function definitionsOf(tools: readonly Tool[]): string {
  const strict = strictly(tools);
  return JSON.stringify(
    tools.map(({ name, description, inputSchema }, at) => ({
      name,
      ...(description === undefined ? {} : { description }),
      ...(strict[at] ? { strict: true } : {}),
      input_schema: inputSchema,
    })),
  );
}

/** Runs the tool that a call names. */
export async function runTool(tools: readonly Tool[], call: { id: string; name: string; input: unknown }, signal: AbortSignal): Promise<ToolOutput> {
  try {
    const tool = tools.find((tool) => tool.name === call.name);
    if (!tool) throw new Error("This tool is not available here at present.");
    const content = await tool.run(call.input, { id: call.id, signal });
    return { content: contentOf(content), isError: false };
  } catch (error) {
    return { content: String(error), isError: true };
  }
}

function contentOf(value: string | ContentBlock[] | void): string | ContentBlock[] {
  if (Array.isArray(value)) return value;
  // The API takes no empty text.
  if (value === undefined || value === null || value === "") return "Done.";
  if (typeof value === "string") return value;
  throw new TypeError("a tool gives text or content blocks");
}

/** The memory's own tools, for a loop that you run yourself. With `preset: "agent"`, `memory.chat()` has them already. */
export class MemoryTools {
  readonly #host: EngineHost;
  readonly #files: Files;

  /** @internal It is `memory.tools`. */
  constructor(host: EngineHost, files: Files) {
    this.#host = host;
    this.#files = files;
  }

  /** For `tools` of a request: `mark_fact_stale`, `memory`, `read_artifact`, `recall` and `remember`. */
  definitions(): Promise<MemoryToolDefinition[]> {
    return this.#host.call({ type: "tool", ask: { do: "definitions" } });
  }

  /**
   * Carries out a call of one of them. What can not be done is told as an output, for Claude. `session` is the conversation, if
   * you record it with `memory.remember`: quotes are looked for in it.
   */
  async run(name: string, input: unknown, options: { session?: string } = {}): Promise<ToolOutput> {
    const session = options.session ?? null;
    return this.#host.call({ type: "tool", ask: { do: "run", name, input: JSON.stringify(input ?? {}), session } });
  }

  /** For `client.beta.messages.toolRunner({ tools: await memory.tools.runnable(), thread: false, … })` of `@anthropic-ai/sdk`. */
  async runnable(options: { session?: string } = {}): Promise<RunnableTool[]> {
    const definitions = await this.definitions();
    return definitions.map((definition) => ({
      ...definition,
      // Asked again by the engine; the SDK's own check needs no second schema.
      parse: (input: unknown) => input as object,
      run: (input: object) => this.#thrown(definition.name, input, options),
    }));
  }

  /**
   * `recall`, `remember`, `read_artifact` and `mark_fact_stale` as tools with a schema and `run`, for any other loop. The memory tool has no schema:
   * `anthropic.tools.memory_20250818({ execute: memory.files.execute })` of the AI SDK takes it as it is.
   */
  async list(options: { session?: string } = {}): Promise<Tool[]> {
    const definitions = await this.definitions();
    return definitions.flatMap((definition) => {
      if (!("input_schema" in definition)) return [];
      const { name, description, input_schema, strict } = definition;
      return [{ name, description, inputSchema: input_schema, strict, run: (input: object) => this.#thrown(name, input, options) }];
    });
  }

  /** As SDKs want it: what went wrong is thrown, without the `Error: ` that they put before it. */
  async #thrown(name: string, input: object, options: { session?: string }): Promise<string> {
    if (name === "memory") return this.#files.execute(input);
    const { content, isError } = await this.run(name, input, options);
    if (isError) throw new Error(String(content));
    return String(content);
  }
}
