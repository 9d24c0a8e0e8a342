//! Replies: put together from a stream's events, or read from a whole answer.
//!
//! A reply's blocks are kept as they came, kinds and fields unknown here included, because the API checks that
//! they come back unchanged. What is read out of them is read by type, never by position: a reply may begin with
//! thinking, hold no text at all, or hold blocks of kinds yet to come.

mod builder;

pub use builder::{Delta, ReplyBuilder};

use crate::{
    claude::{context::Cleared, failure::failure_in_stream},
    error::{Error, Result},
    model::Tokens,
};
use serde_json::{Map, Value};

/// Why a reply ended. A refusal is not among these: it is [`Error::Refused`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    EndTurn,
    StopSequence,
    /// Tools are to be run and their results sent.
    ToolUse,
    /// Cut off by the request's `max_tokens`.
    MaxTokens,
    /// Send the reply back as it is, and it goes on.
    PauseTurn,
    /// Cut off by the model's window.
    ContextWindowExceeded,
    /// Holds nothing but a summary of the conversation.
    Compaction,
    /// A reason this version does not know.
    Other(String),
}

impl StopReason {
    fn from_name(name: &str) -> StopReason {
        match name {
            "end_turn" => StopReason::EndTurn,
            "stop_sequence" => StopReason::StopSequence,
            "tool_use" => StopReason::ToolUse,
            "max_tokens" => StopReason::MaxTokens,
            "pause_turn" => StopReason::PauseTurn,
            "model_context_window_exceeded" => StopReason::ContextWindowExceeded,
            "compaction" => StopReason::Compaction,
            other => StopReason::Other(other.into()),
        }
    }

    /// The API's name of it.
    pub fn name(&self) -> &str {
        match self {
            StopReason::EndTurn => "end_turn",
            StopReason::StopSequence => "stop_sequence",
            StopReason::ToolUse => "tool_use",
            StopReason::MaxTokens => "max_tokens",
            StopReason::PauseTurn => "pause_turn",
            StopReason::ContextWindowExceeded => "model_context_window_exceeded",
            StopReason::Compaction => "compaction",
            StopReason::Other(name) => name,
        }
    }

    /// Whether the reply stops in the middle.
    pub fn is_cut(&self) -> bool {
        matches!(
            self,
            StopReason::MaxTokens | StopReason::ContextWindowExceeded
        )
    }
}

/// A complete answer of Claude.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The message's id, `msg_...`.
    pub id: String,
    /// The model that answered, as the API names it.
    pub model: String,
    /// The blocks as received; what a turn stores.
    pub content: Vec<Value>,
    /// The tool call that a cut reply ended in, if it did.
    ///
    /// It is not part of `content`: its input may be incomplete, so it must not run, and the API takes no call
    /// back without its result.
    pub cut_tool_use: Option<Value>,
    pub stop_reason: StopReason,
    /// What was billed.
    pub tokens: Tokens,
    pub request_id: Option<String>,
    /// What the API left out of the prompt, where the request allowed it to.
    pub cleared: Option<Cleared>,
}

impl Reply {
    /// The reply in a whole, not streamed answer with a success status.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Api`] for an error that came with a success status, and
    /// [`Error::MalformedStream`] for anything that is no message.
    pub fn from_json(body: &str, request_id: Option<String>) -> Result<Reply> {
        let mut body: Value = serde_json::from_str(body).map_err(|e| not_json("the answer", e))?;
        if body["type"] == "error" {
            return Err(failure_in_stream(&body, request_id.as_deref()));
        }
        let content = match body.get_mut("content").map(Value::take) {
            Some(Value::Array(blocks)) if blocks.iter().all(Value::is_object) => blocks,
            _ => return Err(malformed("the answer has no content blocks")),
        };
        Outcome {
            id: text_of(&body["id"]),
            model: text_of(&body["model"]),
            stop_reason: body["stop_reason"].as_str().map(String::from),
            refusal_category: category_of(&body["stop_details"]),
            usage: object_of(&body["usage"]),
            cleared: Cleared::read(&body["context_management"]),
            request_id,
        }
        .into_reply(content, None)
    }

