//! What each model allows, costs and binds, as data.

use crate::model::Tokens;

/// When this table was last compared with the published one.
pub const TABLE_DATE: &str = "2026-11-21";

/// The model a chat talks to unless the host names another.
pub const DEFAULT_CHAT_MODEL: &str = "claude-sonnet-5-5";
/// The model that reads facts out of turns unless the host names another.
pub const DEFAULT_EXTRACT_MODEL: &str = "claude-haiku-5-5";

/// What `thinking.type` of a request may say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThinkingTypes {
    pub adaptive: bool,
    /// With a budget of tokens.
    pub enabled: bool,
    pub disabled: bool,
    pub between_tools: bool,
}

impl ThinkingTypes {
    /// The API's names of those that are accepted.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            ("adaptive", self.adaptive),
            ("enabled", self.enabled),
            ("disabled", self.disabled),
            ("between_tools", self.between_tools),
        ];
        let accepted = all.into_iter().filter(|(_, is_accepted)| *is_accepted);
        accepted.map(|(name, _)| name).collect()
    }
}

/// How the API can shorten a long conversation with this model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compaction {
    None,
    /// Only when a request asks for it.
    OnDemand,
    /// On demand, and by itself at a threshold.
    OnDemandAndThreshold,
}

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    pub input: f64,
    pub output: f64,
    pub cache_read: f64,
    /// Written to the cache for five minutes.
    pub cache_write_5m: f64,
    /// Written to the cache for one hour.
    pub cache_write_1h: f64,
}

/// Another price for the whole request when its prompt is long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LongPrompt {
    /// The largest prompt at the ordinary price, in tokens.
    pub above_tokens: u64,
    pub prices: Prices,
}

/// One model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelInfo {
    /// The id without a date; empty for a model that is not in the table.
    pub id: &'static str,
    pub context_tokens: u32,
    pub max_output_tokens: u32,
    /// A shorter prefix is silently not cached.
    pub min_cacheable_tokens: u32,
    pub thinking: ThinkingTypes,
    /// Whether a request that says nothing of thinking is thought about.
    pub thinks_by_default: bool,
    /// Whether thinking blocks are tied to the exact bytes before them.
    pub binds_thinking: bool,
    /// Whether `tool_choice` may name a tool.
    pub forced_tool_choice: bool,
    /// Whether a `system` message may stand among the messages, and is followed.
    pub mid_conversation_system: bool,
    /// Whether such a message may end with the turn (`clear_at`).
    pub clear_at: bool,
    /// Whether such a message right behind tool results may pass for one of them. A few words between the two help.
    pub takes_system_for_result: bool,
    pub compaction: Compaction,
    /// Whether it answers in the shape of a JSON schema (`output_config.format`).
    pub structured_outputs: bool,
    /// Whether the API clears results of old tool calls on demand (`clear_tool_uses_20250919`).
    pub clears_tool_uses: bool,
    /// Whether it clears old thinking (`clear_thinking_20251015`).
    pub clears_thinking: bool,
    /// Whether `output_config.effort` exists.
    pub effort: bool,
    /// `None` if not known: then no cost is shown, rather than a wrong one.
    pub prices: Option<Prices>,
    pub long_prompt: Option<LongPrompt>,
}

impl ModelInfo {
    /// Whether `{"type":"disabled"}` is both allowed and needed for an answer without thinking.
    pub fn is_thinking_disabled_by_request(&self) -> bool {
        self.thinks_by_default && self.thinking.disabled
    }

    /// From so many tokens on a prompt is too long: the last quarter of the window is for the next message, what tools say, and
    /// the answer.
    pub fn longest_prompt(&self) -> u64 {
        u64::from(self.context_tokens) / 4 * 3
    }
}

/// The model with this id, with or without the date at its end (`-20251001`), as this table has it.
///
/// An unknown id gets what every listed model accepts and the smallest of all limits, so that a request is
/// rather too careful than refused.
pub fn model(id: &str) -> &'static ModelInfo {
    let family = family(id);
    let known = MODELS.iter().find(|model| model.id == family);
    known.unwrap_or(&UNKNOWN)
}

/// The id without the date at its end.
pub fn family(id: &str) -> &str {
    match id.rsplit_once('-') {
        Some((family, date)) if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) => {
            family
        }
        _ => id,
    }
}

