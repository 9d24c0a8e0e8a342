use super::*;
use crate::index::tests::random::Random;

/// A random row in the stored form, padded: no -32,768.
fn row(random: &mut Random, dimensions: usize) -> Vec<i16> {
    let mut row: Vec<i16> = (0..dimensions)
        .map(|_| (random.next() as i16).max(-32_767))
        .collect();
    row.resize(dimensions.next_multiple_of(LANE), 0);
    row
}

fn compact_row(random: &mut Random, length: usize) -> Vec<i8> {
    (0..length)
        .map(|_| (random.next() as i8).max(-127))
        .collect()
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn dot_products_are_sums_of_products() {
    let mut random = Random::new(11);
    for dimensions in [16, 17, 31, 100, 384, 1000, 4096] {
        for _ in 0..20 {
            let (a, b) = (row(&mut random, dimensions), row(&mut random, dimensions));
            let (c, d) = (
                compact_row(&mut random, a.len()),
                compact_row(&mut random, a.len()),
            );
            let exact: i64 = a.iter().zip(&b).map(|(&x, &y)| x as i64 * y as i64).sum();
            let lost = exact - dot(&a, &b);
            let most = (a.len() as i64 / 2) << shift(a.len());
            assert!((0..most).contains(&lost), "{dimensions}: {lost} of {exact}");
            assert_eq!(scalar::dot(&a, &b), chosen::dot(&a, &b));
            let exact: i64 = c.iter().zip(&b).map(|(&x, &y)| x as i64 * y as i64).sum();
            assert_eq!(dot_compact(&c, &b), exact);
            assert_eq!(scalar::dot_compact(&c, &b), dot_compact(&c, &b));
            let exact: i64 = c.iter().zip(&d).map(|(&x, &y)| x as i64 * y as i64).sum();
            assert_eq!(dot_both_compact(&c, &d), exact);
            assert_eq!(scalar::dot_both_compact(&c, &d), dot_both_compact(&c, &d));
        }
    }
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn the_greatest_dot_products_fit() {
    for dimensions in [32usize, 384, 4096] {
        for sign in [1, -1] {
            let row = vec![32_767i16; dimensions];
            let other: Vec<i16> = row.iter().map(|x| x * sign).collect();
            let exact = 32_767 * 32_767 * dimensions as i64 * i64::from(sign);
            let lost = exact - dot(&row, &other);
            assert!((0..(dimensions as i64 / 2) << shift(dimensions)).contains(&lost));
            let compact = vec![127i8; dimensions];
            let exact = 127 * 32_767 * dimensions as i64 * i64::from(sign);
            assert_eq!(dot_compact(&compact, &other), exact);
            // A tampered row may hold one more.
            let exact = -128 * 32_767 * dimensions as i64 * i64::from(sign);
            assert_eq!(scalar::dot_compact(&vec![-128; dimensions], &other), exact);
        }
    }
    // A tampered row may wrap, the same everywhere, but never trap.
    let extreme = vec![i16::MIN; 4096];
    assert_eq!(
        chosen::dot(&extreme, &extreme),
        scalar::dot(&extreme, &extreme)
    );
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn a_survey_finds_sums_the_greatest_and_the_signs() {
    let mut random = Random::new(14);
    for dimensions in [16usize, 20, 31, 128, 384, 4096] {
        let mut rows: Vec<Vec<i8>> = (0..20)
            .map(|_| compact_row(&mut random, dimensions))
            .collect();
        rows.extend([127, -128, 0].map(|x| vec![x; dimensions]));
        for row in rows {
            let wide: Vec<i16> = row.iter().map(|&x| x.into()).collect();
            let size = |x: &i16| u64::from(x.unsigned_abs());
            let expected = Survey {
                squares: wide.iter().map(|x| size(x) * size(x)).sum(),
                sizes: wide.iter().map(size).sum::<u64>() as u32,
                greatest: wide.iter().map(size).max().unwrap() as u16,
            };
            // What was there before does not show.
            let code_bytes = dimensions.next_multiple_of(LANE) / 8;
            let mut codes = [(); 3].map(|()| vec![0xff; code_bytes]);
            let [chosen, plain, full] = &mut codes;
            assert_eq!(survey_compact(&row, chosen), expected);
            assert_eq!(scalar::survey_compact(&row, plain), expected);
            assert_eq!(survey(&wide, full), expected);
            for code in codes {
                let bits = (0..8 * code_bytes).map(|i| code[i / 8] >> (i % 8) & 1 == 1);
                let signs = wide.iter().map(|x| *x > 0).chain(std::iter::repeat(false));
                assert!(bits.zip(signs).all(|(bit, sign)| bit == sign));
            }
        }
    }
    let most = survey(&[i16::MIN; 4096], &mut [0; 512]);
    assert_eq!((most.squares, most.greatest), (1 << 42, 1 << 15));
}

/// The sum of table entries of one code, as the definition says.
fn sum_of(tables: &Tables, bytes: impl Iterator<Item = u8>) -> i32 {
    let entries = tables.entries().chunks(32);
    let sum = entries.zip(bytes).map(|(both, byte)| {
        i32::from(both[usize::from(byte % 16)]) + i32::from(both[16 + usize::from(byte / 16)])
    });
    sum.sum()
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn an_estimate_adds_the_entries_of_its_code_and_lifts_the_sum() {
    let mut random = Random::new(12);
    for dimensions in [32usize, 96, 384, 1024, 4096] {
        let tables = Tables::new(&random.direction(dimensions));
        let block: Vec<u8> = (0..dimensions * 4).map(|_| random.next() as u8).collect();
        let lifts: [i16; BLOCK_ROWS] = std::array::from_fn(|_| random.below(32_768) as i16);
        let expected: Vec<i16> = (0..BLOCK_ROWS)
            .map(|lane| {
                let sum = sum_of(&tables, block.iter().skip(lane).step_by(32).copied());
                let centred = (sum - i32::from(tables.middle())) << tables.shift();
                assert!(centred.abs() <= 32_768);
                ((f64::from(centred) * f64::from(lifts[lane]) / 32_768.0) + 0.5).floor() as i16
            })
            .collect();
        let best = *expected.iter().max().unwrap();
        let middling = expected[5];
        for floor in [i16::MIN, middling, best, best + 1] {
            let (mut chosen, mut plain) = ([0; BLOCK_ROWS], [0; BLOCK_ROWS]);
            let found = estimate(&block, &tables, &lifts, floor, &mut chosen);
            assert_eq!(
                found,
                scalar::estimate(&block, &tables, &lifts, floor, &mut plain)
            );
            let reaching = (0..BLOCK_ROWS).filter(|&lane| expected[lane] >= floor);
            assert_eq!(found, reaching.fold(0, |bits, lane| bits | 1 << lane));
            if found != 0 {
                assert_eq!(plain.to_vec(), expected);
                assert_eq!(chosen, plain);
            }
        }
    }
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn the_greatest_sums_fit() {
    for dimensions in [32usize, 384, 4096] {
        // Every table is as wide as can be.
        let tables = Tables::new(&vec![1.0 / (dimensions as f32).sqrt(); dimensions]);
        assert_eq!(
            i32::from(tables.middle()),
            31 * dimensions as i32 / 4 / 2,
            "{dimensions}"
        );
        let mut estimates = [0; BLOCK_ROWS];
        for (byte, sign) in [(0xff, 1), (0x00, -1)] {
            let block = vec![byte; dimensions * 4];
            let lifts = [i16::MAX; BLOCK_ROWS];
            let all = estimate(&block, &tables, &lifts, i16::MIN, &mut estimates);
            assert_eq!(all, u32::MAX);
            let greatest = i32::from(tables.middle()) << tables.shift();
            assert!(greatest > 16_000, "the shift uses the room: {greatest}");
            assert!((i32::from(estimates[7]) - sign * greatest).abs() <= 1 << tables.shift());
        }
    }
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn tables_rank_codes_as_the_query_does() {
    let mut random = Random::new(13);
    let query = random.direction(384);
    let tables = Tables::new(&query);
    assert!(tables.entries().iter().all(|&entry| entry <= 31));
    for _ in 0..50 {
        let code: Vec<u8> = (0..48).map(|_| random.next() as u8).collect();
        let bit = |i: usize| code[i / 8] >> (i % 8) & 1 == 1;
        let signed = (0..384).map(|i| if bit(i) { query[i] } else { -query[i] });
        let exact: f32 = signed.sum();
        let centred = sum_of(&tables, code.iter().copied()) - i32::from(tables.middle());
        let found = (centred << tables.shift()) as f32 * tables.step();
        // 96 roundings of an entry by at most one half, and as much in the middle.
        let unit = tables.step() * (1 << tables.shift()) as f32;
        assert!((found - exact).abs() <= 97.0 * unit, "{found} {exact}");
    }
}
