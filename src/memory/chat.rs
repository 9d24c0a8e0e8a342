//! The path of one message: recall, block, request, stream, record.

use super::exchange::Exchange;
use super::host::{Host, NoHost, Storing};
use super::record::{Leave, Opening};
use super::{BlockPreview, Cancel, Memory, Ports, Rebuilding, RecollectedItem};
use crate::agent::{Limits, toolset};
use crate::batch::Op;
use crate::block::{Block, Place};
use crate::claude::context::Cleared;
use crate::claude::reply::StopReason;
use crate::compact::Strategy;
use crate::error::{Error, Result};
use crate::model::{Action, Record, Role, SessionId, Tokens, TurnId};
use crate::text::tokens::estimate_tokens;
use serde_json::{Value, json};
use std::cell::RefCell;

/// A message to Claude.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Send {
    /// `None` starts a new session.
    pub session: Option<SessionId>,
    pub text: String,
    /// For a new session; `None` for the configured model.
    pub model: Option<String>,
    /// For a new session; `None` for the configured instructions.
    pub instructions: Option<String>,
    /// For a new session: the definitions of the host's own tools, as the API takes them. The session keeps them.
    pub tools: Vec<Value>,
    pub limits: Limits,
}

/// What happens while a message is answered, in this order: session, (compacting), memory, then for each request (retrying), thinking and
/// text as they arrive, usage, and the tools that it calls; at the end saved or a notice, done.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatEvent {
    Session(SessionId),
    /// What goes to Claude beside the words themselves.
    Memory {
        block: Option<String>,
        /// Where the block stands, or would stand if there were one.
        place: Place,
        tokens: u32,
        items: Vec<RecollectedItem>,
        /// As of [`super::Recollected`].
        partial: Option<Rebuilding>,
    },
    /// The request failed before anything was answered and is sent again.
    Retrying {
        attempt: u32,
        in_ms: u32,
        error: Error,
    },
    /// The session is long: its oldest turns are being left out from now on. With a strategy that asks a model this takes seconds.
    Compacting(Strategy),
    /// They are left out. The strategy is another one if no model could be asked.
    Compacted {
        strategy: Strategy,
        /// Turns that were left out now.
        n_turns: u32,
    },
    /// The API left parts of the prompt out of this request.
    Cleared(Cleared),
    Thinking(String),
    Text(String),
    Usage {
        model: String,
        tokens: Tokens,
        /// From sending to the first byte of text; `None` if there was no text.
        first_text_ms: Option<u32>,
    },
    /// Claude called a tool, and it runs.
    ToolStarted {
        id: String,
        name: String,
        input: Value,
    },
    /// It is done. Calls of one reply run at once and end in any order.
    ToolFinished {
        id: String,
        name: String,
        ms: u32,
        is_error: bool,
    },
    /// All turns of the exchange are on disk, the user's first and Claude's last answer last.
    Saved(Vec<TurnId>),
    /// Memory did not work; the chat goes on without it.
    Notice(Error),
    Done(StopReason),
}

/// An answered message.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub session: SessionId,
    /// The user's turn, and what followed from it.
    pub turns: Vec<TurnId>,
    pub stop_reason: StopReason,
}

impl<P: Ports> Memory<P> {
    /// [`Memory::send_with`] for a host that brings no tools.
    ///
    /// # Errors
    /// As there.
    pub async fn send(
        &self,
        send: &Send,
        cancel: &Cancel,
        emit: impl FnMut(ChatEvent),
    ) -> Result<Sent> {
        self.send_with(send, &NoHost, cancel, emit).await
    }

    /// Sends a message with what memory holds on it, streams the answer, runs the tools that Claude calls until it calls none,
    /// and records all turns with an extraction job in one strict transaction.
    ///
    /// # Errors
    /// Whatever kept the answer from being complete: `Network`, `Api`, `StreamCut`, `MalformedStream`, `Refused`, `Cancelled`,
    /// `BudgetReached` if there was no budget left to begin with,
    /// `SessionEnded` if something was erased meanwhile, `LimitReached` if the time was over before anything was answered,
    /// `HookFailed`. Nothing was recorded then, and the same message can be sent again; what tools did stays done. A failure
    /// of memory is an event, not an error, and so is a limit that is reached later; only a session that is to be continued
    /// and can not be read fails with the store's error, `Locked` among them.
    pub async fn send_with<H: Host>(
        &self,
        send: &Send,
        host: &H,
        cancel: &Cancel,
        emit: impl FnMut(ChatEvent),
    ) -> Result<Sent> {
        self.ensure_not_closed()?;
        if send.text.trim().is_empty() {
            return Err(Error::InvalidInput {
                field: "text",
                reason: "a message needs words".into(),
            });
        }
        // Tools that run at once tell of themselves at once.
        let emit = RefCell::new(emit);
        let emit = |event| (emit.borrow_mut())(event);
        let opening = Opening {
            model: send.model.as_deref().unwrap_or(&self.config.model),
            instructions: send.instructions.as_deref().unwrap_or_default(),
            tools: toolset(
                self.config.preset.tools(!send.tools.is_empty()),
                &send.tools,
            )?,
        };
        let id = self.enter(send.session, opening).await?;
        let _leave = Leave { memory: self, id };
        emit(ChatEvent::Session(id));
        if let Some(ended) = send.session.filter(|session| *session != id) {
            emit(ChatEvent::Notice(Error::SessionEnded {
                session: ended.to_string(),
            }));
        }

        let model = self.with_live(id, |live| live.session.model.clone())?;
        // Before anything is done for a message that can not be sent.
        self.afford(&model).await?;
        let erasures = self.erasures();
        self.compact_if_long(id, cancel, &emit).await?;
        let mut exchange = self.begin(id)?;
        send.limits.check(&exchange.model)?;
        let preview = self.preview(&send.text, id, host, cancel, &emit).await?;
        exchange.add(
            Role::User,
            vec![json!({"type": "text", "text": send.text})],
            self.now(),
            |turn| Self::injection(turn, &preview),
        );
        let ended = self.go_round(&mut exchange, host, &send.limits, cancel, &emit);
        let stop_reason = match ended.await {
            Ok(stop_reason) => stop_reason,
            Err(error) => {
                self.note_vain_request(exchange.turns[0].id, exchange.surfaced())
                    .await;
                self.keep_paid(exchange.usages).await;
                return Err(error);
            }
        };

        let keeps = self.config.preset.keeps_turns();
        let storing = match keeps {
            true => cancel.race(host.before_store(&exchange.turns)).await??,
            false => Storing::WordsOnly,
        };
        // An erasure meanwhile: this answer, and what the message carried, may hold what is gone.
        let is_live = self.with_live(id, |_| ()).is_ok();
        if self.erasures() != erasures && (exchange.holds_memory() || !is_live) {
            self.state.borrow_mut().live.remove(&id);
            return Err(Error::SessionEnded {
                session: id.to_string(),
            });
        }
        let turns = exchange.turn_ids();
        if keeps {
            self.record(&exchange, storing, &emit).await?;
        }
        self.with_live(id, |live| {
            live.session.drops_thinking = exchange.drops_thinking;
            live.surfaced
                .extend(exchange.lasting().map(|surfaced| surfaced.record));
            live.next_index += exchange.turns.len() as u32;
            live.prompt_tokens = exchange.prompt_tokens;
            live.history.append(&mut exchange.messages);
        })?;
        if keeps {
            // Derived data: what is not made now is made with the next message.
            self.index_missing().await;
        }
        emit(ChatEvent::Done(stop_reason.clone()));
        Ok(Sent {
            session: id,
            turns,
            stop_reason,
        })
    }

