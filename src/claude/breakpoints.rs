//! Where the prompt cache is told to look among the messages.

use super::message::{Message, MessageRole};
use serde_json::Value;

/// How far back from a breakpoint the API looks for an earlier cache entry.
const LOOKBACK_BLOCKS: usize = 20;

/// A block's place: message, and position in it.
pub(super) type Place = (usize, usize);

/// Where the messages' cache breakpoints go: the end of the user's newest message that can carry one, and the
/// place of the request before if it would otherwise be out of reach.
///
/// User messages that follow each other are one to the API, and one request: the results of calls that were not run, and
/// the person's next words. Only the end of the last one was a breakpoint. A system message carries none: what is cached up to it
/// would be gone with it. It is counted among the blocks to look back over, which at worst sets the second breakpoint early.
pub(super) fn message_breakpoints(messages: &[&Message]) -> Vec<Place> {
    let ends_run = |at: usize| {
        let is_user = |at: usize| messages.get(at).map(|next| next.role) == Some(MessageRole::User);
        is_user(at) && !is_user(at + 1)
    };
    let mut ends = messages
        .iter()
        .enumerate()
        .rev()
        .filter(|(at, _)| ends_run(*at))
        .filter_map(|(at, message)| Some((at, message.content.iter().rposition(is_cacheable)?)));
    let Some(newest) = ends.next() else {
        return Vec::new();
    };
    let Some(previous) = ends.next() else {
        return vec![newest];
    };
    let before: usize = messages[previous.0..newest.0]
        .iter()
        .map(|message| message.content.len())
        .sum();
    let n_added = before - (previous.1 + 1) + newest.1 + 1;
    if n_added >= LOOKBACK_BLOCKS {
        vec![previous, newest]
    } else {
        vec![newest]
    }
}

/// Whether the API accepts a breakpoint on this block.
fn is_cacheable(block: &Value) -> bool {
    match block["type"].as_str() {
        Some("text") => block["text"].as_str().is_some_and(|text| !text.is_empty()),
        Some(
            "image" | "document" | "search_result" | "tool_use" | "tool_result" | "compaction",
        ) => true,
        _ => false,
    }
}
