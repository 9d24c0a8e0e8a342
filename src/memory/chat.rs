//! The path of one message: recall, block, request, stream, record.

use super::record::Leave;
use super::{
    Body, Cancel, Clock, HttpRequest, HttpResponse, Memory, Ports, RecollectedItem, Transport,
};
use crate::batch::Op;
use crate::claude::failure::failure;
use crate::claude::reply::{Delta, Reply, ReplyBuilder, StopReason};
use crate::claude::request::{self, ChatRequest, user_message};
use crate::claude::retry::wait_ms;
use crate::claude::sse::SseDecoder;
use crate::error::{Error, Result};
use crate::model::{
    Action, Purpose, Record, Role, SessionId, Tokens, Turn, TurnId, Usage, UsageId,
};
use serde_json::json;

/// A message to Claude.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Send {
    /// `None` starts a new session.
    pub session: Option<SessionId>,
    pub text: String,
    /// For a new session; `None` for the configured model.
    pub model: Option<String>,
    /// For a new session; `None` for the configured instructions.
    pub instructions: Option<String>,
}

/// What happens while a message is answered, in this order: session, memory, (retrying), thinking and
/// text as they arrive, usage, saved or a notice, done.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatEvent {
    Session(SessionId),
    /// What goes to Claude beside the words themselves.
    Memory {
        block: Option<String>,
        tokens: u32,
        items: Vec<RecollectedItem>,
    },
    /// The request failed before anything was answered and is sent again.
    Retrying {
        attempt: u32,
        in_ms: u32,
        error: Error,
    },
    Thinking(String),
    Text(String),
    Usage {
        model: String,
        tokens: Tokens,
    },
    /// Both turns are on disk.
    Saved([TurnId; 2]),
    /// Memory did not work; the chat goes on without it.
    Notice(Error),
    Done(StopReason),
}

/// An answered message.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub session: SessionId,
    /// The user's turn and Claude's.
    pub turns: [TurnId; 2],
    pub stop_reason: StopReason,
}

/// A complete answer and what was measured on the way.
struct Answer {
    reply: Reply,
    first_text_ms: Option<u32>,
}

impl<P: Ports> Memory<P> {
    /// Sends a message with what memory holds on it, streams the answer, and records both turns
    /// with an extraction job in one strict transaction.
    ///
    /// # Errors
    /// Whatever kept the answer from being complete: `Network`, `Api`, `StreamCut`,
    /// `MalformedStream`, `Refused`, `Cancelled`, `SessionEnded` if something was erased meanwhile. Nothing was recorded
    /// then, and the same message can be sent again. A failure of memory is an event, not an error; only a session that
    /// is to be continued and can not be read fails with the store's error, `Locked` among them.
    pub async fn send(
        &self,
        send: &Send,
        cancel: &Cancel,
        mut emit: impl FnMut(ChatEvent),
    ) -> Result<Sent> {
        self.ensure_not_closed()?;
        if send.text.trim().is_empty() {
            return Err(Error::InvalidInput {
                field: "text",
                reason: "a message needs words".into(),
            });
        }
        let model = send.model.as_deref().unwrap_or(&self.config.model);
        let instructions = send.instructions.as_deref().unwrap_or_default();
        let id = self.enter(send.session, model, instructions).await?;
        let _leave = Leave { memory: self, id };
        emit(ChatEvent::Session(id));
        if let Some(ended) = send.session.filter(|session| *session != id) {
            emit(ChatEvent::Notice(Error::SessionEnded {
                session: ended.to_string(),
            }));
        }

        let erasures = self.erasures();
        let now = self.now();
        let surfaced = self.with_live(id, |live| live.surfaced.clone())?;
        let preview = match self
            .block_except(&send.text, Some(id), &surfaced, now)
            .await
        {
            Ok(preview) => preview,
            Err(error) => {
                emit(ChatEvent::Notice(error));
                Default::default()
            }
        };
        let block = preview.block.as_ref();
        emit(ChatEvent::Memory {
            block: block.map(|block| block.text.clone()),
            tokens: block.map_or(0, |block| block.tokens),
            items: preview.items.clone(),
        });

        let message = user_message(block.map(|block| block.text.as_str()), &send.text);
        let (body, model, first_index) = self.with_live(id, |live| {
            let request = ChatRequest {
                model: &live.session.model,
                max_tokens: self.config.max_output_tokens,
                system: &live.session.system,
                snapshot: &live.session.snapshot,
                history: &live.history,
                newest: message.clone(),
            };
            (request.body(), live.session.model.clone(), live.next_index)
        })?;
        let answer = match self.ask(body, cancel, &mut emit).await {
            Ok(answer) => answer,
            Err(error) => {
                let turn = TurnId {
                    session: id,
                    index: first_index,
                };
                self.note_vain_request(turn, &preview).await;
                return Err(error);
            }
        };
        emit(ChatEvent::Usage {
            model: model.clone(),
            tokens: answer.reply.tokens.clone(),
        });

        // An erasure meanwhile: this answer, and what the message carried, may hold what is gone.
        let is_live = self.with_live(id, |_| ()).is_ok();
        if self.erasures() != erasures && (block.is_some() || !is_live) {
            self.state.borrow_mut().live.remove(&id);
            return Err(Error::SessionEnded {
                session: id.to_string(),
            });
        }
        let ids = [first_index, first_index + 1].map(|index| TurnId { session: id, index });
        let turns = [
            Turn {
                v: Turn::VERSION,
                id: ids[0],
                role: Role::User,
                speaker: None,
                content: vec![json!({"type": "text", "text": send.text})],
                at: now,
            },
            Turn {
                v: Turn::VERSION,
                id: ids[1],
                role: Role::Assistant,
                speaker: None,
                content: answer.reply.content.clone(),
                at: self.now(),
            },
        ];
        let mut batch = self.record_batch(id, &turns, Action::Chat)?;
        let injection = Self::injection(ids[0], &preview);
        batch
            .ops
            .extend(injection.map(|injection| Op::Insert(Record::Injection(injection))));
        batch
            .ops
            .push(Op::Insert(Record::Job(self.extraction(id, first_index, 2))));
        batch.ops.push(Op::Insert(Record::Usage(Usage {
            v: Usage::VERSION,
            id: UsageId::new(now.unix_ms, self.ports.clock().random()),
            purpose: Purpose::Chat,
            session: id,
            model,
            request_id: answer.reply.request_id,
            tokens: answer.reply.tokens,
            at: now,
            first_text_ms: answer.first_text_ms,
        })));
        let saved = self.commit_session(id, &batch).await;
        match &saved {
            Ok(()) => emit(ChatEvent::Saved(ids)),
            // Another tab spoke in this session: what this tab holds of it is gone, and so is this answer.
            Err(error @ Error::Conflict { .. }) => return Err(error.clone()),
            Err(error) => {
                // The conversation goes on from memory; the next commit of this session tries again.
                self.with_live(id, |live| live.unsaved = batch.ops.clone())?;
                emit(ChatEvent::Notice(error.clone()));
            }
        }
        self.with_live(id, |live| {
            live.history.push(message);
            live.history.push(request::message_of(&turns[1], None));
            live.surfaced
                .extend(preview.items.iter().map(|item| item.recalled.record));
            live.next_index = first_index + 2;
        })?;
        if saved.is_ok() {
            // Derived data: what is not made now is made with the next message.
            self.index_missing().await;
        }
        emit(ChatEvent::Done(answer.reply.stop_reason.clone()));
        Ok(Sent {
            session: id,
            turns: ids,
            stop_reason: answer.reply.stop_reason,
        })
    }

