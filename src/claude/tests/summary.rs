//! Requests for a summary by the API.

use crate::{
    claude::{context::ContextEdits, message::*, request::*},
    golden::assert_golden,
};
use serde_json::{Value, json};

fn request<'a>(context: &'a ContextEdits, history: &'a [Message]) -> ChatRequest<'a> {
    ChatRequest {
        model: "claude-haiku-5-5",
        max_tokens: 1_024,
        tools: &[],
        drops_thinking: false,
        context,
        system: "S",
        snapshot: "",
        history,
        newest: &[],
    }
}

#[test]
fn a_summary_is_asked_for_with_the_same_prefix_and_nothing_that_the_api_refuses_with_it() {
    let block = json!({"type": "compaction", "content": "C", "signature": "s"});
    let summary = Message {
        role: MessageRole::Assistant,
        content: vec![block],
    };
    let answer = Message {
        role: MessageRole::Assistant,
        content: vec![json!({"type": "text", "text": "Hello"})],
    };
    let history = [summary, user_message(None, "Hi"), answer];
    let edits = ContextEdits {
        keep_thinking: Some(1),
        compact_at: Some(60_000),
        ..ContextEdits::default()
    };
    let request = request(&edits, &history);
    let body: Value = serde_json::from_str(&request.summary_body()).unwrap();
    let pretty = serde_json::to_string_pretty(&body).unwrap() + "\n";
    assert_golden("summary.json", &pretty);
    let beta = ("anthropic-beta".to_string(), "compact-2026-09-04".into());
    assert_eq!(request.summary_headers().pop(), Some(beta));
    let roomy = ChatRequest {
        max_tokens: 9_000,
        ..request
    };
    let body: Value = serde_json::from_str(&roomy.summary_body()).unwrap();
    assert_eq!(body["max_tokens"], 9_000);
}
