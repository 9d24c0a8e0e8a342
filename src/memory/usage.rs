//! What requests used: looked up, and kept where the rest of an exchange is not.

use super::open::PAGE;
use super::{Memory, Ports};
use crate::batch::{Durability, Op};
use crate::error::{Error, Result};
use crate::model::{Action, Kind, Record, Usage, UsageId};
use crate::store::{Range, Store};
use crate::usage::UsageFilter;

const DAY_MS: i64 = 86_400_000;

impl<P: Ports> Memory<P> {
    /// The requests that were answered, oldest first. One that can not be read is left out.
    ///
    /// # Errors
    /// `Storage`, `Closed`, `Locked`.
    pub async fn usages(&self, filter: &UsageFilter) -> Result<Vec<Usage>> {
        self.ensure_open()?;
        let from_ms = filter.from_ms.unwrap_or_default();
        let mut usages = self.usages_from(from_ms).await?;
        usages.retain(|usage| filter.matches(usage));
        usages.sort_by_key(|usage| (usage.at, usage.id));
        Ok(usages)
    }

    /// All records whose ids are not older than this; those of requests that were sent since are among them, because an id is
    /// made with the answer.
    pub(super) async fn usages_from(&self, from_ms: i64) -> Result<Vec<Usage>> {
        let mut range = Range {
            after: (from_ms > 0).then(|| UsageId::new(from_ms - 1, u128::MAX).to_string()),
            limit: Some(PAGE),
            ..Range::default()
        };
        let mut usages = Vec::new();
        loop {
            let namespace = &self.config.namespace;
            let scan = self.ports.store().scan(namespace, Kind::Usage, &range);
            let scan = scan.await?;
            usages.extend(scan.records.into_iter().filter_map(|record| match record {
                Record::Usage(usage) => Some(usage),
                _ => None,
            }));
            match scan.next {
                Some(next) => range.after = Some(next),
                None => return Ok(usages),
            }
        }
    }

    /// Those that may be of today, wherever the person's clock stands.
    pub(super) async fn usages_of_today(&self) -> Result<Vec<Usage>> {
        self.usages_from(self.now().unix_ms - 2 * DAY_MS).await
    }

    /// Counts what the store knows of today. Without a limit nobody asks, and opening is quicker.
    pub(super) async fn read_spent(&self) -> Result<()> {
        if self.config.daily_limit_usd.is_some() {
            for usage in self.usages_of_today().await? {
                self.note_spent(&usage);
            }
        }
        Ok(())
    }

    /// Counts a request as soon as it is answered: what is not stored yet, or never will be, was spent, too.
    pub(super) fn note_spent(&self, usage: &Usage) {
        self.state.borrow_mut().spending.note(usage);
    }

    /// Whether another request may be sent to this model today, as far as anybody in this browser knows.
    ///
    /// # Errors
    /// `BudgetReached`; `InvalidInput` for a model whose price is not known while there is a limit.
    pub(super) async fn afford(&self, model: &str) -> Result<()> {
        if self.config.daily_limit_usd.is_none() {
            return Ok(());
        }
        self.config.check_price(model)?;
        // Other tabs tell of their requests, and this one may not have listened yet. Where the store can not be read, what is
        // known has to do.
        let _ = self.catch_up().await;
        self.budget_left()
    }

    /// # Errors
    /// `BudgetReached`.
    pub(super) fn budget_left(&self) -> Result<()> {
        let now = self.now();
        match self.config.daily_limit_usd {
            Some(limit_usd) if self.state.borrow().spending.today_usd(now) >= limit_usd => {
                Err(Error::BudgetReached {
                    limit_usd,
                    retry_after_ms: now.until_midnight_ms(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Keeps what was paid for an exchange that came to nothing else. Where that fails, it is not known after a reload.
    pub(super) async fn keep_paid(&self, mut usages: Vec<Usage>) {
        usages.retain(|usage| !self.state.borrow().is_erased(usage.session));
        if usages.is_empty() || !self.config.preset.keeps_turns() || self.ensure_open().is_err() {
            return;
        }
        let mut batch = self.batch(Durability::Relaxed, Action::Change);
        let usages = usages.into_iter().map(Record::Usage);
        batch.ops = usages.map(Op::Insert).collect();
        let _ = self.commit(&batch).await;
    }
}
