//! What happened to a fact makes it weaker with time, and never silent.

use super::weights::{DECAY, DECAY_DAYS, DECAY_FLOOR};
use crate::model::Fact;
use crate::real;
use crate::time::Timestamp;

const MS_PER_DAY: f32 = 86_400_000.0;

/// The share of its score that a superseded or stale fact keeps: −10 % per 30 days, compounded, not below .3.
///
/// `since` is when it ceased to hold. A moment in the future counts as now.
pub fn kept_share(since: Timestamp, now: Timestamp) -> f32 {
    let days = now.unix_ms.saturating_sub(since.unix_ms).max(0) as f32 / MS_PER_DAY;
    real::power(1.0 - DECAY, days / DECAY_DAYS).max(DECAY_FLOOR)
}

/// When a fact ceased to hold; `None` for the version that holds now.
///
/// `newer` is the version that supersedes it, if that is known here.
pub(crate) fn ceased(fact: &FactTimes, newer: Option<&FactTimes>) -> Option<Timestamp> {
    let superseded = newer.map(|newer| newer.valid_from);
    match (fact.stale_at, superseded) {
        (Some(stale), Some(superseded)) => Some(stale.min(superseded)),
        // Its successor was erased: nobody knows since when, so it is as old as it can be.
        (None, None) if fact.is_superseded => Some(fact.valid_from),
        (stale, superseded) => stale.or(superseded),
    }
}

/// The moments in a fact's life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FactTimes {
    pub valid_from: Timestamp,
    pub recorded_at: Timestamp,
    pub stale_at: Option<Timestamp>,
    pub is_superseded: bool,
}

impl FactTimes {
    pub fn of(fact: &Fact) -> FactTimes {
        FactTimes {
            valid_from: fact.valid_from,
            recorded_at: fact.recorded_at,
            stale_at: fact.stale.as_ref().map(|stale| stale.at),
            is_superseded: fact.superseded_by.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_percent_per_thirty_days_down_to_the_floor() {
        let share = |days: i64| kept_share(Timestamp::utc(0), Timestamp::utc(days * 86_400_000));
        for (days, expected) in [
            (0, 1.0),
            (30, 0.9),
            (60, 0.81),
            (90, 0.729),
            (365, 0.3),
            (-10, 1.0),
        ] {
            assert!(
                (share(days) - expected).abs() < 1e-6,
                "{days}: {}",
                share(days)
            );
        }
        assert!((1..400).all(|day| share(day) <= share(day - 1)));
    }

    #[test]
    fn a_fact_ceases_when_it_is_first_contradicted() {
        let at = Timestamp::utc;
        let fact = |stale: Option<i64>, is_superseded| FactTimes {
            valid_from: at(1),
            recorded_at: at(1),
            stale_at: stale.map(at),
            is_superseded,
        };
        let newer = FactTimes {
            valid_from: at(9),
            ..fact(None, false)
        };
        assert_eq!(ceased(&fact(None, false), None), None);
        assert_eq!(ceased(&fact(None, true), Some(&newer)), Some(at(9)));
        assert_eq!(ceased(&fact(Some(5), true), Some(&newer)), Some(at(5)));
        assert_eq!(ceased(&fact(Some(5), false), None), Some(at(5)));
        assert_eq!(ceased(&fact(None, true), None), Some(at(1)));
    }
}
