//! The naive twin: every operation in random order, each search compared with brute force over all vectors in f32.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::brute_force::{TOLERANCE, brute_force};
use super::random::Random;
use crate::index::{IndexConfig, IndexError, Mode, VectorIndex};

#[derive(Clone, Debug)]
enum Step {
    /// An id and the vector's number in the pool.
    Add(u32, usize),
    Remove(u32),
    /// The query's number in the pool, k, and the filter: only ids below the last number.
    Search(usize, usize, u32),
    Seal,
    Compact,
    Reload,
}

const N_IDS: u32 = 90;
/// Fewer vectors than ids, so that twins are common.
const POOL: usize = 60;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..N_IDS, 0..POOL).prop_map(|(id, vector)| Step::Add(id, vector)),
        5 => (0..N_IDS).prop_map(Step::Remove),
        5 => (0..POOL, 0usize..40, 0..=N_IDS).prop_map(|(query, k, end)| Step::Search(query, k, end)),
        1 => Just(Step::Seal),
        1 => Just(Step::Compact),
        1 => Just(Step::Reload),
    ]
}

fn check(index: &VectorIndex, model: &BTreeMap<u32, Vec<f32>>, query: &[f32], k: usize, end: u32) {
    let allowed = model.iter().filter(|(id, _)| **id < end);
    let expected = brute_force(allowed.map(|(id, v)| (*id, v)), query, k);
    let ids: Vec<u32> = (0..end).collect();
    let answers = [
        index.search(query, k, |id| id < end),
        index.search_exact(query, k, |id| id < end),
        index.search_among(query, k, &ids),
    ];
    for (way, hits) in answers.into_iter().enumerate() {
        let hits = hits.unwrap();
        assert_eq!(hits.len(), expected.len(), "way {way}");
        for (hit, other) in hits.iter().zip(&expected) {
            assert!(hit.id < end);
            let own: f32 = model[&hit.id].iter().zip(query).map(|(a, b)| a * b).sum();
            assert!((hit.score - own).abs() < TOLERANCE, "way {way}: {hit:?}");
            assert!((hit.score - other.score).abs() < TOLERANCE, "way {way}");
        }
        for pair in hits.windows(2) {
            let is_ordered = pair[0].score > pair[1].score
                || pair[0].score == pair[1].score && pair[0].id < pair[1].id;
            assert!(is_ordered, "way {way}: {pair:?}");
        }
    }
    if end >= N_IDS {
        let all = index.search_all(query, k).unwrap();
        assert_eq!(all, index.search(query, k, |_| true).unwrap());
    }
}

fn run(mode: Mode, dimensions: usize, steps: &[Step]) {
    let mut random = Random::new(31);
    let pool = random.clustered(POOL, dimensions, 5, 0.7);
    let config = IndexConfig { dimensions, mode };
    let mut index = VectorIndex::new(config.clone());
    let mut model: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
    for step in steps {
        match *step {
            Step::Add(id, vector) => {
                // Any length: only the direction counts.
                let longer: Vec<f32> = pool[vector].iter().map(|x| x * 37.5).collect();
                let added = index.add(id, &longer);
                if let std::collections::btree_map::Entry::Vacant(place) = model.entry(id) {
                    assert_eq!(added, Ok(()));
                    place.insert(pool[vector].clone());
                } else {
                    assert_eq!(added, Err(IndexError::DuplicateId(id)));
                }
            }
            Step::Remove(id) => assert_eq!(index.remove(id), model.remove(&id).is_some()),
            Step::Search(query, k, end) => check(&index, &model, &pool[query], k, end),
            Step::Seal => {
                let n_sealed = index.seal();
                assert_eq!(n_sealed, if mode == Mode::Hnsw { model.len() } else { 0 });
            }
            Step::Compact => {
                index.compact();
                assert_eq!(index.stats().n_gaps, 0);
            }
            Step::Reload => {
                let loaded = VectorIndex::load(&index.save()).unwrap();
                assert_eq!(loaded.config(), config);
                assert!(!loaded.stats().has_lost_graph);
                index = loaded;
            }
        }
        assert_eq!(index.len(), model.len());
        assert_eq!(index.stats().n_vectors, model.len());
    }
    for query in 0..5 {
        check(&index, &model, &pool[query * 7], 10, N_IDS);
    }
    assert!((0..N_IDS).all(|id| index.contains(id) == model.contains_key(&id)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scanning_agrees_with_brute_force(
        dimensions in 16usize..40,
        steps in prop::collection::vec(step(), 1..250),
    ) {
        run(Mode::Scan, dimensions, &steps);
    }

    #[test]
    fn the_graph_agrees_with_brute_force(
        dimensions in 16usize..40,
        steps in prop::collection::vec(step(), 1..250),
    ) {
        run(Mode::Hnsw, dimensions, &steps);
    }
}
