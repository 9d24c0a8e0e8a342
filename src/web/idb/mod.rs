//! The store in IndexedDB, the browser's own database (`docs/format.md`).
//!
//! rexie makes the object stores and does the reading. Writing does not go through rexie: it can
//! not ask for durability, so that what is called saved might be lost with the power, and it tells
//! neither which request failed nor that the connection was taken away. [`transaction`] does the
//! writing over web-sys instead. rexie does not hand out its connection, so there are two of them
//! ([`connection`]), which open and close together; IndexedDB orders transactions over all
//! connections, so that a read which begins after a write's end sees it.
//!
//! When another tab upgrades or deletes the database, or the browser closes the connection, the
//! next call opens a new one. Nothing waits for ever ([`Patience`]).

mod audit;
mod codec;
mod commit;
mod connection;
mod convert;
mod fresh_log;
mod key;
mod patience;
mod sealing;
mod transaction;
mod vault;

pub mod failure;
pub mod schema;

pub use patience::Patience;
pub use sealing::{Passkey, Progress, Sealing};

use crate::batch::{Batch, Commit, Durability};
use crate::error::{Error, Result};
use crate::memory::together::both;
use crate::model::{AuditEntry, AuditHead, Kind, Namespace, Record};
use crate::store::format::Unreadable;
use crate::store::log::{NamespaceLog, is_complete};
use crate::store::{Persistence, Range, Scan, Store};
use commit::Prepared;
use connection::Connection;
use failure::{Exception, TIMEOUT};
use fresh_log::FreshLog;
use idb::KeyRange;
use js_sys::Date;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;
use transaction::{Answered, Failure, Found};
use vault::View;
use wasm_bindgen::JsValue;
use web_sys::IdbTransaction;

/// Records in an IndexedDB database of this page's origin.
pub struct IdbStore {
    database_name: String,
    patience: Patience,
    /// The last connection that was opened; it may have been closed since.
    connection: RefCell<Rc<Connection>>,
    /// What is known of the encryption.
    view: RefCell<View>,
    /// How far this store has come with sealing or opening everything.
    position: RefCell<Option<convert::Position>>,
    fresh_log: FreshLog,
    /// When opening again failed, in milliseconds since 1970, and why.
    failed: RefCell<Option<(f64, Error)>>,
    closed: Cell<bool>,
}

impl IdbStore {
    /// Opens the database, making it if it is not there.
    ///
    /// # Errors
    /// `StorageUnavailable` if there is no IndexedDB here, or it does not open.
    pub async fn open(database_name: &str) -> Result<IdbStore> {
        IdbStore::open_with(database_name, Patience::default()).await
    }

    /// [`IdbStore::open`], with other limits to waiting.
    ///
    /// # Errors
    /// As [`IdbStore::open`].
    pub async fn open_with(database_name: &str, patience: Patience) -> Result<IdbStore> {
        let connection = Connection::open(database_name, patience.open_ms).await?;
        let store = IdbStore {
            database_name: database_name.into(),
            patience,
            connection: RefCell::new(connection),
            fresh_log: FreshLog::default(),
            failed: RefCell::default(),
            view: RefCell::default(),
            position: RefCell::default(),
            closed: Cell::new(false),
        };
        store.look_at_keyring().await?;
        Ok(store)
    }

    pub fn database_name(&self) -> &str {
        &self.database_name
    }

