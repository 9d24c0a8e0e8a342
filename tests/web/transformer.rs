//! The transformer's unit tests as wasm: with simd128 they compare the kernel with its plain twin, and the bits of whole vectors
//! with those of native builds. They need no page: the test runner's default, Node, will do.
//!
//! The crate's other unit tests are native only, so the module is compiled here by itself.
#![cfg(target_family = "wasm")]
#![allow(
    dead_code,
    unused_imports,
    reason = "parts of the module that only its users call"
)]

#[path = "../../src/embed/mod.rs"]
mod embed;

#[path = "../../src/text/fold.rs"]
mod fold;
#[path = "../../src/real.rs"]
mod real;
#[path = "../../src/text/stop.rs"]
mod stop;

use fold::fold;

/// What the embedders need of the texts' side.
mod text {
    pub use super::stop::is_stop_word;
}
