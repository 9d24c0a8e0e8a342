//! Logarithms and powers with the same bits in every build.
//!
//! A native build takes them from the system's library, a wasm build from Rust's own, and the two differ in the last bit now and then:
//! enough for two records to change places. These are made of additions, multiplications and divisions only, which IEEE 754 fixes, in
//! double precision, and rounded once.

use std::f64::consts::{LN_2, SQRT_2};

/// The natural logarithm of a positive, finite number.
pub fn ln(x: f32) -> f32 {
    ln_double(f64::from(x)) as f32
}

/// A positive, finite number to a finite power.
pub fn power(x: f32, exponent: f32) -> f32 {
    exp_double(f64::from(exponent) * ln_double(f64::from(x))) as f32
}

/// ln(m·2ᵉ) = e·ln 2 + 2·artanh((m − 1) / (m + 1)), with m between √½ and √2. The first term left out is below 10⁻¹⁸.
fn ln_double(x: f64) -> f64 {
    debug_assert!(x.is_normal() && x > 0.0, "{x}");
    const TERMS: u32 = 11;
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut m = f64::from_bits((bits & MANTISSA) | 1.0f64.to_bits());
    if m > SQRT_2 {
        m /= 2.0;
        exponent += 1;
    }
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    // From the smallest term up, so that no sum loses what came before.
    let series = (0..TERMS).rev().fold(0.0, |sum, k| {
        sum * square + 1.0 / (2.0 * f64::from(k) + 1.0)
    });
    exponent as f64 * LN_2 + 2.0 * s * series
}

/// eˣ = 2ᵏ·eʳ, with r between −½ ln 2 and ½ ln 2. The first term left out is below 10⁻¹⁷.
fn exp_double(x: f64) -> f64 {
    const TERMS: u32 = 14;
    let k = (x / LN_2 + 0.5).floor().clamp(-1022.0, 1023.0);
    let r = x - k * LN_2;
    let series = (1..TERMS)
        .rev()
        .fold(1.0, |sum, n| 1.0 + sum * r / f64::from(n));
    series * f64::from_bits(((k as i64 + 1023) as u64) << 52)
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Neighbouring f32 at most: the library's own last bit is not always right.
    fn is_close(found: f32, expected: f32) -> bool {
        found == expected || (found.to_bits() as i64 - expected.to_bits() as i64).abs() <= 1
    }

    proptest! {
        #[test]
        fn logarithms_are_those_of_the_library(x in 1e-30f32..1e30) {
            prop_assert!(is_close(ln(x), f64::from(x).ln() as f32), "{x}: {}", ln(x));
        }

        #[test]
        fn powers_are_those_of_the_library(x in 1e-4f32..1e4, exponent in -8f32..8.0) {
            let expected = f64::from(x).powf(f64::from(exponent)) as f32;
            prop_assert!(is_close(power(x, exponent), expected), "{x}^{exponent}: {}", power(x, exponent));
        }
    }

    #[test]
    fn exact_where_the_result_is() {
        assert_eq!([ln(1.0), power(7.0, 0.0), power(1.0, 9.0)], [0.0, 1.0, 1.0]);
        assert_eq!([power(2.0, 10.0), power(0.5, 3.0)], [1024.0, 0.125]);
    }

    #[test]
    fn a_share_that_decays_away_is_nothing() {
        assert_eq!(power(0.9, 1e6), 0.0);
    }
}
