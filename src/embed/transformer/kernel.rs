//! The inner loop: products of 16-bit activations and 8-bit weights, added up in 32 bits.
//!
//! In plain Rust, on simd128 and on SSE2, with the same results: sums of integers that do not overflow have no order.
//! SSE2 is for who embeds natively, tests above all: compilers do not find it by themselves, and it is ten times as fast.

#[cfg_attr(
    any(
        target_arch = "x86_64",
        all(target_arch = "wasm32", target_feature = "simd128")
    ),
    allow(dead_code, reason = "the twin that tests compare with")
)]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod sse2;

#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
use scalar as chosen;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128 as chosen;
#[cfg(target_arch = "x86_64")]
use sse2 as chosen;

/// Rows of activations in a block: eight sums, two weights and an activation are what fits the registers of every target.
pub(super) const BLOCK: usize = 4;
/// Rows of weights in a block.
pub(super) const PAIR: usize = 2;
/// Rows are a multiple of this long.
pub(super) const STEP: usize = 16;

/// The largest activation of a row of this length for which no sum overflows: weights are within ±127.
pub(super) fn largest_activation(length: usize) -> f32 {
    let bound = i32::MAX as usize / (127 * length);
    bound.min(i16::MAX as usize) as f32
}

/// Dot products of `M` rows of activations with two rows of weights (two's complement bytes), all `length` long.
///
/// Activations are within ±[`largest_activation`] and weights within ±127, else a sum may wrap; it never traps.
#[inline(always)]
pub(super) fn products<const M: usize>(
    activations: &[i16],
    weights: &[u8],
    length: usize,
) -> [[i32; PAIR]; M] {
    assert!(
        activations.len() == M * length
            && weights.len() == PAIR * length
            && length.is_multiple_of(STEP)
    );
    chosen::products(activations, weights, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::transformer::tests::random::Random;

    fn check<const M: usize>(activations: &[i16], weights: &[u8], length: usize) {
        let found = products::<M>(&activations[..M * length], weights, length);
        assert_eq!(
            found,
            scalar::products::<M>(&activations[..M * length], weights, length)
        );
        for m in 0..M {
            for d in 0..PAIR {
                let expected: i64 = (0..length)
                    .map(|i| {
                        i64::from(activations[m * length + i])
                            * i64::from(weights[d * length + i] as i8)
                    })
                    .sum();
                assert_eq!(i64::from(found[m][d]), expected, "{M} x {length}");
            }
        }
    }

    fn check_all(activations: &[i16], weights: &[u8], length: usize) {
        check::<1>(activations, weights, length);
        check::<2>(activations, weights, length);
        check::<3>(activations, weights, length);
        check::<4>(activations, weights, length);
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn products_are_sums_of_products() {
        let mut random = Random::new(31);
        for length in [32, 64, 96, 384, 1536, 4096] {
            let most = largest_activation(length) as i64;
            let activations: Vec<i16> = (0..BLOCK * length)
                .map(|_| (random.below(2 * most as u64 + 1) as i64 - most) as i16)
                .collect();
            let weights: Vec<u8> = (0..PAIR * length)
                .map(|_| (random.below(255) as i64 - 127) as i8 as u8)
                .collect();
            check_all(&activations, &weights, length);
        }
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn the_largest_sums_fit() {
        for length in [32, 384, 1536, 16_384] {
            let most = largest_activation(length) as i16;
            for sign in [1, -1] {
                let activations = vec![most * sign; BLOCK * length];
                let weights = [vec![127; length], vec![-127i8 as u8; length]].concat();
                check_all(&activations, &weights, length);
            }
        }
    }
}
