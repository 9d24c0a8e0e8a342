//! Recall as a whole. Each file is one kind of promise.

mod acceptance;
mod files;
mod filters;
mod generations;
mod golden_segment;
mod graph;
mod lanes;
mod measured;
mod properties;
mod rules;
mod segments;
mod vectors;
mod words;

use super::*;
use crate::model::{
    Confidence, Evidence, Fact, FactType, Origin, Role, SUBJECT_USER, Stale, Turn, TurnId,
};

const DAY_MS: i64 = 86_400_000;

fn session(number: i64) -> SessionId {
    SessionId::new(number * DAY_MS, 0)
}

fn place(session_number: i64, index: u32) -> TurnId {
    TurnId {
        session: session(session_number),
        index,
    }
}

/// User and assistant take turns; the user begins.
fn turn(session_number: i64, index: u32, text: &str) -> Turn {
    Turn {
        v: Turn::VERSION,
        id: place(session_number, index),
        role: if index.is_multiple_of(2) {
            Role::User
        } else {
            Role::Assistant
        },
        speaker: None,
        content: vec![serde_json::json!({ "type": "text", "text": text })],
        at: Timestamp::utc(session_number * DAY_MS),
    }
}

fn turn_ref(session_number: i64, index: u32) -> RecordRef {
    RecordRef::Turn(place(session_number, index))
}

fn fact_id(number: u32) -> FactId {
    FactId::new(i64::from(number), 0)
}

fn fact_ref(number: u32) -> RecordRef {
    RecordRef::Fact(fact_id(number))
}

/// A fact about the user that nobody said here.
fn fact(number: u32, attribute: &str, statement: &str) -> Fact {
    Fact {
        v: Fact::VERSION,
        id: fact_id(number),
        fact_type: FactType::Preference,
        subject: SUBJECT_USER.into(),
        attribute: attribute.into(),
        statement: statement.into(),
        entities: Vec::new(),
        numbers: Vec::new(),
        evidence: None,
        origin: Origin::User,
        confidence: Confidence::High,
        valid_from: Timestamp::utc(0),
        recorded_at: Timestamp::utc(i64::from(number)),
        supersedes: None,
        superseded_by: None,
        stale: None,
        proof_count: 1,
    }
}

/// Rests the fact on a quote out of a turn.
fn said_in(mut fact: Fact, turn: &Turn, quote: &str) -> Fact {
    let text = turn.text();
    let start = text.find(quote).expect("the turn holds the quote");
    let units = |text: &str| text.encode_utf16().count() as u32;
    fact.evidence = Some(Evidence {
        turn: turn.id,
        start: units(&text[..start]),
        end: units(&text[..start + quote.len()]),
        quote: quote.into(),
    });
    fact
}

fn ask(text: &str) -> Query<'_> {
    Query::new(text, Timestamp::utc(100 * DAY_MS))
}

fn records(recollection: &Recollection) -> Vec<RecordRef> {
    recollection.items.iter().map(|item| item.record).collect()
}

fn corpus_of(turns: &[Turn], facts: &[Fact]) -> Corpus {
    let mut corpus = Corpus::new(None);
    for turn in turns {
        corpus.add_turn(turn);
    }
    for fact in facts {
        corpus.add_fact(fact);
    }
    corpus
}
