//! Ids of word pieces.

use super::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct GoldenPieces {
    text: String,
    ids: Vec<u32>,
}

#[test]
fn ids_equal_the_reference_library() {
    let golden: Vec<GoldenPieces> =
        serde_json::from_str(include_str!("../../../tests/golden/wordpiece.json")).unwrap();
    assert!(golden.len() >= 79);
    let pieces = WordPiece::new(vocabulary()).unwrap();
    for GoldenPieces { text, ids } in golden {
        assert_eq!(pieces.encode(&text, usize::MAX), ids, "{text:?}");
    }
}

#[test]
fn names_of_special_tokens_are_ordinary_text() {
    let pieces = WordPiece::new(vocabulary()).unwrap();
    let ids = pieces.encode("a [SEP] b [CLS] [UNK]", usize::MAX);
    for mark in [0, 100, 101, 102, 103] {
        assert!(!ids.contains(&mark), "{ids:?}");
    }
}

#[test]
fn a_limit_gives_the_beginning_of_the_whole() {
    let pieces = WordPiece::new(vocabulary()).unwrap();
    let text = "Unaffable 東京 crème!! (supercalifragilistic) 😀 end";
    let whole = pieces.encode(text, usize::MAX);
    assert!(whole.len() > 15);
    for limit in 0..=whole.len() + 2 {
        assert_eq!(
            pieces.encode(text, limit),
            whole[..limit.min(whole.len())],
            "limit {limit}"
        );
    }
}

#[test]
fn matching_is_greedy_and_all_or_nothing() {
    let pieces = WordPiece::new("[UNK]\nab\nabc\n##d\n##cd\n#\n##").unwrap();
    assert_eq!(
        pieces.encode("abcd", 9),
        [2, 3],
        "the longest beginning wins, although ab ##cd would fit too"
    );
    assert_eq!(pieces.encode("abd", 9), [1, 3]);
    assert_eq!(pieces.encode("abx", 9), [0]);
    assert_eq!(
        pieces.encode("d cd", 9),
        [0, 0],
        "a continuation does not begin a word"
    );
    assert_eq!(
        pieces.encode("## ab", 9),
        [5, 5, 1],
        "punctuation stands alone"
    );
}

#[test]
fn vocabularies_that_cannot_be_used_are_refused() {
    for bad in ["", "\n", "a\n\n[UNK]", "[UNK]\n", "a\nb", "[UNK]\na\nb\na"] {
        assert!(
            matches!(WordPiece::new(bad), Err(TableError::Vocabulary(_))),
            "{bad:?}"
        );
    }
}
