//! What a start reads: the list, its segments, and what changed since.

use super::book::Book;
use super::manifest::{Manifest, key_of};
use super::{Memory, Ports, State, Unusable};
use crate::batch::{Change, Commit};
use crate::error::{Error, Result};
use crate::memory::episodes::HotWindow;
use crate::memory::open::{Everything, PAGE};
use crate::memory::queue::Queue;
use crate::memory::together::{both, in_order, together};
use crate::model::{Kind, Record, Segment};
use crate::recall::{Restored, Restoring};
use crate::store::{Range, Scan, Store};
use std::collections::BTreeMap;

/// With more changes in the log than this, reading everything is quicker than reading them one by one.
const MOST_CHANGES: usize = 5_000;
/// So many of them are read at once: each waits for the disk, and hundreds of waits one after another would show.
const AT_ONCE: usize = 256;

/// What became of a record since, as it is stored.
type Changed = (Kind, String, Result<Option<Record>>);

/// What a start finds instead of the records.
pub(in crate::memory) enum Found {
    Everything(Box<Everything>),
    /// Names of what is stored and of no use, and why it is of none; nothing for nothing.
    Unusable(Vec<String>, Option<Unusable>),
}

impl<P: Ports> Memory<P> {
    /// What the kept index, the records that it does not hold and the log give together.
    ///
    /// # Errors
    /// `Storage`, `Locked`.
    pub(in crate::memory) async fn read_kept(&self) -> Result<Found> {
        match self.read_listed().await? {
            // Another tab may have put others in their place since the list was read.
            Found::Unusable(_, Some(Unusable::SegmentMissing)) => self.read_listed().await,
            found => Ok(found),
        }
    }

    async fn read_listed(&self) -> Result<Found> {
        let (store, namespace) = (self.ports.store(), &self.config.namespace);
        let list = store.get(namespace, Kind::Segment, Segment::MANIFEST);
        let looks = both(store.names(namespace, Kind::Segment), list);
        let others = both(self.recognise_stored(), self.read_models());
        let ((names, list), (recognised, ())) = both(looks, others).await;
        recognised?;
        let mut names = names?;
        names.retain(|name| name != Segment::MODELS);
        let list = match list {
            Ok(Some(Record::Segment(list))) => list,
            Ok(_) if names.is_empty() => return Ok(Found::Unusable(names, None)),
            Ok(_) => return Ok(Found::Unusable(names, Some(Unusable::Unfinished))),
            Err(Error::Corrupt { .. }) => {
                return Ok(Found::Unusable(names, Some(Unusable::ListDamaged)));
            }
            Err(error) => return Err(error),
        };
        let manifest = match self.list_in(&list) {
            Ok(manifest) => manifest,
            Err(why) => return Ok(Found::Unusable(names, Some(why))),
        };
        let pending = manifest.pending.clone();
        let changes = self.read_changes(list.seen, &pending);
        let segments = self.read_segments(manifest, list.seen, &names);
        let (changes, segments) = both(changes, segments).await;
        let mut everything = match segments? {
            Ok(everything) => everything,
            Err(why) => return Ok(Found::Unusable(names, Some(why))),
        };
        let Some((seen, changes)) = changes? else {
            return Ok(Found::Unusable(names, Some(Unusable::TooOld)));
        };
        everything.state.bring_in(changes)?;
        everything.seen = seen;
        Ok(Found::Everything(Box::new(everything)))
    }

