//! What was spent today.

use super::cost_of;
use crate::model::{Usage, UsageId};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// What requests of today cost, each counted once, whoever tells of it and however often.
///
/// A request counts for the day that the person's clock showed when it was sent, as [`By::Day`](super::By::Day) has it: also on the
/// day when summer time ends, which has 25 hours.
#[derive(Clone, Debug, Default)]
pub struct Spending {
    requests: BTreeMap<UsageId, (Timestamp, f64)>,
}

impl Spending {
    /// Counts a request. One without a known price counts as nothing.
    pub fn note(&mut self, usage: &Usage) {
        let cost = cost_of(usage).unwrap_or_default();
        self.requests.insert(usage.id, (usage.at, cost));
    }

    /// Takes over what another one counted.
    pub fn merge(&mut self, other: Spending) {
        self.requests.extend(other.requests);
    }

    /// US dollars since the day began on the clock that shows `now`.
    pub fn today_usd(&self, now: Timestamp) -> f64 {
        let today = |(at, _): &&(Timestamp, f64)| at.date() == now.date();
        let costs = self.requests.values().filter(today);
        costs.map(|(_, cost)| cost).sum()
    }

    /// Lets go of the days before.
    pub fn forget_before(&mut self, now: Timestamp) {
        self.requests.retain(|_, (at, _)| at.date() >= now.date());
    }
}
