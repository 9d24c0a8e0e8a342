//! The page, as the loop asks it: its tools and hooks are functions there, and the engine is in a thread of its own.

use crate::agent::{ToolCall, ToolOutput};
use crate::error::{Error, Result};
use crate::memory::{Host, ReplySeen, Storing};
use crate::model::{SessionId, Turn};
use js_sys::{Function, Promise, Reflect};
use serde_json::{Value, json};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The page during one call.
pub struct PageHost<'a> {
    /// Asks the page: takes a name and JSON, gives a promise of JSON. `None` if the call came without a way back.
    pub ask: Option<&'a Function>,
    /// Gives a turn at the memory files: `held`, a promise that it came, and `release`, which ends it or the waiting for it.
    pub hold: &'a Function,
    /// The names of its tools.
    pub tools: Vec<String>,
    /// The names of its hooks: a page is not asked for what it does not have.
    pub hooks: Vec<String>,
}

/// A turn at the memory files. It ends when it is dropped.
pub struct Held(Option<Function>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

impl PageHost<'_> {
    /// What the page answers; the error is the words of what it threw.
    async fn told(&self, what: &str, of: &Value) -> std::result::Result<Value, String> {
        let ask = self.ask.ok_or("there is no way to ask the page")?;
        let promise = ask.call2(&JsValue::UNDEFINED, &what.into(), &of.to_string().into());
        let promise = promise.map_err(|error| words(&error))?;
        let told = JsFuture::from(Promise::resolve(&promise)).await;
        let told = told.map_err(|error| words(&error))?;
        match told.as_string() {
            Some(json) => serde_json::from_str(&json).map_err(|_| "its answer is no JSON".into()),
            None => Ok(Value::Null),
        }
    }

    /// What a hook answers; null if the page has none of this name.
    async fn hook(&self, hook: &'static str, of: Value) -> Result<Value> {
        if !self.hooks.iter().any(|name| name == hook) {
            return Ok(Value::Null);
        }
        let told = self.told(hook, &of).await;
        told.map_err(|message| Error::HookFailed { hook, message })
    }
}

impl Host for PageHost<'_> {
    type FilesHeld = Held;

    async fn hold_files(&self) -> Held {
        let turn = self.hold.call0(&JsValue::UNDEFINED).unwrap_or_default();
        let part = |name: &str| Reflect::get(&turn, &name.into()).unwrap_or_default();
        // Before waiting, so that whoever stops waiting leaves the line, too.
        let held = Held(part("release").dyn_into().ok());
        let _ = JsFuture::from(Promise::resolve(&part("held"))).await;
        held
    }

    async fn run_tool(&self, call: &ToolCall) -> Option<ToolOutput> {
        if !self.tools.contains(&call.name) {
            return None;
        }
        Some(match self.told("tool", &shown(call)).await {
            Ok(told) => output(&told),
            Err(message) => ToolOutput::error(message),
        })
    }

    async fn before_inject(&self, text: &str, block: String) -> Result<Option<String>> {
        let of = json!({"text": text, "block": block});
        // `{block}` to put something else there; null in it for nothing.
        let told = self.hook("beforeInject", of).await?;
        Ok(match told.get("block") {
            None => Some(block),
            Some(instead) => instead.as_str().map(String::from),
        })
    }

    async fn before_request(&self, session: SessionId, body: &str) -> Result<()> {
        let of = json!({"session": session.to_string(), "body": body});
        self.hook("beforeRequest", of).await.map(drop)
    }

    async fn after_reply(&self, reply: &ReplySeen<'_>) -> Result<()> {
        let tokens = reply.tokens;
        let of = json!({
            "content": reply.content,
            "stopReason": reply.stop_reason.name(),
            "model": reply.model,
            "tokens": {
                "input": tokens.input,
                "output": tokens.output,
                "cacheRead": tokens.cache_read,
                "cacheWrite": tokens.cache_write,
                "cacheWrite1h": tokens.cache_write_1h,
            },
        });
        self.hook("afterReply", of).await.map(drop)
    }

    async fn before_tool(&self, call: &ToolCall) -> Option<ToolOutput> {
        match self.hook("beforeTool", shown(call)).await {
            Ok(Value::Null) => None,
            Ok(told) => Some(output(&told)),
            Err(error) => Some(ToolOutput::error(error.to_string())),
        }
    }

    async fn before_store(&self, turns: &[Turn]) -> Result<Storing> {
        let turns = turns.iter().map(|turn| {
            json!({"id": turn.id.to_string(), "role": turn.role, "text": turn.text(), "content": turn.content})
        });
        let of = json!({"turns": turns.collect::<Vec<_>>()});
        let told = self.hook("beforeStore", of).await?;
        Ok(match told["facts"] == false {
            true => Storing::WordsOnly,
            false => Storing::WithFacts,
        })
    }
}

fn shown(call: &ToolCall) -> Value {
    json!({"id": call.id, "name": call.name, "input": call.input})
}

fn output(told: &Value) -> ToolOutput {
    ToolOutput {
        content: match &told["content"] {
            content @ (Value::String(_) | Value::Array(_)) => content.clone(),
            _ => Value::String(String::new()),
        },
        is_error: told["isError"] == true,
    }
}

/// The message of what was thrown.
fn words(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok();
    message
        .and_then(|message| message.as_string())
        .or_else(|| error.as_string())
        .unwrap_or_else(|| "it threw".into())
}
