//! The audit: what was changed, and what was put before Claude, as a chain of entries.

use super::{Kind, RecordRef};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A SHA-256.
pub type Digest = [u8; 32];

/// Why something was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Anything without a name of its own.
    #[default]
    Change,
    /// A message was answered.
    Chat,
    /// A message with memory went out and no complete answer came; nothing else was recorded.
    ChatFailed,
    /// The host brought turns of a conversation of its own.
    Remember,
    /// Facts were read out of turns.
    Extract,
    MarkStale,
    Restore,
    Correct,
    Import,
    Erase,
}

impl Action {
    pub fn name(self) -> &'static str {
        match self {
            Action::Change => "change",
            Action::Chat => "chat",
            Action::ChatFailed => "chat_failed",
            Action::Remember => "remember",
            Action::Extract => "extract",
            Action::MarkStale => "mark_stale",
            Action::Restore => "restore",
            Action::Correct => "correct",
            Action::Import => "import",
            Action::Erase => "erase",
        }
    }
}

/// What a batch brings to the audit beside its changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamp {
    pub action: Action,
    pub at: Timestamp,
    /// Random bits that go into every digest. Without them, who knows an id and a moment could
    /// find out a short text from its digest by trying; they are gone once the content is erased.
    pub salt: u128,
    /// What was put before Claude and is in no record of the batch.
    pub surfaced: Vec<AuditSurfaced>,
}

/// A record that a request carried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditSurfaced {
    /// `turn:` and the turn's id for a message, `session:` and its id for what goes with every
    /// request of the session, `job:` and its id for a request that reads facts.
    pub request: String,
    pub record: RecordRef,
    /// How strongly it matched; `None` where nothing was matched.
    pub score: Option<f32>,
}

/// A changed record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChange {
    pub kind: Kind,
    /// `None` for what was erased: a name can tell something, too.
    pub name: Option<String>,
    pub deleted: bool,
    /// SHA-256 of the salt and the record's JSON, in hexadecimal digits; `None` for a deletion.
    pub digest: Option<String>,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditContent {
    pub v: u8,
    pub action: Action,
    pub at: Timestamp,
    /// In hexadecimal digits.
    pub salt: String,
    pub changes: Vec<AuditChange>,
    pub surfaced: Vec<AuditSurfaced>,
}

impl AuditContent {
    pub const VERSION: u8 = 1;

    /// Whether it tells of this record.
    pub fn concerns(&self, kind: Kind, name: &str) -> bool {
        let reference = format!("{}:{name}", kind.name());
        let mut changes = self.changes.iter();
        let mut surfaced = self.surfaced.iter();
        changes.any(|change| change.kind == kind && change.name.as_deref() == Some(name))
            || surfaced.any(|surfaced| {
                surfaced.request == reference || surfaced.record.to_string() == reference
            })
    }
}

/// One entry of a namespace's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// From 1, without gaps.
    pub number: u64,
    /// SHA-256 of the content's bytes. It stays when the content is erased.
    pub digest: Digest,
    /// SHA-256 of the previous entry's link and this digest; the first follows 32 zero bytes.
    pub link: Digest,
    /// An [`AuditContent`] as JSON, exactly as it was digested; `None` once erased.
    pub content: Option<String>,
}

impl AuditEntry {
    /// Version of the stored entry's shape.
    pub const VERSION: u8 = 1;
}

/// The newest entry's number and link; zeros before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditHead {
    pub number: u64,
    pub link: Digest,
}
