//! Files that are not weights, or not whole ones.

use super::tiny::FOUR;
use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

/// The smallest golden file, changed by `change` before its checksum is computed.
fn file(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = FOUR[..FOUR.len() - 4].to_vec();
    change(&mut bytes);
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

fn put(at: usize, value: u32) -> Vec<u8> {
    file(|bytes| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes()))
}

#[track_caller]
fn refusal(bytes: Vec<u8>) -> WeightsError {
    Transformer::from_bytes(bytes).expect_err("the file must be refused")
}

/// Where the tokenizer begins: after the header, the name and the prefixes.
fn tokenizer_at() -> usize {
    96 + [68, 72, 76]
        .map(|at| header::u32_at(FOUR, at) as usize)
        .iter()
        .sum::<usize>()
}

#[test]
fn shorter_and_longer_files_are_refused() {
    let lengths = (0..200)
        .chain((200..FOUR.len()).step_by(97))
        .chain([FOUR.len() - 1]);
    for length in lengths {
        let error = refusal(FOUR[..length].to_vec());
        assert!(
            matches!(error, WeightsError::Length { found, .. } if found == length as u64),
            "{length}: {error}"
        );
    }
    assert!(matches!(
        refusal([FOUR, &[0]].concat()),
        WeightsError::Length { .. }
    ));
}

#[test]
fn changed_bytes_are_noticed() {
    for at in (0..600).chain((600..FOUR.len()).step_by(89)) {
        let mut bytes = FOUR.to_vec();
        bytes[at] ^= 0x10;
        refusal(bytes);
    }
    let mut bytes = FOUR.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    assert!(matches!(refusal(bytes), WeightsError::Checksum { .. }));
}

#[test]
fn other_files_are_named_as_such() {
    assert_eq!(refusal(b"PK\x03\x04".to_vec()), WeightsError::Magic);
    assert_eq!(refusal(vec![0; 100]), WeightsError::Magic);
    assert_eq!(refusal(file(|bytes| bytes[6] = b'2')), WeightsError::Magic);
    let table = include_bytes!("../../../../pkg/model/static-128-int4.bin");
    assert_eq!(refusal(table.to_vec()), WeightsError::Magic);
}

#[test]
fn absurd_headers_are_refused_before_anything_is_allocated() {
    let (layers, heads, hidden, inner, positions, pieces) = (8, 12, 16, 20, 24, 28);
    for (at, values) in [
        (layers, vec![0, 65, u32::MAX]),
        (heads, vec![0, 3, 16, 64, u32::MAX]),
        (hidden, vec![0, 16, 33, 4128, u32::MAX]),
        (inner, vec![0, 16, 16_416, u32::MAX]),
        (positions, vec![0, 3, 8193, u32::MAX]),
        (32, vec![0, 3, u32::MAX]),
        (40, vec![0, 5, 16, u32::MAX]),
        (44, vec![0, 5, 16, u32::MAX]),
        // The marks.
        (48, vec![44, u32::MAX]),
        (52, vec![44, u32::MAX]),
        // Epsilon, mean and deviation.
        (56, [0.0, -1.0, 2.0, f32::NAN].map(f32::to_bits).to_vec()),
        (
            60,
            [-1.5, 1.5, f32::NAN, f32::INFINITY]
                .map(f32::to_bits)
                .to_vec(),
        ),
        (64, [0.0, -0.1, 1.5, f32::NAN].map(f32::to_bits).to_vec()),
    ] {
        for value in values {
            let error = refusal(put(at, value));
            assert!(
                matches!(error, WeightsError::Header(_)),
                "{at} {value}: {error}"
            );
        }
    }
    for (at, value) in [
        (layers, 64),
        (hidden, 4096),
        (inner, 16_384),
        (positions, 8192),
        (pieces, 0),
        (pieces, u32::MAX),
        (36, u32::MAX),
        (68, u32::MAX),
        (72, u32::MAX),
        (76, u32::MAX),
    ] {
        let error = refusal(put(at, value));
        assert!(
            matches!(error, WeightsError::Length { .. }),
            "{at} {value}: {error}"
        );
    }
    // Axes of words.
    for (at, value) in [(80, 1), (80, 8), (80, 258), (80, u32::MAX)] {
        let error = refusal(put(at, value));
        assert!(matches!(error, WeightsError::Header(_)), "{value}: {error}");
    }
    for at in 84..96 {
        let error = refusal(file(|bytes| bytes[at] = 1));
        assert!(matches!(error, WeightsError::Header(_)), "{at}: {error}");
    }
}

