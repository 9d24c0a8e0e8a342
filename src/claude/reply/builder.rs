//! A reply, put together from the events of its stream.

use super::{Outcome, Reply, malformed, not_json, object_of, text_of};
use crate::{
    claude::{failure::failure_in_stream, sse::SseEvent},
    error::{Error, Result},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::mem;

/// What a page shows while the reply grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Delta {
    Text {
        text: String,
    },
    Thinking {
        text: String,
    },
    /// A piece of the JSON text of a tool call's input; `block` is the call's position in the content.
    ToolInput {
        block: usize,
        json: String,
    },
}

/// Puts a reply together from the events of its stream.
#[derive(Debug)]
pub struct ReplyBuilder {
    state: State,
    blocks: Vec<Map<String, Value>>,
    /// The JSON text of the open block's input, as far as it came.
    input_json: String,
    /// The last block's input did not end as JSON: the reply was cut there, or the stream is broken.
    has_broken_input: bool,
    outcome: Outcome,
    /// Once something was wrong, nothing makes it right.
    failed: Option<Error>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Nothing came yet.
    Waiting,
    /// Between two blocks.
    Between,
    /// Inside the last of the blocks.
    InBlock,
    /// `message_stop` came.
    Stopped,
}

impl ReplyBuilder {
    /// For the answer with this `request-id` header.
    pub fn new(request_id: Option<String>) -> ReplyBuilder {
        ReplyBuilder {
            state: State::Waiting,
            blocks: Vec::new(),
            input_json: String::new(),
            has_broken_input: false,
            outcome: Outcome {
                request_id,
                ..Outcome::default()
            },
            failed: None,
        }
    }

