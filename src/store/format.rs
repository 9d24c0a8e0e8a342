//! Reading records of every version: `docs/format.md` in code.
//!
//! A record is written as a plain object in its newest shape, with its version in `v`. Reading
//! goes by the version that is found, so that an old record is lifted to the newest shape when
//! it is read; it is rewritten only when it changes.

use crate::error::Error;
use crate::model::{
    Artifact, Fact, File, Generation, Injection, Job, Judgement, Kind, Record, Segment, Session,
    StoredVector, Tombstone, Turn, Usage,
};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// The version of the whole store: which kinds of record there are, and how they are keyed.
pub const VERSION: u32 = 1;

/// Why stored bytes are no record. It names no content, which would end up in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// There is no whole number in `v`.
    NoVersion,
    /// No version of this program up to now has written it.
    UnknownVersion(u64),
    /// The fields are not those of its version.
    WrongShape,
    /// It can not be opened: it was sealed for another place or key, or has changed since.
    WrongSeal,
    /// It is plain where everything is sealed: nobody with the key has written it.
    NotSealed,
    /// The record carries another name than the one it is stored under.
    WrongName,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NoVersion => write!(f, "it has no version"),
            Unreadable::UnknownVersion(v) => write!(f, "its version {v} is not known here"),
            Unreadable::WrongShape => write!(f, "its fields do not fit its version"),
            Unreadable::WrongSeal => write!(f, "it does not open with the key"),
            Unreadable::NotSealed => write!(f, "it is not sealed as everything else is"),
            Unreadable::WrongName => write!(f, "it is stored under another record's name"),
        }
    }
}

impl Unreadable {
    /// The error of whoever asked for this one record.
    pub fn error(self, kind: Kind, name: &str) -> Error {
        Error::Corrupt {
            what: format!("{} {name}", kind.name()),
            message: self.to_string(),
        }
    }
}

/// Reads a record of the given kind, version and name.
pub fn read<'de, D: Deserializer<'de>>(
    kind: Kind,
    v: u64,
    name: &str,
    d: D,
) -> Result<Record, Unreadable> {
    let record = read_unnamed(kind, v, d)?;
    if record.name() == name {
        Ok(record)
    } else {
        Err(Unreadable::WrongName)
    }
}

/// Reads a record of the given kind and version from a place that does not name it.
pub fn read_unnamed<'de, D: Deserializer<'de>>(
    kind: Kind,
    v: u64,
    d: D,
) -> Result<Record, Unreadable> {
    // A new version adds a line here, which reads the old shape and lifts it.
    let record = match (kind, v) {
        (Kind::Session, 1) => Session::deserialize(d).map(Record::Session),
        (Kind::Turn, 1) => Turn::deserialize(d).map(Record::Turn),
        (Kind::Fact, 1) => Fact::deserialize(d).map(Record::Fact),
        (Kind::Vector, 1) => StoredVector::deserialize(d).map(Record::Vector),
        (Kind::Job, 1) => Job::deserialize(d).map(Record::Job),
        (Kind::Injection, 1) => Injection::deserialize(d).map(Record::Injection),
        (Kind::Usage, 1) => Usage::deserialize(d).map(Record::Usage),
        (Kind::Generation, 1) => Generation::deserialize(d).map(Record::Generation),
        (Kind::File, 1) => File::deserialize(d).map(Record::File),
        (Kind::Judgement, 1) => Judgement::deserialize(d).map(Record::Judgement),
        (Kind::Tombstone, 1) => Tombstone::deserialize(d).map(Record::Tombstone),
        (Kind::Segment, 1) => Segment::deserialize(d).map(Record::Segment),
        (Kind::Artifact, 1) => Artifact::deserialize(d).map(Record::Artifact),
        _ => return Err(Unreadable::UnknownVersion(v)),
    };
    // What the deserializer has to say is dropped: it quotes the words that it stumbled over.
    record.map_err(|_| Unreadable::WrongShape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{name, sample};
    use serde_json::json;

    #[test]
    fn every_kind_is_read_back_and_nothing_else_is() {
        for kind in Kind::ALL {
            let (record, name) = (sample(kind, 1), name(kind, 1));
            let stored = serde_json::to_value(&record).unwrap();
            assert_eq!(read(kind, 1, &name, &stored), Ok(record));
            let cases = [
                (2, &name[..], &stored, Unreadable::UnknownVersion(2)),
                (0, &name, &stored, Unreadable::UnknownVersion(0)),
                (1, "other", &stored, Unreadable::WrongName),
                (1, &name, &json!({"v": 1}), Unreadable::WrongShape),
                (1, &name, &json!("v"), Unreadable::WrongShape),
            ];
            for (v, name, stored, expected) in cases {
                assert_eq!(read(kind, v, name, stored), Err(expected));
            }
        }
    }

    #[test]
    fn what_is_said_of_an_unreadable_record_quotes_nothing_of_it() {
        let mut stored = serde_json::to_value(sample(Kind::Fact, 1)).unwrap();
        stored["proof_count"] = json!("my secret");
        let name = name(Kind::Fact, 1);
        let error = read(Kind::Fact, 1, &name, &stored).unwrap_err();
        let shown = format!("{error:?} {error} {}", error.error(Kind::Fact, &name));
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_vector_takes_two_bytes_for_a_component() {
        let Record::Vector(mut vector) = sample(Kind::Vector, 1) else {
            unreachable!()
        };
        vector.components = vec![1, -2, i16::MIN];
        let stored = serde_json::to_value(&vector).unwrap();
        assert_eq!(stored["components"], json!([1, 0, 254, 255, 0, 128]));
        let mut odd = stored;
        odd["components"] = json!([1, 0, 254]);
        let name = name(Kind::Vector, 1);
        assert_eq!(
            read(Kind::Vector, 1, &name, &odd),
            Err(Unreadable::WrongShape)
        );
    }

    #[test]
    fn the_document_names_the_fields_that_are_written() {
        let document = include_str!("../../docs/format.md");
        for kind in Kind::ALL {
            let heading = match kind {
                Kind::Usage => "\n### usage\n".into(),
                _ => format!("\n### {}s\n", kind.name()),
            };
            let (_, section) = document.split_once(&heading).expect(&heading);
            let section = section.split("\n### ").next().unwrap_or(section);
            let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
            let documented: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
            let written = serde_json::to_value(sample(kind, 1)).unwrap();
            let written: Vec<&String> = written.as_object().unwrap().keys().collect();
            assert_eq!(documented, written, "{kind:?}");
        }
    }
}
