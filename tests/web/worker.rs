//! The browser tests, in a dedicated worker, where the engine runs.
#![cfg(target_family = "wasm")]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
mod store;
