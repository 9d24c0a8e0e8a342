//! Reading the records, where the kept index does not serve, in slices that let others in between.
//!
//! Opening reads what decisions rest on: sessions, facts, files, jobs and tombstones. What recall needs of facts and turns comes
//! after that, the newest first, and until it is there whatever recall gives says that it is partial. What is said or changed
//! meanwhile goes the way it always goes, and wins over what a slice has read. Nothing is written; who needs all of the memory,
//! such as an erasure, calls [`Memory::whole`] and helps reading.

use super::episodes::HotWindow;
use super::kept::{Book, Unusable};
use super::open::Everything;
use super::{Memory, Ports, State};
use crate::error::Result;
use crate::model::{FactId, Kind, Record, RecordRef, SessionId};
use crate::store::{Range, Scan, Store};
use std::collections::BTreeSet;
use std::ops::Bound;
use std::rc::Rc;

/// Records of one slice. Entering one takes some 0.1 ms in a browser, so that a slice is half of what a person notices.
const SLICE: usize = 256;
/// Vectors read at a time; a turn has one for each of its pieces.
const VECTORS: usize = 1_024;
/// Sessions of the first block of turns; how many turns it had tells how many the next one may have.
const FIRST_SESSIONS: usize = 4;
const MOST_SESSIONS: usize = 4_096;
/// Put behind the name of a record it is greater than the names of its vectors, in which `#` follows.
const BEHIND_VECTORS: char = '$';

/// How far the records are read that recall needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilding {
    /// Facts and turns that were read.
    pub done: u64,
    /// Of so many.
    pub total: u64,
}

/// What is still to be read.
pub(super) struct Rebuild {
    /// Tells it from another one that came into its place while a slice was read.
    token: Rc<()>,
    part: Part,
    /// What changed while a slice was read: its copy is older.
    touched: BTreeSet<RecordRef>,
    /// Whose vectors were found.
    embedders: BTreeSet<String>,
    /// Names of what is stored of the kept index.
    needless: Vec<String>,
    progress: Rebuilding,
    n_unread_turns: u64,
}

/// Facts come before turns, because they are few and say much.
enum Part {
    /// Those older than this one; `None` for all.
    Facts {
        before: Option<FactId>,
    },
    Turns(Block),
    Nothing,
}

/// Neighbouring sessions. Blocks go from the newest to the oldest; in each the names ascend, as every store gives them.
#[derive(Clone)]
struct Block {
    /// Its first session; `None` where it begins before all of them, with turns whose session is not there.
    from: Option<SessionId>,
    /// The one behind its last; `None` for no end.
    before: Option<SessionId>,
    /// The name of the last turn that was read.
    after: Option<String>,
    n_sessions: usize,
    n_turns: usize,
}

/// What is read next.
enum Slice {
    Facts {
        before: Option<FactId>,
        /// The newest first.
        ids: Vec<FactId>,
        is_last: bool,
    },
    Turns(Block),
}

/// Records of a slice, texts and their vectors.
struct Read {
    slice: Slice,
    texts: Scan,
    vectors: Scan,
}

impl<P: Ports> Memory<P> {
    /// Reads what opening has to read, and lets the rest be read by [`Memory::rebuild_step`]. `names` are of what is stored of the
    /// kept index, `why` it is of no use.
    pub(super) async fn begin_rebuild(
        &self,
        names: Vec<String>,
        why: Option<Unusable>,
    ) -> Result<()> {
        let store = self.ports.store();
        let seen = store.last_commit().await?;
        self.recognise_stored().await?;
        let mut state = State::new(
            self.generations_to_hold(),
            self.config.index_mode,
            HotWindow::new(self.config.hot_days, self.now().unix_ms),
        );
        for kind in [Kind::Session, Kind::File, Kind::Job, Kind::Tombstone] {
            self.read_into(&mut state, kind, "").await?;
        }
        let mut embedders = BTreeSet::new();
        let unreadable = self.each_record(Kind::Vector, "file:", |record| {
            note_embedder(&mut embedders, &record);
            state.take_in(&record);
        });
        let unreadable = unreadable.await?;
        state.note_unreadable(Kind::Vector, unreadable);
        let unreadable = self.each_record(Kind::Fact, "", |record| {
            if let Record::Fact(fact) = record {
                state.facts.insert(fact.id, fact);
            }
        });
        let unreadable = unreadable.await?;
        state.note_unreadable(Kind::Fact, unreadable);
        let n_turns = store.count(&self.config.namespace, Kind::Turn).await?;
        state.unusable = why;
        state.rebuild = Some(Rebuild {
            token: Rc::new(()),
            part: Part::Facts { before: None },
            touched: BTreeSet::new(),
            embedders,
            needless: names,
            progress: Rebuilding {
                done: 0,
                total: state.facts.len() as u64 + n_turns,
            },
            n_unread_turns: n_turns,
        });
        self.hold(Everything { state, seen });
        self.read_spent().await
    }

