//! From segments to a corpus.

use super::fact::{read_days, read_offset};
use super::{
    MAGIC, Reader, SegmentError, SegmentKey, VERSION, fact, key_mark, session_mark, turn_mark,
};
use crate::embed::are_words;
use crate::model::{Fact, FactId, Origin, RecordRef, SessionId, TurnId};
use crate::recall::Corpus;
use crate::recall::corpus::{FactEntry, Owner, day_of};
use crate::recall::postings::{DocNumber, Postings, REPLACED, SegmentWords, SessionNumber};
use crate::recall::turns::TurnEntry;
use crate::recall::voice::Voice;
use crate::text::AnswerForm;
use crate::time::Timestamp;
use std::collections::HashSet;
use std::ops::Range;

/// What segments hold beside what a corpus keeps.
#[derive(Debug, Default, PartialEq)]
pub struct Restored {
    /// Sessions with a record of their own, and whether they have ended.
    pub sessions: Vec<(SessionId, bool)>,
    /// Every turn, with words or without, and when it was said, in milliseconds since 1970.
    pub turns: Vec<(TurnId, i64)>,
    pub facts: Vec<Fact>,
    /// What each segment has something to say of, and whether that replaces something in an older one.
    pub keys: Vec<Vec<(SegmentKey, bool)>>,
}

/// A turn with words has at least so many bytes, two hashes among them, and a fact its id, two hashes and more: room is made for no
/// more of them than there can be.
const TURN_BYTES: usize = 22;
const FACT_BYTES: usize = 50;

/// Segments on their way into a corpus.
#[derive(Default)]
pub struct Restoring {
    restored: Restored,
    /// Of these nothing counts that is in older segments.
    replaced: HashSet<SegmentKey>,
    /// Terms and session of every document so far.
    lengths: Vec<(u32, Option<SessionNumber>)>,
    words: Vec<SegmentWords>,
}

impl Corpus {
    /// Fills an empty corpus from segments, the oldest first.
    ///
    /// It answers as one to which the same records were added. Fails whole: the corpus is of no use then.
    ///
    /// # Errors
    /// Whatever keeps one of the segments from being read, or from fitting the others.
    pub fn restore(&mut self, segments: &[&[u8]]) -> Result<Restored, SegmentError> {
        let mut restoring = Restoring::default();
        for bytes in segments.iter().rev() {
            self.take_segment(bytes, &mut restoring)?;
        }
        Ok(self.restored(restoring))
    }

    /// Takes one segment after another into a corpus that was empty, the newest first: what it replaces is known when the older ones
    /// come. Nothing can be recalled before [`Corpus::restored`].
    ///
    /// # Errors
    /// As [`Corpus::restore`].
    pub fn take_segment(
        &mut self,
        bytes: &[u8],
        restoring: &mut Restoring,
    ) -> Result<(), SegmentError> {
        let mut body = body_of(bytes)?;
        let keys = body.list(read_key)?;
        let own: HashSet<SegmentKey> = keys.iter().copied().collect();
        let mut filling = Filling {
            corpus: self,
            restoring,
            keys: keys.into_iter().map(|key| (key, true)).collect(),
            own,
            docs: Vec::new(),
            pieces: Vec::new(),
        };
        filling.records(&mut body)?;
        let Filling {
            docs, keys, own, ..
        } = filling;
        restoring.replaced.extend(own);
        restoring.restored.keys.push(keys);
        restoring
            .words
            .push(Postings::take_words(&mut body, &docs)?);
        self.take_vectors(&mut body, &docs)?;
        match body.0.is_empty() {
            true => Ok(()),
            false => Err(SegmentError::Damaged),
        }
    }

    /// Makes the corpus whole once the oldest segment was taken.
    pub fn restored(&mut self, restoring: Restoring) -> Restored {
        let Restoring {
            mut restored,
            lengths,
            words,
            ..
        } = restoring;
        self.postings = Postings::restore(&lengths, &words);
        restored.keys.reverse();
        restored
    }
}

/// Checks what does not depend on anything else, and gives the rest.
fn body_of(bytes: &[u8]) -> Result<Reader<'_>, SegmentError> {
    let mut reader = Reader(bytes);
    if reader.array() != Ok(MAGIC) {
        return Err(SegmentError::NotASegment);
    }
    let version = reader.byte()?;
    if version != VERSION {
        return Err(SegmentError::UnknownVersion(version));
    }
    let checksum = u32::from_le_bytes(reader.array()?);
    match crc32fast::hash(reader.0) == checksum {
        true => Ok(reader),
        false => Err(SegmentError::Damaged),
    }
}

fn read_key(from: &mut Reader) -> Result<SegmentKey, SegmentError> {
    let mark = from.byte()?;
    let bits = u128::from_le_bytes(from.array()?);
    Ok(match mark {
        key_mark::SESSION => SegmentKey::Session(SessionId::from_bits(bits)),
        key_mark::FACT => SegmentKey::Fact(FactId::from_bits(bits)),
        key_mark::TURN => SegmentKey::Turn(TurnId {
            session: SessionId::from_bits(bits),
            index: from.small()?,
        }),
        _ => return Err(SegmentError::Damaged),
    })
}

