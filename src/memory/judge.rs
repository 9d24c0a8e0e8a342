//! The person's word on what recall brought up.

use super::{Clock, Memory, Ports};
use crate::batch::{Durability, Op};
use crate::error::{Error, Result};
use crate::model::{Action, Judgement, JudgementId, Kind, Record, RecordRef};
use crate::recall::evaluation::is_known;

impl<P: Ports> Memory<P> {
    /// Keeps that a record was right (`true`) or wrong to come up for a query, in the place of what was said of the two before;
    /// `None` takes that back.
    ///
    /// # Errors
    /// `InvalidInput` without a query, `NotFound`, `QuotaExceeded`, `Storage`, `Closed`: nothing was changed then.
    pub async fn judge(
        &self,
        query: &str,
        record: RecordRef,
        good: Option<bool>,
    ) -> Result<Option<Judgement>> {
        self.ensure_open()?;
        if query.trim().is_empty() {
            return Err(Error::InvalidInput {
                field: "query",
                reason: "it is empty".into(),
            });
        }
        if good.is_some() && !is_known(&self.state.borrow().corpus, record) {
            return Err(Error::NotFound {
                what: record.to_string(),
            });
        }
        let mut batch = self.batch(Durability::Strict, Action::Change);
        let former = self.judgements().await?.into_iter();
        let former = former.filter(|one| one.query == query && one.record == record);
        batch.ops.extend(former.map(|one| Op::Delete {
            kind: Kind::Judgement,
            name: one.id.to_string(),
        }));
        let judgement = good.map(|good| {
            let at = self.now();
            Judgement {
                v: Judgement::VERSION,
                id: JudgementId::new(at.unix_ms, self.ports.clock().random()),
                query: query.into(),
                record,
                good,
                at,
            }
        });
        let insert = judgement.clone().map(Record::Judgement).map(Op::Insert);
        batch.ops.extend(insert);
        if !batch.ops.is_empty() {
            self.commit(&batch).await?;
        }
        Ok(judgement)
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn judgements(&self) -> Result<Vec<Judgement>> {
        self.ensure_open()?;
        let records = self.records(Kind::Judgement, "").await?.into_iter();
        let judgement = |record| match record {
            Record::Judgement(judgement) => Some(judgement),
            _ => None,
        };
        Ok(records.filter_map(judgement).collect())
    }
}
