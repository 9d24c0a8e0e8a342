//! The index's own tests as wasm: with simd128 they compare each kernel with its plain twin, and search, seal, save and load
//! as a browser would. They need no page: the test runner's default, Node, will do.
//!
//! The crate's other unit tests are native only, so the module is compiled here by itself, kernels and tests included.
#![cfg(target_family = "wasm")]
#![allow(dead_code, reason = "parts of the module that only its users call")]

#[path = "../../src/index/mod.rs"]
mod index;
