//! Seeded test data, the same on every machine.

/// SplitMix64 (Steele, Lea and Flood 2014): small, and its stream never depends on a crate's version.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// 0 to `end`, exclusive; the bias of the remainder does not matter to tests.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// About a normal distribution: the sum of four uniform numbers, mean 0, deviation 1.
    pub(crate) fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: f32 = (0..4).map(|i| (bits >> (16 * i) & 0xffff) as f32).sum();
        (sum / 65_535.0 - 2.0) * 3.0f32.sqrt()
    }

    /// A random vector of unit length.
    pub(crate) fn direction(&mut self, dimensions: usize) -> Vec<f32> {
        let vector: Vec<f32> = (0..dimensions).map(|_| self.normal()).collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.iter().map(|x| x / length).collect()
    }

    /// `n` unit vectors around `clusters` random centres, the way sentences gather around topics: a vector is its
    /// centre plus noise of `spread` times the centre's length.
    pub(crate) fn clustered(
        &mut self,
        n: usize,
        dimensions: usize,
        clusters: usize,
        spread: f32,
    ) -> Vec<Vec<f32>> {
        let centres: Vec<Vec<f32>> = (0..clusters).map(|_| self.direction(dimensions)).collect();
        (0..n)
            .map(|_| {
                let centre = &centres[self.below(clusters)];
                let noise = self.direction(dimensions);
                let sum = centre.iter().zip(&noise).map(|(c, x)| c + spread * x);
                let vector: Vec<f32> = sum.collect();
                let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
                vector.iter().map(|x| x / length).collect()
            })
            .collect()
    }

    /// As [`Random::clustered`], but in `factors` dimensions that a random linear map spreads over all components: the way
    /// sentence embeddings have far fewer degrees of freedom than components.
    pub(crate) fn factored(
        &mut self,
        n: usize,
        dimensions: usize,
        factors: usize,
        clusters: usize,
    ) -> Vec<Vec<f32>> {
        let map: Vec<Vec<f32>> = (0..factors).map(|_| self.direction(dimensions)).collect();
        let latent = self.clustered(n, factors, clusters, 1.0);
        let spread = |shares: &Vec<f32>| {
            let mut vector = vec![0.0; dimensions];
            for (share, direction) in shares.iter().zip(&map) {
                for (x, d) in vector.iter_mut().zip(direction) {
                    *x += share * d;
                }
            }
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.iter_mut().for_each(|x| *x /= length);
            vector
        };
        latent.iter().map(spread).collect()
    }
}
