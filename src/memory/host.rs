//! What a host brings to one message: its tools, and its say at the hook points.

use crate::agent::{ToolCall, ToolOutput};
use crate::claude::reply::StopReason;
use crate::error::Result;
use crate::model::{SessionId, Tokens, Turn};
use serde_json::Value;

/// The page, as the loop asks it. Every default is that of a host that brings nothing.
///
/// A hook that fails ends the message with its error, `HookFailed`, and nothing is recorded; only before a tool it is the
/// tool's result. No hook can change what Claude was sent or has said: those bytes are what its cache and its thinking
/// are bound to.
#[allow(async_fn_in_trait, reason = "one driver awaits, on one thread")]
pub trait Host {
    /// What keeps other tabs from changing memory files until it is dropped.
    type FilesHeld;

    /// Waits until no other tab changes memory files: two that edit one file at once must not lose either edit.
    async fn hold_files(&self) -> Self::FilesHeld;

    /// Runs one of the host's own tools; `None` if it has none of this name. What the tool throws is an output, too.
    async fn run_tool(&self, call: &ToolCall) -> Option<ToolOutput> {
        let _ = call;
        None
    }

    /// Before a block is put before the words of a message: what is put there instead; `None` for nothing.
    async fn before_inject(&self, text: &str, block: String) -> Result<Option<String>> {
        let _ = text;
        Ok(Some(block))
    }

    /// Before a request goes out, with its body.
    async fn before_request(&self, session: SessionId, body: &str) -> Result<()> {
        let _ = (session, body);
        Ok(())
    }

    /// After a reply was complete, before its tools run.
    async fn after_reply(&self, reply: &ReplySeen<'_>) -> Result<()> {
        let _ = reply;
        Ok(())
    }

    /// Before a tool runs, whosever it is: its result, if it is not to run.
    async fn before_tool(&self, call: &ToolCall) -> Option<ToolOutput> {
        let _ = call;
        None
    }

    /// Before an exchange is stored.
    async fn before_store(&self, turns: &[Turn]) -> Result<Storing> {
        let _ = turns;
        Ok(Storing::WithFacts)
    }
}

/// A reply as a host sees it.
pub struct ReplySeen<'a> {
    pub content: &'a [Value],
    pub stop_reason: &'a StopReason,
    pub model: &'a str,
    pub tokens: &'a Tokens,
}

/// How an exchange is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storing {
    /// Facts are read out of it later.
    WithFacts,
    /// It is kept and recalled as what was said, and no facts are read out of it.
    WordsOnly,
}

/// A host without tools, in the only tab.
pub struct NoHost;

impl Host for NoHost {
    type FilesHeld = ();

    async fn hold_files(&self) {}
}
