//! Requests on the line: sent, sent again where that may help, and their answers read as they stream in.

use super::{Body, Cancel, ChatEvent, Clock, HttpRequest, HttpResponse, Memory, Ports, Transport};
use crate::claude::failure::failure;
use crate::claude::reply::{Delta, Reply, ReplyBuilder};
use crate::claude::retry::wait_ms;
use crate::claude::sse::SseDecoder;
use crate::error::{Error, Result};
use serde_json::Value;

/// A complete answer and what was measured on the way.
pub(super) struct Answer {
    pub reply: Reply,
    pub first_text_ms: Option<u32>,
}

impl<P: Ports> Memory<P> {
    /// Sends a chat request and streams its answer; sends it again while nothing was answered yet.
    pub(super) async fn ask(
        &self,
        model: &str,
        request: HttpRequest,
        cancel: &Cancel,
        emit: &impl Fn(ChatEvent),
    ) -> Result<Answer> {
        let started = self.now().unix_ms;
        let response = self.send_billed(model, &request, cancel, |attempt, in_ms, error| {
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

    /// Sends a request that Claude's API bills, if today's budget has room: every such request goes through here.
    ///
    /// # Errors
    /// `BudgetReached`, and whatever sending gives.
    pub(super) async fn send_billed(
        &self,
        model: &str,
        request: &HttpRequest,
        cancel: &Cancel,
        retrying: impl FnMut(u32, u32, &Error),
    ) -> Result<HttpResponse<<P::Transport as Transport>::Body>> {
        self.afford(model).await?;
        self.send_with_retries(request, cancel, retrying).await
    }

    /// Sends a request that costs nothing and gives its answer.
    ///
    /// # Errors
    /// Whatever sending gives, and `MalformedStream` for an answer that is no JSON.
    pub(super) async fn ask_free(&self, request: &HttpRequest, cancel: &Cancel) -> Result<Value> {
        let mut response = self
            .send_with_retries(request, cancel, |_, _, _| {})
            .await?;
        let body = read_all(&mut response.body, cancel).await?;
        serde_json::from_slice(&body).map_err(|_| Error::MalformedStream {
            message: "the answer is no JSON".into(),
        })
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

    /// Sends a request, whatever comes of it.
    pub(super) async fn send_once(
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
