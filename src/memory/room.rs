//! A full disk: what can be made again makes room for what was said.

use super::{Memory, Ports};
use crate::batch::{Batch, Durability, Op};
use crate::error::{Error, Result};
use crate::model::{Action, Kind};
use crate::store::{Range, Store};

/// Vectors deleted in one batch: small, because a full disk may refuse a large one.
const AT_ONCE: usize = 200;

impl<P: Ports> Memory<P> {
    /// Gives the batch to the store. If the disk is full and the batch holds what a person would miss, the stored vectors are
    /// deleted and it is tried once more. Recall goes on with those in memory; they are made again after the next opening.
    pub(super) async fn apply(&self, batch: &Batch) -> Result<u64> {
        let store = self.ports.store();
        match store.apply(batch).await {
            Err(full @ Error::QuotaExceeded { .. }) if batch.durability == Durability::Strict => {
                self.tight.set(true);
                match self.delete_vectors().await {
                    0 => Err(full),
                    _ => store.apply(batch).await,
                }
            }
            applied => applied,
        }
    }

    /// Deletes the stored vectors of this namespace and says how many went. Those in memory stay.
    async fn delete_vectors(&self) -> usize {
        let store = self.ports.store();
        let first = Range {
            limit: Some(AT_ONCE),
            ..Range::default()
        };
        let mut n_deleted = 0;
        loop {
            let scan = store
                .scan(&self.config.namespace, Kind::Vector, &first)
                .await;
            let Ok(scan) = scan else { return n_deleted };
            let readable = scan.records.iter().map(|record| record.name());
            let names = readable.chain(scan.unreadable);
            let mut batch = self.batch(Durability::Relaxed, Action::Change);
            batch.ops = names
                .map(|name| Op::Delete {
                    kind: Kind::Vector,
                    name,
                })
                .collect();
            if batch.ops.is_empty() || store.apply(&batch).await.is_err() {
                return n_deleted;
            }
            n_deleted += batch.ops.len();
        }
    }
}
