//! mem0's JSON: a list of memories, or an object that holds one in `results` or `memories`.

use super::intake::not_understood;
use super::{Entry, Reason, Statement, list};
use crate::error::Result;
use serde_json::Value;

/// Adds the memories of a document to `entries`, numbered by their positions from 1.
pub(super) fn read(value: Value, entries: &mut Vec<Entry>) -> Result<()> {
    let memories = match &value {
        Value::Array(memories) => Some(memories),
        Value::Object(object) => ["results", "memories"]
            .iter()
            .find_map(|key| object.get(*key)?.as_array()),
        _ => None,
    };
    let Some(memories) = memories else {
        return Err(not_understood("it is JSON of an unknown or broken form"));
    };
    if memories.is_empty() {
        return Err(not_understood("there is nothing in it"));
    }
    if !memories.iter().any(|memory| text(memory).is_some()) {
        return Err(not_understood("it is JSON of an unknown or broken form"));
    }
    for (line, memory) in (1..).zip(memories) {
        let statement = text(memory).map(|text| {
            let category = memory["categories"][0].as_str();
            let category = category.or(memory["metadata"]["category"].as_str());
            let created = memory["created_at"].as_str();
            let since = created.and_then(|at| at.get(..10)).and_then(list::day);
            Statement::new(text, category, since)
        });
        let refused = |reason| Entry {
            line,
            path: None,
            content: Err(reason),
        };
        match statement {
            Some(Some(statement)) => entries.extend(statement.entries(line)),
            Some(None) => entries.push(refused(Reason::Empty)),
            None => entries.push(refused(Reason::WrongShape)),
        }
    }
    Ok(())
}

/// `memory` in all that mem0 gives out today, `text` in older exports.
fn text(memory: &Value) -> Option<&str> {
    memory["memory"].as_str().or(memory["text"].as_str())
}
