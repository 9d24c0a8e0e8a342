//! Taking an export apart, as its bytes arrive.

use super::line::{self, End, FORMAT, Header, VERSION};
use super::writer::hex;
use super::{Content, Entry, Reason, Seal};
use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A longer line is refused, so that a file without line feeds does not fill the memory. The longest turn that Claude
/// answers has some four million characters.
pub const MAX_LINE_BYTES: usize = 32 << 20;

/// Reads an export line by line. A bad line is refused with its number, and the others live.
#[derive(Default)]
pub struct Reader {
    /// The line that has begun.
    line: Vec<u8>,
    is_too_long: bool,
    /// Lines that ended.
    n_lines: u64,
    header: Option<Header>,
    hash: Sha256,
    end: Option<Seal>,
}

impl Reader {
    pub fn new() -> Reader {
        Reader::default()
    }

    /// The first line, once it was read.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Takes the next bytes, wherever they are cut, and adds what they hold to `entries`.
    ///
    /// # Errors
    /// `InvalidInput` if the first line is not an export's, `NewerFormat` if it is a later version's.
    pub fn push(&mut self, bytes: &[u8], entries: &mut Vec<Entry>) -> Result<()> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            self.keep(&rest[..end]);
            self.end_line(true, entries)?;
            rest = &rest[end + 1..];
        }
        self.keep(rest);
        Ok(())
    }

    /// Ends the file; says whether it was whole.
    ///
    /// # Errors
    /// As [`Reader::push`].
    pub fn finish(&mut self, entries: &mut Vec<Entry>) -> Result<Seal> {
        if !self.line.is_empty() || self.is_too_long {
            self.end_line(false, entries)?;
        }
        Ok(self.end.unwrap_or(Seal::Cut))
    }

    fn keep(&mut self, part: &[u8]) {
        if self.is_too_long || self.line.len() + part.len() > MAX_LINE_BYTES {
            self.is_too_long = true;
            // Hashed now: it is not kept. The line is refused, so no end can be in it.
            self.hash.update(&self.line);
            self.hash.update(part);
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(part);
        }
    }

    fn end_line(&mut self, has_feed: bool, entries: &mut Vec<Entry>) -> Result<()> {
        self.n_lines += 1;
        let bytes = std::mem::take(&mut self.line);
        let is_too_long = std::mem::take(&mut self.is_too_long);
        let content = match is_too_long {
            true => Err(Reason::TooLong),
            false => self.content(&bytes)?,
        };
        self.hash.update(&bytes);
        if has_feed {
            self.hash.update(b"\n");
        }
        let line = self.n_lines;
        match content {
            Ok(None) => {}
            Ok(Some(content)) => entries.push(Entry {
                line,
                path: None,
                content: Ok(content),
            }),
            Err(reason) => entries.push(Entry {
                line,
                path: None,
                content: Err(reason),
            }),
        }
        Ok(())
    }

    /// What a line holds; nothing for the first, the last and empty ones.
    fn content(&mut self, bytes: &[u8]) -> Result<std::result::Result<Option<Content>, Reason>> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return self.refuse(Reason::NotText);
        };
        // Editors put a byte order mark before the first line, and carriage returns at the ends of all.
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Ok(Ok(None));
        }
        let Ok(value) = serde_json::from_str::<Map<String, Value>>(text) else {
            return self.refuse(Reason::NotJson);
        };
        if self.header.is_none() {
            self.header = Some(header(value)?);
            return Ok(Ok(None));
        }
        if self.end.is_some() {
            return Ok(Err(Reason::AfterEnd));
        }
        if value.get("end").is_some_and(|end| end == FORMAT) {
            return Ok(match End::deserialize(Value::Object(value)) {
                Ok(end) => {
                    self.end = Some(match end.sha256 == hex(&self.hash.clone().finalize()) {
                        true => Seal::Whole,
                        false => Seal::Altered,
                    });
                    Ok(None)
                }
                Err(_) => Err(Reason::WrongShape),
            });
        }
        Ok(line::read(value).map(|record| Some(Content::Record(Box::new(record)))))
    }

    /// Before the header nothing is known to be an export's.
    fn refuse(&self, reason: Reason) -> Result<std::result::Result<Option<Content>, Reason>> {
        match self.header {
            Some(_) => Ok(Err(reason)),
            None => Err(not_an_export()),
        }
    }
}

fn header(value: Map<String, Value>) -> Result<Header> {
    if value.get("format").is_none_or(|format| format != FORMAT) {
        return Err(not_an_export());
    }
    let version = value.get("version").and_then(Value::as_u64);
    match version {
        None | Some(0) => Err(not_an_export()),
        Some(version) if version > VERSION => Err(Error::NewerFormat {
            version,
            known: VERSION,
        }),
        Some(_) => Header::deserialize(Value::Object(value)).map_err(|_| not_an_export()),
    }
}

fn not_an_export() -> Error {
    Error::InvalidInput {
        field: "import",
        reason: "its first line is not that of an export".into(),
    }
}
