//! What each rule does, by example.

use super::*;
use crate::fact::{history, mark_stale};

#[test]
fn a_new_fact_keeps_all_that_was_proposed() {
    let mut facts = Facts::default();
    let proposal = Proposal {
        entities: vec!["AWS".into()],
        numbers: vec!["$50".into()],
        valid_from: Timestamp::utc(2 * DAY),
        ..said(3, "Uses AWS")
    };
    assert_eq!(facts.learn(std::slice::from_ref(&proposal)), 1);
    let fact = facts.by_statement("Uses AWS");
    assert_eq!(fact.evidence, Some(proposal.evidence));
    assert_eq!(fact.entities, ["AWS"]);
    assert_eq!(fact.numbers, ["$50"]);
    assert_eq!(fact.valid_from, Timestamp::utc(2 * DAY));
    assert_eq!(fact.recorded_at, Timestamp::utc(1_000 * DAY));
    assert_eq!((fact.proof_count, fact.is_current()), (1, true));
}

#[test]
fn saying_it_again_is_proof_and_not_a_second_row() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS")]);
    for (n, (index, again)) in [(2, "uses  aws."), (3, "“Uses AWS”!")].iter().enumerate() {
        assert_eq!(facts.learn(&[said(*index, again)]), 1);
        let fact = facts.by_statement("Uses AWS");
        assert_eq!(fact.proof_count, n as u32 + 2);
        assert_eq!(fact.evidence.as_ref().unwrap().turn, turn(1, *index));
    }
    // Type and attribute are labels; the sentence is the fact.
    facts.learn(&[about(
        FactType::Entity,
        "Cloud Provider",
        said(4, "Uses AWS"),
    )]);
    facts.learn(&[about(FactType::Goal, "hosting", said(5, "Uses AWS"))]);
    assert_eq!(facts.rows.len(), 1);
    assert_eq!(facts.by_statement("Uses AWS").proof_count, 5);
    // Said of someone else it is another fact.
    facts.learn(&[Proposal {
        subject: "Ana".into(),
        ..said(6, "Uses AWS")
    }]);
    assert_eq!(facts.rows.len(), 2);
}

#[test]
fn the_same_turn_never_counts_twice() {
    let mut facts = Facts::default();
    let runs = [
        said(1, "Uses AWS"),
        said(4, "Uses AWS"),
        said(2, "Uses AWS"),
    ];
    for (proposal, n_ops) in runs.iter().zip([1, 1, 0]) {
        assert_eq!(facts.learn(std::slice::from_ref(proposal)), n_ops);
        assert_eq!(facts.learn(std::slice::from_ref(proposal)), 0);
    }
    assert_eq!(facts.learn(&runs), 0);
    assert_eq!(facts.by_statement("Uses AWS").proof_count, 2);
}

#[test]
fn duplicates_within_one_answer_collapse() {
    let mut facts = Facts::default();
    let answer = [
        said(5, "Uses AWS"),
        said(1, "uses AWS!"),
        said(5, "Uses  aws"),
    ];
    assert_eq!(facts.learn(&answer), 1);
    // Two turns said so, in whatever order the answer listed them.
    assert_eq!(facts.by_statement("uses AWS!").proof_count, 2);
    assert_eq!(facts.learn(&answer), 0);
}

#[test]
fn a_fact_a_person_wrote_gets_evidence_when_it_is_said() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS")]);
    let id = facts.id("Uses AWS").unwrap();
    let fact = facts.rows.get_mut(&id).unwrap();
    (fact.evidence, fact.origin) = (None, Origin::Manual);
    let again = said(2, "uses aws");
    assert_eq!(facts.learn(std::slice::from_ref(&again)), 1);
    let fact = facts.by_statement("Uses AWS");
    assert_eq!(fact.evidence, Some(again.evidence.clone()));
    assert_eq!((fact.origin, fact.proof_count), (Origin::Manual, 2));
    assert_eq!(facts.learn(&[again]), 0);
}

