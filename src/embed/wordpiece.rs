//! BERT's uncased tokenizer: basic tokenizer, then greedy longest match.
//!
//! Follows the `tokenizers` library (`BertNormalizer`, `BertPreTokenizer`, `WordPiece`) so that a table or network made with that
//! library sees the ids it was made for.
//! Two differences are meant: names of special tokens in a text, such as `[SEP]`, are ordinary text here, because a chat message
//! must not be able to place one; and canonical decomposition is done character by character without reordering, which only
//! matters for marks that the tokenizer removes anyway.

use super::TableError;
use super::unicode_ranges::{FORMAT_OR_PRIVATE, NONSPACING_MARK, PUNCTUATION};
use unicode_normalization::char::decompose_canonical;

/// A longer word is not looked up piece by piece but becomes `[UNK]` (`max_input_chars_per_word` of the reference).
const LONGEST_WORD_CHARS: usize = 100;
const UNKNOWN: &str = "[UNK]";
/// What a piece begins with that continues a word.
const CONTINUATION: &str = "##";
/// An empty slot of the hash table; a vocabulary is never this large.
const FREE: u32 = u32::MAX;

/// Cuts texts into word pieces of one vocabulary.
///
/// The vocabulary stays one string; a piece is found through a hash table of row numbers, so 30,522 pieces take about 0.6 MB
/// and no allocation each.
#[derive(Debug, Clone)]
pub struct WordPiece {
    text: String,
    /// Start of each line in `text`; one more entry closes the last line.
    starts: Vec<u32>,
    /// Open addressing with linear probing; the length is a power of two and at least twice the number of lines.
    slots: Vec<u32>,
    unknown: u32,
    /// Length in bytes of the longest line, and of the longest continuation without its mark: no longer prefix needs a look-up.
    longest: [usize; 2],
}

impl WordPiece {
    /// Reads a vocabulary: one piece per line, its id the number of its line from 0.
    ///
    /// # Errors
    /// [`TableError::Vocabulary`] when a line is empty or occurs twice, or `[UNK]` is missing.
    pub fn new(vocabulary: &str) -> Result<WordPiece, TableError> {
        // Offsets are 32 bits wide.
        if vocabulary.len() >= FREE as usize {
            return Err(TableError::Vocabulary("it is larger than 4 GB"));
        }
        let mut starts = vec![0u32];
        let mut longest = [0; 2];
        for line in vocabulary.split('\n') {
            if line.is_empty() {
                return Err(TableError::Vocabulary("a line is empty"));
            }
            starts.push(starts[starts.len() - 1] + line.len() as u32 + 1);
            longest[0] = longest[0].max(line.len());
            longest[1] = longest[1].max(line.strip_prefix(CONTINUATION).map_or(0, str::len));
        }
        let lines = starts.len() - 1;
        let mut pieces = WordPiece {
            text: vocabulary.to_owned(),
            starts,
            slots: vec![FREE; (2 * lines).next_power_of_two()],
            unknown: 0,
            longest,
        };
        for id in 0..lines as u32 {
            let (mark, rest) = pieces.parts(id);
            let hash = rest
                .iter()
                .fold(hash_seed(mark), |hash, &byte| hash_step(hash, byte));
            let slot = match pieces.probe(hash, mark, rest) {
                Ok(_) => return Err(TableError::Vocabulary("a line occurs twice")),
                Err(free) => free,
            };
            pieces.slots[slot] = id;
        }
        pieces.unknown = pieces
            .id(UNKNOWN)
            .ok_or(TableError::Vocabulary("[UNK] is missing"))?;
        Ok(pieces)
    }

