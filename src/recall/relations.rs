//! How records hang together: documents and their owners, turns and their neighbours, facts and their versions.

use super::corpus::{Corpus, FactEntry, Owner};
use super::decay::{FactTimes, ceased, kept_share};
use super::filter::is_known;
use super::postings::DocNumber;
use super::turns::TurnEntry;
use crate::model::{FactId, RecordRef, SessionId, TurnId, VectorOwner};
use crate::time::Timestamp;
use std::ops::Range;

/// The moment whose knowledge counts; `None` for everything known.
pub(super) type KnownOn = Option<Timestamp>;

impl Corpus {
    pub(super) fn n_documents(&self) -> usize {
        self.documents.len()
    }

    pub(super) fn owner(&self, doc: DocNumber) -> Option<VectorOwner> {
        let owner = (*self.documents.get(doc as usize)?)?;
        Some(match owner {
            Owner::Turn {
                session,
                index,
                piece,
            } => VectorOwner {
                record: RecordRef::Turn(TurnId {
                    session: self.session_ids[session as usize],
                    index,
                }),
                piece,
            },
            Owner::Fact(number) => VectorOwner {
                record: RecordRef::Fact(self.fact_ids[number as usize]),
                piece: 0,
            },
            Owner::File { file, piece } => VectorOwner {
                record: RecordRef::File(self.file_ids[file as usize]),
                piece,
            },
        })
    }

    pub(super) fn documents_of(&self, record: RecordRef) -> Range<DocNumber> {
        let docs = match record {
            RecordRef::Turn(id) => self.turns.get(id).map(|turn| turn.docs.clone()),
            RecordRef::Fact(id) => self.facts.get(&id).map(|fact| fact.doc..fact.doc + 1),
            RecordRef::File(id) => self.files.get(&id).map(|file| file.docs.clone()),
        };
        docs.unwrap_or(0..0)
    }

    /// Where a record was said; `None` for a file and for a fact that nobody said.
    pub fn session_of(&self, record: RecordRef) -> Option<SessionId> {
        self.source_of(record).map(|turn| turn.session)
    }

    /// The turn that a record rests on: itself, or the turn of a fact's quote.
    pub(super) fn source_of(&self, record: RecordRef) -> Option<TurnId> {
        match record {
            RecordRef::Turn(id) => Some(id),
            RecordRef::File(_) => None,
            RecordRef::Fact(id) => self
                .facts
                .get(&id)?
                .evidence
                .as_ref()
                .map(|evidence| evidence.0),
        }
    }

    pub(super) fn turns_of(&self, session: SessionId) -> &[TurnEntry] {
        self.turns.of_session(session)
    }

    /// The turn with words before this one, in the same session.
    pub(super) fn before(&self, turn: TurnId) -> Option<TurnId> {
        self.turns.before(turn)
    }

    /// The turn with words after this one, in the same session.
    pub(super) fn after(&self, turn: TurnId) -> Option<TurnId> {
        self.turns.after(turn)
    }

    pub(super) fn facts_of(&self, turn: TurnId) -> impl Iterator<Item = FactId> {
        self.facts_of_turn.get(&turn).into_iter().flatten().copied()
    }

    /// The version that replaced this one.
    ///
    /// Either record may name the other. A version is newer only if it was recorded later, so that wrong links can not run in a circle.
    /// If two claim the place, the later one has it.
    pub(super) fn newer(&self, id: FactId, on: KnownOn) -> Option<FactId> {
        let claims = self.newer_versions.get(&id)?.iter();
        let this = self.facts.get(&id)?;
        let age = |id: FactId, fact: &FactEntry| (fact.times.recorded_at.unix_ms, id);
        let valid = claims.filter_map(|newer| {
            let other = self.facts.get(newer)?;
            let is_linked = this.superseded_by == Some(*newer) || other.supersedes == Some(id);
            let is_known = is_known(other.times.recorded_at, on);
            (is_known && is_linked && age(*newer, other) > age(id, this))
                .then(|| age(*newer, other))
        });
        valid.max().map(|(_, newer)| newer)
    }

    /// The newest version of a fact.
    pub(super) fn newest(&self, id: FactId, on: KnownOn) -> FactId {
        std::iter::successors(Some(id), |id| self.newer(*id, on))
            .last()
            .unwrap_or(id)
    }

    /// The versions that this one replaced, newest first.
    pub(super) fn older(&self, id: FactId, on: KnownOn) -> Vec<FactId> {
        let mut older = Vec::new();
        let mut to_visit = vec![id];
        while let Some(id) = to_visit.pop() {
            for version in self.older_versions.get(&id).into_iter().flatten() {
                if self.newer(*version, on) == Some(id) {
                    older.push(*version);
                    to_visit.push(*version);
                }
            }
        }
        older.sort_by_key(|id| std::cmp::Reverse((self.facts[id].times.recorded_at.unix_ms, *id)));
        older
    }

    /// The share of its score that a version keeps at `now`, by what was known `on` a moment.
    pub(super) fn kept_share(&self, id: FactId, now: Timestamp, on: KnownOn) -> f32 {
        let Some(fact) = self.facts.get(&id) else {
            return 1.0;
        };
        let newer = self.newer(id, on);
        // Replaced later than the moment that is asked about.
        let is_replaced_later = newer.is_none() && self.newer(id, None).is_some();
        let times = FactTimes {
            stale_at: fact.times.stale_at.filter(|at| is_known(*at, on)),
            is_superseded: fact.times.is_superseded && !is_replaced_later,
            ..fact.times
        };
        let newer = newer.map(|newer| &self.facts[&newer].times);
        ceased(&times, newer).map_or(1.0, |since| kept_share(since, on.unwrap_or(now)))
    }
}