    /// Sends a chat request and streams its answer; sends it again while nothing was answered yet.
    async fn ask(
        &self,
        body: String,
        cancel: &Cancel,
        emit: &mut impl FnMut(ChatEvent),
    ) -> Result<Answer> {
        let request = HttpRequest {
            path: "/v1/messages",
            headers: request::headers(),
            body,
        };
        let started = self.now().unix_ms;
        let response = self.send_with_retries(&request, cancel, |attempt, in_ms, error| {
            emit(ChatEvent::Retrying {
                attempt,
                in_ms,
                error: error.clone(),
            });
        });
        let mut response = response.await?;
        let request_id = header(&response, "request-id");
        let mut decoder = SseDecoder::new();
        let mut builder = ReplyBuilder::new(request_id);
        let mut first_text_ms = None;
        loop {
            let Some(bytes) = cancel.race(response.body.chunk()).await?? else {
                return Ok(Answer {
                    reply: builder.finish()?,
                    first_text_ms,
                });
            };
            for event in decoder.push(&bytes)? {
                match builder.push(&event)? {
                    Some(Delta::Text { text }) => {
                        let waited = self.now().unix_ms - started;
                        first_text_ms.get_or_insert(waited.clamp(0, i64::from(u32::MAX)) as u32);
                        emit(ChatEvent::Text(text));
                    }
                    Some(Delta::Thinking { text }) => emit(ChatEvent::Thinking(text)),
                    _ => {}
                }
            }
        }
    }

    /// Sends a request; waits and sends it again where the error says that this may help.
    pub(super) async fn send_with_retries(
        &self,
        request: &HttpRequest,
        cancel: &Cancel,
        mut retrying: impl FnMut(u32, u32, &Error),
    ) -> Result<HttpResponse<<P::Transport as Transport>::Body>> {
        for attempt in 0.. {
            let error = match self.send_once(request, cancel).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let Some(in_ms) = wait_ms(attempt, &error, self.ports.clock().random()) else {
                return Err(error);
            };
            retrying(attempt + 1, in_ms, &error);
            cancel.race(self.ports.clock().sleep(in_ms)).await?;
        }
        unreachable!("the retry policy ends the loop")
    }

    async fn send_once(
        &self,
        request: &HttpRequest,
        cancel: &Cancel,
    ) -> Result<HttpResponse<<P::Transport as Transport>::Body>> {
        let mut response = cancel
            .race(self.ports.transport().send(request, cancel))
            .await??;
        if (200..300).contains(&response.status) {
            return Ok(response);
        }
        let body = read_all(&mut response.body, cancel)
            .await
            .unwrap_or_default();
        Err(failure(response.status, &response.headers, &body))
    }
}

/// The whole body, for answers that are not streamed.
pub(super) async fn read_all(body: &mut impl Body, cancel: &Cancel) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = cancel.race(body.chunk()).await?? {
        bytes.extend(chunk);
    }
    Ok(bytes)
}

pub(super) fn header<B>(response: &HttpResponse<B>, name: &str) -> Option<String> {
    response
        .headers
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.clone())
}
