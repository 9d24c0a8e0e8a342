//! Where records are kept.
//!
//! [`Store`] is the whole interface: apply a batch, get one record, scan a range of names.
//! Two implementations share one list of conformance tests: memory ([`ram`]) and IndexedDB
//! (`web::idb`).

pub mod body;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod format;
pub mod log;
pub mod ram;

use crate::batch::{Batch, Commit};
use crate::error::Result;
use crate::model::{AuditEntry, AuditHead, Kind, Namespace, Record};

/// Whether what is stored outlives the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// On the device's disk.
    Disk,
    /// Until the page closes.
    Memory,
}

/// How many commits of each namespace a store remembers, for tabs that catch up and for the kept index.
/// Chosen so that a tab which slept through a long conversation can; not measured.
pub const COMMITS_KEPT: u64 = 1_000;

/// A range of names within one kind and namespace, in ascending order.
///
/// Names are compared by their UTF-16 code units, as IndexedDB compares strings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Only names that begin with this.
    pub prefix: String,
    /// Only names greater than this: the last one of the previous page.
    pub after: Option<String>,
    /// Only names less than this.
    pub before: Option<String>,
    /// At most so many names, readable or not; 0 asks for nothing and has no next page.
    pub limit: Option<usize>,
}

/// What a scan found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scan {
    /// In ascending order of names.
    pub records: Vec<Record>,
    /// Names of records that are there and can not be read. They are left as they are.
    pub unreadable: Vec<String>,
    /// What [`Range::after`] is for the next page; `None` at the end.
    pub next: Option<String>,
}

/// Keeps records. Every call settles: it never waits for ever.
#[allow(async_fn_in_trait, reason = "one driver awaits, on one thread")]
pub trait Store {
    fn persistence(&self) -> Persistence;

    /// Applies the changes in their order, all of the batch or nothing of it, and returns the
    /// number of the commit. Numbers begin with 1 and grow by one with each commit of this
    /// store, by whichever tab; an empty batch is a commit too.
    ///
    /// With it, and whole or not at all, go the batch's audit entry and the erasing of older
    /// entries' content; erasing what is not there is no error.
    ///
    /// # Errors
    /// `Conflict` with the name of the record if an inserted record exists; or if there is a commit after
    /// [`Batch::only_after`]; `QuotaExceeded`,
    /// `StorageUnavailable`, `Storage`, `Closed`.
    async fn apply(&self, batch: &Batch) -> Result<u64>;

    /// # Errors
    /// `Corrupt` if the record is there and can not be read; `StorageUnavailable`, `Storage`, `Closed`.
    async fn get(&self, namespace: &Namespace, kind: Kind, name: &str) -> Result<Option<Record>>;

    /// # Errors
    /// `StorageUnavailable`, `Storage`, `Closed`. A record that can not be read is listed, not an error.
    async fn scan(&self, namespace: &Namespace, kind: Kind, range: &Range) -> Result<Scan>;

    /// The names of the records of a kind, readable or not, in ascending order.
    ///
    /// # Errors
    /// `StorageUnavailable`, `Storage`, `Closed`.
    async fn names(&self, namespace: &Namespace, kind: Kind) -> Result<Vec<String>>;

    /// How many records of a kind there are, readable or not.
    ///
    /// # Errors
    /// `StorageUnavailable`, `Storage`, `Closed`.
    async fn count(&self, namespace: &Namespace, kind: Kind) -> Result<u64>;

    /// The namespaces that have any record, in ascending order.
    ///
    /// # Errors
    /// `StorageUnavailable`, `Storage`, `Closed`.
    async fn namespaces(&self) -> Result<Vec<Namespace>>;

    /// The number of the newest commit; 0 before the first.
    ///
    /// # Errors
    /// `Storage`.
    async fn last_commit(&self) -> Result<u64>;

    /// The commits with a higher number, oldest first, so that a tab can catch up with the others: all of the namespace, and
    /// those of others that are still in the log. The newest one is always among them.
    /// `None` if the log no longer reaches back so far for the namespace, and everything has to be read again.
    ///
    /// # Errors
    /// `Storage`, `Corrupt`.
    async fn commits_after(
        &self,
        namespace: &Namespace,
        number: u64,
    ) -> Result<Option<Vec<(u64, Commit)>>>;

    /// The namespace's audit entries with a higher number, oldest first, at most `limit`; `None`
    /// in the place of one that is there and can not be read.
    ///
    /// # Errors
    /// `StorageUnavailable`, `Storage`, `Closed`.
    async fn audit_after(
        &self,
        namespace: &Namespace,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Option<AuditEntry>)>>;

    /// Number and link of the namespace's newest audit entry.
    ///
    /// # Errors
    /// `StorageUnavailable`, `Storage`, `Closed`.
    async fn audit_head(&self, namespace: &Namespace) -> Result<AuditHead>;
}

/// A store that several owners share.
impl<S: Store> Store for std::rc::Rc<S> {
    fn persistence(&self) -> Persistence {
        (**self).persistence()
    }
    async fn apply(&self, batch: &Batch) -> Result<u64> {
        (**self).apply(batch).await
    }
    async fn get(&self, namespace: &Namespace, kind: Kind, name: &str) -> Result<Option<Record>> {
        (**self).get(namespace, kind, name).await
    }
    async fn scan(&self, namespace: &Namespace, kind: Kind, range: &Range) -> Result<Scan> {
        (**self).scan(namespace, kind, range).await
    }
    async fn names(&self, namespace: &Namespace, kind: Kind) -> Result<Vec<String>> {
        (**self).names(namespace, kind).await
    }
    async fn count(&self, namespace: &Namespace, kind: Kind) -> Result<u64> {
        (**self).count(namespace, kind).await
    }
    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        (**self).namespaces().await
    }
    async fn last_commit(&self) -> Result<u64> {
        (**self).last_commit().await
    }
    async fn commits_after(
        &self,
        namespace: &Namespace,
        number: u64,
    ) -> Result<Option<Vec<(u64, Commit)>>> {
        (**self).commits_after(namespace, number).await
    }
    async fn audit_after(
        &self,
        namespace: &Namespace,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Option<AuditEntry>)>> {
        (**self).audit_after(namespace, number, limit).await
    }
    async fn audit_head(&self, namespace: &Namespace) -> Result<AuditHead> {
        (**self).audit_head(namespace).await
    }
}
