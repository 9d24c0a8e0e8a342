//! One rule per test.

use super::vectors::{DIMENSIONS, embed_all, stand_in_spec, stand_in_vector};
use super::*;

#[test]
fn an_empty_store_and_an_empty_question_give_nothing() {
    let empty = Corpus::new(None);
    assert!(empty.is_empty());
    assert_eq!(empty.recall(&ask("anything")), Recollection::default());
    let corpus = corpus_of(&[turn(1, 0, "The cat sleeps.")], &[]);
    for text in ["", "   ", "?!", "what is it", "👍"] {
        assert_eq!(
            corpus.recall(&ask(text)),
            Recollection::default(),
            "{text:?}"
        );
    }
    let none = corpus.recall(&Query {
        limit: 0,
        ..ask("cat")
    });
    assert_eq!((none.items.len(), none.candidates), (0, 1));
}

#[test]
fn a_question_longer_than_anything_stored_still_finds() {
    let filler = turn(1, 1, "Nothing of the kind.");
    let corpus = corpus_of(&[turn(1, 0, "The boiler needs a new valve."), filler], &[]);
    let long = "The boiler needs a new valve. ".repeat(2_000);
    assert_eq!(corpus.recall(&ask(&long)).items[0].record, turn_ref(1, 0));
    let strange: String = (0..20_000).map(|n| format!("word{n} ")).collect();
    assert_eq!(corpus.recall(&ask(&strange)).items, []);
}

#[test]
fn neighbours_are_of_the_same_session() {
    let turns = [
        turn(1, 0, "Let us talk about holidays."),
        turn(1, 1, "The ferry to Gozo leaves hourly."),
        turn(1, 2, "Sounds fine."),
        turn(1, 3, "Anything else?"),
        turn(2, 0, "New subject: taxes."),
    ];
    let corpus = corpus_of(&turns, &[]);
    let found: HashSet<RecordRef> = records(&corpus.recall(&ask("ferry Gozo hourly")))
        .into_iter()
        .collect();
    assert_eq!(
        found,
        [turn_ref(1, 0), turn_ref(1, 1), turn_ref(1, 2)].into()
    );
    let last = records(&corpus.recall(&ask("anything else")));
    assert!(!last.contains(&turn_ref(2, 0)));
}

#[test]
fn a_tool_between_two_turns_does_not_part_them() {
    let mut tool = turn(1, 1, "ferry timetable output");
    tool.role = Role::Tool;
    let turns = [
        turn(1, 0, "When does the ferry to Gozo leave?"),
        tool,
        turn(1, 2, "Hourly."),
    ];
    let corpus = corpus_of(&turns, &[]);
    assert_eq!(corpus.n_turns(), 2);
    assert_eq!(
        records(&corpus.recall(&ask("ferry Gozo"))),
        [turn_ref(1, 0), turn_ref(1, 2)]
    );
}

/// The call has no words of its own, its result none of either of the two.
#[test]
fn an_answer_after_tools_scores_as_one_right_after_its_question() {
    let blocks = |turn: Turn, role, block| Turn {
        role,
        content: vec![block],
        ..turn
    };
    let call = serde_json::json!({ "type": "tool_use", "id": "t", "name": "timetable", "input": { "to": "Gozo ferry" } });
    let result = serde_json::json!({ "type": "tool_result", "tool_use_id": "t", "content": "ferry Gozo 10:00" });
    let asked = turn(1, 0, "When does the ferry to Gozo leave?");
    let called = [
        asked.clone(),
        blocks(turn(1, 1, ""), Role::Assistant, call.clone()),
        blocks(turn(1, 2, ""), Role::Tool, result.clone()),
        blocks(turn(1, 3, ""), Role::Assistant, call),
        // As the API has it: results come in a user's turn.
        blocks(turn(1, 4, ""), Role::User, result),
        turn(1, 5, "Hourly."),
    ];
    let answer = |turns: &[Turn]| {
        let mut found = corpus_of(turns, &[]).recall(&ask("ferry Gozo")).items;
        assert_eq!(found.len(), 2);
        found.remove(1)
    };
    let (after_tools, at_once) = (answer(&called), answer(&[asked, turn(1, 1, "Hourly.")]));
    assert_eq!(after_tools.record, turn_ref(1, 5));
    assert_eq!(after_tools.parts, at_once.parts);
    assert_eq!(after_tools.beside, [turn_ref(1, 0)]);
    let parts: Vec<&str> = after_tools.parts.iter().map(|part| part.name).collect();
    assert!(parts.contains(&"coverage_asked"), "{parts:?}");
}

