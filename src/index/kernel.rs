//! The two inner loops of the index, and the tables that one of them reads.
//!
//! [`dot`] compares two vectors of 16-bit components; [`lut16`] scores 16 one-bit codes at once against a query that keeps
//! its precision in tables ([`tables`]). Both exist in plain Rust and on simd128, with the same results bit by bit; the
//! build's target features choose.

#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128", not(test)),
    allow(dead_code, reason = "the twin that tests compare with")
)]
pub(crate) mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar as chosen;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128 as chosen;

/// Components are padded with zeros to a multiple of this: two SIMD registers of i16, two bytes of code.
pub(crate) const LANE: usize = 16;

/// What a component of 1.0 is stored as.
pub(crate) const ONE: f32 = 32_767.0;

/// Bounds of a stored unit vector's squared length, in units of 1 / [`ONE`]²: rounding moves each of at most 4,096
/// components by at most ½, so the length differs from 32,767 by at most ½·√4096 = 32; one more for `f32` input.
pub(crate) const SQUARED_LENGTH: std::ops::RangeInclusive<i64> = 32_734 * 32_734..=32_800 * 32_800;

/// Dot product of two rows of equal length, a multiple of [`LANE`].
///
/// For rows of unit length no sum overflows: by Cauchy–Schwarz the absolute products of *any* subset of components add up
/// to at most |a|·|b| ≤ 32,800² = 1.08·10⁹ (see [`SQUARED_LENGTH`]), half of what an i32 holds. That covers each partial sum of
/// each lane in any order. Other rows (all zeros aside) must not come here: [`crate::index::VectorIndex::load`] checks.
#[inline(always)]
pub(crate) fn dot(a: &[i16], b: &[i16]) -> i32 {
    assert!(a.len() == b.len() && a.len().is_multiple_of(LANE));
    chosen::dot(a, b)
}

/// Scores of 16 codes; more is nearer. Returns whether a score reaches `floor`; `scores` is written only then.
///
/// `block` holds byte j of the 16 codes side by side at 16·j, for an even number of bytes a code. `tables` are of
/// [`tables`] for the same number of components. A score is at most 63 · 1,024 = 64,512, so it fits its u16.
#[inline(always)]
pub(crate) fn lut16(block: &[u8], tables: &[u8], floor: u16, scores: &mut [u16; 16]) -> bool {
    assert!(block.len().is_multiple_of(32) && tables.len() == 2 * block.len());
    chosen::lut16(block, tables, floor, scores)
}

