//! The index as it is kept: so that a start reads what recall needs instead of making it anew from every text.
//!
//! The records are the truth. Beside them are segments, which hold what recall made of them (`recall/corpus/segment`), and a list of
//! those that count. One tab writes them, a small one after some changes, which becomes part of greater ones with time; nothing
//! that is written ever changes. A start reads the list and its segments, then from the log of commits what changed since.
//! Where anything does not fit, it reads the records.
//!
//! A segment is written only if there is no commit that its writer does not know: nothing erased can come back with it.

mod book;
mod manifest;
mod reading;

pub(super) use book::Book;
pub(super) use reading::Found;

use super::{Clock, Memory, Ports, State};
use crate::batch::{Batch, Durability, Op};
use crate::error::{Error, Result};
use crate::model::{Action, FactId, Kind, Record, RecordRef, Segment, TurnId};
use crate::recall::{Draft, SEGMENT_MAKER, SegmentKey};
use crate::store::Store;
use book::{Keys, Plan};
use manifest::{Manifest, name_of};

/// Where what is in memory came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptIndex {
    /// From segments, and not from all records.
    pub was_used: bool,
    /// Why not, where there were some.
    pub unusable: Option<Unusable>,
    pub segments: usize,
    /// Records that are not in a segment as they are now.
    pub unkept: usize,
}

/// How a step of writing the kept index ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// There is nothing more to write, or no room for it.
    Done,
    /// There may be more to write.
    More,
    /// Something else was written meanwhile, so this was not. Best tried again once it is quiet.
    Overtaken,
}

/// Why what is kept can not be used; the records are read instead, and it is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Its first writing was interrupted.
    Unfinished,
    ListDamaged,
    /// Of another version of this program, or with the vectors of another embedder.
    OtherMaker,
    SegmentMissing,
    SegmentDamaged,
    /// More was written since than the log of commits tells of.
    TooOld,
}

impl Unusable {
    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            Unusable::Unfinished => "unfinished",
            Unusable::ListDamaged => "list_damaged",
            Unusable::OtherMaker => "other_maker",
            Unusable::SegmentMissing => "segment_missing",
            Unusable::SegmentDamaged => "segment_damaged",
            Unusable::TooOld => "too_old",
        }
    }

    /// Whether something happened to it that should not have.
    pub fn is_damage(self) -> bool {
        match self {
            Unusable::ListDamaged | Unusable::SegmentMissing | Unusable::SegmentDamaged => true,
            Unusable::Unfinished | Unusable::OtherMaker | Unusable::TooOld => false,
        }
    }
}

impl<P: Ports> Memory<P> {
    /// Writes some of what changed to the kept index, if it is worth it. Only one tab may call it at a time.
    ///
    /// Derived data: a full disk is no error, and the next start reads the records.
    ///
    /// # Errors
    /// `Storage`, `Locked`, `Closed`.
    pub async fn keep_index(&self) -> Result<Keeping> {
        self.ensure_open()?;
        self.whole().await?;
        self.catch_up().await?;
        if self.tight.get() || self.state.borrow().corpus.next_embedder().is_some() {
            return Ok(Keeping::Done);
        }
        if self.state.borrow().kept.is_stale {
            self.look_at_list().await?;
        }
        let seen = self.seen_commit.get();
        let id = FactId::new(self.now().unix_ms, self.ports.clock().random()).to_string();
        let Some((plan, batch)) = self.plan_keeping(seen, &id) else {
            return Ok(Keeping::Done);
        };
        let outcome = match plan.completes {
            true => Keeping::Done,
            false => Keeping::More,
        };
        self.state.borrow_mut().kept.writing = Some(id.clone());
        let applied = self.ports.store().apply(&batch).await;
        let mut state = self.state.borrow_mut();
        // All may have been read anew meanwhile; whether with this segment or without, the list tells.
        let is_planned = state.kept.writing.take().as_ref() == Some(&id);
        state.kept.is_stale |= !is_planned;
        match applied {
            Ok(commit) => {
                self.seen_commit.set(self.seen_commit.get().max(commit));
                if is_planned {
                    state.kept.written(plan, id, commit);
                }
                Ok(outcome)
            }
            Err(error) => {
                if is_planned {
                    state.kept.failed(plan);
                }
                drop(state);
                match error {
                    // What was written is read first.
                    Error::Conflict { .. } => Ok(Keeping::Overtaken),
                    Error::QuotaExceeded { .. } => Ok(Keeping::Done),
                    error => self.heed_lock(Err(error)),
                }
            }
        }
    }

