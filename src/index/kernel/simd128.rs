//! The kernels on 128-bit WebAssembly SIMD.

use core::arch::wasm32::*;

/// Elements `at..at + 8`.
#[inline(always)]
fn load_i16(slice: &[i16], at: usize) -> v128 {
    debug_assert!(at + 8 <= slice.len());
    // SAFETY: every caller of this module's functions passes through `kernel`, which asserts the lengths that the loops
    // run to. `v128_load` has no alignment requirement.
    unsafe { v128_load(slice.as_ptr().add(at).cast()) }
}

/// Bytes `at..at + 16`.
#[inline(always)]
fn load_u8(slice: &[u8], at: usize) -> v128 {
    debug_assert!(at + 16 <= slice.len());
    // SAFETY: as in `load_i16`.
    unsafe { v128_load(slice.as_ptr().add(at).cast()) }
}

/// Lengths: equal, a multiple of 16.
#[inline(always)]
pub(crate) fn dot(a: &[i16], b: &[i16]) -> i32 {
    let (mut even, mut odd) = (i32x4_splat(0), i32x4_splat(0));
    let mut at = 0;
    while at < a.len() {
        even = i32x4_add(even, i32x4_dot_i16x8(load_i16(a, at), load_i16(b, at)));
        odd = i32x4_add(
            odd,
            i32x4_dot_i16x8(load_i16(a, at + 8), load_i16(b, at + 8)),
        );
        at += 16;
    }
    let sum = i32x4_add(even, odd);
    let sum = i32x4_add(sum, i32x4_shuffle::<2, 3, 0, 1>(sum, sum));
    i32x4_extract_lane::<0>(sum).wrapping_add(i32x4_extract_lane::<1>(sum))
}

/// Lengths: `block` a multiple of 32 (an even number of code bytes), `tables` twice `block`.
#[inline(always)]
pub(crate) fn lut16(block: &[u8], tables: &[u8], floor: u16, scores: &mut [u16; 16]) -> bool {
    // The four 6-bit entries of two code bytes add up to at most 252, so they are added in u8. `both` then takes pairs of
    // rows as one u16 (low row + 256 * high row, modulo 2^16) and `high` the high rows alone; the low rows are what is left.
    let (mut both, mut high) = (u16x8_splat(0), u16x8_splat(0));
    let nibble = u8x16_splat(15);
    let mut at = 0;
    while at < block.len() {
        let (x, y) = (load_u8(block, at), load_u8(block, at + 16));
        let table = 2 * at;
        let first = u8x16_add(
            u8x16_swizzle(load_u8(tables, table), v128_and(x, nibble)),
            u8x16_swizzle(load_u8(tables, table + 16), u8x16_shr(x, 4)),
        );
        let second = u8x16_add(
            u8x16_swizzle(load_u8(tables, table + 32), v128_and(y, nibble)),
            u8x16_swizzle(load_u8(tables, table + 48), u8x16_shr(y, 4)),
        );
        let sums = u8x16_add(first, second);
        both = u16x8_add(both, sums);
        high = u16x8_add(high, u16x8_shr(sums, 8));
        at += 32;
    }
    let low = u16x8_sub(both, u16x8_shl(high, 8));
    let floor = u16x8_splat(floor);
    if !v128_any_true(v128_or(u16x8_ge(low, floor), u16x8_ge(high, floor))) {
        return false;
    }
    let first = u16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(low, high);
    let second = u16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(low, high);
    // SAFETY: `scores` holds 16 u16, that is two vectors; no alignment requirement.
    unsafe {
        v128_store(scores.as_mut_ptr().cast(), first);
        v128_store(scores.as_mut_ptr().add(8).cast(), second);
    }
    true
}