/// What a request cost in US dollars; `None` for a model whose price is not known. Where the counters do not tell which part of
/// what it wrote to the cache is kept how long, all of it is counted at the price of an hour: it may be less, and not more.
pub fn cost_usd(id: &str, tokens: &Tokens) -> Option<f64> {
    let model = model(id);
    let long = model
        .long_prompt
        .filter(|long| tokens.prompt() > long.above_tokens);
    let prices = long.map(|long| long.prices).or(model.prices)?;
    let written = tokens.cache_write;
    let hour = tokens.cache_write_1h.map_or(written, |n| n.min(written));
    let parts = [
        (tokens.input, prices.input),
        (tokens.output, prices.output),
        (tokens.cache_read, prices.cache_read),
        (written - hour, prices.cache_write_5m),
        (hour, prices.cache_write_1h),
    ];
    Some(parts.iter().map(|(n, price)| *n as f64 * price / 1e6).sum())
}

/// All models of the table.
pub static MODELS: [ModelInfo; 11] = [
    ModelInfo {
        id: "claude-haiku-5-5",
        thinking: OR_DISABLED,
        forced_tool_choice: true,
        takes_system_for_result: true,
        compaction: Compaction::OnDemand,
        prices: prices(0.10, 0.50, 0.01, 0.125, 0.20),
        long_prompt: Some(LongPrompt {
            above_tokens: 100_000,
            prices: Prices {
                input: 0.50,
                output: 2.50,
                cache_read: 0.05,
                cache_write_5m: 0.625,
                cache_write_1h: 1.0,
            },
        }),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-sonnet-5-5",
        thinking: ThinkingTypes {
            between_tools: true,
            ..ADAPTIVE
        },
        prices: prices(2.0, 10.0, 0.10, 2.5, 4.0),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-opus-5-5",
        prices: prices(4.0, 20.0, 0.20, 5.0, 8.0),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-fable-5-2",
        prices: prices(8.0, 40.0, 0.20, 10.0, 16.0),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-mythos-5-2",
        prices: prices(8.0, 40.0, 0.20, 10.0, 16.0),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-fable-5-1",
        prices: prices(10.0, 50.0, 0.25, 12.5, 20.0),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-opus-5",
        thinking: OR_DISABLED,
        binds_thinking: false,
        forced_tool_choice: true,
        prices: prices(5.0, 25.0, 0.50, 6.25, 10.0),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-sonnet-5",
        min_cacheable_tokens: 1024,
        thinking: OR_DISABLED,
        binds_thinking: false,
        forced_tool_choice: true,
        mid_conversation_system: false,
        clear_at: false,
        prices: prices(2.0, 10.0, 0.20, 2.5, 4.0),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-opus-4-8",
        min_cacheable_tokens: 1024,
        thinking: OR_DISABLED,
        thinks_by_default: false,
        binds_thinking: false,
        forced_tool_choice: true,
        prices: prices(5.0, 25.0, 0.50, 6.25, 10.0),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-sonnet-4-6",
        min_cacheable_tokens: 1024,
        thinking: ThinkingTypes {
            enabled: true,
            ..OR_DISABLED
        },
        thinks_by_default: false,
        binds_thinking: false,
        forced_tool_choice: true,
        mid_conversation_system: false,
        clear_at: false,
        prices: prices(3.0, 15.0, 0.30, 3.75, 6.0),
        ..CURRENT
    },
    ModelInfo {
        id: "claude-haiku-4-5",
        context_tokens: 200_000,
        max_output_tokens: 64_000,
        min_cacheable_tokens: 4096,
        thinking: ThinkingTypes {
            enabled: true,
            adaptive: false,
            disabled: false,
            between_tools: false,
        },
        thinks_by_default: false,
        effort: false,
        binds_thinking: false,
        forced_tool_choice: true,
        mid_conversation_system: false,
        clear_at: false,
        compaction: Compaction::None,
        prices: prices(1.0, 5.0, 0.10, 1.25, 2.0),
        ..CURRENT
    },
];

const ADAPTIVE: ThinkingTypes = ThinkingTypes {
    adaptive: true,
    enabled: false,
    disabled: false,
    between_tools: false,
};

const OR_DISABLED: ThinkingTypes = ThinkingTypes {
    disabled: true,
    ..ADAPTIVE
};

/// What the models of the 5.x line have in common; each entry states where it differs.
const CURRENT: ModelInfo = ModelInfo {
    id: "",
    context_tokens: 1_000_000,
    max_output_tokens: 128_000,
    min_cacheable_tokens: 512,
    thinking: ADAPTIVE,
    thinks_by_default: true,
    binds_thinking: true,
    forced_tool_choice: false,
    mid_conversation_system: true,
    clear_at: true,
    takes_system_for_result: false,
    compaction: Compaction::OnDemandAndThreshold,
    structured_outputs: true,
    clears_tool_uses: true,
    clears_thinking: true,
    effort: true,
    prices: None,
    long_prompt: None,
};

