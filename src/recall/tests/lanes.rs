//! What words and meaning alone would not find, or not put first.

use super::*;

fn said_by(name: &str, mut turn: Turn) -> Turn {
    turn.speaker = Some(name.into());
    turn
}

/// Among thirty remarks about nothing: in a store of two documents every shared word is common.
fn among_others(turns: &[Turn], facts: &[Fact]) -> Corpus {
    let mut turns = turns.to_vec();
    turns.extend((10..40).map(|n| turn(n, 0, &format!("unrelated remark number{n}"))));
    corpus_of(&turns, facts)
}

fn has_lane(found: &Recollection, record: RecordRef, lane: Lane) -> bool {
    let item = found.items.iter().find(|item| item.record == record);
    item.is_some_and(|item| item.lanes.iter().any(|hit| hit.lane == lane))
}

/// All is asked on day 100, 1970-04-11, a Saturday.
#[test]
fn a_question_about_days_brings_what_was_said_on_them() {
    let turns = [
        turn(60, 0, "The boiler was repaired."),
        turn(94, 0, "We painted the fence."),
        turn(97, 0, "The bread did not rise."),
    ];
    let corpus = corpus_of(&turns, &[]);
    for (question, expected) in [
        ("What did we talk about on Wednesday?", turn_ref(97, 0)),
        ("What was it last Sunday?", turn_ref(94, 0)),
        ("What did I say on March 2?", turn_ref(60, 0)),
        ("What did I tell you last month?", turn_ref(60, 0)),
    ] {
        let found = corpus.recall(&ask(question));
        assert_eq!(records(&found).first(), Some(&expected), "{question}");
        assert!(has_lane(&found, expected, Lane::Time), "{question}");
    }
    assert_eq!(corpus.recall(&ask("What did I say on March 20?")).items, []);
}

#[test]
fn the_zone_of_the_asker_decides_which_day_yesterday_was() {
    let corpus = corpus_of(&[turn(99, 0, "We painted the fence.")], &[]);
    let half_past_midnight = Timestamp {
        unix_ms: 100 * DAY_MS + 30 * 60_000,
        offset_min: 0,
    };
    let asked_at = |offset_min| Timestamp {
        offset_min,
        ..half_past_midnight
    };
    let ask_at = |now| records(&corpus.recall(&Query::new("What did I say yesterday?", now)));
    assert_eq!(ask_at(asked_at(0)), [turn_ref(99, 0)]);
    // In New York it is still the day of the turn, so that "yesterday" is the day before it.
    assert!(
        ask_at(asked_at(-300)).is_empty()
            || corpus
                .recall(&Query::new("What did I say yesterday?", asked_at(-300)))
                .items[0]
                .score
                < corpus
                    .recall(&Query::new("What did I say yesterday?", asked_at(0)))
                    .items[0]
                    .score
    );
}

#[test]
fn a_turn_that_names_a_day_is_found_by_it_and_by_when() {
    let turns = [
        turn(90, 0, "The ferry was cancelled three days ago."),
        turn(80, 0, "The ferry is my favourite ship."),
    ];
    let corpus = among_others(&turns, &[]);
    let part = |question: &str, name: &str| {
        let found = corpus.recall(&ask(question));
        let item = found
            .items
            .iter()
            .find(|item| item.record == turn_ref(90, 0))
            .unwrap();
        item.parts.iter().any(|part| part.name == name)
    };
    // Day 87 is March 29.
    assert!(part("Was the ferry cancelled on March 29?", "time"));
    assert!(part("When was the ferry cancelled?", "when"));
    assert!(!part("Was the ferry cancelled?", "when"));
}

#[test]
fn the_person_named_is_the_one_who_said_it() {
    let turns = [
        said_by("Ann", turn(1, 0, "I play the violin every evening.")),
        said_by("Ben", turn(2, 0, "I play the drums every evening.")),
    ];
    let corpus = among_others(&turns, &[]);
    assert_eq!(
        corpus.words_to_embed("What does Ben play?"),
        "What does  play?"
    );
    for (name, expected) in [
        ("Ann", turn_ref(1, 0)),
        ("Ben's friends think", turn_ref(2, 0)),
    ] {
        let found = corpus.recall(&ask(&format!("{name} play what every evening?")));
        assert_eq!(found.items[0].record, expected, "{name}");
        assert!(has_lane(&found, expected, Lane::Speaker));
    }
    let by_speaker = |question: &str| -> Vec<RecordRef> {
        let items = corpus.recall(&ask(question)).items.into_iter();
        let said = items.filter(|item| item.parts.iter().any(|part| part.name == "speaker"));
        said.map(|item| item.record).collect()
    };
    // Whoever is named first tells of the other.
    for (question, expected) in [
        (
            "What did Ann tell Ben to play every evening?",
            turn_ref(1, 0),
        ),
        (
            "What does Ben think that Ann and Ben play every evening?",
            turn_ref(2, 0),
        ),
    ] {
        assert_eq!(by_speaker(question), [expected], "{question}");
    }
    // Both at once: nobody in particular.
    for question in [
        "What do Ann and Ben play every evening?",
        "Ann, Ben: what do they play every evening?",
        "Was spielen Ann und Ben, what every evening?",
    ] {
        assert!(by_speaker(question).is_empty(), "{question}");
    }
}

