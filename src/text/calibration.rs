//! How far [`estimate_tokens`](super::tokens::estimate_tokens) is off for one model, learnt from what its requests really had.
//!
//! The table of weights is the same for all models, and each model has a tokenizer of its own. So each has a factor.

/// The factor stays between these, in thousandths: beyond them something else is wrong than a tokenizer.
pub const LEAST: u32 = 500;
pub const MOST: u32 = 2_500;

/// What was learnt counts for so much less with each request: about the last ten count.
const DECAY: f64 = 0.9;

/// Smaller prompts teach nothing: what the API adds to each by itself is most of them.
const LEAST_PROMPT_TOKENS: u64 = 200;

/// One model's factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    estimated: f64,
    actual: f64,
    error: f64,
    weight: f64,
    samples: u32,
    /// Thousandths, as an integer: a budget is then kept exactly, whatever is rounded.
    factor: u32,
}

impl Default for Calibration {
    /// The table as it is.
    fn default() -> Calibration {
        Calibration {
            estimated: 0.0,
            actual: 0.0,
            error: 0.0,
            weight: 0.0,
            samples: 0,
            factor: 1_000,
        }
    }
}

impl Calibration {
    /// Learns from one prompt: what the table said of it, and what it had. Long prompts count for more, as their share of all tokens
    /// is larger.
    pub fn learn(&mut self, estimated: u64, actual: u64) {
        if estimated.min(actual) < LEAST_PROMPT_TOKENS {
            return;
        }
        let said = self.tokens(estimated) as f64;
        let (estimated, actual) = (estimated as f64, actual as f64);
        self.error = DECAY * self.error + (said - actual).abs() / actual;
        self.weight = DECAY * self.weight + 1.0;
        self.estimated = DECAY * self.estimated + estimated;
        self.actual = DECAY * self.actual + actual;
        let factor = (1_000.0 * self.actual / self.estimated).ceil() as u32;
        self.factor = factor.clamp(LEAST, MOST);
        self.samples = self.samples.saturating_add(1);
    }

    /// What the table's estimates are multiplied by.
    pub fn factor(&self) -> f64 {
        f64::from(self.factor) / 1_000.0
    }

    /// By what part of the true number the estimates were off on average, before each was learnt from; `None` before any.
    pub fn mean_error(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.error / self.weight)
    }

    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// The table's estimate, corrected.
    pub fn tokens(&self, estimated: u64) -> u64 {
        let thousandths = u128::from(estimated) * u128::from(self.factor);
        u64::try_from(thousandths.div_ceil(1_000)).unwrap_or(u64::MAX)
    }

    /// The largest estimate of the table that fits into a budget of real tokens.
    pub fn room(&self, budget_tokens: u32) -> u32 {
        let room = u64::from(budget_tokens) * 1_000 / u64::from(self.factor);
        u32::try_from(room).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_factor_settles_where_the_model_is() {
        let mut calibration = Calibration::default();
        assert_eq!(
            (calibration.factor(), calibration.mean_error()),
            (1.0, None)
        );
        for _ in 0..50 {
            calibration.learn(1_000, 1_300);
        }
        assert_eq!(calibration.factor(), 1.3);
        assert_eq!(calibration.tokens(1_000), 1_300);
        let error = calibration.mean_error().unwrap();
        assert!(error < 0.01, "the first error fades: {error}");
    }

    #[test]
    fn another_tokenizer_is_learnt_anew() {
        let mut calibration = Calibration::default();
        for _ in 0..50 {
            calibration.learn(1_000, 800);
        }
        for _ in 0..50 {
            calibration.learn(1_000, 1_600);
        }
        assert!(
            (1.59..=1.6).contains(&calibration.factor()),
            "{calibration:?}"
        );
    }

    #[test]
    fn small_prompts_teach_nothing() {
        let mut calibration = Calibration::default();
        calibration.learn(500, 33);
        calibration.learn(33, 500);
        assert_eq!(calibration, Calibration::default());
    }

    proptest! {
        #[test]
        fn whatever_is_learnt_no_budget_is_exceeded(
            samples in prop::collection::vec((0..2_000_000_u64, 0..2_000_000_u64), 0..30),
            budget in 0..100_000_u32,
            estimates in prop::collection::vec(0..300_000_u32, 1..20),
        ) {
            let mut calibration = Calibration::default();
            for (estimated, actual) in samples {
                calibration.learn(estimated, actual);
                prop_assert!((0.5..=2.5).contains(&calibration.factor()));
                prop_assert!(calibration.mean_error().is_none_or(|error| error.is_finite() && error >= 0.0));
            }
            let room = calibration.room(budget);
            prop_assert!(calibration.tokens(u64::from(room)) <= u64::from(budget));
            for estimate in estimates.into_iter().filter(|estimate| *estimate <= room) {
                prop_assert!(calibration.tokens(u64::from(estimate)) <= u64::from(budget));
            }
        }
    }
}
