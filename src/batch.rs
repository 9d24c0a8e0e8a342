//! A step's changes, as data: the only way anything is written.
//!
//! The store applies a [`Batch`] whole or not at all. The index in memory and the other tabs
//! read the same value, so they can not come to know something else.

use crate::error::Error;
use crate::model::{Kind, Namespace, Record, Stamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Writes a record that must not exist yet; otherwise the whole batch fails with `Conflict`.
    Insert(Record),
    /// Writes a record, replacing what was there.
    Put(Record),
    /// Removes a record; removing what is not there is no error.
    Delete { kind: Kind, name: String },
}

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// After the data reached the disk: for everything a person would miss.
    Strict,
    /// After the browser took it: for what can be made again.
    Relaxed,
}

/// Changes that belong together, in one namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub namespace: Namespace,
    pub durability: Durability,
    pub ops: Vec<Op>,
    /// What the audit's entry says beside the changes; without it there is no entry.
    pub audit: Option<Stamp>,
    /// Numbers of audit entries whose content is removed with this batch. Their digests stay.
    pub erased_audit: Vec<u64>,
    /// The commit that has to be the newest one; if another came after it, the batch fails with `Conflict`. For what was made
    /// of everything up to there, and is wrong if there is more.
    pub only_after: Option<u64>,
}

impl Batch {
    pub fn new(namespace: &Namespace, durability: Durability) -> Batch {
        Batch {
            namespace: namespace.clone(),
            durability,
            ops: Vec::new(),
            audit: None,
            erased_audit: Vec::new(),
            only_after: None,
        }
    }

    /// Which records the batch touches and whether each is gone after it; ascending by kind and
    /// name, every record once.
    pub fn changes(&self) -> Vec<Change> {
        let mut deleted = BTreeMap::new();
        for op in &self.ops {
            match op {
                Op::Insert(record) | Op::Put(record) => {
                    deleted.insert((record.kind(), record.name()), false)
                }
                Op::Delete { kind, name } => deleted.insert((*kind, name.clone()), true),
            };
        }
        let changes = deleted.into_iter();
        changes
            .map(|((kind, name), deleted)| Change {
                kind,
                name,
                deleted,
            })
            .collect()
    }
}

/// What became of one record. It carries no content: whoever hears of it reads the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub kind: Kind,
    pub name: String,
    pub deleted: bool,
}

/// A commit as it is announced to whoever did not make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Version of this record's shape.
    pub v: u8,
    pub namespace: Namespace,
    pub changes: Vec<Change>,
}

impl Commit {
    pub const VERSION: u8 = 1;

    pub fn of(batch: &Batch) -> Commit {
        Commit {
            v: Commit::VERSION,
            namespace: batch.namespace.clone(),
            changes: batch.changes(),
        }
    }
}

/// What [`Batch::only_after`] fails with.
pub fn overtaken(number: u64) -> Error {
    Error::Conflict {
        id: format!("commit {number}"),
    }
}

impl Op {
    /// The kind of the record it concerns.
    pub fn kind(&self) -> Kind {
        match self {
            Op::Insert(record) | Op::Put(record) => record.kind(),
            Op::Delete { kind, .. } => *kind,
        }
    }

    /// The name of the record it concerns.
    pub fn name(&self) -> String {
        match self {
            Op::Insert(record) | Op::Put(record) => record.name(),
            Op::Delete { name, .. } => name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Session, SessionId};
    use crate::time::Timestamp;

    #[test]
    fn a_record_that_changes_twice_is_named_once_as_it_ended() {
        let namespace = Namespace {
            user: "ada".into(),
            project: "".into(),
        };
        let session = |random| {
            Record::Session(Session {
                v: Session::VERSION,
                id: SessionId::new(0, random),
                started: Timestamp::utc(0),
                model: "claude".into(),
                system: String::new(),
                tools: Vec::new(),
                snapshot: String::new(),
                surfaced: Vec::new(),
                ended: None,
                drops_thinking: false,
                compacted: None,
            })
        };
        let change = |random, deleted| Change {
            kind: Kind::Session,
            name: session(random).name(),
            deleted,
        };
        let delete = |random| Op::Delete {
            kind: Kind::Session,
            name: session(random).name(),
        };
        let mut batch = Batch::new(&namespace, Durability::Strict);
        batch.ops = vec![
            Op::Insert(session(2)),
            delete(1),
            Op::Put(session(1)),
            delete(2),
        ];
        assert_eq!(batch.changes(), [change(1, false), change(2, true)]);
    }
}
