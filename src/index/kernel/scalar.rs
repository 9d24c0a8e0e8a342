//! The kernels in plain Rust: native builds, and browsers without simd128.

use super::{BLOCK_ROWS, Survey, Tables};

/// Shifted: see [`super::dot`].
pub(crate) fn dot(a: &[i16], b: &[i16]) -> i64 {
    let shift = super::shift(a.len());
    let pairs = a.as_chunks::<2>().0.iter().zip(b.as_chunks::<2>().0);
    let product = |x: i16, y: i16| i32::from(x) * i32::from(y);
    // Wraps as SIMD does, where a tampered row holds -32,768.
    let sum =
        |(x, y): (&[i16; 2], &[i16; 2])| product(x[0], y[0]).wrapping_add(product(x[1], y[1]));
    pairs.map(|pair| i64::from(sum(pair) >> shift)).sum()
}

pub(crate) fn dot_compact(a: &[i8], b: &[i16]) -> i64 {
    // 512 products, even of -128, stay below 2³¹, and compilers vectorise sums of 32 bits much better than those of 64.
    const FIT: usize = 512;
    let sum = |(a, b): (&[i8], &[i16])| -> i32 {
        let products = a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y));
        products.sum()
    };
    let parts = a.chunks(FIT).zip(b.chunks(FIT)).map(sum);
    parts.map(i64::from).sum()
}

pub(crate) fn dot_both_compact(a: &[i8], b: &[i8]) -> i64 {
    let products = a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y));
    products.map(i64::from).sum()
}

pub(crate) fn survey_compact(row: &[i8], code: &mut [u8]) -> Survey {
    super::survey_each(row.iter().map(|&x| x.into()), code)
}

pub(crate) fn estimate(
    block: &[u8],
    tables: &Tables,
    lifts: &[i16; BLOCK_ROWS],
    floor: i16,
    estimates: &mut [i16; BLOCK_ROWS],
) -> u32 {
    let mut sums = [0u16; BLOCK_ROWS];
    let (columns, _) = block.as_chunks::<BLOCK_ROWS>();
    let (by_byte, _) = tables.by_byte().as_chunks::<256>();
    // Four rows at a time, whose sums stay in registers.
    for (at, sums) in sums.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let mut four = [0u16; 4];
        for (column, of_byte) in columns.iter().zip(by_byte) {
            let bytes = &column.as_chunks::<4>().0[at];
            for (sum, &byte) in four.iter_mut().zip(bytes) {
                *sum = sum.wrapping_add(u16::from(of_byte[usize::from(byte)]));
            }
        }
        *sums = four;
    }
    let mut found = [0; BLOCK_ROWS];
    for ((found, sum), lift) in found.iter_mut().zip(sums).zip(lifts) {
        let centred = sum.wrapping_sub(tables.middle() as u16) as i16;
        *found = lifted(centred << tables.shift(), *lift);
    }
    let reaches = |(lane, &estimate): (usize, &i16)| u32::from(estimate >= floor) << lane;
    let reaching = found.iter().enumerate().map(reaches).sum();
    if reaching != 0 {
        *estimates = found;
    }
    reaching
}

/// `a · b / 2¹⁵`, rounded half up: `i16x8.q15mulr_sat_s`.
fn lifted(a: i16, b: i16) -> i16 {
    let product = (i32::from(a) * i32::from(b) + (1 << 14)) >> 15;
    product.min(i32::from(i16::MAX)) as i16
}
