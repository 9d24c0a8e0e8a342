//! Keys: `[user, project, name]`, so that a namespace is one range of keys.
//!
//! IndexedDB compares arrays element by element and strings by UTF-16 code units, so no name of
//! a user or project can reach into another's range. That is why the parts are not joined.

use crate::model::Namespace;
use crate::store::Range;
use idb::KeyRange;
use js_sys::{Array, JsString};
use wasm_bindgen::JsValue;

/// The key of a record.
pub fn key(namespace: &Namespace, name: &str) -> JsValue {
    key_of(namespace, &JsValue::from_str(name))
}

/// The name in a key.
pub fn name_in(key: &JsValue) -> String {
    Array::from(key).get(2).as_string().unwrap_or_default()
}

/// The namespace in a key.
pub fn namespace_in(key: &JsValue) -> Namespace {
    let parts = Array::from(key);
    let part = |at| parts.get(at).as_string().unwrap_or_default();
    Namespace {
        user: part(0),
        project: part(1),
    }
}

/// The key in `meta` of a namespace's place in the log of commits.
pub fn log(namespace: &Namespace) -> JsValue {
    let (user, project) = (&*namespace.user, &*namespace.project);
    Array::of3(&"commits".into(), &user.into(), &project.into()).into()
}

/// The keys of all namespaces behind this one.
pub fn behind(namespace: &Namespace) -> Result<KeyRange, idb::Error> {
    // An array sorts after every string, so after every name.
    KeyRange::lower_bound(&key_of(namespace, &Array::new().into()), Some(true))
}

/// The keys of a range; `None` if no name can be in it.
pub fn keys(namespace: &Namespace, range: &Range) -> Result<Option<KeyRange>, idb::Error> {
    let prefix: Vec<u16> = range.prefix.encode_utf16().collect();
    let end = end_of_prefix(&prefix);
    let after: Option<Vec<u16>> = range.after.as_ref().map(|a| a.encode_utf16().collect());
    let (lower, open) = match after {
        Some(after) if after >= prefix => (after, true),
        _ => (prefix, false),
    };
    let before: Option<Vec<u16>> = range.before.as_ref().map(|b| b.encode_utf16().collect());
    let end = match (end, before) {
        (Some(end), Some(before)) => Some(end.min(before)),
        (end, before) => end.or(before),
    };
    // IndexedDB throws for a range whose ends are the wrong way round.
    if end.as_ref().is_some_and(|end| *end <= lower) {
        return Ok(None);
    }
    let upper = match end {
        Some(end) => string(&end),
        // An array sorts after every string.
        None => Array::new().into(),
    };
    KeyRange::bound(
        &key_of(namespace, &string(&lower)),
        &key_of(namespace, &upper),
        Some(open),
        Some(true),
    )
    .map(Some)
}

fn key_of(namespace: &Namespace, last: &JsValue) -> JsValue {
    Array::of3(
        &namespace.user.as_str().into(),
        &namespace.project.as_str().into(),
        last,
    )
    .into()
}

/// The least string greater than every string with the prefix; `None` if there is none.
/// It need not be well-formed UTF-16, which is why it never becomes a Rust string.
fn end_of_prefix(prefix: &[u16]) -> Option<Vec<u16>> {
    let last = prefix.iter().rposition(|&unit| unit != u16::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

fn string(units: &[u16]) -> JsValue {
    // A call of `fromCharCode` takes only so many arguments.
    let pieces = units.chunks(1_000).map(JsString::from_char_code);
    pieces
        .fold(JsString::from(""), |text, piece| text.concat(&piece))
        .into()
}
