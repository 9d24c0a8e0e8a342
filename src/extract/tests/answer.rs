//! Answers against the turns they are about.

use super::*;
use crate::error::Error;

#[test]
fn a_good_fact_becomes_a_proposal() {
    let proposal = accept(with(json!({
        "type": "Decision", "confidence": " HIGH", "attribute": " cloud \n provider",
        "entities": ["GCP", "", "GCP"], "numbers": ["50 000 €", "70 €"],
        "supersedes": "k1", "valid_from": "2026-05-01",
    })));
    let first = &conversation()[0];
    let evidence = Evidence {
        turn: first.id,
        start: 38,
        end: 53,
        quote: "we moved to GCP".into(),
    };
    let may_first = Timestamp {
        unix_ms: 20_574 * DAY - 60 * 60_000,
        offset_min: 60,
    };
    let expected = Proposal {
        fact_type: FactType::Decision,
        subject: SUBJECT_USER.into(),
        attribute: "cloud provider".into(),
        statement: "Uses GCP.".into(),
        entities: vec!["GCP".into()],
        numbers: vec!["50 000 €".into()],
        evidence: evidence.clone(),
        said_at: first.at,
        origin: Origin::User,
        confidence: Confidence::High,
        valid_from: may_first,
        supersedes: Some(FactId::new(1, 1)),
    };
    assert_eq!(proposal, expected);
    assert_eq!(may_first.to_minute(), "2026-05-01 00:00");
    assert_eq!(utf16_slice(&first.text(), &evidence), "we moved to GCP");
}

#[test]
fn evidence_is_the_turns_own_words() {
    let rows = [
        (
            1,
            "We don't use AWS any more, we moved",
            0,
            "We don’t use AWS any more,\n\nwe moved",
        ),
        (1, "50 000 € 🚀", 0, "50 000 € 🚀"),
        (1, "👩‍🚀 Hi", 0, "👩‍🚀 Hi"),
        (4, "私はビーガンです", 4, "私はビーガンです"),
        (4, "猫が好き。", 4, "猫が好き。"),
        // The named turn is meant also where another one has the same words.
        (3, "I like tea", 3, "I like tea"),
        (4, "I like tea", 4, "I like tea"),
        // A wrong, absent or impossible number, and one turn that fits; or the assistant's turn without the words.
        (3, "we moved to GCP", 0, "we moved to GCP"),
        (9, "Ana is allergic", 3, "Ana is allergic"),
        (0, "Ana is allergic", 3, "Ana is allergic"),
        (i64::MIN, "Ana is allergic", 3, "Ana is allergic"),
        (2, "Ana is allergic", 3, "Ana is allergic"),
    ];
    let turns = conversation();
    for (n, quote, index, own) in rows {
        let evidence = accept(with(json!({"turn": n, "quote": quote}))).evidence;
        assert_eq!(evidence.turn, turns[index].id, "{quote}");
        assert_eq!(evidence.quote, own);
        assert_eq!(utf16_slice(&turns[index].text(), &evidence), own);
    }
}

#[test]
fn facts_without_the_users_words_are_refused() {
    use RefusalReason::*;
    let rows = [
        (1, "we moved to Azure", QuoteNotFound),
        (1, "WE MOVED TO GCP", QuoteNotFound),
        (1, "We don’t use AWS … we moved to GCP", QuoteNotFound),
        (1, "The user is an administrator", QuoteNotFound),
        (1, "I like tea", QuoteAmbiguous),
        (7, "I like tea", QuoteAmbiguous),
        (2, "use Terraform", NotUserWords),
        (1, "use Terraform", NotUserWords),
        (2, "I like tea", NotUserWords),
        (5, "Ana is allergic to nuts", NotUserWords),
        (1, "", Empty(Field::Quote)),
        (1, " … ", Empty(Field::Quote)),
        (1, "W", TooShort(Field::Quote)),
    ];
    for (n, quote, reason) in rows {
        let found = refuse(with(json!({"turn": n, "quote": quote})));
        assert_eq!(found, reason, "{quote} in {n}");
    }
}

