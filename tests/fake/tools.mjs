// Tool definitions and `tool_choice`.

import { refuse } from './rejection.mjs';
import { checkSchema, newSchemaBudget } from './schema.mjs';
import { anything, boolean, byType, fields, isObject, listOf, matching, nonEmptyString, nullable, object, oneOf, string } from './shape.mjs';
import { cacheControl } from './breakpoints.mjs';

/** Limit of strict tools in one request. */
const MAX_STRICT_TOOLS = 20;

export const toolName = matching(/^[a-zA-Z0-9_-]{1,128}$/);

const shared = {
  cache_control: nullable(cacheControl),
  strict: boolean,
  defer_loading: boolean,
  input_examples: listOf(object),
  allowed_callers: listOf(nonEmptyString),
};

const customTool = (tool, path) => {
  fields(
    tool,
    path,
    { name: toolName, input_schema: object },
    { ...shared, type: nullable(oneOf('custom')), description: string, eager_input_streaming: nullable(boolean) },
  );
  if (tool.input_schema.type !== 'object') refuse(`${path}.input_schema.type: Input should be 'object'`);
};

/** The memory tool is known by its type: it has a fixed name and no schema of its own. */
const memoryTool = (tool, path) => fields(tool, path, { type: anything, name: oneOf('memory') }, shared);

const typedTool = byType({ custom: customTool, memory_20250818: memoryTool });

/** Checks `tools`; strict schemas spend from the request's schema budget. */
export function checkTools(tools, path, budget = newSchemaBudget()) {
  listOf((tool, toolPath) => {
    if (isObject(tool) && (tool.type === undefined || tool.type === null)) customTool(tool, toolPath);
    else typedTool(tool, toolPath);
  })(tools, path);

  const seen = new Set();
  for (const tool of tools) {
    if (seen.has(tool.name)) refuse('tools: Tool names must be unique.');
    seen.add(tool.name);
  }
  const strict = tools.filter((tool) => tool.strict);
  if (strict.length > MAX_STRICT_TOOLS) refuse(`tools: at most ${MAX_STRICT_TOOLS} strict tools are supported`);
  tools.forEach((tool, index) => {
    if (tool.strict && tool.input_schema) checkSchema(tool.input_schema, `${path}.${index}.input_schema`, budget);
  });
}

const parallel = { disable_parallel_tool_use: boolean };
const choice = byType({
  auto: (value, path) => fields(value, path, { type: anything }, parallel),
  any: (value, path) => fields(value, path, { type: anything }, parallel),
  none: (value, path) => fields(value, path, { type: anything }),
  tool: (value, path) => fields(value, path, { type: anything, name: toolName }, parallel),
});

export const isForced = (toolChoice) => toolChoice?.type === 'any' || toolChoice?.type === 'tool';

/** Checks `tool_choice` against the tools beside it and the model. */
export function checkToolChoice(toolChoice, { tools, model, thinking }) {
  choice(toolChoice, 'tool_choice');
  if (!tools || tools.length === 0) refuse('tool_choice: tool_choice may only be specified while providing tools.');
  if (toolChoice.type === 'tool' && !tools.some((tool) => tool.name === toolChoice.name)) {
    refuse(`tool_choice: Tool '${toolChoice.name}' not found in provided tools`);
  }
  if (!isForced(toolChoice)) return;
  const refused = model.forcedTool === 'no' || (model.forcedTool === 'without_thinking' && thinking?.type === 'enabled');
  if (refused) {
    refuse(`tool_choice: forcing tool use ("${toolChoice.type}") is not supported on ${model.id} with thinking; use "auto" or "none".`);
  }
}
