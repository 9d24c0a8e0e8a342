//! The browser's clock and its source of random bits.

use crate::memory::Clock;
use crate::time::Timestamp;
use js_sys::{Date, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `globalThis.crypto`, which a page and a worker have both.
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &Uint8Array);
}

/// Bits that nobody can foresee: keys are made of them.
pub fn random() -> u128 {
    let bytes = Uint8Array::new_with_length(16);
    get_random_values(&bytes);
    let mut random = [0; 16];
    bytes.copy_to(&mut random);
    u128::from_le_bytes(random)
}

pub struct BrowserClock;

impl Clock for BrowserClock {
    fn now(&self) -> Timestamp {
        let now = Date::new_0();
        // JavaScript counts the minutes west of Greenwich.
        Timestamp {
            unix_ms: now.get_time() as i64,
            offset_min: -now.get_timezone_offset() as i16,
        }
    }

    fn random(&self) -> u128 {
        random()
    }

    async fn sleep(&self, ms: u32) {
        gloo_timers::future::TimeoutFuture::new(ms).await;
    }
}
