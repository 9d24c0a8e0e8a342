//! The index of a corpus gets its graph from elsewhere.

use super::*;
use crate::index::{Mode, VectorIndex};
use crate::model::VectorOwner;
use crate::recall::GraphTask;

const DIMENSIONS: usize = 16;
const N_TURNS: u32 = 1_100;

fn spec(id: &str) -> EmbedderSpec {
    EmbedderSpec {
        id: id.into(),
        dimensions: DIMENSIONS,
        mean: 0.0,
        sd: 0.1,
    }
}

/// Every turn in a direction of its own.
fn direction(index: u32) -> Vec<f32> {
    (0..DIMENSIONS as u32)
        .map(|i| ((index * 31 + i * i * 7 + index * i * 13) % 1_201) as f32 - 600.0)
        .collect()
}

fn corpus(mode: Mode) -> Corpus {
    let mut corpus = Corpus::with_generations(Some(spec("one")), Some(spec("other")), mode);
    for index in 0..N_TURNS {
        corpus.add_turn(&turn(1, index, &format!("word{index}")));
        let owner = VectorOwner {
            record: turn_ref(1, index),
            piece: 0,
        };
        let vector = direction(index);
        corpus.add_vector_of("one", owner, &vector).unwrap();
        corpus.add_vector_of("other", owner, &vector).unwrap();
    }
    corpus
}

fn build(task: &GraphTask) -> Vec<u8> {
    let mut index = VectorIndex::load(&task.bytes).unwrap();
    index.seal();
    index.graph().unwrap()
}

fn n_sealed(corpus: &Corpus) -> usize {
    corpus.index().unwrap().1.n_sealed
}

#[test]
fn a_graph_is_asked_for_once_and_serves() {
    let mut corpus = corpus(Mode::Hnsw);
    let task = corpus.graph_task().unwrap();
    assert_eq!(corpus.graph_task(), None, "it is being built");
    // Meanwhile a turn goes.
    corpus.remove(turn_ref(1, 7));
    assert!(corpus.take_graph(task.serial, Some(&build(&task))));
    assert_eq!(n_sealed(&corpus), N_TURNS as usize - 1);
    assert_eq!(corpus.graph_task(), None, "it covers nearly all");
    let vector = direction(500);
    let found = corpus.recall(&Query {
        vector: Some(&vector),
        level: Level::All,
        limit: 50,
        ..Query::new("", Timestamp::utc(0))
    });
    let own = found
        .items
        .iter()
        .find(|item| item.record == turn_ref(1, 500));
    let dense = own
        .unwrap()
        .lanes
        .iter()
        .find(|hit| hit.lane == Lane::Dense);
    assert_eq!(dense.unwrap().rank, 1);
}

#[test]
fn a_graph_that_could_not_be_built_is_asked_for_again() {
    let mut corpus = corpus(Mode::Hnsw);
    let task = corpus.graph_task().unwrap();
    assert!(!corpus.take_graph(task.serial, None));
    assert!(corpus.graph_task().is_some());
    assert!(!corpus.take_graph(task.serial, Some(b"damaged")));
    assert_eq!(n_sealed(&corpus), 0);
}

/// The vectors of both generations are the same here, so nothing but the number tells whose graph it is.
#[test]
fn the_graph_of_a_former_generation_is_dropped() {
    let mut corpus = corpus(Mode::Hnsw);
    let task = corpus.graph_task().unwrap();
    corpus.promote();
    assert!(!corpus.take_graph(task.serial, Some(&build(&task))));
    assert_eq!(n_sealed(&corpus), 0);
    assert!(corpus.graph_task().is_some());
}

#[test]
fn a_scan_wants_none_and_auto_none_for_so_few() {
    assert_eq!(corpus(Mode::Scan).graph_task(), None);
    assert_eq!(corpus(Mode::Auto).graph_task(), None);
}
