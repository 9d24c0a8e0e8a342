//! The embedders alone as a wasm module, for `embed.mjs` to time in the profile that ships. The rest of the crate is not
//! linked, so the module's size is theirs.
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

use std::sync::Mutex;

use embed::{Kind, Transformer};

static MODEL: Mutex<Option<Transformer>> = Mutex::new(None);

/// Room for `length` bytes that JavaScript writes and [`load`] or [`first_component`] takes.
#[unsafe(no_mangle)]
pub extern "C" fn room(length: usize) -> *mut u8 {
    Box::into_raw(vec![0u8; length].into_boxed_slice()).cast()
}

/// Takes what was written into room for `length` bytes.
///
/// # Safety
/// `at` came from [`room`] for this length and is not used again.
unsafe fn take(at: *mut u8, length: usize) -> Vec<u8> {
    // SAFETY: the caller's promise: a box of exactly this length.
    unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, length)) }.into_vec()
}

/// Whether the bytes are a weight file.
///
/// # Safety
/// As for [`room`]: each place once, with its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn load(at: *mut u8, length: usize) -> bool {
    // SAFETY: the caller's promise.
    let model = Transformer::from_bytes(unsafe { take(at, length) }).ok();
    let is_model = model.is_some();
    *MODEL.lock().expect("one thread") = model;
    is_model
}

/// The first component of the text's vector, 0 if it has none.
///
/// # Safety
/// As for [`room`]: each place once, with its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn first_component(at: *mut u8, length: usize) -> f32 {
    // SAFETY: the caller's promise.
    let text = String::from_utf8(unsafe { take(at, length) }).unwrap_or_default();
    let model = MODEL.lock().expect("one thread");
    let vector = model
        .as_ref()
        .and_then(|model| model.embed(&text, Kind::Passage));
    vector.map_or(0.0, |vector| vector[0])
}
