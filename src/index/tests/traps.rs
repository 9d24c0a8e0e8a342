//! What instant-distance, graphs and floats are known to do wrong, each as a test.

use super::random::Random;
use crate::index::{Hit, IndexConfig, IndexError, Mode, VectorIndex};

fn graph_of(vectors: &[Vec<f32>]) -> VectorIndex {
    let mut index = VectorIndex::new(IndexConfig {
        mode: Mode::Hnsw,
        ..IndexConfig::new(vectors[0].len())
    });
    for (id, vector) in (0..).zip(vectors) {
        index.add(id, vector).unwrap();
    }
    assert_eq!(index.seal(), vectors.len());
    index
}

#[test]
fn vectors_without_direction_are_refused_and_change_nothing() {
    let mut index = VectorIndex::new(IndexConfig::new(16));
    index.add(1, &[0.5; 16]).unwrap();
    let before = index.save();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut vector = [0.5; 16];
        vector[15] = bad;
        assert_eq!(index.add(2, &vector), Err(IndexError::NotADirection));
        assert_eq!(index.search_all(&vector, 1), Err(IndexError::NotADirection));
        let found = index.search_exact(&vector, 1, |_| true);
        assert_eq!(found, Err(IndexError::NotADirection));
    }
    assert_eq!(index.add(2, &[0.0; 16]), Err(IndexError::NotADirection));
    let (expected, found) = (16, 17);
    let wrong = IndexError::WrongDimensions { expected, found };
    assert_eq!(index.add(2, &[0.5; 17]), Err(wrong));
    assert_eq!(index.search(&[0.5; 17], 1, |_| true), Err(wrong));
    assert_eq!(index.add(1, &[0.5; 16]), Err(IndexError::DuplicateId(1)));
    assert_eq!(index.save(), before);
}

#[test]
fn vectors_of_extreme_length_have_a_direction() {
    let mut index = VectorIndex::new(IndexConfig::new(16));
    // Their squares are beyond f32 at both ends.
    index.add(1, &[f32::MAX; 16]).unwrap();
    let mut tiny = [0.0; 16];
    tiny[3] = -f32::from_bits(1);
    index.add(2, &tiny).unwrap();
    let hits = index.search_all(&[1.0; 16], 2).unwrap();
    assert_eq!((hits[0].id, hits[1].id), (1, 2));
    assert!((hits[0].score - 1.0).abs() < 1e-4 && (hits[1].score + 0.25).abs() < 1e-4);
}

#[test]
fn dimensions_have_bounds() {
    for dimensions in [0, 1, 15, 4_097, 1 << 20] {
        let refused = IndexError::UnsupportedDimensions(dimensions);
        let config = IndexConfig::new(dimensions);
        assert_eq!(VectorIndex::try_new(config.clone()).err(), Some(refused));
        let mut index = VectorIndex::new(config);
        let vector = vec![1.0; dimensions];
        assert_eq!(index.add(1, &vector), Err(refused));
        assert_eq!(index.search_all(&vector, 1), Err(refused));
        assert!(!index.remove(1) && index.is_empty());
    }
    let mut random = Random::new(51);
    for dimensions in [16, 17, 383, 4_096] {
        let config = IndexConfig::new(dimensions);
        let mut index = VectorIndex::try_new(config).unwrap();
        let vectors: Vec<_> = (0..20).map(|_| random.direction(dimensions)).collect();
        for (id, vector) in (0..).zip(&vectors) {
            index.add(id, vector).unwrap();
        }
        for (id, vector) in (0..).zip(&vectors) {
            let hits = index.search_all(vector, 1).unwrap();
            assert_eq!(hits[0].id, id);
            assert!(hits[0].score > 0.9999);
        }
    }
}

#[test]
fn no_result_is_asked_for_or_possible() {
    let mut index = VectorIndex::new(IndexConfig::new(16));
    assert_eq!(index.search_all(&[1.0; 16], 5), Ok(vec![]));
    assert_eq!(index.seal(), 0);
    index.add(1, &[1.0; 16]).unwrap();
    assert_eq!(index.search_all(&[1.0; 16], 0), Ok(vec![]));
    assert_eq!(index.search(&[1.0; 16], 5, |_| false), Ok(vec![]));
    let everything = index.search_all(&[1.0; 16], usize::MAX).unwrap();
    assert_eq!(everything, [Hit { id: 1, score: 1.0 }]);
}

