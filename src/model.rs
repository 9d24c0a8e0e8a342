//! The records: what is remembered, as plain data.
//!
//! A record never says whose it is. The [`Namespace`] is part of its key in the store,
//! so that a record can not disagree with the place where it was found.

mod audit;
mod fact;
mod id;
mod record;
mod turn;

pub use audit::{
    Action, AuditChange, AuditContent, AuditEntry, AuditHead, AuditSurfaced, Digest, Stamp,
};
pub use fact::{Confidence, Evidence, Fact, FactType, Origin, SUBJECT_USER, Stale};
pub use id::{FactId, JobId, Namespace, SessionId, TurnId, UsageId};
pub use record::{
    Generation, Injection, Job, JobState, JobWork, Kind, Purpose, Record, RecordRef, Session,
    StoredVector, Surfaced, Tokens, Usage, VectorOwner,
};
pub use turn::{Role, Turn};
