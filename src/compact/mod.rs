//! Long sessions: what goes to Claude once the whole conversation is too much to send.
//!
//! A session's messages only grow, until they are compacted: the oldest turns are sent no more, and a text stands in their place.
//! That is a new prompt for the cache and for Claude's thinking, so it happens seldom and at once. The turns themselves stay in
//! the store and can be recalled.
//!
//! - [`Policy`] says when, and by which [`Strategy`];
//! - [`cut`] finds the turns to leave out;
//! - [`summary_input`] and [`SUMMARY_RULES`] ask a model for a summary of them;
//! - [`notice`] writes the text that stands in their place;
//! - [`messages`] puts the session's messages together; the API's own summary may stand before them;
//! - [`let_go`] shortens the messages of a session of which nothing is stored.

mod notice;
mod policy;
mod summary;
#[cfg(test)]
mod tests;

pub use notice::{Left, notice};
pub use policy::{Policy, Strategy};
pub use summary::{
    FAN, MAX_SUMMARY_TOKENS, MERGE_RULES, SUMMARY_RULES, merge_input, next_merge, summary_input,
};

use crate::claude::message::{Message, MessageRole, messages_of};
use crate::model::{Compacted, Injection, Role, Turn, TurnId};
use serde_json::{Value, json};
use std::collections::HashMap;

/// How many of these turns, oldest first, may be left out so that at least `keep` stay; 0 if none.
///
/// What stays begins with words of the person: a result can not be sent without its call, nor a reply without what it replies to.
pub fn cut(turns: &[Turn], keep: usize) -> usize {
    let last = turns.len().saturating_sub(keep);
    let begins = |at: &usize| turns.get(*at).is_some_and(|turn| turn.role == Role::User);
    (0..=last).rev().find(begins).unwrap_or(0)
}

/// Lets go of the oldest messages of a session of which nothing is stored, so that at least `keep` stay; gives how many went, 0 if
/// none can. What [`messages`] does with turns: a text stands in their place, and thinking is not sent any more, because it is bound
/// to messages that are gone.
pub fn let_go(
    history: &mut Vec<Message>,
    keep: usize,
    text: impl FnOnce(usize) -> String,
) -> usize {
    let last = history.len().saturating_sub(keep);
    let begins = |at: &usize| history.get(*at).is_some_and(is_said);
    let n_gone = (0..=last).rev().find(begins).unwrap_or(0);
    if n_gone > 0 {
        history.drain(..n_gone);
        for message in history.iter_mut() {
            message.content.retain(|block| !is_thinking(block));
        }
        let text = json!({"type": "text", "text": text(n_gone)});
        history[0].content.insert(0, text);
    }
    n_gone
}

/// Whether it begins with words of the person, and not with results of tools.
fn is_said(message: &Message) -> bool {
    message.role == MessageRole::User
        && message
            .content
            .first()
            .is_some_and(|block| block["type"] != "tool_result")
}

/// A session's messages as they are sent: those of the turns that are not left out, the same bytes each time.
///
/// `turns` are in order; turns that are left out may be among them.
pub fn messages(
    turns: &[Turn],
    injections: &HashMap<TurnId, Injection>,
    compacted: Option<&Compacted>,
) -> Vec<Message> {
    let from = compacted.map_or(0, |compacted| compacted.from);
    let thinking_from = compacted.map_or(0, |compacted| compacted.thinking_from);
    let sent = turns.iter().filter(|turn| turn.id.index >= from);
    let mut messages: Vec<Message> = sent
        .flat_map(|turn| {
            let mut messages = messages_of(turn, injections.get(&turn.id));
            if turn.id.index < thinking_from {
                let contents = messages.iter_mut().map(|message| &mut message.content);
                contents.for_each(|content| content.retain(|block| !is_thinking(block)));
            }
            messages
        })
        .collect();
    if let Some(compacted) = compacted {
        stand_in(&mut messages, compacted);
    }
    messages
}

/// Puts before these messages what stands in the place of those that are left out.
fn stand_in(messages: &mut Vec<Message>, compacted: &Compacted) {
    if let Some(first) = messages.first_mut().filter(|_| !compacted.text.is_empty()) {
        let text = json!({"type": "text", "text": compacted.text});
        first.content.insert(0, text);
    }
    if !compacted.block.is_empty() {
        messages.insert(
            0,
            Message {
                role: MessageRole::Assistant,
                content: compacted.block.clone(),
            },
        );
    }
}

/// The same messages with a text in the place of the API's own summary, and without thinking.
pub fn without_block(mut messages: Vec<Message>, compacted: &Compacted) -> Vec<Message> {
    messages.remove(0);
    for message in &mut messages {
        message.content.retain(|block| !is_thinking(block));
    }
    stand_in(&mut messages, compacted);
    messages
}

/// Whether a reply holds a summary that the API made at its own threshold. It counts by where it stands, and stands beside no other.
pub fn holds_threshold_summary(turn: &Turn) -> bool {
    let mut blocks = turn.content.iter();
    blocks.any(|block| block["type"] == "compaction" && !block["content"].is_null())
}

fn is_thinking(block: &Value) -> bool {
    block["type"] == "thinking" || block["type"] == "redacted_thinking"
}
