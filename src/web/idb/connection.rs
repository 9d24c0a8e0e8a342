//! A pair of connections to one database: rexie's for the schema and for reading, and a plain
//! one for writing (see the parent module for why). They open and close together.

use super::failure::{Exception, TIMEOUT};
use super::patience::settle;
use super::schema;
use crate::error::{Error, Result};
use crate::memory::together::both;
use crate::store::format;
use gloo_events::EventListener;
use js_sys::{Function, Promise, Reflect};
use rexie::{Rexie, TransactionMode};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbFactory, IdbOpenDbRequest};

pub struct Connection {
    /// `None` once closed.
    reads: RefCell<Option<Rexie>>,
    writes: IdbDatabase,
    /// Empty once closed.
    on_gone: RefCell<Vec<EventListener>>,
}

impl Connection {
    /// Opens the database, or says within so many milliseconds why not.
    pub async fn open(name: &str, limit_ms: u32) -> Result<Rc<Connection>> {
        let opening = open_both(name.to_owned());
        let close_late = |late: std::result::Result<Rc<Connection>, Exception>| {
            if let Ok(connection) = late {
                connection.close();
            }
        };
        match settle(limit_ms, opening, close_late).await {
            Some(Ok(connection)) => Ok(connection),
            Some(Err(exception)) => Err(exception.while_opening()),
            None => Err(Error::StorageUnavailable {
                name: TIMEOUT.into(),
                message: "the database did not open in time; another tab may hold it".into(),
            }),
        }
    }

    pub fn is_open(&self) -> bool {
        self.reads.borrow().is_some()
    }

    /// Closes both. Transactions that began come to their end; later calls need a new connection.
    pub fn close(&self) {
        if let Some(reads) = self.reads.take() {
            reads.close();
            self.writes.close();
            self.on_gone.take();
        }
    }

    /// A transaction for reading one object store.
    pub fn read(&self, store: &str) -> std::result::Result<rexie::Transaction, Exception> {
        match &*self.reads.borrow() {
            Some(reads) => Ok(reads.transaction(&[store], TransactionMode::ReadOnly)?),
            None => Err(Exception::new(
                "InvalidStateError",
                "the connection was closed",
            )),
        }
    }

    pub fn writes(&self) -> &IdbDatabase {
        &self.writes
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

async fn open_both(name: String) -> std::result::Result<Rc<Connection>, Exception> {
    // rexie goes first: it makes the object stores that the other connection must find.
    let reads = schema::builder(&name, schema::VERSION).build().await?;
    let writes = match open_plain(&name).await {
        Ok(writes) => writes,
        Err(exception) => {
            reads.close();
            return Err(exception);
        }
    };
    let connection = Rc::new_cyclic(|weak: &Weak<Connection>| {
        // `versionchange`: another tab wants to upgrade or delete, and waits for us.
        // `close`: the browser took the database away.
        let on_gone = ["versionchange", "close"].map(|event| {
            let weak = weak.clone();
            EventListener::new(&writes, event, move |_| {
                if let Some(connection) = weak.upgrade() {
                    connection.close();
                }
            })
        });
        Connection {
            reads: RefCell::new(Some(reads)),
            writes,
            on_gone: RefCell::new(on_gone.into()),
        }
    });
    check(&connection).await?;
    Ok(connection)
}

/// Refuses a database that is not ours or that a newer program wrote, before anything is written there.
async fn check(connection: &Connection) -> std::result::Result<(), Exception> {
    let found = connection.writes.object_store_names();
    if schema::STORES.iter().any(|store| !found.contains(store)) {
        return Err(Exception::new(
            "NotFoundError",
            "a database of this name exists and is not onhand's",
        ));
    }
    let transaction = connection.read(schema::META)?;
    let meta = transaction.store(schema::META)?;
    let version = meta.get(schema::META_FORMAT.into());
    let commit = meta.get(schema::META_COMMIT.into());
    let (version, commit) = both(version, commit).await;
    let version = version?.map_or(Some(0.0), |version| version.as_f64());
    if !version.is_some_and(|version| version <= f64::from(format::VERSION)) {
        return Err(Exception::new(
            "VersionError",
            "a newer version of this program wrote the database",
        ));
    }
    match commit? {
        Some(number) if number.as_f64().is_none() => mend_commit_number(connection).await,
        _ => Ok(()),
    }
}

/// Takes the number of the last commit from the log where the one that is noted is damaged: without it nothing could
/// be written any more.
async fn mend_commit_number(connection: &Connection) -> std::result::Result<(), Exception> {
    let transaction = match &*connection.reads.borrow() {
        Some(reads) => {
            reads.transaction(&[schema::META, schema::COMMITS], TransactionMode::ReadWrite)?
        }
        None => return Ok(()),
    };
    let commits = transaction.store(schema::COMMITS)?;
    let meta = transaction.store(schema::META)?;
    let numbers = commits.get_all_keys(None, None).await?;
    let newest = numbers.last().and_then(JsValue::as_f64).unwrap_or(0.0);
    meta.put(&newest.into(), Some(&schema::META_COMMIT.into()))
        .await?;
    transaction.done().await?;
    Ok(())
}

async fn open_plain(name: &str) -> std::result::Result<IdbDatabase, Exception> {
    let request = factory()?.open_with_u32(name, schema::VERSION)?;
    // An upgrade here means that the database was deleted since rexie opened it.
    let _on_upgrade = EventListener::new(&request, "upgradeneeded", |event| {
        let request = event
            .target()
            .and_then(|t| t.dyn_into::<IdbOpenDbRequest>().ok());
        if let Some(transaction) = request.and_then(|request| request.transaction()) {
            let _ = transaction.abort();
        }
    });
    settled(&request).await?;
    Ok(request.result()?.unchecked_into())
}

/// The browser's `indexedDB`, in a page as in a worker.
pub fn factory() -> std::result::Result<IdbFactory, Exception> {
    let factory = Reflect::get(&js_sys::global(), &"indexedDB".into())?;
    Ok(factory.unchecked_into())
}

/// Waits until a database is open, or deleted.
pub async fn settled(request: &IdbOpenDbRequest) -> std::result::Result<(), Exception> {
    let settled = Promise::new(&mut |resolve: Function, reject: Function| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    match JsFuture::from(settled).await {
        Ok(_) => Ok(()),
        Err(_) => {
            let error = request.error().ok().flatten();
            Err(Exception::from(error.map_or(JsValue::NULL, JsValue::from)))
        }
    }
}
