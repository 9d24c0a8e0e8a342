//! Numbers as terms: `$5,000`, `5k` and `5000 $` are found by each other.

/// The terms of a word that begins with a digit, e.g. `5k`, `10,000`, `3.5`, `10kg` or `2nd`.
///
/// `currency` is the sign that stands next to it. A sum of money gives two terms, with and without its currency,
/// so that `$5k` prefers other dollars but still meets `5000`. The word's unit comes back to be treated as a word.
pub fn number_terms<'a>(
    word: &'a str,
    currency: Option<char>,
    out: &mut Vec<String>,
) -> Option<&'a str> {
    let end = word
        .find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.')
        .unwrap_or(word.len());
    let (digits, tail) = word.split_at(end);
    if !tail.chars().all(char::is_alphabetic) {
        // `4x4`, `1st_draft`: a name rather than an amount.
        out.push(word.to_owned());
        return None;
    }
    let plain = plain_number(digits);
    let (number, unit) = match tail {
        "k" => (thousands(&plain), None),
        "" | "st" | "nd" | "rd" | "th" => (plain, None),
        unit => (plain, Some(unit)),
    };
    if let Some(sign) = currency {
        out.push(format!("{sign}{number}"));
    }
    out.push(number);
    unit
}

/// `10,000` is ten thousand, `3,5` is three and a half, `5.00` is five.
fn plain_number(digits: &str) -> String {
    let digits = digits.trim_end_matches(['.', ',']);
    let mut groups = digits.split(',').skip(1);
    let grouped = groups.all(|group| {
        group
            .split('.')
            .next()
            .is_some_and(|whole| whole.len() == 3)
    });
    let number = if grouped {
        digits.replace(',', "")
    } else {
        digits.replace(',', ".")
    };
    match number.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole.to_owned(),
        _ => number,
    }
}

fn thousands(number: &str) -> String {
    match number.parse::<f64>() {
        // Beyond 2^53 a float no longer counts by ones.
        Ok(value) if value < 9e12 => format!("{}", (value * 1000.0).round()),
        _ => format!("{number}k"),
    }
}
