//! The kernel on SSE2, which every x86-64 processor has: what simd128 compiles to, for native builds.

use super::PAIR;
use core::arch::x86_64::*;

/// Lengths: `M * length`, `2 * length`; `length` a multiple of 16.
#[inline(always)]
pub(super) fn products<const M: usize>(
    activations: &[i16],
    weights: &[u8],
    length: usize,
) -> [[i32; PAIR]; M] {
    debug_assert!(activations.len() == M * length && weights.len() == PAIR * length);
    // SAFETY (all blocks of this file): SSE2 is part of the target, and the caller (`kernel::products`) asserts the lengths that
    // all loads stay within, eight numbers from `at` in each of the rows. No load asks for alignment.
    let mut sums = unsafe { [[_mm_setzero_si128(); PAIR]; M] };
    let mut at = 0;
    while at < length {
        unsafe {
            let first = extend(_mm_loadl_epi64(weights.as_ptr().add(at).cast()));
            let second = extend(_mm_loadl_epi64(weights.as_ptr().add(length + at).cast()));
            for (m, sums) in sums.iter_mut().enumerate() {
                let row = _mm_loadu_si128(activations.as_ptr().add(m * length + at).cast());
                sums[0] = _mm_add_epi32(sums[0], _mm_madd_epi16(row, first));
                sums[1] = _mm_add_epi32(sums[1], _mm_madd_epi16(row, second));
            }
        }
        at += 8;
    }
    sums.map(|pair| pair.map(sum))
}

/// The low eight bytes as 16-bit integers with their sign: each byte twice, the upper one shifted down.
#[inline(always)]
fn extend(bytes: __m128i) -> __m128i {
    // SAFETY: as above.
    unsafe { _mm_srai_epi16::<8>(_mm_unpacklo_epi8(bytes, bytes)) }
}

#[inline(always)]
fn sum(lanes: __m128i) -> i32 {
    let mut four = [0i32; 4];
    // SAFETY: as above; the array is as long as a vector.
    unsafe { _mm_storeu_si128(four.as_mut_ptr().cast(), lanes) };
    four.iter().fold(0i32, |sum, &x| sum.wrapping_add(x))
}
