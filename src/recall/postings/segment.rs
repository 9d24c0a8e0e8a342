//! The words of a segment: its terms in order, and the documents of each.

use super::{DocNumber, SessionNumber};
use super::{Document, Entry, NO_SESSION, Postings, SessionLength};
use crate::recall::corpus::{Reader, SegmentError, Writer};

/// In a map of documents: this one is not among them.
const ABSENT: u32 = u32::MAX;

/// In a map from the documents of a segment: replaced by a newer segment.
pub(crate) const REPLACED: DocNumber = DocNumber::MAX;

/// Beyond this a term is written out: a few bytes must not stand for a great text.
const MOST_SHARED: usize = 255;

/// The documents of a segment, by number here, with their numbers there.
pub(crate) struct LocalDocs {
    first: DocNumber,
    /// From `first`.
    numbers: Vec<u32>,
}

impl LocalDocs {
    /// The documents in the order of the segment.
    pub fn new(docs: &[DocNumber]) -> LocalDocs {
        let first = docs.iter().copied().min().unwrap_or(0);
        let end = docs.iter().max().map_or(0, |last| last + 1);
        let mut numbers = vec![ABSENT; (end - first) as usize];
        for (number, doc) in (0..).zip(docs) {
            numbers[(doc - first) as usize] = number;
        }
        LocalDocs { first, numbers }
    }

    fn get(&self, doc: DocNumber) -> Option<u32> {
        let number = self.numbers.get(doc.checked_sub(self.first)? as usize)?;
        (*number != ABSENT).then_some(*number)
    }
}

/// The words of a segment that was read: its terms in order, end to end, and their documents likewise.
pub(crate) struct SegmentWords {
    text: String,
    /// Where text and entries of each term end.
    ends: Vec<(u32, u32)>,
    entries: Vec<Entry>,
}

impl SegmentWords {
    fn iter(&self) -> impl Iterator<Item = (&str, &[Entry])> {
        let starts = std::iter::once(&(0, 0)).chain(&self.ends);
        starts.zip(&self.ends).map(|(start, end)| {
            let text = start.0 as usize..end.0 as usize;
            let entries = start.1 as usize..end.1 as usize;
            (&self.text[text], &self.entries[entries])
        })
    }
}

/// The first eight bytes of a term as a number: numbers that differ are in the order of their terms, and comparing them is one step.
fn beginning(term: &str) -> u64 {
    let mut bytes = [0; 8];
    let n = term.len().min(8);
    bytes[..n].copy_from_slice(&term.as_bytes()[..n]);
    u64::from_be_bytes(bytes)
}

impl Postings {
    /// Terms of a document, with repetitions.
    pub fn length(&self, doc: DocNumber) -> u32 {
        self.documents[doc as usize].length
    }

    /// Writes the terms of some documents, in order, each with how much of it is the beginning of the one before; then the rest of
    /// each; then their documents, as steps, doubled, with a lowest bit for those that have it more than once.
    pub fn write(&self, docs: &LocalDocs, out: &mut Writer) {
        let (mut heads, mut ends, mut entries) =
            (Writer::default(), Writer::default(), Writer::default());
        let (mut n_terms, mut last_term): (usize, &str) = (0, "");
        let mut found: Vec<(u32, u16)> = Vec::new();
        for (term, number) in &self.term_numbers {
            let list = &self.lists[*number as usize];
            let begin = list.partition_point(|entry| entry.doc < docs.first);
            found.clear();
            found.extend(list[begin..].iter().filter_map(|entry| {
                let doc = docs.get(entry.doc)?;
                Some((doc, entry.term_frequency))
            }));
            if found.is_empty() {
                continue;
            }
            found.sort_unstable();
            let shared = shared_bytes(last_term, term);
            heads.count(shared);
            heads.count(term.len() - shared);
            heads.count(found.len());
            ends.bytes(&term.as_bytes()[shared..]);
            let mut next = 0;
            for (doc, frequency) in &found {
                let step = u64::from(doc - next) << 1;
                entries.number(step | u64::from(*frequency > 1));
                if *frequency > 1 {
                    entries.number((*frequency).into());
                }
                next = doc + 1;
            }
            n_terms += 1;
            last_term = term;
        }
        out.count(n_terms);
        out.bytes(&heads.0);
        out.count(ends.0.len());
        out.bytes(&ends.0);
        out.count(entries.0.len());
        out.bytes(&entries.0);
    }

