//! What is known of models, as the page asks for it.

use super::engine::Browser;
use super::views::ErrorView;
use crate::claude::listing::Model;
use crate::claude::models::{Compaction, LongPrompt, Prices, TABLE_DATE};
use crate::memory::{Memory, ModelsStatus};
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// `off` switches asking for them off.
#[derive(Default, Deserialize)]
pub struct ModelsOption {
    #[serde(default)]
    pub off: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelsView {
    table_date: &'static str,
    refreshed: Option<f64>,
    error: Option<ErrorView>,
    models: Vec<ModelView>,
}

impl ModelsView {
    pub fn of(memory: &Memory<Rc<Browser>>) -> ModelsView {
        let status = ModelsStatusView::from(memory.models_status());
        ModelsView {
            table_date: status.table_date,
            refreshed: status.refreshed,
            error: status.error,
            models: memory.models().into_iter().map(Into::into).collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelsStatusView {
    table_date: &'static str,
    refreshed: Option<f64>,
    error: Option<ErrorView>,
}

impl From<ModelsStatus> for ModelsStatusView {
    fn from(status: ModelsStatus) -> ModelsStatusView {
        ModelsStatusView {
            table_date: TABLE_DATE,
            refreshed: status.refreshed.map(|at| at.unix_ms as f64),
            error: status.trouble.as_ref().map(ErrorView::from),
        }
    }
}

/// A value, and who says so.
#[derive(Serialize)]
struct Said<T> {
    value: T,
    source: &'static str,
}

fn said<T>(value: T, is_of_api: bool) -> Said<T> {
    let source = match is_of_api {
        true => "api",
        false => "built-in",
    };
    Said { value, source }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelView {
    id: String,
    name: Option<String>,
    lifecycle: Option<String>,
    listed: bool,
    context_tokens: Said<u32>,
    max_output_tokens: Said<u32>,
    structured_outputs: Said<bool>,
    clears_tool_uses: Said<bool>,
    clears_thinking: Said<bool>,
    compacts: Said<bool>,
    thinking: Said<Vec<&'static str>>,
    effort: Said<bool>,
    price: Option<PricesView>,
    long_prompt: Option<LongPromptView>,
}

impl From<Model> for ModelView {
    fn from(model: Model) -> ModelView {
        let listed = model.listed.is_some();
        let (api, info) = (model.listed.unwrap_or_default(), model.info);
        ModelView {
            id: model.id,
            listed,
            context_tokens: said(info.context_tokens, api.context_tokens.is_some()),
            max_output_tokens: said(info.max_output_tokens, api.max_output_tokens.is_some()),
            structured_outputs: said(info.structured_outputs, api.structured_outputs.is_some()),
            clears_tool_uses: said(info.clears_tool_uses, api.clears_tool_uses.is_some()),
            clears_thinking: said(info.clears_thinking, api.clears_thinking.is_some()),
            compacts: said(
                info.compaction == Compaction::OnDemandAndThreshold,
                api.compacts.is_some(),
            ),
            thinking: said(info.thinking.names(), api.names_thinking()),
            effort: said(info.effort, api.effort.is_some()),
            price: info.prices.map(Into::into),
            long_prompt: info.long_prompt.map(Into::into),
            name: api.display_name,
            lifecycle: api.lifecycle,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PricesView {
    input: f64,
    output: f64,
    cache_read: f64,
    cache_write_5m: f64,
    cache_write_1h: f64,
}

impl From<Prices> for PricesView {
    fn from(prices: Prices) -> PricesView {
        PricesView {
            input: prices.input,
            output: prices.output,
            cache_read: prices.cache_read,
            cache_write_5m: prices.cache_write_5m,
            cache_write_1h: prices.cache_write_1h,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LongPromptView {
    above_tokens: f64,
    price: PricesView,
}

impl From<LongPrompt> for LongPromptView {
    fn from(long: LongPrompt) -> LongPromptView {
        LongPromptView {
            above_tokens: long.above_tokens as f64,
            price: long.prices.into(),
        }
    }
}
