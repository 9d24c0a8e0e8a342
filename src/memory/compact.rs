//! Leaving the oldest turns of a long session out of its requests, before a message.

use super::wire::{header, read_all};
use super::{Cancel, ChatEvent, Clock, HttpRequest, LiveSession, Memory, Ports};
use crate::batch::Op;
use crate::claude::context::ContextEdits;
use crate::claude::reply::Reply;
use crate::claude::request::{self, TextRequest};
use crate::compact::{
    Left, MAX_SUMMARY_TOKENS, MERGE_RULES, SUMMARY_RULES, Strategy, cut, let_go, merge_input,
    next_merge, notice, summary_input,
};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::{Compacted, Fact, Purpose, Record, SessionId, Summary, Turn, Usage, UsageId};

impl Config {
    /// What requests allow the API to leave out by itself.
    pub(super) fn context_edits(&self) -> ContextEdits {
        let server = self
            .compaction
            .filter(|policy| policy.strategy == Strategy::Server);
        ContextEdits {
            clear_tools: self.clear_tools.clone(),
            keep_thinking: self.keep_thinking,
            compact_at: server.map(|policy| policy.at_tokens),
        }
    }
}

/// The strategy that is carried out here; `None` where the API does it by these edits.
fn local(strategy: Strategy, edits: &ContextEdits) -> Option<Strategy> {
    match (strategy, edits.compact_at) {
        (Strategy::Server, Some(_)) => None,
        (Strategy::Server, None) => Some(Strategy::Summary),
        (strategy, _) => Some(strategy),
    }
}

