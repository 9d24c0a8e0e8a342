//! Four numbers at a time.
//!
//! One WebAssembly vector where there is simd128, an array elsewhere.
//! Everything in floating point is written once, on this type, so the order of every sum is the same on every platform, and with
//! it every bit: there is no fused multiply-add and no function of a mathematical library.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use core::arch::wasm32::*;

/// Numbers in a [`Lanes`].
pub(super) const LANES: usize = 4;

/// 1.5 · 2²³: adding it to a number within ±2²² leaves no fraction, so the sum's low bits are the number rounded to the nearest
/// integer.
const ROUNDER: f32 = 12_582_912.0;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[derive(Clone, Copy)]
pub(super) struct Lanes(v128);

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[derive(Clone, Copy)]
pub(super) struct Lanes([f32; LANES]);

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
impl Lanes {
    #[inline(always)]
    pub(super) fn splat(x: f32) -> Lanes {
        Lanes(f32x4_splat(x))
    }

    /// The first four of a slice.
    #[inline(always)]
    pub(super) fn load(from: &[f32]) -> Lanes {
        let four = &from[..LANES];
        // SAFETY: four numbers are there, and the instruction asks for no alignment.
        Lanes(unsafe { v128_load(four.as_ptr().cast()) })
    }

    /// Writes the first four of a slice.
    #[inline(always)]
    pub(super) fn store(self, to: &mut [f32]) {
        let four = &mut to[..LANES];
        // SAFETY: four numbers are there, and the instruction asks for no alignment.
        unsafe { v128_store(four.as_mut_ptr().cast(), self.0) }
    }

