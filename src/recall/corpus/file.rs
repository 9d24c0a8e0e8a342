//! Memory files as documents: one to a piece, like turns, but said by nobody and beside nothing.

use super::{Corpus, Owner, Piece, day_of, hash, named_days, wording};
use crate::model::{File, FileId, RecordRef};
use crate::recall::postings::DocNumber;
use crate::text::{AnswerForm, DaySpan, pieces};
use crate::time::Timestamp;
use std::ops::Range;

pub(in crate::recall) struct FileEntry {
    /// One document per piece.
    pub docs: Range<DocNumber>,
    /// Of each piece, in UTF-16 code units of the text.
    pub spans: Box<[Range<u32>]>,
    /// When it was last written.
    pub at: Timestamp,
    /// The day it was written, then those that it names.
    pub days: Box<[DaySpan]>,
    pub form: AnswerForm,
    pub wording: u64,
    text_hash: u64,
}

impl FileEntry {
    /// Whether the same file made both.
    pub fn is_like(&self, other: &FileEntry) -> bool {
        (self.text_hash, self.at) == (other.text_hash, other.at) && self.spans == other.spans
    }
}

impl Corpus {
    /// Adds a memory file, in place of what it said before, and returns the texts that want a vector.
    ///
    /// Its path belongs to the words of every piece: "deploy" is found in `/memories/deploy.md`.
    pub fn add_file(&mut self, file: &File) -> Vec<Piece> {
        let record = RecordRef::File(file.id);
        let text_hash = hash(&file.text);
        if let Some(known) = self.files.get_mut(&file.id)
            && known.text_hash == text_hash
        {
            known.at = file.modified;
            known.days = days_of(file);
            let docs = known.docs.clone();
            return self.still_wanted(docs);
        }
        self.remove(record);
        let first = self.documents.len() as DocNumber;
        let mut spans = Vec::new();
        for (piece, span) in (0..=u16::MAX).zip(pieces(&file.text)) {
            let passage = &file.text[span.bytes];
            let to_match = format!("{} {passage}", path_words(&file.path));
            let owner = Owner::File {
                file: self.file_ids.len() as u32,
                piece,
            };
            self.add_document(owner, None, &to_match, passage);
            spans.push(span.utf16);
        }
        if spans.is_empty() {
            return Vec::new();
        }
        self.file_ids.push(file.id);
        let docs = first..self.documents.len() as DocNumber;
        let entry = FileEntry {
            docs: docs.clone(),
            spans: spans.into(),
            at: file.modified,
            days: days_of(file),
            form: AnswerForm::of(&file.text),
            wording: wording(&file.text),
            text_hash,
        };
        self.files.insert(file.id, entry);
        self.still_wanted(docs)
    }

    /// Takes a file out of everything but the document lists.
    pub(super) fn forget_file(&mut self, id: FileId) -> Option<Range<DocNumber>> {
        self.files.remove(&id).map(|file| file.docs)
    }
}

/// What a path says: its names, without the root and the last one's ending.
fn path_words(path: &str) -> &str {
    let below = path.strip_prefix("/memories/").unwrap_or(path);
    match below.rsplit_once('.') {
        Some((words, ending)) if !ending.contains('/') => words,
        _ => below,
    }
}

fn days_of(file: &File) -> Box<[DaySpan]> {
    let own = std::iter::once(day_of(file.modified));
    own.chain(named_days(&file.text, file.modified)).collect()
}
