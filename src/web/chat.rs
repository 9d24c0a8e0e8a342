//! Messages to Claude, and calls of this library's own tools, as the page asks for them.

use super::chat_view::{ChatEventView, stop_reason};
use super::engine::{give, session_id};
use super::host::PageHost;
use crate::agent::{Limits, ToolCall, definitions};
use crate::error::{Error, Result};
use crate::memory::{Cancel, Memory, Ports, Send};
use js_sys::Function;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasm_bindgen::JsValue;

/// setTimeout takes at most 2³¹ − 1 ms.
const LONGEST_TIMER_MS: f64 = 2_147_483_647.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendRequest {
    session: Option<String>,
    text: String,
    model: Option<String>,
    instructions: Option<String>,
    /// Definitions as JSON text: a JavaScript object would reorder keys that look like numbers.
    tools: Option<String>,
    #[serde(default)]
    limits: LimitsRequest,
    #[serde(default)]
    hooks: Vec<String>,
}

#[derive(Default, Deserialize)]
struct LimitsRequest {
    turns: Option<u32>,
    cost: Option<f64>,
    ms: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ToolRequest {
    /// The definitions of this library's own tools.
    Definitions,
    /// A call of one of them by a loop of the host's own; its input as JSON.
    Run {
        name: String,
        input: String,
        session: Option<String>,
    },
}

/// What is there for one call, beside what it asks.
pub struct Call<'a> {
    pub cancel: &'a Cancel,
    pub emit: Option<&'a Function>,
    pub ask: Option<&'a Function>,
    pub hold: &'a Function,
}

pub async fn send<P: Ports>(
    memory: &Memory<P>,
    request: SendRequest,
    call: Call<'_>,
) -> Result<JsValue> {
    let tools: Vec<Value> = match &request.tools {
        Some(tools) => serde_json::from_str(tools).map_err(|_| Error::InvalidInput {
            field: "tools",
            reason: "they are not JSON, or hold half a character".into(),
        })?,
        None => Vec::new(),
    };
    let names = tools.iter().filter_map(|tool| tool["name"].as_str());
    let host = PageHost {
        ask: call.ask,
        hold: call.hold,
        tools: names.map(String::from).collect(),
        hooks: request.hooks,
    };
    let unlimited = Limits::default();
    let send = Send {
        session: session_id(request.session)?,
        text: request.text,
        model: request.model,
        instructions: request.instructions,
        tools,
        limits: Limits {
            turns: request.limits.turns.unwrap_or(unlimited.turns),
            cost_usd: request.limits.cost,
            ms: request.limits.ms.map(|ms| ms.min(LONGEST_TIMER_MS) as u32),
        },
    };
    let sent = memory.send_with(&send, &host, call.cancel, |event| {
        if let (Some(emit), Ok(event)) = (call.emit, give(&ChatEventView::from(&event))) {
            // A listener that throws is the page's affair; the answer goes on.
            let _ = emit.call1(&JsValue::UNDEFINED, &event);
        }
    });
    let sent = sent.await?;
    give(&SentView {
        session: sent.session.to_string(),
        turns: sent.turns.iter().map(ToString::to_string).collect(),
        stop_reason: stop_reason(&sent.stop_reason),
    })
}

pub async fn tool<P: Ports>(
    memory: &Memory<P>,
    request: ToolRequest,
    hold: &Function,
) -> Result<JsValue> {
    let (name, input, session) = match request {
        ToolRequest::Definitions => return give(&definitions()),
        ToolRequest::Run {
            name,
            input,
            session,
        } => (name, input, session),
    };
    let input = serde_json::from_str(&input).map_err(|_| Error::InvalidInput {
        field: "input",
        reason: "it is not JSON, or holds half a character".into(),
    })?;
    let call = ToolCall {
        id: String::new(),
        name,
        input,
    };
    let host = PageHost {
        ask: None,
        hold,
        tools: Vec::new(),
        hooks: Vec::new(),
    };
    let output = memory.run_built_in(&call, session_id(session)?, &host);
    let output = output.await.ok_or_else(|| Error::NotFound {
        what: "tool of this name".into(),
    })?;
    give(&ToolOutputView {
        content: &output.content,
        is_error: output.is_error,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SentView<'a> {
    session: String,
    turns: Vec<String>,
    stop_reason: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolOutputView<'a> {
    content: &'a Value,
    is_error: bool,
}
