//! Every position of a text looks at every other.

use super::lanes::{LANES, Lanes};

/// Rows of the left factor that are multiplied together.
const BLOCK: usize = 4;

/// What attention needs beside its input and its output; kept from layer to layer.
#[derive(Default)]
pub(super) struct Attention {
    /// The keys of one head, a component after the other.
    keys: Vec<f32>,
    /// The weight of each position (columns) for each position (rows).
    weights: Vec<f32>,
}

impl Attention {
    /// `qkv` holds queries, keys and values of each position, `3 * hidden` numbers; `to` receives `hidden` for each.
    pub(super) fn apply(&mut self, qkv: &[f32], hidden: usize, heads: usize, to: &mut [f32]) {
        let (n, size) = (qkv.len() / (3 * hidden), hidden / heads);
        let columns = n.next_multiple_of(LANES);
        // Columns beyond the last position stay zero.
        self.keys.clear();
        self.keys.resize(size * columns, 0.0);
        self.weights.resize(n * columns, 0.0);
        let scale = 1.0 / (size as f32).sqrt();
        for head in 0..heads {
            let at = head * size;
            for (position, row) in qkv.chunks_exact(3 * hidden).enumerate() {
                for (i, &key) in row[hidden + at..hidden + at + size].iter().enumerate() {
                    self.keys[i * columns + position] = key;
                }
            }
            multiply(
                Factor {
                    numbers: &qkv[at..],
                    stride: 3 * hidden,
                },
                Factor {
                    numbers: &self.keys,
                    stride: columns,
                },
                [n, size, columns],
                &mut self.weights,
                columns,
            );
            for row in self.weights.chunks_exact_mut(columns) {
                softmax(row, n, scale);
            }
            multiply(
                Factor {
                    numbers: &self.weights,
                    stride: columns,
                },
                Factor {
                    numbers: &qkv[2 * hidden + at..],
                    stride: 3 * hidden,
                },
                [n, n, size],
                &mut to[at..],
                hidden,
            );
        }
    }
}

/// Turns the first `n` scores of a row into weights that add up to one, and the rest into zeros.
fn softmax(row: &mut [f32], n: usize, scale: f32) {
    let rest = row[0];
    row[n..].fill(rest);
    let greatest = row
        .chunks_exact(LANES)
        .fold(Lanes::splat(rest), |greatest, four| {
            greatest.or_greater(Lanes::load(four))
        })
        .greatest();
    let (greatest, scale) = (Lanes::splat(greatest), Lanes::splat(scale));
    for four in row.chunks_exact_mut(LANES) {
        let weight = Lanes::load(four).minus(greatest).times(scale).exp();
        weight.store(four);
    }
    row[n..].fill(0.0);
    let sum = row
        .chunks_exact(LANES)
        .fold(Lanes::splat(0.0), |sum, four| sum.plus(Lanes::load(four)))
        .sum();
    let share = Lanes::splat(1.0 / sum);
    for four in row.chunks_exact_mut(LANES) {
        Lanes::load(four).times(share).store(four);
    }
}

/// Numbers in rows; a row begins every `stride` numbers.
#[derive(Clone, Copy)]
struct Factor<'a> {
    numbers: &'a [f32],
    stride: usize,
}

/// Writes the product of two matrices; `columns` is a multiple of [`LANES`].
///
/// Each number is a sum in the order of the inner index, however the rows are grouped.
fn multiply(
    left: Factor,
    right: Factor,
    [rows, inner, columns]: [usize; 3],
    to: &mut [f32],
    stride: usize,
) {
    for column in (0..columns).step_by(LANES) {
        let right = Factor {
            numbers: &right.numbers[column..],
            ..right
        };
        let whole = rows - rows % BLOCK;
        for row in (0..whole).step_by(BLOCK) {
            let to = &mut to[row * stride + column..];
            multiply_block::<BLOCK>(left, row, right, inner, to, stride);
        }
        for row in whole..rows {
            let to = &mut to[row * stride + column..];
            multiply_block::<1>(left, row, right, inner, to, stride);
        }
    }
}

#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "one number of each of several rows at a time"
)]
fn multiply_block<const M: usize>(
    left: Factor,
    row: usize,
    right: Factor,
    inner: usize,
    to: &mut [f32],
    stride: usize,
) {
    let rows: [&[f32]; M] =
        std::array::from_fn(|m| &left.numbers[(row + m) * left.stride..][..inner]);
    let mut sums = [Lanes::splat(0.0); BLOCK];
    for i in 0..inner {
        let four = Lanes::load(&right.numbers[i * right.stride..]);
        // Written out: a build for size keeps a loop over the rows as one, and with it the sums in memory.
        macro_rules! row {
            ($m:literal) => {
                if M > $m {
                    sums[$m] = sums[$m].plus(Lanes::splat(rows[$m][i]).times(four));
                }
            };
        }
        row!(0);
        row!(1);
        row!(2);
        row!(3);
    }
    for (m, sum) in sums.iter().enumerate().take(M) {
        sum.store(&mut to[m * stride..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::transformer::tests::random::Random;

    /// The definition, in f64.
    fn expected(qkv: &[f32], hidden: usize, heads: usize) -> Vec<f64> {
        let (n, size) = (qkv.len() / (3 * hidden), hidden / heads);
        let number = |position: usize, part: usize, i: usize| {
            f64::from(qkv[position * 3 * hidden + part * hidden + i])
        };
        let mut out = vec![0.0; n * hidden];
        for head in 0..heads {
            for position in 0..n {
                let weights: Vec<f64> = (0..n)
                    .map(|other| {
                        let score: f64 = (head * size..(head + 1) * size)
                            .map(|i| number(position, 0, i) * number(other, 1, i))
                            .sum();
                        (score / (size as f64).sqrt()).exp()
                    })
                    .collect();
                let sum: f64 = weights.iter().sum();
                for i in head * size..(head + 1) * size {
                    out[position * hidden + i] = (0..n)
                        .map(|other| weights[other] / sum * number(other, 2, i))
                        .sum();
                }
            }
        }
        out
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn attention_follows_its_definition() {
        let mut random = Random::new(33);
        let mut attention = Attention::default();
        for (n, hidden, heads) in [
            (1, 32, 2),
            (7, 32, 8),
            (2, 32, 1),
            (3, 64, 4),
            (4, 384, 12),
            (17, 96, 3),
            (5, 32, 2),
        ] {
            let qkv: Vec<f32> = (0..n * 3 * hidden).map(|_| 2.0 * random.signed()).collect();
            let mut found = vec![f32::NAN; n * hidden];
            attention.apply(&qkv, hidden, heads, &mut found);
            for (found, expected) in found.iter().zip(expected(&qkv, hidden, heads)) {
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-5,
                    "{found} {expected}"
                );
            }
        }
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn large_scores_do_not_overflow() {
        // The first position's query and key are so large that its own weight is all there is.
        let mut qkv = vec![0.0; 2 * 96];
        qkv[0] = 1e4;
        qkv[32] = 1e4;
        qkv[64..96].fill(2.0);
        qkv[96 + 64..].fill(-2.0);
        let mut found = [f32::NAN; 64];
        Attention::default().apply(&qkv, 32, 1, &mut found);
        assert!(found[..32].iter().all(|x| (x - 2.0).abs() < 1e-6));
        assert!(found[32..].iter().all(|x| x.abs() < 1e-6));
    }
}
