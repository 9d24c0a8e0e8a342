//! Keeps the best of a stream of scored candidates.

/// Orders `f32` scores as integers: a greater score is a greater `u32`. NaN must not come here.
pub(crate) fn score_bits(score: f32) -> u32 {
    let bits = score.to_bits();
    if bits >> 31 == 0 {
        bits | 1 << 31
    } else {
        !bits
    }
}

/// The score that [`score_bits`] took.
pub(crate) fn score_of(bits: u32) -> f32 {
    f32::from_bits(if bits >> 31 == 1 {
        bits & !(1 << 31)
    } else {
        !bits
    })
}

/// The best `keep` pushed so far, by score; equal scores by the lower name (an id or a row).
///
/// A buffer of twice the size is halved when it is full, which costs O(1) a push and one comparison for the many
/// candidates that have no chance.
pub(crate) struct Top {
    keep: usize,
    /// Score in the high half, the complement of the name in the low half: greater is better.
    keys: Vec<u64>,
    /// Keys that are not above this one are among the lost. Lags behind the true bound by at most one halving.
    floor: u64,
}

impl Top {
    /// `keep` at least 1.
    pub(crate) fn new(keep: usize) -> Top {
        debug_assert!(keep > 0);
        Top {
            keep,
            keys: Vec::new(),
            floor: 0,
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, score: u32, name: u32) {
        let key = u64::from(score) << 32 | u64::from(!name);
        if key > self.floor {
            self.keys.push(key);
            if self.keys.len() >= self.keep.saturating_mul(2).max(64) {
                self.halve();
            }
        }
    }

    /// Whether a candidate of this score may still be taken.
    #[inline]
    pub(crate) fn admits(&self, score: u32) -> bool {
        score >= (self.floor >> 32) as u32
    }

    /// The lowest score that a candidate named higher than all before needs.
    #[inline]
    pub(crate) fn floor_for_later_names(&self) -> u32 {
        match self.floor {
            0 => 0,
            floor => (floor >> 32) as u32 + 1,
        }
    }

    /// How many are kept.
    pub(crate) fn keep(&self) -> usize {
        self.keep
    }

    /// How many of the best are known: at most `keep`.
    pub(crate) fn len(&self) -> usize {
        self.keys.len().min(self.keep)
    }

    /// The worst score among the `keep` best; `None` while fewer are known.
    pub(crate) fn worst(&mut self) -> Option<u32> {
        self.halve();
        let worst = self
            .keys
            .iter()
            .min()
            .filter(|_| self.keys.len() == self.keep);
        worst.map(|key| (key >> 32) as u32)
    }

    fn halve(&mut self) {
        if self.keys.len() > self.keep {
            let (_, worst, _) = self
                .keys
                .select_nth_unstable_by(self.keep - 1, |a, b| b.cmp(a));
            self.floor = *worst;
            self.keys.truncate(self.keep);
        }
    }

    /// Names and scores, best first.
    pub(crate) fn into_sorted(mut self) -> Vec<(u32, u32)> {
        self.halve();
        self.keys.sort_unstable_by(|a, b| b.cmp(a));
        let split = |key: &u64| (!(*key as u32), (*key >> 32) as u32);
        self.keys.iter().map(split).collect()
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_what_a_full_sort_keeps(scores in prop::collection::vec(-20i8..20, 0..400), keep in 1usize..90) {
            let mut top = Top::new(keep);
            let mut all: Vec<(u32, f32)> = Vec::new();
            for (name, score) in scores.iter().enumerate() {
                let score = f32::from(*score) / 7.0;
                prop_assert!(top.admits(score_bits(score)) || all.iter().filter(|x| x.1 > score).count() >= keep);
                top.push(score_bits(score), name as u32);
                all.push((name as u32, score));
            }
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            all.truncate(keep);
            prop_assert_eq!(top.len(), all.len());
            let worst = all.last().filter(|_| all.len() == keep).map(|hit| score_bits(hit.1));
            prop_assert_eq!(top.worst(), worst);
            let found: Vec<_> = top.into_sorted().into_iter().map(|(n, s)| (n, score_of(s))).collect();
            prop_assert_eq!(found, all);
        }

        #[test]
        fn a_floor_shuts_out_only_the_lost(scores in prop::collection::vec(0u32..60, 0..400), keep in 1usize..90) {
            let mut top = Top::new(keep);
            for (name, &score) in scores.iter().enumerate() {
                for lower in 0..top.floor_for_later_names() {
                    let n_better = scores[..name].iter().filter(|x| **x >= lower).count();
                    prop_assert!(n_better >= keep, "{} is shut out", lower);
                }
                top.push(score, name as u32);
            }
        }

        #[test]
        fn score_bits_keep_the_order(a in -1e3f32..1e3, b in -1e3f32..1e3) {
            prop_assert_eq!(a.total_cmp(&b), score_bits(a).cmp(&score_bits(b)));
            prop_assert_eq!(score_of(score_bits(a)).to_bits(), a.to_bits());
        }
    }
}
