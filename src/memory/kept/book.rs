//! What is in the segments and what is not yet.

use crate::batch::Change;
use crate::model::{Kind, Segment};
use crate::recall::SegmentKey;
use std::collections::BTreeMap;

/// Records of one segment at most. Writing one takes some 50 ms in a browser, and no other call of the engine runs meanwhile.
pub const SEGMENT_RECORDS: usize = 4_096;
/// With fewer records a start reads them all as quickly.
const FEWEST_RECORDS: usize = 500;
/// So many changes are worth a segment; a start reads fewer one by one.
const CHANGES: usize = 64;
/// The log of commits reaches back a thousand; a list that lags this far behind is written anew.
const LONGEST_LAG: u64 = 300;
/// While so many texts wait for their vectors, their embedder is at work and nothing is kept: a start would have to read them all.
const MOST_PENDING: usize = 1_000;

/// Each record, and whether an older segment may hold something of it.
pub type Keys = BTreeMap<SegmentKey, bool>;

/// What the tab that keeps the index knows of it.
#[derive(Default)]
pub struct Book {
    /// Changed since they were written, or never written.
    changed: Keys,
    /// The oldest first.
    segments: Vec<Written>,
    /// Whether the stored list tells of just these segments.
    pub is_listed: bool,
    /// The last commit that the stored list knows.
    seen: u64,
    /// Stored, and of no use.
    dropped: Vec<String>,
    /// Another tab has written or deleted segments.
    pub is_stale: bool,
    /// The segment that is being written. Its commit can be heard of before its end is.
    pub writing: Option<String>,
}

struct Written {
    name: String,
    n_records: usize,
    /// Of those that are small enough to become part of a greater one.
    keys: Option<Keys>,
}

/// One step: a segment to write.
pub struct Plan {
    pub keys: Keys,
    /// Those of them that changed; the others are of the merged segments alone.
    changed: Keys,
    /// So many of the newest segments go into it.
    n_merged: usize,
    /// Of the changed ones what can not be written yet.
    pub pending: Vec<SegmentKey>,
    /// Whether all that changed is in the segments then, or pending, so that they can be listed.
    pub completes: bool,
}

impl Plan {
    /// Whether there is anything for a segment, or only for the list.
    pub fn has_segment(&self) -> bool {
        !self.keys.is_empty()
    }
}

impl Book {
    /// Nothing is written of any of these; what is stored under the names is of no use.
    pub fn anew(all: impl IntoIterator<Item = SegmentKey>, mut dropped: Vec<String>) -> Book {
        // Its place is taken by the next one.
        dropped.retain(|name| name != Segment::MANIFEST);
        dropped.sort();
        dropped.dedup();
        Book {
            changed: all.into_iter().map(|key| (key, false)).collect(),
            dropped,
            ..Book::default()
        }
    }

    /// As a start finds it: the listed segments with what is in each, the list's commit, and what else is stored.
    pub fn found<'a>(
        segments: impl IntoIterator<Item = (String, &'a Vec<(SegmentKey, bool)>)>,
        seen: u64,
        dropped: Vec<String>,
    ) -> Book {
        let segments = segments.into_iter().map(|(name, keys)| Written {
            name,
            n_records: keys.len(),
            keys: (keys.len() < SEGMENT_RECORDS).then(|| keys.iter().copied().collect()),
        });
        Book {
            segments: segments.collect(),
            is_listed: true,
            seen,
            dropped,
            ..Book::default()
        }
    }

    /// Another tab has kept the index: its segments, with their numbers of records, are in the place of those known here.
    pub fn follow(&mut self, segments: Vec<(String, usize)>, seen: u64) {
        let segments = segments.into_iter().map(|(name, n_records)| Written {
            name,
            n_records,
            keys: None,
        });
        self.segments = segments.collect();
        self.is_listed = true;
        self.seen = seen;
        self.is_stale = false;
        self.changed
            .values_mut()
            .for_each(|is_held| *is_held = true);
    }

