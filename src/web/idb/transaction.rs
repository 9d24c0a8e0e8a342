//! Transactions that write, over web-sys: rexie can not ask for durability.
//!
//! Rules that are kept here, since breaking them loses data in one browser or another:
//! - Everything is prepared before the transaction begins. No await, and so no microtask, lies
//!   between its creation and its first request: Safari may end a transaction that pauses there.
//! - All requests are made at once; what depends on an answer is made inside that answer's event.
//! - Success is the transaction's `complete` event and nothing earlier.
//! - Nothing is called back once its Rust side is gone: Chromium tells requests with large values of their failure
//!   after it told the transaction of its abort. So all listeners take themselves off when they are dropped.

use super::failure::{Exception, TIMEOUT};
use super::patience::settle;
use crate::batch::{self, Durability};
use crate::error::Error;
use crate::store::log::NamespaceLog;
use gloo_events::EventListener;
use js_sys::{Array, Function, Object, Promise};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbRequest, IdbTransaction};

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

/// Why nothing was written.
pub enum Failure {
    /// The connection was closed before anything began; another may do.
    NotBegun(Exception),
    /// Another tab has changed the encryption: what was prepared does not fit any more.
    Outdated,
    Failed {
        exception: Exception,
        error: Error,
    },
}

impl Failure {
    pub fn lost_the_connection(&self) -> bool {
        match self {
            Failure::NotBegun(_) => true,
            Failure::Outdated => false,
            Failure::Failed { exception, .. } => exception.is_lost_connection(),
        }
    }

    /// Whether the connection was lost before anything was written. After a time-out nobody knows.
    pub fn left_nothing(&self) -> bool {
        match self {
            Failure::Failed { exception, .. } if exception.name == TIMEOUT => false,
            failure => failure.lost_the_connection(),
        }
    }

    /// What the caller hears of it.
    pub fn error(self) -> Error {
        match self {
            Failure::NotBegun(exception) => exception.in_use(),
            Failure::Outdated => Error::Storage {
                name: OUTDATED.into(),
                message: "another tab is changing the encryption".into(),
            },
            Failure::Failed { error, .. } => error,
        }
    }
}

impl From<Error> for Failure {
    /// What failed before there was a transaction.
    fn from(error: Error) -> Failure {
        Failure::Failed {
            exception: Exception::new(error.code(), ""),
            error,
        }
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

/// What is done when a request has its answer, until it is dropped.
pub type Answered = EventListener;

/// Writes in one transaction what `make` asks for, and in the answers' events; gives the number of
/// the commit, if it is one.
pub async fn write(
    database: &IdbDatabase,
    stores: &[&str],
    durability: Durability,
    limit_ms: u32,
    make: impl FnOnce(
        &IdbTransaction,
        &Rc<RefCell<Found>>,
    ) -> std::result::Result<Vec<Answered>, JsValue>,
) -> std::result::Result<u64, Failure> {
    let stores: Array = stores.iter().copied().map(JsValue::from_str).collect();
    let transaction = database
        .unchecked_ref::<Database>()
        .transaction(&stores, "readwrite", &options(durability))
        .map_err(|error| {
            let exception = Exception::from(error);
            match exception.name.as_str() {
                "InvalidStateError" => Failure::NotBegun(exception),
                _ => failed(exception),
            }
        })?;
    let running = Running::start(transaction.clone(), make)
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
    _answered: Vec<Answered>,
    _on_error: EventListener,
}

/// What the events of a transaction found out.
#[derive(Default)]
pub struct Found {
    /// The number of the commit, if it is one.
    pub number: u64,
    /// The place of its namespace's commits in the log, as it was.
    pub log: Option<NamespaceLog>,
    /// The requests that insert, and what.
    pub inserts: Vec<(IdbRequest, String)>,
    /// The name of the record whose insertion failed.
    conflict: Option<String>,
    /// Why we aborted the transaction ourselves.
    own_abort: Option<Exception>,
}

/// The name of the exception when the encryption is not what the transaction was prepared for.
const OUTDATED: &str = "OutdatedViewError";

impl Running {
    fn start(
        transaction: IdbTransaction,
        make: impl FnOnce(
            &IdbTransaction,
            &Rc<RefCell<Found>>,
        ) -> std::result::Result<Vec<Answered>, JsValue>,
    ) -> std::result::Result<Running, JsValue> {
        let found = Rc::new(RefCell::new(Found::default()));
        // The first failed request aborts the transaction; those after it fail because of that.
        let on_error = {
            let found = found.clone();
            EventListener::new(&transaction, "error", move |event| {
                let mut found = found.borrow_mut();
                let inserts = std::mem::take(&mut found.inserts);
                let failed = event.target().map(JsValue::from);
                found.conflict = found.conflict.take().or(inserts
                    .into_iter()
                    .find(|(request, _)| Some(request.as_ref()) == failed.as_ref())
                    .map(|(_, name)| name));
            })
        };
        let ended = JsFuture::from(Promise::new(&mut |resolve: Function, reject: Function| {
            transaction.set_oncomplete(Some(&resolve));
            transaction.set_onabort(Some(&reject));
        }));
        let answered = make(&transaction, &found).or_else(|error| {
            // What was asked for already must not be kept. The end is awaited as any other.
            found.borrow_mut().own_abort = Some(Exception::from(error));
            transaction.abort().map(|()| Vec::new())
        })?;
        Ok(Running {
            transaction,
            ended,
            found,
            _answered: answered,
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
            (OUTDATED, _) => Err(Failure::Outdated),
            (OVERTAKEN, _) => Err(Failure::Failed {
                error: Error::Conflict {
                    id: exception.message.clone(),
                },
                exception,
            }),
            ("ConstraintError", Some(id)) => Err(Failure::Failed {
                exception,
                error: Error::Conflict { id },
            }),
            _ => Err(failed(exception)),
        }
    }
}

/// Thrown in an answer's event, it ends the transaction with [`Failure::Outdated`].
pub fn outdated() -> JsValue {
    let error = js_sys::Error::new("another tab has changed the encryption");
    error.set_name(OUTDATED);
    error.into()
}

/// The name of the exception when there is a later commit than the transaction was prepared for.
const OVERTAKEN: &str = "OvertakenError";

/// Thrown in an answer's event, it ends the transaction with [`batch::overtaken`].
pub fn overtaken(number: u64) -> JsValue {
    let Error::Conflict { id } = batch::overtaken(number) else {
        unreachable!("it is a conflict")
    };
    let error = js_sys::Error::new(&id);
    error.set_name(OVERTAKEN);
    error.into()
}

/// Calls `act` with the request's answer, in the answer's event: requests that it makes are still of
/// the transaction. If it fails, the transaction is aborted.
pub fn answered(
    transaction: &IdbTransaction,
    request: &IdbRequest,
    found: &Rc<RefCell<Found>>,
    mut act: impl FnMut(&mut Found, JsValue) -> std::result::Result<(), JsValue> + 'static,
) -> Answered {
    let (transaction, found) = (transaction.clone(), found.clone());
    let asked = request.clone();
    EventListener::new(request, "success", move |_| {
        let acted = asked
            .result()
            .and_then(|answer| act(&mut found.borrow_mut(), answer));
        if let Err(error) = acted {
            found.borrow_mut().own_abort = Some(Exception::from(error));
            let _ = transaction.abort();
        }
    })
}
