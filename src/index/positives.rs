//! In how many rows each component is positive.

/// A sum of bytes holds so many rows.
const MOST_RECENT: u8 = u8::MAX;

/// Counts codes: a bit a component.
pub(crate) struct Positives {
    /// By component.
    counts: Vec<u32>,
    /// Of the rows that were added last: eight components a number, a byte each, so that one addition counts eight.
    recent: Vec<u64>,
    n_recent: u8,
}

/// A byte for each bit, the lowest first: 1 where it is set.
fn spread(bits: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let each = (u64::from(bits) * ONES) & 0x8040_2010_0804_0201;
    ((each + 0x7f * ONES) >> 7) & ONES
}

impl Positives {
    /// `dimensions` components, in codes of at least as many bits.
    pub fn new(dimensions: usize) -> Positives {
        Positives {
            counts: vec![0; dimensions],
            recent: vec![0; dimensions.div_ceil(8)],
            n_recent: 0,
        }
    }

    pub fn add(&mut self, code: &[u8]) {
        if self.n_recent == MOST_RECENT {
            self.settle();
        }
        for (sums, &bits) in self.recent.iter_mut().zip(code) {
            *sums += spread(bits);
        }
        self.n_recent += 1;
    }

    pub fn remove(&mut self, code: &[u8]) {
        self.settle();
        for (counts, &bits) in self.counts.chunks_mut(8).zip(code) {
            for (i, count) in counts.iter_mut().enumerate() {
                *count -= u32::from(bits >> i & 1);
            }
        }
    }

    /// By component.
    pub fn counts(&self) -> impl Iterator<Item = u32> {
        let recent = self.recent.iter().flat_map(|sums| sums.to_le_bytes());
        let pairs = self.counts.iter().zip(recent);
        pairs.map(|(count, recent)| count + u32::from(recent))
    }

    fn settle(&mut self) {
        self.counts = self.counts().collect();
        self.recent.fill(0);
        self.n_recent = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::random::Random;

    #[test]
    fn a_bit_becomes_a_byte() {
        for bits in 0..=u8::MAX {
            let expected = (0..8).map(|i| bits >> i & 1);
            assert!(spread(bits).to_le_bytes().into_iter().eq(expected));
        }
    }

    #[test]
    fn rows_are_counted_as_they_come_and_go() {
        let mut random = Random::new(31);
        let (mut positives, mut codes) = (Positives::new(20), Vec::new());
        for step in 0..2_000 {
            if step % 700 < 500 || codes.is_empty() {
                // Padded, as the codes of rows are.
                let code = [
                    random.next() as u8,
                    random.next() as u8,
                    random.next() as u8 & 15,
                    0,
                ];
                positives.add(&code);
                codes.push(code);
            } else {
                positives.remove(&codes.swap_remove(random.below(codes.len())));
            }
        }
        let count = |i: usize| {
            codes
                .iter()
                .filter(move |code| code[i / 8] >> (i % 8) & 1 == 1)
        };
        let expected = (0..20).map(|i| count(i).count() as u32);
        assert!(positives.counts().eq(expected));
        assert!(codes.len() > 600);
    }
}
