// The model table: what each model accepts, and what it refuses with a 400.

/**
 * Columns:
 * - `generation`: order of release; a model reads thinking of its own and of earlier generations.
 * - `contextTokens`, `maxOutputTokens`, `minCacheableTokens`: limits in tokens.
 * - `thinking`: accepted `thinking.type` values; `thinksByDefault`: whether a request without `thinking` thinks.
 * - `sampling`: whether `temperature`, `top_p` and `top_k` may differ from their defaults.
 * - `prefill`: whether `messages` may end with an assistant message.
 * - `forcedTool`: `tool_choice` any/tool: `ok`, `without_thinking` or `no`.
 * - `effort`: whether `output_config.effort` exists.
 * - `binds`: thinking is bound to its prefix: `no`, `new_accounts` (accounts made since 2026-08-31) or `always`.
 * - `systemMessage`: `role: "system"` inside `messages`: `yes`, `ignored` (200, no effect) or `no` (400).
 * - `clearAt`, `compaction`: `compaction` is `threshold` (both kinds), `on_demand` or `no`.
 * - `keepsThinking`: default `keep` of clear_thinking: `all` or `last`.
 * - `charactersPerToken`: estimate; current tokenizers count about 30 % more tokens than those before 4.7.
 */
const common = {
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  minCacheableTokens: 512,
  thinking: ['adaptive'],
  thinksByDefault: true,
  sampling: false,
  prefill: false,
  forcedTool: 'no',
  effort: true,
  binds: 'new_accounts',
  systemMessage: 'yes',
  clearAt: true,
  compaction: 'threshold',
  keepsThinking: 'all',
  charactersPerToken: 2.5,
};

export const MODELS = {
  'claude-haiku-5-5': {
    ...common, name: 'Claude Haiku 5.5', generation: 55, thinking: ['adaptive', 'disabled'], forcedTool: 'ok',
    compaction: 'on_demand',
  },
  'claude-sonnet-5-5': { ...common, name: 'Claude Sonnet 5.5', generation: 55, thinking: ['adaptive', 'between_tools'] },
  'claude-opus-5-5': { ...common, name: 'Claude Opus 5.5', generation: 55 },
  'claude-fable-5-2': { ...common, name: 'Claude Fable 5.2', generation: 52, binds: 'always' },
  'claude-mythos-5-2': { ...common, name: 'Claude Mythos 5.2', generation: 52, binds: 'always' },
  'claude-fable-5-1': { ...common, name: 'Claude Fable 5.1', generation: 51 },
  'claude-opus-5': {
    ...common, name: 'Claude Opus 5', generation: 50, thinking: ['adaptive', 'disabled'], forcedTool: 'ok', binds: 'no',
  },
  'claude-sonnet-5': {
    ...common, name: 'Claude Sonnet 5', generation: 50, thinking: ['adaptive', 'disabled'], forcedTool: 'ok', binds: 'no',
    minCacheableTokens: 1024, systemMessage: 'ignored', clearAt: false,
  },
  'claude-opus-4-8': {
    ...common, name: 'Claude Opus 4.8', generation: 48, thinking: ['adaptive', 'disabled'], thinksByDefault: false,
    forcedTool: 'ok', binds: 'no', minCacheableTokens: 1024,
  },
  'claude-sonnet-4-6': {
    ...common, name: 'Claude Sonnet 4.6', generation: 46, thinking: ['adaptive', 'enabled', 'disabled'],
    thinksByDefault: false, sampling: true, forcedTool: 'ok', binds: 'no', minCacheableTokens: 1024,
    systemMessage: 'no', clearAt: false, charactersPerToken: 3.25,
  },
  'claude-haiku-4-5': {
    ...common, name: 'Claude Haiku 4.5', generation: 45, contextTokens: 200_000, maxOutputTokens: 64_000,
    minCacheableTokens: 4096, thinking: ['enabled'], thinksByDefault: false, sampling: true, prefill: true,
    forcedTool: 'without_thinking', effort: false, binds: 'no', systemMessage: 'no', clearAt: false, compaction: 'no',
    keepsThinking: 'last', charactersPerToken: 3.25,
  },
};

/** Names that mean the same model. */
const ALIASES = { 'claude-haiku-4-5-20251001': 'claude-haiku-4-5' };

/** The model's row with its `id`, or `undefined` for a name the API does not know. */
export function findModel(id) {
  const key = Object.hasOwn(ALIASES, id) ? ALIASES[id] : id;
  return Object.hasOwn(MODELS, key) ? { id: key, ...MODELS[key] } : undefined;
}

/** Whether this request thinks before it answers. */
export function thinks(model, thinking) {
  return thinking ? thinking.type === 'adaptive' || thinking.type === 'enabled' : model.thinksByDefault;
}

const supported = (yes) => ({ supported: Boolean(yes) });

/** The object `GET /v1/models/{id}` answers. */
export function modelInfo(id) {
  const model = findModel(id);
  const effort = supported(model.effort);
  return {
    type: 'model',
    id: model.id,
    display_name: model.name,
    created_at: '2026-01-01T00:00:00Z',
    deprecated_at: null,
    retires_at: null,
    lifecycle: 'active',
    line: null,
    max_input_tokens: model.contextTokens,
    max_tokens: model.maxOutputTokens,
    capabilities: {
      structured_outputs: supported(true),
      context_management: {
        ...supported(true),
        clear_tool_uses_20250919: supported(true),
        clear_thinking_20251015: supported(true),
        compact_20260112: supported(model.compaction === 'threshold'),
      },
      thinking: {
        ...supported(true),
        types: Object.fromEntries(
          ['adaptive', 'enabled', 'disabled', 'between_tools'].map((type) => [type, supported(model.thinking.includes(type))]),
        ),
      },
      effort: { ...effort, low: effort, medium: effort, high: effort, xhigh: effort, max: effort },
    },
  };
}