    /// A record changed or went. `was_known`: it was there before.
    pub fn mark(&mut self, key: SegmentKey, was_known: bool) {
        self.changed.entry(key).or_insert(was_known);
    }

    /// Whether a commit with these changes is one of this tab's own: it wrote a segment that is known here.
    pub fn wrote(&self, changes: &[Change]) -> bool {
        let is_known = |name: &String| {
            self.writing.as_ref() == Some(name) || self.segments.iter().any(|w| w.name == *name)
        };
        let mut written = changes
            .iter()
            .filter(|change| change.kind == Kind::Segment && !change.deleted);
        written.any(|change| is_known(&change.name))
    }

    pub fn n_changed(&self) -> usize {
        self.changed.len()
    }

    /// The segments in their order, and how many records each holds.
    pub fn segments(&self) -> impl Iterator<Item = (&str, usize)> {
        self.segments.iter().map(|w| (w.name.as_str(), w.n_records))
    }

    /// Whether most of what the segments hold counts no more, so that they should be written anew.
    pub fn is_mostly_dead(&self, n_records: usize) -> bool {
        let n_held: usize = self.segments.iter().map(|written| written.n_records).sum();
        n_held > 2 * n_records + SEGMENT_RECORDS
    }

    /// The names of all that is stored as far as it is known.
    pub fn names(&self) -> Vec<String> {
        let held = self.segments.iter().map(|written| &written.name);
        held.chain(&self.dropped).cloned().collect()
    }

    /// What is to be written next, if it is worth it; the keys are the plan's until [`Book::written`] or [`Book::failed`].
    ///
    /// `n_records` are in memory, `seen` is the last commit whose changes they show.
    pub fn plan(
        &mut self,
        n_records: usize,
        seen: u64,
        is_settled: impl Fn(SegmentKey) -> bool,
    ) -> Option<Plan> {
        let is_worth_it = match self.is_listed {
            true => self.changed.len() >= CHANGES || seen >= self.seen + LONGEST_LAG,
            false => n_records >= FEWEST_RECORDS,
        };
        if !is_worth_it {
            return None;
        }
        let (settled, pending): (Vec<SegmentKey>, Vec<SegmentKey>) =
            self.changed.keys().partition(|key| is_settled(**key));
        if pending.len() > MOST_PENDING {
            return None;
        }
        let completes = settled.len() <= SEGMENT_RECORDS;
        let mut changed = Keys::new();
        for key in settled.into_iter().take(SEGMENT_RECORDS) {
            let is_held = self.changed.remove(&key).unwrap_or_default();
            changed.insert(key, is_held);
        }
        // What waits for its vector is read from the records at the next start, so it may leave the segments.
        let mut plan = Plan {
            n_merged: 0,
            keys: changed.clone(),
            changed,
            pending,
            completes,
        };
        if plan.completes && plan.has_segment() {
            self.merge(&mut plan);
        }
        Some(plan)
    }

    /// Takes the newest segments in as long as they are no greater than what there is: each record is written anew some six times
    /// until it is in a segment of full size, and there are never many small ones.
    fn merge(&self, plan: &mut Plan) {
        let mut keys = plan.keys.clone();
        for written in self.segments.iter().rev() {
            let Some(older) = &written.keys else { break };
            let n = keys.len();
            if older.len() > n || older.len() + n > SEGMENT_RECORDS {
                break;
            }
            // Whether something even older is replaced, the older segment knows.
            keys.extend(older);
            plan.n_merged += 1;
        }
        let is_pending = |key: &SegmentKey| self.changed.contains_key(key);
        keys.retain(|key, _| !is_pending(key));
        plan.keys = keys;
    }

    /// The names of what a plan makes needless: its merged segments, and with a list what was of no use before.
    pub fn needless(&self, plan: &Plan) -> Vec<String> {
        if !plan.completes {
            return Vec::new();
        }
        let merged = &self.segments[self.segments.len() - plan.n_merged..];
        let merged = merged.iter().map(|written| &written.name);
        merged.chain(&self.dropped).cloned().collect()
    }

