/**
 * Memory for Claude chat UIs that stays on the user's device.
 *
 * ```js
 * import { createMemory } from "onhand";
 * const memory = await createMemory({ endpoint: "https://chat.example.com" });
 * for await (const event of memory.chat().send("Plan my week")) if (event.type === "text") show(event.text);
 * ```
 */
export { createMemory } from "./memory.js";
export type { Memory, MemoryOptions } from "./memory.js";
export type { Artifacts } from "./artifacts.js";
export type { Audit } from "./audit.js";
export type { Chat, ChatOptions, CompactOptions, Limits, SendOptions } from "./chat.js";
export type { Hooks } from "./hooks.js";
export type { Model, ModelPrice, Models, ModelsOptions, ModelsStatus, Said } from "./models.js";
export type { ContentBlock, MemoryToolDefinition, MemoryTools, RunnableTool, Tool, ToolOutput } from "./tools.js";
export type { Files, MemoryToolHandlers } from "./files.js";
export type { Encryption } from "./encryption.js";
export { OnhandError } from "./errors.js";
export type { CompactionFault, EmbedderFault, ErrorCode } from "./errors.js";
export type { ExportOptions, ImportOptions, ImportSource } from "./transfer.js";
export type { UsageFilter, UsageKey, UsageLog, UsageRecord, UsageTotal } from "./usage.js";
export type { EmbedderChoice, OwnEmbedder, TextKind, Weights } from "./embedders.js";
export type * from "./types.js";