impl<P: Ports> Memory<P> {
    /// Compacts a session that the next message would be too long for. Where that fails, the chat goes on as it was.
    ///
    /// What is changed is written with the message that follows.
    ///
    /// # Errors
    /// `Cancelled`, `SessionEnded`.
    pub(super) async fn compact_if_long(
        &self,
        id: SessionId,
        cancel: &Cancel,
        emit: &impl Fn(ChatEvent),
    ) -> Result<()> {
        let Some(policy) = self.config.compaction else {
            return Ok(());
        };
        let strategy = self.with_live(id, |live| {
            let from = live.session.compacted.as_ref().map_or(0, |left| left.from);
            let n_sent = (live.next_index - from) as usize;
            // What is not on disk can not be read from there.
            let info = self.model(&live.session.model);
            let policy = policy.within(info.longest_prompt());
            let is_there = live.unsaved.is_empty() || !self.config.preset.keeps_turns();
            let is_due = policy.is_due(live.prompt_tokens, n_sent) && is_there;
            let edits = self.config.context_edits().for_request(&info, true);
            is_due.then(|| local(policy.strategy, &edits)).flatten()
        })?;
        let Some(strategy) = strategy else {
            return Ok(());
        };
        if !self.config.preset.keeps_turns() {
            return self.slide(id, policy.keep_turns, emit);
        }
        match self
            .compact(id, strategy, policy.keep_turns, cancel, emit)
            .await
        {
            Err(error @ (Error::Cancelled | Error::SessionEnded { .. })) => Err(error),
            Err(error) => {
                emit(ChatEvent::Notice(error));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn compact(
        &self,
        id: SessionId,
        mut strategy: Strategy,
        keep: u32,
        cancel: &Cancel,
        emit: &impl Fn(ChatEvent),
    ) -> Result<()> {
        let erasures = self.erasures();
        let (turns, injections) = self.spoken(id).await?;
        let before = self.with_live(id, |live| live.session.compacted.clone())?;
        let from = before.as_ref().map_or(0, |left| left.from);
        let first = turns.partition_point(|turn| turn.id.index < from);
        let sent = &turns[first..];
        let n_left = cut(sent, keep as usize);
        if n_left == 0 {
            return Ok(());
        }
        emit(ChatEvent::Compacting(strategy));
        let mut summaries = before.map(|left| left.summaries).unwrap_or_default();
        let mut usages = Vec::new();
        if matches!(strategy, Strategy::Summary | Strategy::Hierarchical) {
            let asked = Asking {
                memory: self,
                session: id,
                cancel,
                usages: &mut usages,
            };
            match asked.summarise(strategy, &summaries, &sent[..n_left]).await {
                Ok(new) => summaries = new,
                Err(Error::Cancelled) => {
                    self.keep_paid(usages).await;
                    return Err(Error::Cancelled);
                }
                // What was summed up earlier still holds for its part.
                Err(error) => {
                    emit(ChatEvent::Notice(error));
                    strategy = Strategy::Window;
                }
            }
        }
        let from = sent[n_left].id.index;
        let facts = match strategy {
            Strategy::Retrieve => self.facts_of(id, from),
            _ => Vec::new(),
        };
        let text = notice(&Left {
            n_turns: from,
            strategy,
            summaries: &summaries,
            facts: &facts,
        });
        // A summary may tell what was erased meanwhile: it is made again before the next message.
        if self.erasures() != erasures {
            self.keep_paid(usages).await;
            return Ok(());
        }
        self.with_live(id, |live| {
            let mut session = live.session.clone();
            session.compacted = Some(Compacted {
                from,
                thinking_from: live.next_index,
                text,
                summaries,
            });
            let owed = [Op::Put(Record::Session(session.clone()))].into_iter();
            let owed = owed.chain(
                usages
                    .into_iter()
                    .map(|usage| Op::Insert(Record::Usage(usage))),
            );
            *live = LiveSession {
                busy: live.busy,
                unsaved: owed.collect(),
                ..LiveSession::of(session, &turns, &injections)
            };
        })?;
        emit(ChatEvent::Compacted {
            strategy,
            n_turns: n_left as u32,
        });
        Ok(())
    }

    /// The same where nothing is stored: whatever the strategy, the oldest messages go and nothing is asked of a model. What is let
    /// go of is nowhere any more.
    fn slide(&self, id: SessionId, keep: u32, emit: &impl Fn(ChatEvent)) -> Result<()> {
        let strategy = Strategy::Window;
        let n_gone = self.with_live(id, |live| {
            let before = live.session.compacted.as_ref().map_or(0, |left| left.from);
            let mut text = String::new();
            let n_gone = let_go(&mut live.history, keep as usize, |n_gone| {
                text = notice(&Left {
                    n_turns: before + n_gone as u32,
                    strategy,
                    summaries: &[],
                    facts: &[],
                });
                text.clone()
            });
            if n_gone > 0 {
                live.session.compacted = Some(Compacted {
                    from: before + n_gone as u32,
                    thinking_from: live.next_index,
                    text,
                    summaries: Vec::new(),
                });
                let calibration = self.calibration(&live.session.model);
                live.prompt_tokens = calibration.tokens(live.size(&live.history).tokens);
            }
            n_gone as u32
        })?;
        if n_gone > 0 {
            emit(ChatEvent::Compacting(strategy));
            emit(ChatEvent::Compacted {
                strategy,
                n_turns: n_gone,
            });
        }
        Ok(())
    }

    /// The facts that hold and rest on a session's turns before this position, oldest first.
    fn facts_of(&self, session: SessionId, before: u32) -> Vec<Fact> {
        let state = self.state.borrow();
        let rests = |fact: &&Fact| {
            let turn = fact.evidence.as_ref().map(|evidence| evidence.turn);
            fact.is_current()
                && turn.is_some_and(|turn| turn.session == session && turn.index < before)
        };
        state.facts.values().filter(rests).cloned().collect()
    }
}

/// Requests for summaries, and what they used.
struct Asking<'a, P: Ports> {
    memory: &'a Memory<P>,
    session: SessionId,
    cancel: &'a Cancel,
    usages: &'a mut Vec<Usage>,
}

impl<P: Ports> Asking<'_, P> {
    /// The summaries that stand for those before and these turns together.
    async fn summarise(
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

    async fn ask(&mut self, instructions: &str, input: &str) -> Result<String> {
        let memory = self.memory;
        let body = TextRequest {
            model: &memory.config.extraction_model,
            info: &memory.model(&memory.config.extraction_model),
            max_tokens: MAX_SUMMARY_TOKENS,
            instructions,
            input,
        };
        let request = HttpRequest::post("/v1/messages", request::headers(), body.body());
        let at = memory.now();
        let model = &memory.config.extraction_model;
        let response = memory.send_billed(model, &request, self.cancel, |_, _, _| {});
        let mut response = response.await?;
        let request_id = header(&response, "request-id");
        let body = read_all(&mut response.body, self.cancel).await?;
        let reply = Reply::from_json(&String::from_utf8_lossy(&body), request_id)?;
        let text = reply.text();
        let is_cut = reply.stop_reason.is_cut();
        let usage = Usage {
            v: Usage::VERSION,
            id: UsageId::new(at.unix_ms, memory.ports.clock().random()),
            purpose: Purpose::Compact,
            session: self.session,
            model: memory.config.extraction_model.clone(),
            request_id: reply.request_id,
            tokens: reply.tokens,
            at,
            first_text_ms: None,
        };
        memory.note_spent(&usage);
        self.usages.push(usage);
        match text.trim() {
            "" => Err(Error::MalformedStream {
                message: "the answer holds no summary".into(),
            }),
            _ if is_cut => Err(Error::MalformedStream {
                message: "the summary was cut at its limit".into(),
            }),
            text => Ok(text.into()),
        }
    }
}
