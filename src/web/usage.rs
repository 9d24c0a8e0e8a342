//! What requests used and cost, as the page asks for it.

use super::browser::Browser;
use super::engine::{give, session_id};
use super::views::TokensView;
use crate::error::{Error, Result};
use crate::memory::Memory;
use crate::model::{Purpose, Usage};
use crate::usage::{By, UsageFilter, UsageTotal, cost_of, totals};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// What the page asks; `do` names the variant.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UsageRequest {
    List(FilterOption),
    Totals(FilterOption),
}

#[derive(Deserialize)]
pub struct FilterOption {
    /// Only for totals.
    by: Option<String>,
    session: Option<String>,
    from: Option<f64>,
    until: Option<f64>,
}

impl FilterOption {
    fn filter(self) -> Result<UsageFilter> {
        Ok(UsageFilter {
            session: session_id(self.session)?,
            from_ms: self.from.map(|ms| ms as i64),
            until_ms: self.until.map(|ms| ms as i64),
        })
    }
}

pub async fn answer(memory: &Memory<Rc<Browser>>, ask: UsageRequest) -> Result<JsValue> {
    match ask {
        UsageRequest::List(option) => {
            let usages = memory.usages(&option.filter()?).await?;
            give(&usages.iter().map(UsageView::from).collect::<Vec<_>>())
        }
        UsageRequest::Totals(option) => {
            let by = option.by.as_deref().and_then(By::from_name);
            let by = by.ok_or_else(|| Error::InvalidInput {
                field: "by",
                reason: "expected session, day, model or purpose".into(),
            })?;
            let usages = memory.usages(&option.filter()?).await?;
            let totals = totals(&usages, by);
            give(&totals.iter().map(TotalView::from).collect::<Vec<_>>())
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageView<'a> {
    id: String,
    purpose: Purpose,
    session: String,
    model: &'a str,
    request_id: Option<&'a str>,
    at: f64,
    tokens: TokensView,
    cost: Option<f64>,
    cache_share: Option<f64>,
    first_text_ms: Option<u32>,
}

impl<'a> From<&'a Usage> for UsageView<'a> {
    fn from(usage: &'a Usage) -> UsageView<'a> {
        UsageView {
            id: usage.id.to_string(),
            purpose: usage.purpose,
            session: usage.session.to_string(),
            model: &usage.model,
            request_id: usage.request_id.as_deref(),
            at: usage.at.unix_ms as f64,
            tokens: (&usage.tokens).into(),
            cost: cost_of(usage),
            cache_share: usage.tokens.cache_share(),
            first_text_ms: usage.first_text_ms,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TotalView<'a> {
    key: &'a str,
    requests: usize,
    tokens: TokensView,
    cost: Option<f64>,
    unpriced: usize,
    cache_share: Option<f64>,
    first_text_ms: Option<u32>,
}

impl<'a> From<&'a UsageTotal> for TotalView<'a> {
    fn from(total: &'a UsageTotal) -> TotalView<'a> {
        TotalView {
            key: &total.key,
            requests: total.n_requests,
            tokens: (&total.tokens).into(),
            cost: total.cost_usd,
            unpriced: total.n_unpriced,
            cache_share: total.tokens.cache_share(),
            first_text_ms: total.first_text_ms,
        }
    }
}
