//! Two generations of vectors in one corpus.

use super::*;
use crate::index::Mode;
use crate::model::VectorOwner;

const DIMENSIONS: usize = 16;

fn spec(id: &str) -> EmbedderSpec {
    EmbedderSpec {
        id: id.into(),
        dimensions: DIMENSIONS,
        mean: 0.0,
        sd: 0.1,
    }
}

/// A vector along one axis.
fn along(axis: usize) -> Vec<f32> {
    (0..DIMENSIONS)
        .map(|i| f32::from(u8::from(i == axis)))
        .collect()
}

fn owner(index: u32) -> VectorOwner {
    VectorOwner {
        record: turn_ref(1, index),
        piece: 0,
    }
}

/// Two turns without a common word, which the two embedders see the other way round.
fn corpus() -> Corpus {
    let mut corpus = Corpus::with_generations(Some(spec("old")), Some(spec("new")), Mode::Scan);
    for (index, text) in [(0, "alpha"), (2, "omega")] {
        corpus.add_turn(&turn(1, index, text));
    }
    for (embedder, axes) in [("old", [0, 1]), ("new", [1, 0])] {
        for (index, axis) in [0, 2].into_iter().zip(axes) {
            let vector = along(axis);
            corpus
                .add_vector_of(embedder, owner(index), &vector)
                .unwrap();
        }
    }
    corpus
}

fn nearest(corpus: &Corpus, axis: usize) -> RecordRef {
    let vector = along(axis);
    let found = corpus.recall(&Query {
        vector: Some(&vector),
        limit: 1,
        level: Level::Loose,
        ..Query::new("", Timestamp::utc(0))
    });
    found.items[0].record
}

#[test]
fn recall_goes_by_one_generation_and_then_by_the_other() {
    let mut corpus = corpus();
    assert_eq!(nearest(&corpus, 0), turn_ref(1, 0));
    assert_eq!(corpus.promote(), Some(spec("old")));
    assert_eq!(nearest(&corpus, 0), turn_ref(1, 2));
    assert_eq!(
        (corpus.embedder(), corpus.next_embedder()),
        (Some(&spec("new")), None)
    );
    assert_eq!(corpus.promote(), None);
    assert_eq!(corpus.n_vectors(), 2, "nothing is lost without a next one");
}

#[test]
fn each_generation_wants_its_own_vector_of_a_text() {
    let mut corpus = corpus();
    corpus.add_turn(&turn(1, 4, "sigma"));
    for embedder in ["old", "new"] {
        assert_eq!(corpus.n_missing_of(embedder), 1);
        assert_eq!(corpus.missing_vectors_of(embedder, 9)[0].text, "sigma");
    }
    corpus.add_vector_of("new", owner(4), &along(5)).unwrap();
    assert!(corpus.wants("old", owner(4)) && !corpus.wants("new", owner(4)));
    assert_eq!(corpus.missing_vectors().len(), 1, "the one that serves");
}

#[test]
fn a_strangers_vector_is_dropped() {
    let mut corpus = corpus();
    corpus
        .add_vector_of("stranger", owner(0), &along(7))
        .unwrap();
    assert_eq!(
        (corpus.n_vectors_of("stranger"), corpus.n_vectors()),
        (0, 2)
    );
    assert_eq!(nearest(&corpus, 0), turn_ref(1, 0));
}

#[test]
fn a_forgotten_record_leaves_both_generations() {
    let mut corpus = corpus();
    corpus.add_turn(&turn(1, 4, "sigma"));
    corpus.remove(turn_ref(1, 0));
    corpus.remove(turn_ref(1, 4));
    for embedder in ["old", "new"] {
        assert_eq!(corpus.n_vectors_of(embedder), 1);
        assert_eq!(corpus.n_missing_of(embedder), 0);
        assert!(!corpus.wants(embedder, owner(4)));
    }
}