#[test]
fn i_and_you_tell_who_spoke() {
    let turns = [
        turn(1, 0, "A hotel near the harbour would be nice."),
        turn(2, 1, "A hotel near the harbour is the Lido."),
    ];
    let corpus = among_others(&turns, &[]);
    for (question, expected) in [
        (
            "Which hotel near the harbour did you recommend?",
            turn_ref(2, 1),
        ),
        (
            "What was my wish about a hotel near the harbour?",
            turn_ref(1, 0),
        ),
    ] {
        assert_eq!(
            corpus.recall(&ask(question)).items[0].record,
            expected,
            "{question}"
        );
    }
}

#[test]
fn what_is_asked_to_the_letter_comes_first() {
    let turns = [
        turn(1, 0, "The invoice 4711 was paid in cash."),
        turn(2, 0, "The invoice 4712 was paid in cash."),
        turn(3, 0, "She said that the garden gate was open, the garden."),
        turn(4, 0, "She wrote about the iron garden gate key on paper."),
    ];
    let corpus = corpus_of(&turns, &[]);
    let found = corpus.recall(&ask("Was invoice 4712 paid in cash?"));
    assert_eq!(found.items[0].record, turn_ref(2, 0));
    assert!(
        has_lane(&found, turn_ref(2, 0), Lane::Exact)
            && !has_lane(&found, turn_ref(1, 0), Lane::Exact)
    );
    let found = corpus.recall(&ask("Who wrote about the \"garden gate key\"?"));
    assert_eq!(found.items[0].record, turn_ref(4, 0));
    assert!(found.items[0].parts.iter().any(|part| part.name == "exact"));
}

#[test]
fn look_ups_by_the_name_of_a_property() {
    let mut facts = vec![
        fact(1, "budget", "Spends at most $4,000 on the bathroom"),
        fact(2, "CRM", "Uses HubSpot for customers"),
        fact(3, "goal weight", "Wants to weigh 70 kg"),
    ];
    facts[0].numbers = vec!["$4,000".into()];
    facts[1].entities = vec!["HubSpot".into()];
    facts[2].fact_type = FactType::Goal;
    let corpus = among_others(&[], &facts);
    for (question, expected) in [
        ("what budget did I mention?", 1),
        ("which CRM are we using?", 2),
        ("do we still pay for HubSpot?", 2),
        ("who costs 4000 $?", 1),
        ("What are my goals?", 3),
    ] {
        let found = corpus.recall(&ask(question));
        assert_eq!(
            records(&found).first(),
            Some(&fact_ref(expected)),
            "{question}"
        );
    }
}

#[test]
fn a_shared_name_leads_from_fact_to_fact() {
    let mut facts = vec![
        fact(1, "sister", "The sister is called Ines"),
        fact(2, "home", "Has a flat in Porto"),
        fact(3, "home", "Has a boat in Split"),
    ];
    facts[0].entities = vec!["Ines".into(), "sister".into()];
    facts[1].subject = "sister".into();
    facts[2].subject = "landlord".into();
    let corpus = corpus_of(&[], &facts);
    let found = corpus.recall(&ask("Ines"));
    assert_eq!(records(&found), [fact_ref(1), fact_ref(2)]);
    assert!(has_lane(&found, fact_ref(2), Lane::Entity));
    assert!(found.items[1].parts.iter().any(|part| part.name == "hop"));
}

#[test]
fn a_recalled_record_says_where_it_was_said_and_what_stood_beside_it() {
    let asked = turn(1, 0, "Which colour shall the kitchen have?");
    let answer = turn(1, 1, "Terracotta.");
    let corpus = corpus_of(&[asked.clone(), answer], &[]);
    let found = corpus.recall(&ask("kitchen colour"));
    let item = found
        .items
        .iter()
        .find(|item| item.record == turn_ref(1, 1))
        .unwrap();
    assert_eq!(
        (item.source, item.piece.clone()),
        (Some(place(1, 1)), Some(0..11))
    );
    assert_eq!(item.beside, [turn_ref(1, 0)]);
    let facts = [said_in(
        fact(1, "kitchen", "Kitchen colour is open"),
        &asked,
        "colour shall the kitchen",
    )];
    let found = corpus_of(&[], &facts).recall(&ask("kitchen"));
    assert_eq!(found.items[0].source, Some(place(1, 0)));
    assert_eq!(found.items[0].piece, Some(6..30));
}

#[test]
fn recency_is_off_and_can_be_asked_for() {
    let turns = [
        turn(1, 0, "The heron fishes at dawn."),
        turn(99, 0, "A heron fishes at noon."),
    ];
    let corpus = corpus_of(&turns, &[]);
    let part = |weights: &Weights| {
        let found = corpus.recall(&Query {
            weights,
            ..ask("heron fishes")
        });
        let newness = |item: &Recalled| {
            item.parts
                .iter()
                .find(|part| part.name == "recency")
                .map(|part| part.value)
        };
        found.items.iter().map(newness).collect::<Vec<_>>()
    };
    assert_eq!(part(&Weights::DEFAULT), [None, None]);
    let recent = Weights {
        recency: 0.2,
        ..Weights::DEFAULT
    };
    let values = part(&recent);
    assert!(
        values[0] > values[1] && values[0] > Some(0.19),
        "{values:?}"
    );
}
