//! The naive twin: every operation in random order, each search compared with brute force over all vectors in f32.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::brute_force::{brute_force, score, tolerance};
use super::random::Random;
use crate::index::{
    Hit, IndexConfig, IndexError, LoadError, Metric, Mode, Part, Precision, Search, VectorIndex,
};

#[derive(Clone, Debug)]
enum Step {
    /// An id, the vector's number in the pool, and its labels as bits.
    Add(u32, usize, u32),
    Remove(u32),
    /// The query's number in the pool, k, and the filter: only ids below the last number.
    Search(usize, usize, u32),
    /// The query's number, and which labels are asked for: any of the first bits, and any of the second.
    Labelled(usize, u32, u32),
    Seal,
    /// Begins to build a graph elsewhere, from what is there now …
    BeginGraph,
    /// … and takes it.
    AdoptGraph,
    BreakOff,
    Choose,
    Compact,
    Reload,
    /// Writes what changed where it is kept; then goes on with what is read from there, or not.
    Persist(bool),
}

const N_IDS: u32 = 150;
/// Fewer vectors than ids, so that twins are common.
const POOL: usize = 90;
const N_LABELS: u32 = 4;

fn step() -> impl Strategy<Value = Step> {
    let labels = || 0u32..1 << N_LABELS;
    prop_oneof![
        24 => (0..N_IDS, 0..POOL, labels()).prop_map(|(id, vector, l)| Step::Add(id, vector, l)),
        8 => (0..N_IDS).prop_map(Step::Remove),
        5 => (0..POOL, 0usize..40, 0..=N_IDS).prop_map(|(query, k, end)| Step::Search(query, k, end)),
        3 => (0..POOL, labels(), labels()).prop_map(|(query, a, b)| Step::Labelled(query, a, b)),
        1 => Just(Step::Seal),
        1 => Just(Step::BeginGraph),
        1 => Just(Step::AdoptGraph),
        1 => Just(Step::BreakOff),
        1 => Just(Step::Choose),
        1 => Just(Step::Compact),
        1 => Just(Step::Reload),
        2 => any::<bool>().prop_map(Step::Persist),
    ]
}

/// The index, its naive twin, and where its parts are kept.
struct Pair {
    config: IndexConfig,
    index: VectorIndex,
    model: BTreeMap<u32, (Vec<f32>, u32)>,
    kept: BTreeMap<String, Vec<u8>>,
    /// A graph built elsewhere, and whether rows got new numbers since.
    graph: Option<(Vec<u8>, bool)>,
}

fn labels_of(bits: u32) -> Vec<u32> {
    (0..N_LABELS)
        .filter(|label| bits >> label & 1 == 1)
        .collect()
}

impl Pair {
    fn check(&self, hits: &[Hit], query: &[f32], k: usize, allow: impl Fn(u32, u32) -> bool) {
        let metric = self.config.metric;
        let allowed = self
            .model
            .iter()
            .filter(|(id, (_, labels))| allow(**id, *labels));
        let expected = brute_force(metric, allowed.map(|(id, (v, _))| (*id, v)), query, k);
        assert_eq!(hits.len(), expected.len());
        // The lengths of vectors and queries are 1 to 4: what a cosine is off by counts up to 16 times in an inner product
        // and, near 0, as a root in a distance.
        let cosine_off = tolerance(self.config.precision);
        let off = |exact: f32| match metric {
            Metric::Cosine => cosine_off,
            Metric::Dot => 16.0 * cosine_off,
            _ => (32.0 * cosine_off / exact.abs()).min((32.0 * cosine_off).sqrt()),
        };
        for (hit, other) in hits.iter().zip(&expected) {
            let (vector, labels) = &self.model[&hit.id];
            assert!(allow(hit.id, *labels));
            let own = score(metric, vector, query);
            assert!((hit.score - own).abs() < off(own), "{hit:?} {own}");
            assert!(
                (hit.score - other.score).abs() < 2.0 * off(own),
                "{hit:?} {other:?}"
            );
        }
        for pair in hits.windows(2) {
            let is_ordered = pair[0].score > pair[1].score
                || pair[0].score == pair[1].score && pair[0].id < pair[1].id;
            assert!(is_ordered, "{pair:?}");
        }
    }

    fn search(&self, query: &[f32], k: usize, end: u32) {
        let ids: Vec<u32> = (0..end).collect();
        let exact = Search {
            among: Some(&ids),
            exact: true,
            ..Search::new(k)
        };
        let answers = [
            self.index.search(query, k, |id| id < end),
            self.index.search_exact(query, k, |id| id < end),
            self.index.search_among(query, k, &ids),
            self.index.find(query, &exact),
        ];
        for hits in answers {
            self.check(&hits.unwrap(), query, k, |id, _| id < end);
        }
        if end >= N_IDS {
            let all = self.index.search_all(query, k).unwrap();
            assert_eq!(all, self.index.search(query, k, |_| true).unwrap());
        }
    }