/// A corpus that is being filled with one segment after another.
struct Filling<'a> {
    corpus: &'a mut Corpus,
    restoring: &'a mut Restoring,
    /// What the segment has something to say of, and whether that replaces something in an older one.
    keys: Vec<(SegmentKey, bool)>,
    /// What it replaces.
    own: HashSet<SegmentKey>,
    /// The numbers that the segment's documents have here, or [`REPLACED`].
    docs: Vec<DocNumber>,
    /// Terms of the pieces of the turn that is being read.
    pieces: Vec<u32>,
}

/// A turn as it was read, before it has documents.
struct ReadTurn {
    spans: Vec<Range<u32>>,
    entry: TurnEntry,
}

impl Filling<'_> {
    /// Whether what the segment holds of a record counts: nothing newer replaces it.
    fn counts(&mut self, key: SegmentKey) -> bool {
        if !self.own.contains(&key) {
            self.keys.push((key, false));
        }
        !self.restoring.replaced.contains(&key)
    }

    fn records(&mut self, from: &mut Reader) -> Result<(), SegmentError> {
        let voices = from.list(Reader::text)?;
        let n_sessions = from.count()?;
        let mut last = None;
        for _ in 0..n_sessions {
            let session = SessionId::from_bits(u128::from_le_bytes(from.array()?));
            if last.replace(session).is_some_and(|last| last >= session) {
                return Err(SegmentError::Damaged);
            }
            let marks = from.byte()?;
            if marks & session_mark::IS_STORED != 0 && self.counts(SegmentKey::Session(session)) {
                let has_ended = marks & session_mark::HAS_ENDED != 0;
                let sessions = &mut self.restoring.restored.sessions;
                sessions.push((session, has_ended));
            }
            self.turns(session, &voices, from)?;
        }
        let n_facts = from.count()?;
        self.corpus
            .facts
            .reserve(n_facts.min(from.0.len() / FACT_BYTES));
        for _ in 0..n_facts {
            let doc = self.restoring.lengths.len() as DocNumber;
            let (fact, entry, length) = fact::read(from, doc)?;
            if !self.counts(SegmentKey::Fact(fact.id)) {
                self.docs.push(REPLACED);
                continue;
            }
            self.document(Owner::Fact(self.corpus.fact_ids.len() as u32), None, length);
            self.corpus.fact_ids.push(fact.id);
            self.corpus.enter_fact(fact.id, entry)?;
            self.restoring.restored.facts.push(fact);
        }
        Ok(())
    }

    /// Of one session. A browser runs a function as better code from its next call on, so this is none that is inlined.
    #[inline(never)]
    fn turns(
        &mut self,
        session: SessionId,
        voices: &[&str],
        from: &mut Reader,
    ) -> Result<(), SegmentError> {
        let (mut next_index, mut last_ms) = (0u32, 0i64);
        let mut number = None;
        let n_turns = from.count()?;
        let mut entries = Vec::with_capacity(n_turns.min(from.0.len() / TURN_BYTES));
        // Neighbours were mostly said on one day.
        let (mut day, mut n_on_day) = (0, 0);
        for _ in 0..n_turns {
            let index = next_index.checked_add(from.small()?);
            let index = index.ok_or(SegmentError::Damaged)?;
            let id = TurnId { session, index };
            last_ms = last_ms.wrapping_add(from.signed()?);
            // The greatest index has none after it.
            next_index = index.saturating_add(1);
            let counts = self.counts(SegmentKey::Turn(id));
            if counts {
                self.restoring.restored.turns.push((id, last_ms));
            }
            let marks = from.byte()?;
            if marks & turn_mark::HAS_WORDS == 0 {
                continue;
            }
            let mut turn = self.turn(marks, last_ms, voices, counts, from)?;
            let n_pieces = self.pieces.len();
            if !counts {
                self.docs.resize(self.docs.len() + n_pieces, REPLACED);
                continue;
            }
            let number = *number.get_or_insert_with(|| self.corpus.session_number(session));
            let first = self.restoring.lengths.len() as DocNumber;
            for piece in 0..n_pieces {
                let owner = Owner::Turn {
                    session: number,
                    index,
                    piece: piece as u16,
                };
                let said = Some((number, turn.entry.voice));
                self.document(owner, said, self.pieces[piece]);
            }
            turn.entry.docs = first..self.restoring.lengths.len() as DocNumber;
            turn.entry.session = number;
            turn.entry.spans = turn.spans.into();
            if n_on_day > 0 && day != turn.entry.day.first {
                self.corpus.calendar.add_turns(day, session, n_on_day);
                n_on_day = 0;
            }
            day = turn.entry.day.first;
            n_on_day += 1;
            entries.push((index, turn.entry));
        }
        if entries.is_empty() {
            return Ok(());
        }
        self.corpus.calendar.add_turns(day, session, n_on_day);
        match self.corpus.turns.insert_all(session, entries) {
            true => Ok(()),
            false => Err(SegmentError::Damaged),
        }
    }

    fn turn(
        &mut self,
        marks: u8,
        unix_ms: i64,
        voices: &[&str],
        counts: bool,
        from: &mut Reader,
    ) -> Result<ReadTurn, SegmentError> {
        let at = Timestamp {
            unix_ms,
            offset_min: read_offset(from)?,
        };
        let (origin, unnamed) = match marks & turn_mark::BY_ASSISTANT {
            0 => (Origin::User, Voice::User),
            _ => (Origin::Assistant, Voice::Assistant),
        };
        let voice = match marks & turn_mark::HAS_NAME {
            0 => unnamed,
            _ => {
                let name = voices.get(from.small()? as usize);
                let name = name.ok_or(SegmentError::Damaged)?;
                match counts {
                    true => self.corpus.voices.enter_named(name),
                    false => unnamed,
                }
            }
        };
        let length = from.small()?;
        let is_whole = marks & turn_mark::IS_WHOLE != 0;
        let n_pieces = if is_whole { 1 } else { from.count()? };
        if n_pieces == 0 || n_pieces > usize::from(u16::MAX) + 1 {
            return Err(SegmentError::Damaged);
        }
        let mut spans = Vec::new();
        self.pieces.clear();
        let mut end = 0i64;
        for _ in 0..n_pieces {
            if !is_whole {
                let start = end.checked_add(from.signed()?);
                let start = start.ok_or(SegmentError::Damaged)?;
                end = start.saturating_add(from.small()?.into());
                let in_units = |at: i64| u32::try_from(at).map_err(|_| SegmentError::Damaged);
                spans.push(in_units(start)?..in_units(end)?);
            }
            self.pieces.push(from.small()?);
        }
        let pieces = self.pieces.iter();
        let n_terms = pieces.fold(0u32, |sum, n| sum.saturating_add(*n));
        let entry = TurnEntry {
            docs: 0..0,
            spans: Box::default(),
            session: 0,
            voice,
            origin,
            at,
            day: day_of(at),
            named_days: read_days(from)?,
            form: AnswerForm::from_bits(marks >> turn_mark::FORM_SHIFT),
            n_terms,
            asks: marks & turn_mark::ASKS != 0,
            length,
            wording: u64::from_le_bytes(from.array()?),
            text_hash: u64::from_le_bytes(from.array()?),
        };
        Ok(ReadTurn { spans, entry })
    }

    fn document(&mut self, owner: Owner, said: Option<(SessionNumber, Voice)>, length: u32) {
        self.docs.push(self.restoring.lengths.len() as DocNumber);
        self.corpus.documents.push(Some(owner));
        self.corpus.voice_of.push(said.map(|(_, voice)| voice));
        let session = said.map(|(session, _)| session);
        self.restoring.lengths.push((length, session));
    }
}

