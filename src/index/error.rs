//! Why a vector or saved bytes are refused.

use std::fmt;

use super::DIMENSIONS;

/// Why a vector was refused; the index is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexError {
    WrongDimensions {
        expected: usize,
        found: usize,
    },
    /// NaN, infinite or without length; for metrics in which the length counts also one that no f32 holds.
    NotADirection,
    DuplicateId(u32),
    /// The index was set up for vectors outside [`DIMENSIONS`].
    UnsupportedDimensions(usize),
    /// The index holds as many rows as it can number; compact it.
    Full,
}

impl IndexError {
    /// A stable name, the same in Rust, in the package and in the documents.
    pub fn code(&self) -> &'static str {
        match self {
            IndexError::WrongDimensions { .. } => "wrong_dimensions",
            IndexError::NotADirection => "not_a_direction",
            IndexError::DuplicateId(_) => "duplicate_id",
            IndexError::UnsupportedDimensions(_) => "unsupported_dimensions",
            IndexError::Full => "full",
        }
    }
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndexError::WrongDimensions { expected, found } => write!(
                f,
                "The vector has {found} components, the index {expected}. Use the model that the index was made with."
            ),
            IndexError::NotADirection => write!(
                f,
                "The vector is zero or holds NaN or infinity, so it has no direction."
            ),
            IndexError::DuplicateId(id) => {
                write!(f, "The id {id} is in use. Remove it first to replace it.")
            }
            IndexError::UnsupportedDimensions(found) => write!(
                f,
                "An index of {found} dimensions is not possible: use {} to {}.",
                DIMENSIONS.start(),
                DIMENSIONS.end()
            ),
            IndexError::Full => write!(f, "The index is full. Compact it or start another."),
        }
    }
}

impl std::error::Error for IndexError {}

/// Why bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes do not start as an index does, or there is no head among the parts.
    NotAnIndex,
    /// Written by a version that this one does not know.
    UnsupportedVersion(u16),
    /// The head contradicts its checksum or itself.
    CorruptHead,
    /// Cut off, or something follows; in bytes.
    WrongLength { expected: u64, found: u64 },
    /// A part of the rows is missing, contradicts its checksum, holds what is no direction, or names an id twice.
    CorruptRows,
    /// A graph to be adopted is damaged or belongs to other rows.
    CorruptGraph,
}

impl LoadError {
    /// A stable name, the same in Rust, in the package and in the documents.
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::NotAnIndex => "not_an_index",
            LoadError::UnsupportedVersion(_) => "unsupported_version",
            LoadError::CorruptHead => "corrupt_head",
            LoadError::WrongLength { .. } => "wrong_length",
            LoadError::CorruptRows => "corrupt_rows",
            LoadError::CorruptGraph => "corrupt_graph",
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::NotAnIndex => write!(f, "These bytes are not a saved index."),
            LoadError::UnsupportedVersion(version) => write!(
                f,
                "The index has format {version}, which this version does not read. Update, or build it again from its vectors."
            ),
            LoadError::CorruptHead | LoadError::CorruptRows => write!(
                f,
                "The saved index is damaged ({}). Build it again from its vectors.",
                self.code()
            ),
            LoadError::WrongLength { expected, found } => write!(
                f,
                "The saved index has {found} bytes instead of {expected}. Build it again from its vectors."
            ),
            LoadError::CorruptGraph => write!(
                f,
                "The graph is damaged or was built from other rows. Build it again."
            ),
        }
    }
}

impl std::error::Error for LoadError {}
