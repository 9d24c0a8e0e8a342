//! A call of one of this library's own tools, read from its input.
//!
//! Strict mode makes the API keep to the schemas. What a host's own loop passes on has seen no API, and a session may be
//! answered by a model that knows no strict mode; so everything is checked again.

use super::toolset::READ_ARTIFACT;
use crate::model::{ArtifactId, FactId, FactType};
use serde_json::Value;

/// How many memories the recall tool gives unless asked for another number, and at most.
const RECALLED: u64 = 8;
const MAX_RECALLED: u64 = 20;
/// No sentence that anyone wants kept is longer; what is remembered stands in prompts for a long time.
const MAX_STATEMENT_CHARS: usize = 500;
/// A subject and an attribute are a few words.
const MAX_LABEL_CHARS: usize = 100;

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum BuiltIn {
    /// Claude's memory tool; `files` reads its input.
    Files,
    MarkStale {
        fact: FactId,
        reason: String,
    },
    Recall {
        query: String,
        limit: usize,
    },
    Remember(Note),
    /// Characters of an artifact.
    ReadArtifact {
        id: ArtifactId,
        from: u64,
        length: u64,
    },
}

/// A fact as Claude notes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub fact_type: FactType,
    pub subject: String,
    pub attribute: String,
    pub statement: String,
    /// Words of the conversation that it is said to rest on.
    pub quote: Option<String>,
}

impl BuiltIn {
    /// `None` for a name that is not one of ours.
    ///
    /// # Errors
    /// Inside: what Claude is told of an input that does not fit.
    pub fn read(name: &str, input: &Value) -> Option<Result<BuiltIn, String>> {
        Some(match name {
            "memory" => Ok(BuiltIn::Files),
            "mark_fact_stale" => mark_stale(input),
            "recall" => recall(input),
            "remember" => remember(input),
            READ_ARTIFACT => read_artifact(input),
            _ => return None,
        })
    }
}

fn mark_stale(input: &Value) -> Result<BuiltIn, String> {
    let id = text(input, "fact_id", MAX_LABEL_CHARS)?;
    // As the line of a block has it, which a model may copy whole.
    let id = id.trim_start_matches("fact").trim_start_matches([':', ' ']);
    Ok(BuiltIn::MarkStale {
        fact: id
            .parse()
            .map_err(|_| "There is no fact with this id.".to_string())?,
        reason: text(input, "reason", MAX_STATEMENT_CHARS)?,
    })
}

fn read_artifact(input: &Value) -> Result<BuiltIn, String> {
    let id = text(input, "id", MAX_LABEL_CHARS)?;
    // As the reference has it, which a model may copy whole.
    let id = id.trim_start_matches("artifact").trim();
    let number = |name: &str| {
        let number = input[name].as_u64();
        number.ok_or(format!("`{name}` must be a whole number of at least 0."))
    };
    Ok(BuiltIn::ReadArtifact {
        id: id
            .parse()
            .map_err(|_| "There is no artifact with this id.".to_string())?,
        from: number("from")?,
        length: number("length")?,
    })
}

fn recall(input: &Value) -> Result<BuiltIn, String> {
    let limit = match &input["limit"] {
        Value::Null => RECALLED,
        limit => limit
            .as_u64()
            .ok_or("`limit` must be a whole number of at least 1.")?,
    };
    Ok(BuiltIn::Recall {
        query: text(input, "query", MAX_STATEMENT_CHARS)?,
        limit: limit.clamp(1, MAX_RECALLED) as usize,
    })
}

fn remember(input: &Value) -> Result<BuiltIn, String> {
    // Strict mode does not promise the case of an enum's values.
    let name = text(input, "type", MAX_LABEL_CHARS)?.to_lowercase();
    let known = FactType::ALL.into_iter().find(|kind| kind.name() == name);
    let quote = match &input["quote"] {
        Value::Null => None,
        Value::String(quote) if quote.trim().is_empty() => None,
        Value::String(quote) => Some(quote.clone()),
        _ => return Err("`quote` must be text or null.".into()),
    };
    Ok(BuiltIn::Remember(Note {
        fact_type: known.ok_or_else(|| {
            let names = FactType::ALL.map(FactType::name).join(", ");
            format!("`type` must be one of {names}.")
        })?,
        subject: text(input, "subject", MAX_LABEL_CHARS)?,
        attribute: text(input, "attribute", MAX_LABEL_CHARS)?,
        statement: text(input, "statement", MAX_STATEMENT_CHARS)?,
        quote,
    }))
}

/// A field's words, without white space around them.
fn text(input: &Value, name: &str, max_chars: usize) -> Result<String, String> {
    let given = input[name].as_str().map(str::trim).unwrap_or_default();
    if given.is_empty() {
        return Err(format!("`{name}` is missing: it must be text."));
    }
    if given.chars().count() > max_chars {
        return Err(format!(
            "`{name}` is too long: at most {max_chars} characters."
        ));
    }
    Ok(given.into())
}