#[test]
fn an_answer_is_found_by_its_question() {
    let turns = [
        turn(1, 0, "Hello there."),
        turn(1, 1, "Which colour shall the kitchen have?"),
        turn(1, 2, "Terracotta."),
        turn(1, 3, "Lovely choice."),
    ];
    let found = corpus_of(&turns, &[]).recall(&ask("kitchen colour"));
    let answer = found
        .items
        .iter()
        .find(|item| item.record == turn_ref(1, 2))
        .unwrap();
    let names: Vec<&str> = answer.parts.iter().map(|part| part.name).collect();
    assert!(
        names.contains(&"coverage_before") && names.contains(&"coverage_asked"),
        "{names:?}"
    );
    assert_eq!(answer.lanes, []);
}

#[test]
fn parts_add_up_to_the_score() {
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    corpus.add_turn(&turn(1, 0, "Which cloud do you use?"));
    corpus.add_turn(&turn(1, 1, "AWS, and the server is red."));
    corpus.add_fact(&fact(1, "cloud provider", "Uses AWS"));
    embed_all(&mut corpus);
    let text = "cloud provider";
    let found = corpus.recall(&Query {
        vector: Some(&stand_in_vector(text)),
        level: Level::Loose,
        ..ask(text)
    });
    assert!(found.items.len() >= 2);
    for item in &found.items {
        let sum: f32 = item.parts.iter().map(|part| part.value).sum();
        assert!((sum - item.score).abs() < 1e-5);
        assert!(item.parts.iter().all(|part| part.value != 0.0));
    }
    let both: Vec<Lane> = found.items[0].lanes.iter().map(|hit| hit.lane).collect();
    assert_eq!(both, [Lane::Keyword, Lane::Dense, Lane::Exact]);
    assert_eq!(found.items[0].lanes[0].rank, 1);
}

#[test]
fn stricter_levels_return_less() {
    let mut turns = vec![
        turn(1, 0, "garden hose pressure valve"),
        turn(2, 0, "garden hose and other tools"),
        turn(3, 0, "the garden is lovely today, so much sun"),
    ];
    turns.extend((10..40).map(|n| turn(n, 0, &format!("unrelated remark number{n}"))));
    let corpus = corpus_of(&turns, &[]);
    let at = |level| {
        records(&corpus.recall(&Query {
            level,
            ..ask("garden hose pressure valve replacement")
        }))
    };
    let (loose, normal, strict) = (at(Level::Loose), at(Level::Normal), at(Level::Strict));
    assert!(
        strict.len() < loose.len(),
        "{loose:?} {normal:?} {strict:?}"
    );
    assert!(loose.starts_with(&normal) && normal.starts_with(&strict));
    assert_eq!(strict[0], turn_ref(1, 0));
}

#[test]
fn excluded_records_and_the_running_session_are_not_returned() {
    let turns = [
        turn(1, 0, "The heron fishes."),
        turn(2, 0, "A heron again."),
        turn(3, 0, "Heron number three."),
    ];
    let facts = [fact(1, "bird", "Likes herons")];
    let corpus = corpus_of(&turns, &facts);
    let exclude: HashSet<RecordRef> = [turn_ref(1, 0), fact_ref(1)].into();
    let found = corpus.recall(&Query {
        exclude: &exclude,
        not_session: Some(session(3)),
        ..ask("heron")
    });
    assert_eq!(records(&found), [turn_ref(2, 0)]);
}

