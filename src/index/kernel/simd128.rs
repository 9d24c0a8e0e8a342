//! The kernels on 128-bit WebAssembly SIMD.

use core::arch::wasm32::*;

use super::{BLOCK_ROWS, Survey, Tables};

/// Elements `at..at + 8`.
#[inline(always)]
fn load_i16(slice: &[i16], at: usize) -> v128 {
    debug_assert!(at + 8 <= slice.len());
    // SAFETY: every caller of this module's functions passes through `kernel`, which asserts the lengths that the loops
    // run to. `v128_load` has no alignment requirement.
    unsafe { v128_load(slice.as_ptr().add(at).cast()) }
}

/// Elements `at..at + 8`, widened.
#[inline(always)]
fn load_i8(slice: &[i8], at: usize) -> v128 {
    debug_assert!(at + 8 <= slice.len());
    // SAFETY: as in `load_i16`.
    unsafe { i16x8_load_extend_i8x8(slice.as_ptr().add(at)) }
}

/// Bytes `at..at + 16`.
#[inline(always)]
fn load_u8(slice: &[u8], at: usize) -> v128 {
    debug_assert!(at + 16 <= slice.len());
    // SAFETY: as in `load_i16`.
    unsafe { v128_load(slice.as_ptr().add(at).cast()) }
}

#[inline(always)]
fn add_lanes(a: v128, b: v128) -> i64 {
    let pairs = |v: v128| i64x2_add(i64x2_extend_low_i32x4(v), i64x2_extend_high_i32x4(v));
    let sum = i64x2_add(pairs(a), pairs(b));
    i64x2_extract_lane::<0>(sum).wrapping_add(i64x2_extract_lane::<1>(sum))
}

/// The dot product of `length` elements, a multiple of 16, given 8 at a time; sums of two products are shifted first.
#[inline(always)]
fn dot_of(length: usize, shift: u32, a: impl Fn(usize) -> v128, b: impl Fn(usize) -> v128) -> i64 {
    let (mut even, mut odd) = (i32x4_splat(0), i32x4_splat(0));
    let mut at = 0;
    while at < length {
        let first = i32x4_dot_i16x8(a(at), b(at));
        let second = i32x4_dot_i16x8(a(at + 8), b(at + 8));
        even = i32x4_add(even, i32x4_shr(first, shift));
        odd = i32x4_add(odd, i32x4_shr(second, shift));
        at += 16;
    }
    add_lanes(even, odd)
}

/// Shifted: see [`super::dot`].
#[inline(always)]
pub(crate) fn dot(a: &[i16], b: &[i16]) -> i64 {
    let shift = super::shift(a.len());
    dot_of(a.len(), shift, |at| load_i16(a, at), |at| load_i16(b, at))
}

#[inline(always)]
pub(crate) fn dot_compact(a: &[i8], b: &[i16]) -> i64 {
    dot_of(a.len(), 0, |at| load_i8(a, at), |at| load_i16(b, at))
}

#[inline(always)]
pub(crate) fn dot_both_compact(a: &[i8], b: &[i8]) -> i64 {
    dot_of(a.len(), 0, |at| load_i8(a, at), |at| load_i8(b, at))
}

#[inline(always)]
fn add_u32(sums: v128) -> u32 {
    let halves = i32x4_add(sums, i64x2_shuffle::<1, 0>(sums, sums));
    (i32x4_extract_lane::<0>(halves).wrapping_add(i32x4_extract_lane::<1>(halves))) as u32
}

pub(crate) fn survey_compact(row: &[i8], code: &mut [u8]) -> Survey {
    let (sixteens, rest) = row.as_chunks::<16>();
    let (mut squares, mut sizes, mut greatest) = (u32x4_splat(0), u32x4_splat(0), u8x16_splat(0));
    for (sixteen, bits) in sixteens.iter().zip(code.as_chunks_mut::<2>().0) {
        // SAFETY: 16 components are there. `v128_load` has no alignment requirement.
        let x = unsafe { v128_load(sixteen.as_ptr().cast()) };
        let (low, high) = (i16x8_extend_low_i8x16(x), i16x8_extend_high_i8x16(x));
        // At most 4,096 · 128² in all lanes together.
        squares = i32x4_add(squares, i32x4_dot_i16x8(low, low));
        squares = i32x4_add(squares, i32x4_dot_i16x8(high, high));
        // |-128| is 128 as an unsigned number.
        let size = i8x16_abs(x);
        let pairs = u16x8_extadd_pairwise_u8x16(size);
        sizes = i32x4_add(sizes, u32x4_extadd_pairwise_u16x8(pairs));
        greatest = u8x16_max(greatest, size);
        *bits = i8x16_bitmask(i8x16_gt(x, i8x16_splat(0))).to_le_bytes();
    }
    let greatest = u8x16_max(greatest, i64x2_shuffle::<1, 0>(greatest, greatest));
    let eight = u64x2_extract_lane::<0>(greatest).to_le_bytes();
    let survey = Survey {
        squares: add_u32(squares).into(),
        sizes: add_u32(sizes),
        greatest: eight.into_iter().fold(0, u8::max).into(),
    };
    let rest = rest.iter().map(|&x| x.into());
    survey.add(super::survey_each(rest, &mut code[2 * sixteens.len()..]))
}

