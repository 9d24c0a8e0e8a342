//! Tests of the index as a whole, against brute force in f32. Those of `bytes` and `recall` also run as wasm: `tests/web/index.rs`.

mod brute_force;
mod bytes;
#[cfg(not(target_family = "wasm"))]
mod oracle;
pub(crate) mod random;
mod recall;
#[cfg(not(target_family = "wasm"))]
mod traps;
