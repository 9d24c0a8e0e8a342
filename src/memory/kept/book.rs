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
    is_listed: bool,
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
        let mut keys = Keys::new();
        for key in settled.into_iter().take(SEGMENT_RECORDS) {
            let is_held = self.changed.remove(&key).unwrap_or_default();
            keys.insert(key, is_held);
        }
        // What waits for its vector is read from the records at the next start, so it may leave the segments.
        let mut plan = Plan {
            n_merged: 0,
            keys,
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
        if plan.completes {
            self.is_listed = true;
            self.seen = commit;
            self.dropped.clear();
        }
    }

    /// Nothing of the plan was written.
    pub fn failed(&mut self, plan: Plan) {
        for (key, is_held) in plan.keys {
            // What has changed again meanwhile is marked as known by now; whether it is held is as it was.
            self.changed.insert(key, is_held);
        }
    }
}
