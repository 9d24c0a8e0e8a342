//! Leaving the oldest turns of a long session out of its requests: before a message, or when it is asked for.

use super::record::{Leave, Opening};
use super::summaries::Asking;
use super::{Cancel, ChatEvent, LiveSession, Memory, Ports};
use crate::batch::Op;
use crate::claude::context::ContextEdits;
use crate::claude::models::{Compaction, ModelInfo};
use crate::compact::{
    Left, Strategy, cut, holds_threshold_summary, let_go, messages, notice, without_block,
};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::{Action, Compacted, Fact, Record, Session, SessionId, Summary, Turn};
use serde_json::Value;

impl Config {
    /// What requests of a session allow its model's API to leave out by itself.
    ///
    /// A summary that was asked for and the API's own compaction at a threshold exclude each other.
    pub(super) fn context_edits(&self, session: &Session, model: &ModelInfo) -> ContextEdits {
        let server = self
            .compaction
            .filter(|policy| policy.strategy == Strategy::Server && !has_block(session));
        let edits = ContextEdits {
            clear_tools: self.clear_tools.clone(),
            keep_thinking: self.keep_thinking,
            compact_at: server.map(|policy| policy.at_tokens),
        };
        edits.for_request(model, !session.tools.is_empty())
    }
}

/// Whether a summary that the API was asked for stands before the session's messages.
pub(super) fn has_block(session: &Session) -> bool {
    let left = session.compacted.as_ref();
    left.is_some_and(|left| !left.block.is_empty())
}

