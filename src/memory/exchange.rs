//! What one message leads to: requests, replies, and the tools that Claude calls in between.
//!
//! Nothing of it is stored before it is complete. Until then an [`Exchange`] holds it, and whatever fails drops it whole:
//! a call without its result, which the API takes in no later request, is neither on disk nor in the session.

use super::host::{Host, ReplySeen};
use super::together::{together, unless};
use super::tools::Desk;
use super::wire::Answer;
use super::{Cancel, ChatEvent, Clock, Memory, Ports};
use crate::agent::{Limits, Spent, ToolCall, ToolOutput, calls_of, is_built_in, results};
use crate::claude::message::{AFTER_RESULTS, Message, messages_of};
use crate::claude::reply::StopReason;
use crate::error::{Error, Result};
use crate::model::{
    Artifact, Fact, Injection, Purpose, Role, SessionId, Surfaced, Turn, TurnId, TurnScoped, Usage,
    UsageId,
};
use crate::time::Timestamp;
use serde_json::Value;
use std::future::Future;
use std::rc::Rc;

/// Everything that came of one message so far.
pub(super) struct Exchange {
    pub session: SessionId,
    pub model: String,
    /// The user's turn first.
    pub turns: Vec<Turn>,
    /// The same as the API has them.
    pub messages: Vec<Message>,
    /// The ledger's entries of the turns.
    pub injections: Vec<Injection>,
    /// Facts that Claude noted. They rest on turns that are not stored yet, so they are stored with them.
    pub notes: Vec<Fact>,
    /// What was too large of the results.
    pub artifacts: Vec<Rc<Artifact>>,
    /// One for each request.
    pub usages: Vec<Usage>,
    pub drops_thinking: bool,
    /// Of the last request with its reply; 0 before any.
    pub prompt_tokens: u64,
    first_index: u32,
}

impl Exchange {
    pub fn turn_ids(&self) -> Vec<TurnId> {
        self.turns.iter().map(|turn| turn.id).collect()
    }

    /// The memories that went to Claude with it.
    pub fn surfaced(&self) -> impl Iterator<Item = Surfaced> {
        let all = self.injections.iter().flat_map(Injection::all_surfaced);
        all.copied()
    }

    /// Those that later requests still show.
    pub fn lasting(&self) -> impl Iterator<Item = Surfaced> {
        let shown = self.injections.iter();
        shown.flat_map(|injection| &injection.surfaced).copied()
    }

    /// What was put behind the person's message.
    fn turn_scoped(&self) -> Option<TurnScoped> {
        self.injections.first()?.turn_scoped.clone()
    }

    /// Whether it holds something of memory beside the person's and Claude's words: what an erasure meanwhile may have meant.
    pub fn holds_memory(&self) -> bool {
        let has_results = self.turns.iter().any(|turn| turn.role == Role::Tool);
        has_results || !self.injections.is_empty()
    }

    /// The id of the turn that is added next.
    pub fn next_turn(&self) -> TurnId {
        TurnId {
            session: self.session,
            index: self.first_index + self.turns.len() as u32,
        }
    }

    /// The next turn; `injection` makes its entry in the ledger.
    pub fn add(
        &mut self,
        role: Role,
        content: Vec<Value>,
        at: Timestamp,
        injection: impl FnOnce(TurnId) -> Option<Injection>,
    ) {
        let id = self.next_turn();
        let turn = Turn {
            v: Turn::VERSION,
            id,
            role,
            speaker: None,
            content,
            at,
        };
        let injection = injection(id);
        self.messages.extend(messages_of(&turn, injection.as_ref()));
        self.injections.extend(injection);
        self.turns.push(turn);
    }

    /// Answers calls that are not run: the API takes no later message while one has no result.
    fn refuse(&mut self, calls: Vec<ToolCall>, why: &str, at: Timestamp) {
        if calls.is_empty() {
            return;
        }
        let refused = calls.into_iter().map(|call| (call, ToolOutput::error(why)));
        let refused: Vec<_> = refused.collect();
        self.add(Role::Tool, results(&refused), at, |_| None);
    }
}

impl<P: Ports> Memory<P> {
    pub(super) fn begin(&self, session: SessionId) -> Result<Exchange> {
        self.with_live(session, |live| Exchange {
            session,
            model: live.session.model.clone(),
            turns: Vec::new(),
            messages: Vec::new(),
            injections: Vec::new(),
            notes: Vec::new(),
            artifacts: Vec::new(),
            usages: Vec::new(),
            drops_thinking: live.session.drops_thinking,
            prompt_tokens: 0,
            first_index: live.next_index,
        })
    }

