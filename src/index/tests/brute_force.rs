//! What a search should find, computed in the obvious way.

use crate::index::Hit;

/// How far a score of 16-bit components may be from the exact cosine.
pub(super) const TOLERANCE: f32 = 1e-4;

/// Cosines of unit vectors, best first.
pub(super) fn brute_force<'a>(
    vectors: impl Iterator<Item = (u32, &'a Vec<f32>)>,
    query: &[f32],
    k: usize,
) -> Vec<Hit> {
    let score = |vector: &[f32]| vector.iter().zip(query).map(|(a, b)| a * b).sum();
    let mut hits: Vec<Hit> = vectors
        .map(|(id, vector)| Hit {
            id,
            score: score(vector),
        })
        .collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    hits.truncate(k);
    hits
}
