//! The audit's chain: from a batch to an entry, and from entries to a verdict.
//!
//! The store adds an entry in the transaction of the batch that it tells of, so that neither is
//! ever there alone, and no two tabs can follow the same entry. Each link digests the one before:
//! an entry that is changed, left out or moved breaks the chain at its place. The chain has no
//! secret. It finds damage and mistakes, not someone who rewrites all of it.

use crate::batch::{Batch, Op};
use crate::hex;
use crate::model::{
    Action, AuditChange, AuditContent, AuditEntry, AuditHead, AuditSurfaced, Digest, Kind, Record,
    Stamp,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The content of a batch's entry; `None` if there is nothing to note: the batch has no stamp, or
/// touches only what follows from other records.
pub fn content(batch: &Batch) -> Option<String> {
    let stamp = batch.audit.as_ref()?;
    let salt = hex::encode(&stamp.salt.to_be_bytes());
    let content = AuditContent {
        v: AuditContent::VERSION,
        action: stamp.action,
        at: stamp.at,
        changes: changes(batch, stamp, &salt),
        surfaced: surfaced(batch, stamp),
        salt,
    };
    if content.changes.is_empty() && content.surfaced.is_empty() {
        return None;
    }
    Some(json(&content))
}

/// The entry that follows `head`.
pub fn next(head: AuditHead, content: String) -> AuditEntry {
    let digest = digest(&content);
    AuditEntry {
        number: head.number + 1,
        digest,
        link: link(&head.link, &digest),
        content: Some(content),
    }
}

/// The head once this entry is the newest.
pub fn head_of(entry: &AuditEntry) -> AuditHead {
    AuditHead {
        number: entry.number,
        link: entry.link,
    }
}

/// Follows a chain from its first entry.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    head: AuditHead,
    n_erased: u64,
}

/// Where a chain breaks first, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    pub number: u64,
    pub fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// It is there and is no entry.
    Unreadable,
    /// Its content is not the one that was digested.
    WrongContent,
    /// It does not follow the entry before it.
    WrongLink,
}

impl Fault {
    pub fn name(self) -> &'static str {
        match self {
            Fault::Missing => "missing",
            Fault::Unreadable => "unreadable",
            Fault::WrongContent => "wrong_content",
            Fault::WrongLink => "wrong_link",
        }
    }
}

impl Chain {
    /// Takes what is stored as the next entry.
    pub fn follow(&mut self, number: u64, entry: Option<&AuditEntry>) -> Result<(), Break> {
        let expected = self.head.number + 1;
        let broken = |fault| Break {
            number: expected,
            fault,
        };
        if number != expected {
            return Err(broken(Fault::Missing));
        }
        let entry = entry.ok_or(broken(Fault::Unreadable))?;
        match &entry.content {
            Some(content) if digest(content) != entry.digest => {
                return Err(broken(Fault::WrongContent));
            }
            Some(_) => {}
            None => self.n_erased += 1,
        }
        if link(&self.head.link, &entry.digest) != entry.link {
            return Err(broken(Fault::WrongLink));
        }
        self.head = head_of(entry);
        Ok(())
    }

    /// Compares the end with what the store says it is.
    pub fn end(&self, head: AuditHead) -> Result<(), Break> {
        if self.head.number < head.number {
            return Err(Break {
                number: self.head.number + 1,
                fault: Fault::Missing,
            });
        }
        match self.head == head {
            true => Ok(()),
            false => Err(Break {
                number: self.head.number,
                fault: Fault::WrongLink,
            }),
        }
    }

    pub fn n_entries(&self) -> u64 {
        self.head.number
    }

    /// Entries whose content is gone.
    pub fn n_erased(&self) -> u64 {
        self.n_erased
    }
}

fn changes(batch: &Batch, stamp: &Stamp, salt: &str) -> Vec<AuditChange> {
    let mut last: BTreeMap<(Kind, String), Option<&Record>> = BTreeMap::new();
    for op in &batch.ops {
        let record = match op {
            Op::Insert(record) | Op::Put(record) => Some(record),
            Op::Delete { .. } => None,
        };
        last.insert((op.kind(), op.name()), record);
    }
    let audited = last.into_iter().filter(|((kind, _), _)| is_audited(*kind));
    audited
        .map(|((kind, name), record)| AuditChange {
            kind,
            name: (record.is_some() || stamp.action != Action::Erase).then_some(name),
            deleted: record.is_none(),
            digest: record.map(|record| hex::encode(&record_digest(salt, record))),
        })
        .collect()
}

/// Whether changes of such records are noted. What is derived from others, and the queue's own
/// bookkeeping, follow from entries that are there.
fn is_audited(kind: Kind) -> bool {
    match kind {
        Kind::Session
        | Kind::Turn
        | Kind::Fact
        | Kind::Injection
        | Kind::Usage
        | Kind::File
        | Kind::Judgement
        | Kind::Artifact => true,
        // A tombstone comes with the entry of what it stands for, and would name it.
        Kind::Vector | Kind::Generation | Kind::Job | Kind::Tombstone | Kind::Segment => false,
    }
}

/// What the batch says was put before Claude: its new sessions' snapshots, its ledger's entries,
/// and what the stamp adds.
fn surfaced(batch: &Batch, stamp: &Stamp) -> Vec<AuditSurfaced> {
    if matches!(stamp.action, Action::Import | Action::Erase) {
        // Records that come from elsewhere tell what was shown there.
        return stamp.surfaced.clone();
    }
    let mut all = Vec::new();
    for op in &batch.ops {
        match op {
            Op::Insert(Record::Session(session)) => {
                let request = format!("session:{}", session.id);
                all.extend(session.surfaced.iter().map(|record| AuditSurfaced {
                    request: request.clone(),
                    record: *record,
                    score: None,
                }));
            }
            Op::Insert(Record::Injection(injection)) => {
                let request = format!("turn:{}", injection.turn);
                all.extend(injection.all_surfaced().map(|surfaced| AuditSurfaced {
                    request: request.clone(),
                    record: surfaced.record,
                    score: Some(surfaced.score),
                }));
            }
            _ => {}
        }
    }
    all.extend(stamp.surfaced.iter().cloned());
    all
}

fn digest(content: &str) -> Digest {
    Sha256::digest(content).into()
}

fn link(previous: &Digest, digest: &Digest) -> Digest {
    let both = Sha256::new().chain_update(previous).chain_update(digest);
    both.finalize().into()
}

fn record_digest(salt: &str, record: &Record) -> Digest {
    let salted = Sha256::new().chain_update(salt).chain_update(json(record));
    salted.finalize().into()
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data has a form as JSON")
}

#[cfg(test)]
mod tests;