    /// Asks Claude, runs the tools of the reply and sends their results, until a reply calls none; gives why it ended.
    pub(super) async fn go_round<H: Host>(
        &self,
        exchange: &mut Exchange,
        host: &H,
        limits: &Limits,
        cancel: &Cancel,
        emit: &impl Fn(ChatEvent),
    ) -> Result<StopReason> {
        let begun_ms = self.now().unix_ms;
        let until_ms = limits.ms.map(|ms| begun_ms + i64::from(ms));
        let is_late = || until_ms.is_some_and(|until| self.now().unix_ms >= until);
        let ends = |why: Error, reason| {
            emit(ChatEvent::Notice(why));
            Ok(reason)
        };
        let reached = |limit| Error::LimitReached { limit };
        let mut spent = Spent::default();
        let mut last: Option<StopReason> = None;
        loop {
            let asked = self.in_time(until_ms, self.ask_next(exchange, host, cancel, emit));
            let Some(answer) = asked.await else {
                return match last {
                    Some(reason) => ends(reached("ms"), reason),
                    None => Err(reached("ms")),
                };
            };
            // Another tab, or work in the background, took the rest of the day's budget meanwhile.
            let answer = match (answer, last) {
                (Err(why @ Error::BudgetReached { .. }), Some(reason)) => {
                    return ends(why, reason);
                }
                (answer, _) => answer,
            };
            let Answer {
                reply,
                first_text_ms,
            } = answer?;
            spent.add(&exchange.model, &reply.tokens);
            exchange.prompt_tokens = reply.tokens.prompt() + reply.tokens.output;
            if let Some(cleared) = reply.cleared {
                emit(ChatEvent::Cleared(cleared));
            }
            emit(ChatEvent::Usage {
                model: exchange.model.clone(),
                tokens: reply.tokens.clone(),
                first_text_ms,
            });
            let at = self.now();
            let usage = Usage {
                v: Usage::VERSION,
                id: UsageId::new(at.unix_ms, self.ports.clock().random()),
                purpose: Purpose::Chat,
                session: exchange.session,
                model: exchange.model.clone(),
                request_id: reply.request_id,
                tokens: reply.tokens.clone(),
                at,
                first_text_ms,
            };
            self.note_spent(&usage);
            // Of what the API left out it does not say how large it was.
            if reply.cleared.is_none() {
                let size = self.with_live(exchange.session, |live| {
                    live.size(live.history.iter().chain(&exchange.messages))
                });
                self.learn_size(&exchange.model, size?, &usage.tokens);
            }
            exchange.usages.push(usage);
            let seen = ReplySeen {
                content: &reply.content,
                stop_reason: &reply.stop_reason,
                model: &exchange.model,
                tokens: &reply.tokens,
            };
            cancel.race(host.after_reply(&seen)).await??;
            let calls = calls_of(&reply.content);
            let goes_on = match reply.stop_reason {
                StopReason::ToolUse => !calls.is_empty(),
                StopReason::PauseTurn => !reply.content.is_empty(),
                _ => false,
            };
            exchange.add(Role::Assistant, reply.content, at, |_| None);
            let reason = reply.stop_reason;
            if !goes_on {
                exchange.refuse(calls, "Not run: the reply that called it was cut off.", at);
                return Ok(reason);
            }
            let limit = spent.reached(limits).or(is_late().then_some("ms"));
            let limit = limit.map(reached).or(self.budget_left().err());
            if let Some(limit) = limit {
                let why = "Not run: the limit that the application sets was reached.";
                exchange.refuse(calls, why, at);
                return ends(limit, reason);
            }
            if !calls.is_empty() {
                self.run_calls(exchange, calls, host, until_ms, cancel, emit)
                    .await?;
                if is_late() {
                    return ends(reached("ms"), reason);
                }
            }
            last = Some(reason);
        }
    }

    /// Runs all calls of a reply at once; their results become one turn, in the order of the calls.
    async fn run_calls<H: Host>(
        &self,
        exchange: &mut Exchange,
        calls: Vec<ToolCall>,
        host: &H,
        until_ms: Option<i64>,
        cancel: &Cancel,
        emit: &impl Fn(ChatEvent),
    ) -> Result<()> {
        let desk = Desk::of(exchange);
        let run = async |call: ToolCall| {
            emit(ChatEvent::ToolStarted {
                id: call.id.clone(),
                name: call.name.clone(),
                input: call.input.clone(),
            });
            let begun_ms = self.now().unix_ms;
            let run = self.in_time(until_ms, self.run_tool(&call, &desk, host));
            let output = run.await.unwrap_or_else(|| {
                ToolOutput::error(
                    "Not finished: the time that the application sets for one message was over.",
                )
            });
            emit(ChatEvent::ToolFinished {
                id: call.id.clone(),
                name: call.name.clone(),
                ms: (self.now().unix_ms - begun_ms).clamp(0, i64::from(u32::MAX)) as u32,
                is_error: output.is_error,
            });
            (call, output)
        };
        let answered = cancel.race(together(calls.into_iter().map(run))).await?;
        let (notes, surfaced) = desk.into_kept();
        exchange.notes = notes;
        // The text is in the results themselves; the entry says what they show. To Claude they are the next message of the user,
        // which clears what stood behind the person's: it is said once more.
        let turn_scoped = exchange.turn_scoped();
        let words = match &turn_scoped {
            Some(_) if self.model(&exchange.model).takes_system_for_result => AFTER_RESULTS,
            _ => "",
        };
        let shown = |turn| {
            (!surfaced.is_empty() || turn_scoped.is_some()).then(|| Injection {
                v: Injection::VERSION,
                turn,
                text: words.into(),
                surfaced,
                turn_scoped,
            })
        };
        let turn = exchange.next_turn();
        let answered = answered.into_iter().map(|(call, output)| {
            let output = match is_built_in(&call.name) {
                true => output,
                false => self.set_aside(exchange, turn, &call, output),
            };
            (call, output.bounded())
        });
        let answered: Vec<_> = answered.collect();
        exchange.add(Role::Tool, results(&answered), self.now(), shown);
        Ok(())
    }

    /// What the work gives, or `None` if it is not done by then; the work is dropped then.
    async fn in_time<T>(&self, until_ms: Option<i64>, work: impl Future<Output = T>) -> Option<T> {
        let Some(until_ms) = until_ms else {
            return Some(work.await);
        };
        let left_ms = until_ms - self.now().unix_ms;
        let left_ms = left_ms.clamp(0, i64::from(u32::MAX)) as u32;
        unless(work, self.ports.clock().sleep(left_ms)).await
    }
}
