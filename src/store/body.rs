//! Records as bytes, for a store that seals them (`docs/format.md`).
//!
//! JSON, so that an older version of a record is lifted like one that is stored in the open. The
//! components of a vector and the bytes of a segment stand behind it as they are: as numbers in JSON they would take four times
//! the room.

use super::format::{self, Unreadable};
use crate::model::{Kind, Record, Segment, StoredVector};

/// The length of the JSON, four bytes, the low one first; the JSON; the rest.
pub fn encode(record: &Record) -> Vec<u8> {
    let (json, rest) = match record {
        Record::Vector(vector) => {
            let components = vector.components.iter();
            let mut rest: Vec<u8> = components.flat_map(|c| c.to_le_bytes()).collect();
            // Words are told from components by the length before them all.
            if let Some(words) = &vector.words {
                let length = (rest.len() as u32).to_le_bytes();
                rest = [&length[..], &rest, words].concat();
            }
            let without = StoredVector {
                components: Vec::new(),
                words: vector.words.as_ref().map(|_| Vec::new()),
                embedder: vector.embedder.clone(),
                ..*vector
            };
            (serde_json::to_vec(&without), rest)
        }
        Record::Segment(segment) => {
            let without = Segment {
                bytes: Vec::new(),
                name: segment.name.clone(),
                ..*segment
            };
            (serde_json::to_vec(&without), segment.bytes.clone())
        }
        record => (serde_json::to_vec(record), Vec::new()),
    };
    let json = json.expect("plain data has a form as JSON");
    let length = json.len() as u32;
    [&length.to_le_bytes(), &json[..], &rest].concat()
}

/// Reads a record of the given kind, version and name.
pub fn decode(kind: Kind, v: u64, name: &str, bytes: &[u8]) -> Result<Record, Unreadable> {
    let wrong = Unreadable::WrongShape;
    let (length, bytes) = bytes.split_first_chunk::<4>().ok_or(wrong)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (json, rest) = bytes.split_at_checked(length).ok_or(wrong)?;
    // By way of a value: whoever reads records from JSON shares that code, which is large.
    let json: serde_json::Value = serde_json::from_slice(json).map_err(|_| wrong)?;
    let mut record = format::read(kind, v, name, &json)?;
    match &mut record {
        Record::Vector(vector) => {
            let mut components = rest;
            if let Some(to) = &mut vector.words {
                let (length, rest) = rest.split_first_chunk::<4>().ok_or(wrong)?;
                let length = u32::from_le_bytes(*length) as usize;
                let words;
                (components, words) = rest.split_at_checked(length).ok_or(wrong)?;
                *to = words.to_vec();
            }
            let (pairs, odd) = components.as_chunks::<2>();
            if !odd.is_empty() {
                return Err(wrong);
            }
            let components = pairs.iter().map(|&pair| i16::from_le_bytes(pair));
            vector.components = components.collect();
            Ok(record)
        }
        Record::Segment(segment) => {
            segment.bytes = rest.to_vec();
            Ok(record)
        }
        _ if rest.is_empty() => Ok(record),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{extreme, sample};

    #[test]
    fn every_record_is_read_back_to_the_last_bit() {
        let samples = Kind::ALL.into_iter().map(|kind| sample(kind, 1));
        for record in samples.chain(extreme()) {
            let bytes = encode(&record);
            let read = decode(record.kind(), 1, &record.name(), &bytes).unwrap();
            assert_eq!(format!("{read:?}"), format!("{record:?}"));
        }
    }

    #[test]
    fn bytes_that_are_no_record_are_refused() {
        for kind in Kind::ALL {
            let record = sample(kind, 1);
            let (name, bytes) = (record.name(), encode(&record));
            for n in 0..bytes.len() {
                let cut = decode(kind, 1, &name, &bytes[..n]);
                // A vector may be cut between two components; what was sealed is never cut.
                let n_rest =
                    bytes.len() - 4 - u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
                // A segment, which has a checksum of its own, anywhere.
                let in_rest = n >= bytes.len() - n_rest;
                let may_be_cut = match kind {
                    Kind::Vector => (bytes.len() - n) % 2 == 0,
                    Kind::Segment => true,
                    _ => false,
                };
                assert_eq!(cut.is_ok(), in_rest && may_be_cut, "{kind:?} cut at {n}");
            }
            let longer = [&bytes[..], &[0]].concat();
            let longer = decode(kind, 1, &name, &longer);
            assert_eq!(longer.is_ok(), kind == Kind::Segment, "{kind:?}");
            assert_eq!(
                decode(kind, 2, &name, &bytes),
                Err(Unreadable::UnknownVersion(2))
            );
            assert_eq!(decode(kind, 1, "other", &bytes), Err(Unreadable::WrongName));
        }
    }
}
