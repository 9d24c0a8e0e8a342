//! What the browser's exceptions mean to the caller.

use crate::error::Error;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::DomException;

/// An exception as text: a JavaScript value inside an error would mean nothing outside this thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    pub name: String,
    pub message: String,
}

/// The name of the error when the browser gives no answer in time.
pub const TIMEOUT: &str = "TimeoutError";

impl Exception {
    pub fn new(name: &str, message: &str) -> Exception {
        Exception {
            name: name.into(),
            message: message.into(),
        }
    }

    /// What became of an operation on an open database.
    ///
    /// A `ConstraintError` is not here: only who knows which record was inserted can name it.
    pub fn in_use(self) -> Error {
        let Exception { name, message } = self;
        match name.as_str() {
            "QuotaExceededError" => Error::QuotaExceeded { message },
            // Another version is open, the page lost the right to storage, or the object stores are gone.
            "VersionError" | "SecurityError" | "NotFoundError" => {
                Error::StorageUnavailable { name, message }
            }
            _ => Error::Storage { name, message },
        }
    }

    /// What became of opening the database: whatever the reason, there is none to work with.
    pub fn while_opening(self) -> Error {
        let Exception { name, message } = self;
        Error::StorageUnavailable { name, message }
    }

    /// Whether a new connection should be tried.
    pub fn is_lost_connection(&self) -> bool {
        // Safari says UnknownError when its database process went away. A transaction under way when the browser takes
        // the database is aborted without another reason; nothing else aborts one like that.
        matches!(
            self.name.as_str(),
            "InvalidStateError" | "UnknownError" | "AbortError" | TIMEOUT
        )
    }
}

impl From<&JsValue> for Exception {
    fn from(value: &JsValue) -> Exception {
        if let Some(exception) = value.dyn_ref::<DomException>() {
            Exception::new(&exception.name(), &exception.message())
        } else if let Some(error) = value.dyn_ref::<js_sys::Error>() {
            Exception::new(&String::from(error.name()), &String::from(error.message()))
        } else {
            // A transaction that was aborted without an error has null for one.
            Exception::new("AbortError", "the browser gave no reason")
        }
    }
}

impl From<JsValue> for Exception {
    fn from(value: JsValue) -> Exception {
        Exception::from(&value)
    }
}

impl From<idb::Error> for Exception {
    fn from(error: idb::Error) -> Exception {
        use idb::Error::*;
        match &error {
            DomException(exception) => Exception::new(&exception.name(), &exception.message()),
            IndexedDbNotFound(_) => {
                Exception::new("NotSupportedError", "there is no indexedDB here")
            }
            GetAllFailed(value)
            | GetAllKeysFailed(value)
            | GetFailed(value)
            | IndexedDbOpenFailed(value)
            | KeyRangeCreateFailed(value)
            | ObjectStoreNotFound(value)
            | RequestErrorNotFound(value)
            | RequestResultNotFound(value)
            | TransactionOpenFailed(value) => Exception::from(value),
            // None of the others comes from a call that this module makes.
            _ => Exception::new("UnknownError", &error.to_string()),
        }
    }
}

impl From<rexie::Error> for Exception {
    fn from(error: rexie::Error) -> Exception {
        match error {
            rexie::Error::IdbError(error) => error.into(),
            _ => Exception::new("UnknownError", &error.to_string()),
        }
    }
}
