//! What requests used and cost, summed up.
//!
//! A [`Usage`] is the record of one request that was answered to its end. A request that failed on the way may have been billed,
//! too, and nobody here knows of how many tokens: all sums are of what is known.

mod spending;

pub use spending::Spending;

use crate::claude::models::cost_usd;
use crate::model::{Purpose, SessionId, Tokens, Usage};
use std::collections::BTreeMap;

/// Which requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter {
    pub session: Option<SessionId>,
    /// Sent at or after this time.
    pub from_ms: Option<i64>,
    /// Sent before this time.
    pub until_ms: Option<i64>,
}

impl UsageFilter {
    pub fn matches(&self, usage: &Usage) -> bool {
        let at_ms = usage.at.unix_ms;
        self.session.is_none_or(|session| usage.session == session)
            && self.from_ms.is_none_or(|from_ms| at_ms >= from_ms)
            && self.until_ms.is_none_or(|until_ms| at_ms < until_ms)
    }
}

/// What requests are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Session,
    /// The day on the person's clock when the request was sent, as `2026-11-21`.
    Day,
    Model,
    Purpose,
}

impl By {
    pub fn from_name(name: &str) -> Option<By> {
        match name {
            "session" => Some(By::Session),
            "day" => Some(By::Day),
            "model" => Some(By::Model),
            "purpose" => Some(By::Purpose),
            _ => None,
        }
    }

    fn key(self, usage: &Usage) -> String {
        match self {
            By::Session => usage.session.to_string(),
            By::Day => usage.at.date().to_string(),
            By::Model => usage.model.clone(),
            By::Purpose => purpose_name(usage.purpose).into(),
        }
    }
}

/// The name of a purpose, as it is stored.
pub fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Chat => "chat",
        Purpose::Extract => "extract",
        Purpose::Compact => "compact",
    }
}

/// Requests that have something in common, summed up.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageTotal {
    /// The session, day, model or purpose.
    pub key: String,
    pub n_requests: usize,
    pub tokens: Tokens,
    /// Of the requests whose price is known; `None` if that is none of them.
    pub cost_usd: Option<f64>,
    /// Requests whose price is not known, and is not in the cost.
    pub n_unpriced: usize,
    /// The median of the streamed ones; `None` if there is none.
    pub first_text_ms: Option<u32>,
}

/// One total for each key, in the order of the keys.
pub fn totals(usages: &[Usage], by: By) -> Vec<UsageTotal> {
    let mut groups: BTreeMap<String, Vec<&Usage>> = BTreeMap::new();
    for usage in usages {
        groups.entry(by.key(usage)).or_default().push(usage);
    }
    let total = |(key, group): (String, Vec<&Usage>)| {
        let costs: Vec<f64> = group.iter().filter_map(|usage| cost_of(usage)).collect();
        let mut waits: Vec<u32> = group
            .iter()
            .filter_map(|usage| usage.first_text_ms)
            .collect();
        waits.sort_unstable();
        UsageTotal {
            key,
            n_requests: group.len(),
            tokens: sum(group.iter().map(|usage| &usage.tokens)),
            cost_usd: (!costs.is_empty()).then(|| costs.iter().sum()),
            n_unpriced: group.len() - costs.len(),
            first_text_ms: waits.get(waits.len() / 2).copied(),
        }
    };
    groups.into_iter().map(total).collect()
}

/// What a request cost in US dollars, by the table of prices; `None` if its model's price is not known.
pub fn cost_of(usage: &Usage) -> Option<f64> {
    cost_usd(&usage.model, &usage.tokens)
}

fn sum<'a>(all: impl Iterator<Item = &'a Tokens>) -> Tokens {
    let nothing = Tokens {
        cache_write_1h: Some(0),
        ..Tokens::default()
    };
    all.fold(nothing, |sum, tokens| Tokens {
        input: sum.input.saturating_add(tokens.input),
        output: sum.output.saturating_add(tokens.output),
        cache_read: sum.cache_read.saturating_add(tokens.cache_read),
        cache_write: sum.cache_write.saturating_add(tokens.cache_write),
        cache_write_1h: sum
            .cache_write_1h
            .zip(tokens.cache_write_1h)
            .map(|(sum, hour)| sum.saturating_add(hour)),
    })
}

#[cfg(test)]
mod tests;
