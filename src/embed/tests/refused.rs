//! Files that are not tables, or not whole ones.

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

/// A valid file of three rows and four dimensions, changed by `change` before its checksum is computed.
fn small_file(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let vocabulary = b"[UNK]\nhello\nworld";
    let mut bytes = b"ONHEMB1\n".to_vec();
    for number in [
        3,
        4,
        vocabulary.len() as u32,
        0.25f32.to_bits(),
        0.125f32.to_bits(),
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([0; 16]);
    bytes.extend(vocabulary);
    // Half precision 0, 1 and 0.5.
    bytes.extend(
        [0x0000u16, 0x3c00, 0x3800]
            .iter()
            .flat_map(|bits| bits.to_le_bytes()),
    );
    // Rows (0 0 0 0), (1 -2 3 -8) and (7 0 0 -1): components 0 and 2 share a byte, 1 and 3 the next.
    bytes.extend([0x00, 0x00, 0x31, 0x8e, 0x07, 0xf0]);
    change(&mut bytes);
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

fn refusal(bytes: &[u8]) -> TableError {
    StaticTable::from_bytes(bytes).expect_err("the file must be refused")
}

#[test]
fn a_small_file_gives_the_vectors_written_in_it() {
    let bytes = small_file(|_| {});
    let table = StaticTable::from_bytes(&bytes).unwrap();
    assert_eq!(table.dimensions(), 4);
    assert_eq!(
        table.calibration(),
        Calibration {
            mean: 0.25,
            sd: 0.125
        }
    );
    assert_eq!(
        table.id(),
        format!(
            "static-4-int4-{:08x}-words",
            crc32fast::hash(&bytes[..bytes.len() - 4])
        )
    );
    assert_eq!(table.embed("unheard"), None);
    let sum = [1.0 + 3.5, -2.0, 3.0, -8.5f32];
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
    assert_eq!(
        table.embed("Hello, world"),
        Some(sum.map(|x| x / length).to_vec())
    );
}

#[test]
fn every_shorter_and_longer_file_is_refused() {
    let bytes = small_file(|_| {});
    for length in 0..bytes.len() {
        let error = refusal(&bytes[..length]);
        assert!(
            matches!(error, TableError::Length { found, .. } if found == length as u64),
            "{length}: {error}"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(refusal(&longer), TableError::Length { .. }));
    // At the boundaries of the real file's parts too.
    let vocabulary_end = 44 + vocabulary().len();
    for length in [
        8,
        12,
        16,
        20,
        24,
        28,
        44,
        vocabulary_end,
        vocabulary_end + 2 * 30_522,
        TABLE.len() - 4,
        TABLE.len() - 1,
    ] {
        assert!(
            matches!(refusal(&TABLE[..length]), TableError::Length { .. }),
            "{length}"
        );
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let bytes = small_file(|_| {});
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x10;
        refusal(&bytes);
    }
}

#[test]
fn other_files_are_named_as_such() {
    assert_eq!(refusal(b"PK\x03\x04"), TableError::Magic);
    assert_eq!(refusal(&[0; 100]), TableError::Magic);
    assert_eq!(
        refusal(&small_file(|bytes| bytes[6] = b'2')),
        TableError::Magic
    );
}

#[test]
fn damage_is_told_from_truncation() {
    let mut bytes = small_file(|_| {});
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert!(matches!(refusal(&bytes), TableError::Checksum { .. }));
}

#[test]
fn absurd_headers_are_refused_before_anything_is_allocated() {
    let put = |at: usize, value: u32| {
        small_file(|bytes| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes()))
    };
    let (rows, dimensions, text, mean, sd) = (8, 12, 16, 20, 24);
    assert!(matches!(
        refusal(&put(rows, u32::MAX)),
        TableError::Length { .. }
    ));
    assert!(matches!(
        refusal(&put(text, u32::MAX)),
        TableError::Length { .. }
    ));
    for value in [0, 3, 5, 4098, u32::MAX] {
        assert!(
            matches!(refusal(&put(dimensions, value)), TableError::Header(_)),
            "{value}"
        );
    }
    assert!(matches!(
        refusal(&put(dimensions, 4096)),
        TableError::Length { .. }
    ));
    assert!(matches!(refusal(&put(rows, 0)), TableError::Header(_)));
    for value in [f32::NAN, f32::INFINITY, -1.5, 1.5] {
        assert!(
            matches!(refusal(&put(mean, value.to_bits())), TableError::Header(_)),
            "mean {value}"
        );
    }
    for value in [f32::NAN, f32::INFINITY, 0.0, -0.1] {
        assert!(
            matches!(refusal(&put(sd, value.to_bits())), TableError::Header(_)),
            "sd {value}"
        );
    }
    for at in 28..44 {
        assert!(
            matches!(
                refusal(&small_file(|bytes| bytes[at] = 1)),
                TableError::Header(_)
            ),
            "reserved {at}"
        );
    }
}

#[test]
fn contents_that_do_not_fit_are_refused() {
    let vocabulary = 44;
    assert!(
        matches!(
            refusal(&small_file(|bytes| bytes[vocabulary] = 0xff)),
            TableError::Vocabulary(_)
        ),
        "not UTF-8"
    );
    assert!(
        matches!(
            refusal(&small_file(|bytes| bytes[vocabulary] = b'x')),
            TableError::Vocabulary(_)
        ),
        "no [UNK]"
    );
    assert!(
        matches!(
            refusal(&small_file(|bytes| bytes[vocabulary + 5] = b'x')),
            TableError::Vocabulary(_)
        ),
        "no [UNK] line"
    );
    assert!(
        matches!(
            refusal(&small_file(|bytes| bytes[vocabulary + 11] = b'x')),
            TableError::Vocabulary(_)
        ),
        "two lines"
    );
    let scales = vocabulary + 17;
    for (bits, what) in [
        (0x7c00u16, "infinite"),
        (0x7e00, "undefined"),
        (0xbc00, "negative"),
        (0x8000, "negative zero"),
    ] {
        let error = refusal(&small_file(|bytes| {
            bytes[scales + 2..scales + 4].copy_from_slice(&bits.to_le_bytes())
        }));
        assert_eq!(error, TableError::Scale { row: 1 }, "{what}");
    }
}

#[test]
fn errors_say_what_to_do() {
    let all = [
        TableError::Magic,
        TableError::Length {
            expected: 2,
            found: 1,
        },
        TableError::Checksum {
            expected: 0xab,
            found: 1,
        },
        TableError::Header("x"),
        TableError::Vocabulary("x"),
        TableError::Scale { row: 7 },
    ];
    let texts: HashSet<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), all.len());
    assert!(all[2].to_string().contains("000000ab"));
}

proptest! {
    #[test]
    fn any_small_file_is_read_or_refused(at in 0usize..67, value: u8) {
        // With a fitting checksum, so that what lies behind it is reached.
        if let Ok(table) = StaticTable::from_bytes(&small_file(|bytes| bytes[at] = value))
            && let Some(vector) = table.embed("Hello world, hello!")
        {
            prop_assert!(vector.iter().all(|x| x.is_finite()));
        }
    }
}
