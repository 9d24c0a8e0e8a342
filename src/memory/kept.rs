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

pub(super) use book::Book;

use super::episodes::HotWindow;
use super::open::{Everything, PAGE};
use super::together::{both, together};
use super::{Clock, Memory, Ports, State};
use crate::batch::{Batch, Change, Commit, Durability, Op};
use crate::error::{Error, Result};
use crate::model::{Action, FactId, Kind, Record, RecordRef, Segment, TurnId};
use crate::recall::{Draft, Restored, SegmentKey, segment_maker};
use crate::store::{Range, Scan, Store};
use book::{Keys, Plan};
use manifest::{Manifest, key_of, name_of};
use std::collections::BTreeMap;

/// With more changes in the log than this, reading everything is quicker than reading them one by one.
const MOST_CHANGES: usize = 5_000;
/// So many of them are read at once: each waits for the disk, and hundreds of waits one after another would show.
const AT_ONCE: usize = 256;

/// What became of a record since, as it is stored.
type Changed = (Kind, String, Result<Option<Record>>);

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

/// What a start finds instead of the records.
pub(super) enum Found {
    Everything(Box<Everything>),
    /// Names of what is stored and of no use, and why it is of none; nothing for nothing.
    Unusable(Vec<String>, Option<Unusable>),
}