#[test]
fn what_is_excluded_takes_no_place_in_a_lane() {
    let mut turns: Vec<Turn> = (0..300)
        .map(|n| turn(1, n, &format!("heron heron remark{n}")))
        .collect();
    turns.push(turn(
        2,
        0,
        "long ago there was some heron in a pond somewhere near that old house",
    ));
    let corpus = corpus_of(&turns, &[]);
    let found = corpus.recall(&Query {
        not_session: Some(session(1)),
        ..ask("heron")
    });
    assert_eq!(records(&found), [turn_ref(2, 0)]);
}

#[test]
fn facts_learnt_in_the_running_session_are_returned() {
    let said = turn(1, 0, "My sister is called Ines.");
    let facts = [said_in(
        fact(1, "sister", "Sister is called Ines"),
        &said,
        "My sister is called Ines.",
    )];
    let corpus = corpus_of(&[said], &facts);
    let found = corpus.recall(&Query {
        not_session: Some(session(1)),
        ..ask("sister")
    });
    assert_eq!(records(&found), [fact_ref(1)]);
}

#[test]
fn equal_wording_is_returned_once() {
    let turns = [
        turn(1, 0, "Buy oat milk!"),
        turn(2, 0, "buy  oat milk"),
        turn(3, 0, "Buy oat milk and bread."),
    ];
    let corpus = corpus_of(&turns, &[]);
    let mut found = records(&corpus.recall(&ask("oat milk")));
    found.sort();
    assert_eq!(found, [turn_ref(2, 0), turn_ref(3, 0)]);
    let corpus = corpus_of(&turns, &[fact(1, "", "Buy oat milk")]);
    let mut found = records(&corpus.recall(&ask("oat milk")));
    found.sort();
    assert_eq!(found, [turn_ref(3, 0), fact_ref(1)]);
}

#[test]
fn a_fact_stands_for_its_turn_unless_the_turn_says_more() {
    let short = turn(1, 0, "Hi! I never eat coriander.");
    let long = turn(
        2,
        0,
        "I never eat coriander. Besides, the landlord wants to raise the rent by ten percent next spring.",
    );
    for (said, stays) in [(short, false), (long, true)] {
        let facts = [said_in(
            fact(1, "food", "Never eats coriander"),
            &said,
            "I never eat coriander.",
        )];
        let corpus = corpus_of(std::slice::from_ref(&said), &facts);
        let found = records(&corpus.recall(&ask("coriander")));
        assert!(found.contains(&fact_ref(1)));
        assert_eq!(
            found.contains(&RecordRef::Turn(said.id)),
            stays,
            "{found:?}"
        );
        // In the prompt already, the fact still stands for its turn.
        let exclude: HashSet<RecordRef> = [fact_ref(1)].into();
        let again = records(&corpus.recall(&Query {
            exclude: &exclude,
            ..ask("coriander")
        }));
        assert_eq!(
            again,
            if stays {
                vec![RecordRef::Turn(said.id)]
            } else {
                vec![]
            }
        );
    }
}

#[test]
fn a_fact_keeps_the_place_of_the_turn_it_stands_for() {
    let said = turn(1, 0, "No coriander, please");
    let facts = [said_in(
        fact(
            1,
            "dislikes in the kitchen of the house",
            "Avoids a certain herb in every dish",
        ),
        &said,
        "No coriander, please",
    )];
    let turn_only = corpus_of(std::slice::from_ref(&said), &[]).recall(&ask("coriander"));
    let found = corpus_of(&[said], &facts).recall(&ask("coriander"));
    assert_eq!(records(&found), [fact_ref(1)]);
    assert!(
        found.items[0].parts.iter().any(|part| part.name == "turn"),
        "{:?}",
        found.items[0]
    );
    assert!(found.items[0].score > 0.5 * turn_only.items[0].score);
}

