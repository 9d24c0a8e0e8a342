//! Context editing: what the API itself leaves out of a long prompt, on the server's view of one request.
//!
//! The session's messages stay as they are, so nothing here touches what thinking is bound to. A cleared part breaks the prompt
//! cache at its place: therefore the thresholds.

use super::models::{Compaction, ModelInfo};
use serde_json::{Value, json};

const CONTEXT_BETA: &str = "context-management-2025-06-27";
const COMPACTION_BETA: &str = "compact-2026-01-12";
const ON_DEMAND_BETA: &str = "compact-2026-09-04";

/// The smallest threshold that the API takes for its own compaction.
pub const MIN_COMPACT_AT: u64 = 50_000;

/// What a request may leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextEdits {
    pub clear_tools: Option<ClearTools>,
    /// Thinking of all but so many of the last turns that have any; at least 1. `None`: what the model does by itself.
    pub keep_thinking: Option<u32>,
    /// Claude's own compaction, from so many tokens on; at least 50,000.
    pub compact_at: Option<u64>,
}

/// Clearing the results of old tool calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearTools {
    /// From so many tokens of prompt on.
    pub at_tokens: u64,
    /// The newest calls whose results stay.
    pub keep: u32,
    /// Unless it clears so many tokens nothing is cleared: what it breaks of the cache must be worth it.
    pub at_least_tokens: u64,
    /// Tools whose results are never cleared.
    pub exclude: Vec<String>,
}

impl Default for ClearTools {
    /// The API's own threshold and number. What the memory tool read is what the session works with, so it stays.
    fn default() -> ClearTools {
        ClearTools {
            at_tokens: 100_000,
            keep: 3,
            at_least_tokens: 5_000,
            exclude: vec!["memory".into()],
        }
    }
}

impl ContextEdits {
    /// Those that make sense in a request: results are cleared where there are tools, only what the model is known to take is
    /// asked of it, and before its window is full.
    pub fn for_request(&self, model: &ModelInfo, has_tools: bool) -> ContextEdits {
        let longest = model.longest_prompt();
        let clear_tools = self.clear_tools.clone().map(|clear| ClearTools {
            at_tokens: clear.at_tokens.min(longest),
            ..clear
        });
        let compacts = model.compaction == Compaction::OnDemandAndThreshold;
        let compact_at = self.compact_at.map(|at_tokens| at_tokens.min(longest));
        ContextEdits {
            clear_tools: clear_tools.filter(|_| has_tools && model.clears_tool_uses),
            keep_thinking: self.keep_thinking.filter(|_| model.clears_thinking),
            compact_at: compact_at.filter(|at_tokens| compacts && *at_tokens >= MIN_COMPACT_AT),
        }
    }

    /// The request's `context_management`; `None` without any edit. Thinking comes first, as the API demands.
    pub fn body(&self) -> Option<Value> {
        let thinking = self.keep_thinking.map(|turns| {
            json!({
                "type": "clear_thinking_20251015",
                "keep": {"type": "thinking_turns", "value": turns},
            })
        });
        let tools = self.clear_tools.as_ref().map(|clear| {
            json!({
                "type": "clear_tool_uses_20250919",
                "trigger": {"type": "input_tokens", "value": clear.at_tokens},
                "keep": {"type": "tool_uses", "value": clear.keep},
                "clear_at_least": {"type": "input_tokens", "value": clear.at_least_tokens},
                "exclude_tools": clear.exclude,
            })
        });
        let compaction = self.compact_at.map(|tokens| {
            json!({
                "type": "compact_20260112",
                "trigger": {"type": "input_tokens", "value": tokens},
            })
        });
        let edits: Vec<Value> = thinking
            .into_iter()
            .chain(tools)
            .chain(compaction)
            .collect();
        (!edits.is_empty()).then(|| json!({"edits": edits}))
    }

    /// The betas that the request names for them, and for what earlier compactions made.
    pub fn betas(&self, sent: Summaries) -> Vec<&'static str> {
        let mut betas = Vec::new();
        if self.keep_thinking.is_some() || self.clear_tools.is_some() {
            betas.push(CONTEXT_BETA);
        }
        if self.compact_at.is_some() || sent.at_threshold {
            betas.push(COMPACTION_BETA);
        }
        if sent.on_demand {
            betas.push(ON_DEMAND_BETA);
        }
        betas
    }
}

/// Whose summaries of the API's a request holds: each kind needs its beta as long as it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summaries {
    /// Made by the API when a prompt grew too long.
    pub at_threshold: bool,
    /// Made when it was asked to; only these are signed. A request that asks for one counts as well.
    pub on_demand: bool,
}

