//! What may be recalled.

use super::*;

fn with(filter: &Filter, corpus: &Corpus) -> Vec<RecordRef> {
    let mut found = records(&corpus.recall(&Query {
        filter,
        ..ask("heron")
    }));
    found.sort();
    found
}

fn herons() -> Corpus {
    let turns = [
        turn(10, 0, "The heron fishes."),
        turn(20, 1, "A heron is a wader."),
        turn(30, 0, "Heron number three."),
    ];
    let mut facts = [
        fact(1, "bird", "Likes herons"),
        fact(2, "goal", "Wants to photograph a heron"),
    ];
    facts[0].valid_from = Timestamp::utc(15 * DAY_MS);
    facts[1].fact_type = FactType::Goal;
    facts[1].confidence = Confidence::Low;
    facts[1].origin = Origin::Manual;
    facts[1].valid_from = Timestamp::utc(25 * DAY_MS);
    corpus_of(&turns, &facts)
}

#[test]
fn each_filter_lets_its_own_through() {
    let corpus = herons();
    let all = [
        turn_ref(10, 0),
        turn_ref(20, 1),
        turn_ref(30, 0),
        fact_ref(1),
        fact_ref(2),
    ];
    let day = |day: i64| Some(Timestamp::utc(day * DAY_MS));
    let rows = [
        (Filter::NONE, &all[..]),
        (
            Filter {
                types: vec![FactType::Goal],
                ..Filter::NONE
            },
            &[fact_ref(2)],
        ),
        (
            Filter {
                origins: vec![Origin::Assistant, Origin::Manual],
                ..Filter::NONE
            },
            &[turn_ref(20, 1), fact_ref(2)],
        ),
        (
            Filter {
                least_confidence: Some(Confidence::Medium),
                ..Filter::NONE
            },
            &[
                turn_ref(10, 0),
                turn_ref(20, 1),
                turn_ref(30, 0),
                fact_ref(1),
            ],
        ),
        (
            Filter {
                sessions: vec![session(30)],
                ..Filter::NONE
            },
            &[turn_ref(30, 0)],
        ),
        (
            Filter {
                since: day(20),
                ..Filter::NONE
            },
            &[turn_ref(20, 1), turn_ref(30, 0), fact_ref(2)],
        ),
        (
            Filter {
                until: day(20),
                ..Filter::NONE
            },
            &[turn_ref(10, 0), fact_ref(1)],
        ),
        (
            Filter {
                since: day(20),
                until: day(30),
                ..Filter::NONE
            },
            &[turn_ref(20, 1), fact_ref(2)],
        ),
    ];
    for (filter, expected) in rows {
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(with(&filter, &corpus), expected, "{filter:?}");
    }
}

#[test]
fn what_is_filtered_takes_no_place_in_a_lane() {
    let mut turns: Vec<Turn> = (0..300)
        .map(|n| turn(1, n, &format!("heron heron remark{n}")))
        .collect();
    turns.push(turn(
        2,
        0,
        "long ago there was some heron in a pond near that old house",
    ));
    let filter = Filter {
        sessions: vec![session(2)],
        ..Filter::NONE
    };
    assert_eq!(with(&filter, &corpus_of(&turns, &[])), [turn_ref(2, 0)]);
}

#[test]
fn as_known_on_a_day_nothing_later_is_known() {
    let at = |day: i64| Timestamp::utc(day * DAY_MS);
    let mut old = fact(1, "home", "Lives in Ghent");
    old.recorded_at = at(10);
    old.superseded_by = Some(fact_id(2));
    let mut new = fact(2, "home", "Lives in Porto");
    new.recorded_at = at(50);
    new.valid_from = at(50);
    new.supersedes = Some(fact_id(1));
    let mut stale = fact(3, "home office", "Lives off a home office");
    stale.recorded_at = at(10);
    stale.stale = Some(Stale {
        reason: "fired".into(),
        by: Origin::User,
        at: at(60),
    });
    let corpus = corpus_of(&[turn(70, 0, "Who lives in a home?")], &[old, new, stale]);
    let on = |day: i64| {
        let filter = Filter {
            known_on: Some(at(day)),
            ..Filter::NONE
        };
        corpus.recall(&Query {
            filter: &filter,
            level: Level::Loose,
            ..ask("home lives")
        })
    };
    let item = |found: &Recollection, record| {
        found
            .items
            .iter()
            .find(|item| item.record == record)
            .cloned()
    };
    assert_eq!(on(5).items, []);
    let before = on(40);
    let ghent = item(&before, fact_ref(1)).expect("known then");
    assert!(ghent.older.is_empty() && item(&before, fact_ref(2)).is_none());
    let after = on(55);
    assert_eq!(
        item(&after, fact_ref(2)).expect("the new home").older,
        [fact_id(1)]
    );
    assert!(item(&after, fact_ref(1)).is_none());
    // The stale mark came later: on day 55 the fact was as good as new.
    let score = |found: &Recollection| item(found, fact_ref(3)).expect("not lost").score;
    assert!(score(&on(100)) < score(&after) - 1e-3);
    assert!((score(&after) - score(&on(59))).abs() < 1e-6);
    assert!(item(&on(65), turn_ref(70, 0)).is_none() && item(&on(75), turn_ref(70, 0)).is_some());
}
