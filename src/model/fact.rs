//! Facts: the semantic layer. A fact is never rewritten; a newer version points at the one it replaces.

use super::{FactId, TurnId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The subject of what the person who chats says about themself.
pub const SUBJECT_USER: &str = "user";

/// What kind of thing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactType {
    Preference,
    Decision,
    Constraint,
    Goal,
    Entity,
}

impl FactType {
    pub const ALL: [FactType; 5] = [
        FactType::Preference,
        FactType::Decision,
        FactType::Constraint,
        FactType::Goal,
        FactType::Entity,
    ];

    /// The name used in the store, in the schema and in the block.
    pub fn name(self) -> &'static str {
        match self {
            FactType::Preference => "preference",
            FactType::Decision => "decision",
            FactType::Constraint => "constraint",
            FactType::Goal => "goal",
            FactType::Entity => "entity",
        }
    }
}

/// Where a fact came from; it decides how far the fact is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    User,
    Assistant,
    Tool,
    Import,
    Manual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// The words a fact rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub turn: TurnId,
    /// First UTF-16 code unit of the quote in the turn's text.
    pub start: u32,
    /// One past the last UTF-16 code unit of the quote.
    pub end: u32,
    /// The words themselves, equal to that part of the turn's text. Empty for what Claude noted of its own accord: it rests on
    /// no words, and goes with the turn that led to it.
    pub quote: String,
}

/// Someone said that a fact no longer holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    pub reason: String,
    pub by: Origin,
    pub at: Timestamp,
}

/// One version of one thing known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Version of this record's shape.
    pub v: u8,
    pub id: FactId,
    #[serde(rename = "type")]
    pub fact_type: FactType,
    /// Whom or what it is about: [`SUBJECT_USER`], or a name.
    pub subject: String,
    /// Which property of the subject, e.g. `cloud provider`.
    pub attribute: String,
    /// The fact in the user's language.
    pub statement: String,
    pub entities: Vec<String>,
    /// Numbers as written, with their units and currencies.
    pub numbers: Vec<String>,
    /// `None` only for facts that a person wrote or imported, or that Claude noted in a conversation that is not recorded here.
    pub evidence: Option<Evidence>,
    pub origin: Origin,
    pub confidence: Confidence,
    /// When it began to hold; for what was just said, when it was said.
    pub valid_from: Timestamp,
    pub recorded_at: Timestamp,
    pub supersedes: Option<FactId>,
    pub superseded_by: Option<FactId>,
    pub stale: Option<Stale>,
    /// How many turns say the same; 1 for a fact said once.
    pub proof_count: u32,
}

impl Fact {
    pub const VERSION: u8 = 1;

    /// Whether this is the version that holds now, as far as anyone said.
    pub fn is_current(&self) -> bool {
        self.superseded_by.is_none() && self.stale.is_none()
    }
}
