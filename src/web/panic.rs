//! What a panic leaves in the console.
//!
//! A panic's message can quote the text it stumbled over, and pages forward their console to
//! services. So by default only the place is printed; with `debug` the whole message and the
//! stack are, through `console_error_panic_hook`.

use js_sys::Function;
use serde::Serialize;
use std::cell::RefCell;
use std::panic::{PanicHookInfo, set_hook};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(text: &str);
}

/// What the page hears: this instance is dead and has to be replaced.
#[derive(Serialize)]
struct Stopped {
    r#type: &'static str,
    place: String,
}

thread_local! {
    static NOTIFY: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Prints panics, and tells `notify` of them as `{type: "stopped", place}`.
pub fn install_hook(debug: bool, notify: Function) {
    NOTIFY.set(Some(notify));
    set_hook(Box::new(move |info| {
        match debug {
            true => console_error_panic_hook::hook(info),
            false => console_error(&format!("onhand: the engine stopped at {}.", place(info))),
        }
        let stopped = serde_wasm_bindgen::to_value(&Stopped {
            r#type: "stopped",
            place: place(info),
        });
        if let (Some(notify), Ok(stopped)) = (NOTIFY.take(), stopped) {
            let _ = notify.call1(&JsValue::UNDEFINED, &stopped);
        }
    }));
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location().map(ToString::to_string).unwrap_or_default()
}
