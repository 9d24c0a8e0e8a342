//! The tokenizer and the table against the reference implementations, and against files that are not tables.
//!
//! The golden files come from `pkg/model/distill/distill.sh`: ids from the `tokenizers` library, vectors from a reader in Python.

use super::*;

mod pieces;
mod refused;
mod vectors;
mod wordpiece;

const TABLE: &[u8] = include_bytes!("../../../pkg/model/static-128-int4.bin");

fn table() -> StaticTable {
    StaticTable::from_bytes(TABLE).expect("the committed table is valid")
}

fn vocabulary() -> &'static str {
    let length = u32::from_le_bytes(TABLE[16..20].try_into().unwrap()) as usize;
    std::str::from_utf8(&TABLE[44..44 + length]).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