    /// Takes the next event, and gives what it adds to the page.
    ///
    /// # Errors
    /// [`Error::Api`] for an `error` event and [`Error::MalformedStream`] for an event that can not be read or
    /// comes out of order; every later call gives the same error.
    pub fn push(&mut self, event: &SseEvent) -> Result<Option<Delta>> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let read = self.read(event);
        self.failed = read.as_ref().err().cloned();
        read
    }

    /// The reply, once the stream has ended.
    ///
    /// # Errors
    /// The error that [`push`](ReplyBuilder::push) gave, [`Error::Refused`], [`Error::StreamCut`] without a
    /// `message_stop`, and [`Error::MalformedStream`] if the stop came inside a block or without a reason.
    pub fn finish(self) -> Result<Reply> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.state != State::Stopped && !self.outcome.is_refusal() {
            return Err(Error::StreamCut);
        }
        let mut content: Vec<Value> = self.blocks.into_iter().map(Value::Object).collect();
        let broken = self.has_broken_input.then(|| content.pop()).flatten();
        self.outcome.into_reply(content, broken)
    }

    fn read(&mut self, event: &SseEvent) -> Result<Option<Delta>> {
        let known = [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
            "error",
        ];
        // `ping`, and whatever may be added.
        if !known.contains(&event.event.as_str()) {
            return Ok(None);
        }
        let mut data: Value =
            serde_json::from_str(&event.data).map_err(|e| not_json(&event.event, e))?;
        match (event.event.as_str(), self.state) {
            ("error", _) => {
                let request_id = self.outcome.request_id.as_deref();
                return Err(failure_in_stream(&data, request_id));
            }
            ("message_start", State::Waiting) => {
                let message = &data["message"];
                self.outcome.id = text_of(&message["id"]);
                self.outcome.model = text_of(&message["model"]);
                self.outcome.usage = object_of(&message["usage"]);
                self.state = State::Between;
            }
            ("content_block_start", State::Between) => {
                self.start_block(data["index"].as_u64(), taken(&mut data, "content_block"))?;
                self.state = State::InBlock;
                return Ok(self.first_delta());
            }
            ("content_block_delta", State::InBlock) => {
                self.check_index(data["index"].as_u64())?;
                return self.grow_block(taken(&mut data, "delta"));
            }
            ("content_block_stop", State::InBlock) => {
                self.check_index(data["index"].as_u64())?;
                self.end_block();
                self.state = State::Between;
            }
            // A refusal may come in the middle of a block.
            ("message_delta", State::Between | State::InBlock) => {
                self.outcome.update(&data);
            }
            ("message_stop", State::Between) => self.state = State::Stopped,
            ("message_stop", State::InBlock) if self.outcome.is_refusal() => {
                self.state = State::Stopped;
            }
            (name, _) => return Err(malformed(format!("{name} out of order"))),
        }
        Ok(None)
    }

    fn start_block(&mut self, index: Option<u64>, block: Value) -> Result<()> {
        let Value::Object(block) = block else {
            return Err(malformed("a block is no object"));
        };
        if self.has_broken_input {
            return Err(malformed("a block's input is no JSON"));
        }
        self.blocks.push(block);
        self.check_index(index)
    }

    /// Blocks come one after the other, so the index is always that of the last one.
    fn check_index(&self, index: Option<u64>) -> Result<()> {
        match index {
            Some(index) if index.checked_add(1) == Some(self.blocks.len() as u64) => Ok(()),
            _ => Err(malformed("a block's index is out of order")),
        }
    }

    /// Blocks begin empty as a rule; one that does not has something to show at once.
    fn first_delta(&self) -> Option<Delta> {
        let block = self.blocks.last()?;
        let text = |name: &str| {
            let text = block.get(name)?.as_str()?;
            (!text.is_empty()).then(|| text.to_string())
        };
        match block.get("type")?.as_str()? {
            "text" => text("text").map(|text| Delta::Text { text }),
            "thinking" => text("thinking").map(|text| Delta::Thinking { text }),
            _ => None,
        }
    }

    fn grow_block(&mut self, delta: Value) -> Result<Option<Delta>> {
        let Value::Object(mut delta) = delta else {
            return Err(malformed("a delta is no object"));
        };
        let kind = delta.shift_remove("type").unwrap_or_default();
        let n_blocks = self.blocks.len();
        let Some(block) = self.blocks.last_mut() else {
            return Err(malformed("a delta without a block"));
        };
        let piece = |delta: &Map<String, Value>, name: &str| match delta.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => Err(malformed(format!("a delta without {name}"))),
        };
        Ok(match kind.as_str().unwrap_or_default() {
            "text_delta" => {
                let text = piece(&delta, "text")?;
                append(block, "text", &text);
                Some(Delta::Text { text })
            }
            "thinking_delta" => {
                let text = piece(&delta, "thinking")?;
                append(block, "thinking", &text);
                Some(Delta::Thinking { text })
            }
            "signature_delta" => {
                let signature = piece(&delta, "signature")?;
                block.insert("signature".into(), signature.into());
                None
            }
            "input_json_delta" => {
                let json = piece(&delta, "partial_json")?;
                self.input_json.push_str(&json);
                let block = n_blocks - 1;
                (!json.is_empty()).then_some(Delta::ToolInput { block, json })
            }
            "citations_delta" => {
                let citation = delta.remove("citation").unwrap_or_default();
                match block.get_mut("citations") {
                    Some(Value::Array(citations)) => citations.push(citation),
                    _ => {
                        block.insert("citations".into(), json!([citation]));
                    }
                }
                None
            }
            // The whole summary comes in one delta.
            "compaction_delta" => {
                block.extend(delta);
                None
            }
            // Nobody can say what an unknown delta does to its block.
            _ => None,
        })
    }

    fn end_block(&mut self) {
        let input_json = mem::take(&mut self.input_json);
        let Some(block) = self.blocks.last_mut() else {
            return;
        };
        if input_json.is_empty() {
            return;
        }
        match serde_json::from_str::<Value>(&input_json) {
            Ok(input) => {
                block.insert("input".into(), input);
            }
            // The stop reason, which comes later, tells a cut reply from a broken one.
            Err(_) => self.has_broken_input = true,
        }
    }
}

fn append(block: &mut Map<String, Value>, name: &str, piece: &str) {
    match block.get_mut(name) {
        Some(Value::String(text)) => text.push_str(piece),
        _ => {
            block.insert(name.into(), piece.into());
        }
    }
}

fn taken(data: &mut Value, name: &str) -> Value {
    data.get_mut(name).map(Value::take).unwrap_or_default()
}
