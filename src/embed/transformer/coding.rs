//! How a file stores a matrix, and back.

/// Weights of a group in the codings that have groups.
const GROUP: usize = 32;

/// What a weight takes in a file. A row's length is a multiple of 32 in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// A scale per row, 8 bits per weight: what the kernel reads, so it is used where it lies.
    Eight,
    /// A scale per row and a whole factor per group, 6 bits per weight; factor times weight is the 8-bit weight, exactly.
    Six,
    /// A half-precision scale per group, 4 bits per weight ("Q4_0").
    Four,
}

impl Coding {
    pub(super) fn of(bits: u32) -> Option<Coding> {
        match bits {
            8 => Some(Coding::Eight),
            6 => Some(Coding::Six),
            4 => Some(Coding::Four),
            _ => None,
        }
    }

    /// Bytes of a row, without the scale of the row.
    pub(super) fn row_bytes(self, length: u64) -> u64 {
        match self {
            Coding::Eight => length,
            Coding::Six => length / GROUP as u64 * 25,
            Coding::Four => length / GROUP as u64 * 18,
        }
    }

    /// Bytes of the scale of a row.
    pub(super) fn scale_bytes(self) -> u64 {
        match self {
            Coding::Eight | Coding::Six => 4,
            Coding::Four => 0,
        }
    }

    /// Bytes of a matrix.
    pub(super) fn matrix_bytes(self, rows: u64, length: u64) -> u64 {
        rows * (self.scale_bytes() + self.row_bytes(length))
    }

    /// The numbers of a row; `scale` is the row's and of no use where it has none.
    pub(super) fn numbers(self, row: &[u8], scale: f32, to: &mut [f32]) {
        match self {
            Coding::Eight => {
                for (to, &byte) in to.iter_mut().zip(row) {
                    *to = scale * f32::from(byte as i8);
                }
            }
            Coding::Six => {
                for (to, byte) in to.chunks_exact_mut(GROUP).zip(row.chunks_exact(25)) {
                    for (to, weight) in to.iter_mut().zip(six_bit_group(byte)) {
                        *to = scale * f32::from(weight);
                    }
                }
            }
            Coding::Four => {
                for (to, group) in to.chunks_exact_mut(GROUP).zip(row.chunks_exact(18)) {
                    let scale = half(u16::from_le_bytes([group[0], group[1]]));
                    let (low, high) = to.split_at_mut(GROUP / 2);
                    for ((low, high), &byte) in low.iter_mut().zip(high).zip(&group[2..]) {
                        *low = scale * f32::from((byte & 15) as i8 - 8);
                        *high = scale * f32::from((byte >> 4) as i8 - 8);
                    }
                }
            }
        }
    }

    /// Appends the row's 8-bit weights to `to` and returns their scale; `scale` and `numbers` are as in [`Coding::numbers`].
    pub(super) fn unpack(
        self,
        row: &[u8],
        scale: f32,
        numbers: &mut [f32],
        to: &mut Vec<u8>,
    ) -> f32 {
        match self {
            Coding::Eight => {
                to.extend_from_slice(row);
                scale
            }
            Coding::Six => {
                for group in row.chunks_exact(25) {
                    to.extend(six_bit_group(group).map(|weight| weight as u8));
                }
                scale
            }
            Coding::Four => {
                self.numbers(row, scale, numbers);
                let largest = numbers.iter().fold(0f32, |most, x| most.max(x.abs()));
                // The steps of a row's groups are not multiples of each other. Rounding to a 127th of the row's largest weight
                // adds a sixteenth of the error that 4 bits have made.
                let steps = if largest > 0.0 { 127.0 / largest } else { 0.0 };
                to.extend(
                    numbers
                        .iter()
                        .map(|x| (x * steps).round_ties_even() as i8 as u8),
                );
                largest / 127.0
            }
        }
    }
}

