//! The kernel in plain Rust: browsers without simd128, and native builds on processors other than x86-64.

use super::PAIR;

/// Native compilers turn the inner loop over eight into vector instructions.
const CHUNK: usize = 8;

pub(super) fn products<const M: usize>(
    activations: &[i16],
    weights: &[u8],
    length: usize,
) -> [[i32; PAIR]; M] {
    let mut sums = [[0; PAIR]; M];
    for (m, row) in activations.chunks_exact(length).enumerate().take(M) {
        for (d, weights) in weights.chunks_exact(length).enumerate().take(PAIR) {
            sums[m][d] = dot(row, weights);
        }
    }
    sums
}

fn dot(a: &[i16], b: &[u8]) -> i32 {
    let (a, _) = a.as_chunks::<CHUNK>();
    let (b, _) = b.as_chunks::<CHUNK>();
    // Wrapping, so that debug and release agree; it never wraps for what `products` is made for.
    a.iter().zip(b).fold(0i32, |sum, (a, b)| {
        a.iter().zip(b).fold(sum, |sum, (&a, &b)| {
            sum.wrapping_add(i32::from(a) * i32::from(b as i8))
        })
    })
}