    /// What the listed segments hold, and beside them the records of which no segment holds anything.
    ///
    /// All are asked for at once, because each has to wait for the disk; while the next one is on its way, this one is taken in. What
    /// changes meanwhile is in the log of commits.
    async fn read_segments(
        &self,
        manifest: Manifest,
        seen: u64,
        names: &[String],
    ) -> Result<std::result::Result<Everything, Unusable>> {
        let (store, namespace) = (self.ports.store(), &self.config.namespace);
        let mut state = State::new(
            self.generations_to_hold(),
            self.config.index_mode,
            HotWindow::new(self.config.hot_days, self.now().unix_ms),
        );
        state.queue = Queue::unread();
        let mut restoring = Restoring::default();
        let mut failed: Option<Result<Unusable>> = None;
        let newest_first = manifest.segments.iter().rev();
        let segments = newest_first.map(|(name, _)| store.get(namespace, Kind::Segment, name));
        let taking = in_order(segments, |found| {
            let taken = match found {
                _ if failed.is_some() => return,
                Ok(Some(Record::Segment(segment))) => state
                    .corpus
                    .take_segment(&segment.bytes, &mut restoring)
                    .map_err(|_| Ok(Unusable::SegmentDamaged)),
                Ok(_) | Err(Error::Corrupt { .. }) => Err(Ok(Unusable::SegmentMissing)),
                Err(error) => Err(Err(error)),
            };
            failed = taken.err();
        });
        let others = [
            (Kind::File, ""),
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
        let ((), found) = both(taking, together(others.map(pages))).await;
        if let Some(why) = failed {
            return why.map(Err);
        }
        let restored = state.corpus.restored(restoring);
        let listed = manifest.segments.iter().map(|(name, _)| name.clone());
        let is_listed =
            |name: &&String| manifest.segments.iter().any(|(listed, _)| listed == *name);
        let needless = names
            .iter()
            .filter(|name| !is_listed(name) && *name != Segment::MANIFEST);
        let needless = needless.cloned().collect();
        state.kept = Book::found(listed.zip(restored.keys.iter()), seen, needless);
        state.take_restored(restored);
        state.unreadable = manifest.unreadable;
        state.foreign = manifest.foreign.into_iter().collect();
        for key in manifest.pending.iter().filter_map(|name| key_of(name)) {
            state.kept.mark(key, true);
        }
        for ((kind, _), found) in others.into_iter().zip(found) {
            let Scan {
                records,
                unreadable,
                ..
            } = found?;
            records.iter().for_each(|record| state.take_in(record));
            state.note_unreadable(kind, unreadable);
        }
        Ok(Ok(Everything { state, seen }))
    }

    /// Reads what the segments do not hold: pending records, and what changed since the list was written; with the number of the last
    /// commit that is in it. `None` if the log does not reach back so far.
    async fn read_changes(
        &self,
        listed: u64,
        pending: &[String],
    ) -> Result<Option<(u64, Vec<Changed>)>> {
        let (store, namespace) = (self.ports.store(), &self.config.namespace);
        let Some(commits) = store.commits_after(namespace, listed).await? else {
            return Ok(None);
        };
        let mut changes = self.changes_in(&commits);
        for name in pending {
            if let Some((kind, name)) = name.split_once(':')
                && let Some(kind) = Kind::from_name(kind)
            {
                changes.entry((kind, name.into())).or_insert(false);
            }
        }
        if changes.len() > MOST_CHANGES {
            return Ok(None);
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
        let n_changes = changes.len();
        let mut changed = Vec::with_capacity(n_changes);
        while changed.len() < n_changes {
            changed.extend(together(changes.by_ref().take(AT_ONCE).map(read)).await);
        }
        let last = commits.last().map(|(number, _)| *number);
        Ok(Some((listed.max(last.unwrap_or(0)), changed)))
    }

    /// The records of this namespace that the commits touched, each once, and whether it was deleted in the end; texts before
    /// their vectors. What is not held in memory is left out, and so are jobs, which are read later, and segments: whoever reads on
    /// has what is in them.
    fn changes_in(&self, commits: &[(u64, Commit)]) -> BTreeMap<(Kind, String), bool> {
        let namespace = &self.config.namespace;
        let ours = commits.iter().filter(|(_, c)| c.namespace == *namespace);
        let changes = ours.flat_map(|(_, commit)| &commit.changes);
        let changes = changes.filter(|change| is_held(change.kind));
        let as_entry = |change: &Change| ((change.kind, change.name.clone()), change.deleted);
        changes.map(as_entry).collect()
    }
}

/// Whether records of this kind are held in memory and were read up to here. What was spent today is read by itself.
fn is_held(kind: Kind) -> bool {
    match kind {
        Kind::Session | Kind::Turn | Kind::Fact | Kind::File => true,
        Kind::Vector | Kind::Tombstone => true,
        Kind::Job | Kind::Segment | Kind::Injection | Kind::Usage => false,
        Kind::Generation | Kind::Judgement | Kind::Artifact => false,
    }
}

impl State {
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
            self.turns.extend(of_session[0].0.session, of_session);
        }
        let facts = restored.facts.into_iter().map(|fact| (fact.id, fact));
        self.facts = facts.collect();
        self.came_from_segments = true;
    }
}