#[test]
fn from_aws_to_gcp_the_old_version_stays_readable_and_is_not_current() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS")]);
    let aws = facts.by_statement("Uses AWS").clone();
    let moved = replacing(Some(aws.id), said(9, "Moved to GCP"));
    assert_eq!(facts.learn(std::slice::from_ref(&moved)), 2);

    let gcp = facts.by_statement("Moved to GCP");
    assert_eq!(gcp.supersedes, Some(aws.id));
    let expected = Fact {
        superseded_by: Some(gcp.id),
        ..aws.clone()
    };
    assert_eq!(*facts.by_statement("Uses AWS"), expected);
    assert_eq!(facts.current(), ["Moved to GCP"]);
    let rows: Vec<&Fact> = facts.rows.values().collect();
    let versions = history(aws.id, &rows);
    let statements: Vec<&str> = versions
        .iter()
        .map(|fact| fact.statement.as_str())
        .collect();
    assert_eq!(statements, ["Moved to GCP", "Uses AWS"]);

    // Both jobs again, in any order: nothing comes back.
    assert_eq!(facts.learn(&[said(1, "Uses AWS")]), 0);
    assert_eq!(facts.learn(&[moved]), 0);
    // Back to AWS, said later, is a version of its own.
    let back = replacing(facts.id("Moved to GCP"), said(12, "uses aws"));
    facts.learn(&[back]);
    assert_eq!(facts.current(), ["uses aws"]);
    assert_eq!(facts.rows.len(), 3);
}

#[test]
fn an_old_version_named_again_leads_to_its_newest() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS")]);
    let aws = facts.id("Uses AWS");
    facts.learn(&[replacing(aws, said(2, "Moved to GCP"))]);
    facts.learn(&[replacing(aws, said(3, "Moved to Azure"))]);
    assert_eq!(
        facts.by_statement("Moved to Azure").supersedes,
        facts.id("Moved to GCP")
    );
    assert_eq!(
        facts.by_statement("Uses AWS").superseded_by,
        facts.id("Moved to GCP")
    );
    assert_eq!(facts.current(), ["Moved to Azure"]);
}

#[test]
fn two_changes_in_one_answer_form_one_chain() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS")]);
    let aws = facts.id("Uses AWS");
    let answer = [
        replacing(aws, said(3, "Moved to Azure")),
        replacing(aws, said(2, "Moved to GCP")),
    ];
    assert_eq!(facts.learn(&answer), 3);
    assert_eq!(facts.current(), ["Moved to Azure"]);
    assert_eq!(
        facts.by_statement("Moved to Azure").supersedes,
        facts.id("Moved to GCP")
    );
    assert_eq!(facts.learn(&answer), 0);
}

#[test]
fn what_is_not_plainly_the_same_thing_retires_nothing() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS")]);
    let aws = facts.id("Uses AWS");
    let ana = Proposal {
        subject: "Ana".into(),
        ..said(2, "Ana uses GCP")
    };
    let home = about(FactType::Entity, "home city", said(3, "Lives in Oslo"));
    let unknown = said(4, "Moved to GCP");
    facts.learn(&[replacing(aws, ana)]);
    facts.learn(&[replacing(aws, home)]);
    facts.learn(&[replacing(Some(FactId::new(7, 7)), unknown)]);
    assert_eq!(facts.rows.len(), 4);
    assert_eq!(facts.current().len(), 4);
    assert!(facts.rows.values().all(|fact| fact.supersedes.is_none()));
}

#[test]
fn a_part_of_what_was_replaced_does_not_retire_the_other_part() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS in Ohio")]);
    let old = facts.id("Uses AWS in Ohio");
    let region = about(FactType::Decision, "region", said(2, "Uses Frankfurt"));
    let answer = [
        replacing(old, said(2, "Moved to GCP")),
        replacing(old, region),
    ];
    facts.learn(&answer);
    assert_eq!(facts.current(), ["Moved to GCP", "Uses Frankfurt"]);
    assert_eq!(facts.learn(&answer), 0);
}