    /// The next step, and what it writes.
    fn plan_keeping(&self, seen: u64, id: &str) -> Option<(Plan, Batch)> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let n_records = state.sessions.len() + state.turns.len() + state.facts.len();
        if state.kept.is_mostly_dead(n_records) {
            state.kept = Book::anew(state.keys(), state.kept.names());
        }
        let corpus = &state.corpus;
        let plan = state
            .kept
            .plan(n_records, seen, |key| corpus.is_settled(key))?;
        let mut batch = self.batch(Durability::Relaxed, Action::Change);
        batch.only_after = Some(seen);
        let mut put = |name: &str, bytes| {
            batch.ops.push(Op::Put(Record::Segment(Segment {
                v: Segment::VERSION,
                name: name.into(),
                seen,
                bytes,
            })));
        };
        if plan.has_segment() {
            put(id, state.corpus.write_segment(&state.draft(&plan.keys)));
        }
        if plan.completes {
            let manifest = Manifest {
                maker: maker_for(state.corpus.embedder().map(|spec| spec.id.as_str())),
                segments: state.kept.segments_with(&plan, id),
                pending: plan.pending.iter().copied().map(name_of).collect(),
                unreadable: state.unreadable.clone(),
                foreign: state.foreign.iter().cloned().collect(),
            };
            put(Segment::MANIFEST, manifest.to_bytes());
        }
        for name in state.kept.needless(&plan) {
            batch.ops.push(Op::Delete {
                kind: Kind::Segment,
                name,
            });
        }
        Some((plan, batch))
    }

    /// Another tab has kept the index, or an erasure has deleted it.
    async fn look_at_list(&self) -> Result<()> {
        let namespace = &self.config.namespace;
        let store = self.ports.store();
        let list = store.get(namespace, Kind::Segment, Segment::MANIFEST).await;
        let list = match self.heed_lock(list) {
            Ok(Some(Record::Segment(list))) => Some(list),
            Ok(_) | Err(Error::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let manifest = list.as_ref().and_then(|list| self.list_in(list).ok());
        let mut state = self.state.borrow_mut();
        let n_records = state.turns.len() + state.facts.len();
        // What was written here and not listed is in no segment of the list.
        let follows = state.kept.is_listed && 2 * state.kept.n_changed() <= n_records;
        match manifest.zip(list) {
            Some((manifest, list)) if follows => {
                state.kept.follow(manifest.segments, list.seen);
            }
            Some((manifest, _)) => {
                let listed = manifest.segments.into_iter().map(|(name, _)| name);
                let names = listed.chain(state.kept.names()).collect();
                state.kept = Book::anew(state.keys(), names);
            }
            None => state.kept = Book::anew(state.keys(), Vec::new()),
        }
        Ok(())
    }

    /// The list, if its segments are of use here.
    fn list_in(&self, list: &Segment) -> std::result::Result<Manifest, Unusable> {
        let manifest = Manifest::from_bytes(&list.bytes).ok_or(Unusable::ListDamaged)?;
        let (serving, next) = self.generations_to_hold();
        let expected = maker_for(serving.as_ref().map(|spec| spec.id.as_str()));
        match next.is_none() && manifest.maker == expected {
            true => Ok(manifest),
            false => Err(Unusable::OtherMaker),
        }
    }

    pub(super) fn kept_index(&self) -> KeptIndex {
        let state = self.state.borrow();
        KeptIndex {
            was_used: state.came_from_segments,
            unusable: state.unusable,
            segments: state.kept.segments().count(),
            unkept: state.kept.n_changed(),
        }
    }
}

/// By what segments are made: the way of reading texts, and whose vectors they hold.
fn maker_for(embedder: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let embedder = embedder.unwrap_or_default();
    format!("{version} {:08x} {embedder}", SEGMENT_MAKER)
}

impl State {
    /// All that segments are to hold.
    pub(super) fn keys(&self) -> Vec<SegmentKey> {
        let sessions = self.sessions.keys().copied().map(SegmentKey::Session);
        let turns = self.turns.ids().map(SegmentKey::Turn);
        let facts = self.facts.keys().copied().map(SegmentKey::Fact);
        sessions.chain(turns).chain(facts).collect()
    }

    fn draft(&self, keys: &Keys) -> Draft<'_> {
        let mut draft = Draft::default();
        for (&key, &is_held) in keys {
            if is_held {
                draft.replaced.push(key);
            }
            match key {
                SegmentKey::Session(id) => {
                    if self.sessions.contains_key(&id) {
                        draft.sessions.insert(id, self.ended.contains(&id));
                    }
                }
                SegmentKey::Turn(id) => {
                    draft.turns.extend(self.turns.get(id).map(|ms| (id, ms)));
                }
                SegmentKey::Fact(id) => draft.facts.extend(self.facts.get(&id)),
            }
        }
        draft
    }

    /// Notes that a record changed or went, for the next segment.
    pub(super) fn mark(&mut self, record: &Record) {
        match record {
            Record::Session(session) => {
                let is_known = self.sessions.contains_key(&session.id);
                self.kept.mark(SegmentKey::Session(session.id), is_known);
            }
            Record::Turn(turn) => self.mark_turn(turn.id),
            Record::Fact(fact) => self.mark_fact(fact.id),
            Record::Vector(vector) => match vector.owner.record {
                RecordRef::Turn(id) if self.turns.contains(id) => self.mark_turn(id),
                RecordRef::Fact(id) if self.facts.contains_key(&id) => self.mark_fact(id),
                _ => {}
            },
            _ => {}
        }
    }

    pub(super) fn mark_turn(&mut self, id: TurnId) {
        let is_known = self.turns.contains(id);
        self.kept.mark(SegmentKey::Turn(id), is_known);
    }

    pub(super) fn mark_fact(&mut self, id: FactId) {
        let is_known = self.facts.contains_key(&id);
        self.kept.mark(SegmentKey::Fact(id), is_known);
    }
}
