//! From a corpus to a segment.

use super::{Draft, MAGIC, SegmentKey, VERSION, Writer, fact, key_mark, session_mark, turn_mark};
use crate::model::{Origin, RecordRef, SessionId, TurnId};
use crate::recall::Corpus;
use crate::recall::lane::dense::Dense;
use crate::recall::postings::{DocNumber, LocalDocs};
use crate::recall::turns::TurnEntry;
use crate::text::DaySpan;
use std::collections::{BTreeMap, BTreeSet};

impl Corpus {
    /// Whether all that a segment would hold of a record is here: none of its texts still wants a vector.
    pub fn is_settled(&self, key: SegmentKey) -> bool {
        let record = match key {
            SegmentKey::Session(_) => return true,
            SegmentKey::Turn(id) => RecordRef::Turn(id),
            SegmentKey::Fact(id) => RecordRef::Fact(id),
        };
        let mut docs = self.documents_of(record);
        docs.all(|doc| self.generations().all(|dense| dense.wanted(doc).is_none()))
    }

    /// A segment of these records, with the vectors of the generation that serves.
    pub fn write_segment(&self, draft: &Draft) -> Vec<u8> {
        let mut body = Writer::default();
        body.count(draft.replaced.len());
        draft
            .replaced
            .iter()
            .for_each(|key| write_key(*key, &mut body));
        let voices = self.write_voices(draft, &mut body);
        let mut docs = Vec::new();
        self.write_sessions(draft, &voices, &mut docs, &mut body);
        body.count(draft.facts.len());
        for fact in &draft.facts {
            // A fact that is not in the corpus can not be recalled; whoever drafts takes what is there.
            let entry = &self.facts[&fact.id];
            fact::write(fact, entry, self.postings.length(entry.doc), &mut body);
            docs.push(entry.doc);
        }
        self.postings.write(&LocalDocs::new(&docs), &mut body);
        write_vectors(self.dense.as_ref(), &docs, &mut body);

        let mut segment = Writer::default();
        segment.bytes(&MAGIC);
        segment.byte(VERSION);
        segment.bytes(&crc32fast::hash(&body.0).to_le_bytes());
        segment.bytes(&body.0);
        segment.0
    }

    /// The names of those who speak in it, and their numbers here.
    fn write_voices<'a>(&'a self, draft: &Draft, out: &mut Writer) -> BTreeMap<&'a str, usize> {
        let turns = draft.turns.keys().filter_map(|id| self.turns.get(*id));
        let names: BTreeSet<&str> = turns
            .filter_map(|turn| self.voices.name_of(turn.voice))
            .collect();
        out.count(names.len());
        names.iter().for_each(|name| out.text(name));
        names.into_iter().zip(0..).collect()
    }

    fn write_sessions(
        &self,
        draft: &Draft,
        voices: &BTreeMap<&str, usize>,
        docs: &mut Vec<DocNumber>,
        out: &mut Writer,
    ) {
        let mut turns_of: BTreeMap<SessionId, Vec<(TurnId, i64)>> = BTreeMap::new();
        for session in draft.sessions.keys() {
            turns_of.insert(*session, Vec::new());
        }
        for (id, ms) in &draft.turns {
            turns_of.entry(id.session).or_default().push((*id, *ms));
        }
        out.count(turns_of.len());
        for (session, turns) in turns_of {
            let marks = match draft.sessions.get(&session) {
                None => 0,
                Some(false) => session_mark::IS_STORED,
                Some(true) => session_mark::IS_STORED | session_mark::HAS_ENDED,
            };
            out.bytes(&session.bits().to_le_bytes());
            out.byte(marks);
            out.count(turns.len());
            let (mut next_index, mut last_ms) = (0, 0i64);
            for (id, ms) in turns {
                let entry = self.turns.get(id);
                out.number(u64::from(id.index) - next_index);
                out.signed(ms.wrapping_sub(last_ms));
                match entry {
                    Some(entry) => {
                        self.write_turn(entry, voices, out);
                        docs.extend(entry.docs.clone());
                    }
                    None => out.byte(0),
                }
                next_index = u64::from(id.index) + 1;
                last_ms = ms;
            }
        }
    }

    fn write_turn(&self, turn: &TurnEntry, voices: &BTreeMap<&str, usize>, out: &mut Writer) {
        let name = self.voices.name_of(turn.voice);
        let mark = |is: bool, mark: u8| if is { mark } else { 0 };
        out.byte(
            turn_mark::HAS_WORDS
                | mark(turn.asks, turn_mark::ASKS)
                | mark(name.is_some(), turn_mark::HAS_NAME)
                | mark(turn.spans.is_empty(), turn_mark::IS_WHOLE)
                | mark(turn.origin == Origin::Assistant, turn_mark::BY_ASSISTANT)
                | turn.form.bits() << turn_mark::FORM_SHIFT,
        );
        out.signed(turn.at.offset_min.into());
        if let Some(name) = name {
            out.count(voices[name]);
        }
        out.number(turn.length.into());
        if !turn.spans.is_empty() {
            out.count(turn.spans.len());
        }
        let mut end = 0;
        for (span, doc) in turn.spans.iter().zip(turn.docs.clone()) {
            out.signed(i64::from(span.start) - i64::from(end));
            out.number((span.end - span.start).into());
            out.number(self.postings.length(doc).into());
            end = span.end;
        }
        if turn.spans.is_empty() {
            out.number(self.postings.length(turn.docs.start).into());
        }
        write_days(&turn.named_days, out);
        out.bytes(&turn.wording.to_le_bytes());
        out.bytes(&turn.text_hash.to_le_bytes());
    }
}

fn write_key(key: SegmentKey, out: &mut Writer) {
    let (mark, id) = match key {
        SegmentKey::Session(id) => (key_mark::SESSION, id.bits()),
        SegmentKey::Turn(id) => (key_mark::TURN, id.session.bits()),
        SegmentKey::Fact(id) => (key_mark::FACT, id.bits()),
    };
    out.byte(mark);
    out.bytes(&id.to_le_bytes());
    if let SegmentKey::Turn(id) = key {
        out.number(id.index.into());
    }
}

pub(super) fn write_days(days: &[DaySpan], out: &mut Writer) {
    out.count(days.len());
    for days in days {
        out.signed(days.first.into());
        out.number((days.last - days.first) as u64);
    }
}

/// The components of a vector, 0 for none; which documents have one; their rows; and the words of each, if any has some.
fn write_vectors(dense: Option<&Dense>, docs: &[DocNumber], out: &mut Writer) {
    let Some(dense) = dense else {
        return out.number(0);
    };
    out.count(dense.spec().dimensions);
    let rows: Vec<Option<Vec<u8>>> = docs.iter().map(|doc| dense.index().row(*doc)).collect();
    for eight in rows.chunks(8) {
        let bits = eight.iter().zip(0..);
        out.byte(bits.map(|(row, i)| u8::from(row.is_some()) << i).sum());
    }
    rows.iter().flatten().for_each(|row| out.bytes(row));
    // Last of all and only where there are some: what an embedder does not give takes no room.
    if docs.iter().any(|doc| dense.words(*doc).is_some()) {
        let with_vector = docs.iter().zip(&rows).filter(|(_, row)| row.is_some());
        for (doc, _) in with_vector {
            let words = dense.words(*doc).unwrap_or_default();
            out.count(words.len());
            out.bytes(words);
        }
    }
}
