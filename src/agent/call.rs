//! Calls and their results.

use serde_json::{Value, json};

/// The largest result that goes into a prompt. It stays there for the whole session, and the edge worker takes bodies of
/// 1 MiB: some 40,000 tokens leave room for a conversation around it.
pub const MAX_RESULT_BYTES: usize = 100_000;

/// One call in a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// The API's name of this call, `toolu_...`; its result carries it.
    pub id: String,
    pub name: String,
    pub input: Value,
}

/// What a tool said.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolOutput {
    /// Text, or an array of content blocks.
    pub content: Value,
    pub is_error: bool,
}

impl ToolOutput {
    pub fn text(text: impl Into<String>) -> ToolOutput {
        ToolOutput {
            content: Value::String(text.into()),
            is_error: false,
        }
    }

    /// What went wrong, for Claude to act on.
    pub fn error(text: impl Into<String>) -> ToolOutput {
        ToolOutput {
            is_error: true,
            ..ToolOutput::text(text)
        }
    }

    /// The output, or what to do instead if it is too large for a prompt: a text is cut, blocks can not be.
    pub fn bounded(mut self) -> ToolOutput {
        match &mut self.content {
            Value::String(text) if text.len() > MAX_RESULT_BYTES => {
                let whole = text.len();
                let mut end = MAX_RESULT_BYTES;
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text.truncate(end);
                text.push_str(&format!(
                    "\n[cut here: {whole} bytes are more than fit; ask for a smaller part]"
                ));
                self
            }
            Value::String(_) => self,
            blocks if blocks.to_string().len() > MAX_RESULT_BYTES => ToolOutput::error(format!(
                "The result has more than {MAX_RESULT_BYTES} bytes. Ask for a smaller part."
            )),
            _ => self,
        }
    }
}

/// The calls of a reply that this side has to run, in order.
pub fn calls_of(content: &[Value]) -> Vec<ToolCall> {
    let calls = content.iter().filter(|block| block["type"] == "tool_use");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    calls
        .map(|block| ToolCall {
            id: text(&block["id"]),
            name: text(&block["name"]),
            input: block["input"].clone(),
        })
        .collect()
}

/// The content of the one user message that answers the calls: a result for each, in their order.
pub fn results(answered: &[(ToolCall, ToolOutput)]) -> Vec<Value> {
    let result = |(call, output): &(ToolCall, ToolOutput)| {
        let mut block = json!({
            "type": "tool_result", "tool_use_id": call.id, "content": output.content,
        });
        if output.is_error {
            block["is_error"] = json!(true);
        }
        block
    };
    answered.iter().map(result).collect()
}