/// Table sums of 16 rows: pairs of rows as one u16 (even row + 256 · odd row, modulo 2¹⁶), and the odd rows alone.
#[derive(Clone, Copy)]
struct Sums {
    both: v128,
    odd: v128,
}

impl Sums {
    #[inline(always)]
    fn zero() -> Sums {
        Sums {
            both: u16x8_splat(0),
            odd: u16x8_splat(0),
        }
    }

    /// Adds table entries that were added up in bytes.
    #[inline(always)]
    fn add(&mut self, sums: v128) {
        self.both = u16x8_add(self.both, sums);
        self.odd = u16x8_add(self.odd, u16x8_shr(sums, 8));
    }

    /// The sums of rows 0 to 7 and 8 to 15.
    #[inline(always)]
    fn in_order(self) -> [v128; 2] {
        let even = u16x8_sub(self.both, u16x8_shl(self.odd, 8));
        [
            u16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(even, self.odd),
            u16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(even, self.odd),
        ]
    }
}

/// Lengths: `block` a multiple of 128 (code bytes in fours), the tables' entries as long.
#[inline(always)]
pub(crate) fn estimate(
    block: &[u8],
    tables: &Tables,
    lifts: &[i16; BLOCK_ROWS],
    floor: i16,
    estimates: &mut [i16; BLOCK_ROWS],
) -> u32 {
    let entries = tables.entries();
    let nibble = u8x16_splat(15);
    let (mut left, mut right) = (Sums::zero(), Sums::zero());
    let mut at = 0;
    while at < block.len() {
        // The entries of four code bytes: eight of 5 bits are at most 248.
        let (mut left_bytes, mut right_bytes) = (u8x16_splat(0), u8x16_splat(0));
        for byte in [at, at + 32, at + 64, at + 96] {
            let (low, high) = (load_u8(entries, byte), load_u8(entries, byte + 16));
            let look_up = |codes: v128| {
                // Not u8x16_shr: no processor shifts bytes, and what browsers make of it is slower than a mask of our own.
                let second = v128_and(u16x8_shr(codes, 4), nibble);
                u8x16_add(
                    u8x16_swizzle(low, v128_and(codes, nibble)),
                    u8x16_swizzle(high, second),
                )
            };
            left_bytes = u8x16_add(left_bytes, look_up(load_u8(block, byte)));
            right_bytes = u8x16_add(right_bytes, look_up(load_u8(block, byte + 16)));
        }
        left.add(left_bytes);
        right.add(right_bytes);
        at += 128;
    }
    let middle = i16x8_splat(tables.middle());
    let lifted = |sums: v128, at: usize| {
        let centred = i16x8_shl(i16x8_sub(sums, middle), tables.shift());
        i16x8_q15mulr_sat(centred, load_i16(lifts, at))
    };
    let [a, b] = left.in_order();
    let [c, d] = right.in_order();
    let found = [lifted(a, 0), lifted(b, 8), lifted(c, 16), lifted(d, 24)];
    let floor = i16x8_splat(floor);
    let greatest = i16x8_max(i16x8_max(found[0], found[1]), i16x8_max(found[2], found[3]));
    // For nearly all blocks.
    if !v128_any_true(i16x8_ge(greatest, floor)) {
        return 0;
    }
    for (eight, to) in found.into_iter().zip(estimates.as_chunks_mut::<8>().0) {
        // SAFETY: `to` holds 8 i16, that is one vector; no alignment requirement.
        unsafe { v128_store(to.as_mut_ptr().cast(), eight) };
    }
    let reaching = |a: v128, b: v128| {
        let both = i8x16_narrow_i16x8(i16x8_ge(a, floor), i16x8_ge(b, floor));
        u32::from(i8x16_bitmask(both))
    };
    reaching(found[0], found[1]) | reaching(found[2], found[3]) << 16
}