    /// The four integers nearest to the numbers, which must be within ±32,767.
    #[inline(always)]
    pub(super) fn store_rounded(self, to: &mut [i16]) {
        let bits = f32x4_add(self.0, f32x4_splat(ROUNDER));
        // The low 16 bits of each sum are the integer: the other bits belong to the rounder.
        let low = i8x16_shuffle::<0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13>(bits, bits);
        to[..LANES].copy_from_slice(&[
            i16x8_extract_lane::<0>(low),
            i16x8_extract_lane::<1>(low),
            i16x8_extract_lane::<2>(low),
            i16x8_extract_lane::<3>(low),
        ]);
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Lanes) -> Lanes {
        Lanes(f32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub(super) fn minus(self, other: Lanes) -> Lanes {
        Lanes(f32x4_sub(self.0, other.0))
    }

    #[inline(always)]
    pub(super) fn times(self, other: Lanes) -> Lanes {
        Lanes(f32x4_mul(self.0, other.0))
    }

    #[inline(always)]
    pub(super) fn over(self, other: Lanes) -> Lanes {
        Lanes(f32x4_div(self.0, other.0))
    }

    /// The other number where it is greater; an undefined one never is.
    #[inline(always)]
    pub(super) fn or_greater(self, other: Lanes) -> Lanes {
        Lanes(f32x4_pmax(self.0, other.0))
    }

    #[inline(always)]
    pub(super) fn abs(self) -> Lanes {
        Lanes(f32x4_abs(self.0))
    }

    /// Each number with the sign of the other's, for numbers of zero or more.
    #[inline(always)]
    pub(super) fn with_sign_of(self, other: Lanes) -> Lanes {
        Lanes(v128_or(self.0, v128_and(other.0, i32x4_splat(i32::MIN))))
    }

    #[inline(always)]
    fn to_array(self) -> [f32; LANES] {
        [
            f32x4_extract_lane::<0>(self.0),
            f32x4_extract_lane::<1>(self.0),
            f32x4_extract_lane::<2>(self.0),
            f32x4_extract_lane::<3>(self.0),
        ]
    }

    /// 2ⁿ of sums of [`ROUNDER`] and n.
    #[inline(always)]
    fn power_of_two(self) -> Lanes {
        Lanes(i32x4_add(i32x4_shl(self.0, 23), i32x4_splat(ONE_BITS)))
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
impl Lanes {
    #[inline(always)]
    pub(super) fn splat(x: f32) -> Lanes {
        Lanes([x; LANES])
    }

    /// The first four of a slice.
    #[inline(always)]
    pub(super) fn load(from: &[f32]) -> Lanes {
        Lanes([from[0], from[1], from[2], from[3]])
    }

    /// Writes the first four of a slice.
    #[inline(always)]
    pub(super) fn store(self, to: &mut [f32]) {
        to[..LANES].copy_from_slice(&self.0);
    }

    /// The four integers nearest to the numbers, which must be within ±32,767.
    #[inline(always)]
    pub(super) fn store_rounded(self, to: &mut [i16]) {
        // The low 16 bits of each sum are the integer: the other bits belong to the rounder.
        to[..LANES].copy_from_slice(&self.0.map(|x| (x + ROUNDER).to_bits() as i16));
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Lanes) -> Lanes {
        self.with(other, |a, b| a + b)
    }

    #[inline(always)]
    pub(super) fn minus(self, other: Lanes) -> Lanes {
        self.with(other, |a, b| a - b)
    }

    #[inline(always)]
    pub(super) fn times(self, other: Lanes) -> Lanes {
        self.with(other, |a, b| a * b)
    }

    #[inline(always)]
    pub(super) fn over(self, other: Lanes) -> Lanes {
        self.with(other, |a, b| a / b)
    }

    /// The other number where it is greater; an undefined one never is.
    #[inline(always)]
    pub(super) fn or_greater(self, other: Lanes) -> Lanes {
        self.with(other, |a, b| if a < b { b } else { a })
    }

    #[inline(always)]
    pub(super) fn abs(self) -> Lanes {
        Lanes(self.0.map(f32::abs))
    }

    /// Each number with the sign of the other's, for numbers of zero or more.
    #[inline(always)]
    pub(super) fn with_sign_of(self, other: Lanes) -> Lanes {
        self.with(other, |a, b| {
            f32::from_bits(a.to_bits() | b.to_bits() & 1 << 31)
        })
    }

    #[inline(always)]
    fn to_array(self) -> [f32; LANES] {
        self.0
    }

    /// 2ⁿ of sums of [`ROUNDER`] and n.
    #[inline(always)]
    fn power_of_two(self) -> Lanes {
        Lanes(
            self.0
                .map(|x| f32::from_bits((x.to_bits() << 23).wrapping_add(ONE_BITS as u32))),
        )
    }

    #[inline(always)]
    fn with(self, other: Lanes, combine: impl Fn(f32, f32) -> f32) -> Lanes {
        let (a, b) = (self.0, other.0);
        Lanes([
            combine(a[0], b[0]),
            combine(a[1], b[1]),
            combine(a[2], b[2]),
            combine(a[3], b[3]),
        ])
    }
}

/// The bits of 1.0: the exponent's offset.
const ONE_BITS: i32 = 127 << 23;

impl Lanes {
    /// The sum of the four.
    #[inline(always)]
    pub(super) fn sum(self) -> f32 {
        let [a, b, c, d] = self.to_array();
        (a + c) + (b + d)
    }

    /// The greatest of the four.
    #[inline(always)]
    pub(super) fn greatest(self) -> f32 {
        let [a, b, c, d] = self.to_array();
        let greater = |a: f32, b: f32| if a < b { b } else { a };
        greater(greater(a, b), greater(c, d))
    }

    /// e to the power of each number of at most 0, within 3·10⁻⁷ of the result; below -87, where the result would be no longer a
    /// normal number, that of -87.
    #[inline(always)]
    pub(super) fn exp(self) -> Lanes {
        // x = n ln 2 + rest with |rest| ≤ ln 2 / 2; the logarithm in two parts keeps the rest exact (Cody and Waite).
        let x = self.or_greater(Lanes::splat(-87.0));
        let shifted = x
            .times(Lanes::splat(std::f32::consts::LOG2_E))
            .plus(Lanes::splat(ROUNDER));
        let n = shifted.minus(Lanes::splat(ROUNDER));
        let rest = x
            .minus(n.times(Lanes::splat(0.693_359_4)))
            .plus(n.times(Lanes::splat(2.121_944_4e-4)));
        // Taylor's series: the first term left out is below 2·10⁻⁷ at the ends of the interval.
        let mut e = Lanes::splat(1.0 / 720.0);
        for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            e = e.times(rest).plus(Lanes::splat(coefficient));
        }
        e.times(shifted.power_of_two())
    }

    /// x Φ(x), the activation of the feed-forward part, within 4·10⁻⁷ · max(1, |x|).
    ///
    /// Φ by the error function of Abramowitz and Stegun, 7.1.26.
    #[inline(always)]
    pub(super) fn gelu(self) -> Lanes {
        let x = self
            .abs()
            .times(Lanes::splat(std::f32::consts::FRAC_1_SQRT_2));
        let one = Lanes::splat(1.0);
        let t = one.over(one.plus(x.times(Lanes::splat(0.327_591_1))));
        let mut series = Lanes::splat(1.061_405_4);
        for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
            series = series.times(t).plus(Lanes::splat(coefficient));
        }
        let tail = series
            .times(t)
            .times(Lanes::splat(0.0).minus(x.times(x)).exp());
        // `or_greater`: rounding must not turn a tail of almost one into a negative number, which has a sign already.
        let erf = Lanes::splat(0.0)
            .or_greater(one.minus(tail))
            .with_sign_of(self);
        self.times(Lanes::splat(0.5)).times(one.plus(erf))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(x: f64, of: impl Fn(Lanes) -> Lanes) -> f64 {
        let [a, b, c, d] = of(Lanes::splat(x as f32)).to_array();
        assert!(a == b && b == c && c == d);
        f64::from(a)
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn exp_is_within_its_bound() {
        for step in 0..=87_000 {
            let x = f64::from((-f64::from(step) / 1000.0) as f32);
            let (found, expected) = (each(x, Lanes::exp), x.exp());
            assert!((found / expected - 1.0).abs() < 3e-7, "{x}: {found}");
        }
        assert_eq!(each(0.0, Lanes::exp), 1.0);
        let least = each(-87.0, Lanes::exp);
        assert_eq!(each(-1e30, Lanes::exp), least);
        assert_eq!(each(f64::from(f32::MIN), Lanes::exp), least);
        assert!(least > 0.0 && least < 1e-37);
    }

    /// The error function by its Taylor series, which converges everywhere and is exact enough in f64 up to 6.
    fn erf(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn gelu_is_within_its_bound() {
        for step in -6_000..=6_000 {
            let x = f64::from((f64::from(step) / 1000.0) as f32);
            let expected = x * 0.5 * (1.0 + erf(x / 2f64.sqrt()));
            let found = each(x, Lanes::gelu);
            assert!(
                (found - expected).abs() <= 4e-7 * x.abs().max(1.0),
                "{x}: {found} {expected}"
            );
        }
        assert_eq!(each(0.0, Lanes::gelu), 0.0);
        assert_eq!(each(40.0, Lanes::gelu), 40.0);
        assert!(each(-40.0, Lanes::gelu).abs() < 1e-6);
        assert_eq!(each(1e30, Lanes::gelu), f64::from(1e30f32));
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn rounding_is_to_the_nearest() {
        let mut found = [0; 4];
        Lanes::load(&[32_767.0, -32_767.0, 0.6, -0.6]).store_rounded(&mut found);
        assert_eq!(found, [32_767, -32_767, 1, -1]);
        Lanes::load(&[0.4, -1.4, 1.5, 2.5]).store_rounded(&mut found);
        assert_eq!(found, [0, -1, 2, 2]);
    }

    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    #[cfg_attr(not(target_family = "wasm"), test)]
    fn sums_and_maxima_are_of_all_four() {
        let four = Lanes::load(&[1.0, -8.0, 4.0, 2.5]);
        assert_eq!(four.sum(), -0.5);
        assert_eq!(four.greatest(), 4.0);
        assert_eq!(four.abs().greatest(), 8.0);
    }
}
