//! Turns: the episodic layer.

use super::TurnId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    User,
    Assistant,
    Tool,
}

/// One message of a conversation, verbatim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Version of this record's shape.
    pub v: u8,
    pub id: TurnId,
    pub role: Role,
    /// The name of the person who spoke, in a chat between several people; `None` in a chat with Claude, where
    /// the role says who it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// The content blocks as they were sent or received, including kinds this version does not know.
    ///
    /// Stored as JSON text: Claude's API checks that a reply comes back unchanged, and a plain
    /// JavaScript object would reorder keys that look like numbers.
    #[serde(with = "json_text")]
    pub content: Vec<Value>,
    pub at: Timestamp,
}

impl Turn {
    pub const VERSION: u8 = 1;

    /// The words of the turn: its text blocks, joined by an empty line.
    ///
    /// Evidence offsets count UTF-16 code units of this text.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter(|block| block["type"] == "text");
        texts
            .filter_map(|block| block["text"].as_str())
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    /// The tools that it calls, by their names, in order. A result names its call by an id only.
    pub fn tools(&self) -> impl Iterator<Item = &str> {
        let calls = self
            .content
            .iter()
            .filter(|block| block["type"] == "tool_use");
        calls.filter_map(|block| block["name"].as_str())
    }
}

pub(super) mod json_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _, ser::Error as _};
    use serde_json::Value;

    pub fn serialize<S: Serializer>(blocks: &[Value], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&serde_json::to_string(blocks).map_err(S::Error::custom)?)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Value>, D::Error> {
        serde_json::from_str(&String::deserialize(d)?).map_err(D::Error::custom)
    }
}
