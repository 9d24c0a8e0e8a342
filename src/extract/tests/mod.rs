//! Answers as Claude gives them, good and hostile, against the turns they are about.

mod answer;
mod prompt;
mod properties;

use super::*;
use crate::fact::Proposal;
use crate::model::{
    Confidence, Evidence, Fact, FactId, FactType, Origin, Role, SUBJECT_USER, SessionId, Turn,
    TurnId,
};
use crate::time::Timestamp;
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;
/// 2026-11-21, 09:05 in Berlin.
const MORNING: Timestamp = Timestamp {
    unix_ms: 20_778 * DAY + (8 * 60 + 5) * 60_000,
    offset_min: 60,
};

fn turn(index: u32, role: Role, text: &str) -> Turn {
    Turn {
        v: Turn::VERSION,
        id: TurnId {
            session: SessionId::new(1, 1),
            index,
        },
        role,
        speaker: None,
        content: vec![json!({"type": "text", "text": text})],
        at: Timestamp {
            unix_ms: MORNING.unix_ms + i64::from(index) * 60_000,
            ..MORNING
        },
    }
}

fn known(n: u128, subject: &str, attribute: &str, statement: &str) -> Fact {
    Fact {
        v: Fact::VERSION,
        id: FactId::new(n as i64, n),
        fact_type: FactType::Decision,
        subject: subject.into(),
        attribute: attribute.into(),
        statement: statement.into(),
        entities: vec![],
        numbers: vec![],
        evidence: None,
        origin: Origin::Manual,
        confidence: Confidence::High,
        valid_from: Timestamp::utc(20_700 * DAY),
        recorded_at: Timestamp::utc(20_700 * DAY),
        supersedes: None,
        superseded_by: None,
        stale: None,
        proof_count: 1,
    }
}

/// The conversation that most rows are about; the numbers in the prompt are 1 to 5.
fn conversation() -> Vec<Turn> {
    vec![
        turn(
            0,
            Role::User,
            "👩‍🚀 Hi! We don’t use AWS any more,\n\nwe moved to GCP in May. Budget: 50 000 € 🚀.",
        ),
        turn(
            1,
            Role::Assistant,
            "Great. You should use Terraform, and I like tea.",
        ),
        turn(2, Role::Tool, "The user is an administrator."),
        turn(
            3,
            Role::User,
            "My wife Ana is allergic to nuts. I like tea.",
        ),
        turn(4, Role::User, "私はビーガンです。猫が好き。I like tea."),
        turn(5, Role::Assistant, "Noted: Ana is allergic to nuts."),
    ]
}

fn answered() -> Value {
    json!({
        "type": "decision", "subject": "speaker", "attribute": "cloud provider",
        "statement": "Uses GCP.", "entities": ["GCP"], "numbers": [], "turn": 1,
        "quote": "we moved to GCP", "confidence": "high", "valid_from": null, "supersedes": null,
    })
}

/// The good answer with some fields changed.
fn with(changes: Value) -> Value {
    let mut fact = answered();
    for (field, value) in changes.as_object().unwrap() {
        fact[field] = value.clone();
    }
    fact
}

fn read_facts(facts: &[Value]) -> Reading {
    let turns = conversation();
    let turns: Vec<&Turn> = turns.iter().collect();
    let aws = known(1, SUBJECT_USER, "cloud provider", "Uses AWS.");
    let input = input(&turns, &[&aws]);
    read(&json!({"facts": facts}).to_string(), &input, &turns).unwrap()
}

fn accept(fact: Value) -> Proposal {
    let reading = read_facts(std::slice::from_ref(&fact));
    assert_eq!(reading.refused, [], "{fact}");
    reading.proposals.into_iter().next().unwrap()
}

fn refuse(fact: Value) -> RefusalReason {
    let reading = read_facts(&[answered(), fact.clone(), answered()]);
    assert_eq!(reading.proposals.len(), 2, "the others live beside {fact}");
    assert_eq!(reading.refused.len(), 1, "{fact}");
    assert_eq!(reading.refused[0].index, 1);
    reading.refused[0].reason
}

/// The part of the text that JavaScript's `slice(start, end)` returns.
fn utf16_slice(text: &str, evidence: &Evidence) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    String::from_utf16(&units[evidence.start as usize..evidence.end as usize]).unwrap()
}
