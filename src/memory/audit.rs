//! Reading the audit and checking its chain. Entries come into being with the batches that they tell of.

use super::{Memory, Ports};
use crate::audit::{Break, Chain};
use crate::batch::Durability;
use crate::error::Result;
use crate::model::{Action, AuditContent, AuditEntry, AuditSurfaced, Kind, Surfaced, TurnId};
use crate::store::Store;

/// Entries read at a time.
const PAGE: usize = 1_000;

/// An entry as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditItem {
    pub entry: AuditEntry,
    /// `None` once erased, or if no version of this program has written it.
    pub content: Option<AuditContent>,
}

/// What became of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// Entries that follow each other as they should, from the first.
    pub entries: u64,
    /// Those among them whose content was erased.
    pub erased: u64,
    /// The first place where the chain is not whole.
    pub broken: Option<Break>,
}

impl<P: Ports> Memory<P> {
    /// The entries with a higher number, oldest first, at most `limit`. Unreadable ones are left
    /// out; [`Memory::verify_audit`] finds them.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditItem>> {
        self.ensure_open()?;
        let namespace = &self.config.namespace;
        let store = self.ports.store();
        let found = store.audit_after(namespace, after, limit).await?;
        let entries = found.into_iter().filter_map(|(_, entry)| entry);
        Ok(entries.map(AuditItem::from).collect())
    }

    /// Follows the whole chain, from the first entry to the newest one.
    ///
    /// # Errors
    /// `Storage`, `Closed`. A broken chain is a result, not an error.
    pub async fn verify_audit(&self) -> Result<AuditReport> {
        self.ensure_open()?;
        let namespace = &self.config.namespace;
        let store = self.ports.store();
        // First: what other tabs add from here on is not of this check.
        let head = store.audit_head(namespace).await?;
        let mut chain = Chain::default();
        let mut broken = None;
        'pages: while chain.n_entries() < head.number {
            let left = head.number - chain.n_entries();
            let limit = PAGE.min(left as usize);
            let page = store.audit_after(namespace, chain.n_entries(), limit);
            let page = page.await?;
            if page.is_empty() {
                break;
            }
            for (number, entry) in page {
                if let Err(found) = chain.follow(number, entry.as_ref()) {
                    broken = Some(found);
                    break 'pages;
                }
            }
        }
        Ok(AuditReport {
            entries: chain.n_entries(),
            erased: chain.n_erased(),
            broken: broken.or(chain.end(head).err()),
        })
    }

    /// Numbers of the entries that tell of any of these records, for whoever erases them
    /// (`Batch::erased_audit`).
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn audit_concerning(&self, records: &[(Kind, String)]) -> Result<Vec<u64>> {
        let mut numbers = Vec::new();
        let mut after = 0;
        loop {
            let page = self.audit(after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(numbers);
            };
            after = last.entry.number;
            let concerned = page.iter().filter(|item| {
                let content = item.content.as_ref();
                content.is_some_and(|content| {
                    let mut records = records.iter();
                    records.any(|(kind, name)| content.concerns(*kind, name))
                })
            });
            numbers.extend(concerned.map(|item| item.entry.number));
        }
    }

    /// Notes what went out with a message that was not answered. Nothing of the message itself is kept.
    pub(super) async fn note_vain_request(
        &self,
        turn: TurnId,
        surfaced: impl IntoIterator<Item = Surfaced>,
    ) {
        let mut batch = self.batch(Durability::Relaxed, Action::ChatFailed);
        if let Some(stamp) = &mut batch.audit {
            let surfaced = surfaced.into_iter();
            stamp.surfaced = surfaced
                .map(|surfaced| AuditSurfaced {
                    request: format!("turn:{turn}"),
                    record: surfaced.record,
                    score: Some(surfaced.score),
                })
                .collect();
            if stamp.surfaced.is_empty() {
                return;
            }
        }
        // The failure that the caller hears of is the request's.
        let _ = self.commit(&batch).await;
    }
}

impl From<AuditEntry> for AuditItem {
    fn from(entry: AuditEntry) -> AuditItem {
        let content = entry.content.as_deref();
        let content = content.and_then(|content| serde_json::from_str(content).ok());
        AuditItem {
            content: content.filter(|content: &AuditContent| content.v == AuditContent::VERSION),
            entry,
        }
    }
}