    /// The store's own id, drawn with its first commit; `None` before. A database that was deleted and made again has another.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn id(&self) -> Result<Option<String>> {
        let key = KeyRange::only(&schema::META_STORE.into());
        let key = key.map_err(|error| Exception::from(error).in_use())?;
        let found = self.read(schema::META, key, Some(1)).await?;
        Ok(found.first().and_then(|(_, id)| id.as_string()))
    }

    /// Does what the first write would wait for. It takes a moment longer than a call can tell: the sooner after opening,
    /// the better.
    pub async fn prepare_to_write(&self) {
        self.fresh_log.ensure(&self.database_name).await;
    }

    /// Closes the database; what has begun comes to its end. Later calls fail with `Closed`.
    pub fn close(&self) {
        self.closed.set(true);
        self.connection.borrow().close();
    }

    /// The connection, opened again if it was closed under us.
    async fn connection(&self) -> Result<Rc<Connection>> {
        if let Some(connection) = self.present_connection()? {
            return Ok(connection);
        }
        self.rest()?;
        let opened = Connection::open(&self.database_name, self.patience.reopen_ms).await;
        let failure = opened.as_ref().err();
        self.failed
            .replace(failure.map(|error| (Date::now(), error.clone())));
        let opened = opened?;
        // Meanwhile another call may have opened one, or the store was closed.
        match self.present_connection() {
            Ok(None) => {
                self.connection.replace(opened.clone());
                Ok(opened)
            }
            Ok(Some(connection)) => {
                opened.close();
                Ok(connection)
            }
            Err(error) => {
                opened.close();
                Err(error)
            }
        }
    }

    /// Fails for as long as opening again is not to be tried.
    fn rest(&self) -> Result<()> {
        match &*self.failed.borrow() {
            Some((at, error)) => {
                // A clock that was set back must not keep the store closed for a year.
                let since = Date::now() - at;
                let is_over = since < 0.0 || since >= f64::from(self.patience.rest_ms);
                is_over.then_some(()).ok_or_else(|| error.clone())
            }
            None => Ok(()),
        }
    }

    fn present_connection(&self) -> Result<Option<Rc<Connection>>> {
        if self.closed.get() {
            return Err(Error::Closed);
        }
        let connection = self.connection.borrow();
        Ok(connection.is_open().then(|| connection.clone()))
    }

    /// Keys and values of a range, in ascending order, from one transaction.
    async fn read(
        &self,
        store: &'static str,
        keys: KeyRange,
        limit: Option<u32>,
    ) -> Result<Vec<(JsValue, JsValue)>> {
        self.with_connection(|connection| read(connection, store, keys.clone(), limit))
            .await
    }

    /// Does some reading, and once more over a new connection if the present one proves to be lost.
    async fn with_connection<T, F>(&self, work: impl Fn(Rc<Connection>) -> F) -> Result<T>
    where
        T: 'static,
        F: Future<Output = std::result::Result<T, Exception>> + 'static,
    {
        let mut again = true;
        loop {
            let connection = self.connection().await?;
            let work = work(connection.clone());
            let limit_ms = self.patience.transaction_ms;
            let result = patience::settle(limit_ms, work, |_| ()).await;
            let exception = match result {
                Some(Ok(found)) => return Ok(found),
                Some(Err(exception)) => exception,
                None => Exception::new(TIMEOUT, "the browser did not answer in time"),
            };
            let lost = exception.is_lost_connection();
            if lost {
                connection.close();
            }
            // Whoever waited as long as that does not want to wait as long again.
            if !again || !lost || exception.name == TIMEOUT {
                return Err(exception.in_use());
            }
            again = false;
        }
    }

    /// Records of a range with their names. What the view of the encryption does not explain is
    /// looked at again with a new one.
    async fn records(
        &self,
        namespace: &Namespace,
        kind: Kind,
        keys: KeyRange,
        limit: Option<u32>,
    ) -> Result<Vec<(String, std::result::Result<Record, Unreadable>)>> {
        let mut again = true;
        loop {
            let view = self.unlocked_view().await?;
            let found = self.read(schema::store_of(kind), keys.clone(), limit);
            let mut surprised = false;
            let mut records = Vec::new();
            for (key, value) in found.await? {
                let name = key::name_in(&key);
                let record = view.record_from_js(kind, namespace, &name, value);
                let record = record.map_err(|misread| {
                    surprised |= misread.is_surprise;
                    misread.unreadable
                });
                records.push((name, record));
            }
            if !(again && surprised) {
                return Ok(records);
            }
            self.look_at_keyring().await?;
            again = false;
        }
    }

    async fn count(&self, store: &'static str) -> Result<u32> {
        let connection = self.connection().await?;
        let counting = async move {
            let transaction = connection.read(store)?;
            let n = transaction.store(store)?.count(None).await?;
            Ok::<u32, Exception>(n)
        };
        let limit_ms = self.patience.transaction_ms;
        let counted = patience::settle(limit_ms, counting, |_| ()).await;
        let late = || Exception::new(TIMEOUT, "the browser did not answer in time");
        counted
            .unwrap_or_else(|| Err(late()))
            .map_err(Exception::in_use)
    }

    /// One transaction that writes. Writes once more over a new connection if the present one proves to be lost.
    async fn write(
        &self,
        stores: &[&str],
        durability: Durability,
        make: impl Fn(
            &IdbTransaction,
            &Rc<RefCell<Found>>,
        ) -> std::result::Result<Vec<Answered>, JsValue>,
    ) -> std::result::Result<u64, Failure> {
        self.prepare_to_write().await;
        let mut again = true;
        loop {
            let connection = self.connection().await.map_err(Failure::from)?;
            let limit_ms = self.patience.transaction_ms;
            let database = connection.writes();
            match transaction::write(database, stores, durability, limit_ms, &make).await {
                // What did not begin, or was aborted, is not there: it can be written again without being doubled.
                Err(failure) if again && failure.left_nothing() => connection.close(),
                result => {
                    if result.as_ref().is_err_and(Failure::lost_the_connection) {
                        connection.close();
                    }
                    return result;
                }
            }
            again = false;
        }
    }
}

