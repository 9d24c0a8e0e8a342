//! SentencePiece's unigram tokenizer, as XLM-RoBERTa and multilingual-e5 use it.
//!
//! A text's letters and marks are composed, its characters replaced by rules, it is cut at spaces, and each word is cut into the
//! pieces whose scores add up to most. Rules and pieces come with the weights, so nothing here knows a character but the space's
//! stand-in `▁`.
//!
//! The reference keeps 220,000 rules for sequences of characters that NFKC changes. All but the 5,000 for single characters say what
//! canonical composition of neighbours says, which needs no table of its own; like them it does not put marks into another order.
//!
//! Names of special pieces in a text, such as `</s>`, are ordinary text: their strings are empty in the file, because a chat
//! message must not be able to place one.

use super::spellings::Spellings;
use unicode_normalization::char::compose;

/// What a space becomes: every word begins with it.
const SPACE_MARK: &str = "▁";
/// An unknown character costs this much more than the least likely piece (SentencePiece's own figure).
const UNKNOWN_PENALTY: f64 = 10.0;
/// Words are cut before they are segmented where they are longer, so that a text without spaces takes no more memory than one
/// with them. No word of a language that has them comes near; in a text without spaces it is a sentence or more.
const LONGEST_WORD_BYTES: usize = 4096;
/// Two sizes and the id of what is unknown.
const HEADER_BYTES: usize = 12;

/// Cuts texts into the most likely pieces of one vocabulary.
#[derive(Clone)]
pub(super) struct Unigram {
    rules: Rules,
    pieces: Spellings,
    /// Logarithm of the likelihood of each piece.
    scores: Vec<f32>,
    unknown: u32,
    unknown_score: f64,
}

/// Replacements of single characters.
#[derive(Clone)]
struct Rules {
    /// Code points in ascending order.
    from: Vec<u32>,
    to: String,
    /// Start of each replacement; one more entry closes the last one.
    to_starts: Vec<u32>,
}

impl Unigram {
    /// Reads the tokenizer's part of a weight file (`docs/format-embedding-weights.md`).
    pub(super) fn from_bytes(bytes: &[u8], n_pieces: usize) -> Result<Unigram, &'static str> {
        const SHORT: &str = "its parts are not as long as it says";
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(SHORT)?;
        let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| header[at + i])) as usize;
        let (n_rules, to_bytes, unknown) = (number(0), number(4), number(8));
        let mut rest = &bytes[HEADER_BYTES..];
        let mut take = |length: Option<usize>| {
            let (part, after) = rest.split_at_checked(length?)?;
            rest = after;
            Some(part)
        };
        let mut parts = || {
            Some([
                take(n_rules.checked_mul(4))?,
                take(Some(n_rules))?,
                take(Some(to_bytes))?,
                take(n_pieces.checked_mul(4))?,
                take(Some(n_pieces))?,
            ])
        };
        let [from, to_lengths, to, scores, lengths] = parts().ok_or(SHORT)?;
        let to = std::str::from_utf8(to).map_err(|_| "a replacement is not UTF-8")?;
        let rules = Rules::new(from, to, to_lengths)?;
        let pieces = Spellings::new(rest, lengths)?;
        let scores: Vec<f32> = scores
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
            .collect();
        if !scores.iter().all(|score| score.is_finite()) {
            return Err("a score is not a number");
        }
        if unknown >= n_pieces {
            return Err("the unknown piece is not in the vocabulary");
        }
        let least = scores.iter().fold(0f32, |least, &score| least.min(score));
        Ok(Unigram {
            rules,
            pieces,
            scores,
            unknown: unknown as u32,
            unknown_score: f64::from(least) - UNKNOWN_PENALTY,
        })
    }

    /// The id of characters that no piece has.
    pub(super) fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Ids of the text's pieces, at most `limit` of them. Reading stops at the limit, so the cost of a long text is bounded.
    pub(super) fn encode(&self, text: &str, limit: usize) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut word = SPACE_MARK.to_string();
        let mut path = Path::default();
        let mut chars = text.chars().peekable();
        while ids.len() < limit
            && let Some(mut c) = chars.next()
        {
            while let Some(whole) = chars.peek().and_then(|&mark| composed(c, mark)) {
                c = whole;
                chars.next();
            }
            match self.rules.replacement(c) {
                Some(text) => text
                    .chars()
                    .for_each(|c| self.read(c, &mut word, &mut path, &mut ids)),
                None => self.read(c, &mut word, &mut path, &mut ids),
            }
            if word.len() >= LONGEST_WORD_BYTES {
                self.finish(&mut word, &mut path, &mut ids);
                // The rest of a word is not the beginning of one.
                word.clear();
            }
        }
        self.finish(&mut word, &mut path, &mut ids);
        ids.truncate(limit);
        ids
    }

    /// A space ends a word; anything else is part of it.
    fn read(&self, c: char, word: &mut String, path: &mut Path, ids: &mut Vec<u32>) {
        if c.is_whitespace() {
            self.finish(word, path, ids);
        } else {
            word.push(c);
        }
    }

    /// Appends the word's pieces and leaves the beginning of the next word.
    fn finish(&self, word: &mut String, path: &mut Path, ids: &mut Vec<u32>) {
        if word.as_str() != SPACE_MARK {
            self.segment(word, path, ids);
        }
        word.clear();
        word.push_str(SPACE_MARK);
    }

    /// Viterbi: the best way to each place in the word, then back from its end.
    fn segment(&self, word: &str, path: &mut Path, ids: &mut Vec<u32>) {
        let bytes = word.as_bytes();
        path.steps.clear();
        path.steps.resize(bytes.len() + 1, Step::NONE);
        path.steps[0].score = 0.0;
        for (at, c) in word.char_indices() {
            let score = path.steps[at].score;
            let mut alone = false;
            for (id, length) in self.pieces.prefixes(&bytes[at..]) {
                alone |= length == c.len_utf8();
                let step = Step {
                    score: score + f64::from(self.scores[id]),
                    from: at as u32,
                    id: id as u32,
                };
                path.reach(at + length, step);
            }
            if !alone {
                let step = Step {
                    score: score + self.unknown_score,
                    from: at as u32,
                    id: self.unknown,
                };
                path.reach(at + c.len_utf8(), step);
            }
        }
        let first = ids.len();
        let mut at = bytes.len();
        while at > 0 {
            let step = path.steps[at];
            // Unknown characters side by side are one unknown piece.
            if step.id != self.unknown || ids.len() == first || ids.last() != Some(&self.unknown) {
                ids.push(step.id);
            }
            at = step.from as usize;
        }
        ids[first..].reverse();
    }
}

