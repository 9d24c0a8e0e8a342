//! The pieces of texts as rows of the table, against the rows themselves.

use super::*;
use proptest::prelude::*;

/// The words of a text in the table's way.
fn words(text: &str) -> Words {
    let embedded = table().embed_with_words(text).expect("known words");
    assert_eq!(Some(embedded.vector), table().embed(text));
    embedded.words.expect("a table gives words")
}

fn number(piece: &str) -> u16 {
    let mut lines = vocabulary().lines();
    lines.position(|line| line == piece).expect("a piece") as u16
}

/// A row in plain numbers: the scale is half a float, each byte two components.
fn row(number: u16) -> Vec<f32> {
    let at = |n: usize| u32::from_le_bytes(TABLE[n..n + 4].try_into().unwrap()) as usize;
    let (n_rows, dimensions, vocabulary) = (at(8), at(12), at(16));
    let (scales, rows) = (44 + vocabulary, 44 + vocabulary + 2 * n_rows);
    let half = &TABLE[scales + 2 * usize::from(number)..];
    let half = u16::from_le_bytes([half[0], half[1]]);
    let (exponent, fraction) = (i32::from(half >> 10), f32::from(half & 0x3ff));
    let scale = match exponent {
        0 => fraction * 2f32.powi(-24),
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    let bytes = &TABLE[rows + usize::from(number) * dimensions / 2..][..dimensions / 2];
    let signed = |nibble: u8| f32::from(nibble) - if nibble > 7 { 16.0 } else { 0.0 };
    let (low, high) = (bytes.iter().map(|b| b & 15), bytes.iter().map(|b| b >> 4));
    low.chain(high).map(|n| scale * signed(n)).collect()
}

fn length(row: &[f32]) -> f32 {
    cosine(row, row).sqrt()
}

/// Words of the vocabulary that are one piece and long enough to count.
fn word() -> impl Strategy<Value = &'static str> {
    let all: Vec<&str> = vocabulary()
        .lines()
        .zip(0..)
        .step_by(25)
        .filter(|(line, _)| line.len() > 3 && line.bytes().all(|b| b.is_ascii_lowercase()))
        .filter(|(_, number)| length(&row(*number)) > 2.6)
        .map(|(line, _)| line)
        .collect();
    prop::sample::select(all)
}

#[test]
fn what_says_something_is_kept_once_in_the_order_of_rows() {
    let mut expected = [number("kitchen"), number("garden")];
    expected.sort_unstable();
    let numbers = expected.iter().flat_map(|number| number.to_le_bytes());
    let bytes: Vec<u8> = std::iter::once(0).chain(numbers).collect();
    assert_eq!(
        words("The kitchen, the garden and the kitchen.").to_bytes(),
        bytes
    );
    assert!(are_words(&bytes));
    // Where nothing does, what there is.
    assert_eq!(words("to the of").to_bytes().len(), 1 + 2 * 3);
}

#[test]
fn a_text_has_all_that_it_is_asked_for() {
    let text = "Did you paint the kitchen?";
    let mut likest = Likest::new(&words(text)).unwrap();
    let each = likest.each(&words(text).to_bytes()).unwrap();
    let is_one = |cosine: f32| (cosine - 1.0).abs() < 1e-6;
    assert!(each.iter().all(|cosine| is_one(*cosine)), "{each:?}");
    assert!(is_one(likest.mean(&each)));
    // Nothing is like no words.
    let none = likest.each(&[0]).unwrap();
    assert_eq!(none, vec![0.0; each.len()]);
}

#[test]
fn a_long_text_has_more_by_chance() {
    let likest = Likest::new(&words("kitchen")).unwrap();
    let short = words("kitchen").to_bytes();
    let long = words("Did you paint the old kitchen door?").to_bytes();
    let of = |passages: &[&[u8]]| likest.by_chance(passages.iter().copied());
    assert_eq!(of(&[]), 0.0);
    assert!(0.0 < of(&[&short]) && of(&[&short]) < of(&[&long]));
    // As one text of all their pieces.
    let n_pieces = 3 * (long.len() - 1) / 2;
    let expected = 0.2 * (1.0 + n_pieces as f32 / 20.0).ln();
    assert!((of(&[&long, &long, &long]) - expected).abs() < 1e-6);
    // Of directions half of it.
    let three = [2, 0x1f, 0x88, 0x1f, 0x88, 0x1f, 0x88];
    let directions = Likest::new(&Words::Directions(three.to_vec())).unwrap();
    let found = directions.by_chance([&three[..]]);
    assert!((found - 0.1 * (1.0 + 3.0 / 13.0f32).ln()).abs() < 1e-6);
}

#[test]
fn what_is_of_another_embedder_can_not_be_compared() {
    let mut likest = Likest::new(&words("kitchen")).unwrap();
    let beyond = (vocabulary().lines().count() as u16).to_le_bytes();
    for bytes in [&[][..], &[0, 1], &[2, 1, 2], &[0, beyond[0], beyond[1]]] {
        assert_eq!(likest.each(bytes), None, "{bytes:?}");
    }
    let mut directions = Likest::new(&Words::Directions(vec![2, 0x1f, 0x88])).unwrap();
    assert_eq!(directions.each(&words("kitchen").to_bytes()), None);
    // Whose pieces have no row that points anywhere.
    assert_eq!(table().embed_with_words(""), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_what_the_rows_say(
        question in prop::collection::btree_set(word(), 1..6),
        passages in prop::collection::vec(prop::collection::vec(word(), 1..8), 1..4),
    ) {
        let text = |words: &mut dyn Iterator<Item = &&str>| words.copied().collect::<Vec<_>>().join(" ");
        let mut asked: Vec<u16> = question.iter().map(|word| number(word)).collect();
        asked.sort_unstable();
        let mut likest = Likest::new(&words(&text(&mut question.iter()))).unwrap();
        for passage in passages {
            let each = likest.each(&words(&text(&mut passage.iter())).to_bytes()).unwrap();
            let similarity = |a: u16, b: u16| {
                let (a, b) = (row(a), row(b));
                cosine(&a, &b) / length(&a) / length(&b)
            };
            let best = asked.iter().map(|a| passage.iter().map(|b| similarity(*a, number(b))).fold(-1.0, f32::max));
            let best: Vec<f32> = best.collect();
            prop_assert_eq!(each.len(), best.len());
            for (found, expected) in each.iter().zip(&best) {
                prop_assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
            let lengths = asked.iter().map(|a| length(&row(*a)));
            let sum: f32 = lengths.clone().sum();
            let mean: f32 = lengths.zip(&best).map(|(length, best)| length / sum * best).sum();
            prop_assert!((likest.mean(&each) - mean).abs() < 1e-5);
        }
    }
}
