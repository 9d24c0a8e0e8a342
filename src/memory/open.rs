//! Opening: from the store's records to what recall needs in memory.

use super::episodes::HotWindow;
use super::kept::Found;
use super::rebuild::note_embedder;
use super::{
    CircuitsStatus, EmbedderStatus, EstimatorStatus, KeptIndex, Memory, ModelsStatus, Ports,
    Rebuilding, State,
};
use crate::batch::{Durability, Op};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::index::{IndexConfig, IndexStats};
use crate::model::{Action, Kind, Record, Segment};
use crate::store::{Persistence, Range, Scan, Store};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// Records read at a time.
pub(super) const PAGE: usize = 1_000;

/// How the memory is.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub persistence: Persistence,
    /// Whether the disk was full since the memory was opened, so that vectors are kept in memory only.
    pub tight: bool,
    /// Whether the store is encrypted and its key is not at hand: the counts are zero then.
    pub locked: bool,
    /// The index of the vectors that recall goes by; `None` without an embedder.
    pub index: Option<(IndexConfig, IndexStats)>,
    pub embedder: EmbedderStatus,
    pub counts: Counts,
    pub kept_index: KeptIndex,
    /// While records are still read that recall needs; the count of turns is an estimate then.
    pub rebuilding: Option<Rebuilding>,
    pub circuits: CircuitsStatus,
    pub estimator: EstimatorStatus,
    pub models: ModelsStatus,
    /// Records that are there and can not be read, as `kind:name`.
    pub unreadable: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub sessions: usize,
    pub turns: usize,
    pub facts: usize,
    pub files: usize,
    pub jobs: usize,
    pub dead_jobs: usize,
}

/// What [`Memory::read_all`] reads.
pub(super) struct Everything {
    pub state: State,
    /// The number of the last commit that is surely in it.
    pub seen: u64,
}

impl<P: Ports> Memory<P> {
    /// Reads the whole namespace; of an encrypted store without its key nothing, until
    /// [`Memory::unlocked`] is called. Vectors that are missing are made later, by [`Memory::work`] or
    /// after the next message.
    ///
    /// # Errors
    /// `InvalidInput` for a setting, `Storage`.
    pub async fn open(config: Config, ports: P) -> Result<Memory<P>> {
        let memory = Memory::open_within(u64::MAX, config, ports).await?;
        match memory.read_queue().await {
            Err(Error::Locked) => {}
            read => read?,
        }
        Ok(memory)
    }

    /// [`Memory::open`] that does not wait where a kept index is missing or of no use and there are more than `at_once` facts and
    /// turns to be read: recall goes by what was read so far, and says so, until [`Memory::rebuild_step`] has read the rest. With a
    /// kept index the queue is not read: see [`Memory::read_queue`].
    ///
    /// # Errors
    /// As [`Memory::open`].
    pub async fn open_within(at_once: u64, config: Config, ports: P) -> Result<Memory<P>> {
        config.check()?;
        let memory = Memory {
            at_once,
            slices: Default::default(),
            state: RefCell::new(State::new(
                (None, None),
                config.index_mode,
                HotWindow::default(),
            )),
            own: RefCell::new(None),
            own_generation: RefCell::new(None),
            trouble: RefCell::new(None),
            file_turns: Default::default(),
            ports,
            config,
            seen_commit: Cell::new(0),
            closed: Cell::new(false),
            tight: Cell::new(false),
            locked: Cell::new(false),
            circuits: Default::default(),
            models: Default::default(),
            calibrations: Default::default(),
        };
        match memory.read_in().await {
            Err(Error::Locked) => memory.lock(),
            loaded => loaded?,
        }
        Ok(memory)
    }

