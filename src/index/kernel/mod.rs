//! The inner loops of the index, and the tables that one of them reads.
//!
//! [`dot`] and its relatives compare vectors of 16- or 8-bit components; [`estimate`] scores 32 one-bit codes at once
//! against a query that keeps its precision in [`Tables`]. Each exists in plain Rust and on simd128, with the same results
//! bit by bit; the build's target features choose.

/// With SIMD, the twin that tests compare with.
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
pub(crate) mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) mod simd128;
mod tables;
#[cfg(test)]
mod tests;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar as chosen;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128 as chosen;

pub(crate) use tables::Tables;

/// Components are padded with zeros to a multiple of this: four SIMD registers of i16, four bytes of code.
pub(crate) const LANE: usize = 32;

/// Codes of so many rows lie side by side: two SIMD registers of one byte each, so that one load of a table serves both.
pub(crate) const BLOCK_ROWS: usize = 32;

/// What the greatest component of a row is stored as in 16 bits.
pub(crate) const ONE: f32 = 32_767.0;

/// What the greatest component of a row is stored as in 8 bits.
pub(crate) const ONE_BYTE: f32 = 127.0;

/// Dot product of two rows of equal length, a multiple of [`LANE`], without the value -32,768; rounded down by less than 2^[`shift`]
/// for each pair of components.
///
/// The products of two components add up to less than 2³¹ in a register; they are shifted before more are added.
#[inline(always)]
pub(crate) fn dot(a: &[i16], b: &[i16]) -> i64 {
    assert!(a.len() == b.len() && a.len().is_multiple_of(LANE));
    chosen::dot(a, b) << shift(a.len())
}

/// By how much sums of two products are shifted so that length / 16 of them fit an i32.
#[inline(always)]
fn shift(length: usize) -> u32 {
    (length / 16).next_power_of_two().ilog2()
}

/// Dot product of a compact row and a 16-bit row of equal length, a multiple of [`LANE`] up to 4,096.
///
/// A register adds up at most 256 pairs of 127 · 32,767, which is below 2³¹.
#[inline(always)]
pub(crate) fn dot_compact(a: &[i8], b: &[i16]) -> i64 {
    assert!(a.len() == b.len() && a.len().is_multiple_of(LANE));
    chosen::dot_compact(a, b)
}

/// Dot product of two compact rows, of equal length, a multiple of [`LANE`].
#[inline(always)]
pub(crate) fn dot_both_compact(a: &[i8], b: &[i8]) -> i64 {
    assert!(a.len() == b.len() && a.len().is_multiple_of(LANE));
    chosen::dot_both_compact(a, b)
}

/// What one look at a row finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Σ rᵢ²: at most 2⁴², as a row has at most 4,096 components.
    pub squares: u64,
    /// Σ |rᵢ|.
    pub sizes: u32,
    /// The greatest |rᵢ|.
    pub greatest: u16,
}

impl Survey {
    fn add(self, other: Survey) -> Survey {
        Survey {
            squares: self.squares + other.squares,
            sizes: self.sizes + other.sizes,
            greatest: self.greatest.max(other.greatest),
        }
    }
}

/// Looks at a row, and writes its code: bit i of byte j is set where component 8j + i is positive; bytes behind them are zero.
pub(crate) fn survey(row: &[i16], code: &mut [u8]) -> Survey {
    assert!(row.len() <= 8 * code.len());
    survey_each(row.iter().copied(), code)
}

fn survey_each(row: impl Iterator<Item = i16>, code: &mut [u8]) -> Survey {
    code.fill(0);
    let mut survey = Survey::default();
    for (i, x) in row.enumerate() {
        let size = x.unsigned_abs();
        survey = survey.add(Survey {
            squares: (u32::from(size) * u32::from(size)).into(),
            sizes: size.into(),
            greatest: size,
        });
        code[i / 8] |= u8::from(x > 0) << (i % 8);
    }
    survey
}

/// [`survey`] of a compact row.
#[inline(always)]
pub(crate) fn survey_compact(row: &[i8], code: &mut [u8]) -> Survey {
    assert!(row.len() <= 8 * code.len());
    chosen::survey_compact(row, code)
}

/// Bytes as components.
#[cfg(feature = "engine")]
pub(crate) fn components_of(bytes: &[u8]) -> &[i8] {
    // SAFETY: both types are of one byte, for which every value is valid; pointer and length are those of one slice.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}

/// Estimates of the cosines of [`BLOCK_ROWS`] rows with a query, from their codes; greater is nearer. Returns which of them reach
/// `floor`, as bits, the first row lowest; `estimates` is written only if one does.
///
/// `block` holds byte j of the 32 codes side by side at 32·j, as many bytes a code as the query of `tables` has. An estimate is (sum of table entries − half the greatest sum) · 2^shift · lift / 2¹⁵, rounded:
/// `lifts` say how much a code's row gains (see `arena`).
#[inline(always)]
pub(crate) fn estimate(
    block: &[u8],
    tables: &Tables,
    lifts: &[i16; BLOCK_ROWS],
    floor: i16,
    estimates: &mut [i16; BLOCK_ROWS],
) -> u32 {
    assert!(block.len().is_multiple_of(128) && tables.entries().len() == block.len());
    chosen::estimate(block, tables, lifts, floor, estimates)
}
