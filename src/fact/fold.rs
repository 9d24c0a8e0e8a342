//! When two wordings count as one.

use unicode_normalization::UnicodeNormalization;

/// Punctuation that opens or closes words without changing what they mean.
const AROUND_WORDS: &[char] = &[
    '"', '\'', '(', ')', '[', ']', '{', '}', '«', '»', '‘', '’', '‚', '“', '”', '„', '‹', '›', '¿',
    '¡', '「', '」', '『', '』', '（', '）', '《', '》',
];

/// Punctuation that ends a word or a sentence. Only trailing: a leading point belongs to `.5` and `.NET`.
const AFTER_WORDS: &[char] = &[
    '.', ',', ';', ':', '!', '?', '…', '。', '、', '，', '．', '；', '：', '！', '？', '؟', '،',
    '؛', '।',
];

/// Dashes; between two words they are punctuation, at a number they are its sign.
const DASHES: &[char] = &['-', '–', '—', '―'];

/// The text without letter case, runs of white space, and punctuation around words.
///
/// Signs inside a word stay: `1.5` is not `15`, `C#` is neither `C` nor `C++`, and `-5` is not `5`.
/// Canonically equal Unicode spellings become one; nothing else is equated.
///
/// ```
/// use onhand::fact::fold;
/// assert_eq!(fold("  Prefers “Tea”, always. "), fold("prefers tea always"));
/// assert_ne!(fold("Budget: 1.5 M"), fold("Budget: 15 M"));
/// ```
pub fn fold(text: &str) -> String {
    let lower = text.nfc().collect::<String>().to_lowercase();
    // Lowering may leave a decomposed letter behind, as for `İ`.
    let lower: String = lower.nfc().collect();
    let mut folded = String::with_capacity(lower.len());
    for word in lower.split_whitespace() {
        let word = word
            .trim_start_matches(AROUND_WORDS)
            .trim_end_matches(|c| AROUND_WORDS.contains(&c) || AFTER_WORDS.contains(&c));
        if word.trim_matches(DASHES).is_empty() {
            continue;
        }
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn wordings_that_are_one() {
        for (a, b) in [
            ("Is vegan.", "is vegan"),
            ("Is\u{a0}vegan", "is  vegan "),
            ("Works at “Acme”", "works at 'Acme'"),
            ("Uses GCP — since May", "uses GCP since May"),
            ("Caf\u{e9}", "cafe\u{301}"),
            ("Ö", "ö"),
            ("ビーガンです。", "ビーガンです"),
            ("¿Vegana?", "vegana"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} | {b}");
        }
    }

    #[test]
    fn wordings_that_differ() {
        for (a, b) in [
            ("pays 1.5", "pays 15"),
            ("pays .5", "pays 5"),
            ("at -5", "at 5"),
            ("writes C#", "writes C"),
            ("writes C++", "writes C"),
            ("costs $50", "costs 50"),
            ("at most 50%", "at most 50"),
            ("likes tea", "likes no tea"),
        ] {
            assert_ne!(fold(a), fold(b), "{a} | {b}");
        }
    }

    #[test]
    fn punctuation_alone_is_nothing() {
        assert_eq!(fold(" … — \"\" -- "), "");
    }
}
