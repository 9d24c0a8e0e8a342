//! Recognising what a person brings.

use super::folder::MAX_ZIP_BYTES;
use super::{Opener, Reader, Reason, SEALED_FORMAT, Seal, Statement, document, folder, sealed};
use crate::error::{Error, Result};
use crate::files::MemoryPath;
use crate::model::Record;

/// A list of memories is read as a whole, up to this size; real ones have some kilobytes.
pub const MAX_DOCUMENT_BYTES: usize = 16 << 20;
/// An export says what it is within this many bytes.
const MAX_FIRST_LINE_BYTES: usize = 64 << 10;

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
    /// The folder of Claude's memory tool, as a zip file.
    Folder,
}

impl SourceFormat {
    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            SourceFormat::Export => "onhand",
            SourceFormat::ChatGpt => "chatgpt",
            SourceFormat::Claude => "claude",
            SourceFormat::Mem0 => "mem0",
            SourceFormat::Folder => "memories",
        }
    }
}

/// A piece of what was brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// From 1; of a list in JSON and of a zip file, the position of the entry.
    pub line: u64,
    /// Of an entry of a zip file, its name there.
    pub path: Option<String>,
    pub content: std::result::Result<Content, Reason>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Record(Box<Record>),
    /// A sentence that another product remembered.
    Statement(Statement),
    /// A memory file of a folder.
    File {
        path: MemoryPath,
        text: String,
    },
}

/// Takes bytes as they arrive and gives the entries in them.
#[derive(Default)]
pub struct Intake {
    state: State,
    /// For an export that is sealed.
    passphrase: Option<String>,
}

enum State {
    /// Too little to tell.
    Undecided(Vec<u8>),
    Export(Box<Reader>),
    /// The same, sealed.
    Sealed(Opener, Box<Reader>),
    /// To be read as a whole, at the end.
    Document(Vec<u8>),
    /// Likewise: the list of files is at its end.
    Folder(Vec<u8>),
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

    /// With the passphrase of a sealed export. Others are read as without it.
    pub fn with_passphrase(self, passphrase: Option<String>) -> Intake {
        Intake { passphrase, ..self }
    }

    /// Takes the next bytes, wherever they are cut, and adds what they hold to `entries`.
    ///
    /// # Errors
    /// `InvalidInput` for what is not understood, `NewerFormat`; of a sealed export `PassphraseNeeded`, `WrongKey`,
    /// `DamagedFile`.
    pub fn push(&mut self, bytes: &[u8], entries: &mut Vec<Entry>) -> Result<()> {
        match &mut self.state {
            State::Undecided(held) => {
                held.extend_from_slice(bytes);
                if held.contains(&b'\n') || held.len() > MAX_FIRST_LINE_BYTES {
                    self.decide(entries)?;
                }
            }
            State::Export(reader) => reader.push(bytes, entries)?,
            State::Sealed(opener, reader) => {
                let mut plain = Vec::new();
                opener.push(bytes, &mut plain)?;
                reader.push(&plain, entries)?;
            }
            State::Document(held) => {
                held.extend_from_slice(bytes);
                if held.len() > MAX_DOCUMENT_BYTES {
                    return Err(not_understood("a list of memories is not that long"));
                }
            }
            State::Folder(held) => {
                held.extend_from_slice(bytes);
                if held.len() > MAX_ZIP_BYTES {
                    return Err(not_understood("a folder of memory files is not that large"));
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
            State::Sealed(opener, reader) => {
                opener.finish()?;
                let seal = reader.finish(entries)?;
                Ok((SourceFormat::Export, Some(seal)))
            }
            State::Document(bytes) => {
                let format = document::read(bytes, entries)?;
                Ok((format, None))
            }
            State::Folder(bytes) => {
                folder::read(bytes, entries)?;
                Ok((SourceFormat::Folder, None))
            }
        }
    }

    fn decide(&mut self, entries: &mut Vec<Entry>) -> Result<()> {
        let State::Undecided(held) = &mut self.state else {
            return Ok(());
        };
        let held = std::mem::take(held);
        if folder::is_zip(&held) {
            self.state = State::Folder(Vec::new());
            return self.push(&held, entries);
        }
        let mut lines = held.splitn(2, |&byte| byte == b'\n');
        let (line, rest) = (lines.next().unwrap_or_default(), lines.next());
        self.state = match format_of(line).as_deref() {
            Some(super::FORMAT) => State::Export(Box::default()),
            Some(SEALED_FORMAT) => {
                let rest = rest.ok_or_else(sealed::cut)?;
                let opener = Opener::new(line, self.passphrase.take().as_deref())?;
                self.state = State::Sealed(opener, Box::default());
                return self.push(rest, entries);
            }
            _ => State::Document(Vec::new()),
        };
        self.push(&held, entries)
    }
}

/// What a first line says that the file is.
fn format_of(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let value: serde_json::Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    Some(value.get("format")?.as_str()?.into())
}

pub(super) fn not_understood(reason: &str) -> Error {
    Error::InvalidInput {
        field: "import",
        reason: reason.into(),
    }
}