#[test]
fn texts_that_do_not_fit_are_refused() {
    let name = 96;
    for byte in [0xff, b'A', b' ', b'\n'] {
        let error = refusal(file(|bytes| bytes[name] = byte));
        assert!(matches!(error, WeightsError::Header(_)), "{error}");
    }
    // The query's prefix grows at the passage's cost until it leaves no room for a text.
    let longer = file(|bytes| {
        let extra = 80;
        let query = header::u32_at(bytes, 72) + extra;
        bytes[72..76].copy_from_slice(&query.to_le_bytes());
        let at = name + header::u32_at(bytes, 68) as usize;
        bytes.splice(at..at, "q ".repeat(40).into_bytes());
    });
    assert_eq!(
        refusal(longer),
        WeightsError::Header("a prefix leaves no room for a text")
    );
}

#[test]
fn tokenizers_that_do_not_fit_are_refused() {
    let at = tokenizer_at();
    // Numbers of the tokenizer's own header, and the strings behind it.
    for (offset, value) in [(0, u32::MAX), (0, 0), (4, u32::MAX), (4, 0), (8, 44)] {
        let error = refusal(put(at + offset, value));
        assert!(
            matches!(error, WeightsError::Tokenizer(_)),
            "{offset} {value}: {error}"
        );
    }
    let end = at + header::u32_at(FOUR, 36) as usize;
    // The last piece is "w", the one before it "i".
    let twice = refusal(file(|bytes| bytes[end - 1] = b'i'));
    assert_eq!(twice, WeightsError::Tokenizer("a string occurs twice"));
    let scores = at + tokenizer_scores();
    let error = refusal(put(scores, f32::NAN.to_bits()));
    assert_eq!(error, WeightsError::Tokenizer("a score is not a number"));
}

/// Where the scores begin in the tokenizer's part.
fn tokenizer_scores() -> usize {
    let at = tokenizer_at();
    let [rules, to] = [0, 4].map(|i| header::u32_at(FOUR, at + i) as usize);
    12 + 5 * rules + to
}

#[test]
fn errors_say_what_to_do() {
    let all = [
        WeightsError::Magic,
        WeightsError::Length {
            expected: 2,
            found: 1,
        },
        WeightsError::Checksum {
            expected: 0xab,
            found: 1,
        },
        WeightsError::Header("x"),
        WeightsError::Tokenizer("x"),
    ];
    let texts: HashSet<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), all.len());
    assert!(all[2].to_string().contains("000000ab"));
}

proptest! {
    #[test]
    fn any_changed_file_is_read_or_refused(at in 0..FOUR.len() - 4, value: u8) {
        // With a fitting checksum, so that what lies behind it is reached.
        if let Ok(model) = Transformer::from_bytes(file(|bytes| bytes[at] = value)) {
            for kind in [Kind::Query, Kind::Passage] {
                if let Some(vector) = model.embed("The cat, the dog e\u{301} ﬁ 日本 #", kind) {
                    prop_assert!(vector.iter().all(|x| x.is_finite()));
                }
            }
        }
    }

    #[test]
    fn any_text_gives_a_unit_vector_or_none(text in "\\PC{0,200}|(?s).{0,200}|[a-z ▁.É\u{301}]{0,5000}") {
        thread_local!(static SHARED: Transformer = Transformer::from_bytes(FOUR.to_vec()).unwrap());
        SHARED.with(|model| {
            let Some(vector) = model.embed(&text, Kind::Query) else { return };
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
        });
    }
}
