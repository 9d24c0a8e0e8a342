//! The kernel on 128-bit WebAssembly SIMD.

use super::{BLOCK, PAIR};
use core::arch::wasm32::*;

/// Lengths: `M * length`, `2 * length`; `length` a multiple of 16.
#[inline(always)]
pub(super) fn products<const M: usize>(
    activations: &[i16],
    weights: &[u8],
    length: usize,
) -> [[i32; PAIR]; M] {
    debug_assert!(activations.len() == M * length && weights.len() == PAIR * length);
    const { assert!(M <= BLOCK) };
    let mut sums = [[i32x4_splat(0); PAIR]; BLOCK];
    let mut at = 0;
    while at < length {
        // SAFETY: the caller (`kernel::products`) asserts the lengths that all loads of this loop stay within, eight numbers
        // from `at` in each of the rows. No load asks for alignment.
        unsafe {
            let first = i16x8_load_extend_i8x8(weights.as_ptr().add(at).cast());
            let second = i16x8_load_extend_i8x8(weights.as_ptr().add(length + at).cast());
            // Written out: a build for size keeps a loop over the rows as one, and with it the sums in memory.
            macro_rules! row {
                ($m:literal) => {
                    if M > $m {
                        let row = v128_load(activations.as_ptr().add($m * length + at).cast());
                        sums[$m][0] = i32x4_add(sums[$m][0], i32x4_dot_i16x8(row, first));
                        sums[$m][1] = i32x4_add(sums[$m][1], i32x4_dot_i16x8(row, second));
                    }
                };
            }
            row!(0);
            row!(1);
            row!(2);
            row!(3);
        }
        at += 8;
    }
    std::array::from_fn(|m| sums[m].map(sum))
}

#[inline(always)]
fn sum(lanes: v128) -> i32 {
    let lanes = i32x4_add(lanes, i32x4_shuffle::<2, 3, 0, 1>(lanes, lanes));
    i32x4_extract_lane::<0>(lanes).wrapping_add(i32x4_extract_lane::<1>(lanes))
}