/// What came of a compaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Shortened {
    /// Another one than was asked for if no model could be asked.
    pub strategy: Strategy,
    /// Turns that were left out now.
    pub n_turns: u32,
    /// Why it was another one.
    pub problem: Option<Error>,
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
        let is_due = self.with_live(id, |live| {
            let from = live.session.compacted.as_ref().map_or(0, |left| left.from);
            let n_sent = (live.next_index - from) as usize;
            let info = self.model(&live.session.model);
            let edits = self.config.context_edits(&live.session, &info);
            let is_theirs = edits.compact_at.is_some();
            // What is not on disk can not be read from there.
            let is_there = live.unsaved.is_empty() || !self.config.preset.keeps_turns();
            let policy = policy.within(info.longest_prompt());
            policy.is_due(live.prompt_tokens, n_sent) && is_there && !is_theirs
        })?;
        if !is_due {
            return Ok(());
        }
        if !self.config.preset.keeps_turns() {
            return self.slide(id, policy.keep_turns, emit);
        }
        let begins = |strategy| emit(ChatEvent::Compacting(strategy));
        let shortened = self.compact(id, policy.strategy, policy.keep_turns, cancel, &begins);
        match shortened.await {
            Err(error @ (Error::Cancelled | Error::SessionEnded { .. })) => return Err(error),
            Err(error) => emit(ChatEvent::Notice(error)),
            Ok(None) => {}
            Ok(Some(shortened)) => {
                shortened
                    .problem
                    .into_iter()
                    .for_each(|problem| emit(ChatEvent::Notice(problem)));
                emit(ChatEvent::Compacted {
                    strategy: shortened.strategy,
                    n_turns: shortened.n_turns,
                });
            }
        }
        Ok(())
    }

    /// Compacts a session now, however long it is; `None` if all of its turns are to stay. Without a strategy or a number of
    /// turns to keep these are the configured ones, or the usual ones where compaction is switched off.
    ///
    /// # Errors
    /// `NotFound`, `SessionEnded`, `InvalidInput` if it is being answered in or nothing is kept, `Cancelled`, `Locked`, and
    /// whatever the store fails with: nothing was changed then. A summary that could not be had is the result's `problem`.
    pub async fn compact_session(
        &self,
        session: SessionId,
        strategy: Option<Strategy>,
        keep_turns: Option<u32>,
        cancel: &Cancel,
    ) -> Result<Option<Shortened>> {
        self.ensure_open()?;
        let policy = self.config.compaction.unwrap_or_default();
        let strategy = strategy.unwrap_or(policy.strategy);
        let keep = keep_turns.unwrap_or(policy.keep_turns);
        if keep == 0 || !self.config.preset.keeps_turns() {
            let (field, reason) = match keep {
                0 => ("keepTurns", "expected at least 1"),
                _ => ("preset", "`stateless` keeps nothing"),
            };
            return Err(Error::InvalidInput {
                field,
                reason: reason.into(),
            });
        }
        let (is_known, is_ended) = {
            let state = self.state.borrow();
            let is_known = state.sessions.contains_key(&session);
            (is_known, state.ended.contains(&session))
        };
        if is_ended {
            return Err(Error::SessionEnded {
                session: session.to_string(),
            });
        }
        if !is_known {
            return Err(Error::NotFound {
                what: format!("session {session}"),
            });
        }
        // It is there, so nothing is opened.
        let opening = Opening {
            model: &self.config.model,
            instructions: "",
            tools: Vec::new(),
        };
        let id = self.enter(Some(session), opening).await?;
        let _leave = Leave { memory: self, id };
        if id != session {
            return Err(Error::SessionEnded {
                session: session.to_string(),
            });
        }
        if self.with_live(id, |live| !live.unsaved.is_empty())? {
            // What a full disk refused is tried again: what is not on disk can not be read from there.
            let owed = self.record_batch(id, &[], Action::Change)?;
            self.commit_session(id, &owed).await?;
        }
        let shortened = self.compact(id, strategy, keep, cancel, &|_| ()).await?;
        if shortened.is_some() {
            let batch = self.record_batch(id, &[], Action::Change)?;
            self.commit_session(id, &batch).await?;
        }
        Ok(shortened)
    }

    async fn compact(
        &self,
        id: SessionId,
        strategy: Strategy,
        keep: u32,
        cancel: &Cancel,
        // Not generic: this is a large piece of code, and needed once.
        begins: &dyn Fn(Strategy),
    ) -> Result<Option<Shortened>> {
        let erasures = self.erasures();
        let (turns, injections) = self.spoken(id).await?;
        let session = self.with_live(id, |live| live.session.clone())?;
        let before = session.compacted.as_ref();
        let from = before.map_or(0, |left| left.from);
        let first = turns.partition_point(|turn| turn.id.index < from);
        let sent = &turns[first..];
        let n_left = cut(sent, keep as usize);
        if n_left == 0 {
            return Ok(None);
        }
        let mut strategy = carried_out(strategy, &self.model(&session.model), sent);
        begins(strategy);
        let mut summaries = before
            .map(|left| left.summaries.clone())
            .unwrap_or_default();
        let mut block = Vec::new();
        let mut usages = Vec::new();
        let asking = Asking {
            memory: self,
            session: id,
            cancel,
            usages: &mut usages,
        };
        let asked = match strategy {
            Strategy::Summary | Strategy::Hierarchical => {
                let new = asking.summarise(strategy, &summaries, &sent[..n_left]);
                new.await.map(|new| summaries = new)
            }
            Strategy::Server => {
                let left = messages(&turns[..first + n_left], &injections, before);
                let made = asking.have_compacted(&left);
                made.await.map(|made| {
                    summaries = summary_of(&made);
                    block = made;
                })
            }
            Strategy::Window | Strategy::Retrieve => Ok(()),
        };
        let problem = match asked {
            Err(Error::Cancelled) => {
                self.keep_paid(usages).await;
                return Err(Error::Cancelled);
            }
            // What was summed up earlier still holds for its part.
            Err(error) => {
                strategy = Strategy::Window;
                Some(error)
            }
            Ok(()) => None,
        };
        let from = sent[n_left].id.index;
        let facts = match strategy {
            Strategy::Retrieve => self.facts_of(id, from),
            _ => Vec::new(),
        };
        let text = match strategy {
            Strategy::Server => String::new(),
            strategy => notice(&Left {
                n_turns: from,
                strategy,
                summaries: &summaries,
                facts: &facts,
            }),
        };
        // A summary may tell what was erased meanwhile: it is made again before the next message.
        if self.erasures() != erasures {
            self.keep_paid(usages).await;
            return Ok(None);
        }
        // The API's own summary is signed for what it stands for, so that what was thought behind that holds behind it, too.
        let thought_before = before.map_or(0, |left| left.thinking_from);
        self.with_live(id, |live| {
            let mut session = live.session.clone();
            session.compacted = Some(Compacted {
                from,
                thinking_from: match strategy {
                    Strategy::Server => thought_before,
                    _ => live.next_index,
                },
                text,
                block,
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
        Ok(Some(Shortened {
            strategy,
            n_turns: n_left as u32,
            problem,
        }))
    }

    /// Where nothing is stored: whatever the strategy, the oldest messages go and nothing is asked of a model. What is let
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
                    block: Vec::new(),
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

    /// Puts a text in the place of the API's summary, which the API does not take back. What it says is known, so nothing is lost but
    /// thinking; `false` if there is no such summary.
    pub(super) fn give_up_block(&self, id: SessionId) -> Result<bool> {
        self.with_live(id, |live| {
            let mut session = live.session.clone();
            let Some(left) = session
                .compacted
                .as_mut()
                .filter(|left| !left.block.is_empty())
            else {
                return false;
            };
            left.block = Vec::new();
            left.thinking_from = live.next_index;
            left.text = notice(&Left {
                n_turns: left.from,
                strategy: Strategy::Window,
                summaries: &left.summaries,
                facts: &[],
            });
            live.history = without_block(std::mem::take(&mut live.history), left);
            live.unsaved.push(Op::Put(Record::Session(session.clone())));
            live.session = session;
            true
        })
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

/// The strategy as it can be carried out for these turns.
fn carried_out(strategy: Strategy, model: &ModelInfo, sent: &[Turn]) -> Strategy {
    let can = model.compaction != Compaction::None;
    match strategy {
        // Of two summaries of the API's none would count.
        Strategy::Server if !can || sent.iter().any(holds_threshold_summary) => Strategy::Summary,
        strategy => strategy,
    }
}

/// What a summary of the API's says, for whatever takes its place later.
fn summary_of(block: &[Value]) -> Vec<Summary> {
    let texts = block.iter().filter_map(|block| block["content"].as_str());
    let summary = |text: &str| Summary {
        level: 0,
        text: text.into(),
    };
    texts.map(summary).collect()
}
