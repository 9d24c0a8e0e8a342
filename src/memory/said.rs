//! When each turn was said.

use crate::model::{SessionId, TurnId};
use std::collections::BTreeMap;

/// Turns and the moments at which they were said, in milliseconds since 1970. Those of a session stand side by side, which takes a
/// third of the memory of one map of them all, and a start makes a list a session instead of a node for every few turns.
#[derive(Default)]
pub(super) struct Said {
    /// By index, ascending.
    sessions: BTreeMap<SessionId, Vec<(u32, i64)>>,
    n_turns: usize,
}

impl Said {
    pub fn len(&self) -> usize {
        self.n_turns
    }

    /// In order.
    pub fn ids(&self) -> impl Iterator<Item = TurnId> {
        self.sessions.iter().flat_map(|(session, turns)| {
            turns.iter().map(|(index, _)| TurnId {
                session: *session,
                index: *index,
            })
        })
    }

    pub fn get(&self, id: TurnId) -> Option<i64> {
        let turns = self.sessions.get(&id.session)?;
        let place = place(turns, id.index).ok()?;
        Some(turns[place].1)
    }

    pub fn contains(&self, id: TurnId) -> bool {
        self.get(id).is_some()
    }

    /// The latest moment of a session.
    pub fn last_ms(&self, session: SessionId) -> Option<i64> {
        let turns = self.sessions.get(&session)?;
        turns.iter().map(|(_, at_ms)| *at_ms).max()
    }

    /// Says whether the turn was not there before.
    pub fn insert(&mut self, id: TurnId, at_ms: i64) -> bool {
        let turns = self.sessions.entry(id.session).or_default();
        match place(turns, id.index) {
            Ok(place) => {
                turns[place].1 = at_ms;
                false
            }
            Err(place) => {
                turns.insert(place, (id.index, at_ms));
                self.n_turns += 1;
                true
            }
        }
    }

    /// Takes in turns of one session, in order.
    pub fn extend(&mut self, session: SessionId, of_session: &[(TurnId, i64)]) {
        let turns = self.sessions.entry(session).or_default();
        if turns.is_empty() {
            turns.extend(of_session.iter().map(|(id, at_ms)| (id.index, *at_ms)));
            self.n_turns += turns.len();
            return;
        }
        for (id, at_ms) in of_session {
            self.insert(*id, *at_ms);
        }
    }

    /// Says whether the turn was there.
    pub fn remove(&mut self, id: TurnId) -> bool {
        let Some(turns) = self.sessions.get_mut(&id.session) else {
            return false;
        };
        let Ok(place) = place(turns, id.index) else {
            return false;
        };
        turns.remove(place);
        if turns.is_empty() {
            self.sessions.remove(&id.session);
        }
        self.n_turns -= 1;
        true
    }
}

fn place(turns: &[(u32, i64)], index: u32) -> Result<usize, usize> {
    turns.binary_search_by_key(&index, |(index, _)| *index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_map_of_turns(steps in prop::collection::vec((0i64..3, 0u32..6, -5i64..5, 0u8..4), 0..60)) {
            let (mut said, mut expected) = (Said::default(), BTreeMap::new());
            for (session, index, at_ms, step) in steps {
                let session = SessionId::new(session, 0);
                let id = TurnId { session, index };
                match step {
                    0 => prop_assert_eq!(said.remove(id), expected.remove(&id).is_some()),
                    1 => {
                        let run: Vec<(TurnId, i64)> = (index..index + 3)
                            .map(|index| (TurnId { session, index }, at_ms))
                            .collect();
                        said.extend(session, &run);
                        expected.extend(run);
                    }
                    _ => prop_assert_eq!(said.insert(id, at_ms), expected.insert(id, at_ms).is_none()),
                }
                prop_assert_eq!(said.len(), expected.len());
                prop_assert!(said.ids().eq(expected.keys().copied()));
                prop_assert_eq!(said.get(id), expected.get(&id).copied());
                let of_session = expected.iter().filter(|(id, _)| id.session == session);
                prop_assert_eq!(said.last_ms(session), of_session.map(|(_, at_ms)| *at_ms).max());
            }
        }
    }
}
