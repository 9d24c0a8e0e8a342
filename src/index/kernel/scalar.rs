//! The kernels in plain Rust: native builds, and browsers without simd128.

pub(crate) fn dot(a: &[i16], b: &[i16]) -> i32 {
    // Wrapping, so that debug and release agree; it never wraps for unit rows (see `kernel::dot`).
    a.iter().zip(b).fold(0i32, |sum, (&x, &y)| {
        sum.wrapping_add(i32::from(x) * i32::from(y))
    })
}

pub(crate) fn lut16(block: &[u8], tables: &[u8], floor: u16, scores: &mut [u16; 16]) -> bool {
    let mut sums = [0u16; 16];
    let (columns, _) = block.as_chunks::<16>();
    let (pairs, _) = tables.as_chunks::<32>();
    for (column, pair) in columns.iter().zip(pairs) {
        for (sum, &byte) in sums.iter_mut().zip(column) {
            let low = pair[usize::from(byte & 15)];
            let high = pair[16 + usize::from(byte >> 4)];
            *sum = sum.wrapping_add(u16::from(low) + u16::from(high));
        }
    }
    *scores = sums;
    sums.iter().any(|&sum| sum >= floor)
}