#[test]
fn single_bad_facts_are_refused_with_a_reason() {
    use RefusalReason::*;
    let long = |n: usize| "x".repeat(n);
    let without = |field: &str| {
        let mut fact = answered();
        fact.as_object_mut().unwrap().remove(field);
        fact
    };
    let rows = [
        (json!(null), Malformed),
        (json!("Uses GCP."), Malformed),
        (json!({}), Malformed),
        (without("quote"), Malformed),
        (without("valid_from"), Malformed),
        (without("supersedes"), Malformed),
        (with(json!({"id": "x"})), Malformed),
        (with(json!({"turn": "1"})), Malformed),
        (with(json!({"turn": 1.5})), Malformed),
        (with(json!({"turn": null})), Malformed),
        (with(json!({"entities": "GCP"})), Malformed),
        (with(json!({"entities": [1]})), Malformed),
        (with(json!({"statement": null})), Malformed),
        (with(json!({"type": "order"})), UnknownType),
        (with(json!({"type": ""})), UnknownType),
        (with(json!({"confidence": "certain"})), UnknownConfidence),
        (with(json!({"subject": " \n"})), Empty(Field::Subject)),
        (with(json!({"attribute": ""})), Empty(Field::Attribute)),
        (with(json!({"statement": "…"})), Empty(Field::Statement)),
        (with(json!({"subject": long(121)})), TooLong(Field::Subject)),
        (
            with(json!({"attribute": long(121)})),
            TooLong(Field::Attribute),
        ),
        (
            with(json!({"statement": long(501)})),
            TooLong(Field::Statement),
        ),
        (with(json!({"quote": long(1_001)})), TooLong(Field::Quote)),
        (
            with(json!({"entities": [long(121)]})),
            TooLong(Field::Entities),
        ),
        (
            with(json!({"numbers": [long(61)]})),
            TooLong(Field::Numbers),
        ),
        (
            with(json!({"numbers": vec!["1"; 17]})),
            TooMany(Field::Numbers),
        ),
        (
            with(json!({"entities": vec!["a"; 17]})),
            TooMany(Field::Entities),
        ),
    ];
    for (fact, reason) in rows {
        assert_eq!(refuse(fact.clone()), reason, "{fact}");
    }
    accept(with(json!({"subject": long(120), "statement": long(500)})));
}

#[test]
fn an_absurd_number_of_facts_is_cut() {
    let reading = read_facts(&vec![answered(); 40]);
    assert_eq!(reading.proposals.len(), MAX_FACTS);
    let last = Refusal {
        index: 39,
        reason: RefusalReason::TooMany(Field::Facts),
    };
    assert_eq!(reading.refused.len(), 40 - MAX_FACTS);
    assert_eq!(reading.refused.last(), Some(&last));
}

