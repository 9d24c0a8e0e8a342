//! Memory files: what Claude writes down for itself, under `/memories`.

use super::Kind;
use crate::error::{Error, Result};
use crate::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// The name under which a file is stored: the first 16 bytes of the SHA-256 of its path, as 32 hexadecimal digits.
///
/// It follows from the path, so that two tabs that create the same file meet in a `Conflict`. It does not show the path:
/// names stay readable where records are encrypted. Whoever guesses a path can see whether they were right, and no more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u128);

impl FileId {
    /// The id of the file at a normalised path.
    pub fn of(path: &str) -> FileId {
        let hash = Sha256::digest(path.as_bytes());
        let bytes = hash.iter().take(16);
        FileId(bytes.fold(0, |bits, byte| bits << 8 | u128::from(*byte)))
    }

    /// An id by its number, for whoever needs ids in a known order.
    #[cfg(any(test, feature = "conformance"))]
    pub fn numbered(number: u32) -> FileId {
        FileId(u128::from(number))
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileId({self})")
    }
}
impl FromStr for FileId {
    type Err = Error;
    fn from_str(text: &str) -> Result<FileId> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let number = (text.len() == 32 && text.bytes().all(is_digit))
            .then(|| u128::from_str_radix(text, 16).ok())
            .flatten();
        number.map(FileId).ok_or_else(|| Error::InvalidInput {
            field: Kind::File.name(),
            reason: "expected 32 hexadecimal digits".into(),
        })
    }
}
impl Serialize for FileId {
    fn serialize<S: Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for FileId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> std::result::Result<FileId, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A text that Claude keeps through the memory tool, or that the person put there.
///
/// Directories are not stored: they are there as long as a file below them is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Version of this record's shape.
    pub v: u8,
    /// [`FileId::of`] the path.
    pub id: FileId,
    /// Begins with `/memories/`; normalised, see `files::path`.
    pub path: String,
    pub text: String,
    pub created: Timestamp,
    /// When the text was last written; a new path leaves it as it is.
    pub modified: Timestamp,
}

impl File {
    pub const VERSION: u8 = 1;

    /// A file that is written for the first time.
    pub fn new(path: &str, text: &str, now: Timestamp) -> File {
        File {
            v: File::VERSION,
            id: FileId::of(path),
            path: path.into(),
            text: text.into(),
            created: now,
            modified: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_start_of_the_hash_of_the_path() {
        // printf /memories/notes.md | sha256sum
        let id = FileId::of("/memories/notes.md");
        assert_eq!(id.to_string(), "4d190c8a416c3c471e821b6afee3d9ca");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn nothing_else_is_an_id() {
        let id = FileId::of("/memories/a").to_string();
        for text in [
            "",
            &id[1..],
            &id.to_uppercase(),
            &format!("{id}0"),
            "+".repeat(32).as_str(),
        ] {
            assert!(text.parse::<FileId>().is_err(), "{text}");
        }
    }
}
