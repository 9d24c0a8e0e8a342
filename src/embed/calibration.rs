//! What "nothing in common" measures with an embedder.

/// Mean and standard deviation of the cosines of random pairs of texts.
///
/// Raw cosines of different embedders cannot be compared; `(cosine - mean) / sd` can.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    pub mean: f32,
    pub sd: f32,
}

/// Pairs that are drawn. Two hundred fix the mean to a fourteenth of the standard deviation, which is less than people's own
/// texts differ by.
const PAIRS: usize = 200;
/// Below this all texts point the same way, and a cosine says nothing.
const LEAST_SD: f32 = 1e-3;

impl Calibration {
    /// Measures 200 random pairs of vectors of different texts; the same vectors give the same result.
    ///
    /// `None` if there are fewer than two vectors, or all of them point the same way. Vectors need not have unit length.
    pub fn of_random_pairs(vectors: &[Vec<f32>]) -> Option<Calibration> {
        if vectors.len() < 2 {
            return None;
        }
        let mut random = Draw(0x6f6e_6861_6e64);
        let cosines: Vec<f64> = (0..PAIRS)
            .map(|_| {
                let one = random.below(vectors.len());
                let other = (one + 1 + random.below(vectors.len() - 1)) % vectors.len();
                cosine(&vectors[one], &vectors[other])
            })
            .filter(|cosine| cosine.is_finite())
            .collect();
        let n = cosines.len() as f64;
        let mean = cosines.iter().sum::<f64>() / n;
        let variance = cosines.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / n;
        let calibration = Calibration {
            mean: mean as f32,
            sd: variance.sqrt() as f32,
        };
        (calibration.sd >= LEAST_SD).then_some(calibration)
    }
}

/// `n` places out of `len`, each once, ascending and the same every time; all of them if there are fewer.
pub fn sample(len: usize, n: usize) -> Vec<usize> {
    let mut random = Draw(len as u64);
    let mut chosen = std::collections::BTreeSet::new();
    // Floyd's way: each further place is drawn once.
    for last in len.saturating_sub(n)..len {
        let place = random.below(last + 1);
        if !chosen.insert(place) {
            chosen.insert(last);
        }
    }
    chosen.into_iter().collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y));
        products.sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// SplitMix64: enough for drawing pairs, and the same everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % n as u64) as usize
    }
}

/// Everyday sentences that have nothing to do with each other, for an embedder that is used before anything was said.
pub const TEXTS: [&str; 40] = [
    "The train to the coast leaves at ten past six.",
    "Can you help me write a cover letter for a nursing job?",
    "My sister is allergic to peanuts.",
    "We moved the database to a smaller server last month.",
    "What is the capital of Mongolia?",
    "I prefer short answers without bullet points.",
    "The roof leaks whenever it rains from the west.",
    "He has been learning the cello since he was nine.",
    "Our budget for the kitchen is 12,000 euros.",
    "Please remind me to renew my passport.",
    "The function returns null when the list is empty.",
    "She runs a bakery near the old harbour.",
    "How long should I boil an egg for a runny yolk?",
    "The lease ends in September and we won't extend it.",
    "I stopped drinking coffee after lunch.",
    "Their first album sounds better than the second.",
    "Which of these two fonts is easier to read?",
    "The dog needs his vaccination before the holidays.",
    "We decided to use invoices in Swiss francs.",
    "There was a power cut during the meeting.",
    "I'm training for a half marathon in spring.",
    "Explain photosynthesis to a ten-year-old.",
    "My manager wants the report on Thursday morning.",
    "The novel is set in Lisbon in the thirties.",
    "Turn the valve a quarter to the left.",
    "He forgot his umbrella on the bus.",
    "I'd like to learn enough Japanese to order food.",
    "The test fails only on the second run.",
    "Grandma's recipe calls for two cups of buckwheat.",
    "Is it safe to take ibuprofen with this medicine?",
    "They planted forty apple trees along the road.",
    "The parking garage closes at midnight.",
    "Let's call the project Aurora for now.",
    "Interest rates went up again this week.",
    "My knee hurts when I climb stairs.",
    "The museum is free on the first Sunday of the month.",
    "Translate this sentence into Portuguese.",
    "We have three children and a very old cat.",
    "The printer on the second floor is out of toner.",
    "Saturn's rings are mostly ice.",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(n: usize, dimensions: usize) -> Vec<Vec<f32>> {
        let mut random = Draw(7);
        let mut component = || random.below(2_001) as f32 - 1_000.0;
        let mut vector = || (0..dimensions).map(|_| component()).collect();
        (0..n).map(|_| vector()).collect()
    }

    #[test]
    fn random_directions_measure_as_theory_says() {
        // The cosine of random directions has mean 0 and deviation 1/sqrt(dimensions).
        let found = Calibration::of_random_pairs(&vectors(100, 400)).unwrap();
        assert!(found.mean.abs() < 0.01, "{found:?}");
        assert!((found.sd - 0.05).abs() < 0.01, "{found:?}");
        assert_eq!(
            Calibration::of_random_pairs(&vectors(100, 400)),
            Some(found)
        );
    }

    #[test]
    fn vectors_that_all_point_one_way_can_not_be_calibrated() {
        let same = vec![vec![1.0, 2.0, 3.0]; 50];
        assert_eq!(Calibration::of_random_pairs(&same), None);
        assert_eq!(Calibration::of_random_pairs(&same[..1]), None);
    }

    #[test]
    fn a_sample_has_each_place_once() {
        for (len, n) in [(0, 5), (3, 5), (5, 5), (1_000, 80)] {
            let places = sample(len, n);
            assert_eq!(places.len(), n.min(len));
            assert!(places.is_sorted_by(|a, b| a < b) && places.iter().all(|&p| p < len));
        }
    }
}