impl IdbStore {
    /// The place of a namespace's commits in the log.
    async fn namespace_log(&self, namespace: &Namespace) -> Result<Option<NamespaceLog>> {
        let key = KeyRange::only(&key::log(namespace));
        let key = key.map_err(|error| Exception::from(error).in_use())?;
        let mut found = self.read(schema::META, key, Some(1)).await?;
        Ok(found.pop().and_then(|(_, log)| codec::log_from_js(log)))
    }

    /// The number of the newest commit where the one that is noted is damaged.
    async fn last_commit_in_log(&self) -> Result<u64> {
        let all = KeyRange::lower_bound(&0.into(), None);
        let all = all.map_err(|error| Exception::from(error).in_use())?;
        let found = self.read(schema::COMMITS, all, None).await?;
        let newest = found.last().and_then(|(number, _)| number.as_f64());
        Ok(newest.unwrap_or(0.0) as u64)
    }
}

async fn read(
    connection: Rc<Connection>,
    store: &'static str,
    keys: KeyRange,
    limit: Option<u32>,
) -> std::result::Result<Vec<(JsValue, JsValue)>, Exception> {
    let transaction = connection.read(store)?;
    let store = transaction.store(store)?;
    let names = store.get_all_keys(Some(keys.clone()), limit);
    let values = store.get_all(Some(keys), limit);
    let (names, values) = both(names, values).await;
    Ok(names?.into_iter().zip(values?).collect())
}

async fn names(
    connection: Rc<Connection>,
    store: &'static str,
    keys: KeyRange,
) -> std::result::Result<Vec<JsValue>, Exception> {
    let transaction = connection.read(store)?;
    let store = transaction.store(store)?;
    Ok(store.get_all_keys(Some(keys), None).await?)
}

async fn count(
    connection: Rc<Connection>,
    store: &'static str,
    keys: KeyRange,
) -> std::result::Result<u32, Exception> {
    let transaction = connection.read(store)?;
    Ok(transaction.store(store)?.count(Some(keys)).await?)
}

/// The first key in a range, if there is one.
async fn first_key(
    connection: Rc<Connection>,
    store: &'static str,
    keys: Option<KeyRange>,
) -> std::result::Result<Option<JsValue>, Exception> {
    let transaction = connection.read(store)?;
    let keys = transaction
        .store(store)?
        .get_all_keys(keys, Some(1))
        .await?;
    Ok(keys.into_iter().next())
}

impl Store for IdbStore {
    fn persistence(&self) -> Persistence {
        Persistence::Disk
    }

    async fn apply(&self, batch: &Batch) -> Result<u64> {
        let mut again = true;
        loop {
            let prepared = Prepared::new(batch, &self.unlocked_view().await?)?;
            let (stores, durability) = prepared.scope();
            let result = self
                .write(stores, durability, |transaction, found| {
                    commit::requests(transaction, &prepared, found)
                })
                .await;
            match result {
                Err(Failure::Outdated) if again => self.look_at_keyring().await?,
                result => return result.map_err(Failure::error),
            }
            again = false;
        }
    }

    async fn get(&self, namespace: &Namespace, kind: Kind, name: &str) -> Result<Option<Record>> {
        let key = KeyRange::only(&key::key(namespace, name));
        let key = key.map_err(|error| Exception::from(error).in_use())?;
        // rexie's `get` can not tell a stored null, which is damage, from nothing.
        let mut found = self.records(namespace, kind, key, Some(1)).await?;
        match found.pop() {
            None => Ok(None),
            Some((_, Ok(record))) => Ok(Some(record)),
            Some((_, Err(unreadable))) => Err(unreadable.error(kind, name)),
        }
    }

    async fn scan(&self, namespace: &Namespace, kind: Kind, range: &Range) -> Result<Scan> {
        let mut scan = Scan::default();
        let keys = key::keys(namespace, range);
        let keys = keys.map_err(|error| Exception::from(error).in_use())?;
        let Some(keys) = keys else {
            return Ok(scan);
        };
        let limit = range.limit.unwrap_or(usize::MAX);
        // One more than asked for tells whether there is a next page.
        let n_wanted = u32::try_from(limit).ok().and_then(|n| n.checked_add(1));
        let found = self.records(namespace, kind, keys, n_wanted).await?;
        let more = found.len() > limit;
        let mut last = None;
        for (name, record) in found.into_iter().take(limit) {
            match record {
                Ok(record) => scan.records.push(record),
                Err(_) => scan.unreadable.push(name.clone()),
            }
            last = Some(name);
        }
        scan.next = last.filter(|_| more);
        Ok(scan)
    }