/// 32 weights of 6 bits, two's complement, four in three bytes, times the factor in the first byte.
fn six_bit_group(group: &[u8]) -> [i8; GROUP] {
    let factor = i32::from(group[0]);
    let mut weights = [0; GROUP];
    for (four, bytes) in weights.chunks_exact_mut(4).zip(group[1..].chunks_exact(3)) {
        let bits = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
        for (i, weight) in four.iter_mut().enumerate() {
            let value = (bits << (26 - 6 * i)) as i32 >> 26;
            *weight = (factor * value).clamp(-127, 127) as i8;
        }
    }
    weights
}

/// A number from its IEEE 754 half-precision bits.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (
        u32::from(bits >> 15) << 31,
        u32::from(bits >> 10 & 31),
        u32::from(bits & 0x3ff),
    );
    let size = match exponent {
        0 => fraction as f32 / 16_777_216.0,
        31 => f32::from_bits(0x7f80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    f32::from_bits(size.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(coding: Coding, row: &[u8], scale: f32, length: usize) -> Vec<f32> {
        let mut to = vec![f32::NAN; length];
        coding.numbers(row, scale, &mut to);
        to
    }

    #[test]
    fn eight_bits_are_two_s_complement() {
        let row: Vec<u8> = (0..32).map(|i| (i as i8 - 16) as u8).collect();
        let expected: Vec<f32> = (0..32).map(|i| 0.5 * (i - 16) as f32).collect();
        assert_eq!(numbers(Coding::Eight, &row, 0.5, 32), expected);
    }

    #[test]
    fn six_bits_times_a_factor() {
        // -32, -1, 31, 1 from the lowest bits up.
        let four = (0b10_0000u32 | 0b11_1111 << 6 | 0b01_1111 << 12 | 1 << 18).to_le_bytes();
        let mut row = vec![3];
        (0..8).for_each(|_| row.extend(&four[..3]));
        let expected: Vec<f32> = [-96.0, -3.0, 93.0, 3.0].repeat(8);
        assert_eq!(numbers(Coding::Six, &row, 1.0, 32), expected);
        let mut bytes = Vec::new();
        assert_eq!(Coding::Six.unpack(&row, 0.25, &mut [], &mut bytes), 0.25);
        let bytes: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte as i8)).collect();
        assert_eq!(bytes, expected);
        // A factor that no writer writes stays within a weight's range.
        row[0] = 200;
        assert_eq!(
            numbers(Coding::Six, &row, 1.0, 32)[..3],
            [-127.0, -127.0, 127.0]
        );
    }

    #[test]
    fn four_bits_with_a_scale_per_group() {
        // Half precision 0.5 and -2.0.
        let mut row = vec![0x00, 0x38];
        row.extend((0..16).map(|i| i | 15 << 4));
        row.extend([0x00, 0xc0]);
        row.extend([0x80; 16]);
        let found = numbers(Coding::Four, &row, f32::NAN, 64);
        let expected: Vec<f32> = (0..16).map(|i| 0.5 * (i - 8) as f32).collect();
        assert_eq!(found[..16], expected);
        assert_eq!(found[16..32], [3.5; 16]);
        assert_eq!(found[32..48], [16.0; 16]);
        assert_eq!(found[48..], [0.0; 16]);
        let mut bytes = Vec::new();
        let scale = Coding::Four.unpack(&row, f32::NAN, &mut [0.0; 64], &mut bytes);
        assert_eq!(bytes[32], 127);
        for (&byte, number) in bytes.iter().zip(found) {
            assert!((f32::from(byte as i8) * scale - number).abs() <= scale / 2.0);
        }
    }

    #[test]
    fn half_precision_is_read_as_ieee_754_says() {
        for (bits, expected) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x8001, -5.960_464_5e-8),
            (0x3c00, 1.0),
            (0xc248, -3.140_625),
            (0x7bff, 65_504.0),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half(bits), expected, "{bits:04x}");
        }
        assert!(half(0x8000).is_sign_negative());
        assert!(half(0x7e00).is_nan());
    }
}
