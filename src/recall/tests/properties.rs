//! What holds for every history.

use super::vectors::{embed_all, stand_in_spec, stand_in_vector};
use super::*;
use crate::model::{File, FileId};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Turn {
        session: i64,
        index: u32,
        text: String,
    },
    Fact {
        number: u32,
        text: String,
        turn: Option<(i64, u32)>,
        supersedes: Option<u32>,
        is_stale: bool,
    },
    RemoveTurn {
        session: i64,
        index: u32,
    },
    RemoveFact {
        number: u32,
    },
    File {
        number: u32,
        text: String,
    },
    RemoveFile {
        number: u32,
    },
}

pub(super) fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "cat", "dog", "cloud", "aws", "cake", "kid", "blue", "the", "run?",
    ]);
    prop::collection::vec(word, 0..6).prop_map(|words| words.join(" "))
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let turn = (1i64..4, 0u32..5);
    prop_oneof![
        4 => (1i64..4, 0u32..5, text()).prop_map(|(session, index, text)| Step::Turn { session, index, text }),
        4 => (1u32..7, text(), prop::option::of(turn), prop::option::of(1u32..7), any::<bool>())
            .prop_map(|(number, text, turn, supersedes, is_stale)| Step::Fact { number, text, turn, supersedes, is_stale }),
        1 => (1i64..4, 0u32..5).prop_map(|(session, index)| Step::RemoveTurn { session, index }),
        1 => (1u32..7).prop_map(|number| Step::RemoveFact { number }),
        2 => (1u32..4, text()).prop_map(|(number, text)| Step::File { number, text }),
        1 => (1u32..4).prop_map(|number| Step::RemoveFile { number }),
    ]
}

#[derive(Default)]
pub(super) struct Stored {
    pub turns: BTreeMap<TurnId, Turn>,
    pub facts: BTreeMap<FactId, Fact>,
    pub files: BTreeMap<FileId, File>,
}

pub(super) fn fact_of(step: &Step) -> Option<Fact> {
    let Step::Fact {
        number,
        text,
        turn: place_said,
        supersedes,
        is_stale,
    } = step
    else {
        return None;
    };
    let mut fact = fact(*number, "thing", text);
    fact.evidence = place_said.map(|(session, index)| Evidence {
        turn: place(session, index),
        start: 0,
        end: text.len() as u32,
        quote: text.clone(),
    });
    fact.supersedes = supersedes.map(fact_id);
    fact.stale = is_stale.then(|| Stale {
        reason: String::new(),
        by: Origin::User,
        at: Timestamp::utc(DAY_MS),
    });
    Some(fact)
}

pub(super) fn apply(step: &Step, corpus: &mut Corpus, stored: &mut Stored) {
    match step {
        Step::Turn {
            session,
            index,
            text,
        } => {
            let turn = turn(*session, *index, text);
            corpus.add_turn(&turn);
            stored.turns.insert(turn.id, turn);
        }
        Step::Fact { .. } => {
            let fact = fact_of(step).expect("a fact");
            corpus.add_fact(&fact);
            stored.facts.insert(fact.id, fact);
        }
        Step::RemoveTurn { session, index } => {
            corpus.remove(turn_ref(*session, *index));
            stored.turns.remove(&place(*session, *index));
        }
        Step::RemoveFact { number } => {
            corpus.remove(fact_ref(*number));
            stored.facts.remove(&fact_id(*number));
        }
        Step::File { number, text } => {
            let file = File::new(&format!("/memories/{number}"), text, Timestamp::utc(DAY_MS));
            corpus.add_file(&file);
            stored.files.insert(file.id, file);
        }
        Step::RemoveFile { number } => {
            let id = FileId::of(&format!("/memories/{number}"));
            corpus.remove(RecordRef::File(id));
            stored.files.remove(&id);
        }
    }
}

