//! The time lane: what was said on the days of which the question speaks.

use crate::model::{FactId, RecordRef, SessionId};
use crate::recall::bytes::of_map;
use crate::text::DaySpan;
use std::collections::BTreeMap;

/// A longer range holds too much to be a reason: its documents must be found by what they say.
const LONGEST_RANGE_DAYS: i32 = 31;

/// Sessions and facts by their days.
#[derive(Default)]
pub(crate) struct Calendar {
    /// With the number of turns of that session on that day.
    sessions: BTreeMap<(i32, SessionId), u32>,
    facts: BTreeMap<(i32, FactId), u32>,
}

/// What happened within a range.
#[derive(Default)]
pub(crate) struct Happened {
    pub sessions: Vec<SessionId>,
    pub facts: Vec<FactId>,
}

impl Calendar {
    /// `n` turns of a session on a day.
    pub fn add_turns(&mut self, day: i32, session: SessionId, n: u32) {
        *self.sessions.entry((day, session)).or_default() += n;
    }

    pub fn add(&mut self, day: i32, record: RecordRef) {
        match record {
            RecordRef::Turn(id) => self.add_turns(day, id.session, 1),
            RecordRef::Fact(id) => *self.facts.entry((day, id)).or_default() += 1,
            // A file was written again and again; its days count in its score.
            RecordRef::File(_) => {}
        }
    }

    pub fn remove(&mut self, day: i32, record: RecordRef) {
        fn one_less<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K) {
            if let Some(n) = counts.get_mut(&key) {
                *n -= 1;
                if *n == 0 {
                    counts.remove(&key);
                }
            }
        }
        match record {
            RecordRef::Turn(id) => one_less(&mut self.sessions, (day, id.session)),
            RecordRef::Fact(id) => one_less(&mut self.facts, (day, id)),
            RecordRef::File(_) => {}
        }
    }

    /// Heap bytes.
    pub fn bytes(&self) -> usize {
        of_map::<(i32, SessionId), u32>(self.sessions.len())
            + of_map::<(i32, FactId), u32>(self.facts.len())
    }

    pub fn happened(&self, days: &[DaySpan]) -> Happened {
        let mut happened = Happened::default();
        for days in days
            .iter()
            .filter(|days| days.n_days() <= LONGEST_RANGE_DAYS)
        {
            let least = (SessionId::new(0, 0), FactId::new(0, 0));
            let sessions = self
                .sessions
                .range((days.first, least.0)..(days.last + 1, least.0));
            happened
                .sessions
                .extend(sessions.map(|((_, session), _)| *session));
            let facts = self
                .facts
                .range((days.first, least.1)..(days.last + 1, least.1));
            happened.facts.extend(facts.map(|((_, fact), _)| *fact));
        }
        happened
    }
}
