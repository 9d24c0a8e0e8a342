//! The list of the segments that count (`docs/format.md`, "Segments").

use crate::recall::SegmentKey;
use serde::{Deserialize, Serialize};

/// What the kept index consists of, and what it does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// By what the segments were made: of another maker they are of no use.
    pub maker: String,
    /// Names and numbers of records, the oldest first.
    pub segments: Vec<(String, usize)>,
    /// Records that have to be read by themselves, as `kind:name`.
    pub pending: Vec<String>,
    /// Records that were there and could not be read, likewise.
    pub unreadable: Vec<String>,
    /// Embedders whose vectors were stored and of no use.
    pub foreign: Vec<String>,
}

impl Manifest {
    /// The CRC-32 of the JSON, the low byte first; the JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("plain data has a form as JSON");
        [&crc32fast::hash(&json).to_le_bytes(), &json[..]].concat()
    }

    /// `None` for bytes that are no list, or were one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Manifest> {
        let (checksum, json) = bytes.split_first_chunk()?;
        let is_intact = crc32fast::hash(json) == u32::from_le_bytes(*checksum);
        // By way of a value: whoever reads records from JSON shares that code, which is large.
        let json: serde_json::Value = serde_json::from_slice(json).ok().filter(|_| is_intact)?;
        Manifest::deserialize(&json).ok()
    }
}

pub fn name_of(key: SegmentKey) -> String {
    match key {
        SegmentKey::Session(id) => format!("session:{id}"),
        SegmentKey::Turn(id) => format!("turn:{id}"),
        SegmentKey::Fact(id) => format!("fact:{id}"),
    }
}

/// The key of this [`name_of`].
pub fn key_of(name: &str) -> Option<SegmentKey> {
    let (kind, id) = name.split_once(':')?;
    match kind {
        "session" => id.parse().ok().map(SegmentKey::Session),
        "turn" => id.parse().ok().map(SegmentKey::Turn),
        "fact" => id.parse().ok().map(SegmentKey::Fact),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FactId, SessionId, TurnId};

    #[test]
    fn a_list_is_read_back_and_a_damaged_one_is_not() {
        let manifest = Manifest {
            maker: "1".into(),
            segments: vec![("A".into(), 3)],
            pending: vec!["turn:x".into()],
            unreadable: vec!["fact:y".into()],
            foreign: vec![String::new()],
        };
        let bytes = manifest.to_bytes();
        assert_eq!(Manifest::from_bytes(&bytes), Some(manifest));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert_eq!(Manifest::from_bytes(&damaged), None, "byte {at}");
            assert_eq!(Manifest::from_bytes(&bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn keys_have_names() {
        let session = SessionId::new(1, 2);
        for key in [
            SegmentKey::Session(session),
            SegmentKey::Turn(TurnId { session, index: 7 }),
            SegmentKey::Fact(FactId::new(3, 4)),
        ] {
            assert_eq!(key_of(&name_of(key)), Some(key));
        }
        assert_eq!(key_of("file:/memories/a"), None);
        assert_eq!(key_of("turn"), None);
    }
}