proptest! {
    #[test]
    fn a_history_of_changes_equals_a_rebuild(
        steps in prop::collection::vec((step(), any::<bool>()), 0..40),
        question in text(),
        with_vectors in any::<bool>(),
    ) {
        let spec = with_vectors.then(stand_in_spec);
        let mut corpus = Corpus::new(spec.clone());
        let mut stored = Stored::default();
        for (step, embeds) in &steps {
            apply(step, &mut corpus, &mut stored);
            if *embeds {
                embed_all(&mut corpus);
            }
        }
        let mut rebuilt = Corpus::new(spec);
        // In another order than the records came.
        for file in stored.files.values() {
            rebuilt.add_file(file);
        }
        for fact in stored.facts.values() {
            rebuilt.add_fact(fact);
        }
        for turn in stored.turns.values().rev() {
            rebuilt.add_turn(turn);
        }
        embed_all(&mut corpus);
        embed_all(&mut rebuilt);
        prop_assert_eq!(corpus.len(), rebuilt.len());
        prop_assert_eq!(corpus.n_vectors(), rebuilt.n_vectors());
        let vector = stand_in_vector(&question);
        let has_direction = vector.iter().any(|x| *x != 0.0);
        for level in [Level::Loose, Level::Strict] {
            let query = Query { vector: (with_vectors && has_direction).then_some(&vector[..]), level, limit: 50, ..ask(&question) };
            let (found, expected) = (corpus.recall(&query), rebuilt.recall(&query));
            prop_assert_eq!(bits(&found), bits(&expected));
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(corpus.recall(&query), found);
        }
    }

    /// More equals than a lane has places, and facts that lead to each other by a name.
    #[test]
    fn records_in_another_order_give_the_same_answer(
        (turns, facts) in (prop::collection::vec(text(), 0..200), prop::collection::vec((text(), 0usize..3), 0..30)),
        shuffled in Just((0..230).collect::<Vec<usize>>()).prop_shuffle(),
        question in text(),
        with_vectors in any::<bool>(),
    ) {
        let add = |corpus: &mut Corpus, place: usize| {
            if let Some(said) = turns.get(place) {
                corpus.add_turn(&turn(1 + place as i64 / 50, place as u32 % 50, said));
            } else if let Some((said, name)) = facts.get(place.wrapping_sub(turns.len())) {
                let name = ["Ines", "blue cat", "Tom"][*name].to_owned();
                corpus.add_fact(&Fact { entities: vec![name], ..fact(1 + place as u32, "thing", said) });
            }
        };
        let spec = with_vectors.then(stand_in_spec);
        let (mut corpus, mut other) = (Corpus::new(spec.clone()), Corpus::new(spec));
        (0..230).for_each(|place| add(&mut corpus, place));
        shuffled.iter().for_each(|place| add(&mut other, *place));
        embed_all(&mut corpus);
        embed_all(&mut other);
        let question = format!("{question} of Ines");
        let vector = stand_in_vector(&question);
        let query = Query { vector: with_vectors.then_some(&vector[..]), level: Level::All, limit: 400, ..ask(&question) };
        let (found, expected) = (corpus.recall(&query), other.recall(&query));
        prop_assert_eq!(bits(&found), bits(&expected));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn answers_hold_no_record_twice_and_nothing_unknown(
        steps in prop::collection::vec(step(), 0..40),
        question in text(),
        limit in 0usize..6,
    ) {
        let mut corpus = Corpus::new(None);
        let mut stored = Stored::default();
        for step in &steps {
            apply(step, &mut corpus, &mut stored);
        }
        let found = corpus.recall(&Query { limit, level: Level::Loose, ..ask(&question) });
        prop_assert!(found.items.len() <= limit);
        prop_assert!(found.items.is_sorted_by(|a, b| a.score > b.score || (a.score == b.score && a.record < b.record)));
        let mut seen = HashSet::new();
        for item in &found.items {
            let older = item.older.iter().map(|id| RecordRef::Fact(*id));
            for record in older.chain([item.record]) {
                prop_assert!(seen.insert(record), "{} twice", record);
                match record {
                    RecordRef::Turn(id) => prop_assert!(stored.turns.contains_key(&id)),
                    RecordRef::Fact(id) => prop_assert!(stored.facts.contains_key(&id)),
                    RecordRef::File(id) => prop_assert!(stored.files.contains_key(&id)),
                }
            }
        }
    }
}

/// The scores and their parts to the last bit, which `==` on numbers does not tell.
pub(super) fn bits(recollection: &Recollection) -> Vec<(RecordRef, u32, Vec<u32>)> {
    let items = recollection.items.iter();
    let of_item = |item: &Recalled| {
        let parts = item.parts.iter().map(|part| part.value.to_bits());
        (item.record, item.score.to_bits(), parts.collect())
    };
    items.map(of_item).collect()
}
