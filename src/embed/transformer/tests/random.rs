//! Numbers from a seed; a failing test names its seed in its source.

/// SplitMix64.
pub(in crate::embed) struct Random(u64);

impl Random {
    pub(in crate::embed) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(in crate::embed) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    /// 0 to `bound` - 1.
    pub(in crate::embed) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Above -1 and below 1.
    pub(in crate::embed) fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / 8_388_608.0 - 1.0 + 1.0 / 16_777_216.0
    }
}
