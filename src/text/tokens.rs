//! How many tokens a text costs, estimated before anything is sent.
//!
//! Current Claude models take about 2.5 characters of ordinary text per token (1M tokens of context are
//! documented as about 2.5M characters). There is no public tokenizer for them, so this is a table of weights
//! per script. Only the weight of plain letters comes from that figure; the others are cautious choices that
//! were not measured, and lean upwards: a budget may be used a little less, never overrun. The exact number of
//! a request is in its answer's usage.

/// Weights are in tenths of a token per character.
const LETTER_OR_SPACE: u64 = 4;
/// Digits are grouped in threes at best, and singly inside ids and dates.
const DIGIT: u64 = 6;
/// Marks and operators: rare in prose, where they cost a token each, and often paired in code.
const ASCII_MARK: u64 = 7;
/// Accented Latin, Greek, Cyrillic.
const EUROPEAN: u64 = 7;
/// Armenian, Hebrew, Arabic, Syriac and their neighbours.
const NEAR_EASTERN: u64 = 9;
/// Typographic quotes, dashes, the ellipsis.
const TYPOGRAPHIC_MARK: u64 = 10;
/// Indic scripts, Thai, Georgian, Ethiopic and what else lies below U+2000.
const OTHER_ALPHABET: u64 = 12;
/// Han, kana, Hangul: about one token per character, and a third more with the current tokenizer.
const CJK: u64 = 13;
/// Emoji, symbols and rare scripts, which fall apart into bytes.
const RARE: u64 = 30;

/// About how many tokens `text` costs, rounded up; 0 only for an empty text.
///
/// The parts of a text never cost less than the whole: `estimate(a + b) <= estimate(a) + estimate(b)`.
pub fn estimate_tokens(text: &str) -> u32 {
    let tenths: u64 = text.chars().map(weight).sum();
    u32::try_from(tenths.div_ceil(10)).unwrap_or(u32::MAX)
}

fn weight(c: char) -> u64 {
    match c {
        'a'..='z' | 'A'..='Z' | ' ' | '\n' | '\t' | '\r' => LETTER_OR_SPACE,
        '0'..='9' => DIGIT,
        '\0'..='\u{7f}' => ASCII_MARK,
        '\u{80}'..='\u{52f}' | '\u{1e00}'..='\u{1fff}' => EUROPEAN,
        '\u{530}'..='\u{8ff}' => NEAR_EASTERN,
        '\u{900}'..='\u{1dff}' => OTHER_ALPHABET,
        '\u{2000}'..='\u{206f}' => TYPOGRAPHIC_MARK,
        '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' => CJK,
        '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}' => CJK,
        _ => RARE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn english_prose_is_a_little_above_one_token_per_two_and_a_half_characters() {
        let prose = "Maria moved the shop's orders to a small server in Lisbon last autumn, and it has \
                     been running there without a hitch ever since.";
        let plain = prose.len() as f64 / 2.5;
        let estimate = f64::from(estimate_tokens(prose));
        assert!(
            estimate >= plain && estimate <= plain * 1.1,
            "{estimate} for {plain}"
        );
    }

    #[test]
    fn scripts_without_spaces_cost_a_token_or_more_per_character() {
        for text in ["私はお茶が好きです", "我喜欢喝茶", "저는차를좋아해요"] {
            assert!(estimate_tokens(text) as usize >= text.chars().count());
        }
    }

    #[test]
    fn code_costs_more_than_prose_of_the_same_length() {
        let code = "if(a[i]!=b[i]){r+=x<<2;}";
        let prose = "if the first is not last";
        assert_eq!(code.len(), prose.len());
        assert!(estimate_tokens(code) > estimate_tokens(prose));
    }

    #[test]
    fn nothing_costs_nothing() {
        assert_eq!(estimate_tokens(""), 0);
        assert_eq!(estimate_tokens("a"), 1);
    }

    proptest! {
        #[test]
        fn parts_never_cost_less_than_the_whole(a in ".*", b in ".*") {
            let whole = estimate_tokens(&format!("{a}{b}"));
            prop_assert!(whole <= estimate_tokens(&a) + estimate_tokens(&b));
            prop_assert!(whole >= estimate_tokens(&a));
        }
    }
}