    async fn names(&self, namespace: &Namespace, kind: Kind) -> Result<Vec<String>> {
        let keys = key::keys(namespace, &Range::default());
        let keys = keys.map_err(|error| Exception::from(error).in_use())?;
        let Some(keys) = keys else {
            return Ok(Vec::new());
        };
        let store = schema::store_of(kind);
        let found = self.with_connection(|connection| names(connection, store, keys.clone()));
        Ok(found.await?.iter().map(key::name_in).collect())
    }

    async fn count(&self, namespace: &Namespace, kind: Kind) -> Result<u64> {
        let keys = key::keys(namespace, &Range::default());
        let keys = keys.map_err(|error| Exception::from(error).in_use())?;
        let Some(keys) = keys else {
            return Ok(0);
        };
        let store = schema::store_of(kind);
        let n = self.with_connection(|connection| count(connection, store, keys.clone()));
        Ok(u64::from(n.await?))
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        let mut found = BTreeSet::new();
        for kind in Kind::ALL {
            let store = schema::store_of(kind);
            let (mut keys, mut seen) = (None, BTreeSet::new());
            loop {
                let first = self.with_connection(|connection| {
                    let keys: Option<KeyRange> = keys.clone();
                    first_key(connection, store, keys)
                });
                let Some(first) = first.await? else { break };
                let namespace = key::namespace_in(&first);
                let behind = key::behind(&namespace);
                keys = Some(behind.map_err(|error| Exception::from(error).in_use())?);
                // A key of another making could come again for ever.
                if !seen.insert(namespace) {
                    break;
                }
            }
            found.extend(seen);
        }
        Ok(found.into_iter().collect())
    }

    async fn last_commit(&self) -> Result<u64> {
        let key = KeyRange::only(&schema::META_COMMIT.into());
        let key = key.map_err(|error| Exception::from(error).in_use())?;
        let found = self.read(schema::META, key, Some(1)).await?;
        match found.first() {
            None => Ok(0),
            Some((_, number)) => match number.as_f64() {
                Some(number) => Ok(number as u64),
                None => self.last_commit_in_log().await,
            },
        }
    }

    async fn commits_after(
        &self,
        namespace: &Namespace,
        number: u64,
    ) -> Result<Option<Vec<(u64, Commit)>>> {
        // First: whatever is committed from here on is in the log that is read next.
        let (last, log) = both(self.last_commit(), self.namespace_log(namespace)).await;
        let (last, log) = (last?, log?);
        let keys = KeyRange::lower_bound(&JsValue::from_f64(number as f64), Some(true));
        let keys = keys.map_err(|error| Exception::from(error).in_use())?;
        let found = self.read(schema::COMMITS, keys, None).await?;
        // One that can not be read is the same as missing: whoever needs it reads everything again.
        let commit = |(key, value): (JsValue, JsValue)| {
            let number = key.as_f64()? as u64;
            Some((number, codec::commit_from_js(value).ok()?))
        };
        let commits: Vec<(u64, Commit)> = found.into_iter().filter_map(commit).collect();
        let found: Vec<u64> = commits.iter().map(|(number, _)| *number).collect();
        Ok(is_complete(log.as_ref(), number, last, &found).then_some(commits))
    }

    async fn audit_after(
        &self,
        namespace: &Namespace,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Option<AuditEntry>)>> {
        let keys = audit::keys_after(namespace, number);
        let keys = keys.map_err(|error| Exception::from(error).in_use())?;
        let limit = u32::try_from(limit).ok();
        let mut again = true;
        loop {
            let view = self.unlocked_view().await?;
            let found = self.read(schema::AUDIT, keys.clone(), limit).await?;
            let entry = |(key, value): (JsValue, JsValue)| {
                let number = audit::number_in(&key);
                (number, view.entry_from_js(namespace, number, &value))
            };
            let entries: Vec<_> = found.into_iter().map(entry).collect();
            // An entry may have become unreadable because another tab changed the encryption.
            if !again || entries.iter().all(|(_, entry)| entry.is_some()) {
                return Ok(entries);
            }
            self.look_at_keyring().await?;
            again = false;
        }
    }

    async fn audit_head(&self, namespace: &Namespace) -> Result<AuditHead> {
        let key = KeyRange::only(&audit::head_key(namespace));
        let key = key.map_err(|error| Exception::from(error).in_use())?;
        let found = self.read(schema::META, key, Some(1)).await?;
        let head = found.first().map(|(_, value)| audit::head_from_js(value));
        head.unwrap_or(Some(AuditHead::default()))
            .ok_or_else(|| Error::Corrupt {
                what: "the head of the audit".into(),
                message: "it is of another shape".into(),
            })
    }
}
