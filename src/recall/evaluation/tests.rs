//! Reading questions, and the figures of answers whose items stand for more than themselves.

use super::questions::read;
use super::*;
use crate::model::{FactId, TurnId};

fn turn(index: u32) -> RecordRef {
    RecordRef::Turn(place(index))
}

fn place(index: u32) -> TurnId {
    TurnId {
        session: SessionId::new(1, 0),
        index,
    }
}

fn fact(number: i64) -> FactId {
    FactId::new(number, 0)
}

fn item(record: RecordRef, score: f32) -> Recalled {
    Recalled {
        record,
        score,
        parts: Vec::new(),
        lanes: Vec::new(),
        beside: Vec::new(),
        source: None,
        older: Vec::new(),
        piece: None,
    }
}

#[test]
fn a_line_is_a_question_or_a_problem_with_its_number() {
    let id = turn(3);
    let text = format!(
        "{{\"query\": \"Where?\", \"evidence\": [\"{id}\"], \"category\": \"places\", \"now\": 86400000}}\r\n\n\
         {{\"query\": \"Who?\", \"evidence\": [], \"category\": null}}\n\
         not json\n[1]\n\
         {{\"evidence\": []}}\n\
         {{\"query\": \" \", \"evidence\": []}}\n\
         {{\"query\": \"q\", \"evidence\": [\"turn:nobody\"]}}\n\
         {{\"query\": \"q\", \"evidence\": \"{id}\"}}\n\
         {{\"query\": \"q\", \"evidence\": [], \"category\": 7}}\n\
         {{\"query\": \"q\", \"evidence\": [], \"now\": \"today\"}}"
    );
    let mut lines = read(&text);
    let question = |query: &str, evidence: &[RecordRef], category: &str, now| Question {
        query: query.into(),
        evidence: evidence.to_vec(),
        category: category.into(),
        now,
    };
    let first = question("Where?", &[id], "places", Some(Timestamp::utc(86_400_000)));
    assert_eq!(lines.next(), Some((1, Ok(first))));
    assert_eq!(
        lines.next(),
        Some((3, Ok(question("Who?", &[], "other", None))))
    );
    let faults: Vec<(usize, Fault)> = lines.map(|(n, line)| (n, line.unwrap_err())).collect();
    let expected = [
        (4, Fault::NotJson),
        (5, Fault::NotJson),
        (6, Fault::WrongField("query")),
        (7, Fault::WrongField("query")),
        (8, Fault::WrongField("evidence")),
        (9, Fault::WrongField("evidence")),
        (10, Fault::WrongField("category")),
        (11, Fault::WrongField("now")),
    ];
    assert_eq!(faults, expected);
    let names = expected.map(|(_, fault)| fault.to_string());
    assert!(names[6].contains("`category`"), "{names:?}");
}

#[test]
fn a_fact_is_found_for_its_turn_and_for_its_older_versions() {
    let newest = Recalled {
        source: Some(place(4)),
        older: vec![fact(1)],
        ..item(RecordRef::Fact(fact(2)), 1.0)
    };
    let items = [item(turn(0), 2.0), newest];
    let corpus = Corpus::new(None);
    for evidence in [turn(4), RecordRef::Fact(fact(1)), RecordRef::Fact(fact(2))] {
        let figures = Figures::of_items(&corpus, &items, &[evidence]);
        assert_eq!(
            (figures.recall_at(1), figures.recall_at(5)),
            (0.0, 1.0),
            "{evidence}"
        );
        assert_eq!(figures.reciprocal_rank, 0.5);
    }
    // Both in one item: nothing could rank them better than its place.
    let both = Figures::of_items(&corpus, &items[1..], &[turn(4), RecordRef::Fact(fact(1))]);
    assert_eq!((both.recall_at(1), both.ndcg_at_10), (1.0, 1.0));
}

/// Two items right and wrong by turns, the better ones first.
fn ranking() -> Vec<Recalled> {
    (0..4)
        .map(|n| item(turn(n), 1.0 - 0.25 * n as f32))
        .collect()
}

fn at(level: Level) -> Vec<Recalled> {
    let n = match level {
        Level::All => 4,
        Level::Loose => 3,
        Level::Normal => 2,
        Level::Strict => 0,
    };
    ranking()[..n].to_vec()
}

#[test]
fn what_comes_up_is_counted_at_each_level_and_threshold() {
    let mut thresholds = Thresholds::default();
    thresholds.add(&[turn(0), turn(2), turn(9)], Bad::AllElse, at);
    // Nothing answers this one.
    thresholds.add(&[], Bad::AllElse, |level| match level {
        Level::All | Level::Loose => vec![item(turn(7), 0.1)],
        _ => Vec::new(),
    });
    let share = |n_right, n_wrong| Share {
        n_right,
        n_wrong,
        n_found: n_right,
        n_wanted: 3,
    };
    let row = |level, share, raised| LevelRow {
        level,
        share,
        raised: Some(raised),
    };
    assert_eq!(
        thresholds.levels(),
        [
            row(Level::Loose, share(2, 2), 1.0),
            row(Level::Normal, share(1, 1), 0.0),
            row(Level::Strict, share(0, 0), 0.0),
        ]
    );
    assert_eq!(thresholds.levels()[2].share.precision(), None);
    let sweep = thresholds.sweep();
    let shares = [0, 3, 12, 18, 21].map(|step| sweep[step].share);
    assert_eq!(
        shares,
        [
            share(2, 3),
            share(2, 2),
            share(1, 1),
            share(1, 0),
            share(0, 0)
        ]
    );
    assert_eq!(sweep.len(), 22, "up to the first that nothing passes");
    assert_eq!(sweep[18].share.recall(), Some(1.0 / 3.0));
}

#[test]
fn what_nobody_judged_counts_for_nothing() {
    let mut thresholds = Thresholds::default();
    thresholds.add(&[turn(1)], Bad::Only(&[turn(2)]), at);
    let share = thresholds.sweep()[0].share;
    assert_eq!(
        (share.n_right, share.n_wrong, share.n_wanted),
        (1, 1, 1),
        "{share:?}"
    );
    // Nor is it known that nothing answers, where all that came up was wrong.
    thresholds.add(&[], Bad::Only(&[turn(0)]), at);
    assert_eq!(thresholds.levels()[0].raised, None);
}