    /// The words of the reply: its text blocks, joined as [`Turn::text`](crate::model::Turn::text) joins them.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter(|block| block["type"] == "text");
        let texts: Vec<&str> = texts.filter_map(|block| block["text"].as_str()).collect();
        texts.join("\n\n")
    }
}

/// What is known of a message besides its blocks.
#[derive(Debug, Default)]
struct Outcome {
    id: String,
    model: String,
    stop_reason: Option<String>,
    refusal_category: Option<String>,
    usage: Map<String, Value>,
    cleared: Option<Cleared>,
    request_id: Option<String>,
}

impl Outcome {
    /// Takes a `message_delta`: counters are cumulative and replace earlier ones field by field.
    fn update(&mut self, data: &Value) {
        let delta = &data["delta"];
        if let Some(reason) = delta["stop_reason"].as_str() {
            self.stop_reason = Some(reason.into());
        }
        if let Some(category) = category_of(&delta["stop_details"]) {
            self.refusal_category = Some(category);
        }
        self.cleared = Cleared::read(&data["context_management"]).or(self.cleared);
        let counters = object_of(&data["usage"]).into_iter();
        self.usage.extend(counters.filter(|(_, v)| !v.is_null()));
    }

    fn is_refusal(&self) -> bool {
        self.stop_reason.as_deref() == Some("refusal")
    }

    /// `broken`: the last block, if its input is no JSON.
    fn into_reply(self, mut content: Vec<Value>, broken: Option<Value>) -> Result<Reply> {
        if self.is_refusal() {
            return Err(Error::Refused {
                category: self.refusal_category,
            });
        }
        let tokens = tokens_of(&self.usage);
        let stop_reason = match self.stop_reason.as_deref() {
            Some(reason) => StopReason::from_name(reason),
            None => return Err(malformed("the reply has no stop reason")),
        };
        let cut_tool_use = if !stop_reason.is_cut() {
            if broken.is_some() {
                return Err(malformed("a block's input is no JSON"));
            }
            None
        } else if broken.is_some() {
            broken
        } else {
            content.pop_if(|last| last["type"] == "tool_use")
        };
        Ok(Reply {
            id: self.id,
            model: self.model,
            content,
            cut_tool_use,
            stop_reason,
            tokens,
            request_id: self.request_id,
            cleared: self.cleared,
        })
    }
}

/// The counters that are billed: those of all `iterations` where the answer took several, else the answer's own.
fn tokens_of(usage: &Map<String, Value>) -> Tokens {
    let iterations = match usage.get("iterations") {
        Some(Value::Array(iterations)) => iterations.iter().filter_map(Value::as_object).collect(),
        _ => Vec::new(),
    };
    let parts = if iterations.is_empty() {
        vec![usage]
    } else {
        iterations
    };
    let sum = |name: &str| {
        let counts = parts.iter().filter_map(|part| part.get(name)?.as_u64());
        counts.fold(0, u64::saturating_add)
    };
    Tokens {
        input: sum("input_tokens"),
        output: sum("output_tokens"),
        cache_read: sum("cache_read_input_tokens"),
        cache_write: sum("cache_creation_input_tokens"),
        cache_write_1h: parts.iter().map(|part| kept_an_hour(part)).sum(),
    }
}

/// `None` if something was written to the cache and the counters do not tell for how long.
fn kept_an_hour(usage: &Map<String, Value>) -> Option<u64> {
    let count = |of: Option<&Value>| of.and_then(Value::as_u64);
    let told = usage.get("cache_creation");
    let told = count(told.and_then(|told| told.get("ephemeral_1h_input_tokens")));
    let is_empty = count(usage.get("cache_creation_input_tokens")).unwrap_or(0) == 0;
    told.or(is_empty.then_some(0))
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn object_of(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn category_of(stop_details: &Value) -> Option<String> {
    stop_details["category"].as_str().map(String::from)
}

fn malformed(message: impl Into<String>) -> Error {
    Error::MalformedStream {
        message: message.into(),
    }
}

/// The parser's message names a place, never what is written there.
fn not_json(what: &str, error: serde_json::Error) -> Error {
    malformed(format!("{what} is no JSON: {error}"))
}
