//! The audit's chain in the database: an object store of entries, and each chain's head in `meta`.
//!
//! The head is read and written in the transaction of the batch, where the commit gets its number
//! too: tabs that write at the same time stand in line there, so a chain can not fork.

use super::schema;
use super::transaction::{Answered, Found, answered};
use super::vault::View;
use crate::audit;
use crate::batch::Batch;
use crate::model::{AuditEntry, AuditHead, Digest, Namespace};
use idb::KeyRange;
use js_sys::{Array, Object, Reflect, Uint8Array};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbObjectStore, IdbTransaction};

/// What a batch does to its namespace's chain.
pub struct Change {
    pub namespace: Namespace,
    /// The content of a new entry.
    pub content: Option<String>,
    /// The entries whose content goes.
    pub erased: Vec<u64>,
    pub view: View,
}

impl Change {
    pub fn of(batch: &Batch, view: &View) -> Option<Change> {
        let change = Change {
            namespace: batch.namespace.clone(),
            content: audit::content(batch),
            erased: batch.erased_audit.clone(),
            view: view.clone(),
        };
        (change.content.is_some() || !change.erased.is_empty()).then_some(change)
    }
}

/// Adds the batch's entry to its chain, and erases the content of older ones.
pub fn request(
    transaction: &IdbTransaction,
    meta: &IdbObjectStore,
    found: &Rc<RefCell<Found>>,
    change: &Change,
) -> Result<Vec<Answered>, JsValue> {
    let entries = transaction.object_store(schema::AUDIT)?;
    let mut closures = Vec::new();
    for number in &change.erased {
        let key = entry_key(&change.namespace, *number);
        let (request, entries) = (entries.get(&key)?, entries.clone());
        let erase = move |_: &mut Found, entry: JsValue| {
            if entry.is_object() {
                entries.put_with_key(&without_content(&entry)?, &key)?;
            }
            Ok(())
        };
        closures.push(answered(transaction, &request, found, erase));
    }
    if let Some(content) = change.content.clone() {
        let head_key = head_key(&change.namespace);
        let (request, meta) = (meta.get(&head_key)?, meta.clone());
        let (namespace, view) = (change.namespace.clone(), change.view.clone());
        let append = move |_: &mut Found, head: JsValue| {
            let damaged = || js_sys::Error::new("the head of the audit is damaged");
            let head = head_from_js(&head).ok_or_else(damaged)?;
            let entry = audit::next(head, content.clone());
            let head = head_to_js(&audit::head_of(&entry))?;
            meta.put_with_key(&head, &head_key)?;
            let key = entry_key(&namespace, entry.number);
            // Added, not put: an entry is never written over.
            let content = view.content_to_js(&namespace, entry.number, &content);
            let content = content.map_err(|error| js_sys::Error::new(error.code()))?;
            let value = entry_to_js(&entry, content)?;
            entries.add_with_key(&value, &key)?;
            Ok(())
        };
        closures.push(answered(transaction, &request, found, append));
    }
    Ok(closures)
}

/// The key in `meta` of a chain's head.
pub fn head_key(namespace: &Namespace) -> JsValue {
    let (user, project) = (&*namespace.user, &*namespace.project);
    Array::of3(&"audit".into(), &user.into(), &project.into()).into()
}

pub fn entry_key(namespace: &Namespace, number: u64) -> JsValue {
    let (user, project) = (&*namespace.user, &*namespace.project);
    Array::of3(&user.into(), &project.into(), &(number as f64).into()).into()
}

/// The keys of the entries with a higher number.
pub fn keys_after(namespace: &Namespace, number: u64) -> Result<KeyRange, idb::Error> {
    let (user, project) = (&*namespace.user, &*namespace.project);
    // An array sorts after every number.
    let end = Array::of3(&user.into(), &project.into(), &Array::new());
    let first = entry_key(namespace, number);
    KeyRange::bound(&first, &end.into(), Some(true), Some(true))
}

/// The number in an entry's key.
pub fn number_in(key: &JsValue) -> u64 {
    Array::from(key).get(2).as_f64().unwrap_or_default() as u64
}

/// A head as it is stored; `None` for one that is damaged.
pub fn head_from_js(value: &JsValue) -> Option<AuditHead> {
    if value.is_undefined() {
        return Some(AuditHead::default());
    }
    let number = field(value, "number")?.as_f64()?;
    Some(AuditHead {
        number: number as u64,
        link: digest(value, "link")?,
    })
}

pub fn head_to_js(head: &AuditHead) -> Result<JsValue, JsValue> {
    let number = JsValue::from_f64(head.number as f64);
    object(&[("number", number), ("link", bytes(&head.link))])
}

pub fn entry_to_js(entry: &AuditEntry, content: JsValue) -> Result<JsValue, JsValue> {
    object(&[
        ("v", AuditEntry::VERSION.into()),
        ("digest", bytes(&entry.digest)),
        ("link", bytes(&entry.link)),
        ("content", content),
    ])
}

/// A stored entry without its content.
pub fn without_content(entry: &JsValue) -> Result<JsValue, JsValue> {
    let erased = Object::assign(&Object::new(), entry.unchecked_ref());
    Reflect::set(&erased, &"content".into(), &JsValue::NULL)?;
    Ok(erased.into())
}

/// A stored entry without its content, and the content as it is stored; `None` for what is no entry.
pub fn entry_from_js(number: u64, value: &JsValue) -> Option<(AuditEntry, JsValue)> {
    let v = field(value, "v")?.as_f64()?;
    let entry = AuditEntry {
        number,
        digest: digest(value, "digest")?,
        link: digest(value, "link")?,
        content: None,
    };
    let content = field(value, "content")?;
    (v == f64::from(AuditEntry::VERSION)).then_some((entry, content))
}

fn field(value: &JsValue, name: &str) -> Option<JsValue> {
    // Reflect throws for what is no object.
    Reflect::get(value, &name.into()).ok()
}

fn digest(value: &JsValue, name: &str) -> Option<Digest> {
    let bytes = field(value, name)?.dyn_into::<Uint8Array>().ok()?;
    bytes.to_vec().try_into().ok()
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

fn object(fields: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value)?;
    }
    Ok(object.into())
}