static UNKNOWN: ModelInfo = ModelInfo {
    context_tokens: 200_000,
    max_output_tokens: 64_000,
    min_cacheable_tokens: 4096,
    mid_conversation_system: false,
    clear_at: false,
    compaction: Compaction::None,
    clears_tool_uses: false,
    clears_thinking: false,
    effort: false,
    ..CURRENT
};

const fn prices(
    input: f64,
    output: f64,
    cache_read: f64,
    cache_write_5m: f64,
    cache_write_1h: f64,
) -> Option<Prices> {
    Some(Prices {
        input,
        output,
        cache_read,
        cache_write_5m,
        cache_write_1h,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_at_the_end_names_the_same_model() {
        assert_eq!(model("claude-haiku-4-5-20251001").id, "claude-haiku-4-5");
        assert_eq!(model("claude-haiku-4-5-2025").id, "");
        assert_eq!(model("claude-sonnet-5-5").id, DEFAULT_CHAT_MODEL);
        assert_eq!(model("claude-haiku-5-5").id, DEFAULT_EXTRACT_MODEL);
    }

    #[test]
    fn an_unknown_model_is_never_allowed_what_a_known_one_is_refused() {
        let unknown = model("claude-next-9");
        for known in &MODELS {
            assert!(unknown.context_tokens <= known.context_tokens);
            assert!(unknown.max_output_tokens <= known.max_output_tokens);
            assert!(unknown.min_cacheable_tokens >= known.min_cacheable_tokens);
            assert!(unknown.binds_thinking || !known.binds_thinking);
        }
        assert!(!unknown.is_thinking_disabled_by_request());
        assert!(!unknown.clears_tool_uses && !unknown.clears_thinking && !unknown.effort);
        assert!(MODELS.iter().all(|known| known.structured_outputs));
        assert!(!unknown.forced_tool_choice && !unknown.mid_conversation_system);
        assert_eq!(
            (unknown.clear_at, unknown.compaction, unknown.prices),
            (false, Compaction::None, None)
        );
    }

    #[test]
    fn a_long_prompt_has_its_own_price_for_all_of_the_request() {
        let tokens = |input| Tokens {
            input,
            output: 1_000,
            cache_read: 50_000,
            cache_write: 1_000,
            cache_write_1h: None,
        };
        let cost = |id, input| cost_usd(id, &tokens(input)).map(|usd| (usd * 1e7).round());
        let short: f64 = 0.10 * 49_000.0 + 0.50 * 1_000.0 + 0.01 * 50_000.0 + 0.20 * 1_000.0;
        assert_eq!(
            cost("claude-haiku-5-5", 49_000),
            Some((short * 10.0).round())
        );
        let long: f64 = 0.50 * 49_001.0 + 2.50 * 1_000.0 + 0.05 * 50_000.0 + 1.0 * 1_000.0;
        assert_eq!(
            cost("claude-haiku-5-5", 49_001),
            Some((long * 10.0).round())
        );
        assert_eq!(cost("claude-next-9", 1), None);
    }

    #[test]
    fn what_is_kept_for_five_minutes_and_for_an_hour_has_each_its_price() {
        let cost = |cache_write_1h| {
            let tokens = Tokens {
                cache_write: 1_000_000,
                cache_write_1h,
                ..Tokens::default()
            };
            cost_usd("claude-sonnet-5-5", &tokens).unwrap()
        };
        assert_eq!(cost(Some(0)), 2.5);
        assert_eq!(cost(Some(1_000_000)), 4.0);
        assert!((cost(Some(400_000)) - (0.6 * 2.5 + 0.4 * 4.0)).abs() < 1e-9);
        assert_eq!(cost(None), 4.0, "rather too much than too little");
        assert_eq!(
            cost(Some(2_000_000)),
            4.0,
            "a part is no more than the whole"
        );
    }

    #[test]
    fn cache_prices_stand_in_the_documented_relation_to_input() {
        let long = MODELS.iter().filter_map(|model| model.long_prompt);
        let all = MODELS.iter().filter_map(|model| model.prices);
        for price in all.chain(long.map(|long| long.prices)) {
            assert!((price.cache_write_5m - 1.25 * price.input).abs() < 1e-9);
            assert!((price.cache_write_1h - 2.0 * price.input).abs() < 1e-9);
            assert!((price.output - 5.0 * price.input).abs() < 1e-9);
            assert!(price.cache_read <= 0.1 * price.input + 1e-9);
        }
    }
}
