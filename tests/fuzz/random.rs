//! SplitMix64 (Steele, Lea and Flood 2014): small, and its stream never depends on a crate's version.

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// 0 to `end`, exclusive.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Each component between -1 and 1.
    pub fn vector(&mut self, dimensions: usize) -> Vec<f32> {
        let uniform = |bits: u64| (bits >> 40) as f32 / (1 << 23) as f32 - 1.0;
        (0..dimensions).map(|_| uniform(self.next())).collect()
    }
}