    /// Ids of the text's word pieces, without `[CLS]` and `[SEP]`, at most `limit` of them.
    ///
    /// A word with no pieces of its own becomes one `[UNK]`. Reading stops at the limit, so the cost of a long text is bounded.
    pub fn encode(&self, text: &str, limit: usize) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut word = Word::default();
        for c in text.chars() {
            if ids.len() >= limit {
                break;
            }
            if c.is_ascii_alphanumeric() {
                word.push(c.to_ascii_lowercase());
            } else if is_removed(c) {
                // A control character does not end a word.
            } else if c.is_whitespace() {
                self.finish(&mut word, &mut ids);
            } else if is_cjk(c) {
                self.finish(&mut word, &mut ids);
                decompose_canonical(c, |c| word.push(c));
                self.finish(&mut word, &mut ids);
            } else {
                decompose_canonical(c, |c| {
                    if is_nonspacing_mark(c) {
                        return;
                    }
                    for c in c.to_lowercase() {
                        if is_punctuation(c) {
                            self.finish(&mut word, &mut ids);
                            word.push(c);
                            self.finish(&mut word, &mut ids);
                        } else {
                            word.push(c);
                        }
                    }
                });
            }
        }
        self.finish(&mut word, &mut ids);
        ids.truncate(limit);
        ids
    }

    /// Number of pieces in the vocabulary.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether a piece continues a word, and its letters.
    pub(super) fn spelling(&self, id: u32) -> (bool, &str) {
        let (continues, letters) = self.parts(id);
        (continues, std::str::from_utf8(letters).unwrap_or_default())
    }

    /// The id of a word that has no pieces.
    pub(super) fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Appends the pieces of the word, longest match first, and empties it.
    fn finish(&self, word: &mut Word, ids: &mut Vec<u32>) {
        if word.chars == 0 {
            return;
        }
        let first = ids.len();
        let mut rest = word.text.as_bytes();
        let mut mark = false;
        while !rest.is_empty() {
            match self.longest_match(mark, rest) {
                Some((id, length)) if word.chars <= LONGEST_WORD_CHARS => {
                    ids.push(id);
                    rest = &rest[length..];
                    mark = true;
                }
                _ => {
                    ids.truncate(first);
                    ids.push(self.unknown);
                    break;
                }
            }
        }
        word.text.clear();
        word.chars = 0;
    }

    /// Id and length in bytes of the longest piece that `text` begins with.
    ///
    /// The hash of every prefix comes from one pass over the bytes.
    /// Prefixes are not cut at character boundaries: a piece is valid UTF-8, so only a whole number of characters can be equal to one.
    fn longest_match(&self, mark: bool, text: &[u8]) -> Option<(u32, usize)> {
        let mut hash = hash_seed(mark);
        let mut best = None;
        for (at, &byte) in text
            .iter()
            .take(self.longest[usize::from(mark)])
            .enumerate()
        {
            hash = hash_step(hash, byte);
            if let Ok(id) = self.probe(hash, mark, &text[..=at]) {
                best = Some((id, at + 1));
            }
        }
        best
    }

    fn id(&self, piece: &str) -> Option<u32> {
        let hash = piece.bytes().fold(hash_seed(false), hash_step);
        self.probe(hash, false, piece.as_bytes()).ok()
    }

    /// The id of the piece with this hash and spelling, or the free slot where it would be.
    fn probe(&self, hash: u32, mark: bool, spelling: &[u8]) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.slots[slot] {
                FREE => return Err(slot),
                id if self.parts(id) == (mark, spelling) => return Ok(id),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    /// Whether a piece continues a word, and its spelling without the mark.
    fn parts(&self, id: u32) -> (bool, &[u8]) {
        let (from, to) = (
            self.starts[id as usize] as usize,
            self.starts[id as usize + 1] as usize - 1,
        );
        let line = &self.text.as_bytes()[from..to];
        match line.strip_prefix(CONTINUATION.as_bytes()) {
            // "##" alone is text, not an empty continuation.
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, line),
        }
    }
}

/// The word being read. Its text stops growing once the word is too long to be looked up, so that no input can make it large.
#[derive(Default)]
struct Word {
    text: String,
    chars: usize,
}

impl Word {
    fn push(&mut self, c: char) {
        self.chars += 1;
        if self.chars <= LONGEST_WORD_CHARS {
            self.text.push(c);
        }
    }
}

/// FNV-1a, 32 bits; a continuation starts from another basis, which keeps "##a" and "a" apart.
fn hash_seed(mark: bool) -> u32 {
    if mark {
        0x811c_9dc5 ^ 0x5bd1_e995
    } else {
        0x811c_9dc5
    }
}

fn hash_step(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

/// Characters that are dropped without ending a word: category C except tab and line ends, and the replacement character.
fn is_removed(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffd}' => true,
        _ => c.is_control() || is_in(&FORMAT_OR_PRIVATE, c),
    }
}

/// Category P, and the ASCII symbols that BERT counts as punctuation, such as `$` and `^`.
fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_punctuation()
    } else {
        is_in(&PUNCTUATION, c)
    }
}

fn is_nonspacing_mark(c: char) -> bool {
    is_in(&NONSPACING_MARK, c)
}

/// Chinese characters stand alone; kana and Hangul do not. The ranges are the reference's, its gap below U+2B920 included.
fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2a6df}'
        | '\u{2a700}'..='\u{2b73f}' | '\u{2b740}'..='\u{2b81f}' | '\u{2b920}'..='\u{2ceaf}' | '\u{2f800}'..='\u{2fa1f}')
}

/// The tables begin above ASCII, which is most text.
fn is_in(ranges: &[(u32, u32)], c: char) -> bool {
    let code = u32::from(c);
    code >= 0x80
        && ranges
            .binary_search_by(|&(from, to)| {
                if to < code {
                    std::cmp::Ordering::Less
                } else if from > code {
                    std::cmp::Ordering::Greater
                } else {
                    std::cmp::Ordering::Equal
                }
            })
            .is_ok()
}