#[test]
fn an_empty_graph_is_none() {
    let mut index = VectorIndex::new(IndexConfig {
        mode: Mode::Hnsw,
        ..IndexConfig::new(16)
    });
    assert_eq!(index.seal(), 0);
    assert_eq!(index.search_all(&[1.0; 16], 3), Ok(vec![]));
    index.add(4, &[1.0; 16]).unwrap();
    assert_eq!(index.seal(), 1);
    assert_eq!(index.search_all(&[1.0; 16], 3).unwrap()[0].id, 4);
    index.remove(4);
    assert_eq!(index.search_all(&[1.0; 16], 3), Ok(vec![]));
}

/// A crowd of equal vectors fills each other's links and cuts the others off, unless it enters the graph once.
#[test]
fn a_crowd_of_twins_hides_nobody() {
    let mut random = Random::new(52);
    let mut vectors = random.clustered(1_200, 32, 30, 0.8);
    let crowd = vectors[100].clone();
    for i in 0..300 {
        vectors[i * 4 + 1] = crowd.clone();
    }
    let mut index = graph_of(&vectors);
    for (id, vector) in (0u32..).zip(&vectors).filter(|(id, _)| id % 4 != 1) {
        let hits = index.search_all(vector, 1).unwrap();
        assert!(hits[0].score > 0.9999, "{id} is cut off");
    }
    // All of the crowd comes back, more of them than a walk returns by itself; then ever fewer.
    let mut crowd_ids: Vec<u32> = (0..1_200).filter(|i| i % 4 == 1 || *i == 100).collect();
    loop {
        for k in [crowd_ids.len(), crowd_ids.len().min(200)] {
            let hits = index.search_all(&crowd, k).unwrap();
            let found: Vec<u32> = hits.iter().map(|hit| hit.id).collect();
            assert_eq!(found, crowd_ids[..k]);
        }
        let kept = crowd_ids.split_off(crowd_ids.len().div_ceil(2));
        // The first of them, which stands for all in the graph, is removed as well.
        for id in crowd_ids {
            assert!(index.remove(id));
        }
        crowd_ids = kept;
        if crowd_ids.is_empty() {
            break;
        }
        index = VectorIndex::load(&index.save()).unwrap();
        assert!(index.stats().n_sealed > 0);
    }
}

/// instant-distance never returns more than its `ef_search`, and says nothing.
#[test]
fn more_results_than_the_walk_is_broad() {
    let vectors = Random::new(53).clustered(700, 24, 10, 0.8);
    let index = graph_of(&vectors);
    for k in [1, 255, 256, 257, 300, 700, 900] {
        let hits = index.search_all(&vectors[5], k).unwrap();
        assert_eq!(hits.len(), k.min(vectors.len()));
        if k > 256 {
            let exact = index.search_exact(&vectors[5], k, |_| true).unwrap();
            assert_eq!(hits, exact);
        }
    }
    // As many as were asked for under a filter, too, and none twice.
    let mut found: Vec<u32> = index
        .search(&vectors[5], 200, |id| id.is_multiple_of(3))
        .unwrap()
        .iter()
        .map(|hit| hit.id)
        .collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 200);
}

/// Without a fixed seed, or on several threads, two builds differ.
#[test]
fn the_same_rows_give_the_same_graph() {
    let vectors = Random::new(54).clustered(600, 32, 10, 0.8);
    let mut index = graph_of(&vectors);
    assert_eq!(index.save(), graph_of(&vectors).save());
    assert!(index.stats().n_sealed == 600);
}

/// With `extend_candidates` a build never ends; this one must, and within a fraction of the test run's patience.
#[test]
fn building_ends_and_newer_rows_are_found() {
    let mut random = Random::new(55);
    let mut index = graph_of(&random.clustered(400, 32, 4, 0.5));
    let newer = random.direction(32);
    index.add(9_000, &newer).unwrap();
    assert_eq!(index.search_all(&newer, 1).unwrap()[0].id, 9_000);
    assert_eq!(index.stats().n_sealed, 400);
    assert!(!include_str!("../hnsw.rs").contains("extend_candidates: true"));
}

/// Two searches of one graph at once, one of them inside the other's filter.
#[test]
fn searches_do_not_disturb_each_other() {
    let vectors = Random::new(56).clustered(500, 32, 10, 0.8);
    let index = graph_of(&vectors);
    let alone = index.search_all(&vectors[3], 10).unwrap();
    let inner = index.search_all(&vectors[7], 10).unwrap();
    let nested = index.search(&vectors[3], 10, |id| {
        !id.is_multiple_of(50) || index.search_all(&vectors[7], 10).unwrap() == inner
    });
    assert_eq!(nested.unwrap(), alone);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(index.search_all(&vectors[3], 10).unwrap(), alone);
                    assert_eq!(index.search_all(&vectors[7], 10).unwrap(), inner);
                }
            });
        }
    });
}
