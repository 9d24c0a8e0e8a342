//! What is known of models, as the page asks for it.

use super::browser::Browser;
use super::views::ErrorView;
use crate::claude::listing::{Listed, Model};
use crate::claude::models::{Compaction, Prices, TABLE_DATE};
use crate::memory::{Memory, ModelsStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::rc::Rc;

/// `off` switches asking for them off.
#[derive(Default, Deserialize)]
pub struct ModelsOption {
    #[serde(default)]
    pub off: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelsStatusView {
    table_date: &'static str,
    refreshed: Option<f64>,
    error: Option<ErrorView>,
    /// Not in the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<Vec<Value>>,
}

impl ModelsStatusView {
    /// With all models.
    pub fn of(memory: &Memory<Rc<Browser>>) -> ModelsStatusView {
        ModelsStatusView {
            models: Some(memory.models().iter().map(model_view).collect()),
            ..memory.models_status().into()
        }
    }
}

impl From<ModelsStatus> for ModelsStatusView {
    fn from(status: ModelsStatus) -> ModelsStatusView {
        ModelsStatusView {
            table_date: TABLE_DATE,
            refreshed: status.refreshed.map(|at| at.unix_ms as f64),
            error: status.trouble.as_ref().map(ErrorView::from),
            models: None,
        }
    }
}

/// As a value: a type of its own for each of the many small objects would be several times the code.
fn model_view(model: &Model) -> Value {
    let nothing = Listed::default();
    let (api, info) = (model.listed.as_ref().unwrap_or(&nothing), &model.info);
    let compacts = info.compaction == Compaction::OnDemandAndThreshold;
    let names: Vec<Value> = info.thinking.names().into_iter().map(Value::from).collect();
    let values: [(&str, Value, bool); 8] = [
        (
            "contextTokens",
            info.context_tokens.into(),
            api.context_tokens.is_some(),
        ),
        (
            "maxOutputTokens",
            info.max_output_tokens.into(),
            api.max_output_tokens.is_some(),
        ),
        (
            "structuredOutputs",
            info.structured_outputs.into(),
            api.structured_outputs.is_some(),
        ),
        (
            "clearsToolUses",
            info.clears_tool_uses.into(),
            api.clears_tool_uses.is_some(),
        ),
        (
            "clearsThinking",
            info.clears_thinking.into(),
            api.clears_thinking.is_some(),
        ),
        ("compacts", compacts.into(), api.compacts.is_some()),
        ("thinking", Value::Array(names), api.names_thinking()),
        ("effort", info.effort.into(), api.effort.is_some()),
    ];
    let long = info.long_prompt.as_ref();
    let long_prompt = long
        .map(|long| json!({"aboveTokens": long.above_tokens, "price": price_view(&long.prices)}));
    let mut view = json!({
        "id": model.id.as_str(),
        "name": api.display_name.as_deref(),
        "lifecycle": api.lifecycle.as_deref(),
        "listed": model.listed.is_some(),
        "price": info.prices.as_ref().map(price_view),
        "longPrompt": long_prompt,
    });
    for (name, value, is_of_api) in values {
        let source = match is_of_api {
            true => "api",
            false => "built-in",
        };
        view[name] = json!({"value": value, "source": source});
    }
    view
}

fn price_view(prices: &Prices) -> Value {
    json!({
        "input": prices.input,
        "output": prices.output,
        "cacheRead": prices.cache_read,
        "cacheWrite5m": prices.cache_write_5m,
        "cacheWrite1h": prices.cache_write_1h,
    })
}
