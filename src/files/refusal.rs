//! Why a command was not done.

use super::{MAX_FILE_BYTES, MAX_FILES, MAX_NAME_CHARACTERS, MAX_PATH_CHARACTERS, MAX_TREE_BYTES};
use serde_json::Value;
use std::fmt;

/// Why a command was not done. Nothing was changed.
///
/// [`Display`](fmt::Display) is what Claude reads, in the words of the tool's documentation where it has any.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    MissingParameter {
        name: &'static str,
    },
    /// It is not what the command takes there.
    WrongParameter {
        name: &'static str,
        expected: &'static str,
    },
    UnknownCommand {
        command: String,
    },
    /// It is not below `/memories`.
    OutsideRoot {
        path: String,
    },
    /// It leads out of `/memories`, or would for a careless reader.
    Escapes {
        path: String,
    },
    /// It breaks another rule. The path is not repeated: it may hold anything.
    BadPath {
        reason: &'static str,
    },
    PathTooLong,
    NameTooLong,
    NothingToView {
        path: String,
    },
    NothingToEdit {
        path: String,
    },
    NothingToInsertInto {
        path: String,
    },
    NothingToDelete {
        path: String,
    },
    NothingToRename {
        path: String,
    },
    TooManyLines {
        path: String,
    },
    /// Reversed, or not two whole numbers.
    WrongViewRange {
        range: Value,
    },
    Exists {
        path: String,
    },
    /// A part of the path before its end is a file.
    FileInTheWay {
        path: String,
    },
    NoMatch {
        path: String,
        old_str: String,
    },
    ManyMatches {
        old_str: String,
        /// From 1, ascending, each once.
        lines: Vec<usize>,
    },
    WrongInsertLine {
        insert_line: i64,
        n_lines: usize,
    },
    RootNotDeleted,
    RootNotRenamed,
    DestinationExists {
        path: String,
    },
    DestinationInside {
        path: String,
    },
    FileTooLarge,
    TreeFull,
    TooManyFiles,
}

impl Refusal {
    /// The words without the prefix `Error: `, for tool runners that put it there themselves.
    pub fn unprefixed(&self) -> String {
        let text = self.to_string();
        match text.strip_prefix("Error: ") {
            Some(rest) => rest.into(),
            None => text,
        }
    }

    /// Whether the named file or directory is not there.
    pub fn is_missing(&self) -> bool {
        matches!(
            self,
            Refusal::NothingToView { .. }
                | Refusal::NothingToEdit { .. }
                | Refusal::NothingToInsertInto { .. }
                | Refusal::NothingToDelete { .. }
                | Refusal::NothingToRename { .. }
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::MissingParameter { name } => {
                write!(f, "Error: Missing required parameter: {name}")
            }
            Refusal::WrongParameter { name, expected } => {
                write!(f, "Error: Invalid `{name}` parameter: expected {expected}")
            }
            Refusal::UnknownCommand { command } => write!(f, "Error: Unknown command: {command}"),
            Refusal::OutsideRoot { path } => {
                write!(f, "Path must start with /memories, got: {path}")
            }
            Refusal::Escapes { path } => {
                write!(f, "Path {path} would escape /memories directory")
            }
            Refusal::BadPath { reason } => write!(f, "Error: The path is not allowed: {reason}"),
            Refusal::PathTooLong => write!(
                f,
                "Error: The path is longer than {MAX_PATH_CHARACTERS} characters"
            ),
            Refusal::NameTooLong => write!(
                f,
                "Error: A name in the path is longer than {MAX_NAME_CHARACTERS} characters"
            ),
            Refusal::NothingToView { path } => write!(
                f,
                "The path {path} does not exist. Please provide a valid path."
            ),
            Refusal::NothingToEdit { path } => write!(
                f,
                "Error: The path {path} does not exist. Please provide a valid path."
            ),
            Refusal::NothingToInsertInto { path }
            | Refusal::NothingToDelete { path }
            | Refusal::NothingToRename { path } => {
                write!(f, "Error: The path {path} does not exist")
            }
            Refusal::TooManyLines { path } => write!(
                f,
                "File {path} exceeds maximum line limit of 999,999 lines."
            ),
            Refusal::WrongViewRange { range } => write!(
                f,
                "Error: Invalid `view_range` parameter: {range}. \
                 It should be [first, last] with whole numbers from 1; -1 as last means to the end"
            ),
            Refusal::Exists { path } => write!(f, "Error: File {path} already exists"),
            Refusal::FileInTheWay { path } => {
                write!(f, "Error: {path} is a file, not a directory")
            }
            Refusal::NoMatch { path, old_str } => write!(
                f,
                "No replacement was performed, old_str `{old_str}` did not appear verbatim in {path}."
            ),
            Refusal::ManyMatches { old_str, lines } => {
                let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "No replacement was performed. Multiple occurrences of old_str `{old_str}` in lines: {}. \
                     Please ensure it is unique",
                    lines.join(", ")
                )
            }
            Refusal::WrongInsertLine {
                insert_line,
                n_lines,
            } => write!(
                f,
                "Error: Invalid `insert_line` parameter: {insert_line}. \
                 It should be within the range of lines of the file: [0, {n_lines}]"
            ),
            Refusal::RootNotDeleted => write!(f, "Cannot delete the /memories directory itself"),
            Refusal::RootNotRenamed => write!(f, "Cannot rename the /memories directory itself"),
            Refusal::DestinationExists { path } => {
                write!(f, "Error: The destination {path} already exists")
            }
            Refusal::DestinationInside { path } => write!(
                f,
                "Error: The destination {path} is inside the directory to be renamed"
            ),
            Refusal::FileTooLarge => write!(
                f,
                "Error: The file would be larger than {} KiB. Split it, or keep less in it",
                MAX_FILE_BYTES / 1024
            ),
            Refusal::TreeFull => write!(
                f,
                "Error: All files together would be larger than {} MiB. Delete what is no longer needed",
                MAX_TREE_BYTES / 1024 / 1024
            ),
            Refusal::TooManyFiles => write!(
                f,
                "Error: There would be more than {MAX_FILES} files. Delete or join some"
            ),
        }
    }
}
