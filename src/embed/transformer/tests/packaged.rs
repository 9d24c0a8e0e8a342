//! The weight files of the packages against the original models.
//!
//! They are not part of the source; `make weights-minilm weights-e5` makes them. Without them these tests say so and check nothing;
//! the code is the same as that of `tiny`, which always runs.

use super::*;
use std::{fs, path::PathBuf};

#[derive(Deserialize)]
struct Golden {
    id: String,
    mean: f32,
    sd: f32,
    texts: Vec<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The model of `pkg/weights/<folder>`, if its weights have been made.
fn model(folder: &str, target: &str) -> Option<Transformer> {
    let path = root().join("pkg/weights").join(folder).join("weights.bin");
    let Ok(bytes) = fs::read(&path) else {
        eprintln!(
            "skipped: {} is not there; `make {target}` makes it",
            path.display()
        );
        return None;
    };
    Some(Transformer::from_bytes(bytes).expect("the weights are valid"))
}

/// The vectors of `tests/golden/<name>.i16`.
fn vectors(name: &str, dimensions: usize) -> Vec<Vec<f32>> {
    let bytes = fs::read(root().join("tests/golden").join(format!("{name}.i16"))).unwrap();
    let numbers: Vec<f32> = bytes
        .chunks_exact(2)
        .map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32_767.0)
        .collect();
    numbers
        .chunks_exact(dimensions)
        .map(<[f32]>::to_vec)
        .collect()
}

#[test]
fn minilm_is_what_its_weights_say_and_near_the_original() {
    let Some(model) = model("minilm", "weights-minilm") else {
        return;
    };
    let golden: Golden =
        serde_json::from_str(include_str!("../../../../tests/golden/minilm.json")).unwrap();
    assert_eq!(model.id(), golden.id);
    assert_eq!(model.dimensions(), 384);
    assert_eq!(
        (model.calibration().mean, model.calibration().sd),
        (golden.mean, golden.sd)
    );
    let (rounded, original) = (
        vectors("minilm-rounded", 384),
        vectors("minilm-original", 384),
    );
    assert!(golden.texts.len() >= 60 && golden.texts.len() == rounded.len());
    let mut cosines = Vec::new();
    for (i, text) in golden.texts.iter().enumerate() {
        let found = model
            .embed(text, Kind::Passage)
            .expect("a text with known words");
        // The rounded weights in float32: what this code adds.
        let to_rounded = cosine(&found, &rounded[i]);
        assert!(to_rounded >= 0.9999, "{to_rounded} for {text:?}");
        cosines.push(cosine(&found, &original[i]));
        assert_eq!(
            model.embed(text, Kind::Query).as_ref(),
            Some(&found),
            "no prefixes"
        );
    }
    // The original weights: what rounding them to 8 bits adds.
    cosines.sort_by(f32::total_cmp);
    assert!(cosines[0] >= 0.997, "{}", cosines[0]);
    assert!(
        cosines[cosines.len() / 2] >= 0.9994,
        "{}",
        cosines[cosines.len() / 2]
    );
}

#[test]
fn e5_is_what_its_weights_say() {
    let Some(model) = model("e5-small", "weights-e5") else {
        return;
    };
    let golden: Golden =
        serde_json::from_str(include_str!("../../../../tests/golden/e5.json")).unwrap();
    assert_eq!(model.id(), golden.id);
    assert_eq!(model.dimensions(), 384);
    assert_eq!(
        (model.calibration().mean, model.calibration().sd),
        (golden.mean, golden.sd)
    );
    assert!(golden.texts.len() >= 60);
    for (kind, name) in [(Kind::Query, "e5-query"), (Kind::Passage, "e5-passage")] {
        let expected = vectors(name, 384);
        assert_eq!(golden.texts.len(), expected.len());
        // Every other text, so that an unoptimised build is done in seconds.
        for (text, expected) in golden
            .texts
            .iter()
            .zip(expected)
            .skip(kind as usize)
            .step_by(2)
        {
            let found = model.embed(text, kind).expect("a text with known pieces");
            let cosine = cosine(&found, &expected);
            assert!(cosine >= 0.999, "{cosine} for {text:?}");
        }
    }
    assert_eq!(model.embed(" \u{200b}\n", Kind::Query), None);
}

#[derive(Deserialize)]
struct GoldenPieces {
    text: String,
    ids: Vec<u32>,
}

#[test]
fn e5_sees_the_pieces_of_the_reference_library() {
    let Some(model) = model("e5-small", "weights-e5") else {
        return;
    };
    let golden: Vec<GoldenPieces> =
        serde_json::from_str(include_str!("../../../../tests/golden/unigram.json")).unwrap();
    assert!(golden.len() >= 60);
    for GoldenPieces { text, ids } in golden {
        assert_eq!(model.tokenizer.encode(&text, usize::MAX), ids, "{text:?}");
    }
}
