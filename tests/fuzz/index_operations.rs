//! Operations in any order, against a list of vectors.

use super::Target;
use super::random::Random;
use onhand::index::{IndexConfig, IndexError, Metric, Mode, Part, Precision, Search, VectorIndex};
use std::collections::BTreeMap;

pub struct IndexOperations {
    pool: Vec<Vec<f32>>,
    n_searches: u64,
    n_seals: u64,
}

const DIMENSIONS: usize = 16;
/// Few vectors and ids, so that twins and reuse are common.
const POOL: usize = 24;
const N_IDS: u8 = 40;

impl Target for IndexOperations {
    const NAME: &'static str = "index_operations";
    const KEPT: &'static [&'static [u8]] = &[
        // A graph whose every vector was removed, then the choice between scan and graph.
        &[2, 0, 5, 215, 0, 110, 5, 231, 1],
    ];

    fn new() -> IndexOperations {
        let mut random = Random::new(9);
        IndexOperations {
            pool: (0..POOL).map(|_| random.vector(DIMENSIONS)).collect(),
            n_searches: 0,
            n_seals: 0,
        }
    }

    /// How the index is set up, then two bytes for each step.
    fn input(&self, random: &mut Random) -> Vec<u8> {
        let n = 1 + 2 * random.below(80);
        (0..n).map(|_| random.next() as u8).collect()
    }

    fn run(&mut self, input: &[u8]) {
        let Some((&setup, steps)) = input.split_first() else {
            return;
        };
        let setup = usize::from(setup);
        let config = IndexConfig {
            mode: [Mode::Scan, Mode::Hnsw, Mode::Auto][setup % 3],
            metric: [Metric::Cosine, Metric::Dot, Metric::Euclidean][setup / 3 % 3],
            precision: [Precision::Full, Precision::Compact][setup / 9 % 2],
            ..IndexConfig::new(DIMENSIONS)
        };
        let mut index = VectorIndex::new(config);
        let mut model: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
        let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut graph = None;
        for step in steps.as_chunks::<2>().0 {
            let (what, with) = (step[0], step[1]);
            let (id, vector) = (u32::from(with % N_IDS), usize::from(with) % POOL);
            match what {
                0..110 => {
                    let label = u32::from(what % 3);
                    let added = index.add_labelled(id, &self.pool[vector], &[label]);
                    match model.entry(id) {
                        std::collections::btree_map::Entry::Vacant(place) => {
                            added.unwrap();
                            place.insert((vector, label));
                        }
                        _ => assert_eq!(added, Err(IndexError::DuplicateId(id))),
                    }
                }
                110..160 => assert_eq!(index.remove(id), model.remove(&id).is_some()),
                160..215 => {
                    self.n_searches += 1;
                    let labels = [vec![u32::from(what % 3), 7]];
                    let asked = Search {
                        labels: if what % 2 == 0 { &labels } else { &[] },
                        exact: what % 5 == 0,
                        ..Search::new(usize::from(with) % 12)
                    };
                    self.check(&index, &model, &self.pool[vector], &asked);
                }
                215..221 => {
                    self.n_seals += 1;
                    index.seal();
                }
                221..226 => {
                    index.compact();
                    let mut elsewhere = VectorIndex::load(&index.save()).unwrap();
                    elsewhere.seal();
                    graph = elsewhere.graph();
                }
                226..231 => {
                    if let Some(graph) = &graph {
                        let _ = index.adopt_graph(graph);
                    }
                }
                231..236 => {
                    let mut time = 0.0;
                    index.choose(&mut || {
                        time += f64::from(with);
                        time
                    });
                }
                236..240 => index.compact(),
                240..245 => {
                    index = VectorIndex::load(&index.save()).unwrap();
                    kept.clear();
                }
                _ => {
                    for part in index.take_changes() {
                        match part.bytes {
                            Some(bytes) => drop(kept.insert(part.key, bytes)),
                            None => drop(kept.remove(&part.key)),
                        }
                    }
                    let part = |(key, bytes): (&String, &Vec<u8>)| Part {
                        key: key.clone(),
                        bytes: Some(bytes.clone()),
                    };
                    let parts: Vec<Part> = kept.iter().map(part).collect();
                    let mut loaded = VectorIndex::from_parts(&parts).unwrap();
                    assert_eq!(loaded.save(), index.save());
                    index = loaded;
                }
            }
            assert_eq!(index.len(), model.len());
        }
    }

    fn summary(&self) -> String {
        format!(r#""searches":{},"seals":{}"#, self.n_searches, self.n_seals)
    }
}

impl IndexOperations {
    /// Every hit is allowed, scored right and there once, and none of those left out is better than the last.
    fn check(
        &self,
        index: &VectorIndex,
        model: &BTreeMap<u32, (usize, u32)>,
        query: &[f32],
        asked: &Search,
    ) {
        let hits = index.find(query, asked).unwrap();
        let allows = |label: u32| asked.labels.iter().all(|list| list.contains(&label));
        let allowed = model.iter().filter(|(_, (_, label))| allows(*label));
        let config = index.config();
        let score = |vector: usize| score(config.metric, &self.pool[vector], query);
        let mut expected: Vec<f32> = allowed.map(|(_, (vector, _))| score(*vector)).collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        expected.truncate(asked.k);
        assert_eq!(hits.len(), expected.len());
        // Vectors are up to 4 long; near 0 a distance is off by the root of what a cosine is.
        let off = match (config.precision, config.metric) {
            (Precision::Full, Metric::Euclidean) => 0.06,
            (Precision::Full, _) => 0.002,
            (Precision::Compact, Metric::Euclidean) => 0.6,
            (_, _) => 0.2,
        };
        let mut ids: Vec<u32> = hits.iter().map(|hit| hit.id).collect();
        for (hit, other) in hits.iter().zip(&expected) {
            let (vector, label) = model[&hit.id];
            assert!(allows(label));
            assert!((hit.score - score(vector)).abs() < off);
            assert!((hit.score - other).abs() < 2.0 * off);
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), hits.len());
    }
}

fn score(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    match metric {
        Metric::Cosine => dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
        Metric::Dot => dot(a, b),
        _ => {
            let difference: Vec<f32> = a.iter().zip(b).map(|(x, y)| x - y).collect();
            -dot(&difference, &difference).sqrt()
        }
    }
}