#[test]
fn versions_follow_each_other_whichever_way_they_are_linked() {
    let versions = || {
        let mut facts: Vec<Fact> = (1..=4)
            .map(|n| fact(n, "home", &format!("Lives in town{n}")))
            .collect();
        facts[0].superseded_by = Some(fact_id(2));
        facts[2].supersedes = Some(fact_id(2));
        facts[3].supersedes = Some(fact_id(3));
        // A wrong link back must not make a circle.
        facts[3].superseded_by = Some(fact_id(1));
        facts
    };
    let corpus = corpus_of(&[], &versions());
    let found = corpus.recall(&ask("home"));
    assert_eq!(records(&found), [fact_ref(4)]);
    assert_eq!(found.items[0].older, [3, 2, 1].map(fact_id));
    // An erased version parts the chain.
    let mut corpus = corpus_of(&[], &versions());
    corpus.remove(fact_ref(3));
    let found = corpus.recall(&ask("town2"));
    assert_eq!(found.items[0].record, fact_ref(2));
    assert_eq!(found.items[0].older, [fact_id(1)]);
}

#[test]
fn undoing_a_replacement_brings_the_version_back() {
    let mut old = fact(1, "home", "Lives in Ghent");
    old.superseded_by = Some(fact_id(2));
    let mut corpus = corpus_of(&[], &[old.clone(), fact(2, "home", "Lives in Porto")]);
    assert_eq!(records(&corpus.recall(&ask("lives"))), [fact_ref(2)]);
    old.superseded_by = None;
    corpus.add_fact(&old);
    assert_eq!(corpus.recall(&ask("Ghent")).items[0].record, fact_ref(1));
    assert!(
        corpus
            .recall(&ask("lives"))
            .items
            .iter()
            .all(|item| item.older.is_empty())
    );
}

#[test]
fn a_stale_fact_fades_and_is_not_lost() {
    let mut stale = fact(1, "gym", "Trains at the gym on Mondays");
    let fresh = corpus_of(&[], std::slice::from_ref(&stale))
        .recall(&ask("gym Mondays"))
        .items[0]
        .score;
    stale.stale = Some(Stale {
        reason: "moved".into(),
        by: Origin::User,
        at: Timestamp::utc(40 * DAY_MS),
    });
    let corpus = corpus_of(&[], &[stale]);
    let after = |days: i64| {
        corpus.recall(&Query {
            now: Timestamp::utc((40 + days) * DAY_MS),
            level: Level::Loose,
            ..ask("gym Mondays")
        })
    };
    for (days, share) in [(0, 1.0), (30, 0.9), (60, 0.81), (365, 0.3), (3650, 0.3)] {
        let found = after(days);
        assert!(
            (found.items[0].score - fresh * share).abs() < 1e-4,
            "{days}"
        );
    }
}

#[test]
fn other_scripts_are_found_by_their_words() {
    let turns = [
        turn(1, 0, "我养了一只猫,它叫小黑。"),
        turn(2, 0, "東京タワーに行きました。"),
        turn(3, 0, "Мою собаку зовут Шарик, она любит мяч."),
        turn(4, 0, "أحب القهوة في الصباح"),
        turn(5, 0, "나는 김치를 좋아한다"),
        turn(6, 0, "ฉันชอบกินข้าวมันไก่"),
        turn(7, 0, "Ich trinke am liebsten Grünen Tee"),
    ];
    let corpus = corpus_of(&turns, &[]);
    for (question, expected) in [
        ("我的猫叫什么?", 1),
        ("東京タワー", 2),
        ("как зовут собаку?", 3),
        ("ما هي قهوة الصباح؟", 4),
        ("김치", 5),
        ("ข้าวมันไก่", 6),
        ("grunen tee", 7),
    ] {
        let found = corpus.recall(&ask(question));
        assert_eq!(
            found.items.first().map(|item| item.record),
            Some(turn_ref(expected, 0)),
            "{question}"
        );
    }
}

#[test]
fn numbers_are_found_as_written_otherwise() {
    let turns = [
        turn(1, 0, "The budget is $5k until 2026."),
        turn(2, 0, "About 7000 steps a day."),
    ];
    let corpus = corpus_of(&turns, &[]);
    for question in ["$5,000", "5000 $", "2026"] {
        assert_eq!(
            records(&corpus.recall(&ask(question))),
            [turn_ref(1, 0)],
            "{question}"
        );
    }
}

