//! The turns of a corpus, side by side as they were said.
//!
//! A score looks at the two turns before and after; in one map of all turns each look is a search, here it is a step.

use super::postings::{DocNumber, SessionNumber};
use super::voice::Voice;
use crate::model::{Origin, SessionId, TurnId};
use crate::text::{AnswerForm, DaySpan};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::ops::Range;

/// What recall keeps of a turn.
pub(super) struct TurnEntry {
    /// One document per piece.
    pub docs: Range<DocNumber>,
    /// Of each piece, in UTF-16 code units of the turn's text; nothing where the one piece is the whole text.
    pub spans: Box<[Range<u32>]>,
    pub session: SessionNumber,
    pub voice: Voice,
    pub origin: Origin,
    pub at: Timestamp,
    /// Its own day, counted from 1970-01-01.
    pub day: DaySpan,
    /// The days that it names.
    pub named_days: Box<[DaySpan]>,
    pub form: AnswerForm,
    pub n_terms: u32,
    pub asks: bool,
    /// Of the whole text, in UTF-16 code units.
    pub length: u32,
    /// Equal for equal wording.
    pub wording: u64,
    pub text_hash: u64,
}

impl TurnEntry {
    /// The part of the text that a piece is, in UTF-16 code units.
    pub fn span(&self, piece: usize) -> Range<u32> {
        self.spans.get(piece).cloned().unwrap_or(0..self.length)
    }

    /// Its own day, then those that it names.
    pub fn days(&self) -> impl Iterator<Item = DaySpan> + Clone {
        std::iter::once(self.day).chain(self.named_days.iter().copied())
    }
}

/// All turns, by session, each session's in their order.
#[derive(Default)]
pub(super) struct Turns {
    sessions: BTreeMap<SessionId, Session>,
    n_turns: usize,
}

#[derive(Default)]
struct Session {
    /// Ascending; those of `entries`.
    indices: Vec<u32>,
    entries: Vec<TurnEntry>,
}

/// Where a turn stands among the others of its session.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    id: SessionId,
    session: &'a Session,
    position: usize,
}

impl<'a> Place<'a> {
    pub fn id(self) -> TurnId {
        TurnId {
            session: self.id,
            index: self.session.indices[self.position],
        }
    }

    pub fn turn(self) -> &'a TurnEntry {
        &self.session.entries[self.position]
    }

    pub fn before(self) -> Option<Place<'a>> {
        let position = self.position.checked_sub(1)?;
        Some(Place { position, ..self })
    }

    pub fn after(self) -> Option<Place<'a>> {
        let position = self.position + 1;
        (position < self.session.entries.len()).then_some(Place { position, ..self })
    }
}

impl Turns {
    pub fn len(&self) -> usize {
        self.n_turns
    }

    pub fn get(&self, id: TurnId) -> Option<&TurnEntry> {
        self.place(id).map(Place::turn)
    }