    /// What memory has to say on the words, told to the host. Where memory fails, nothing.
    async fn preview<H: Host>(
        &self,
        text: &str,
        id: SessionId,
        host: &H,
        cancel: &Cancel,
        emit: &impl Fn(ChatEvent),
    ) -> Result<BlockPreview> {
        let surfaced = self.with_live(id, |live| live.surfaced.clone())?;
        let found = self.block_except(text, Some(id), &surfaced, self.now());
        let found = self.through_recall(found).await;
        let mut preview = found.unwrap_or_else(|error| {
            emit(ChatEvent::Notice(error));
            BlockPreview::default()
        });
        if let Some(block) = preview.block.take() {
            let kept = cancel.race(host.before_inject(text, block.text)).await??;
            match kept.filter(|text| !text.is_empty()) {
                Some(text) => {
                    let estimated = estimate_tokens(&text).into();
                    let tokens = self.calibration_of(Some(id)).tokens(estimated) as u32;
                    preview.block = Some(Block {
                        text,
                        tokens,
                        ..block
                    });
                }
                None => {
                    preview = BlockPreview {
                        partial: preview.partial,
                        ..BlockPreview::default()
                    }
                }
            }
        }
        let block = preview.block.as_ref();
        emit(ChatEvent::Memory {
            block: block.map(|block| block.text.clone()),
            place: preview.place,
            tokens: block.map_or(0, |block| block.tokens),
            items: preview.items.clone(),
            partial: preview.partial,
        });
        Ok(preview)
    }

    /// Writes the exchange, with the job that reads facts out of it, in one transaction.
    ///
    /// # Errors
    /// `Conflict` if another tab spoke in this session: what this tab holds of it is gone, and so is this answer. Where the
    /// disk refuses, the page hears of it, the conversation goes on from memory, and the next commit of this session tries again.
    async fn record(
        &self,
        exchange: &Exchange,
        storing: Storing,
        emit: &impl Fn(ChatEvent),
    ) -> Result<()> {
        let id = exchange.session;
        let mut batch = self.record_batch(id, &exchange.turns, Action::Chat)?;
        let insert = |record| Op::Insert(record);
        let injections = exchange.injections.iter().cloned().map(Record::Injection);
        batch.ops.extend(injections.map(insert));
        batch
            .ops
            .extend(exchange.notes.iter().cloned().map(Record::Fact).map(insert));
        let artifacts = exchange.artifacts.iter();
        let artifacts = artifacts.map(|artifact| Record::Artifact((**artifact).clone()));
        batch.ops.extend(artifacts.map(insert));
        batch.ops.extend(self.session_change(exchange)?);
        if self.config.preset.keeps_facts() && storing == Storing::WithFacts {
            let n_turns = exchange.turns.len() as u32;
            let job = self.extraction(id, exchange.turns[0].id.index, n_turns);
            batch.ops.push(Op::Insert(Record::Job(job)));
        }
        batch.ops.extend(
            exchange
                .usages
                .iter()
                .cloned()
                .map(Record::Usage)
                .map(insert),
        );
        match self.commit_session(id, &batch).await {
            Ok(()) => emit(ChatEvent::Saved(exchange.turn_ids())),
            Err(error @ Error::Conflict { .. }) => return Err(error),
            Err(error) => {
                self.with_live(id, |live| live.unsaved = batch.ops)?;
                emit(ChatEvent::Notice(error));
            }
        }
        Ok(())
    }

    /// The session's record, if the exchange changed it.
    fn session_change(&self, exchange: &Exchange) -> Result<Option<Op>> {
        self.with_live(exchange.session, |live| {
            let mut session = live.session.clone();
            session.drops_thinking = exchange.drops_thinking;
            (session != live.session).then(|| Op::Put(Record::Session(session)))
        })
    }
}