#[test]
fn a_long_turn_gives_pieces_and_says_which_one_matched() {
    let filler = "This is a plain sentence about nothing in particular, said twice. ".repeat(12);
    let text = format!("{filler}The spare key is under the 🪴 flowerpot. {filler}");
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    let wanted = corpus.add_turn(&turn(1, 0, &text));
    assert!(wanted.len() > 2);
    assert_eq!(corpus.missing_vectors(), wanted);
    let found = corpus.recall(&ask("spare key flowerpot"));
    let piece = found.items[0].piece.clone().unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let matched = String::from_utf16(&units[piece.start as usize..piece.end as usize]).unwrap();
    assert!(matched.contains("spare key"), "{matched}");
    assert!(wanted.iter().any(|wanted| wanted.text == matched));
}

#[test]
fn only_words_of_the_two_who_talk_want_vectors() {
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    let mut tool = turn(1, 0, "output");
    tool.role = Role::Tool;
    assert_eq!(corpus.add_turn(&tool), []);
    assert_eq!(corpus.add_turn(&turn(1, 1, " \n")), []);
    assert!(corpus.is_empty());
    assert_eq!(corpus.add_turn(&turn(1, 2, "words")).len(), 1);
    assert_eq!(Corpus::new(None).add_turn(&turn(1, 2, "words")), []);
}

#[test]
fn a_changed_fact_keeps_its_vector_unless_its_words_changed() {
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    let mut known = fact(1, "home", "Lives in Ghent");
    assert_eq!(corpus.add_fact(&known).len(), 1);
    embed_all(&mut corpus);
    known.stale = Some(Stale {
        reason: "moved".into(),
        by: Origin::User,
        at: Timestamp::utc(0),
    });
    assert_eq!(corpus.add_fact(&known), []);
    assert_eq!(corpus.n_vectors(), 1);
    known.statement = "Lives in Porto".into();
    assert_eq!(corpus.add_fact(&known).len(), 1);
    assert_eq!((corpus.n_vectors(), corpus.len()), (0, 1));
}

#[test]
fn vectors_that_do_not_fit_are_refused() {
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    let owner = corpus.add_turn(&turn(1, 0, "The heron fishes."))[0].owner;
    let short = IndexError::WrongDimensions {
        expected: DIMENSIONS,
        found: 3,
    };
    assert_eq!(corpus.add_vector(owner, &[1.0; 3]), Err(short));
    assert_eq!(corpus.missing_vectors().len(), 1);
    // A text without direction has no vector, and is not asked for again.
    assert_eq!(
        corpus.add_vector(owner, &[0.0; DIMENSIONS]),
        Err(IndexError::NotADirection)
    );
    assert_eq!(corpus.missing_vectors(), []);
    // Of a record that is gone, dropped.
    corpus.remove(owner.record);
    assert_eq!(corpus.add_vector(owner, &[1.0; DIMENSIONS]), Ok(()));
    assert_eq!(corpus.n_vectors(), 0);
}

#[test]
fn a_question_with_a_wrong_vector_goes_by_keywords_and_says_so() {
    let said = [turn(1, 0, "The heron fishes.")];
    let mut embedded = Corpus::new(Some(stand_in_spec()));
    embedded.add_turn(&said[0]);
    for corpus in [corpus_of(&said, &[]), embedded] {
        let found = corpus.recall(&Query {
            vector: Some(&[1.0, 2.0]),
            ..ask("heron")
        });
        assert_eq!(records(&found), [turn_ref(1, 0)]);
        assert!(found.refused.is_some());
        assert!(corpus.recall(&ask("heron")).refused.is_none());
    }
}

#[test]
fn meaning_finds_what_words_do_not() {
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    corpus.add_turn(&turn(1, 0, "AWS"));
    corpus.add_turn(&turn(2, 0, "Daughter"));
    embed_all(&mut corpus);
    let found = corpus.recall(&Query {
        vector: Some(&stand_in_vector("cloud")),
        ..ask("cloud")
    });
    assert_eq!(records(&found), [turn_ref(1, 0)]);
    assert_eq!(found.items[0].lanes[0].lane, Lane::Dense);
    assert_eq!(corpus.recall(&ask("cloud")).items, []);
}
