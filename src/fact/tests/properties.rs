//! What holds for any conversation.

use super::*;
use crate::fact::{fold, history};
use proptest::prelude::*;

/// Few words, so that they meet often.
fn some_proposal(session: u128) -> impl Strategy<Value = (Proposal, Option<prop::sample::Index>)> {
    let subject = prop::sample::select(vec![SUBJECT_USER, "Ana", "ANA", "Bo"]);
    let attribute = prop::sample::select(vec!["cloud", "Cloud", "home"]);
    let statement = prop::sample::select(vec!["Uses A", "uses a.", "Uses B", "Uses C"]);
    let fact_type = prop::sample::select(vec![FactType::Decision, FactType::Goal]);
    let valid_day = prop::option::of(-2_i64..12);
    let names = any::<Option<prop::sample::Index>>();
    (
        subject,
        attribute,
        statement,
        fact_type,
        0_u32..6,
        0_u32..3,
        valid_day,
        names,
    )
        .prop_map(
            move |(subject, attribute, statement, fact_type, index, start, valid_day, names)| {
                let base = said(index, statement);
                // Sessions overlap in time.
                let said_at = Timestamp::utc((i64::from(index) + session as i64) * DAY);
                let valid_from = valid_day.map_or(said_at, |day| Timestamp::utc(day * DAY));
                let proposal = Proposal {
                    subject: subject.into(),
                    attribute: attribute.into(),
                    fact_type,
                    evidence: Evidence {
                        turn: turn(session, index),
                        start,
                        end: start + 4,
                        // What stands at one place of one turn is one quote.
                        quote: format!("{session}.{index}.{start}"),
                    },
                    said_at,
                    valid_from: valid_from.min(said_at),
                    ..base
                };
                (proposal, names)
            },
        )
}

fn some_answers() -> impl Strategy<Value = Vec<Vec<(Proposal, Option<prop::sample::Index>)>>> {
    let answer =
        (1_u128..4).prop_flat_map(|session| prop::collection::vec(some_proposal(session), 0..6));
    prop::collection::vec(answer, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_happens_twice(answers in some_answers()) {
        let mut facts = Facts::default();
        for answer in answers {
            let before = facts.clone();
            let ids: Vec<FactId> = before.rows.keys().copied().collect();
            let answer: Vec<Proposal> = answer
                .into_iter()
                .map(|(proposal, names)| {
                    let named = names.filter(|_| !ids.is_empty()).map(|index| *index.get(&ids));
                    replacing(named, proposal)
                })
                .collect();
            facts.learn(&answer);

            for old in before.rows.values() {
                let new = &facts.rows[&old.id];
                // Only links, proof and its evidence ever change.
                let expected = Fact {
                    supersedes: new.supersedes,
                    superseded_by: new.superseded_by,
                    proof_count: new.proof_count,
                    evidence: new.evidence.clone(),
                    ..old.clone()
                };
                prop_assert_eq!(new, &expected);
                prop_assert!(new.proof_count >= old.proof_count);
                prop_assert!(old.superseded_by.is_none() || old.superseded_by == new.superseded_by);
                prop_assert!(old.supersedes.is_none() || old.supersedes == new.supersedes);
                if old.is_current() && !new.is_current() {
                    let named = answer.iter().any(|p| p.supersedes.is_some() && fold(&p.subject) == fold(&old.subject));
                    prop_assert!(named, "retired though no one named a fact of that subject");
                }
            }
            for fact in facts.rows.values() {
                for link in fact.superseded_by.iter().chain(&fact.supersedes) {
                    prop_assert_ne!(*link, fact.id);
                    prop_assert_eq!(fold(&facts.rows[link].subject), fold(&fact.subject));
                }
                let rows: Vec<&Fact> = facts.rows.values().collect();
                let versions = history(fact.id, &rows);
                prop_assert!(versions[0].is_current(), "a chain ends in a current fact");
                prop_assert!(versions.contains(&fact));
            }
            // Everything proposed is known in the words of some fact.
            for p in &answer {
                let known = facts.rows.values().any(|fact| {
                    fact.evidence.as_ref() == Some(&p.evidence) || fold(&fact.statement) == fold(&p.statement)
                });
                prop_assert!(known);
            }
            let (again, _) = facts.resolve(&answer);
            prop_assert_eq!(again, vec![], "the same answer again");
        }
    }
}
