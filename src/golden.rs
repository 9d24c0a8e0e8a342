//! Comparison with the files under `tests/golden/`.
//!
//! `UPDATE_GOLDEN=1 cargo test` writes them anew; the difference is then read and committed as a decision.

use std::{env, fs, path::PathBuf};

/// Fails unless `actual` is what the golden file `name` says.
#[track_caller]
pub fn assert_golden(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("no golden file {name}; run with UPDATE_GOLDEN=1"));
    assert_eq!(
        actual, expected,
        "{name} differs; if it should, run with UPDATE_GOLDEN=1"
    );
}
