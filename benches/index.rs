//! The vector index natively: filling, inserting, searching by scan, exactly and by graph, as JSON lines.
//!
//! `cargo bench --bench index` runs 1,000, 10,000 and 50,000 vectors of 384 components; `-- 1000 2000` other sizes.
//! Native kernels are scalar, so compare lines of one run; the browser's numbers are another benchmark's.
//! Under `cargo test` it runs once with 500 vectors, so that it cannot rot.

use std::hint::black_box;
use std::time::Instant;

use onhand::index::{IndexConfig, Mode, VectorIndex};

const DIMENSIONS: usize = 384;
const SEED: u64 = 71;
const K: usize = 10;
/// Degrees of freedom of the data; see `Random::factored` of the tests.
const FACTORS: usize = 32;
/// A graph of more takes minutes to build.
const MOST_SEALED: usize = 50_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    if sizes.is_empty() {
        let is_bench = arguments.iter().any(|a| a == "--bench");
        sizes = if is_bench {
            vec![1_000, 10_000, 50_000]
        } else {
            vec![500]
        };
    }
    for n in sizes {
        measure(n);
    }
}

fn measure(n: usize) {
    let n_inserts = 200.min(n);
    let n_queries = 200;
    let mut vectors = data(n + n_inserts + n_queries);
    let queries = vectors.split_off(n + n_inserts);
    let inserts = vectors.split_off(n);

    let mode = Mode::Hnsw;
    let mut index = VectorIndex::new(IndexConfig {
        mode,
        ..IndexConfig::new(DIMENSIONS)
    });
    let start = Instant::now();
    for (id, vector) in (0..).zip(&vectors) {
        index.add(id, vector).expect("a unit vector");
    }
    report(n, "fill", "total_ms", ms(start));
    let start = Instant::now();
    for (id, vector) in (n as u32..).zip(&inserts) {
        index.add(id, vector).expect("a unit vector");
    }
    report(n, "insert", "mean_ms", ms(start) / n_inserts as f64);
    report(n, "memory", "bytes_per_vector", {
        index.stats().bytes as f64 / index.len() as f64
    });

    let exact: Vec<Vec<u32>> = search(n, "exact", &queries, |query| {
        ids(index.search_exact(query, K, |_| true))
    });
    let found = search(n, "scan", &queries, |query| ids(index.search_all(query, K)));
    report(n, "scan", "recall", recall(&found, &exact));
    let tenth = search(n, "scan_tenth_allowed", &queries, |query| {
        ids(index.search(query, K, |id| id % 10 == 0))
    });
    black_box(tenth);

    let start = Instant::now();
    let bytes = index.save();
    report(n, "save", "total_ms", ms(start));
    report(n, "save", "bytes_per_vector", {
        bytes.len() as f64 / index.len() as f64
    });
    let start = Instant::now();
    black_box(VectorIndex::load(&bytes).expect("bytes just saved"));
    report(n, "load", "total_ms", ms(start));

    if n > MOST_SEALED {
        println!(r#"{{"n":{n},"what":"hnsw","not_run":"building takes minutes"}}"#);
        return;
    }
    let start = Instant::now();
    index.seal();
    report(n, "hnsw_build", "total_ms", ms(start));
    let found = search(n, "hnsw", &queries, |query| ids(index.search_all(query, K)));
    report(n, "hnsw", "recall", recall(&found, &exact));
    let bytes = index.save();
    report(n, "hnsw_save", "bytes_per_vector", {
        bytes.len() as f64 / index.len() as f64
    });
}

fn search(
    n: usize,
    what: &str,
    queries: &[Vec<f32>],
    answer: impl Fn(&[f32]) -> Vec<u32>,
) -> Vec<Vec<u32>> {
    // One round to warm up.
    queries.iter().take(10).for_each(|query| {
        black_box(answer(query));
    });
    let mut times = Vec::with_capacity(queries.len());
    let mut answers = Vec::with_capacity(queries.len());
    for query in queries {
        let start = Instant::now();
        answers.push(answer(query));
        times.push(ms(start));
    }
    times.sort_by(f64::total_cmp);
    report(n, what, "p50_ms", times[times.len() / 2]);
    answers
}

fn ids(hits: Result<Vec<onhand::index::Hit>, onhand::index::IndexError>) -> Vec<u32> {
    let hits = hits.expect("a unit vector");
    hits.iter().map(|hit| hit.id).collect()
}

fn recall(found: &[Vec<u32>], exact: &[Vec<u32>]) -> f64 {
    let pairs = found.iter().zip(exact);
    let n_found: usize = pairs
        .map(|(f, e)| e.iter().filter(|id| f.contains(id)).count())
        .sum();
    n_found as f64 / exact.iter().map(Vec::len).sum::<usize>() as f64
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn report(n: usize, what: &str, unit: &str, value: f64) {
    println!(
        r#"{{"n":{n},"dimensions":{DIMENSIONS},"seed":{SEED},"what":"{what}","{unit}":{value:.4}}}"#
    );
}

/// Vectors around one centre for each 1,000, in [`FACTORS`] degrees of freedom. Not of unit length: the index sees to that.
fn data(n: usize) -> Vec<Vec<f32>> {
    let mut state = SEED;
    let mut uniform = move || {
        // SplitMix64; the upper 24 bits as -1 to 1.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut random = |length: usize| -> Vec<f32> { (0..length).map(|_| uniform()).collect() };
    let map: Vec<Vec<f32>> = (0..FACTORS).map(|_| random(DIMENSIONS)).collect();
    let centres: Vec<Vec<f32>> = (0..n.div_ceil(1_000)).map(|_| random(FACTORS)).collect();
    let n_centres = centres.len();
    (0..n)
        .map(|i| {
            let noise = random(FACTORS);
            let mut vector = vec![0.0; DIMENSIONS];
            for ((centre, noise), direction) in
                centres[i * 7_919 % n_centres].iter().zip(noise).zip(&map)
            {
                for (x, d) in vector.iter_mut().zip(direction) {
                    *x += (centre + noise) * d;
                }
            }
            vector
        })
        .collect()
}
