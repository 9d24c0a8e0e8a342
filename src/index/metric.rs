//! What "near" means.

/// How a query and a vector are compared. Every score grows with nearness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metric {
    /// The cosine of their angle, -1 to 1. Lengths do not count.
    #[default]
    Cosine = 0,
    /// Their inner product.
    Dot = 1,
    /// Their distance, negated: 0 for equal vectors, -5 for vectors 5 apart.
    Euclidean = 2,
}

impl Metric {
    pub(crate) const ALL: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Euclidean];

    pub(crate) fn needs_lengths(self) -> bool {
        self != Metric::Cosine
    }

    /// The score of two vectors of these lengths. In f64, where the square of no f32 overflows or vanishes.
    pub(crate) fn score(self, cosine: f32, a: f32, b: f32) -> f32 {
        let (cosine, a, b) = (f64::from(cosine), f64::from(a), f64::from(b));
        match self {
            Metric::Cosine => cosine as f32,
            // Beyond f32 an infinity would make all such rows equal, but no arithmetic wrong.
            Metric::Dot => (cosine * a * b) as f32,
            Metric::Euclidean => -((a - b).powi(2) + 2.0 * a * b * (1.0 - cosine)).sqrt() as f32,
        }
    }
}
