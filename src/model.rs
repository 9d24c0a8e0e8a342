//! The records: what is remembered, as plain data.
//!
//! A record never says whose it is. The [`Namespace`] is part of its key in the store,
//! so that a record can not disagree with the place where it was found.

mod artifact;
mod audit;
mod bytes;
mod fact;
mod file;
mod id;
mod judgement;
mod record;
mod segment;
mod tombstone;
mod turn;

pub use artifact::Artifact;
pub use audit::{
    Action, AuditChange, AuditContent, AuditEntry, AuditHead, AuditSurfaced, Digest, Stamp,
};
pub use fact::{Confidence, Evidence, Fact, FactType, Origin, SUBJECT_USER, Stale};
pub use file::{File, FileId};
pub use id::{ArtifactId, FactId, JobId, JudgementId, Namespace, SessionId, TurnId, UsageId};
pub use judgement::Judgement;
pub use record::{
    Compacted, Generation, Injection, Job, JobState, JobWork, Kind, Purpose, Record, RecordRef,
    Session, StoredVector, Summary, Surfaced, Tokens, TurnScoped, Usage, VectorOwner,
};
pub use segment::Segment;
pub use tombstone::Tombstone;
pub use turn::{Role, Turn};
