//! The likest words of a text: a part of the score where an embedder gives them.

use super::vectors::{stand_in_spec, stand_in_vector};
use super::*;
use crate::embed::{Embedded, StaticTable, Words};
use crate::index::Mode;
use crate::model::VectorOwner;

/// Words along four axes, one each.
fn words(axes: &[usize]) -> Vec<u8> {
    let along = |axis: &usize| match axis {
        0 => [0x8f, 0x88],
        1 => [0xf8, 0x88],
        2 => [0x88, 0x8f],
        _ => [0x88, 0xf8],
    };
    let bytes = axes.iter().flat_map(along);
    std::iter::once(2).chain(bytes).collect()
}

fn owner(record: RecordRef) -> VectorOwner {
    VectorOwner { record, piece: 0 }
}

/// All about boats, and as like the question as the others: only the words tell them apart.
fn corpus(n: u32) -> Corpus {
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    for number in 0..n {
        let axes: &[usize] = if number == 2 { &[3, 0, 1] } else { &[3, 0] };
        say(&mut corpus, i64::from(number) + 1, 0, &text(number), axes);
    }
    corpus
}

/// Adds a turn in one piece, with words.
fn say(corpus: &mut Corpus, session: i64, index: u32, text: &str, axes: &[usize]) {
    corpus.add_turn(&turn(session, index, text));
    know(corpus, turn_ref(session, index), axes);
}

/// Adds the words of a text.
fn know(corpus: &mut Corpus, record: RecordRef, axes: &[usize]) {
    corpus
        .add_vector(owner(record), &stand_in_vector("boat"))
        .unwrap();
    corpus.add_words_of("stand-in", owner(record), &words(axes));
}

/// Of one length, so that the words alone would put none of them first.
fn text(number: u32) -> String {
    format!("boat number{number}")
}

fn question(axes: &[usize]) -> Embedded {
    Embedded {
        vector: stand_in_vector("boat"),
        words: Some(Words::Directions(words(axes))),
    }
}

fn recall(corpus: &Corpus, embedded: &Embedded) -> Recollection {
    corpus.recall(&Query {
        limit: 100,
        level: Level::All,
        ..ask("boat").embedded(Some(embedded))
    })
}

/// What so many words have by chance.
fn by_chance(n_words: usize) -> f32 {
    0.1 * (1.0 + n_words as f32 / 13.0).ln()
}

fn is_near(a: f32, b: f32) -> bool {
    (a - b).abs() < 1e-5
}

fn likest(item: &Recalled) -> Option<f32> {
    let mut parts = item.parts.iter();
    parts
        .find(|part| part.name == "likest")
        .map(|part| part.value)
}

#[test]
fn what_has_a_like_word_for_each_of_the_questions_comes_first() {
    let corpus = corpus(5);
    let found = recall(&corpus, &question(&[0, 1]));
    assert_eq!(found.items.len(), 5);
    assert_eq!(found.items[0].record, turn_ref(3, 0));
    let weight = Weights::fitting(Some(&question(&[0]))).likest;
    let parts = found
        .items
        .iter()
        .map(|item| likest(item).unwrap() / weight);
    let parts: Vec<f32> = parts.collect();
    assert!(is_near(parts[0], 1.0 - by_chance(3)), "{parts:?}");
    let others = 0.5 - by_chance(2);
    assert!(
        parts[1..].iter().all(|part| is_near(*part, others)),
        "{parts:?}"
    );
    for item in &found.items {
        let sum: f32 = item.parts.iter().map(|part| part.value).sum();
        assert!((sum - item.score).abs() < 1e-5, "{item:?}");
    }
}

#[test]
fn without_words_of_the_question_there_is_no_such_part() {
    let corpus = corpus(5);
    let found = recall(&corpus, &stand_in_vector("boat").into());
    assert!(found.items.iter().all(|item| likest(item).is_none()));
    // And the scores are those of a corpus that never heard of words.
    let mut plain = Corpus::new(Some(stand_in_spec()));
    for number in 0..5 {
        plain.add_turn(&turn(i64::from(number) + 1, 0, &text(number)));
        let owner = owner(turn_ref(i64::from(number) + 1, 0));
        plain.add_vector(owner, &stand_in_vector("boat")).unwrap();
    }
    assert_eq!(found, recall(&plain, &stand_in_vector("boat").into()));
    // A question of other axes has nothing to compare.
    let other = Embedded {
        words: Some(Words::Directions(vec![1, 0xf8])),
        ..question(&[])
    };
    assert!(
        recall(&corpus, &other)
            .items
            .iter()
            .all(|item| likest(item).is_none())
    );
}

#[test]
fn only_the_first_records_are_looked_at() {
    let mut corpus = corpus(0);
    // What was said beside a hit is a candidate, too: a lane alone finds 80.
    for number in 0..40 {
        let session = i64::from(number) + 1;
        say(&mut corpus, session, 0, &text(number), &[0]);
        say(&mut corpus, session, 1, &format!("anchor{number}"), &[0]);
        let beside = owner(turn_ref(session, 1));
        corpus
            .add_vector(beside, &stand_in_vector("anchor"))
            .unwrap();
        corpus.add_words_of("stand-in", beside, &words(&[0]));
    }
    let found = recall(&corpus, &question(&[0]));
    let looked_at = found.items.iter().filter(|item| likest(item).is_some());
    assert_eq!((found.items.len(), looked_at.count()), (80, 60));
}

