//! Questions with known answers, one JSON object per line:
//! `{"query", "evidence": ["turn:ID" | "fact:ID"...], "category"?, "now"?}`.
//!
//! A line that can not be used is reported with its number, and hides no other.

use super::{Corpus, is_known};
use crate::model::RecordRef;
use crate::time::Timestamp;
use serde_json::Value;

/// The category of a question that names none.
const OTHER: &str = "other";

/// A question to put to a memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub query: String,
    /// What answers it; empty if nothing does.
    pub evidence: Vec<RecordRef>,
    pub category: String,
    /// When it is asked; `None` for the present.
    pub now: Option<Timestamp>,
}

/// A line that is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1, empty lines included.
    pub line: usize,
    pub fault: Fault,
}

/// Why a line is not asked. It names places and ids, never what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not a JSON object.
    NotJson,
    /// This field is missing or of another type.
    WrongField(&'static str),
    /// The evidence is not in this memory, or is there no longer.
    UnknownRecord(RecordRef),
}

impl Fault {
    /// A stable name, the same in Rust and in the package.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::NotJson => "not_json",
            Fault::WrongField(_) => "wrong_field",
            Fault::UnknownRecord(_) => "unknown_record",
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::NotJson => write!(f, "expected a JSON object"),
            Fault::WrongField("query") => write!(f, "`query` must be a text that is not empty"),
            Fault::WrongField("evidence") => {
                write!(f, "`evidence` must be a list of `turn:ID` and `fact:ID`")
            }
            Fault::WrongField("now") => write!(f, "`now` must be milliseconds since 1970"),
            Fault::WrongField(field) => write!(f, "`{field}` must be a text"),
            Fault::UnknownRecord(record) => write!(f, "{record} is not in this memory"),
        }
    }
}

/// The questions of lines of JSON, each with the number of its line; empty lines are none.
pub fn read(text: &str) -> impl Iterator<Item = (usize, Result<Question, Fault>)> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| (number, question(line)))
}

impl Question {
    /// The question, if all of its evidence can be found at all: one that can not be answered would blur every figure.
    pub fn known_to(self, corpus: &Corpus) -> Result<Question, Fault> {
        let unknown = self.evidence.iter().find(|r| !is_known(corpus, **r));
        match unknown {
            Some(record) => Err(Fault::UnknownRecord(*record)),
            None => Ok(self),
        }
    }
}

fn question(line: &str) -> Result<Question, Fault> {
    let line: Value = serde_json::from_str(line).map_err(|_| Fault::NotJson)?;
    let line = line.as_object().ok_or(Fault::NotJson)?;
    let optional = |field| line.get(field).filter(|value| !value.is_null());
    let query = line.get("query").and_then(Value::as_str);
    let query = query.filter(|query| !query.trim().is_empty());
    let evidence = line.get("evidence").and_then(Value::as_array);
    let evidence = evidence.and_then(|list| {
        let record = |id: &Value| id.as_str()?.parse().ok();
        list.iter().map(record).collect::<Option<Vec<RecordRef>>>()
    });
    let category = optional("category").map(|category| {
        let category = category.as_str().map(str::to_owned);
        category.ok_or(Fault::WrongField("category"))
    });
    let now = optional("now").map(|now| {
        let now = now.as_f64().map(|ms| Timestamp::utc(ms as i64));
        now.ok_or(Fault::WrongField("now"))
    });
    Ok(Question {
        query: query.ok_or(Fault::WrongField("query"))?.to_owned(),
        evidence: evidence.ok_or(Fault::WrongField("evidence"))?,
        category: category.transpose()?.unwrap_or_else(|| OTHER.into()),
        now: now.transpose()?,
    })
}