    fn step(&mut self, step: &Step, pool: &[Vec<f32>]) {
        let index = &mut self.index;
        let covers = if index.config().mode == Mode::Scan {
            0
        } else {
            self.model.len()
        };
        match *step {
            Step::Add(id, vector, labels) => {
                let added = index.add_labelled(id, &pool[vector], &labels_of(labels));
                if let std::collections::btree_map::Entry::Vacant(place) = self.model.entry(id) {
                    assert_eq!(added, Ok(()));
                    place.insert((pool[vector].clone(), labels));
                } else {
                    assert_eq!(added, Err(IndexError::DuplicateId(id)));
                }
            }
            Step::Remove(id) => assert_eq!(index.remove(id), self.model.remove(&id).is_some()),
            Step::Search(query, k, end) => self.search(&pool[query], k, end),
            Step::Labelled(query, a, b) => {
                let lists = [labels_of(a), labels_of(b)];
                let search = Search {
                    labels: &lists,
                    ..Search::new(12)
                };
                let hits = index.find(&pool[query], &search).unwrap();
                self.check(&hits, &pool[query], 12, |_, own| {
                    own & a != 0 && own & b != 0
                });
            }
            Step::Seal => {
                self.graph
                    .iter_mut()
                    .for_each(|graph| graph.1 |= index.stats().n_gaps > 0);
                assert_eq!(index.seal(), covers);
            }
            Step::BeginGraph => {
                index.compact();
                let mut elsewhere = VectorIndex::load(&index.save()).unwrap();
                elsewhere.seal();
                self.graph = elsewhere.graph().map(|graph| (graph, false));
            }
            Step::AdoptGraph => {
                if let Some((graph, is_outdated)) = &self.graph {
                    let adopted = index.adopt_graph(graph);
                    if *is_outdated || covers == 0 && index.config().mode == Mode::Scan {
                        assert_eq!(adopted, Err(LoadError::CorruptGraph));
                    } else {
                        assert_eq!(adopted.unwrap(), index.stats().n_sealed);
                    }
                }
            }
            Step::BreakOff => {
                self.graph
                    .iter_mut()
                    .for_each(|graph| graph.1 |= index.stats().n_gaps > 0);
                let is_built = index.seal_with(&mut |_| ControlFlow::Break(())).is_some();
                let stats = index.stats();
                assert!(stats.n_sealed == 0 || is_built);
                assert_eq!(stats.n_gaps, 0);
            }
            Step::Choose => {
                let mut time = 0.0;
                let choice = index.choose(&mut || {
                    time += 1.0;
                    time
                });
                assert!(!choice.walks || index.stats().n_sealed + index.stats().n_sealed_gaps > 0);
            }
            Step::Compact => {
                self.graph
                    .iter_mut()
                    .for_each(|graph| graph.1 |= index.stats().n_gaps > 0);
                index.compact();
                assert_eq!(index.stats().n_gaps, 0);
            }
            Step::Reload => {
                let loaded = VectorIndex::load(&index.save()).unwrap();
                assert_eq!(loaded.config(), self.config);
                assert!(!loaded.stats().has_lost_graph);
                // What is kept elsewhere follows the index that is left.
                self.kept.clear();
                self.index = loaded;
            }
            Step::Persist(goes_on) => {
                for part in index.take_changes() {
                    match part.bytes {
                        Some(bytes) => drop(self.kept.insert(part.key, bytes)),
                        None => drop(self.kept.remove(&part.key)),
                    }
                }
                assert_eq!(index.take_changes(), []);
                let part = |(key, bytes): (&String, &Vec<u8>)| Part {
                    key: key.clone(),
                    bytes: Some(bytes.clone()),
                };
                let parts: Vec<Part> = self.kept.iter().map(part).collect();
                let mut loaded = VectorIndex::from_parts(&parts).unwrap();
                assert_eq!(loaded.save(), index.save());
                assert!(!loaded.stats().has_lost_graph);
                if goes_on {
                    self.index = loaded;
                }
            }
        }
    }
}

fn run(config: IndexConfig, steps: &[Step]) {
    let mut random = Random::new(31);
    let lengths: Vec<f32> = (0..POOL).map(|_| 1.0 + random.below(4) as f32).collect();
    let pool = random.clustered(POOL, config.dimensions, 5, 0.7);
    let scaled = |(vector, length): (&Vec<f32>, &f32)| vector.iter().map(|x| x * length).collect();
    let pool: Vec<Vec<f32>> = pool.iter().zip(&lengths).map(scaled).collect();
    let mut pair = Pair {
        index: VectorIndex::new(config.clone()),
        config,
        model: BTreeMap::new(),
        kept: BTreeMap::new(),
        graph: None,
    };
    for step in steps {
        pair.step(step, &pool);
        let ids: BTreeSet<u32> = (0..N_IDS).filter(|&id| pair.index.contains(id)).collect();
        assert!(ids.iter().eq(pair.model.keys()), "{step:?}");
        assert_eq!(pair.index.len(), pair.model.len());
        assert_eq!(pair.index.stats().n_vectors, pair.model.len());
    }
    for query in 0..5 {
        pair.search(&pool[query * 7], 10, N_IDS);
    }
}

fn config() -> impl Strategy<Value = IndexConfig> {
    let metric = prop::sample::select(&[Metric::Cosine, Metric::Dot, Metric::Euclidean]);
    let precision = prop::sample::select(&[Precision::Full, Precision::Compact]);
    (16usize..40, metric, precision).prop_map(|(dimensions, metric, precision)| IndexConfig {
        metric,
        precision,
        ..IndexConfig::new(dimensions)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scanning_agrees_with_brute_force(
        config in config(),
        steps in prop::collection::vec(step(), 1..300),
    ) {
        run(config, &steps);
    }

    #[test]
    fn the_graph_agrees_with_brute_force(
        config in config(),
        steps in prop::collection::vec(step(), 1..300),
        mode in prop::sample::select(&[Mode::Hnsw, Mode::Auto]),
    ) {
        run(IndexConfig { mode, ..config }, &steps);
    }
}
