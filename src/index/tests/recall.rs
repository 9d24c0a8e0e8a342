//! How many of the true nearest are found, where the index does not look at every vector exactly.
//!
//! The data is synthetic: unit vectors around random centres, whose noise has few degrees of freedom
//! (`Random::factored`) as that of sentence embeddings, or as many as components (`Random::clustered`), where all
//! neighbours are about equally far and the 1-bit codes do worst. Sentence embeddings themselves are not at hand here; on
//! them the method was measured at .9988 to .9998.

use super::brute_force::{brute_force, tolerance};
use super::random::Random;
use crate::index::{Hit, IndexConfig, Metric, Mode, Precision, VectorIndex};

const K: usize = 10;

struct Data {
    vectors: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
}

impl Data {
    fn clustered(seed: u64, n: usize, dimensions: usize, clusters: usize) -> Data {
        const QUERIES: usize = 60;
        let mut random = Random::new(seed);
        let mut vectors = random.clustered(n + QUERIES, dimensions, clusters, 1.0);
        let queries = vectors.split_off(n);
        Data { vectors, queries }
    }

    fn factored(seed: u64, n: usize, dimensions: usize, clusters: usize) -> Data {
        const QUERIES: usize = 100;
        let mut random = Random::new(seed);
        let mut vectors = random.factored(n + QUERIES, dimensions, 32, clusters);
        let queries = vectors.split_off(n);
        Data { vectors, queries }
    }

    fn index(&self, mode: Mode) -> VectorIndex {
        let dimensions = self.vectors[0].len();
        let mut index = VectorIndex::new(IndexConfig {
            mode,
            ..IndexConfig::new(dimensions)
        });
        for (id, vector) in (0..).zip(&self.vectors) {
            index.add(id, vector).unwrap();
        }
        index
    }

    /// The share of the true first `K` among the allowed ids that `search` returns. A hit that ties with the last true one
    /// within the tolerance counts as true.
    fn recall(&self, allow: impl Fn(u32) -> bool, search: impl Fn(&[f32]) -> Vec<Hit>) -> f64 {
        let (mut n_found, mut n_true) = (0, 0);
        for query in &self.queries {
            let allowed = (0..).zip(&self.vectors).filter(|(id, _)| allow(*id));
            let expected = brute_force(Metric::Cosine, allowed, query, K);
            let last = expected.last().unwrap().score;
            let hits = search(query);
            assert_eq!(hits.len(), expected.len());
            assert!(hits.iter().all(|hit| allow(hit.id)));
            n_true += expected.len();
            n_found += hits
                .iter()
                .filter(|h| h.score >= last - tolerance(Precision::Full))
                .count();
        }
        n_found as f64 / n_true as f64
    }
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn recall_of_the_default_scan() {
    // Clusters of 1,000, far more than the shortlist of 400.
    let data = Data::factored(41, 20_000, 384, 20);
    let mut index = data.index(Mode::Scan);
    let all = data.recall(|_| true, |query| index.search_all(query, K).unwrap());
    assert!(all >= 0.995, "{all}");
    let exact = data.recall(
        |_| true,
        |query| index.search_exact(query, K, |_| true).unwrap(),
    );
    assert_eq!(exact, 1.0);
    let half = |id: u32| id.is_multiple_of(2);
    let half_recall = data.recall(half, |query| index.search(query, K, half).unwrap());
    assert!(half_recall >= 0.995, "{half_recall}");
    // Narrow enough to be exact.
    let few = |id: u32| id.is_multiple_of(50);
    let few_recall = data.recall(few, |query| index.search(query, K, few).unwrap());
    assert_eq!(few_recall, 1.0);
    // Removed vectors do not come back, and the others stay as easy to find.
    for id in (0..20_000).filter(|id| id % 10 < 3) {
        assert!(index.remove(id));
    }
    let kept = |id: u32| id % 10 >= 3;
    let with_gaps = data.recall(kept, |query| index.search_all(query, K).unwrap());
    assert!(with_gaps >= 0.995, "{with_gaps}");
    let before: Vec<_> = data
        .queries
        .iter()
        .map(|q| index.search_all(q, K))
        .collect();
    index.compact();
    let after: Vec<_> = data
        .queries
        .iter()
        .map(|q| index.search_all(q, K))
        .collect();
    assert_eq!(before, after);
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn recall_where_codes_tell_little() {
    // Few dimensions, and vectors that are positive everywhere: the codes cannot rank them.
    let short = Data::clustered(42, 10_000, 32, 20);
    let mut positive = Data::clustered(43, 10_000, 128, 20);
    for vector in positive.vectors.iter_mut().chain(&mut positive.queries) {
        vector.iter_mut().for_each(|x| *x = x.abs());
    }
    for data in [short, positive] {
        let index = data.index(Mode::Scan);
        let recall = data.recall(|_| true, |query| index.search_all(query, K).unwrap());
        assert_eq!(recall, 1.0);
    }
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn recall_just_above_the_bound_of_telling_bits() {
    let data = Data::factored(44, 20_000, 128, 20);
    let index = data.index(Mode::Scan);
    assert!(index.arena.telling_bits() > crate::index::scan::TELLING_BITS);
    let recall = data.recall(|_| true, |query| index.search_all(query, K).unwrap());
    assert!(recall >= 0.99, "{recall}");
}

/// Where no structure helps: noise in every direction, and more near neighbours than the shortlist holds. The bound says how
/// much the scan may lose there; `search_exact` loses nothing.
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn recall_of_the_default_scan_at_its_worst() {
    let data = Data::clustered(46, 20_000, 384, 20);
    let index = data.index(Mode::Scan);
    let recall = data.recall(|_| true, |query| index.search_all(query, K).unwrap());
    assert!(recall >= 0.95, "{recall}");
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn recall_of_the_graph() {
    let data = Data::clustered(45, 2_500, 48, 25);
    let mut index = data.index(Mode::Hnsw);
    assert_eq!(index.seal(), 2_500);
    let all = data.recall(|_| true, |query| index.search_all(query, K).unwrap());
    assert!(all >= 0.98, "{all}");
    // A filter that the collector applies while walking.
    let fifth = |id: u32| id.is_multiple_of(5);
    let fifth_recall = data.recall(fifth, |query| index.search(query, K, fifth).unwrap());
    assert!(fifth_recall >= 0.98, "{fifth_recall}");
    // A filter narrow enough for the scan.
    let few = |id: u32| id.is_multiple_of(50);
    let few_recall = data.recall(few, |query| index.search(query, K, few).unwrap());
    assert_eq!(few_recall, 1.0);
    // Removal wipes rows that the walk passed through; up to the advised 30 % that must not show.
    for id in (0..2_500).filter(|id| id % 10 < 3) {
        assert!(index.remove(id));
    }
    let kept = |id: u32| id % 10 >= 3;
    let with_gaps = data.recall(kept, |query| index.search_all(query, K).unwrap());
    assert!(with_gaps >= 0.98, "{with_gaps}");
    let stats = index.stats();
    assert_eq!((stats.n_sealed, stats.n_sealed_gaps), (1_750, 750));
}