    pub fn place(&self, id: TurnId) -> Option<Place<'_>> {
        let session = self.sessions.get(&id.session)?;
        let position = session.indices.binary_search(&id.index).ok()?;
        Some(Place {
            id: id.session,
            session,
            position,
        })
    }

    /// Adds a turn that is not there yet; says whether it was not.
    pub fn insert(&mut self, id: TurnId, turn: TurnEntry) -> bool {
        let session = self.sessions.entry(id.session).or_default();
        let position = session.indices.partition_point(|index| *index < id.index);
        if session.indices.get(position) == Some(&id.index) {
            return false;
        }
        if session.entries.len() == session.entries.capacity() {
            // Doubling would leave a third of the memory unused.
            let more = (session.entries.len() / 4).max(4);
            session.entries.reserve_exact(more);
            session.indices.reserve_exact(more);
        }
        session.indices.insert(position, id.index);
        session.entries.insert(position, turn);
        self.n_turns += 1;
        true
    }

    /// Adds turns of a session, in order of their indices; says whether none of them was there.
    pub fn insert_all(&mut self, id: SessionId, turns: Vec<(u32, TurnEntry)>) -> bool {
        let session = self.sessions.entry(id).or_default();
        if !session.entries.is_empty() {
            let turn_id = |index| TurnId { session: id, index };
            return turns
                .into_iter()
                .all(|(index, turn)| self.insert(turn_id(index), turn));
        }
        self.n_turns += turns.len();
        (session.indices, session.entries) = turns.into_iter().unzip();
        session.indices.is_sorted_by(|one, next| one < next)
    }

    pub fn remove(&mut self, id: TurnId) -> Option<TurnEntry> {
        let session = self.sessions.get_mut(&id.session)?;
        let position = session.indices.binary_search(&id.index).ok()?;
        session.indices.remove(position);
        let turn = session.entries.remove(position);
        if session.entries.is_empty() {
            self.sessions.remove(&id.session);
        }
        self.n_turns -= 1;
        Some(turn)
    }

    /// All of them, in order.
    pub fn ids(&self) -> impl Iterator<Item = TurnId> {
        self.sessions.iter().flat_map(|(session, turns)| {
            let with_session = |index: &u32| TurnId {
                session: *session,
                index: *index,
            };
            turns.indices.iter().map(with_session)
        })
    }

    pub fn of_session(&self, session: SessionId) -> &[TurnEntry] {
        self.sessions
            .get(&session)
            .map_or(&[], |turns| &turns.entries)
    }

    /// The turn before this one, which itself need not be here.
    pub fn before(&self, id: TurnId) -> Option<TurnId> {
        let session = self.sessions.get(&id.session)?;
        let position = session.indices.partition_point(|index| *index < id.index);
        let index = *session.indices.get(position.checked_sub(1)?)?;
        Some(TurnId { index, ..id })
    }

    /// The turn after this one, which itself need not be here.
    pub fn after(&self, id: TurnId) -> Option<TurnId> {
        let session = self.sessions.get(&id.session)?;
        let position = session.indices.partition_point(|index| *index <= id.index);
        let index = *session.indices.get(position)?;
        Some(TurnId { index, ..id })
    }

    /// Heap bytes, to a node of the map of sessions.
    pub fn bytes(&self) -> usize {
        let of_entry = |turn: &TurnEntry| {
            size_of_val::<[Range<u32>]>(&turn.spans) + size_of_val::<[DaySpan]>(&turn.named_days)
        };
        let of_session = |session: &Session| {
            session.indices.capacity() * size_of::<u32>()
                + session.entries.capacity() * size_of::<TurnEntry>()
                + session.entries.iter().map(of_entry).sum::<usize>()
        };
        let sessions: usize = self.sessions.values().map(of_session).sum();
        sessions + super::bytes::of_map::<SessionId, Session>(self.sessions.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(session: i64, index: u32) -> TurnId {
        TurnId {
            session: SessionId::new(session, 0),
            index,
        }
    }

    fn entry(length: u32) -> TurnEntry {
        TurnEntry {
            docs: 0..1,
            spans: Box::default(),
            session: 0,
            voice: Voice::User,
            origin: Origin::User,
            at: Timestamp::utc(0),
            day: DaySpan::day(0),
            named_days: Box::default(),
            form: AnswerForm::default(),
            n_terms: 0,
            asks: false,
            length,
            wording: 0,
            text_hash: 0,
        }
    }

    #[test]
    fn turns_stand_beside_those_of_their_session_in_any_order_of_coming() {
        let mut turns = Turns::default();
        for (session, index) in [(2, 4), (1, 7), (2, 1), (2, 9), (1, 3)] {
            turns.insert(id(session, index), entry(index));
        }
        let all = [id(1, 3), id(1, 7), id(2, 1), id(2, 4), id(2, 9)];
        assert_eq!(turns.ids().collect::<Vec<_>>(), all);
        assert_eq!(turns.len(), 5);
        let lengths = turns.of_session(SessionId::new(2, 0)).iter();
        assert_eq!(
            lengths.map(|turn| turn.length).collect::<Vec<_>>(),
            [1, 4, 9]
        );

        let middle = turns.place(id(2, 4)).unwrap();
        assert_eq!((middle.id(), middle.turn().length), (id(2, 4), 4));
        assert_eq!(middle.before().map(Place::id), Some(id(2, 1)));
        assert_eq!(middle.after().map(Place::id), Some(id(2, 9)));
        assert!(middle.before().unwrap().before().is_none());
        assert!(middle.after().unwrap().after().is_none());
        assert!(turns.place(id(2, 5)).is_none());

        // Of a turn that is gone the neighbours are still known.
        assert_eq!(turns.remove(id(2, 4)).map(|turn| turn.length), Some(4));
        assert!(turns.remove(id(2, 4)).is_none());
        assert_eq!(turns.before(id(2, 4)), Some(id(2, 1)));
        assert_eq!(turns.after(id(2, 4)), Some(id(2, 9)));
        assert_eq!(turns.before(id(2, 1)), None);
        assert_eq!(turns.after(id(1, 7)), None);

        assert!(turns.remove(id(1, 3)).is_some() && turns.remove(id(1, 7)).is_some());
        assert_eq!(turns.len(), 2);
        assert_eq!(turns.before(id(1, 9)), None);
    }
}
