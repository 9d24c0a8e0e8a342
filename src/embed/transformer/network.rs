//! The layers of an encoder, and a text's way through them.

use super::attention::Attention;
use super::lanes::{LANES, Lanes};
use super::matrix::{Activations, Matrix};

/// Numbers that say how large a network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) layers: usize,
    pub(super) heads: usize,
    /// Components of a position's vector.
    pub(super) hidden: usize,
    /// Width of the feed-forward part.
    pub(super) inner: usize,
    /// Positions that a text can have, its two marks included.
    pub(super) positions: usize,
    /// Entries of the vocabulary.
    pub(super) pieces: usize,
}

/// Scales every row to mean 0 and variance 1, then by a weight and a bias per component.
#[derive(Clone)]
pub(super) struct Norm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    /// Added to the variance.
    pub(super) epsilon: f32,
}

#[derive(Clone)]
pub(super) struct Layer {
    /// Queries, keys and values of all heads.
    pub(super) attend: Matrix,
    pub(super) gather: Matrix,
    pub(super) attention_norm: Norm,
    pub(super) widen: Matrix,
    pub(super) narrow: Matrix,
    pub(super) norm: Norm,
}

/// Everything of a network but the vocabulary's rows and the matrices' bytes.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) shape: Shape,
    /// `hidden` numbers per position; the segment's vector is part of them.
    pub(super) positions: Vec<f32>,
    pub(super) norm: Norm,
    pub(super) layers: Vec<Layer>,
}

impl Network {
    /// Turns the rows of a text's pieces into what the last layer makes of them.
    pub(super) fn run(&self, rows: &mut [f32], weights: &[u8]) {
        let Shape {
            heads,
            hidden,
            inner,
            ..
        } = self.shape;
        let n = rows.len() / hidden;
        let mut attention = Attention::default();
        let mut activations = Activations::default();
        // One buffer serves both: queries, keys and values are used up when the feed-forward part begins.
        let mut wide = vec![0.0; n * inner.max(3 * hidden)];
        let mut change = vec![0.0; n * hidden];

        add(rows, &self.positions);
        self.norm.apply(rows);
        for layer in &self.layers {
            let qkv = &mut wide[..n * 3 * hidden];
            activations.set(rows, hidden);
            layer.attend.apply(weights, &activations, qkv);
            attention.apply(qkv, hidden, heads, &mut change);
            activations.set(&change, hidden);
            layer.gather.apply(weights, &activations, &mut change);
            add(rows, &change);
            layer.attention_norm.apply(rows);

            let wide = &mut wide[..n * inner];
            activations.set(rows, hidden);
            layer.widen.apply(weights, &activations, wide);
            for four in wide.chunks_exact_mut(LANES) {
                Lanes::load(four).gelu().store(four);
            }
            activations.set(wide, inner);
            layer.narrow.apply(weights, &activations, &mut change);
            add(rows, &change);
            layer.norm.apply(rows);
        }
    }
}

impl Norm {
    fn apply(&self, rows: &mut [f32]) {
        let length = self.weight.len();
        let share = 1.0 / length as f32;
        for row in rows.chunks_exact_mut(length) {
            let zero = Lanes::splat(0.0);
            let sum = row
                .chunks_exact(LANES)
                .fold(zero, |sum, four| sum.plus(Lanes::load(four)))
                .sum();
            let mean = Lanes::splat(sum * share);
            let squares = row
                .chunks_exact(LANES)
                .fold(zero, |sum, four| {
                    let deviation = Lanes::load(four).minus(mean);
                    sum.plus(deviation.times(deviation))
                })
                .sum();
            let scale = Lanes::splat(1.0 / (squares * share + self.epsilon).sqrt());
            for ((four, weight), bias) in row
                .chunks_exact_mut(LANES)
                .zip(self.weight.chunks_exact(LANES))
                .zip(self.bias.chunks_exact(LANES))
            {
                let scaled = Lanes::load(four).minus(mean).times(scale);
                scaled
                    .times(Lanes::load(weight))
                    .plus(Lanes::load(bias))
                    .store(four);
            }
        }
    }
}

/// Adds the first numbers of `change` to all of `rows`.
fn add(rows: &mut [f32], change: &[f32]) {
    for (x, change) in rows.iter_mut().zip(change) {
        *x += change;
    }
}
