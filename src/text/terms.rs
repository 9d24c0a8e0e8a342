//! From text to terms.

use super::{
    fold,
    number::number_terms,
    stem::stem,
    stop::{is_stop_character, is_stop_pair, is_stop_word},
};
use unicode_segmentation::UnicodeSegmentation;

/// The terms of a text, in its order, with repetitions.
///
/// Words by UAX #29, folded, without stop words, English stemmed; numbers in one notation, money also with its currency.
/// Scripts without spaces between words (Chinese, Japanese, Thai and their kin) give pairs of neighbouring characters,
/// and Chinese characters also by themselves: many words are one character long, and two texts about a cat need not agree on
/// the character beside it.
pub fn terms(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut out = Vec::new();
    let mut rest = folded.as_str();
    while let Some(first) = rest.chars().next() {
        let unspaced = gives_pairs(first);
        let end = rest
            .find(|c| gives_pairs(c) != unspaced)
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if unspaced {
            character_terms(run, &mut out);
        } else {
            spaced_terms(run, &mut out);
        }
        rest = after;
    }
    out
}

fn spaced_terms(run: &str, out: &mut Vec<String>) {
    for (start, word) in run.unicode_word_indices() {
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let (before, after) = (&run[..start], &run[start + word.len()..]);
            let currency = currency_sign(before.chars().next_back())
                .or_else(|| currency_sign(after.trim_start().chars().next()));
            if let Some(unit) = number_terms(word, currency, out) {
                word_term(unit, out);
            }
        } else if word.contains(|c: char| c.is_ascii_digit()) {
            // `v1.2.3`, `s3`: the parts mean nothing.
            out.push(word.to_owned());
        } else {
            // UAX #29 keeps `example.com`, `done.Next`, `note:this` and `snake_case` together.
            for part in word.split(['.', ':', '_', '·']) {
                word_term(part, out);
            }
        }
    }
}

fn word_term(word: &str, out: &mut Vec<String>) {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let word = without_elision(word);
    let joined = word.replace('\'', "");
    // `don't` is a stop word without its apostrophe; elsewhere (Turkish `Porto'da`) an ending follows a name.
    let word = match word.split_once('\'') {
        Some((name, _)) if name.chars().count() > 1 && !is_stop_word(&joined) => name.to_owned(),
        _ => joined,
    };
    if !word.is_empty() && !is_stop_word(&word) {
        out.push(stem(&word));
    }
}

/// French and Italian write the article before a vowel with the word: `l'eau`.
fn without_elision(word: &str) -> &str {
    const ELIDED: [&str; 10] = ["l", "d", "j", "m", "t", "s", "n", "c", "qu", "dell"];
    match word.split_once('\'') {
        Some((article, rest)) if ELIDED.contains(&article) && rest.chars().count() > 1 => rest,
        _ => word,
    }
}

fn character_terms(run: &str, out: &mut Vec<String>) {
    let characters: Vec<char> = run.chars().filter(|c| c.is_alphanumeric()).collect();
    let is_alone = characters.len() == 1;
    for c in &characters {
        if is_alone || (is_han(*c) && !is_stop_character(*c)) {
            out.push(c.to_string());
        }
    }
    for pair in characters.windows(2) {
        // Grammar beside a word makes as many pairs as there are sentences to say it in; so do the endings that Japanese
        // writes in another script than the word.
        if is_han(pair[0]) != is_han(pair[1]) && pair.iter().any(|c| is_hiragana(*c)) {
            continue;
        }
        if !pair.iter().any(|c| is_stop_character(*c)) && !is_stop_pair(pair[0], pair[1]) {
            out.push(pair.iter().collect());
        }
    }
}

fn is_hiragana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}')
}

/// Whether a term is a pair of characters that are terms by themselves, too.
pub fn is_pair(term: &str) -> bool {
    let mut chars = term.chars();
    let both = [chars.next(), chars.next()].map(|c| c.is_some_and(is_han));
    both == [true, true] && chars.next().is_none()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Whether a character's script is matched by pairs. Korean has spaces; its grammar is left to [`super::are_kin`].
fn gives_pairs(c: char) -> bool {
    is_unspaced(c)
        && !matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}')
}

/// Whether words of this character's script are not separated by spaces, or (Korean) carry their grammar with them.
pub(super) fn is_unspaced(c: char) -> bool {
    is_han(c)
        || matches!(c,
            '\u{0e00}'..='\u{0eff}'      // Thai, Lao
            | '\u{1000}'..='\u{109f}'    // Myanmar
            | '\u{1100}'..='\u{11ff}'    // Hangul letters
            | '\u{1780}'..='\u{17ff}'    // Khmer
            | '\u{3005}'..='\u{3007}'
            | '\u{3040}'..='\u{30ff}'    // Hiragana, Katakana
            | '\u{3130}'..='\u{318f}'
            | '\u{31f0}'..='\u{31ff}'
            | '\u{ac00}'..='\u{d7ff}'    // Hangul syllables
        )
}

fn currency_sign(c: Option<char>) -> Option<char> {
    c.filter(|c| {
        matches!(
            c,
            '$' | '€' | '£' | '¥' | '₹' | '₽' | '₩' | '₪' | '₺' | '₴' | '₿' | '¢'
        )
    })
}

#[cfg(test)]
mod tests {
    use super::terms;

    #[test]
    fn terms_of_texts() {
        for (text, expected) in [
            ("", &[][..]),
            ("  ?! — 👍", &[]),
            ("Where do we deploy?", &["deploy"]),
            (
                "I'm allergic to peanuts; my kid loves blue",
                &["allergic", "peanut", "kid", "lov", "blu"],
            ),
            ("Mel's kids don’t know", &["mel", "kid", "know"]),
            ("budget of $5k", &["budget", "$5000", "5000"]),
            ("5,000 € a month", &["€5000", "5000", "month"]),
            ("3,5 kg and 10kg", &["3.5", "kg", "10", "kg"]),
            ("on May 2nd, 2026", &["2", "2026"]),
            (
                "https://example.com/snake_case v1.2.3",
                &["http", "exampl", "snak", "cas", "v1.2.3"],
            ),
            ("L'eau de l’hôtel", &["eau", "hotel"]),
            ("الكلاب ٢٠٢٦", &["كلاب", "2026"]),
            ("Моя ёлка", &["елка"]),
            ("我的黑猫", &["黑", "猫", "黑猫"]),
            ("東京タワー", &["東", "京", "東京", "京タ", "タワ", "ワー"]),
            ("AWSの", &["aws", "の"]),
            ("집에서", &["집에서"]),
            ("猫です", &["猫"]),
            ("Porto'da", &["porto"]),
        ] {
            assert_eq!(terms(text), expected, "{text}");
        }
    }
}
