//! Recognising what a person brings.

use super::{Reader, Reason, Seal, Statement, document};
use crate::error::{Error, Result};
use crate::model::Record;

/// A list of memories is read as a whole, up to this size; real ones have some kilobytes.
pub const MAX_DOCUMENT_BYTES: usize = 16 << 20;
/// An export says what it is within this many bytes.
const MAX_FIRST_LINE_BYTES: usize = 64 << 10;
const ZIP: &[u8] = b"PK\x03\x04";

/// What was brought, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
    /// An export of this library.
    Export,
    /// The list of ChatGPT's saved memories: one statement a line.
    ChatGpt,
    /// Claude's memory: statements under headings, or behind dates.
    Claude,
    /// mem0's JSON.
    Mem0,
}

impl SourceFormat {
    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            SourceFormat::Export => "onhand",
            SourceFormat::ChatGpt => "chatgpt",
            SourceFormat::Claude => "claude",
            SourceFormat::Mem0 => "mem0",
        }
    }
}

/// A piece of what was brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// From 1; of a list in JSON, the position of the entry.
    pub line: u64,
    pub content: std::result::Result<Content, Reason>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Record(Box<Record>),
    /// A sentence that another product remembered.
    Statement(Statement),
}

/// Takes bytes as they arrive and gives the entries in them.
#[derive(Default)]
pub struct Intake {
    state: State,
}

enum State {
    /// Too little to tell.
    Undecided(Vec<u8>),
    Export(Box<Reader>),
    /// To be read as a whole, at the end.
    Document(Vec<u8>),
}

impl Default for State {
    fn default() -> State {
        State::Undecided(Vec::new())
    }
}

impl Intake {
    pub fn new() -> Intake {
        Intake::default()
    }

    /// Takes the next bytes, wherever they are cut, and adds what they hold to `entries`.
    ///
    /// # Errors
    /// `InvalidInput` for what is not understood, `NewerFormat`.
    pub fn push(&mut self, bytes: &[u8], entries: &mut Vec<Entry>) -> Result<()> {
        match &mut self.state {
            State::Undecided(held) => {
                held.extend_from_slice(bytes);
                if held.contains(&b'\n') || held.len() > MAX_FIRST_LINE_BYTES {
                    self.decide(entries)?;
                }
            }
            State::Export(reader) => reader.push(bytes, entries)?,
            State::Document(held) => {
                held.extend_from_slice(bytes);
                if held.len() > MAX_DOCUMENT_BYTES {
                    return Err(not_understood("a list of memories is not that long"));
                }
            }
        }
        Ok(())
    }

    /// Ends what was brought; says what it was, and whether it was whole if its format tells.
    ///
    /// # Errors
    /// As [`Intake::push`].
    pub fn finish(&mut self, entries: &mut Vec<Entry>) -> Result<(SourceFormat, Option<Seal>)> {
        if let State::Undecided(_) = self.state {
            self.decide(entries)?;
        }
        match &mut self.state {
            State::Undecided(_) => unreachable!("it was decided"),
            State::Export(reader) => {
                let seal = reader.finish(entries)?;
                Ok((SourceFormat::Export, Some(seal)))
            }
            State::Document(bytes) => {
                let format = document::read(bytes, entries)?;
                Ok((format, None))
            }
        }
    }

    fn decide(&mut self, entries: &mut Vec<Entry>) -> Result<()> {
        let State::Undecided(held) = &mut self.state else {
            return Ok(());
        };
        let held = std::mem::take(held);
        if held.starts_with(ZIP) {
            return Err(not_understood("this version does not read zip files"));
        }
        let line = held.split(|&byte| byte == b'\n').next().unwrap_or(&held);
        if is_header(line) {
            let mut reader = Box::new(Reader::new());
            reader.push(&held, entries)?;
            self.state = State::Export(reader);
        } else {
            self.state = State::Document(Vec::new());
            self.push(&held, entries)?;
        }
        Ok(())
    }
}

fn is_header(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    let value: Option<serde_json::Value> =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).ok();
    value.is_some_and(|value| value["format"] == super::FORMAT)
}

pub(super) fn not_understood(reason: &str) -> Error {
    Error::InvalidInput {
        field: "import",
        reason: reason.into(),
    }
}
