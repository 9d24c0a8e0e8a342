//! Recall in fifteen languages: exact look-ups, names, numbers and dates, each in the words of its language.

use onhand::embed::StaticTable;
use onhand::model::{RecordRef, Role, SessionId, Turn, TurnId};
use onhand::recall::{Corpus, EmbedderSpec, Query};
use onhand::time::{Date, Timestamp};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Languages {
    languages: BTreeMap<String, Language>,
}

#[derive(Deserialize)]
struct Language {
    memories: Vec<String>,
    questions: Vec<(String, u32)>,
}

/// What every language has to reach of what English reaches.
const LEAST_SHARE_OF_ENGLISH: f64 = 0.8;

fn noon(month: u8, day: u8) -> Timestamp {
    let date = Date {
        year: 2026,
        month,
        day,
    };
    Timestamp::utc(date.days() * 86_400_000 + 43_200_000)
}

/// Each memory in a session of its own, so that none is found by its neighbour.
fn turn(number: u32, text: &str) -> Turn {
    let at = noon(5, number as u8 + 1);
    Turn {
        v: Turn::VERSION,
        id: TurnId {
            session: SessionId::new(at.unix_ms, 0),
            index: 0,
        },
        role: Role::User,
        speaker: None,
        content: vec![json!({ "type": "text", "text": text })],
        at,
    }
}

/// The share of the questions that bring up the right memory first, at the level of a chat.
fn first_share(language: &Language, table: Option<&StaticTable>, missed: &mut Vec<String>) -> f64 {
    let spec = table.map(|table| EmbedderSpec {
        id: table.id().into(),
        dimensions: table.dimensions(),
        mean: table.calibration().mean,
        sd: table.calibration().sd,
    });
    let mut corpus = Corpus::new(spec);
    for (number, text) in (0..).zip(&language.memories) {
        for piece in corpus.add_turn(&turn(number, text)) {
            if let Some(vector) = table.and_then(|table| table.embed(&piece.text)) {
                corpus.add_vector(piece.owner, &vector).unwrap();
            }
        }
    }
    let mut n_right = 0;
    for (text, expected) in &language.questions {
        let vector = table.and_then(|table| table.embed(&corpus.words_to_embed(text)));
        let found = corpus.recall(&Query {
            vector: vector.as_deref(),
            ..Query::new(text, noon(11, 18))
        });
        let expected = RecordRef::Turn(turn(*expected, "").id);
        if found.items.first().map(|item| item.record) == Some(expected) {
            n_right += 1;
        } else {
            let place = found.items.iter().position(|item| item.record == expected);
            missed.push(format!("{text} (place {place:?})"));
        }
    }
    f64::from(n_right) / language.questions.len() as f64
}

#[test]
fn every_language_is_recalled_nearly_as_well_as_english() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recall/languages.json");
    let all: Languages = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(all.languages.len() >= 12);
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/pkg/model/static-128-int4.bin");
    let table = StaticTable::from_bytes(&std::fs::read(table).unwrap()).unwrap();
    for (name, table) in [
        ("without an embedder", None),
        ("with the default embedder", Some(&table)),
    ] {
        let mut missed = BTreeMap::new();
        let mut shares = BTreeMap::new();
        for (language, texts) in &all.languages {
            assert!(
                texts.memories.len() >= 10 && texts.questions.len() >= 8,
                "{language}"
            );
            let missed = missed.entry(language).or_insert_with(Vec::new);
            shares.insert(language.as_str(), first_share(texts, table, missed));
        }
        println!("{name}: {shares:?}\n{missed:#?}");
        let english = shares["English"];
        assert!(
            english >= 0.9,
            "{name}: English {english}, missed {missed:#?}"
        );
        for (language, share) in &shares {
            assert!(
                *share >= LEAST_SHARE_OF_ENGLISH * english,
                "{name}: {language} {share}, English {english}, missed {:#?}",
                missed[&language.to_string()]
            );
        }
    }
}