    /// Reads all that recall needs: from the kept index if it serves, from the records otherwise.
    pub(super) async fn read_in(&self) -> Result<()> {
        match self.read_kept().await? {
            Found::Everything(everything) => {
                self.hold(*everything);
                self.read_spent().await?;
            }
            Found::Unusable(names, why) => {
                self.begin_rebuild(names, why).await?;
                let left = self.rebuilding();
                if left.is_some_and(|rebuilding| rebuilding.total <= self.at_once) {
                    self.whole().await?;
                }
            }
        }
        Ok(())
    }

    /// Reads all that recall needs, texts before their vectors, and puts it in the place of
    /// what was held before. Until then calls are answered from that.
    pub(super) async fn load(&self) -> Result<()> {
        let everything = self.read_all().await?;
        self.hold(everything);
        self.read_spent().await
    }

    pub(super) fn hold(&self, everything: Everything) {
        let Everything { mut state, seen } = everything;
        let ended = std::mem::take(&mut state.ended);
        let mut held = self.state.borrow_mut();
        state.live = std::mem::take(&mut held.live);
        // What was stored and is not any more, or has ended, was erased by another tab.
        let (live, sessions) = (&mut state.live, &state.sessions);
        live.retain(|id, live| match sessions.contains_key(id) {
            true => !ended.contains(id),
            false => !live.unsaved.is_empty(),
        });
        let is_gone = |id| !state.sessions.contains_key(id);
        let is_erased =
            state.tombstones.len() != held.tombstones.len() || held.sessions.keys().any(is_gone);
        state.erasures = held.erasures + u64::from(is_erased);
        state.ended = ended;
        state.spending.merge(std::mem::take(&mut held.spending));
        *held = state;
        self.seen_commit.set(seen);
    }

    /// All that recall needs, as the store has it.
    pub(super) async fn read_all(&self) -> Result<Everything> {
        let seen = self.ports.store().last_commit().await?;
        self.recognise_stored().await?;
        let mut state = State::new(
            self.generations_to_hold(),
            self.config.index_mode,
            HotWindow::new(self.config.hot_days, self.now().unix_ms),
        );
        let mut embedders = BTreeSet::new();
        for kind in [
            Kind::Session,
            Kind::Turn,
            Kind::Fact,
            Kind::File,
            Kind::Vector,
            Kind::Job,
            Kind::Tombstone,
        ] {
            let unreadable = self.each_record(kind, "", |record| {
                note_embedder(&mut embedders, &record);
                state.take_in(&record);
            });
            let unreadable = unreadable.await?;
            state.note_unreadable(kind, unreadable);
        }
        state.unreadable.sort();
        state.foreign = state.of_no_use(embedders);
        state.kept.is_stale = true;
        Ok(Everything { state, seen })
    }

    /// Reads which generations of vectors there are.
    pub(super) async fn recognise_stored(&self) -> Result<()> {
        let stored = self.records(Kind::Generation, "").await?.into_iter();
        self.recognise(
            stored
                .filter_map(|record| match record {
                    Record::Generation(generation) => Some(generation),
                    _ => None,
                })
                .collect(),
        );
        Ok(())
    }

    /// Reads all records of a kind whose name begins with `prefix`, and notes those that can not be read.
    pub(super) async fn read_into(
        &self,
        state: &mut State,
        kind: Kind,
        prefix: &str,
    ) -> Result<()> {
        let unreadable = self.each_record(kind, prefix, |record| state.take_in(&record));
        let unreadable = unreadable.await?;
        state.note_unreadable(kind, unreadable);
        Ok(())
    }

