use super::*;
use crate::model::Record;
use crate::store::conformance::sample;
use crate::time::Timestamp;
use proptest::prelude::*;
use serde_json::json;

fn words(sentences: &[&str]) -> Words {
    let mut words = Words::default();
    sentences.iter().for_each(|sentence| words.add(sentence));
    words
}

#[test]
fn words_are_blackened_at_their_place() {
    for (sentence, text, expected) in [
        (
            "my boat is Aurora",
            "So: my boat is Aurora!",
            Some("So: █████████████████!"),
        ),
        (
            "My boat is Aurora.",
            "My boat is Aurora, My boat is Aurora",
            Some("█████████████████, █████████████████"),
        ),
        (
            "it's called “Aurora”",
            "it’s called \"Aurora\" 😀",
            Some("████████████████████ 😀"),
        ),
        (
            "two lines of it",
            "two\nlines  of it",
            Some("███\n████████████"),
        ),
        (
            "私はビーガンです",
            "はい、私はビーガンです。",
            Some("はい、████████。"),
        ),
        (
            "a 😀 is here, as said",
            "a 😀 is here, as said",
            Some("█████████████████████"),
        ),
        ("my boat is Aurora", "my boat is Borealis", None),
        // Too short to be a sentence.
        ("yes", "yes, yes", None),
        ("no tea", "there is no tea", None),
        ("", "anything", None),
    ] {
        let words = words(&[sentence]);
        assert_eq!(words.blacken(text).as_deref(), expected, "{sentence}");
        if let Some(expected) = expected {
            assert_eq!(expected.encode_utf16().count(), text.encode_utf16().count());
            assert_eq!(words.blacken(expected), None, "once is enough");
        }
    }
}

#[test]
fn words_are_found_within_any_block() {
    let mut block =
        json!({"type": "tool_use", "input": {"note": ["x", "my boat is Aurora"]}, "n": 1});
    assert!(words(&["my boat is Aurora"]).blacken_within(&mut block));
    assert_eq!(block["input"]["note"], json!(["x", "█".repeat(17)]));
    assert!(!words(&["my boat is Aurora"]).blacken_within(&mut block));
}

#[test]
fn every_kind_has_its_place_in_the_order() {
    let mut kinds: Vec<Kind> = order().collect();
    let at = |kind| kinds.iter().position(|one| *one == kind).unwrap();
    assert!(at(Kind::Turn) < at(Kind::Fact) && at(Kind::Fact) < at(Kind::Vector));
    assert!(at(Kind::Injection) < at(Kind::Session));
    kinds.sort();
    assert_eq!(kinds, Kind::ALL);
}

#[test]
fn what_was_not_named_is_kept() {
    let mut scope = Scope::new(Timestamp::utc(0));
    for kind in order() {
        assert_eq!(scope.fate(&sample(kind, 1)), Fate::Keep, "{kind:?}");
    }
    assert_eq!(scope.ended().count(), 0);
}

#[test]
fn other_evidence_in_a_blackened_turn_still_holds() {
    let Record::Turn(mut turn) = sample(Kind::Turn, 0) else {
        unreachable!()
    };
    let text = "👩‍🚀 my boat is Aurora and my cat is Tom";
    turn.content = vec![
        json!({"type": "text", "text": "Hello."}),
        json!({"type": "image"}),
        json!({"type": "text", "text": text}),
    ];
    let whole = turn.text();
    let fact_on = |i, quote: &str| {
        let Record::Fact(mut fact) = sample(Kind::Fact, i) else {
            unreachable!()
        };
        let start = whole.find(quote).unwrap();
        let units = |text: &str| text.encode_utf16().count() as u32;
        let evidence = fact.evidence.as_mut().unwrap();
        evidence.turn = turn.id;
        evidence.start = units(&whole[..start]);
        evidence.end = evidence.start + units(quote);
        evidence.quote = quote.into();
        fact.supersedes = None;
        fact
    };
    let (boat, cat, both) = (
        fact_on(1, "boat is Aurora"),
        fact_on(2, "my cat is Tom"),
        fact_on(3, "Aurora and my cat"),
    );
    let mut scope = Scope::new(Timestamp::utc(0));
    scope.add_fact(&boat);
    let Fate::Change(Record::Turn(black)) = scope.fate(&Record::Turn(turn.clone())) else {
        panic!()
    };
    assert_eq!(
        black.text(),
        "Hello.\n\n👩‍🚀 my ██████████████ and my cat is Tom"
    );
    assert_eq!(scope.fate(&Record::Fact(boat)), Fate::Delete);
    assert_eq!(scope.fate(&Record::Fact(cat.clone())), Fate::Keep);
    let Fate::Change(Record::Fact(both)) = scope.fate(&Record::Fact(both)) else {
        panic!()
    };
    assert_eq!(both.evidence.unwrap().quote, "██████ and my cat");
    assert_eq!(scope.ended().collect::<Vec<_>>(), [turn.id.session]);
    // The second look finds nothing.
    assert_eq!(scope.fate(&Record::Turn(black)), Fate::Keep);
    assert_eq!(scope.fate(&Record::Fact(cat)), Fate::Keep);
}

proptest! {
    #[test]
    fn blackening_keeps_every_offset(before in "\\PC{0,20}", after in "\\PC{0,20}", sentence in "[a-z ’“\"é中😀-]{12,30}") {
        let words = words(&[&sentence]);
        let text = format!("{before}{sentence}{after}");
        if let Some(black) = words.blacken(&text) {
            prop_assert_eq!(black.encode_utf16().count(), text.encode_utf16().count());
            prop_assert_eq!(words.blacken(&black), None);
        }
    }
}