impl Summaries {
    pub fn among<'a>(blocks: impl IntoIterator<Item = &'a Value>) -> Summaries {
        let mut found = Summaries::default();
        for block in blocks {
            if block["type"] == "compaction" {
                let is_signed = block["signature"].is_string();
                found.on_demand |= is_signed;
                found.at_threshold |= !is_signed;
            }
        }
        found
    }
}

/// What the API cleared for one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    pub tool_uses: u64,
    pub thinking_turns: u64,
    pub input_tokens: u64,
}

impl Cleared {
    /// Out of an answer's `context_management`; all edits together, `None` if nothing was cleared.
    pub fn read(context_management: &Value) -> Option<Cleared> {
        let edits = context_management["applied_edits"].as_array()?;
        let sum = |name: &str| edits.iter().filter_map(|edit| edit[name].as_u64()).sum();
        let cleared = Cleared {
            tool_uses: sum("cleared_tool_uses"),
            thinking_turns: sum("cleared_thinking_turns"),
            input_tokens: sum("cleared_input_tokens"),
        };
        (cleared != Cleared::default()).then_some(cleared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude::models::model;

    fn all() -> ContextEdits {
        ContextEdits {
            clear_tools: Some(ClearTools::default()),
            keep_thinking: Some(2),
            compact_at: Some(150_000),
        }
    }

    #[test]
    fn thinking_is_the_first_edit_and_each_edit_has_its_beta() {
        let (edits, none) = (all(), Summaries::default());
        let body = edits.body().unwrap();
        let types: Vec<&str> = body["edits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edit| edit["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            types,
            [
                "clear_thinking_20251015",
                "clear_tool_uses_20250919",
                "compact_20260112"
            ]
        );
        assert_eq!(edits.betas(none), [CONTEXT_BETA, COMPACTION_BETA]);
        assert_eq!(ContextEdits::default().betas(none), [""; 0]);
        let block = json!({"type": "compaction", "content": "S", "signature": null});
        let at_threshold = Summaries::among([&block]);
        assert_eq!(
            ContextEdits::default().betas(at_threshold),
            [COMPACTION_BETA]
        );
        let signed = json!({"type": "compaction", "content": "S", "signature": "s"});
        let on_demand = Summaries::among([&json!({"type": "text"}), &signed]);
        assert_eq!(ContextEdits::default().betas(on_demand), [ON_DEMAND_BETA]);
        assert_eq!(ContextEdits::default().body(), None);
    }

    #[test]
    fn a_model_is_asked_only_for_what_it_is_known_to_do() {
        let sonnet = all().for_request(model("claude-sonnet-5-5"), true);
        assert_eq!(sonnet, all());
        let without_tools = all().for_request(model("claude-sonnet-5-5"), false);
        assert_eq!(without_tools.clear_tools, None);
        let haiku = all().for_request(model("claude-haiku-4-5"), true);
        assert_eq!((haiku.compact_at, haiku.keep_thinking), (None, Some(2)));
        let unknown = all().for_request(model("claude-next-9"), true);
        assert_eq!(unknown, ContextEdits::default());
    }

    #[test]
    fn nothing_waits_until_the_window_is_full() {
        let narrow = |context_tokens| ModelInfo {
            context_tokens,
            ..*model("claude-sonnet-5-5")
        };
        let edits = all().for_request(&narrow(80_000), true);
        let at_tokens = edits.clear_tools.map(|clear| clear.at_tokens);
        assert_eq!((at_tokens, edits.compact_at), (Some(60_000), Some(60_000)));
        let edits = all().for_request(&narrow(60_000), true);
        assert_eq!(edits.compact_at, None, "the API takes no such threshold");
    }

    #[test]
    fn what_was_cleared_is_summed_over_the_edits() {
        let answer = json!({"applied_edits": [
            {"type": "clear_thinking_20251015", "cleared_thinking_turns": 2, "cleared_input_tokens": 10},
            {"type": "clear_tool_uses_20250919", "cleared_tool_uses": 5, "cleared_input_tokens": 700},
        ]});
        let cleared = Cleared {
            tool_uses: 5,
            thinking_turns: 2,
            input_tokens: 710,
        };
        assert_eq!(Cleared::read(&answer), Some(cleared));
        assert_eq!(Cleared::read(&json!({"applied_edits": []})), None);
        assert_eq!(Cleared::read(&Value::Null), None);
    }
}
