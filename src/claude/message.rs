//! The entries of `messages`: what was said, what memory put beside it, and what of that is sent and read.

use super::models::ModelInfo;
use crate::model::{Injection, Role, Turn};
use serde::Serialize;
use serde_json::{Value, json};

/// Who a message is from, in the API's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageRole {
    User,
    Assistant,
    /// The application, for one turn: such messages are sent with `clear_at: "next_user_message"` and never otherwise.
    System,
}

/// One entry of `messages`, without any `cache_control`.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub role: MessageRole,
    pub content: Vec<Value>,
}

/// Stands between tool results and a system message for models that could take the one for the other.
pub const AFTER_RESULTS: &str = "These were the results.";

/// The user's message: what memory has to say first, so that the user's own words come last.
pub fn user_message(injection: Option<&str>, user_text: &str) -> Message {
    let injected = injection.filter(|text| !text.is_empty());
    let texts = injected.into_iter().chain([user_text]);
    Message {
        role: MessageRole::User,
        content: texts.map(text_block).collect(),
    }
}

/// A recorded turn as it was sent or received, with the ledger's bytes back in their places.
///
/// Those are before everything but tool results, which the API wants first, and a message of its own behind.
pub fn messages_of(turn: &Turn, injection: Option<&Injection>) -> Vec<Message> {
    let mut content = turn.content.clone();
    if let Some(injection) = injection.filter(|injection| !injection.text.is_empty()) {
        debug_assert_eq!(injection.turn, turn.id, "the ledger's entry of this turn");
        let after_results = content
            .iter()
            .position(|block| block["type"] != "tool_result")
            .unwrap_or(content.len());
        content.insert(after_results, text_block(&injection.text));
    }
    let said = Message {
        role: match turn.role {
            Role::Assistant => MessageRole::Assistant,
            Role::User | Role::Tool => MessageRole::User,
        },
        content,
    };
    let scoped = injection.and_then(|injection| injection.turn_scoped.as_ref());
    let scoped = scoped.map(|scoped| Message {
        role: MessageRole::System,
        content: vec![text_block(&scoped.text)],
    });
    [said].into_iter().chain(scoped).collect()
}

/// The messages that a request to this model holds.
///
/// A message without content is refused, and would make every later request fail: it is left out, always. So is a system
/// message that nothing was answered to, because it has to be the last or be followed by a reply; no thinking is bound to it.
/// A model that has no such messages gets none: it could not read the old ones anyway.
pub fn sent<'a>(
    messages: impl IntoIterator<Item = &'a Message>,
    model: &ModelInfo,
) -> Vec<&'a Message> {
    let is_sent = |message: &&Message| {
        let is_known = message.role != MessageRole::System || model.clear_at;
        is_known && !message.content.is_empty()
    };
    let filled: Vec<&Message> = messages.into_iter().filter(is_sent).collect();
    let is_answered = |at: usize| {
        let next = filled.get(at + 1);
        next.is_none_or(|next| next.role == MessageRole::Assistant)
    };
    let all = filled.iter().enumerate();
    let kept = all.filter(|(at, message)| message.role != MessageRole::System || is_answered(*at));
    kept.map(|(_, message)| *message).collect()
}

/// Those of them that Claude reads: a system message is cleared by the next message of the user, tool results among these.
pub fn read<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<&'a Message> {
    let mut messages: Vec<&Message> = messages.into_iter().collect();
    let is_user = |message: &&Message| message.role == MessageRole::User;
    let last_user = messages.iter().rposition(is_user).unwrap_or(0);
    let mut at = 0..;
    messages.retain(|message| {
        let is_over = at.next().is_some_and(|at: usize| at < last_user);
        !(is_over && message.role == MessageRole::System)
    });
    messages
}

pub(super) fn text_block(text: &str) -> Value {
    json!({"type": "text", "text": text})
}
