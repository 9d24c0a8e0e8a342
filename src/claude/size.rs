//! How large a prompt is, estimated before it is sent.

use super::message::{Message, read};
use crate::text::tokens::estimate_tokens;
use serde_json::Value;

/// An estimate by the table of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub tokens: u64,
    /// Whether all of it is text. Thinking, images and whatever else is only guessed at: nothing can be learnt of it.
    pub is_text: bool,
}

impl Size {
    pub fn of_text(text: &str) -> Size {
        Size {
            tokens: estimate_tokens(text).into(),
            is_text: true,
        }
    }

    /// Of what Claude reads of a request: texts, and the definitions of tools as they are written.
    pub fn of<'a>(
        texts: &[&str],
        tools: &[Value],
        messages: impl IntoIterator<Item = &'a Message>,
    ) -> Size {
        let texts = texts.iter().map(|text| Size::of_text(text));
        let tools = tools.iter().map(|tool| Size::of_text(&tool.to_string()));
        let blocks = read(messages)
            .into_iter()
            .flat_map(|message| &message.content);
        let parts = texts.chain(tools).chain(blocks.map(of_block));
        sum(parts)
    }
}

fn sum(parts: impl Iterator<Item = Size>) -> Size {
    parts.fold(Size::of_text(""), |sum, part| Size {
        tokens: sum.tokens + part.tokens,
        is_text: sum.is_text && part.is_text,
    })
}

fn of_block(block: &Value) -> Size {
    let text = |field: &str| block[field].as_str();
    match block["type"].as_str() {
        Some("text") => Size::of_text(text("text").unwrap_or_default()),
        Some("compaction") => Size::of_text(text("content").unwrap_or_default()),
        Some("tool_use") => {
            let input = block["input"].to_string();
            Size::of_text(&format!("{}{input}", text("name").unwrap_or_default()))
        }
        Some("tool_result") => match &block["content"] {
            Value::String(text) => Size::of_text(text),
            Value::Array(blocks) => sum(blocks.iter().map(of_block)),
            _ => Size::of_text(""),
        },
        _ => Size {
            tokens: estimate_tokens(&block.to_string()).into(),
            is_text: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude::message::user_message;
    use serde_json::json;

    #[test]
    fn a_prompt_is_as_large_as_its_texts() {
        let message = user_message(Some("abcde"), "fghij");
        let size = Size::of(&["12345"], &[], [&message]);
        assert_eq!((size.tokens, size.is_text), (2 + 2 + 3, true));
    }

    #[test]
    fn what_is_no_text_is_said_to_be_guessed() {
        let mut message = user_message(None, "hello");
        message.content.push(json!({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "hello"}]}));
        message
            .content
            .push(json!({"type": "tool_use", "id": "t", "name": "hello", "input": {}}));
        assert!(Size::of(&[], &[], [&message]).is_text);
        message
            .content
            .push(json!({"type": "thinking", "thinking": "", "signature": "abc"}));
        let size = Size::of(&[], &[], [&message]);
        assert!(!size.is_text && size.tokens > 10);
    }
}
