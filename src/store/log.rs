//! Which commits of a namespace are in the log.
//!
//! Commits are numbered over the whole store, and the newest thousand of each namespace are kept: what others write does not push
//! out what a reader of this one has still to hear of.

use super::COMMITS_KEPT;
use std::collections::VecDeque;

/// The place of one namespace's commits in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceLog {
    /// Those up to this number are not in the log any more, or never were: whoever has not heard of them reads everything.
    pub forgotten: u64,
    /// Ascending.
    pub numbers: VecDeque<u64>,
}

impl NamespaceLog {
    /// Of a namespace of which nothing is known up to the commit before this one.
    pub fn beginning_with(number: u64) -> NamespaceLog {
        NamespaceLog {
            forgotten: number.saturating_sub(1),
            numbers: VecDeque::new(),
        }
    }

    /// Adds a commit; gives the number of one that goes for it.
    pub fn add(&mut self, number: u64) -> Option<u64> {
        self.numbers.push_back(number);
        if self.numbers.len() as u64 <= COMMITS_KEPT {
            return None;
        }
        let oldest = self.numbers.pop_front()?;
        self.forgotten = oldest;
        Some(oldest)
    }
}

/// Whether `found`, ascending, has all commits of a namespace after `number`. `last` is the newest commit of the store.
pub fn is_complete(log: Option<&NamespaceLog>, number: u64, last: u64, found: &[u64]) -> bool {
    let has = |number: &u64| found.binary_search(number).is_ok();
    let is_without_gap = || (number + 1..=last).all(|number| has(&number));
    let has_own = |log: &NamespaceLog| {
        let mut own = log.numbers.iter().filter(|own| **own > number);
        log.forgotten <= number && own.all(has)
    };
    log.is_some_and(has_own) || is_without_gap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_what_went_is_known() {
        let mut log = NamespaceLog::beginning_with(7);
        assert_eq!(log.forgotten, 6);
        // Others commit in between.
        for i in 0..COMMITS_KEPT {
            assert_eq!(log.add(7 + 2 * i), None);
        }
        assert_eq!(log.add(5_000), Some(7));
        assert_eq!(log.add(5_001), Some(9));
        assert_eq!((log.forgotten, log.numbers.len() as u64), (9, COMMITS_KEPT));
    }

    #[test]
    fn a_gap_counts_if_it_may_be_an_own_one() {
        let log = NamespaceLog {
            forgotten: 3,
            numbers: [5, 8].into(),
        };
        for (number, found, expected) in [
            (3, &[5, 6, 8][..], true),
            (3, &[5, 8], true),
            (3, &[8], false),
            (2, &[5, 8], false),
            (2, &[3, 4, 5, 6, 7, 8, 9], true),
            (5, &[8], true),
            (8, &[], true),
        ] {
            assert_eq!(
                is_complete(Some(&log), number, 9, found),
                expected,
                "{number} {found:?}"
            );
        }
        assert!(is_complete(None, 7, 9, &[8, 9]));
        assert!(!is_complete(None, 7, 9, &[9]));
        assert!(is_complete(None, 0, 0, &[]));
    }
}
