//! What a page hears while a message is answered.

use super::rebuild_view::RebuildingView;
use super::views::{ErrorView, ItemView, TokensView};
use crate::claude::models::cost_usd;
use crate::claude::reply::StopReason;
use crate::memory::ChatEvent;
use serde::Serialize;

#[derive(Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ChatEventView<'a> {
    Session {
        session: String,
    },
    Memory {
        block: Option<&'a str>,
        place: &'static str,
        tokens: u32,
        items: Vec<ItemView<'a>>,
        partial: Option<RebuildingView>,
    },
    Retrying {
        attempt: u32,
        in_ms: u32,
        error: ErrorView,
    },
    Compaction {
        state: &'static str,
        strategy: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        turns: Option<u32>,
    },
    Cleared {
        tool_uses: f64,
        thinking_turns: f64,
        input_tokens: f64,
    },
    Thinking {
        text: &'a str,
    },
    Text {
        text: &'a str,
    },
    Usage {
        model: &'a str,
        tokens: TokensView,
        cost: Option<f64>,
        cache_share: Option<f64>,
        first_text_ms: Option<u32>,
    },
    Tool {
        id: &'a str,
        name: &'a str,
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        input: Option<&'a serde_json::Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ms: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        is_error: Option<bool>,
    },
    Saved {
        turns: Vec<String>,
    },
    Notice {
        code: &'static str,
        message: String,
    },
    Done {
        stop_reason: &'a str,
    },
}

impl<'a> From<&'a ChatEvent> for ChatEventView<'a> {
    fn from(event: &'a ChatEvent) -> ChatEventView<'a> {
        match event {
            ChatEvent::Session(id) => ChatEventView::Session {
                session: id.to_string(),
            },
            ChatEvent::Memory {
                block,
                place,
                tokens,
                items,
                partial,
            } => ChatEventView::Memory {
                block: block.as_deref(),
                place: place.name(),
                tokens: *tokens,
                items: items.iter().map(Into::into).collect(),
                partial: partial.map(Into::into),
            },
            ChatEvent::Retrying {
                attempt,
                in_ms,
                error,
            } => ChatEventView::Retrying {
                attempt: *attempt,
                in_ms: *in_ms,
                error: error.into(),
            },
            ChatEvent::Compacting(strategy) => ChatEventView::Compaction {
                state: "started",
                strategy: strategy.name(),
                turns: None,
            },
            ChatEvent::Compacted { strategy, n_turns } => ChatEventView::Compaction {
                state: "finished",
                strategy: strategy.name(),
                turns: Some(*n_turns),
            },
            ChatEvent::Cleared(cleared) => ChatEventView::Cleared {
                tool_uses: cleared.tool_uses as f64,
                thinking_turns: cleared.thinking_turns as f64,
                input_tokens: cleared.input_tokens as f64,
            },
            ChatEvent::Thinking(text) => ChatEventView::Thinking { text },
            ChatEvent::Text(text) => ChatEventView::Text { text },
            ChatEvent::Usage {
                model,
                tokens,
                first_text_ms,
            } => ChatEventView::Usage {
                model,
                tokens: tokens.into(),
                cost: cost_usd(model, tokens),
                cache_share: tokens.cache_share(),
                first_text_ms: *first_text_ms,
            },
            ChatEvent::ToolStarted { id, name, input } => ChatEventView::Tool {
                id,
                name,
                state: "started",
                input: Some(input),
                ms: None,
                is_error: None,
            },
            ChatEvent::ToolFinished {
                id,
                name,
                ms,
                is_error,
            } => ChatEventView::Tool {
                id,
                name,
                state: "finished",
                input: None,
                ms: Some(*ms),
                is_error: Some(*is_error),
            },
            ChatEvent::Saved(turns) => ChatEventView::Saved {
                turns: turns.iter().map(ToString::to_string).collect(),
            },
            ChatEvent::Notice(error) => ChatEventView::Notice {
                code: error.code(),
                message: error.to_string(),
            },
            ChatEvent::Done(reason) => ChatEventView::Done {
                stop_reason: stop_reason(reason),
            },
        }
    }
}

pub fn stop_reason(reason: &StopReason) -> &str {
    reason.name()
}
