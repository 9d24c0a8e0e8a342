//! Folding: spellings that a person does not tell apart become one.

use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

/// Lower case, compatibility forms resolved, accents and vowel points removed, digits of all scripts as ASCII.
///
/// It is for matching only; nothing folded is ever shown.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    let decomposed = text.chars().filter(|c| !is_mark_of_trade(*c)).nfkd();
    let bare = decomposed.filter(|c| !is_accent(*c));
    for c in bare.nfc().flat_map(char::to_lowercase) {
        match equivalent(c) {
            Some(text) => folded.push_str(text),
            None => match digit(c) {
                Some(digit) => folded.push(digit),
                // Lower-casing can bring a mark of its own (`İ` gives i and a dot above).
                None if is_accent(c) => {}
                None => folded.push(c),
            },
        }
    }
    folded
}

/// Compatibility decomposition would glue `tm` to the word before.
fn is_mark_of_trade(c: char) -> bool {
    matches!(c, '™' | '℠')
}

/// Whether a combining mark only modifies the pronunciation of its letter.
///
/// Classes 10 to 36 are the points of Hebrew, Arabic and Syriac, 200 and above the accents of all scripts.
/// Those between carry vowels (Indic signs, Thai, Lao, Tibetan) or make another letter (7, 8, 9: nukta, the Japanese
/// voicing marks, virama) and stay.
fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 10..=36 | 200..)
}

/// Letters that no normalisation form takes apart.
fn equivalent(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        // The apostrophes that keyboards and typesetting put in words.
        '’' | 'ʼ' | '‘' => "'",
        // Arabic: final forms that are often written one for the other, Persian letters, the filler stroke.
        'ة' => "ه",
        'ى' | 'ی' => "ي",
        'ک' => "ك",
        'ـ' => "",
        _ => return None,
    })
}

fn digit(c: char) -> Option<char> {
    let zero = match c {
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        '\u{966}'..='\u{96f}' => 0x966,
        '\u{9e6}'..='\u{9ef}' => 0x9e6,
        _ => return None,
    };
    char::from_digit(u32::from(c) - zero, 10)
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn spellings_meet() {
        for (written, folded) in [
            ("Café RÉSUMÉ", "cafe resume"),
            ("Cafe\u{301}", "cafe"),
            ("Straße", "strasse"),
            ("ＦＵＬＬ　ｗｉｄｔｈ", "full width"),
            ("Łódź Ærø", "lodz aero"),
            ("İstanbul", "istanbul"),
            ("ΛΟΓΟΣ λόγος", "λογοσ λογοσ"),
            ("Ёлка", "елка"),
            ("مُحَمَّد", "محمد"),
            ("أحمد", "احمد"),
            ("٢٠٢٦", "2026"),
            ("don’t", "don't"),
            ("Claude™", "claude"),
        ] {
            assert_eq!(fold(written), folded, "{written}");
        }
    }

    #[test]
    fn marks_that_make_another_letter_stay() {
        assert_ne!(fold("ガ"), fold("カ"));
        assert_ne!(fold("कि"), fold("क"));
        assert_ne!(fold("กุ"), fold("ก"));
    }
}
