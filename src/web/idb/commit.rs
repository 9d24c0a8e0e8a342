//! One batch, one transaction: its requests, its number, and its place in the log of commits.

use super::transaction::{Answered, Found, answered, outdated, overtaken};
use super::vault::View;
use super::{audit, codec, key, schema};
use crate::batch::{Batch, Commit, Durability, Op};
use crate::error::Result;
use crate::memory::Clock;
use crate::store::format;
use crate::store::log::NamespaceLog;
use crate::web::clock::BrowserClock;
use std::cell::RefCell;
use std::rc::Rc;
use ulid::Ulid;
use wasm_bindgen::JsValue;
use web_sys::{IdbObjectStore, IdbTransaction};

/// A batch, ready to be written.
pub struct Prepared {
    requests: Vec<Request>,
    commit: JsValue,
    /// The key in `meta` of the namespace's place in the log.
    log_key: JsValue,
    audit: Option<audit::Change>,
    /// The name of the key that its values are sealed with; `None` if they are plain.
    seals_with: Option<String>,
    stores: Vec<&'static str>,
    durability: Durability,
    only_after: Option<u64>,
}

struct Request {
    store: &'static str,
    key: JsValue,
    change: Change,
}

enum Change {
    Add { value: JsValue, name: String },
    Put(JsValue),
    Delete,
}

impl Prepared {
    /// The object stores that it touches, and its durability.
    pub fn scope(&self) -> (&[&'static str], Durability) {
        (&self.stores, self.durability)
    }

    pub fn new(batch: &Batch, view: &View) -> Result<Prepared> {
        let mut stores = vec![schema::META, schema::COMMITS];
        let mut requests = Vec::with_capacity(batch.ops.len());
        for op in &batch.ops {
            let (kind, name, change) = match op {
                Op::Insert(record) => {
                    let name = record.name();
                    let value = view.record_to_js(&batch.namespace, record)?;
                    let change = Change::Add {
                        value,
                        name: name.clone(),
                    };
                    (record.kind(), name, change)
                }
                Op::Put(record) => {
                    let change = Change::Put(view.record_to_js(&batch.namespace, record)?);
                    (record.kind(), record.name(), change)
                }
                Op::Delete { kind, name } => (*kind, name.clone(), Change::Delete),
            };
            let store = schema::store_of(kind);
            if !stores.contains(&store) {
                stores.push(store);
            }
            requests.push(Request {
                store,
                key: key::key(&batch.namespace, &name),
                change,
            });
        }
        let audit = audit::Change::of(batch, view);
        if audit.is_some() {
            stores.push(schema::AUDIT);
        }
        Ok(Prepared {
            requests,
            audit,
            commit: codec::commit_to_js(&Commit::of(batch))?,
            log_key: key::log(&batch.namespace),
            seals_with: view.seals_with().map(Into::into),
            stores,
            durability: batch.durability,
            only_after: batch.only_after,
        })
    }
}

/// All requests of a batch.
pub fn requests(
    transaction: &IdbTransaction,
    prepared: &Prepared,
    found: &Rc<RefCell<Found>>,
) -> std::result::Result<Vec<Answered>, JsValue> {
    let meta = transaction.object_store(schema::META)?;
    let commits = transaction.object_store(schema::COMMITS)?;
    let seals_with = prepared.seals_with.clone();
    let keyring = meta.get(&schema::META_KEYRING.into())?;
    let on_keyring = answered(transaction, &keyring, found, move |_, keyring| {
        match keyring_seals_with(keyring)? == seals_with {
            true => Ok(()),
            false => Err(outdated()),
        }
    });
    let log = meta.get(&prepared.log_key)?;
    let on_log = answered(transaction, &log, found, |found, log| {
        found.log = codec::log_from_js(log);
        Ok(())
    });
    let last_number = meta.get(&schema::META_COMMIT.into())?;
    let (entry, log_key) = (prepared.commit.clone(), prepared.log_key.clone());
    let only_after = prepared.only_after;
    let on_number = {
        let meta = meta.clone();
        answered(transaction, &last_number, found, move |found, number| {
            let number = number_commit(number, only_after, &meta, &commits, &entry)?;
            let log = found.log.take();
            log_commit(number, log, &log_key, &meta, &commits)?;
            found.number = number;
            Ok(())
        })
    };
    let mut answered = vec![on_keyring, on_log, on_number];
    if let Some(change) = &prepared.audit {
        answered.extend(audit::request(transaction, &meta, found, change)?);
    }
    for Request { store, key, change } in &prepared.requests {
        let store = transaction.object_store(store)?;
        match change {
            Change::Add { value, name } => {
                let request = store.add_with_key(value, key)?;
                found.borrow_mut().inserts.push((request, name.clone()));
            }
            Change::Put(value) => {
                store.put_with_key(value, key)?;
            }
            Change::Delete => {
                store.delete(key)?;
            }
        }
    }
    Ok(answered)
}

fn keyring_seals_with(keyring: JsValue) -> std::result::Result<Option<String>, JsValue> {
    let keyring = codec::keyring_from_js(keyring);
    let keyring = keyring.map_err(|error| js_sys::Error::new(error.code()))?;
    let view = View {
        keyring: keyring.map(Rc::new),
        key: None,
    };
    Ok(view.seals_with().map(Into::into))
}

/// Gives the commit its number and notes what it changed, for the other tabs.
fn number_commit(
    last: JsValue,
    only_after: Option<u64>,
    meta: &IdbObjectStore,
    commits: &IdbObjectStore,
    entry: &JsValue,
) -> std::result::Result<u64, JsValue> {
    let last = match last.as_f64() {
        Some(last) => last as u64,
        None if last.is_undefined() => {
            meta.put_with_key(&format::VERSION.into(), &schema::META_FORMAT.into())?;
            meta.put_with_key(&fresh_id().into(), &schema::META_STORE.into())?;
            0
        }
        None => return Err(js_sys::Error::new("the number of the last commit is damaged").into()),
    };
    if let Some(expected) = only_after
        && expected != last
    {
        return Err(overtaken(expected));
    }
    let number = last + 1;
    let key = JsValue::from_f64(number as f64);
    meta.put_with_key(&key, &schema::META_COMMIT.into())?;
    commits.put_with_key(entry, &key)?;
    Ok(number)
}

/// Adds the commit to those of its namespace, and takes the oldest out of the log for it.
fn log_commit(
    number: u64,
    log: Option<NamespaceLog>,
    key: &JsValue,
    meta: &IdbObjectStore,
    commits: &IdbObjectStore,
) -> std::result::Result<(), JsValue> {
    let mut log = log.unwrap_or_else(|| NamespaceLog::beginning_with(number));
    if let Some(gone) = log.add(number) {
        commits.delete(&JsValue::from_f64(gone as f64))?;
    }
    let log = codec::log_to_js(&log).map_err(|error| js_sys::Error::new(error.code()))?;
    meta.put_with_key(&log, key)?;
    Ok(())
}

/// An id for a store that is new.
fn fresh_id() -> String {
    let clock = BrowserClock;
    let ms = u64::try_from(clock.now().unix_ms).unwrap_or(0);
    Ulid::from_parts(ms, clock.random()).to_string()
}