#[test]
fn a_known_fact_can_replace_another_known_one() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS"), said(2, "Uses GCP")]);
    let no_longer = replacing(facts.id("Uses AWS"), said(3, "Uses GCP"));
    assert_eq!(facts.learn(std::slice::from_ref(&no_longer)), 2);
    assert_eq!(facts.current(), ["Uses GCP"]);
    assert_eq!(
        facts.by_statement("Uses GCP").supersedes,
        facts.id("Uses AWS")
    );
    assert_eq!(facts.learn(&[no_longer]), 0);
}

#[test]
fn a_job_that_runs_late_does_not_bring_back_the_past() {
    let mut facts = Facts::default();
    facts.learn(&[said(8, "Moved to GCP")]);
    // Claude saw the newer fact as known and took the older statement for a change.
    let late = replacing(facts.id("Moved to GCP"), said(2, "Uses AWS"));
    assert_eq!(facts.learn(std::slice::from_ref(&late)), 1);
    assert_eq!(facts.current(), ["Moved to GCP"]);
    let rows: Vec<&Fact> = facts.rows.values().collect();
    assert_eq!(history(facts.id("Uses AWS").unwrap(), &rows).len(), 2);
    assert_eq!(facts.learn(&[late]), 0);
}

#[test]
fn a_stale_fact_stays_stale_until_it_is_said_anew() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS")]);
    let id = facts.id("Uses AWS").unwrap();
    let stale = mark_stale(&facts.rows[&id], "", Origin::User, Timestamp::utc(5 * DAY));
    facts.rows.insert(id, stale);
    // Said before the mark, read after it: proof of the past.
    assert_eq!(facts.learn(&[said(1, "Uses AWS")]), 0);
    assert_eq!(facts.learn(&[said(3, "Uses AWS")]), 1);
    assert!(facts.current().is_empty());
    assert_eq!(facts.rows[&id].proof_count, 2);
    facts.learn(&[said(6, "Uses AWS")]);
    assert_eq!((facts.current().len(), facts.rows.len()), (1, 2));
}

#[test]
fn other_words_for_the_same_quote_are_the_same_fact() {
    let mut facts = Facts::default();
    let diet = about(
        FactType::Preference,
        "diet",
        said(1, "I am vegan and like tea"),
    );
    let drink = Proposal {
        attribute: "drink".into(),
        statement: "Likes tea".into(),
        ..diet.clone()
    };
    let first = Proposal {
        statement: "Is vegan".into(),
        ..diet
    };
    // One quote, two facts.
    assert_eq!(facts.learn(&[first.clone(), drink.clone()]), 2);
    // Read again, Claude words both anew.
    let reworded = [
        Proposal {
            statement: "Eats vegan food".into(),
            ..first.clone()
        },
        Proposal {
            statement: "Drinks tea".into(),
            ..drink.clone()
        },
    ];
    assert_eq!(facts.learn(&reworded), 0);
    // The next day the same words in another turn are no repetition of a job.
    let next_day = Proposal {
        evidence: Evidence {
            turn: turn(1, 2),
            ..first.evidence.clone()
        },
        ..reworded[0].clone()
    };
    assert_eq!(facts.learn(&[next_day]), 1);
    // A fact that the first reading missed is not taken for a known one that is listed beside it.
    let mut facts = Facts::default();
    facts.learn(std::slice::from_ref(&first));
    assert_eq!(facts.learn(&[drink, first]), 1);
}

#[test]
fn a_successor_that_is_not_at_hand_keeps_its_link() {
    let mut facts = Facts::default();
    facts.learn(&[said(1, "Uses AWS")]);
    let aws = facts.id("Uses AWS").unwrap();
    let elsewhere = FactId::new(3, 3);
    facts.rows.get_mut(&aws).unwrap().superseded_by = Some(elsewhere);
    facts.learn(&[replacing(Some(aws), said(2, "Moved to Azure"))]);
    assert_eq!(facts.rows[&aws].superseded_by, Some(elsewhere));
    assert_eq!(facts.by_statement("Moved to Azure").supersedes, None);
}