#[test]
fn a_like_word_right_beside_is_worth_nearly_as_much() {
    let mut corpus = corpus(0);
    for (index, axes) in [(0, &[1][..]), (1, &[0]), (2, &[3]), (3, &[3]), (4, &[2])] {
        say(&mut corpus, 1, index, &text(index), axes);
    }
    say(&mut corpus, 2, 0, &text(5), &[3]);
    let found = recall(&corpus, &question(&[0, 1]));
    let weight = Weights::fitting(Some(&question(&[0]))).likest;
    let part = |session, index| {
        let mut items = found.items.iter();
        let item = items.find(|item| item.record == turn_ref(session, index));
        likest(item.unwrap()).unwrap() / weight
    };
    // Both words are there, one of them in the turn after, or before.
    let expected = [
        ((1, 0), 0.95),
        ((1, 1), 0.95),
        ((1, 2), 0.45),
        // Two away, and in another session.
        ((1, 3), 0.0),
        ((1, 4), 0.0),
        ((2, 0), 0.0),
    ];
    for ((session, index), expected) in expected {
        let found = part(session, index) + by_chance(1);
        assert!(is_near(found, expected), "{session} {index}: {found}");
    }
}

#[test]
fn a_row_of_a_table_counts_two_turns_away_too() {
    let file = include_bytes!("../../../pkg/model/static-128-int4.bin");
    let table = StaticTable::from_bytes(file).unwrap();
    let words = |text: &str| table.embed_with_words(text).unwrap().words.unwrap();
    let asked = Embedded {
        vector: stand_in_vector("boat"),
        words: Some(words("kitchen")),
    };
    let mut corpus = corpus(0);
    let said = ["kitchen", "zebra", "zebra", "zebra", "zebra"];
    for (index, said) in said.into_iter().enumerate() {
        say(&mut corpus, 1, index as u32, &text(index as u32), &[0]);
        let owner = owner(turn_ref(1, index as u32));
        corpus.add_words_of("stand-in", owner, &words(said).to_bytes());
    }
    let weight = Weights::fitting(Some(&asked)).likest;
    let found = recall(&corpus, &asked);
    let part = |index| {
        let mut items = found.items.iter();
        let item = items.find(|item| item.record == turn_ref(1, index));
        likest(item.unwrap()).unwrap() / weight
    };
    // One piece has little by chance.
    let (like, unlike) = (part(0), part(3));
    assert!(like > 0.98 && unlike < 0.5, "{like} {unlike}");
    let by_chance = 1.0 - like;
    for (index, expected) in [(1, 0.9 - by_chance), (2, 0.8 - by_chance), (4, unlike)] {
        let found = part(index);
        assert!((found - expected).abs() < 1e-6, "{index}: {found}");
    }
}

#[test]
fn of_a_long_turn_what_is_next_to_it_counts() {
    let mut corpus = corpus(0);
    let long = "The boat lies in the harbour and waits for wind from the north. ".repeat(20);
    let n_pieces = corpus.add_turn(&turn(1, 1, &long)).len();
    assert!(n_pieces > 2, "{n_pieces}");
    for piece in 0..n_pieces {
        let owner = VectorOwner {
            record: turn_ref(1, 1),
            piece: piece as u16,
        };
        corpus.add_vector(owner, &stand_in_vector("boat")).unwrap();
        // The first word of the question in the first piece, the second one in the last.
        let axes: &[usize] = match piece {
            0 => &[0],
            _ if piece + 1 == n_pieces => &[1],
            _ => &[3],
        };
        corpus.add_words_of("stand-in", owner, &words(axes));
    }
    say(&mut corpus, 1, 0, "The boat?", &[3]);
    say(&mut corpus, 1, 2, "A boat!", &[3]);
    let weight = Weights::fitting(Some(&question(&[0]))).likest;
    let part = |axis, index| {
        let found = recall(&corpus, &question(&[axis]));
        let mut items = found.items.iter();
        let item = items.find(|item| item.record == turn_ref(1, index));
        likest(item.unwrap()).unwrap() / weight
    };
    // A word of the long turn counts less: there are many that might be like it.
    let (long, short) = (by_chance(n_pieces), by_chance(1));
    let first = [0.9 - long, 1.0 - long, -short];
    let last = [-short, 1.0 - long, 0.9 - long];
    for (axis, expected) in [first, last].into_iter().enumerate() {
        let found = [part(axis, 0), part(axis, 1), part(axis, 2)];
        let mut pairs = found.iter().zip(expected);
        assert!(
            pairs.all(|(found, expected)| is_near(*found, expected)),
            "{axis}: {found:?}"
        );
    }
}

