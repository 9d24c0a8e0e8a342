//! Looking at what is known, and mending it.

use super::{Clock, Memory, Ports};
use crate::batch::{Durability, Op};
use crate::error::{Error, Result};
use crate::fact;
use crate::model::{Action, Confidence, Fact, FactId, Origin, Record};

impl<P: Ports> Memory<P> {
    /// Every version of every fact, newest first.
    pub fn facts(&self) -> Vec<Fact> {
        self.state.borrow().facts.values().rev().cloned().collect()
    }

    /// All versions of one fact, newest first.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn fact_history(&self, id: FactId) -> Result<Vec<Fact>> {
        let state = self.state.borrow();
        let facts: Vec<&Fact> = state.facts.values().collect();
        match fact::history(id, &facts) {
            none if none.is_empty() => Err(not_found(id)),
            history => Ok(history.into_iter().cloned().collect()),
        }
    }

    /// Marks a fact as no longer true. It stays, with the reason, and can be restored.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` without a reason, `Storage`.
    pub async fn mark_stale(&self, id: FactId, reason: &str, by: Origin) -> Result<Fact> {
        if reason.trim().is_empty() {
            return Err(Error::InvalidInput {
                field: "reason",
                reason: "say why".into(),
            });
        }
        let fact = fact::mark_stale(&self.fact(id)?, reason.trim(), by, self.now());
        self.put(Action::MarkStale, vec![fact.clone()]).await?;
        Ok(fact)
    }

    /// Takes a stale mark back.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn restore_fact(&self, id: FactId) -> Result<Fact> {
        let fact = fact::restore(&self.fact(id)?);
        self.put(Action::Restore, vec![fact.clone()]).await?;
        Ok(fact)
    }

    /// Replaces what a fact says by a new version in the person's own words; the old version stays.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for an empty statement or a version that was replaced already, `Storage`.
    pub async fn correct(&self, id: FactId, statement: &str) -> Result<Fact> {
        let old = self.fact(id)?;
        if statement.trim().is_empty() {
            return Err(Error::InvalidInput {
                field: "statement",
                reason: "it is empty".into(),
            });
        }
        if old.superseded_by.is_some() {
            return Err(Error::InvalidInput {
                field: "id",
                reason: "this version was replaced; correct the newest one".into(),
            });
        }
        let now = self.now();
        let new = Fact {
            id: FactId::new(now.unix_ms, self.ports.clock().random()),
            statement: statement.trim().into(),
            entities: Vec::new(),
            numbers: Vec::new(),
            evidence: None,
            origin: Origin::Manual,
            confidence: Confidence::High,
            valid_from: now,
            recorded_at: now,
            supersedes: Some(old.id),
            superseded_by: None,
            stale: None,
            proof_count: 1,
            ..old.clone()
        };
        let old = Fact {
            superseded_by: Some(new.id),
            ..old
        };
        self.put(Action::Correct, vec![new.clone(), old]).await?;
        Ok(new)
    }

    fn fact(&self, id: FactId) -> Result<Fact> {
        self.ensure_open()?;
        self.state
            .borrow()
            .facts
            .get(&id)
            .cloned()
            .ok_or_else(|| not_found(id))
    }

    pub(super) async fn put(&self, action: Action, facts: Vec<Fact>) -> Result<()> {
        let mut batch = self.batch(Durability::Strict, action);
        batch.ops = facts
            .into_iter()
            .map(|fact| Op::Put(Record::Fact(fact)))
            .collect();
        self.commit(&batch).await?;
        self.index_missing().await;
        Ok(())
    }
}

fn not_found(id: FactId) -> Error {
    Error::NotFound {
        what: format!("fact {id}"),
    }
}
