//! A linear map with 8-bit weights.
//!
//! Weights stay bytes with a scale per row. Activations become 16-bit integers with a scale per text position, as large as the
//! sums allow (15 bits for rows of 384, 14 for 1,536), so that the rounding of the weights is all that is lost.

use super::kernel::{self, BLOCK, PAIR};
use super::lanes::{LANES, Lanes};

/// Rows of weights that meet all activations before the next ones are read: few enough to stay in the first-level cache.
const TILE: usize = 8;

/// `outputs` rows of `inputs` weights, and what belongs to each row.
#[derive(Clone)]
pub(super) struct Matrix {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Where the rows begin in the bytes that [`Matrix::apply`] is given.
    pub(super) at: usize,
    pub(super) scales: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Matrix {
    /// `outputs` numbers per row of activations.
    pub(super) fn apply(&self, weights: &[u8], activations: &Activations, to: &mut [f32]) {
        let weights = &weights[self.at..self.at + self.outputs * self.inputs];
        let n_rows = activations.scales.len();
        assert!(activations.length == self.inputs && to.len() == n_rows * self.outputs);
        for tile in (0..self.outputs).step_by(TILE) {
            let tile = tile..(tile + TILE).min(self.outputs);
            let whole = n_rows - n_rows % BLOCK;
            for row in (0..whole).step_by(BLOCK) {
                self.apply_block::<BLOCK>(weights, activations, row, tile.clone(), to);
            }
            match n_rows - whole {
                1 => self.apply_block::<1>(weights, activations, whole, tile, to),
                2 => self.apply_block::<2>(weights, activations, whole, tile, to),
                3 => self.apply_block::<3>(weights, activations, whole, tile, to),
                _ => {}
            }
        }
    }

    fn apply_block<const M: usize>(
        &self,
        weights: &[u8],
        activations: &Activations,
        row: usize,
        tile: std::ops::Range<usize>,
        to: &mut [f32],
    ) {
        let length = self.inputs;
        let values = &activations.values[row * length..(row + M) * length];
        let scales = &activations.scales[row..row + M];
        for output in tile.step_by(PAIR) {
            let pair = &weights[output * length..(output + PAIR) * length];
            let sums = kernel::products::<M>(values, pair, length);
            for (m, sums) in sums.iter().enumerate() {
                for (d, &sum) in sums.iter().enumerate() {
                    to[(row + m) * self.outputs + output + d] =
                        sum as f32 * scales[m] * self.scales[output + d] + self.bias[output + d];
                }
            }
        }
    }
}

/// Rows of numbers as 16-bit integers with a scale each.
#[derive(Default)]
pub(super) struct Activations {
    length: usize,
    values: Vec<i16>,
    scales: Vec<f32>,
}

impl Activations {
    /// Takes the place of what was there; `length`, that of a row, is a multiple of [`LANES`].
    pub(super) fn set(&mut self, rows: &[f32], length: usize) {
        self.length = length;
        self.values.resize(rows.len(), 0);
        self.scales.clear();
        let most = kernel::largest_activation(length);
        for (row, values) in rows
            .chunks_exact(length)
            .zip(self.values.chunks_exact_mut(length))
        {
            let largest = row
                .chunks_exact(LANES)
                .fold(Lanes::splat(0.0), |largest, four| {
                    largest.or_greater(Lanes::load(four).abs())
                })
                .greatest();
            // A row of zeros has no scale. Neither has one with an infinite number: its result is undefined, which the
            // length of the vector shows in the end.
            let scale = if largest > 0.0 { most / largest } else { 0.0 };
            self.scales.push(largest / most);
            let scale = Lanes::splat(scale);
            for (four, values) in row.chunks_exact(LANES).zip(values.chunks_exact_mut(LANES)) {
                Lanes::load(four).times(scale).store_rounded(values);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::transformer::tests::random::Random;

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn a_matrix_is_applied_to_every_row() {
        let mut random = Random::new(32);
        for (n_rows, inputs, outputs) in [
            (1, 32, 32),
            (2, 384, 96),
            (3, 64, 32),
            (4, 1536, 32),
            (5, 32, 64),
            (9, 96, 10),
        ] {
            let rows: Vec<f32> = (0..n_rows * inputs).map(|_| random.signed()).collect();
            let weights: Vec<u8> = (0..3 + outputs * inputs)
                .map(|_| (random.below(255) as i64 - 127) as i8 as u8)
                .collect();
            let matrix = Matrix {
                inputs,
                outputs,
                at: 3,
                scales: (0..outputs)
                    .map(|_| random.signed().abs() / 127.0)
                    .collect(),
                bias: (0..outputs).map(|_| random.signed()).collect(),
            };
            let mut activations = Activations::default();
            activations.set(&rows, inputs);
            let mut found = vec![f32::NAN; n_rows * outputs];
            matrix.apply(&weights, &activations, &mut found);
            for (at, &found) in found.iter().enumerate() {
                let (row, output) = (at / outputs, at % outputs);
                let expected = matrix.bias[output] as f64
                    + (0..inputs)
                        .map(|i| {
                            let weight = weights[3 + output * inputs + i] as i8;
                            f64::from(rows[row * inputs + i])
                                * f64::from(weight)
                                * f64::from(matrix.scales[output])
                        })
                        .sum::<f64>();
                // Activations are below 1 and rounded to 13 bits or more: errors of 2⁻¹⁴ add up at random.
                let bound = (inputs as f64).sqrt() * 4.0 / 16_384.0;
                assert!(
                    (f64::from(found) - expected).abs() < bound,
                    "{found} {expected}"
                );
            }
        }
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn a_row_of_zeros_gives_the_bias() {
        let matrix = Matrix {
            inputs: 32,
            outputs: 2,
            at: 0,
            scales: vec![1.0; 2],
            bias: vec![0.5, -0.25],
        };
        let mut activations = Activations::default();
        activations.set(&[0.0; 32], 32);
        let mut found = [f32::NAN; 2];
        matrix.apply(&[1; 64], &activations, &mut found);
        assert_eq!(found, [0.5, -0.25]);
    }
}