    /// All pages of a range.
    pub(super) async fn all_pages(&self, kind: Kind, mut range: Range) -> Result<Scan> {
        let mut all = Scan::default();
        loop {
            let namespace = &self.config.namespace;
            let scan = self.ports.store().scan(namespace, kind, &range).await?;
            all.records.extend(scan.records);
            all.unreadable.extend(scan.unreadable);
            match scan.next {
                Some(next) => range.after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// Calls `take` with every readable record of a kind whose name begins with `prefix`; gives the
    /// names of the others.
    pub(super) async fn each_record(
        &self,
        kind: Kind,
        prefix: &str,
        mut take: impl FnMut(Record),
    ) -> Result<Vec<String>> {
        let mut unreadable = Vec::new();
        let mut range = Range {
            prefix: prefix.into(),
            limit: Some(PAGE),
            ..Range::default()
        };
        loop {
            let namespace = &self.config.namespace;
            let scan = self.ports.store().scan(namespace, kind, &range).await?;
            unreadable.extend(scan.unreadable);
            scan.records.into_iter().for_each(&mut take);
            match scan.next {
                Some(next) => range.after = Some(next),
                None => return Ok(unreadable),
            }
        }
    }

    /// All readable records of a kind whose name begins with `prefix`, in order.
    pub(super) async fn records(&self, kind: Kind, prefix: &str) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        self.each_record(kind, prefix, |record| records.push(record))
            .await?;
        Ok(records)
    }

    /// Reads what other tabs committed since; says whether there was anything.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn catch_up(&self) -> Result<bool> {
        self.ensure_not_closed()?;
        if self.locked.get() {
            // Another tab may have turned the encryption off.
            self.unlocked().await?;
            return Ok(true);
        }
        let mut reloaded = false;
        let commits = loop {
            let seen = self.seen_commit.get();
            let store = self.ports.store();
            match store.commits_after(&self.config.namespace, seen).await? {
                Some(commits) => break commits,
                // The log does not reach back that far: everything is read again. What was committed
                // meanwhile, by whomever, is in the log.
                None => self.load().await?,
            }
            reloaded = true;
        };
        let Some(last) = commits.last().map(|(number, _)| *number) else {
            return Ok(reloaded);
        };
        let namespace = &self.config.namespace;
        let mut stray = self.batch(Durability::Strict, Action::Erase);
        let ours = commits
            .iter()
            .filter(|(_, commit)| commit.namespace == *namespace);
        let changes = ours.flat_map(|(_, commit)| {
            let each = commit.changes.iter();
            each.map(|change| (change, commit.changes.as_slice()))
        });
        for (change, with_it) in changes {
            let store = self.ports.store();
            if change.kind == Kind::Segment {
                if change.name == Segment::MODELS {
                    self.read_models().await;
                    continue;
                }
                let kept = &mut self.state.borrow_mut().kept;
                kept.is_stale |= !kept.wrote(with_it);
                continue;
            }
            let record = match change.deleted {
                true => None,
                false => match store.get(namespace, change.kind, &change.name).await {
                    Err(Error::Corrupt { .. }) => continue,
                    found => self.heed_lock(found)?,
                },
            };
            if record
                .as_ref()
                .is_some_and(|record| self.holds_erased(record))
            {
                let (kind, name) = (change.kind, change.name.clone());
                stray.ops.push(Op::Delete { kind, name });
                continue;
            }
            let mut state = self.state.borrow_mut();
            match record {
                Some(record) => state.take_in(&record),
                None => state.let_go(change.kind, &change.name),
            }
        }
        self.seen_commit.set(self.seen_commit.get().max(last));
        // Written by a tab that had not heard of an erasure yet.
        if !stray.ops.is_empty() {
            self.commit(&stray).await?;
        }
        Ok(true)
    }

    pub fn status(&self) -> Status {
        let state = self.state.borrow();
        Status {
            persistence: self.ports.store().persistence(),
            tight: self.tight.get(),
            locked: self.locked.get(),
            index: state.corpus.index(),
            embedder: self.embedder_status(),
            counts: Counts {
                sessions: state.sessions.len(),
                turns: state.n_turns(),
                facts: state.facts.len(),
                files: state.files.files().len(),
                jobs: state.n_jobs(false),
                dead_jobs: state.n_jobs(true),
            },
            kept_index: self.kept_index(),
            rebuilding: state.rebuilding(),
            circuits: self.circuits_status(),
            estimator: self.estimator_status(),
            models: self.models_status(),
            unreadable: state.unreadable.clone(),
        }
    }
}