/// Look-up tables of a query (padded to [`LANE`]): for every 4 components 16 entries of 6 bits.
///
/// Entry e is the share of those components in the dot product of the query with a sign code (bit set: +1, else -1),
/// shifted to start at 0 and scaled by the same factor everywhere, such that the widest table just fits 6 bits. Sums of
/// entries therefore rank codes as the dot product does, up to rounding.
pub(crate) fn tables(query: &[f32]) -> Vec<u8> {
    debug_assert!(query.len().is_multiple_of(LANE));
    let weight = |four: &[f32]| four.iter().map(|x| x.abs()).sum::<f32>();
    let widest = query.chunks_exact(4).map(weight).fold(0.0, f32::max);
    let scale = if widest > 0.0 {
        63.0 / (2.0 * widest)
    } else {
        0.0
    };
    let mut tables = Vec::with_capacity(query.len() * 4);
    for four in query.chunks_exact(4) {
        let lowest = -weight(four);
        for entry in 0..16u32 {
            let signed = |(i, x): (usize, &f32)| if entry >> i & 1 == 1 { *x } else { -*x };
            let share: f32 = four.iter().enumerate().map(signed).sum();
            // At most 63.5 before the cut, by the choice of `scale`; rounding in f32 must not make it 64.
            tables.push((((share - lowest) * scale + 0.5) as u8).min(63));
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::random::Random;

    /// A random row of unit length in the stored form, padded.
    fn unit_row(random: &mut Random, dimensions: usize) -> Vec<i16> {
        let vector = random.direction(dimensions);
        let mut row: Vec<i16> = vector.iter().map(|x| (x * ONE).round() as i16).collect();
        row.resize(dimensions.next_multiple_of(LANE), 0);
        row
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn dot_is_the_sum_of_products() {
        let mut random = Random::new(11);
        for dimensions in [16, 17, 31, 100, 384, 1000, 4096] {
            for _ in 0..20 {
                let a = unit_row(&mut random, dimensions);
                let b = unit_row(&mut random, dimensions);
                let expected: i64 = a.iter().zip(&b).map(|(&x, &y)| x as i64 * y as i64).sum();
                assert_eq!(i64::from(dot(&a, &b)), expected);
                assert_eq!(scalar::dot(&a, &b), dot(&a, &b));
            }
        }
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn dot_survives_the_longest_rows() {
        for dimensions in [16usize, 4096] {
            let even = ONE / (dimensions as f32).sqrt();
            let mut single = vec![0; dimensions];
            single[dimensions - 1] = -32_767;
            for row in [vec![even.ceil() as i16; dimensions], single] {
                let squared: i64 = row.iter().map(|&x| i64::from(x) * i64::from(x)).sum();
                assert_eq!(i64::from(dot(&row, &row)), squared);
                let opposite: Vec<i16> = row.iter().map(|x| -x).collect();
                assert_eq!(i64::from(dot(&row, &opposite)), -squared);
            }
        }
        // A tampered row may wrap, the same everywhere, but never trap.
        let extreme = vec![i16::MIN; 4096];
        assert_eq!(dot(&extreme, &extreme), scalar::dot(&extreme, &extreme));
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn lut16_adds_the_table_entries_of_each_code() {
        let mut random = Random::new(12);
        for dimensions in [16usize, 48, 384, 1008, 4096] {
            let query = random.direction(dimensions);
            let tables = tables(&query);
            let block: Vec<u8> = (0..dimensions * 2).map(|_| random.next() as u8).collect();
            let expected: Vec<u16> = (0..16)
                .map(|lane| {
                    (0..dimensions / 8)
                        .map(|j| {
                            let byte = block[16 * j + lane] as usize;
                            let low = tables[32 * j + byte % 16];
                            u16::from(low) + u16::from(tables[32 * j + 16 + byte / 16])
                        })
                        .sum()
                })
                .collect();
            let best = *expected.iter().max().unwrap();
            for floor in [0, best, best + 1] {
                let (mut chosen, mut plain) = ([0; 16], [0; 16]);
                let found = lut16(&block, &tables, floor, &mut chosen);
                assert_eq!(found, scalar::lut16(&block, &tables, floor, &mut plain));
                assert_eq!(found, best >= floor);
                assert_eq!(plain.to_vec(), expected);
                if found {
                    assert_eq!(chosen, plain);
                }
            }
        }
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn the_greatest_possible_score_fits() {
        let tables = vec![63; 4096 * 4];
        let block = vec![0xff; 4096 * 2];
        let mut scores = [0; 16];
        assert!(lut16(&block, &tables, 64_512, &mut scores));
        assert_eq!(scores, [64_512; 16]);
        assert!(!lut16(&block, &tables, 64_513, &mut scores));
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn tables_rank_codes_as_the_query_does() {
        let mut random = Random::new(13);
        let query = random.direction(384);
        let tables = tables(&query);
        assert!(tables.iter().all(|&entry| entry <= 63));
        // The scale and the shift, recovered from the definition.
        let weight = |four: &[f32]| four.iter().map(|x| x.abs()).sum::<f32>();
        let widest = query.chunks(4).map(weight).fold(0.0, f32::max);
        let scale = 63.0 / (2.0 * widest);
        for _ in 0..50 {
            let code: Vec<bool> = (0..384).map(|_| random.next() & 1 == 1).collect();
            let signed = |(x, &bit): (&f32, &bool)| if bit { *x } else { -*x };
            let exact: f32 = query.iter().zip(&code).map(signed).sum();
            let sum: u32 = (0..96)
                .map(|group| {
                    let entry = (0..4).fold(0, |e, i| e | usize::from(code[group * 4 + i]) << i);
                    u32::from(tables[group * 16 + entry])
                })
                .sum();
            let expected = (exact + query.iter().map(|x| x.abs()).sum::<f32>()) * scale;
            // 96 roundings of at most one half.
            assert!((sum as f32 - expected).abs() <= 48.5, "{sum} {expected}");
        }
    }
}
