//! Why an embedding table was refused.

use std::fmt;

/// Why the bytes of an embedding table were refused. In every case the remedy is the file that belongs to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableError {
    /// The file does not begin with the format's mark: it is another file, or a newer format.
    Magic,
    /// The file is not as long as its header says, both in bytes: a download was cut off, or two files were joined.
    Length { expected: u64, found: u64 },
    /// The checksum at the end does not fit the bytes before it.
    Checksum { expected: u32, found: u32 },
    /// A number in the header is outside what the format allows; the text names it.
    Header(&'static str),
    /// The vocabulary cannot be used; the text says why.
    Vocabulary(&'static str),
    /// The scale of this row is not a finite number of zero or more.
    Scale { row: usize },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str(
                "not an embedding table of format 1; use the table that ships with this version",
            ),
            Self::Length { expected, found } => {
                write!(
                    f,
                    "the embedding table has {found} bytes instead of {expected}; fetch it again"
                )
            }
            Self::Checksum { expected, found } => {
                write!(
                    f,
                    "the embedding table is damaged (checksum {found:08x} instead of {expected:08x}); fetch it again"
                )
            }
            Self::Header(what) => write!(f, "the embedding table's header is not valid: {what}"),
            Self::Vocabulary(what) => {
                write!(f, "the embedding table's vocabulary is not valid: {what}")
            }
            Self::Scale { row } => {
                write!(f, "the embedding table's scale of row {row} is not valid")
            }
        }
    }
}

impl std::error::Error for TableError {}
