//! Asking for what stands in the place of the oldest turns: a model for a summary, or the API for its own.

use super::wire::{header, read_all};
use super::{Cancel, Clock, HttpRequest, Memory, Ports};
use crate::claude::context::ContextEdits;
use crate::claude::failure::compaction_failure;
use crate::claude::message::Message;
use crate::claude::reply::{Reply, StopReason};
use crate::claude::request::{self, ChatRequest, TextRequest};
use crate::compact::{
    MAX_SUMMARY_TOKENS, MERGE_RULES, SUMMARY_RULES, Strategy, merge_input, next_merge,
    summary_input,
};
use crate::error::{CompactionFault, Error, Result};
use crate::model::{Purpose, SessionId, Summary, Turn, Usage, UsageId};
use serde_json::Value;

/// Requests for summaries, and what they used.
pub(super) struct Asking<'a, P: Ports> {
    pub memory: &'a Memory<P>,
    pub session: SessionId,
    pub cancel: &'a Cancel,
    pub usages: &'a mut Vec<Usage>,
}

impl<P: Ports> Asking<'_, P> {
    /// The summaries that stand for those before and these turns together.
    pub async fn summarise(
        mut self,
        strategy: Strategy,
        before: &[Summary],
        turns: &[Turn],
    ) -> Result<Vec<Summary>> {
        if strategy == Strategy::Summary {
            let texts: Vec<&str> = before.iter().map(|summary| summary.text.as_str()).collect();
            let known = (!texts.is_empty()).then(|| texts.join("\n\n"));
            let input = summary_input(known.as_deref(), turns);
            let text = self.ask(SUMMARY_RULES, &input).await?;
            return Ok(vec![Summary { level: 0, text }]);
        }
        let mut summaries = before.to_vec();
        let input = summary_input(None, turns);
        let text = self.ask(SUMMARY_RULES, &input).await?;
        summaries.push(Summary { level: 0, text });
        while let Some(range) = next_merge(&summaries) {
            let level = summaries[range.start].level.saturating_add(1);
            let input = merge_input(&summaries[range.clone()]);
            let text = self.ask(MERGE_RULES, &input).await?;
            summaries.splice(range, [Summary { level, text }]);
        }
        Ok(summaries)
    }

    /// What the API makes of these messages, as it came. They end with a finished answer, and none of them has a summary of the
    /// API's beside which another could not stand.
    ///
    /// # Errors
    /// `CompactionFailed`, and whatever sending gives.
    pub async fn have_compacted(mut self, messages: &[Message]) -> Result<Vec<Value>> {
        let memory = self.memory;
        let (model, request) = memory.with_live(self.session, |live| {
            let info = memory.model(&live.session.model);
            let request = ChatRequest {
                model: &live.session.model,
                max_tokens: memory.config.max_output_tokens.min(info.max_output_tokens),
                tools: &live.session.tools,
                drops_thinking: live.session.drops_thinking,
                system: &live.session.system,
                snapshot: &live.session.snapshot,
                context: &ContextEdits::default(),
                history: messages,
                newest: &[],
            };
            let headers = request.summary_headers();
            let request = HttpRequest::post("/v1/messages", headers, request.summary_body());
            (live.session.model.clone(), request)
        })?;
        let reply = self.send(&model, &request).await;
        let reply = reply.map_err(compaction_failure)?;
        let is_summary = |block: &Value| {
            let has_text = |field: &str| block[field].as_str().is_some_and(|text| !text.is_empty());
            block["type"] == "compaction" && has_text("content") && has_text("signature")
        };
        match reply.content.as_slice() {
            [block] if is_summary(block) && reply.stop_reason == StopReason::Compaction => {
                Ok(reply.content)
            }
            _ => Err(Error::CompactionFailed {
                fault: CompactionFault::NoSummary,
                message: "the answer holds no signed summary".into(),
            }),
        }
    }

    async fn ask(&mut self, instructions: &str, input: &str) -> Result<String> {
        let model = &self.memory.config.extraction_model;
        let body = TextRequest {
            model,
            info: &self.memory.model(model),
            max_tokens: MAX_SUMMARY_TOKENS,
            instructions,
            input,
        };
        let request = HttpRequest::post("/v1/messages", request::headers(), body.body());
        let reply = self.send(model, &request).await?;
        match reply.text().trim() {
            "" => Err(Error::MalformedStream {
                message: "the answer holds no summary".into(),
            }),
            _ if reply.stop_reason.is_cut() => Err(Error::MalformedStream {
                message: "the summary was cut at its limit".into(),
            }),
            text => Ok(text.into()),
        }
    }

    /// Sends a request and counts what it used, whatever its answer is good for.
    async fn send(&mut self, model: &str, request: &HttpRequest) -> Result<Reply> {
        let memory = self.memory;
        let at = memory.now();
        let response = memory.send_billed(model, request, self.cancel, |_, _, _| {});
        let mut response = response.await?;
        let request_id = header(&response, "request-id");
        let body = read_all(&mut response.body, self.cancel).await?;
        let reply = Reply::from_json(&String::from_utf8_lossy(&body), request_id)?;
        let usage = Usage {
            v: Usage::VERSION,
            id: UsageId::new(at.unix_ms, memory.ports.clock().random()),
            purpose: Purpose::Compact,
            session: self.session,
            model: model.into(),
            request_id: reply.request_id.clone(),
            tokens: reply.tokens.clone(),
            at,
            first_text_ms: None,
        };
        memory.note_spent(&usage);
        self.usages.push(usage);
        Ok(reply)
    }
}
