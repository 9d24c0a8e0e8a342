//! Records as plain JavaScript objects, and back.

use crate::batch::Commit;
use crate::error::{Error, Result};
use crate::model::{Kind, Record};
use crate::seal::Keyring;
use crate::store::format::{self, Unreadable};
use crate::store::log::NamespaceLog;
use js_sys::{Float64Array, Object, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::{Deserializer, Serializer};
use wasm_bindgen::{JsCast, JsValue};

/// Whole numbers of 64 bits become BigInt: a JavaScript number would round those beyond 2^53,
/// and a mixture would make a field's type depend on its value. Reading takes both.
const SERIALIZER: Serializer = Serializer::new()
    .serialize_maps_as_objects(true)
    .serialize_missing_as_null(true)
    .serialize_large_number_types_as_bigints(true);

pub fn record_to_js(record: &Record) -> Result<JsValue> {
    to_js(record)
}

pub fn commit_to_js(commit: &Commit) -> Result<JsValue> {
    to_js(commit)
}

pub fn commit_from_js(value: JsValue) -> Result<Commit> {
    let commit: Option<Commit> = serde_wasm_bindgen::from_value(value).ok();
    let commit = commit.filter(|commit| commit.v == Commit::VERSION);
    commit.ok_or_else(|| Error::Corrupt {
        what: "an entry in the log of commits".into(),
        message: "it is of another shape or version".into(),
    })
}

/// With the numbers as one array of floats, which every commit reads and writes: a thousand single values would take longer than the
/// rest of it.
pub fn log_to_js(log: &NamespaceLog) -> Result<JsValue> {
    let numbers: Vec<f64> = log.numbers.iter().map(|number| *number as f64).collect();
    let stored = Object::new();
    let set = |name: &str, value: &JsValue| {
        Reflect::set(&stored, &name.into(), value)
            .map(|_| ())
            .map_err(|_| unwritable())
    };
    set("forgotten", &(log.forgotten as f64).into())?;
    set("numbers", &Float64Array::from(numbers.as_slice()))?;
    Ok(stored.into())
}

/// The place of a namespace's commits in the log; `None` where nothing is there, or nothing that can be read.
pub fn log_from_js(value: JsValue) -> Option<NamespaceLog> {
    let field = |name: &str| Reflect::get(&value, &name.into()).ok();
    let numbers: Float64Array = field("numbers")?.dyn_into().ok()?;
    Some(NamespaceLog {
        forgotten: field("forgotten")?.as_f64()? as u64,
        numbers: numbers.to_vec().into_iter().map(|n| n as u64).collect(),
    })
}

fn to_js(value: &impl Serialize) -> Result<JsValue> {
    // The serializer's own words could quote the record.
    value.serialize(&SERIALIZER).map_err(|_| unwritable())
}

fn unwritable() -> Error {
    Error::InvalidInput {
        field: "batch",
        reason: "a record has no form as a JavaScript object".into(),
    }
}

pub fn record_from_js(
    kind: Kind,
    name: &str,
    value: JsValue,
) -> std::result::Result<Record, Unreadable> {
    let v = version_of(&value).ok_or(Unreadable::NoVersion)?;
    format::read(kind, v, name, Deserializer::from(value))
}

/// The version in a stored value.
pub fn version_of(value: &JsValue) -> Option<u64> {
    let version = Reflect::get(value, &"v".into()).ok()?.as_f64();
    version
        .filter(|v| v.fract() == 0.0 && *v >= 0.0)
        .map(|v| v as u64)
}

pub fn keyring_to_js(keyring: &Keyring) -> Result<JsValue> {
    to_js(keyring)
}

/// The stored keyring; `None` if there is none.
pub fn keyring_from_js(value: JsValue) -> Result<Option<Keyring>> {
    if value.is_undefined() {
        return Ok(None);
    }
    let keyring: Option<Keyring> = serde_wasm_bindgen::from_value(value).ok();
    let keyring = keyring.filter(|keyring| keyring.v == Keyring::VERSION);
    keyring.map(Some).ok_or_else(|| Error::Corrupt {
        what: "the keyring".into(),
        message: "it is of another shape or version".into(),
    })
}
