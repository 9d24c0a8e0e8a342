//! What became of an import.

use super::SourceFormat;
use crate::model::{Kind, Record};
use std::collections::BTreeMap;

/// Conflicts and refused lines that are listed one by one; the numbers count all.
pub const MAX_LISTED: usize = 1_000;

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What it was recognised as; `None` before that.
    pub format: Option<SourceFormat>,
    /// Whether this only says what would happen.
    pub dry_run: bool,
    /// New records by kind.
    pub added: BTreeMap<Kind, u64>,
    /// Records that are here already, equal.
    pub skipped: u64,
    /// The first [`MAX_LISTED`] records that are here already and differ. They were left as they are.
    pub conflicts: Vec<Conflict>,
    pub n_conflicts: u64,
    /// The first [`MAX_LISTED`] lines that could not be used.
    pub refused: Vec<Refused>,
    pub n_refused: u64,
    /// Whether the file was whole; `None` for formats that do not say.
    pub seal: Option<Seal>,
}

impl Report {
    pub fn n_added(&self) -> u64 {
        self.added.values().sum()
    }

    pub fn conflict(&mut self, line: u64, record: &Record) {
        self.n_conflicts += 1;
        if self.conflicts.len() < MAX_LISTED {
            self.conflicts.push(Conflict {
                line,
                record: format!("{}:{}", record.kind().name(), record.name()),
                path: path_of(record),
            });
        }
    }

    pub fn refuse(&mut self, line: u64, reason: Reason, path: Option<String>) {
        self.n_refused += 1;
        if self.refused.len() < MAX_LISTED {
            self.refused.push(Refused { line, reason, path });
        }
    }
}

/// A record that is here with another content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// From 1.
    pub line: u64,
    /// `kind:name`.
    pub record: String,
    /// Of a memory file.
    pub path: Option<String>,
}

/// A line that could not be used. It names no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// From 1; of a list in JSON and of a zip file, the position of the entry.
    pub line: u64,
    pub reason: Reason,
    /// Of a memory file.
    pub path: Option<String>,
}

/// The name that people know a record by, if it has one.
pub fn path_of(record: &Record) -> Option<String> {
    match record {
        Record::File(file) => Some(file.path.clone()),
        _ => None,
    }
}

/// Whether a file is what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// The hash of its last line is that of the others.
    Whole,
    /// There is no last line: the file was cut.
    Cut,
    /// The hash is another one: the file was edited or damaged.
    Altered,
}

impl Seal {
    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            Seal::Whole => "whole",
            Seal::Cut => "cut",
            Seal::Altered => "altered",
        }
    }
}

/// Why a line was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Not UTF-8.
    NotText,
    /// Not one JSON object.
    NotJson,
    /// Longer than is read.
    TooLong,
    /// The fields are not those of its kind and version.
    WrongShape,
    /// No kind of record that an export holds.
    UnknownKind,
    /// A version of the record that is not known here.
    UnknownVersion,
    /// It comes after the line that ends the file.
    AfterEnd,
    /// There are no words in it.
    Empty,
    /// It was erased here.
    Erased,
    /// It belongs to a session that is neither here nor in the file.
    NoSession,
    /// The turn that it rests on does not hold the words that it quotes.
    NoEvidence,
    /// A memory file whose path or size is not allowed, or that is in the way of another.
    BadFile,
    /// A link of a file system, and no file.
    Link,
    /// Encrypted, or compressed in a way that is not read here.
    Unsupported,
    /// What is in it is not what the zip file says of it.
    Damaged,
}

impl Reason {
    pub const ALL: [Reason; 15] = [
        Reason::NotText,
        Reason::NotJson,
        Reason::TooLong,
        Reason::WrongShape,
        Reason::UnknownKind,
        Reason::UnknownVersion,
        Reason::AfterEnd,
        Reason::Empty,
        Reason::Erased,
        Reason::NoSession,
        Reason::NoEvidence,
        Reason::BadFile,
        Reason::Link,
        Reason::Unsupported,
        Reason::Damaged,
    ];

    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            Reason::NotText => "not_text",
            Reason::NotJson => "not_json",
            Reason::TooLong => "too_long",
            Reason::WrongShape => "wrong_shape",
            Reason::UnknownKind => "unknown_kind",
            Reason::UnknownVersion => "unknown_version",
            Reason::AfterEnd => "after_end",
            Reason::Empty => "empty",
            Reason::Erased => "erased",
            Reason::NoSession => "no_session",
            Reason::NoEvidence => "no_evidence",
            Reason::BadFile => "bad_file",
            Reason::Link => "link",
            Reason::Unsupported => "unsupported",
            Reason::Damaged => "damaged",
        }
    }
}
