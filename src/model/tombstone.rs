//! Tombstones: what stays of something erased, so that it stays erased.

use super::Kind;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Says that a record was erased. It holds no content: names, a moment and hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Version of this record's shape.
    pub v: u8,
    /// The kind of the erased record: a fact, a turn, or a session with all that belonged to it.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// When it was erased. What is said later is not meant by it.
    pub at: Timestamp,
    /// Random text that goes into each hash, so that equal facts of two people have other hashes.
    pub salt: String,
    /// Of a fact: hashes of what it said and of the words it rested on (`fact::marks`).
    pub marks: Vec<String>,
}

impl Tombstone {
    pub const VERSION: u8 = 1;

    /// The name of the tombstone of a record.
    pub fn name_of(kind: Kind, name: &str) -> String {
        format!("{}:{name}", kind.name())
    }
}
