//! The browser, as the driver sees it.

use super::clock::BrowserClock;
use super::embedder::BrowserEmbedder;
use super::engine::give;
use super::idb::IdbStore;
use super::transport::FetchTransport;
use crate::batch::{Batch, Commit};
use crate::error::Result;
use crate::memory::Ports;
use crate::model::{AuditEntry, AuditHead, Kind, Namespace, Record};
use crate::store::ram::RamStore;
use crate::store::{Persistence, Range, Scan, Store};
use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::JsValue;

/// Its store, its network, its clock, and the embedding table.
pub(super) struct Browser {
    pub(super) store: Announcing,
    pub(super) transport: FetchTransport,
    pub(super) clock: BrowserClock,
    pub(super) embedder: BrowserEmbedder,
}

impl Ports for Browser {
    type Store = Announcing;
    type Transport = FetchTransport;
    type Clock = BrowserClock;
    type Embedder = BrowserEmbedder;

    fn store(&self) -> &Announcing {
        &self.store
    }
    fn transport(&self) -> &FetchTransport {
        &self.transport
    }
    fn clock(&self) -> &BrowserClock {
        &self.clock
    }
    fn embedder(&self) -> &BrowserEmbedder {
        &self.embedder
    }
}

/// The disk, or memory where the browser gives no database.
pub(super) enum AnyStore {
    Disk(IdbStore),
    Memory(RamStore),
}

/// Tells the page of each commit, so that it can tell the other tabs.
pub(super) struct Announcing {
    pub(super) store: AnyStore,
    pub(super) notify: Function,
}

impl Announcing {
    /// The store's own id; `None` before its first commit, and where nothing is kept.
    pub(super) async fn id(&self) -> Result<Option<String>> {
        match &self.store {
            AnyStore::Disk(store) => store.id().await,
            AnyStore::Memory(_) => Ok(None),
        }
    }

    /// Does what the first write would wait for.
    pub(super) async fn prepare_to_write(&self) {
        if let AnyStore::Disk(store) = &self.store {
            store.prepare_to_write().await;
        }
    }
}

macro_rules! delegate {
    ($self:ident, $store:ident => $call:expr) => {
        match &$self.store {
            AnyStore::Disk($store) => $call,
            AnyStore::Memory($store) => $call,
        }
    };
}

impl Store for Announcing {
    fn persistence(&self) -> Persistence {
        delegate!(self, store => store.persistence())
    }

    async fn apply(&self, batch: &Batch) -> Result<u64> {
        let commit = delegate!(self, store => store.apply(batch).await)?;
        let mut kinds: Vec<Kind> = batch.ops.iter().map(|op| op.kind()).collect();
        kinds.sort();
        kinds.dedup();
        // The kept index is nothing that anyone sees.
        if kinds == [Kind::Segment] {
            return Ok(commit);
        }
        let event = CommittedView {
            r#type: "committed",
            commit: commit as f64,
            kinds,
        };
        let _ = self.notify.call1(&JsValue::UNDEFINED, &give(&event)?);
        Ok(commit)
    }

    async fn get(&self, namespace: &Namespace, kind: Kind, name: &str) -> Result<Option<Record>> {
        delegate!(self, store => store.get(namespace, kind, name).await)
    }

    async fn scan(&self, namespace: &Namespace, kind: Kind, range: &Range) -> Result<Scan> {
        delegate!(self, store => store.scan(namespace, kind, range).await)
    }

    async fn names(&self, namespace: &Namespace, kind: Kind) -> Result<Vec<String>> {
        delegate!(self, store => store.names(namespace, kind).await)
    }

    async fn count(&self, namespace: &Namespace, kind: Kind) -> Result<u64> {
        delegate!(self, store => store.count(namespace, kind).await)
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        delegate!(self, store => store.namespaces().await)
    }

    async fn last_commit(&self) -> Result<u64> {
        delegate!(self, store => store.last_commit().await)
    }

    async fn commits_after(
        &self,
        namespace: &Namespace,
        number: u64,
    ) -> Result<Option<Vec<(u64, Commit)>>> {
        delegate!(self, store => store.commits_after(namespace, number).await)
    }

    async fn audit_after(
        &self,
        namespace: &Namespace,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Option<AuditEntry>)>> {
        delegate!(self, store => store.audit_after(namespace, number, limit).await)
    }

    async fn audit_head(&self, namespace: &Namespace) -> Result<AuditHead> {
        delegate!(self, store => store.audit_head(namespace).await)
    }
}

#[derive(Serialize)]
struct CommittedView {
    r#type: &'static str,
    commit: f64,
    kinds: Vec<Kind>,
}
