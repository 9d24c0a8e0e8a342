//! One batch, one transaction, over web-sys: rexie can not ask for durability.
//!
//! Rules that are kept here, since breaking them loses data in one browser or another:
//! - Everything is prepared before the transaction begins. No await, and so no microtask, lies
//!   between its creation and its first request: Safari may end a transaction that pauses there.
//! - All requests are made at once; what depends on an answer is made inside that answer's event.
//! - Success is the transaction's `complete` event and nothing earlier.

use super::failure::{Exception, TIMEOUT};
use super::patience::settle;
use super::{codec, key, schema};
use crate::batch::{Batch, Commit, Durability, Op};
use crate::error::{Error, Result};
use crate::memory::Clock;
use crate::store::format;
use crate::web::clock::BrowserClock;
use js_sys::{Array, Function, Object, Promise};
use std::cell::RefCell;
use std::rc::Rc;
use ulid::Ulid;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, IdbDatabase, IdbKeyRange, IdbObjectStore, IdbRequest, IdbTransaction};

// web-sys has `transaction` with options only among its unstable interfaces, which need a
// compiler flag from everyone who builds the crate.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = IdbDatabase)]
    type Database;
    #[wasm_bindgen(method, catch)]
    fn transaction(
        this: &Database,
        stores: &Array,
        mode: &str,
        options: &JsValue,
    ) -> std::result::Result<IdbTransaction, JsValue>;
}

