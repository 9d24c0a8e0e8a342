//! The words of a segment: its terms in order, and the documents of each.

use super::{DocNumber, SessionNumber};
use super::{Document, Entry, NO_SESSION, Postings, SessionLength};
use crate::recall::corpus::{Reader, SegmentError, Writer};

/// In a map of documents: this one is not among them.
const ABSENT: u32 = u32::MAX;

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

/// The words of a segment that is being read.
pub(crate) struct SegmentWords<'a> {
    terms: Terms,
    entries: Reader<'a>,
}

/// Terms in order, end to end.
struct Terms {
    text: String,
    /// Where each ends, and how many documents have it.
    ends: Vec<(u32, u32)>,
}

impl Terms {
    fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        let ends = starts.zip(&self.ends);
        ends.map(|(start, (end, n))| (&self.text[start as usize..*end as usize], *n))
    }
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

    /// Takes what [`Postings::write`] wrote from the front of a segment; the documents of each term are left for
    /// [`Postings::restore`].
    pub fn take_words<'a>(from: &mut Reader<'a>) -> Result<SegmentWords<'a>, SegmentError> {
        let damaged = || SegmentError::Damaged;
        let heads = from.list(|from| {
            let (shared, more) = (from.small()?, from.small()?);
            Ok((shared as usize, more as usize, from.small()?))
        })?;
        let mut rest = from.text()?;
        let n_entry_bytes = from.count()?;
        let entries = Reader(from.take(n_entry_bytes)?);
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
            let is_counted = n_docs as usize <= entries.0.len();
            if n_docs == 0 || !is_counted || u32::try_from(text.len()).is_err() {
                return Err(SegmentError::Damaged);
            }
            last = start..text.len();
            ends.push((text.len() as u32, n_docs));
        }
        if !rest.is_empty() {
            return Err(SegmentError::Damaged);
        }
        let terms = Terms { text, ends };
        Ok(SegmentWords { terms, entries })
    }

    /// The posting lists of all documents, given their lengths and sessions, and the words of each segment with the numbers
    /// that its documents have here; greater than all of the segment before, or none at all.
    pub fn restore(
        documents: &[(u32, Option<SessionNumber>)],
        segments: &[(SegmentWords, Vec<DocNumber>)],
    ) -> Result<Postings, SegmentError> {
        let mut postings = Postings::default();
        postings.documents.reserve_exact(documents.len());
        for (length, session) in documents {
            postings.enter(*length, *session);
        }
        let mut all: Vec<(&str, u32, usize)> = Vec::new();
        for (segment, (words, _)) in segments.iter().enumerate() {
            let terms = words.terms.iter();
            all.extend(terms.map(|(term, n_docs)| (term, n_docs, segment)));
        }
        // A stable sort finds the sorted runs that these are, and keeps the order of the segments.
        all.sort_by_key(|(term, ..)| *term);
        let mut entries: Vec<Reader> = segments.iter().map(|(w, _)| w.entries.clone()).collect();
        let mut terms = Vec::with_capacity(all.len());
        for same in all.chunk_by(|(a, ..), (b, ..)| a == b) {
            let n_docs = same.iter().map(|(_, n_docs, _)| *n_docs as usize).sum();
            let mut list: Vec<Entry> = Vec::with_capacity(n_docs);
            for (_, n_docs, segment) in same {
                read_entries(
                    &mut entries[*segment],
                    *n_docs,
                    &segments[*segment].1,
                    &mut list,
                )?;
            }
            if list.is_empty() {
                continue;
            }
            terms.push((Box::from(same[0].0), postings.lists.len() as u32));
            postings.lists.push(list);
        }
        if entries.iter().any(|entries| !entries.0.is_empty()) {
            return Err(SegmentError::Damaged);
        }
        postings.term_numbers = terms.into_iter().collect();
        Ok(postings)
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
        if doc != ABSENT {
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
