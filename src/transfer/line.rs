//! One line of an export: `docs/format-export.md` in code.

use super::Reason;
use crate::model::{Kind, Record};
use crate::store::format;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the first line calls the format.
pub const FORMAT: &str = "onhand-export";
/// The version of the format that is written, and the newest that is read.
pub const VERSION: u64 = 1;

/// Numbers of records by the name of their kind.
pub type Counts = BTreeMap<String, u64>;

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub format: String,
    pub version: u64,
    pub written: Timestamp,
    /// The program that wrote the file, for people.
    #[serde(default)]
    pub by: String,
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub project: String,
    /// Records there were when the export began.
    #[serde(default)]
    pub counts: Counts,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The format's name again, which no other line has in this place.
    pub end: String,
    /// Lines of records that were written.
    pub counts: Counts,
    /// Records that could not be read and so are not in the file, as `kind:name`.
    #[serde(default)]
    pub unreadable: Vec<String>,
    /// SHA-256 of all bytes before this line, in hexadecimal digits.
    pub sha256: String,
}

/// A line of the export, without its line feed.
pub(super) fn written(record: &Record) -> String {
    let mut value = serde_json::to_value(record).expect("records are plain data");
    // In the store a turn's blocks are text, for JavaScript's sake. In a file they are what they are.
    if let Record::Turn(turn) = record {
        value["content"] = Value::Array(turn.content.clone());
    }
    json!({"kind": record.kind().name(), "record": value}).to_string()
}

/// The record of a line.
pub(super) fn read(mut line: Map<String, Value>) -> Result<Record, Reason> {
    let kind = line.get("kind").and_then(Value::as_str);
    let kind = kind.ok_or(Reason::WrongShape)?;
    let kind = Kind::from_name(kind).ok_or(Reason::UnknownKind)?;
    if !super::travels(kind) {
        return Err(Reason::UnknownKind);
    }
    let mut value = line.remove("record").ok_or(Reason::WrongShape)?;
    let v = value.get("v").and_then(Value::as_u64);
    let v = v.ok_or(Reason::WrongShape)?;
    if kind == Kind::Turn
        && let Some(content) = value.get_mut("content")
        && content.is_array()
    {
        *content = Value::String(content.to_string());
    }
    format::read_unnamed(kind, v, &value).map_err(|unreadable| match unreadable {
        format::Unreadable::UnknownVersion(_) => Reason::UnknownVersion,
        _ => Reason::WrongShape,
    })
}
