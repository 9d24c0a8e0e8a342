//! A query as look-up tables over 1-bit codes.

/// For every 4 components of a query (padded to [`super::LANE`]) 16 entries of 5 bits.
///
/// Entry e is the share of those components in the dot product of the query with a sign code (bit set: +1, else -1),
/// shifted to start at 0 and scaled by the same factor everywhere, such that the widest table just fits 5 bits. Sums of
/// entries therefore rank codes as the dot product does, up to rounding.
pub(crate) struct Tables {
    entries: Vec<u8>,
    /// For every 8 components the sums of the entries of each byte of a code: without SIMD one look-up is cheaper than two.
    #[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
    by_byte: Vec<u8>,
    /// Half the greatest sum: what a code without any relation to the query adds up to. At most 31 · 1,024 / 2 = 15,872.
    middle: i16,
    /// Sums less `middle` fit an i16 after a shift by this, which keeps what a multiplication by a lift would round away.
    shift: u32,
    /// The dot product with the sign code that one step of an estimate before its lift stands for.
    step: f32,
}

/// The greatest entry: eight must fit a byte, so that sums are widened seldom. At 384 components their rounding puts an estimate
/// off by .004, its code by .03.
const GREATEST: f32 = 31.0;

impl Tables {
    pub(crate) fn new(query: &[f32]) -> Tables {
        debug_assert!(query.len().is_multiple_of(super::LANE));
        let weight = |four: &[f32]| four.iter().map(|x| x.abs()).sum::<f32>();
        let widest = query.chunks_exact(4).map(weight).fold(0.0, f32::max);
        let scale = if widest > 0.0 {
            GREATEST / (2.0 * widest)
        } else {
            0.0
        };
        let mut entries = Vec::with_capacity(query.len() * 4);
        let mut greatest_sum = 0;
        for four in query.chunks_exact(4) {
            // What entry e adds to the lowest: twice each component whose sign it has.
            let mut shares = [0.0f32; 16];
            for (i, x) in four.iter().enumerate() {
                let (set, unset) = if *x > 0.0 {
                    (2.0 * x, 0.0)
                } else {
                    (0.0, -2.0 * x)
                };
                for entry in 0..1 << i {
                    shares[entry | 1 << i] = shares[entry] + set;
                    shares[entry] += unset;
                }
            }
            // At most 31.5 before the cut, by the choice of `scale`; rounding in f32 must not make it 32.
            let rounded = shares.map(|share| ((share * scale + 0.5) as u8).min(GREATEST as u8));
            greatest_sum += rounded.iter().copied().max().map_or(0, u32::from);
            entries.extend(rounded);
        }
        let middle = (greatest_sum / 2) as i16;
        // The greatest distance from the middle is the middle itself, or one more.
        let shift = (i32::from(i16::MAX) / (i32::from(middle) + 1)).ilog2();
        Tables {
            #[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
            by_byte: by_byte(&entries),
            entries,
            middle,
            shift,
            step: if scale > 0.0 { 1.0 / scale } else { 0.0 } / (1 << shift) as f32,
        }
    }

    /// 16 for every 4 components: for each code byte those of its low half, then those of its high half.
    #[inline(always)]
    pub(crate) fn entries(&self) -> &[u8] {
        &self.entries
    }

    /// 256 for every 8 components.
    #[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
    #[inline(always)]
    pub(crate) fn by_byte(&self) -> &[u8] {
        &self.by_byte
    }

    #[inline(always)]
    pub(crate) fn middle(&self) -> i16 {
        self.middle
    }

    #[inline(always)]
    pub(crate) fn shift(&self) -> u32 {
        self.shift
    }

    /// The dot product of the query and a sign code for each unit of an estimate whose lift is 1.
    pub(crate) fn step(&self) -> f32 {
        self.step
    }
}

#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
fn by_byte(entries: &[u8]) -> Vec<u8> {
    let mut sums = Vec::with_capacity(entries.len() * 8);
    for both in entries.as_chunks::<32>().0 {
        let (low, high) = both.split_at(16);
        // At most twice GREATEST.
        sums.extend(
            high.iter()
                .flat_map(|high| low.iter().map(move |low| low + high)),
        );
    }
    sums
}