impl Corpus {
    fn take_vectors(&mut self, from: &mut Reader, docs: &[DocNumber]) -> Result<(), SegmentError> {
        let dimensions = from.number()?;
        let expected = self.dense.as_ref().map_or(0, |d| d.spec().dimensions);
        if dimensions != expected as u64 {
            return Err(SegmentError::WrongDimensions);
        }
        let Some(dense) = &mut self.dense else {
            return Ok(());
        };
        let bits = from.take(docs.len().div_ceil(8))?;
        dense.reserve(docs.len());
        let has_vector = |i: usize| bits[i / 8] >> (i % 8) & 1 == 1;
        for (i, doc) in docs.iter().enumerate().filter(|(i, _)| has_vector(*i)) {
            let row = from.take(dense.row_bytes())?;
            if *doc != REPLACED {
                dense
                    .add_row(*doc, row)
                    .map_err(|_| SegmentError::Damaged)?;
            }
            debug_assert!(i < docs.len());
        }
        if from.0.is_empty() {
            return Ok(());
        }
        for (_, doc) in docs.iter().enumerate().filter(|(i, _)| has_vector(*i)) {
            let n = from.count()?;
            let words = from.take(n)?;
            if n > 0 && !are_words(words) {
                return Err(SegmentError::Damaged);
            }
            if *doc != REPLACED {
                dense.add_words(*doc, words);
            }
        }
        Ok(())
    }

    /// What [`Corpus::add_fact`] does beside the words.
    fn enter_fact(&mut self, id: FactId, entry: FactEntry) -> Result<(), SegmentError> {
        if let Some((turn, _)) = &entry.evidence {
            self.facts_of_turn.entry(*turn).or_default().insert(id);
        }
        self.enter_versions(id, entry.supersedes, entry.superseded_by);
        self.names.add(entry.doc, &entry.names);
        let day = entry.days[0].first;
        self.calendar.add(day, RecordRef::Fact(id));
        match self.facts.insert(id, entry) {
            None => Ok(()),
            Some(_) => Err(SegmentError::Damaged),
        }
    }
}