/// The character that is both, if there is one.
fn composed(c: char, mark: char) -> Option<char> {
    // Nothing before the first combining mark continues a character.
    if mark < '\u{300}' {
        return None;
    }
    compose(c, mark)
}

/// The best ways to the places of a word, kept for the next word's sake.
#[derive(Default)]
struct Path {
    steps: Vec<Step>,
}

impl Path {
    /// On equal scores the way found first stays, as in the reference.
    fn reach(&mut self, at: usize, step: Step) {
        if step.score > self.steps[at].score {
            self.steps[at] = step;
        }
    }
}

/// The last piece on the best way to a place.
#[derive(Clone, Copy)]
struct Step {
    score: f64,
    from: u32,
    id: u32,
}

impl Step {
    const NONE: Step = Step {
        score: f64::NEG_INFINITY,
        from: 0,
        id: 0,
    };
}

impl Rules {
    fn new(from: &[u8], to: &str, to_lengths: &[u8]) -> Result<Rules, &'static str> {
        let from: Vec<u32> = from
            .chunks_exact(4)
            .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
            .collect();
        if !from.is_sorted() {
            return Err("its rules are not in order");
        }
        let mut to_starts = vec![0u32];
        for &length in to_lengths {
            to_starts.push(to_starts[to_starts.len() - 1] + u32::from(length));
        }
        let fits = to_starts[to_lengths.len()] as usize == to.len();
        if !fits || !to_starts.iter().all(|&at| to.is_char_boundary(at as usize)) {
            return Err("the lengths of its replacements are not those of their text");
        }
        Ok(Rules {
            from,
            to: to.to_owned(),
            to_starts,
        })
    }

    fn replacement(&self, c: char) -> Option<&str> {
        // No rule is for a letter, a digit or a sign of ASCII, which is most text.
        if ('!'..='~').contains(&c) {
            return None;
        }
        let rule = self.from.binary_search(&u32::from(c)).ok()?;
        let to = self.to_starts[rule] as usize..self.to_starts[rule + 1] as usize;
        Some(&self.to[to])
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PIECES: [&str; 12] = [
        "", "▁", "a", "b", "ab", "ba", "▁a", "bab", "▁ab", "aa", "é", "abba",
    ];
    const UNKNOWN: u32 = 0;

    /// The part of a file with these scores and the rules U+00AD to nothing, `É` to `é` and `½` to `a b`.
    fn bytes(scores: &[f32; 12]) -> Vec<u8> {
        let rules = [('\u{ad}', ""), ('½', "a b"), ('É', "é")];
        let replacements: String = rules.iter().map(|rule| rule.1).collect();
        let mut bytes = Vec::new();
        for number in [rules.len(), replacements.len(), UNKNOWN as usize] {
            bytes.extend((number as u32).to_le_bytes());
        }
        bytes.extend(
            rules
                .iter()
                .flat_map(|rule| u32::from(rule.0).to_le_bytes()),
        );
        bytes.extend(rules.iter().map(|rule| rule.1.len() as u8));
        bytes.extend(replacements.bytes());
        bytes.extend(scores.iter().flat_map(|score| score.to_le_bytes()));
        bytes.extend(PIECES.iter().map(|piece| piece.len() as u8));
        bytes.extend(PIECES.concat().bytes());
        bytes
    }

    fn unigram(scores: &[f32; 12]) -> Unigram {
        Unigram::from_bytes(&bytes(scores), PIECES.len()).expect("a valid part")
    }

    const EVEN: [f32; 12] = [
        0.0, -3.0, -3.0, -3.0, -4.0, -4.5, -5.0, -6.0, -6.5, -5.5, -3.0, -7.0,
    ];

    /// The best score of any way to cut the word, by trying all of them.
    fn best(word: &str, scores: &[f32; 12]) -> f64 {
        let Some(c) = word.chars().next() else {
            return 0.0;
        };
        let least = scores.iter().fold(0f32, |least, &score| least.min(score));
        let ways = PIECES.iter().zip(scores).filter_map(|(piece, &score)| {
            let rest = word.strip_prefix(piece).filter(|_| !piece.is_empty())?;
            Some(f64::from(score) + best(rest, scores))
        });
        let mut ways: Vec<f64> = ways.collect();
        if !PIECES.contains(&c.to_string().as_str()) {
            ways.push(f64::from(least) - 10.0 + best(&word[c.len_utf8()..], scores));
        }
        ways.into_iter().fold(f64::NEG_INFINITY, f64::max)
    }

    #[test]
    fn rules_spaces_and_unknown_characters() {
        let pieces = unigram(&EVEN);
        let encode = |text| pieces.encode(text, usize::MAX);
        assert_eq!(encode("a\u{ad}b"), encode("ab"));
        assert_eq!(encode("½"), encode("a b"));
        assert_eq!(encode("E\u{301}"), encode("é"), "composed, then replaced");
        assert_eq!(encode("  a\n\tb "), encode("a b"));
        assert_eq!(
            encode("a##b"),
            [6, UNKNOWN, 3],
            "unknown characters side by side are one"
        );
        assert_eq!(encode("# #"), [1, UNKNOWN, 1, UNKNOWN]);
        for nothing in ["", " ", "\u{ad}"] {
            assert!(encode(nothing).is_empty(), "{nothing:?}");
        }
    }

    #[test]
    fn a_text_without_spaces_is_read_to_its_end() {
        let pieces = unigram(&EVEN);
        let ids = pieces.encode(&"b".repeat(3 * LONGEST_WORD_BYTES), usize::MAX);
        assert_eq!(ids[..3], [1, 3, 3]);
        assert_eq!(ids.len(), 1 + 3 * LONGEST_WORD_BYTES);
    }

    #[test]
    fn a_limit_gives_the_beginning_of_the_whole() {
        let pieces = unigram(&EVEN);
        let text = "abba é½ ab#ab bab";
        let whole = pieces.encode(text, usize::MAX);
        for limit in 0..whole.len() + 2 {
            assert_eq!(pieces.encode(text, limit), whole[..limit.min(whole.len())]);
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let whole = bytes(&EVEN);
        for length in 0..whole.len() {
            assert!(
                Unigram::from_bytes(&whole[..length], PIECES.len()).is_err(),
                "{length}"
            );
        }
        // The second rule's code point below the first one's.
        let mut unordered = whole;
        unordered[16..20].copy_from_slice(&1u32.to_le_bytes());
        let error = Unigram::from_bytes(&unordered, PIECES.len()).err();
        assert_eq!(error, Some("its rules are not in order"));
    }

    proptest! {
        #[test]
        fn no_way_to_cut_a_word_is_better(
            word in "[abé#]{1,9}",
            scores in prop::array::uniform12(-20f32..0.0),
        ) {
            let ids = unigram(&scores).encode(&word, usize::MAX);
            let least = scores.iter().fold(0f32, |least, &score| least.min(score));
            let word = format!("{SPACE_MARK}{word}");
            let unknown = word.chars().filter(|&c| c == '#').count() as f64;
            let known = ids.iter().filter(|&&id| id != UNKNOWN);
            let score: f64 = known.map(|&id| f64::from(scores[id as usize])).sum();
            let score = score + unknown * (f64::from(least) - 10.0);
            prop_assert!((score - best(&word, &scores)).abs() < 1e-9, "{score} {ids:?}");
            let text: String = ids.iter().map(|&id| PIECES[id as usize]).collect();
            prop_assert_eq!(text, word.replace('#', ""));
        }
    }
}
