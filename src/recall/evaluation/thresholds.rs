//! What it costs to be more or less sure: of what comes up, how much is right, and how much of what is right comes up.
//!
//! Counted over all questions together, for each [`Level`] as a chat would ask, and for thresholds on an item's score.

use super::stands_for;
use crate::model::RecordRef;
use crate::recall::{Level, Recalled};
use std::collections::BTreeSet;

/// How many items of a ranking are held against a threshold: those of [`Figures::ndcg_at_10`](super::Figures).
const DEPTH: usize = 10;

/// The distance of two thresholds.
const STEP: f32 = 0.05;

/// The levels that a caller can choose.
const LEVELS: [Level; 3] = [Level::Loose, Level::Normal, Level::Strict];

/// What is wrong to bring up for a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bad<'a> {
    /// Everything that is not right: its evidence is complete.
    AllElse,
    /// These; of all others nothing is known, and they do not count.
    Only(&'a [RecordRef]),
}

/// How much of what came up is right, and how much of what is right came up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Items that came up and are right.
    pub n_right: usize,
    /// Items that came up and are wrong.
    pub n_wrong: usize,
    /// Right records that came up.
    pub n_found: usize,
    /// Right records that there are.
    pub n_wanted: usize,
}

impl Share {
    /// `None` if nothing came up.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.n_right, self.n_right + self.n_wrong)
    }

    /// `None` if nothing is right.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.n_found, self.n_wanted)
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A level as a chat would ask at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelRow {
    pub level: Level,
    pub share: Share,
    /// Of the questions that nothing answers, the share for which something came up; `None` if there are none.
    pub raised: Option<f64>,
}

/// A threshold on the score of an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdRow {
    pub threshold: f32,
    pub share: Share,
}

/// Collects what came up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    items: Vec<Item>,
    n_wanted: usize,
    levels: [Share; LEVELS.len()],
    n_unanswerable: usize,
    n_raised: [usize; LEVELS.len()],
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Item {
    score: f32,
    is_right: bool,
    /// Right records that no better item of its question stands for.
    n_found: usize,
}

impl Thresholds {
    /// Counts one question. `answer` gives what comes up for it at a level; of [`Level::All`] the first ten count.
    pub fn add(
        &mut self,
        good: &[RecordRef],
        bad: Bad,
        mut answer: impl FnMut(Level) -> Vec<Recalled>,
    ) {
        let good: BTreeSet<RecordRef> = good.iter().copied().collect();
        let all = answer(Level::All);
        let ranked = judged(&all[..all.len().min(DEPTH)], &good, bad);
        self.items.extend(ranked);
        self.n_wanted += good.len();
        let is_unanswerable = good.is_empty() && bad == Bad::AllElse;
        self.n_unanswerable += usize::from(is_unanswerable);
        for (place, level) in LEVELS.into_iter().enumerate() {
            let items = answer(level);
            self.n_raised[place] += usize::from(is_unanswerable && !items.is_empty());
            let share = &mut self.levels[place];
            share.n_wanted += good.len();
            judged(&items, &good, bad).for_each(|item| share.count(item));
        }
    }

    /// From loose to strict.
    pub fn levels(&self) -> Vec<LevelRow> {
        let row = |(place, level)| LevelRow {
            level,
            share: self.levels[place],
            raised: ratio(self.n_raised[place], self.n_unanswerable),
        };
        LEVELS.into_iter().enumerate().map(row).collect()
    }

    /// Thresholds from 0 to the first that nothing passes, ascending.
    pub fn sweep(&self) -> Vec<ThresholdRow> {
        let highest = self.items.iter().map(|item| item.score).fold(0.0, f32::max);
        let n_steps = (highest / STEP) as usize + 1;
        let row = |step| {
            let threshold = step as f32 * STEP;
            let mut share = Share {
                n_wanted: self.n_wanted,
                ..Share::default()
            };
            let passing = self.items.iter().filter(|item| item.score >= threshold);
            passing.for_each(|item| share.count(*item));
            ThresholdRow { threshold, share }
        };
        (0..=n_steps).map(row).collect()
    }
}

impl Share {
    fn count(&mut self, item: Item) {
        self.n_right += usize::from(item.is_right);
        self.n_wrong += usize::from(!item.is_right);
        self.n_found += item.n_found;
    }
}

/// The items of which it is known whether they are right.
fn judged(items: &[Recalled], good: &BTreeSet<RecordRef>, bad: Bad) -> impl Iterator<Item = Item> {
    let mut open = good.clone();
    items.iter().filter_map(move |item| {
        let is_right = stands_for(item).any(|record| good.contains(&record));
        let is_judged = match bad {
            Bad::AllElse => true,
            Bad::Only(bad) => is_right || bad.contains(&item.record),
        };
        let n_found = stands_for(item).filter(|r| open.remove(r)).count();
        is_judged.then_some(Item {
            score: item.score,
            is_right,
            n_found,
        })
    })
}
