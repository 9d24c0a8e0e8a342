//! A full disk: what can be made again makes room for what was said.

use super::{Memory, Ports};
use crate::batch::{Batch, Durability, Op};
use crate::error::{Error, Result};
use crate::model::{Action, Kind};
use crate::store::{Range, Store};

/// Records deleted in one batch: small, because a full disk may refuse a large one.
const AT_ONCE: usize = 200;

impl<P: Ports> Memory<P> {
    /// Gives the batch to the store. If the disk is full and the batch holds what a person would miss, what is derived is deleted,
    /// the kept index first and then the vectors, and it is tried again after each. Recall goes on with what is in memory; it is
    /// made again after the next opening.
    pub(super) async fn apply(&self, batch: &Batch) -> Result<u64> {
        let store = self.ports.store();
        match store.apply(batch).await {
            Err(full @ Error::QuotaExceeded { .. }) if batch.durability == Durability::Strict => {
                self.tight.set(true);
                for kind in [Kind::Segment, Kind::Vector] {
                    if self.delete_derived(kind).await > 0 {
                        match store.apply(batch).await {
                            Err(Error::QuotaExceeded { .. }) => {}
                            applied => return applied,
                        }
                    }
                }
                Err(full)
            }
            applied => applied,
        }
    }

    /// Deletes the stored records of a kind in this namespace and says how many went. What is in memory stays.
    async fn delete_derived(&self, kind: Kind) -> usize {
        let store = self.ports.store();
        if kind == Kind::Segment {
            self.state.borrow_mut().kept.is_stale = true;
        }
        let first = Range {
            limit: Some(AT_ONCE),
            ..Range::default()
        };
        let mut n_deleted = 0;
        loop {
            let scan = store.scan(&self.config.namespace, kind, &first).await;
            let Ok(scan) = scan else { return n_deleted };
            let readable = scan.records.iter().map(|record| record.name());
            let names = readable.chain(scan.unreadable);
            let mut batch = self.batch(Durability::Relaxed, Action::Change);
            batch.ops = names.map(|name| Op::Delete { kind, name }).collect();
            if batch.ops.is_empty() || store.apply(&batch).await.is_err() {
                return n_deleted;
            }
            n_deleted += batch.ops.len();
        }
    }
}
