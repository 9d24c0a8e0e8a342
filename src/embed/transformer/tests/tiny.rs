//! Small random models against the reference results that came with them.

use super::*;

const EIGHT: &[u8] = include_bytes!("../../../../tests/golden/tiny-8-bit.bin");
const SIX: &[u8] = include_bytes!("../../../../tests/golden/tiny-6-bit.bin");
pub(super) const FOUR: &[u8] = include_bytes!("../../../../tests/golden/tiny-4-bit.bin");

#[derive(Deserialize)]
struct Golden {
    id: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    kind: String,
    ids: Option<Vec<u32>>,
    vector: Option<Vec<f32>>,
    /// Unit vectors, if the model has axes for them.
    words: Option<Vec<Vec<f32>>>,
}

/// `bits`: a digest of all vectors, bit by bit.
fn check(weights: &[u8], golden: &str, bits: u64) {
    let golden: Golden = serde_json::from_str(golden).unwrap();
    let model = Transformer::from_bytes(weights.to_vec()).unwrap();
    assert_eq!(model.id(), golden.id);
    assert_eq!(
        (model.calibration().mean, model.calibration().sd),
        (0.25, 0.125)
    );
    assert!(golden.cases.len() >= 20);
    let mut digest = 0xcbf2_9ce4_8422_2325u64;
    for case in golden.cases {
        let kind = match case.kind.as_str() {
            "query" => Kind::Query,
            _ => Kind::Passage,
        };
        assert_eq!(model.ids(&case.text, kind), case.ids, "{:?}", case.text);
        let found = model.embed(&case.text, kind);
        assert_eq!(found.is_some(), case.vector.is_some(), "{:?}", case.text);
        let (Some(found), Some(expected)) = (found, case.vector) else {
            continue;
        };
        assert_eq!(found.len(), model.dimensions());
        let cosine = cosine(&found, &expected);
        assert!(cosine >= 0.999, "{cosine} for {:?}", case.text);
        for x in found {
            digest = (digest ^ u64::from(x.to_bits())).wrapping_mul(0x0100_0000_01b3);
        }
    }
    assert_eq!(
        digest, bits,
        "the result is not the same to the bit: {digest:#018x}"
    );
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn words_are_those_of_the_reference() {
    let golden = include_str!("../../../../tests/golden/tiny-8-bit.json");
    let golden: Golden = serde_json::from_str(golden).unwrap();
    let model = Transformer::from_bytes(EIGHT.to_vec()).unwrap();
    let mut n_words = 0;
    for case in golden.cases.iter().filter(|case| case.ids.is_some()) {
        let kind = match case.kind.as_str() {
            "query" => Kind::Query,
            _ => Kind::Passage,
        };
        let found = model.embed_with_words(&case.text, kind).unwrap();
        assert_eq!(Some(&found.vector), model.embed(&case.text, kind).as_ref());
        let bytes = found.words.expect("the file has axes").to_bytes();
        let expected = case.words.as_ref().unwrap();
        let (length, words) = bytes.split_first().unwrap();
        assert_eq!(usize::from(*length), 4, "eight axes");
        let words = words.chunks_exact(4);
        assert_eq!(words.len(), expected.len(), "{kind:?} {:?}", case.text);
        for (word, expected) in words.zip(expected) {
            let component = |half: u8| f32::from(half) - 8.0;
            let found: Vec<f32> = word
                .iter()
                .flat_map(|byte| [component(byte & 15), component(byte >> 4)])
                .collect();
            let length = cosine(&found, &found).sqrt();
            let cosine = cosine(&found, expected) / length;
            assert!(cosine >= 0.98, "{cosine} in {:?}", case.text);
            n_words += 1;
        }
    }
    assert!(n_words > 60, "{n_words}");
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn without_axes_there_are_no_words() {
    let model = Transformer::from_bytes(SIX.to_vec()).unwrap();
    let found = model.embed_with_words("the cat sat", Kind::Passage);
    assert_eq!(found.unwrap().words, None);
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn eight_bits_and_word_pieces() {
    check(
        EIGHT,
        include_str!("../../../../tests/golden/tiny-8-bit.json"),
        0x111c_26f1_393d_5df1,
    );
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn six_bits_in_other_widths() {
    check(
        SIX,
        include_str!("../../../../tests/golden/tiny-6-bit.json"),
        0x8558_c249_0eee_b1d9,
    );
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn four_bits_prefixes_and_the_unigram_tokenizer() {
    check(
        FOUR,
        include_str!("../../../../tests/golden/tiny-4-bit.json"),
        0x44d4_ad07_ea28_41f5,
    );
}