    /// Takes what [`Postings::write`] wrote from the front of a segment, given the numbers that its documents have here, or
    /// [`REPLACED`].
    pub fn take_words(from: &mut Reader, docs: &[DocNumber]) -> Result<SegmentWords, SegmentError> {
        let damaged = || SegmentError::Damaged;
        let heads = from.list(|from| {
            let (shared, more) = (from.small()?, from.small()?);
            Ok((shared as usize, more as usize, from.small()?))
        })?;
        let mut rest = from.text()?;
        let n_entry_bytes = from.count()?;
        let mut entry_bytes = Reader(from.take(n_entry_bytes)?);
        let n_entries = heads
            .iter()
            .fold(0usize, |n, head| n.saturating_add(head.2 as usize));
        // Each takes at least a byte.
        let mut entries = Vec::with_capacity(n_entries.min(n_entry_bytes));
        let mut text = String::with_capacity(2 * rest.len());
        let mut ends = Vec::with_capacity(heads.len());
        let mut last = 0..0;
        for (shared, more, n_docs) in heads {
            // Both are boundaries of letters, or there is nothing at these places.
            let own = rest.get(..more).ok_or_else(damaged)?;
            rest = &rest[more..];
            let start = text.len();
            if shared > last.len().min(MOST_SHARED) || !text.is_char_boundary(last.start + shared) {
                return Err(SegmentError::Damaged);
            }
            text.extend_from_within(last.start..last.start + shared);
            text.push_str(own);
            // Ascending, so that the terms of all segments are one sorted list of sorted lists.
            if start > 0 && text[last.clone()] >= text[start..] {
                return Err(SegmentError::Damaged);
            }
            if n_docs == 0 || u32::try_from(text.len()).is_err() {
                return Err(SegmentError::Damaged);
            }
            read_entries(&mut entry_bytes, n_docs, docs, &mut entries)?;
            last = start..text.len();
            ends.push((text.len() as u32, entries.len() as u32));
        }
        if !rest.is_empty() || !entry_bytes.0.is_empty() {
            return Err(SegmentError::Damaged);
        }
        Ok(SegmentWords {
            text,
            ends,
            entries,
        })
    }

    /// The posting lists of all documents, given their lengths and sessions, and the words of each segment; the numbers of its
    /// documents are greater than all of the segment before.
    pub fn restore(
        documents: &[(u32, Option<SessionNumber>)],
        segments: &[SegmentWords],
    ) -> Postings {
        let mut postings = Postings::default();
        postings.documents.reserve_exact(documents.len());
        for (length, session) in documents {
            postings.enter(*length, *session);
        }
        let n_terms = segments.iter().map(|words| words.ends.len()).sum();
        let mut all: Vec<(u64, &str, &[Entry])> = Vec::with_capacity(n_terms);
        for words in segments {
            let terms = words.iter();
            all.extend(terms.map(|(term, entries)| (beginning(term), term, entries)));
        }
        // A stable sort finds the sorted runs that these are, and keeps the order of the segments.
        all.sort_by(|(a, term, _), (b, other, _)| a.cmp(b).then_with(|| term.cmp(other)));
        let mut terms = Vec::with_capacity(all.len());
        for same in all.chunk_by(|(_, a, _), (_, b, _)| a == b) {
            let n_entries = same.iter().map(|(_, _, entries)| entries.len()).sum();
            if n_entries == 0 {
                continue;
            }
            let mut list: Vec<Entry> = Vec::with_capacity(n_entries);
            for (_, _, entries) in same {
                list.extend_from_slice(entries);
            }
            terms.push((Box::from(same[0].1), postings.lists.len() as u32));
            postings.lists.push(list);
        }
        postings.term_numbers = terms.into_iter().collect();
        postings
    }

    /// Counts a document in everything but the lists.
    pub(super) fn enter(&mut self, length: u32, session: Option<SessionNumber>) {
        self.documents.push(Document {
            length,
            session: session.unwrap_or(NO_SESSION),
        });
        self.n_live += 1;
        self.total_length += u64::from(length);
        if let Some(session) = session {
            let needed = self.sessions.len().max(session as usize + 1);
            self.sessions.resize(needed, SessionLength::default());
            let session = &mut self.sessions[session as usize];
            session.n_docs += 1;
            session.length += u64::from(length);
        }
    }
}

fn read_entries(
    from: &mut Reader,
    n_docs: u32,
    docs: &[DocNumber],
    list: &mut Vec<Entry>,
) -> Result<(), SegmentError> {
    let mut next = 0u64;
    for _ in 0..n_docs {
        let number = from.number()?;
        let local = next.saturating_add(number >> 1);
        let doc = usize::try_from(local)
            .ok()
            .and_then(|local| docs.get(local));
        let doc = *doc.ok_or(SegmentError::Damaged)?;
        let term_frequency = match number & 1 {
            0 => 1,
            _ => match u16::try_from(from.number()?) {
                Ok(frequency) if frequency > 1 => frequency,
                _ => return Err(SegmentError::Damaged),
            },
        };
        next = local + 1;
        if doc != REPLACED {
            list.push(Entry {
                doc,
                term_frequency,
            });
        }
    }
    Ok(())
}

/// How many bytes two terms have in common at their beginning, to a whole letter.
fn shared_bytes(a: &str, b: &str) -> usize {
    let pairs = a.bytes().zip(b.bytes()).take(MOST_SHARED);
    let same = pairs.take_while(|(a, b)| a == b).count();
    let is_boundary = |at: &usize| a.is_char_boundary(*at) && b.is_char_boundary(*at);
    (0..=same).rev().find(is_boundary).unwrap_or(0)
}