    /// How far the records are read, while they are; `None` once recall goes by all of them.
    pub fn rebuilding(&self) -> Option<Rebuilding> {
        self.state.borrow().rebuilding()
    }

    /// Reads some of the records that are still to be read, for some 25 ms; says how far it came, `None` at the end. After a failure
    /// the next step begins where this one did.
    ///
    /// # Errors
    /// `Storage`, `Locked`, `Closed`.
    pub async fn rebuild_step(&self) -> Result<Option<Rebuilding>> {
        let _turn = self.slices.hold().await;
        // Of a memory that is being unlocked it is read before it counts as open.
        self.ensure_not_closed()?;
        let next = self.state.borrow_mut().next_slice();
        let Some((token, slice)) = next else {
            return Ok(None);
        };
        let read = self.read_slice(slice).await;
        let read = self.heed_lock(read)?;
        let mut state = self.state.borrow_mut();
        state.take_slice(&token, read);
        Ok(state.rebuilding())
    }

    /// Reads all that is still to be read.
    ///
    /// # Errors
    /// As [`Memory::rebuild_step`].
    pub async fn whole(&self) -> Result<()> {
        while self.rebuilding().is_some() {
            self.rebuild_step().await?;
        }
        Ok(())
    }

    async fn read_slice(&self, slice: Slice) -> Result<Read> {
        let (texts, vectors) = match &slice {
            Slice::Facts {
                before,
                ids,
                is_last,
            } => {
                let fact = |id: &FactId| format!("fact:{id}");
                let vectors = Range {
                    prefix: "fact:".into(),
                    after: ids.last().filter(|_| !is_last).map(fact),
                    before: before.as_ref().map(fact),
                    limit: Some(VECTORS),
                };
                (Scan::default(), vectors)
            }
            Slice::Turns(block) => {
                let store = self.ports.store();
                let namespace = &self.config.namespace;
                let texts = store.scan(namespace, Kind::Turn, &block.turns()).await?;
                let vectors = block.vectors(texts.next.as_deref());
                (texts, vectors)
            }
        };
        let vectors = self.all_pages(Kind::Vector, vectors).await?;
        Ok(Read {
            slice,
            texts,
            vectors,
        })
    }
}

impl Block {
    /// The block before `end` with so many sessions.
    fn before(state: &State, end: Option<SessionId>, n_sessions: usize) -> Block {
        let upper = end.map_or(Bound::Unbounded, Bound::Excluded);
        let older = state.sessions.range((Bound::Unbounded, upper)).rev();
        let mut starts = older.map(|(id, _)| *id).skip(n_sessions - 1);
        let from = starts.next();
        Block {
            // The oldest block has all that is left, also turns whose session can not be read.
            from: from.filter(|_| starts.next().is_some()),
            before: end,
            after: None,
            n_sessions,
            n_turns: 0,
        }
    }

    fn turns(&self) -> Range {
        let from = self.from.map(|session| session.to_string());
        Range {
            prefix: String::new(),
            after: self.after.clone().or(from),
            before: self.before.map(|session| session.to_string()),
            limit: Some(SLICE),
        }
    }

    /// The vectors of the turns up to the one named `last`, or to the end of the block.
    fn vectors(&self, last: Option<&str>) -> Range {
        let behind = |turn: &str| format!("turn:{turn}{BEHIND_VECTORS}");
        let session = |id: &SessionId| format!("turn:{id}");
        let from = self.from.as_ref().map(session);
        let end = self.before.as_ref().map(session);
        Range {
            prefix: "turn:".into(),
            after: self.after.as_deref().map(behind).or(from),
            before: last.map(behind).or(end),
            limit: Some(VECTORS),
        }
    }

    /// How many sessions may have as many turns as a slice.
    fn fitting(&self) -> usize {
        let fitting = self.n_sessions * SLICE / self.n_turns.max(1);
        fitting.clamp(1, (8 * self.n_sessions).min(MOST_SESSIONS))
    }
}

impl State {
    pub(super) fn rebuilding(&self) -> Option<Rebuilding> {
        self.rebuild.as_ref().map(|rebuild| rebuild.progress)
    }

    /// The turns that can be recalled, and those that are still to be read.
    pub(super) fn n_turns(&self) -> usize {
        let unread = self.rebuild.as_ref().map(|rebuild| rebuild.n_unread_turns);
        self.corpus.n_turns() + unread.unwrap_or(0) as usize
    }

