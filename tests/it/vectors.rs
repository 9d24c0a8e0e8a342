//! The index on vectors of real embedding models.
//!
//! Always: phrases of dictionary words through the default table. If the index benchmark's data was made (`make bench-index`):
//! 50,000 sentences through all-MiniLM-L6-v2.

use onhand::embed::StaticTable;
use onhand::index::{Hit, IndexConfig, Mode, Precision, VectorIndex};
use std::path::Path;

const K: usize = 10;

struct Data {
    vectors: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
    /// For each query the exact first [`K`], by f32.
    truth: Vec<Vec<Hit>>,
}

impl Data {
    fn new(vectors: Vec<Vec<f32>>, queries: Vec<Vec<f32>>) -> Data {
        let nearest = |query: &Vec<f32>| {
            let score = |v: &Vec<f32>| v.iter().zip(query).map(|(a, b)| a * b).sum::<f32>();
            let mut hits: Vec<Hit> = (0..)
                .zip(&vectors)
                .map(|(id, v)| Hit {
                    id,
                    score: score(v),
                })
                .collect();
            hits.select_nth_unstable_by(K, |a, b| b.score.total_cmp(&a.score));
            hits.truncate(K);
            hits
        };
        Data {
            truth: queries.iter().map(nearest).collect(),
            vectors,
            queries,
        }
    }

    fn index(&self, precision: Precision) -> VectorIndex {
        let mut index = VectorIndex::new(IndexConfig {
            precision,
            ..IndexConfig::new(self.vectors[0].len())
        });
        for (id, vector) in (0..).zip(&self.vectors) {
            index.add(id, vector).unwrap();
        }
        index
    }

    /// The share of the true first [`K`] that is found. What f32 hardly tells apart counts as the same.
    fn recall(&self, search: impl Fn(&[f32]) -> Vec<Hit>) -> f64 {
        let found = self.queries.iter().zip(&self.truth).map(|(query, truth)| {
            let last = truth.iter().map(|hit| hit.score).fold(1.0, f32::min);
            let own = |hit: &Hit| -> f32 {
                let vector = &self.vectors[hit.id as usize];
                vector.iter().zip(query).map(|(a, b)| a * b).sum()
            };
            search(query)
                .iter()
                .filter(|hit| own(hit) >= last - 1e-6)
                .count()
        });
        found.sum::<usize>() as f64 / (K * self.queries.len()) as f64
    }
}

/// Phrases of one to five words, as a speaker without grammar would make them: no two alike, many alike in part.
fn phrases() -> Data {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read(root.join("pkg/model/static-128-int4.bin")).unwrap();
    let table = StaticTable::from_bytes(&file).unwrap();
    // The model's own vocabulary: `docs/format-embedding-table.md`.
    let length = u32::from_le_bytes(file[16..20].try_into().unwrap()) as usize;
    let vocabulary = std::str::from_utf8(&file[44..44 + length]).unwrap();
    let is_word = |piece: &&str| piece.len() > 3 && piece.bytes().all(|b| b.is_ascii_lowercase());
    let words: Vec<&str> = vocabulary.split('\n').filter(is_word).collect();
    let mut state = 17u64;
    let mut below = |end: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end
    };
    let mut vectors = || loop {
        let n = 1 + below(5);
        let phrase: Vec<&str> = (0..n).map(|_| words[below(words.len())]).collect();
        if let Some(vector) = table.embed(&phrase.join(" ")) {
            return vector;
        }
    };
    let stored = (0..20_000).map(|_| vectors()).collect();
    Data::new(stored, (0..200).map(|_| vectors()).collect())
}

#[test]
fn phrases_in_the_default_model() {
    check(&phrases());
}

#[test]
fn sentences_in_a_transformer() {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/browser/data/out");
    let read = |name: &str, n: usize| -> Option<Vec<Vec<f32>>> {
        let bytes = std::fs::read(out.join(name)).ok()?;
        let components = bytes
            .as_chunks()
            .0
            .iter()
            .map(|&four| f32::from_le_bytes(four));
        let components: Vec<f32> = components.take(n * 384).collect();
        Some(components.chunks_exact(384).map(<[f32]>::to_vec).collect())
    };
    match (read("base.f32", 50_000), read("queries.f32", 100)) {
        (Some(vectors), Some(queries)) => check(&Data::new(vectors, queries)),
        _ => println!("skipped: no sentence vectors here; `make bench-index` makes them"),
    }
}

fn check(data: &Data) {
    let index = data.index(Precision::Full);
    let recall = data.recall(|query| index.search_all(query, K).unwrap());
    assert!(recall >= 0.995, "default: {recall}");
    let exact = data.recall(|query| index.search_exact(query, K, |_| true).unwrap());
    assert_eq!(exact, 1.0);
    assert_eq!(index.config().mode, Mode::Scan);
    let compact = data.index(Precision::Compact);
    let recall = data.recall(|query| compact.search_all(query, K).unwrap());
    assert!(recall >= 0.98, "compact: {recall}");
    assert!(index.stats().bytes <= data.vectors.len() * (2 * data.vectors[0].len() + 86));
}
