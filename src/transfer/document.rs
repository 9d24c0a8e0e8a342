//! Documents that are read as a whole: which product they are from.

use super::intake::not_understood;
use super::{Entry, SourceFormat, list, mem0};
use crate::error::Result;

/// Adds what the document holds to `entries`; says what it is.
pub(super) fn read(bytes: &[u8], entries: &mut Vec<Entry>) -> Result<SourceFormat> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(not_understood("it is not text"));
    };
    let text = text.trim_start_matches('\u{feff}');
    if text.contains('\0') {
        return Err(not_understood("it is not text"));
    }
    // A text in square brackets may be JSON or a line that begins with a date.
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) if value.is_object() || value.is_array() => {
            mem0::read(value, entries)?;
            return Ok(SourceFormat::Mem0);
        }
        _ if text.trim_start().starts_with('{') || text.trim_start().starts_with("[{") => {
            return Err(not_understood("it is JSON of an unknown or broken form"));
        }
        _ => {}
    }
    let format = list::read(text, entries);
    match entries.is_empty() {
        true => Err(not_understood("there is nothing in it")),
        false => Ok(format),
    }
}