impl<P: Ports> Memory<P> {
    /// Writes some of what changed to the kept index, if it is worth it; says whether there may be more to write. Only one tab may
    /// call it at a time.
    ///
    /// Derived data: a full disk is no error, and the next start reads the records.
    ///
    /// # Errors
    /// `Storage`, `Locked`, `Closed`.
    pub async fn keep_index(&self) -> Result<bool> {
        self.ensure_open()?;
        self.whole().await?;
        self.catch_up().await?;
        if self.tight.get() || self.state.borrow().corpus.next_embedder().is_some() {
            return Ok(false);
        }
        if self.state.borrow().kept.is_stale {
            self.look_at_list().await?;
        }
        let seen = self.seen_commit.get();
        let id = FactId::new(self.now().unix_ms, self.ports.clock().random()).to_string();
        let Some((plan, batch)) = self.plan_keeping(seen, &id) else {
            return Ok(false);
        };
        let more = !plan.completes;
        let applied = self.ports.store().apply(&batch).await;
        let mut state = self.state.borrow_mut();
        match applied {
            Ok(commit) => {
                self.seen_commit.set(commit);
                state.kept.written(plan, id, commit);
                Ok(more)
            }
            Err(error) => {
                state.kept.failed(plan);
                drop(state);
                match error {
                    // Somebody wrote meanwhile: it is read first.
                    Error::Conflict { .. } => Ok(true),
                    Error::QuotaExceeded { .. } => Ok(false),
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
        match manifest.zip(list) {
            Some((manifest, list)) if 2 * state.kept.n_changed() <= n_records => {
                state.kept.follow(manifest.segments, list.seen);
            }
            Some((manifest, _)) => {
                let names = manifest.segments.into_iter().map(|(name, _)| name);
                state.kept = Book::anew(state.keys(), names.collect());
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

    /// What the kept index, the records that it does not hold and the log give together.
    ///
    /// # Errors
    /// `Storage`, `Locked`.
    pub(super) async fn read_kept(&self) -> Result<Found> {
        let (store, all) = (self.ports.store(), Range::default());
        let n_segments = store.count(&self.config.namespace, Kind::Segment);
        let (n_segments, recognised) = both(n_segments, self.recognise_stored()).await;
        recognised?;
        if n_segments? == 0 {
            return Ok(Found::Unusable(Vec::new(), None));
        }
        // All at once: each has to wait for the disk, and what changes meanwhile is in the log of commits.
        let segments = store.scan(&self.config.namespace, Kind::Segment, &all);
        let others = [
            (Kind::File, ""),
            (Kind::Job, ""),
            (Kind::Tombstone, ""),
            (Kind::Vector, "file:"),
        ];
        let pages = |(kind, prefix): (Kind, &str)| {
            let range = Range {
                prefix: prefix.into(),
                limit: Some(PAGE),
                ..Range::default()
            };
            self.all_pages(kind, range)
        };
        let (scan, found) = both(segments, together(others.map(pages))).await;
        let scan = scan?;
        let mut names = scan.unreadable;
        names.retain(|name| name != Segment::MODELS);
        let mut segments = BTreeMap::new();
        for record in scan.records {
            match record {
                Record::Segment(segment) if segment.is_of_index() => {
                    names.push(segment.name.clone());
                    segments.insert(segment.name.clone(), segment);
                }
                Record::Segment(models) => self.take_models(&models),
                _ => {}
            }
        }
        if names.is_empty() {
            return Ok(Found::Unusable(names, None));
        }
        let mut everything = match self.assemble(&segments, &names) {
            Ok(everything) => everything,
            Err(why) => return Ok(Found::Unusable(names, Some(why))),
        };
        drop(segments);
        for ((kind, _), found) in others.into_iter().zip(found) {
            let Scan {
                records,
                unreadable,
                ..
            } = found?;
            let state = &mut everything.state;
            records.iter().for_each(|record| state.take_in(record));
            state.note_unreadable(kind, unreadable);
        }
        match self.bring_up(&mut everything).await? {
            true => Ok(Found::Everything(Box::new(everything))),
            false => Ok(Found::Unusable(names, Some(Unusable::TooOld))),
        }
    }

    /// What the listed segments hold.
    fn assemble(
        &self,
        segments: &BTreeMap<String, Segment>,
        names: &[String],
    ) -> std::result::Result<Everything, Unusable> {
        let is_there = names.iter().any(|name| name == Segment::MANIFEST);
        let list = segments.get(Segment::MANIFEST).ok_or(match is_there {
            true => Unusable::ListDamaged,
            false => Unusable::Unfinished,
        })?;
        let manifest = self.list_in(list)?;
        let mut bytes = Vec::with_capacity(manifest.segments.len());
        for (name, _) in &manifest.segments {
            let segment = segments.get(name).ok_or(Unusable::SegmentMissing)?;
            bytes.push(&segment.bytes[..]);
        }
        let mut state = State::new(
            self.generations_to_hold(),
            self.config.index_mode,
            HotWindow::new(self.config.hot_days, self.now().unix_ms),
        );
        let restored = state.corpus.restore(&bytes);
        let restored = restored.map_err(|_| Unusable::SegmentDamaged)?;
        let listed = manifest.segments.iter().map(|(name, _)| name.clone());
        let keys = restored.keys.iter();
        let is_listed =
            |name: &&String| manifest.segments.iter().any(|(listed, _)| listed == *name);
        let others = names
            .iter()
            .filter(|name| !is_listed(name) && *name != Segment::MANIFEST);
        let others = others.cloned();
        state.kept = Book::found(listed.zip(keys), list.seen, others.collect());
        state.take_restored(restored);
        state.unreadable = manifest.unreadable;
        state.foreign = manifest.foreign.into_iter().collect();
        for key in manifest.pending.iter().filter_map(|name| key_of(name)) {
            state.kept.mark(key, true);
        }
        Ok(Everything {
            pending: manifest.pending,
            state,
            seen: list.seen,
        })
    }

    /// Reads what the segments do not hold: pending records, and what changed since. Says whether the log reached back so far.
    async fn bring_up(&self, everything: &mut Everything) -> Result<bool> {
        let (store, namespace) = (self.ports.store(), &self.config.namespace);
        let commits = store.commits_after(namespace, everything.seen).await?;
        let Some(commits) = commits else {
            return Ok(false);
        };
        let mut changes = self.changes_in(&commits);
        for name in &everything.pending {
            if let Some((kind, name)) = name.split_once(':')
                && let Some(kind) = Kind::from_name(kind)
            {
                changes.entry((kind, name.into())).or_insert(false);
            }
        }
        if changes.len() > MOST_CHANGES {
            return Ok(false);
        }
        let read = async |((kind, name), deleted): ((Kind, String), bool)| {
            let found = match deleted {
                true => Ok(None),
                false => {
                    let store = self.ports.store();
                    store.get(&self.config.namespace, kind, &name).await
                }
            };
            (kind, name, found)
        };
        let mut changes = changes.into_iter();
        loop {
            let some = together(changes.by_ref().take(AT_ONCE).map(read)).await;
            if some.is_empty() {
                break;
            }
            everything.state.bring_in(some)?;
        }
        let last = commits.last().map(|(number, _)| *number);
        everything.seen = everything.seen.max(last.unwrap_or(0));
        Ok(true)
    }

    /// The records of this namespace that the commits touched, each once, and whether it was deleted in the end; texts before
    /// their vectors. What is not held in memory is left out, and so are segments: whoever reads on has what is in them.
    fn changes_in(&self, commits: &[(u64, Commit)]) -> BTreeMap<(Kind, String), bool> {
        let namespace = &self.config.namespace;
        let ours = commits.iter().filter(|(_, c)| c.namespace == *namespace);
        let changes = ours.flat_map(|(_, commit)| &commit.changes);
        let changes = changes.filter(|change| is_held(change.kind));
        let as_entry = |change: &Change| ((change.kind, change.name.clone()), change.deleted);
        changes.map(as_entry).collect()
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

/// Whether records of this kind are held in memory. What was spent today is read by itself.
fn is_held(kind: Kind) -> bool {
    match kind {
        Kind::Session | Kind::Turn | Kind::Fact | Kind::File => true,
        Kind::Vector | Kind::Job | Kind::Tombstone => true,
        Kind::Segment | Kind::Injection | Kind::Usage => false,
        Kind::Generation | Kind::Judgement | Kind::Artifact => false,
    }
}

/// By what segments are made: the way of reading texts, and whose vectors they hold.
fn maker_for(embedder: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let embedder = embedder.unwrap_or_default();
    format!("{version} {:08x} {embedder}", segment_maker())
}

impl State {
    /// All that segments are to hold.
    pub(super) fn keys(&self) -> Vec<SegmentKey> {
        let sessions = self.sessions.keys().copied().map(SegmentKey::Session);
        let turns = self.turns.keys().copied().map(SegmentKey::Turn);
        let facts = self.facts.keys().copied().map(SegmentKey::Fact);
        sessions.chain(turns).chain(facts).collect()
    }

    fn bring_in(&mut self, changed: Vec<Changed>) -> Result<()> {
        for (kind, name, found) in changed {
            match found {
                Ok(Some(record)) => self.take_in(&record),
                Ok(None) => self.let_go(kind, &name),
                // As one that a start from the records could not read.
                Err(Error::Corrupt { .. }) => {
                    self.let_go(kind, &name);
                    self.unreadable.push(format!("{}:{name}", kind.name()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
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
                    draft.turns.extend(self.turns.get(&id).map(|ms| (id, *ms)));
                }
                SegmentKey::Fact(id) => draft.facts.extend(self.facts.get(&id)),
            }
        }
        draft
    }

    fn take_restored(&mut self, restored: Restored) {
        for (id, has_ended) in restored.sessions {
            self.sessions.entry(id).or_default();
            if has_ended {
                self.ended.insert(id);
            }
        }
        // Those of a session stand together.
        for of_session in restored
            .turns
            .chunk_by(|(a, _), (b, _)| a.session == b.session)
        {
            let extent = self.sessions.entry(of_session[0].0.session).or_default();
            extent.n_turns += of_session.len() as u32;
            let last_ms = of_session.iter().map(|(_, ms)| *ms).max();
            extent.last_ms = extent.last_ms.max(last_ms.unwrap_or(0));
        }
        self.turns = restored.turns.into_iter().collect();
        let facts = restored.facts.into_iter().map(|fact| (fact.id, fact));
        self.facts = facts.collect();
        self.came_from_segments = true;
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
                RecordRef::Turn(id) if self.turns.contains_key(&id) => self.mark_turn(id),
                RecordRef::Fact(id) if self.facts.contains_key(&id) => self.mark_fact(id),
                _ => {}
            },
            _ => {}
        }
    }

    pub(super) fn mark_turn(&mut self, id: TurnId) {
        let is_known = self.turns.contains_key(&id);
        self.kept.mark(SegmentKey::Turn(id), is_known);
    }

    pub(super) fn mark_fact(&mut self, id: FactId) {
        let is_known = self.facts.contains_key(&id);
        self.kept.mark(SegmentKey::Fact(id), is_known);
    }
}