/// A batch, ready to be written.
pub struct Prepared {
    requests: Vec<Request>,
    commit: JsValue,
    stores: Array,
    options: JsValue,
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

/// Why a batch was not written.
pub enum Failure {
    /// The connection was closed before anything began; another may do.
    NotBegun(Exception),
    Failed {
        exception: Exception,
        error: Error,
    },
}

impl Prepared {
    pub fn new(batch: &Batch) -> Result<Prepared> {
        let mut stores = vec![schema::META, schema::COMMITS];
        let mut requests = Vec::with_capacity(batch.ops.len());
        for op in &batch.ops {
            let (kind, name, change) = match op {
                Op::Insert(record) => {
                    let name = record.name();
                    let value = codec::record_to_js(record)?;
                    let change = Change::Add {
                        value,
                        name: name.clone(),
                    };
                    (record.kind(), name, change)
                }
                Op::Put(record) => {
                    let change = Change::Put(codec::record_to_js(record)?);
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
        Ok(Prepared {
            requests,
            commit: codec::commit_to_js(&Commit::of(batch))?,
            stores: stores.into_iter().map(JsValue::from_str).collect(),
            options: options(batch.durability),
        })
    }
}

fn options(durability: Durability) -> JsValue {
    let durability = match durability {
        Durability::Strict => "strict",
        Durability::Relaxed => "relaxed",
    };
    let entry = Array::of2(&"durability".into(), &durability.into());
    let options = Object::from_entries(&Array::of1(&entry));
    options.expect("pairs make an object").into()
}

/// Writes the batch and returns the number of the commit.
pub async fn commit(
    database: &IdbDatabase,
    prepared: &Prepared,
    limit_ms: u32,
) -> std::result::Result<u64, Failure> {
    let database = database.unchecked_ref::<Database>();
    let transaction = database
        .transaction(&prepared.stores, "readwrite", &prepared.options)
        .map_err(|error| {
            let exception = Exception::from(error);
            match exception.name.as_str() {
                "InvalidStateError" => Failure::NotBegun(exception),
                _ => failed(exception),
            }
        })?;
    let running = Running::start(transaction.clone(), prepared)
        .map_err(|error| failed(Exception::from(error)))?;
    match settle(limit_ms, running.settled(), |_| ()).await {
        Some(result) => result,
        None => {
            let rolled_back = transaction.abort().is_ok();
            Err(failed(Exception::new(
                TIMEOUT,
                if rolled_back {
                    "the browser did not finish in time; nothing was written"
                } else {
                    "the browser did not finish in time; whether it was written is not known"
                },
            )))
        }
    }
}

fn failed(exception: Exception) -> Failure {
    Failure::Failed {
        error: exception.clone().in_use(),
        exception,
    }
}

/// A transaction with all its requests made.
struct Running {
    transaction: IdbTransaction,
    /// Fulfilled by `complete`, rejected by `abort`.
    ended: JsFuture,
    /// What the events found out.
    found: Rc<RefCell<Found>>,
    /// Called by the browser until the transaction ends.
    _on_number: Closure<dyn FnMut(Event)>,
    _on_error: Closure<dyn FnMut(Event)>,
}

#[derive(Default)]
struct Found {
    number: u64,
    /// The requests that insert, and what.
    inserts: Vec<(IdbRequest, String)>,
    /// The name of the record whose insertion failed.
    conflict: Option<String>,
    /// Why we aborted the transaction ourselves.
    own_abort: Option<Exception>,
}

impl Running {
    fn start(
        transaction: IdbTransaction,
        prepared: &Prepared,
    ) -> std::result::Result<Running, JsValue> {
        let found = Rc::new(RefCell::new(Found::default()));
        let meta = transaction.object_store(schema::META)?;
        let commits = transaction.object_store(schema::COMMITS)?;
        let last_number = meta.get(&schema::META_COMMIT.into())?;
        let on_number = {
            let (found, entry) = (found.clone(), prepared.commit.clone());
            let (transaction, request) = (transaction.clone(), last_number.clone());
            Closure::new(
                move |_: Event| match number_commit(&request, &meta, &commits, &entry) {
                    Ok(number) => found.borrow_mut().number = number,
                    Err(error) => {
                        found.borrow_mut().own_abort = Some(Exception::from(error));
                        let _ = transaction.abort();
                    }
                },
            )
        };
        last_number.set_onsuccess(Some(on_number.as_ref().unchecked_ref()));
        // The first failed request aborts the transaction; those after it fail because of that.
        let on_error = {
            let found = found.clone();
            Closure::new(move |event: Event| {
                let mut found = found.borrow_mut();
                let inserts = std::mem::take(&mut found.inserts);
                let failed = event.target().map(JsValue::from);
                found.conflict = found.conflict.take().or(inserts
                    .into_iter()
                    .find(|(request, _)| Some(request.as_ref()) == failed.as_ref())
                    .map(|(_, name)| name));
            })
        };
        transaction.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        let ended = JsFuture::from(Promise::new(&mut |resolve: Function, reject: Function| {
            transaction.set_oncomplete(Some(&resolve));
            transaction.set_onabort(Some(&reject));
        }));
        if let Err(error) = make_requests(&transaction, prepared, &found) {
            // What was asked for already must not be kept. The end is awaited as any other.
            found.borrow_mut().own_abort = Some(Exception::from(error));
            transaction.abort()?;
        }
        Ok(Running {
            transaction,
            ended,
            found,
            _on_number: on_number,
            _on_error: on_error,
        })
    }

    async fn settled(self) -> std::result::Result<u64, Failure> {
        let ended = self.ended.await;
        let found = self.found.take();
        if ended.is_ok() {
            return Ok(found.number);
        }
        let exception = match (found.own_abort, self.transaction.error()) {
            (Some(exception), _) => exception,
            (None, Some(error)) => Exception::from(JsValue::from(error)),
            (None, None) => Exception::from(JsValue::NULL),
        };
        match (exception.name.as_str(), found.conflict) {
            ("ConstraintError", Some(id)) => Err(Failure::Failed {
                exception,
                error: Error::Conflict { id },
            }),
            _ => Err(failed(exception)),
        }
    }
}

fn make_requests(
    transaction: &IdbTransaction,
    prepared: &Prepared,
    found: &RefCell<Found>,
) -> std::result::Result<(), JsValue> {
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
    Ok(())
}

/// Gives the commit its number and notes what it changed, for the other tabs.
fn number_commit(
    last_number: &IdbRequest,
    meta: &IdbObjectStore,
    commits: &IdbObjectStore,
    entry: &JsValue,
) -> std::result::Result<u64, JsValue> {
    let last = last_number.result()?;
    let last = match last.as_f64() {
        Some(last) => last as u64,
        None if last.is_undefined() => {
            meta.put_with_key(&format::VERSION.into(), &schema::META_FORMAT.into())?;
            meta.put_with_key(&fresh_id().into(), &schema::META_STORE.into())?;
            0
        }
        None => return Err(js_sys::Error::new("the number of the last commit is damaged").into()),
    };
    let number = last + 1;
    let key = JsValue::from_f64(number as f64);
    meta.put_with_key(&key, &schema::META_COMMIT.into())?;
    commits.put_with_key(entry, &key)?;
    if let Some(dropped) = number.checked_sub(crate::store::COMMITS_KEPT) {
        let range = IdbKeyRange::upper_bound(&JsValue::from_f64(dropped as f64))?;
        commits.delete(&range)?;
    }
    Ok(number)
}

/// An id for a store that is new.
fn fresh_id() -> String {
    let clock = BrowserClock;
    let ms = u64::try_from(clock.now().unix_ms).unwrap_or(0);
    Ulid::from_parts(ms, clock.random()).to_string()
}