#[test]
fn words_of_what_was_said_in_the_same_breath_count_for_a_fact() {
    let mut corpus = corpus(0);
    let said = "My boat needs paint. It lies in Lagos.";
    corpus.add_turn(&turn(1, 0, said));
    for (number, quote, axes) in [
        (1, "My boat needs paint.", &[0][..]),
        (2, "It lies in Lagos.", &[1]),
    ] {
        let mut fact = fact(number, "boat", quote);
        fact.evidence = Some(Evidence {
            turn: place(1, 0),
            quote: quote.into(),
            start: said.find(quote).unwrap() as u32,
            end: (said.find(quote).unwrap() + quote.len()) as u32,
        });
        corpus.add_fact(&fact);
        know(&mut corpus, fact_ref(number), axes);
    }
    let found = recall(&corpus, &question(&[0, 1]));
    let weight = Weights::fitting(Some(&question(&[0]))).likest;
    let parts = found.items.iter().filter_map(likest);
    let parts: Vec<f32> = parts.map(|part| part / weight).collect();
    assert_eq!(parts.len(), 2, "{found:?}");
    let expected = 0.95 - by_chance(1);
    assert!(
        parts.iter().all(|part| is_near(*part, expected)),
        "{parts:?}"
    );
}

#[test]
fn words_stay_as_long_as_the_vector_that_they_came_with() {
    let mut corpus = corpus(3);
    let first = turn_ref(1, 0);
    let of_first = |corpus: &Corpus| {
        let found = recall(corpus, &question(&[0]));
        let item = found.items.iter().find(|item| item.record == first);
        item.and_then(likest)
    };
    assert!(of_first(&corpus).is_some());
    assert!(corpus.goes_by(
        "stand-in",
        owner(first),
        &stand_in_vector("boat"),
        Some(&words(&[3, 0]))
    ));
    assert!(!corpus.goes_by(
        "stand-in",
        owner(first),
        &stand_in_vector("boat"),
        Some(&words(&[3]))
    ));
    assert!(!corpus.goes_by("stand-in", owner(first), &stand_in_vector("boat"), None));
    // Another vector comes with words of its own, or with none.
    corpus
        .add_vector(owner(first), &stand_in_vector("boat"))
        .unwrap();
    assert_eq!(of_first(&corpus), None);
    for bytes in [&[][..], &[2, 1], &[0, 0]] {
        corpus.add_words_of("stand-in", owner(first), bytes);
        assert_eq!(of_first(&corpus), None, "{bytes:?}");
    }
    corpus.add_words_of("stranger", owner(first), &words(&[0]));
    assert_eq!(of_first(&corpus), None);
    corpus.add_words_of("stand-in", owner(first), &words(&[0]));
    assert!(of_first(&corpus).is_some());
    // Of a text that is gone nothing is left, and a new one has none before its vector comes.
    let bytes = corpus.bytes().vectors;
    corpus.remove(first);
    assert!(corpus.bytes().vectors < bytes);
    corpus.add_turn(&turn(1, 0, &text(0)));
    corpus.add_words_of("stand-in", owner(first), &words(&[0]));
    corpus
        .add_vector(owner(first), &stand_in_vector("boat"))
        .unwrap();
    assert_eq!(of_first(&corpus), None);
}

#[test]
fn words_go_with_their_generation() {
    let other = EmbedderSpec {
        id: "other".into(),
        ..stand_in_spec()
    };
    let mut corpus = Corpus::with_generations(Some(stand_in_spec()), Some(other), Mode::Scan);
    corpus.add_turn(&turn(1, 0, &text(0)));
    let owner = owner(turn_ref(1, 0));
    for (embedder, axes) in [("stand-in", 0), ("other", 1)] {
        corpus
            .add_vector_of(embedder, owner, &stand_in_vector("boat"))
            .unwrap();
        corpus.add_words_of(embedder, owner, &words(&[axes]));
    }
    let asked = question(&[1]);
    let weight = Weights::fitting(Some(&asked)).likest;
    let part = |corpus: &Corpus| likest(&recall(corpus, &asked).items[0]).unwrap() / weight;
    assert!(is_near(part(&corpus), -by_chance(1)));
    corpus.promote();
    assert!(is_near(part(&corpus), 1.0 - by_chance(1)));
}

#[test]
fn what_age_takes_from_a_fact_it_takes_from_its_words() {
    let older = fact(1, "boat", "boat called Zephyr");
    let mut newer = fact(2, "boat", "boat called Aurora");
    newer.supersedes = Some(older.id);
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    for (fact, axes) in [(&older, 1), (&newer, 0)] {
        corpus.add_fact(fact);
        let owner = owner(RecordRef::Fact(fact.id));
        corpus.add_vector(owner, &stand_in_vector("boat")).unwrap();
        corpus.add_words_of("stand-in", owner, &words(&[axes]));
    }
    let part = |axis| likest(&recall(&corpus, &question(&[axis])).items[0]).unwrap();
    let weight = Weights::fitting(Some(&question(&[0]))).likest;
    let whole = weight * (1.0 - by_chance(1));
    assert!(is_near(part(0), whole), "the newest version: {}", part(0));
    assert!(0.0 < part(1) && part(1) < weight, "{}", part(1));
}