    /// The segments as they are once the plan's is written under this name.
    pub fn segments_with(&self, plan: &Plan, name: &str) -> Vec<(String, usize)> {
        let kept = self.segments.len() - plan.n_merged;
        let kept = self.segments().take(kept);
        let mut segments: Vec<_> = kept.map(|(name, n)| (name.to_owned(), n)).collect();
        if plan.has_segment() {
            segments.push((name.to_owned(), plan.keys.len()));
        }
        segments
    }

    /// The plan was carried out by this commit.
    pub fn written(&mut self, plan: Plan, name: String, commit: u64) {
        self.segments.truncate(self.segments.len() - plan.n_merged);
        if plan.has_segment() {
            self.segments.push(Written {
                name,
                n_records: plan.keys.len(),
                keys: (plan.keys.len() < SEGMENT_RECORDS).then_some(plan.keys),
            });
        }
        self.is_listed = plan.completes;
        if plan.completes {
            self.seen = commit;
            self.dropped.clear();
        }
    }

    /// Nothing of the plan was written: what it would have merged is where it was.
    pub fn failed(&mut self, plan: Plan) {
        // What has changed again meanwhile is marked as known by now; whether it is held is as it was.
        self.changed.extend(plan.changed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FactId;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    type Versions = BTreeMap<SegmentKey, u32>;
    /// The listed segments with what is in each, the oldest first.
    type Listed = Vec<(String, Vec<(SegmentKey, bool)>)>;

    /// What a book is to keep, and what is stored for it.
    #[derive(Default)]
    struct Kept {
        book: Book,
        /// The records as they are.
        records: Versions,
        /// Texts that wait for their vectors.
        waiting: BTreeSet<SegmentKey>,
        n_ever: u128,
        n_versions: u32,
        /// What each segment replaces, and what it holds.
        segments: BTreeMap<String, (Keys, Versions)>,
        list: Vec<String>,
        /// What changed since the list was written, and whether it was known before.
        since: Keys,
        commit: u64,
    }

    #[derive(Clone, Copy, Debug)]
    enum Act {
        Add(u16),
        Change(u16),
        Remove(u16),
        Wait(u16),
        GetVectors,
        Start,
    }

    impl Kept {
        fn mark(&mut self, key: SegmentKey) {
            let is_known = self.records.contains_key(&key);
            self.since.entry(key).or_insert(is_known);
            self.book.mark(key, is_known);
        }

        fn put(&mut self, key: SegmentKey) {
            self.mark(key);
            self.n_versions += 1;
            self.records.insert(key, self.n_versions);
        }

        /// So many, from somewhere among them.
        fn some(&self, n: u16) -> Vec<SegmentKey> {
            let from = usize::from(n) * 31 % self.records.len().max(1);
            let keys = self.records.keys().skip(from).take(n.into());
            keys.copied().collect()
        }

        fn act(&mut self, act: Act) {
            self.commit += 1;
            match act {
                Act::Add(n) => {
                    for _ in 0..n {
                        self.n_ever += 1;
                        self.put(SegmentKey::Fact(FactId::new(0, self.n_ever)));
                    }
                }
                Act::Change(n) => self.some(n).into_iter().for_each(|key| self.put(key)),
                Act::Remove(n) => {
                    for key in self.some(n) {
                        self.mark(key);
                        self.records.remove(&key);
                        self.waiting.remove(&key);
                    }
                }
                Act::Wait(n) => {
                    for key in self.some(n) {
                        self.put(key);
                        self.waiting.insert(key);
                    }
                }
                Act::GetVectors => {
                    for key in std::mem::take(&mut self.waiting) {
                        self.put(key);
                    }
                }
                Act::Start => self.start(),
            }
        }

        /// What a start makes of the listed segments, the newest first.
        fn read(&self) -> (Versions, Listed) {
            let (mut found, mut replaced, mut listed) = (Versions::new(), BTreeSet::new(), vec![]);
            for name in self.list.iter().rev() {
                let (keys, held) = &self.segments[name];
                for (key, version) in held {
                    if !replaced.contains(key) {
                        assert_eq!(found.insert(*key, *version), None, "{key:?} is there twice");
                    }
                }
                replaced.extend(
                    keys.iter()
                        .filter(|(_, is_held)| **is_held)
                        .map(|(key, _)| *key),
                );
                listed.push((name.clone(), keys.iter().map(|(k, h)| (*k, *h)).collect()));
            }
            listed.reverse();
            (found, listed)
        }

        fn start(&mut self) {
            if self.list.is_empty() {
                let keys: Vec<SegmentKey> = self.records.keys().copied().collect();
                self.book = Book::anew(keys, self.segments.keys().cloned().collect());
                return;
            }
            let (_, listed) = self.read();
            let needless = self
                .segments
                .keys()
                .filter(|name| !self.list.contains(name));
            let segments = listed.iter().map(|(name, keys)| (name.clone(), keys));
            self.book = Book::found(segments, self.commit, needless.cloned().collect());
            for (key, is_known) in self.since.clone() {
                self.book.mark(key, is_known);
            }
            // Those without a vector are listed as pending.
            self.waiting
                .iter()
                .for_each(|key| self.book.mark(*key, true));
        }

        /// One step; with an act between its begin and its end, it is overtaken.
        fn keep(&mut self, overtaken_by: Option<Act>) {
            let waiting = &self.waiting;
            let is_settled = |key| !waiting.contains(&key);
            let plan = self.book.plan(self.records.len(), self.commit, is_settled);
            let Some(plan) = plan else { return };
            if let Some(act) = overtaken_by {
                self.act(act);
                if !matches!(act, Act::Start) {
                    self.book.failed(plan);
                }
                return;
            }
            self.commit += 1;
            let name = format!("{:08}", self.commit);
            let needless = self.book.needless(&plan);
            if plan.has_segment() {
                let is_of_it = |(key, _): &(&SegmentKey, &u32)| plan.keys.contains_key(key);
                let held = self.records.iter().filter(is_of_it);
                let held = held.map(|(key, version)| (*key, *version)).collect();
                assert!(plan.keys.len() <= SEGMENT_RECORDS);
                self.segments
                    .insert(name.clone(), (plan.keys.clone(), held));
            }
            if plan.completes {
                let segments = self.book.segments_with(&plan, &name).into_iter();
                self.list = segments.map(|(name, _)| name).collect();
                self.since.clear();
            }
            needless
                .iter()
                .for_each(|name| drop(self.segments.remove(name)));
            let completes = plan.completes;
            self.book.written(plan, name, self.commit);
            if completes {
                self.judge();
            }
        }

        /// What waits is read from the records; all else is in the listed segments, once, as it is.
        fn judge(&self) {
            let (mut found, _) = self.read();
            found.retain(|key, _| !self.waiting.contains(key));
            let mut expected = self.records.clone();
            expected.retain(|key, _| !self.waiting.contains(key));
            assert!(found == expected, "{} of {}", found.len(), expected.len());
            let listed: BTreeSet<&String> = self.list.iter().collect();
            let stored: BTreeSet<&String> = self.segments.keys().collect();
            assert_eq!(listed, stored);
        }
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (1..3_000u16).prop_map(Act::Add),
            2 => (1..2_500u16).prop_map(Act::Change),
            1 => (1..900u16).prop_map(Act::Remove),
            1 => (1..900u16).prop_map(Act::Wait),
            1 => Just(Act::GetVectors),
            1 => Just(Act::Start),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_happens_each_record_is_in_the_listed_segments_once(
            steps in prop::collection::vec((act(), prop::option::weighted(0.4, act()), any::<bool>()), 1..16),
        ) {
            let mut kept = Kept::default();
            for (act, overtaken_by, all) in steps {
                kept.act(act);
                kept.keep(overtaken_by);
                if all {
                    (0..40).for_each(|_| kept.keep(None));
                }
            }
        }
    }
}