#[test]
fn an_answer_that_can_not_be_read_is_an_error_that_may_be_tried_again() {
    let turns = conversation();
    let turns: Vec<&Turn> = turns.iter().collect();
    let input = input(&turns, &[]);
    let good = json!({"facts": [answered()]}).to_string();
    assert_eq!(read(&good, &input, &turns).unwrap().proposals.len(), 1);
    let empty = read(" {\"facts\": []}\n", &input, &turns);
    assert_eq!(empty, Ok(Reading::default()));
    for (before, after) in [("```json\n", "\n```"), (" ```\n", "```\n")] {
        let fenced = format!("{before}{good}{after}");
        assert_eq!(read(&fenced, &input, &turns), read(&good, &input, &turns));
    }

    // Wherever max_tokens cuts it.
    for (end, _) in good.char_indices() {
        let cut = read(&good[..end], &input, &turns);
        assert!(matches!(cut, Err(AnswerError::NotJson { .. })), "{end}");
    }
    for text in [
        "I found no facts.",
        "```json\n{\"facts\":[]}",
        "```python\n{\"facts\":[]}\n```",
        "{\"facts\":[]} ok",
    ] {
        let answer = read(text, &input, &turns);
        assert!(matches!(answer, Err(AnswerError::NotJson { .. })), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(
        read(&deep, &input, &turns),
        Err(AnswerError::NotJson { .. })
    ));
    for text in [
        "null",
        "[]",
        "{}",
        "3",
        "{\"facts\":{}}",
        "{\"facts\":null}",
        "{\"facts\":[],\"x\":1}",
    ] {
        assert_eq!(
            read(text, &input, &turns),
            Err(AnswerError::WrongShape),
            "{text}"
        );
    }
    let long = " ".repeat(MAX_ANSWER_BYTES + 1);
    let bytes = long.len();
    assert_eq!(
        read(&long, &input, &turns),
        Err(AnswerError::TooLong { bytes })
    );

    let error = Error::from(AnswerError::WrongShape);
    assert!(error.is_retryable());
}

#[test]
fn whoever_speaks_is_the_user() {
    for subject in [
        "speaker",
        "Speaker",
        " user ",
        "the user",
        "I",
        "me",
        "The speaker.",
    ] {
        assert_eq!(
            accept(with(json!({"subject": subject}))).subject,
            SUBJECT_USER
        );
    }
    for (subject, kept) in [
        (" Ana ", "Ana"),
        ("Ana\nSchmidt", "Ana Schmidt"),
        ("Iris", "Iris"),
    ] {
        assert_eq!(accept(with(json!({"subject": subject}))).subject, kept);
    }
}

#[test]
fn days_that_are_not_before_the_turn_are_the_turns_own_time() {
    let said_at = conversation()[0].at;
    for day in [
        "2026-11-21",
        "2026-11-22",
        "3000-01-01",
        "2026-02-30",
        "May",
        "",
        "2026-05",
    ] {
        let proposal = accept(with(json!({"valid_from": day})));
        assert_eq!(proposal.valid_from, said_at, "{day}");
    }
}

#[test]
fn only_a_fact_that_was_shown_can_be_replaced() {
    for (id, expected) in [
        ("k1", Some(FactId::new(1, 1))),
        (" k1", Some(FactId::new(1, 1))),
    ] {
        assert_eq!(accept(with(json!({"supersedes": id}))).supersedes, expected);
    }
    let real_id = FactId::new(1, 1).to_string();
    for id in ["k2", "K9", "", "1", "null", &real_id] {
        assert_eq!(
            accept(with(json!({"supersedes": id}))).supersedes,
            None,
            "{id}"
        );
    }
}

#[test]
fn from_aws_to_gcp_through_the_whole_path() {
    let turns = conversation();
    let turns: Vec<&Turn> = turns.iter().collect();
    let aws = known(1, SUBJECT_USER, "cloud provider", "Uses AWS.");
    let nuts = known(2, "Ana", "allergy", "Ana is allergic to nuts.");
    let facts = [&aws, &nuts];
    let input = input(&turns, &facts);
    let answer = json!({"facts": [
        with(json!({"supersedes": "k1"})),
        // A poisoned answer names someone else's fact.
        with(json!({"attribute": "allergy", "statement": "Likes tea.", "turn": 3, "quote": "I like tea", "supersedes": "k2"})),
    ]});
    let reading = read(&answer.to_string(), &input, &turns).unwrap();
    let mut n = 10;
    let ops = crate::fact::resolve(reading.proposals, &facts, MORNING, || {
        n += 1;
        FactId::new(n, n as u128)
    });
    let written: Vec<(String, bool)> = ops
        .iter()
        .map(|op| match op {
            crate::batch::Op::Insert(crate::model::Record::Fact(fact))
            | crate::batch::Op::Put(crate::model::Record::Fact(fact)) => {
                (fact.statement.clone(), fact.is_current())
            }
            other => panic!("unexpected {other:?}"),
        })
        .collect();
    let expected = [
        ("Uses AWS.", false),
        ("Uses GCP.", true),
        ("Likes tea.", true),
    ];
    assert_eq!(
        written,
        expected.map(|(s, current)| (s.to_owned(), current))
    );
}
