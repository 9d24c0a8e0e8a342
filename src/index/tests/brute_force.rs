//! What a search should find, computed in the obvious way.

use crate::index::{Hit, Metric, Precision};

/// How far a cosine of stored components may be from the exact one.
pub(super) fn tolerance(precision: Precision) -> f32 {
    match precision {
        Precision::Full => 1e-4,
        // Half a step of 1/127 of the greatest component, in up to 40 components of short test vectors.
        Precision::Compact => 0.02,
    }
}

/// The score of two vectors as the metric defines it.
pub(super) fn score(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y));
        products.sum()
    };
    let score = match metric {
        Metric::Cosine => dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
        Metric::Dot => dot(a, b),
        Metric::Euclidean => {
            let difference: Vec<f32> = a.iter().zip(b).map(|(x, y)| x - y).collect();
            -dot(&difference, &difference).sqrt()
        }
    };
    score as f32
}

/// The nearest, best first.
pub(super) fn brute_force<'a>(
    metric: Metric,
    vectors: impl Iterator<Item = (u32, &'a Vec<f32>)>,
    query: &[f32],
    k: usize,
) -> Vec<Hit> {
    let hit = |(id, vector): (u32, &Vec<f32>)| Hit {
        id,
        score: score(metric, vector, query),
    };
    let mut hits: Vec<Hit> = vectors.map(hit).collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    hits.truncate(k);
    hits
}
