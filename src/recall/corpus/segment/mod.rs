//! What recall needs of some records, as bytes: a corpus that is put together from segments need not read, cut and count any text
//! again (`docs/format.md`, "Segments").
//!
//! A segment is never changed. What happens to its records later is in a newer one, which names the records of which older
//! segments do not count any more. Nothing in it is the only copy of anything.
//!
//! | file | idea |
//! |---|---|
//! | `write`, `read` | from a corpus to a segment, and from segments to a corpus |
//! | `fact` | a fact with what recall keeps of it |
//! | `bytes` | numbers and texts |
//! | `../../postings/segment` | the words |

mod bytes;
mod fact;
mod maker;
mod read;
mod write;

use crate::model::{Fact, FactId, SessionId, TurnId};
use std::collections::BTreeMap;
use std::fmt;

pub(in crate::recall) use bytes::{Reader, Writer};
pub use maker::SEGMENT_MAKER;
pub use read::{Restored, Restoring};

/// The beginning of every segment.
const MAGIC: [u8; 4] = *b"onsg";
/// Of the bytes. How texts are cut, folded and counted shows in [`SEGMENT_MAKER`].
const VERSION: u8 = 1;

/// What a segment can hold something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SegmentKey {
    Session(SessionId),
    Turn(TurnId),
    Fact(FactId),
}

/// What a segment is to hold.
#[derive(Default)]
pub struct Draft<'a> {
    /// Of these nothing counts that is in older segments.
    pub replaced: Vec<SegmentKey>,
    /// Sessions with a record of their own, and whether they have ended.
    pub sessions: BTreeMap<SessionId, bool>,
    /// When each was said, in milliseconds since 1970. Of those without words to recall this is all there is.
    pub turns: BTreeMap<TurnId, i64>,
    pub facts: Vec<&'a Fact>,
}

/// Why bytes are no segment, or do not fit the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentError {
    /// Something else, or cut off at the front.
    NotASegment,
    /// No version of this program up to now has written it.
    UnknownVersion(u8),
    /// Its checksum or its content is wrong.
    Damaged,
    /// Its vectors are of another length than those of the corpus.
    WrongDimensions,
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SegmentError::NotASegment => write!(f, "it is no segment"),
            SegmentError::UnknownVersion(v) => write!(f, "its version {v} is not known here"),
            SegmentError::Damaged => write!(f, "it is damaged"),
            SegmentError::WrongDimensions => write!(f, "its vectors are of another embedder"),
        }
    }
}
impl std::error::Error for SegmentError {}

/// Marks in a turn's first byte; the three bits above them are its form.
mod turn_mark {
    pub const HAS_WORDS: u8 = 1;
    pub const ASKS: u8 = 1 << 1;
    pub const HAS_NAME: u8 = 1 << 2;
    /// Its one piece is the whole text.
    pub const IS_WHOLE: u8 = 1 << 3;
    pub const BY_ASSISTANT: u8 = 1 << 4;
    pub const FORM_SHIFT: u8 = 5;
}

/// Marks of a session.
mod session_mark {
    /// It has a record; otherwise it is only named by its turns.
    pub const IS_STORED: u8 = 1;
    pub const HAS_ENDED: u8 = 1 << 1;
}

/// The two kinds of key that are an id alone, and the one with a number behind it.
mod key_mark {
    pub const SESSION: u8 = 0;
    pub const TURN: u8 = 1;
    pub const FACT: u8 = 2;
}
