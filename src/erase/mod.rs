//! Erasing: what has to go with what a person wants gone.
//!
//! A [`Scope`] says what is erased. [`Scope::fate`] looks at one stored record after the other, in the [`order`] of their
//! kinds, and tells what becomes of it; a second round over the same records must find nothing left to do, which is the
//! proof that goes into the [`Receipt`].
//!
//! A fact takes its versions and the words it rests on with it: those are blackened in the turns, because recall finds
//! turns, too. A turn takes the facts that rest on it. Whatever quoted any of this to Claude goes, and a session whose
//! prompt held it ends: the bytes of its prompt can not be given back any more.

mod scope;
mod words;

pub use scope::{Fate, NEWER_ERASED, Scope, order};
pub use words::{BLACK, Words};

use crate::model::{FactId, Kind, SessionId, TurnId};
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// What a person wants gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A fact with all its versions.
    Fact(FactId),
    /// A turn; of a user's turn, also the answer to it.
    Turn(TurnId),
    /// Every fact about somebody or something.
    Subject(String),
    /// A conversation.
    Session(SessionId),
    /// All of the memory that is open.
    Project,
    /// All memories of the database, whosever they are.
    All,
}

/// Records named in a receipt one by one.
pub const MAX_LISTED: usize = 100;

/// What an erasure did, counted by a second look at what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Records that are gone, by kind.
    pub erased: BTreeMap<Kind, u64>,
    /// Records out of which something was taken.
    pub changed: BTreeMap<Kind, u64>,
    /// Tombstones that were set.
    pub tombstones: u64,
    /// Sessions that were ended because something of their prompt is gone.
    pub ended: BTreeSet<SessionId>,
    /// Records that the last look went through.
    pub scanned: u64,
    /// What that look still found, which was erased then; 0 unless something is written again and again meanwhile.
    pub left: u64,
    /// Records, as `kind:name`, that can not be read and so could not be looked into.
    pub unreadable: Vec<String>,
    /// Turns that name what an erased fact was about, in other words than the erased ones. They were left.
    pub mentions: Vec<TurnId>,
    pub n_mentions: u64,
}
