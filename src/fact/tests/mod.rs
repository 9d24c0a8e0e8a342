//! One conversation at a time: facts in, proposals in, facts out.

mod properties;
mod rules;

use super::{Proposal, resolve};
use crate::batch::Op;
use crate::model::{
    Confidence, Evidence, Fact, FactId, FactType, Origin, Record, SUBJECT_USER, SessionId, TurnId,
};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400_000;

/// A store of facts that refuses what the real one refuses.
#[derive(Clone, Debug, Default, PartialEq)]
struct Facts {
    rows: BTreeMap<FactId, Fact>,
    n_made: u128,
}

impl Facts {
    fn resolve(&self, proposals: &[Proposal]) -> (Vec<Op>, u128) {
        let known: Vec<&Fact> = self.rows.values().collect();
        let mut n_made = self.n_made;
        let ops = resolve(
            proposals.to_vec(),
            &known,
            Timestamp::utc(1_000 * DAY),
            || {
                n_made += 1;
                FactId::new(1_000 * DAY, n_made)
            },
        );
        (ops, n_made)
    }

    /// Applies the proposals and returns how many ops that took.
    fn learn(&mut self, proposals: &[Proposal]) -> usize {
        let (ops, n_made) = self.resolve(proposals);
        self.n_made = n_made;
        let mut written = BTreeSet::new();
        for op in &ops {
            let (fact, must_exist) = match op {
                Op::Insert(Record::Fact(fact)) => (fact, false),
                Op::Put(Record::Fact(fact)) => (fact, true),
                other => panic!("unexpected {other:?}"),
            };
            assert!(written.insert(fact.id), "two ops for {}", fact.id);
            assert_eq!(self.rows.contains_key(&fact.id), must_exist);
            self.rows.insert(fact.id, fact.clone());
        }
        ops.len()
    }

    fn by_statement(&self, statement: &str) -> &Fact {
        let mut found = self
            .rows
            .values()
            .filter(|fact| fact.statement == statement);
        let fact = found.next().unwrap_or_else(|| panic!("no {statement:?}"));
        assert!(found.next().is_none(), "two of {statement:?}");
        fact
    }

    fn id(&self, statement: &str) -> Option<FactId> {
        Some(self.by_statement(statement).id)
    }

    fn current(&self) -> Vec<&str> {
        let current = self.rows.values().filter(|fact| fact.is_current());
        current.map(|fact| fact.statement.as_str()).collect()
    }
}

fn turn(session: u128, index: u32) -> TurnId {
    TurnId {
        session: SessionId::new(session as i64, session),
        index,
    }
}

/// Turn `index` of session 1, said on day `index`, by the user about their cloud provider.
fn said(index: u32, statement: &str) -> Proposal {
    let said_at = Timestamp::utc(i64::from(index) * DAY);
    Proposal {
        fact_type: FactType::Decision,
        subject: SUBJECT_USER.into(),
        attribute: "cloud provider".into(),
        statement: statement.into(),
        entities: vec![],
        numbers: vec![],
        evidence: Evidence {
            turn: turn(1, index),
            start: 0,
            end: statement.encode_utf16().count() as u32,
            quote: statement.into(),
        },
        said_at,
        origin: Origin::User,
        confidence: Confidence::High,
        valid_from: said_at,
        supersedes: None,
    }
}

fn replacing(supersedes: Option<FactId>, proposal: Proposal) -> Proposal {
    Proposal {
        supersedes,
        ..proposal
    }
}

fn about(fact_type: FactType, attribute: &str, proposal: Proposal) -> Proposal {
    Proposal {
        fact_type,
        attribute: attribute.into(),
        ..proposal
    }
}