    /// Whether the turns of a session are still to be read, or some of them.
    pub(super) fn is_unread(&self, session: SessionId) -> bool {
        match self.rebuild.as_ref().map(|rebuild| &rebuild.part) {
            None => false,
            Some(Part::Facts { .. }) => true,
            Some(Part::Turns(block)) => block.before.is_none_or(|before| session < before),
            Some(Part::Nothing) => false,
        }
    }

    /// Notes that a record changed or went.
    pub(super) fn touch(&mut self, record: RecordRef) {
        if let Some(rebuild) = &mut self.rebuild {
            rebuild.touched.insert(record);
        }
    }

    pub(super) fn note_unreadable(&mut self, kind: Kind, names: Vec<String>) {
        let names = names.into_iter();
        self.unreadable
            .extend(names.map(|name| format!("{}:{name}", kind.name())));
    }

    fn next_slice(&mut self) -> Option<(Rc<()>, Slice)> {
        let rebuild = self.rebuild.as_mut()?;
        rebuild.touched.clear();
        let slice = match &rebuild.part {
            Part::Facts { before } => {
                let upper = before.map_or(Bound::Unbounded, Bound::Excluded);
                let older = self.facts.range((Bound::Unbounded, upper)).rev();
                let mut older = older.map(|(id, _)| *id);
                Slice::Facts {
                    before: *before,
                    ids: older.by_ref().take(SLICE).collect(),
                    is_last: older.next().is_none(),
                }
            }
            Part::Turns(block) => Slice::Turns(block.clone()),
            Part::Nothing => return None,
        };
        Some((rebuild.token.clone(), slice))
    }

    fn take_slice(&mut self, token: &Rc<()>, read: Read) {
        let is_same = |rebuild: &mut Rebuild| Rc::ptr_eq(&rebuild.token, token);
        // Everything may have been read anew meanwhile, or the memory was locked.
        let Some(mut rebuild) = self.rebuild.take_if(is_same) else {
            return;
        };
        let Read {
            slice,
            texts,
            vectors,
        } = read;
        let touched = &rebuild.touched;
        match slice {
            Slice::Facts { ids, is_last, .. } => {
                // What is held of a fact is never older than what is stored.
                for fact in ids.iter().filter_map(|id| self.facts.get(id)) {
                    self.corpus.add_fact(fact);
                }
                rebuild.progress.done += ids.len() as u64;
                let before = ids.last().copied();
                rebuild.part = match is_last {
                    true => Part::Turns(Block::before(self, None, FIRST_SESSIONS)),
                    false => Part::Facts { before },
                };
            }
            Slice::Turns(mut block) => {
                for record in &texts.records {
                    if let Record::Turn(turn) = record
                        && !touched.contains(&RecordRef::Turn(turn.id))
                    {
                        self.take_in(record);
                    }
                }
                let n = texts.records.len() + texts.unreadable.len();
                rebuild.progress.done += n as u64;
                rebuild.n_unread_turns = rebuild.n_unread_turns.saturating_sub(n as u64);
                self.note_unreadable(Kind::Turn, texts.unreadable);
                block.n_turns += n;
                block.after = texts.next;
                rebuild.part = match (&block.after, block.from) {
                    (None, None) => Part::Nothing,
                    (None, from) => Part::Turns(Block::before(self, from, block.fitting())),
                    (Some(_), _) => Part::Turns(block),
                };
            }
        }
        for record in &vectors.records {
            note_embedder(&mut rebuild.embedders, record);
            if let Record::Vector(vector) = record
                && !touched.contains(&vector.owner.record)
            {
                self.take_in(record);
            }
        }
        self.note_unreadable(Kind::Vector, vectors.unreadable);
        if let Part::Nothing = rebuild.part {
            return self.finish(rebuild);
        }
        // More may have been written since they were counted; `done` is `total` only at the end.
        let Rebuilding { done, total } = &mut rebuild.progress;
        *total = (*total).max(*done + 1);
        self.rebuild = Some(rebuild);
    }

    fn finish(&mut self, rebuild: Rebuild) {
        self.unreadable.sort();
        self.foreign = self.of_no_use(rebuild.embedders);
        // Another tab may have kept the index meanwhile.
        let is_stale = self.kept.is_stale;
        self.kept = Book::anew(self.keys(), rebuild.needless);
        self.kept.is_stale = is_stale;
    }

    /// Those of the embedders whose vectors no generation here takes.
    pub(super) fn of_no_use(&self, mut embedders: BTreeSet<String>) -> BTreeSet<String> {
        let held = [self.corpus.embedder(), self.corpus.next_embedder()];
        for spec in held.into_iter().flatten() {
            embedders.remove(&spec.id);
        }
        embedders
    }
}

pub(super) fn note_embedder(embedders: &mut BTreeSet<String>, record: &Record) {
    if let Record::Vector(vector) = record
        && !embedders.contains(&vector.embedder)
    {
        embedders.insert(vector.embedder.clone());
    }
}
