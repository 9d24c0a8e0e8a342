//! The network against the reference, and against files that are not weights.
//!
//! The golden files come from `pkg/weights/weights.sh`. Those of `tiny` also run as wasm: `tests/web/transformer.rs`.

use super::*;
use serde::Deserialize;

#[cfg(not(target_family = "wasm"))]
mod packaged;
pub(super) mod random;
#[cfg(not(target_family = "wasm"))]
mod refused;
mod tiny;

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
