//! The next request of an exchange, and once more where the API does not take what it gave itself.

use super::exchange::Exchange;
use super::host::Host;
use super::wire::Answer;
use super::{Cancel, ChatEvent, HttpRequest, Memory, Ports};
use crate::claude::failure::compaction_failure;
use crate::claude::message::Message;
use crate::claude::request::ChatRequest;
use crate::error::{ApiError, CompactionFault, Error, Result};

impl<P: Ports> Memory<P> {
    /// The next request of the exchange. Where Claude finds its own thinking bound to another prefix, the request is sent once
    /// more with leave to drop it, and so are all later ones of the session. Where the API does not take its own summary back, a text
    /// takes its place.
    pub(super) async fn ask_next<H: Host>(
        &self,
        exchange: &mut Exchange,
        host: &H,
        cancel: &Cancel,
        emit: &impl Fn(ChatEvent),
    ) -> Result<Answer> {
        let request = self.request_of(exchange)?;
        cancel
            .race(host.before_request(exchange.session, &request.body))
            .await??;
        let asked = self.ask(&exchange.model, request, cancel, emit).await;
        let error = match asked.map_err(compaction_failure) {
            Err(error) if self.may_be_binding(exchange, &error) => error,
            Err(error) if refuses_block(&error) && self.give_up_block(exchange.session)? => {
                // What was thought since the person's words is bound to that summary.
                let has_thought = exchange.messages.iter().any(thinks);
                exchange.drops_thinking |=
                    has_thought && self.model(&exchange.model).binds_thinking;
                emit(ChatEvent::Retrying {
                    attempt: 1,
                    in_ms: 0,
                    error,
                });
                let request = self.request_of(exchange)?;
                return self.ask(&exchange.model, request, cancel, emit).await;
            }
            asked => return asked,
        };
        emit(ChatEvent::Retrying {
            attempt: 1,
            in_ms: 0,
            error: error.clone(),
        });
        exchange.drops_thinking = true;
        let request = self.request_of(exchange)?;
        match self.ask(&exchange.model, request, cancel, emit).await {
            Err(Error::Api(ApiError { status: 400, .. })) => {
                // It was something else, and the first answer says what.
                exchange.drops_thinking = false;
                Err(error)
            }
            asked => asked,
        }
    }

    fn request_of(&self, exchange: &Exchange) -> Result<HttpRequest> {
        self.with_live(exchange.session, |live| {
            let info = self.model(&live.session.model);
            let request = ChatRequest {
                model: &live.session.model,
                max_tokens: self.config.max_output_tokens.min(info.max_output_tokens),
                tools: &live.session.tools,
                drops_thinking: exchange.drops_thinking,
                system: &live.session.system,
                snapshot: &live.session.snapshot,
                context: &self.config.context_edits(&live.session, &info),
                history: &live.history,
                newest: &exchange.messages,
            };
            HttpRequest::post("/v1/messages", request.headers(), request.body())
        })
    }

    /// The API names this error by its message only, which may change: so every refusal of a prompt with thinking that the
    /// model binds may be it, unless a code says what else it is.
    fn may_be_binding(&self, exchange: &Exchange, error: &Error) -> bool {
        let is_refusal =
            matches!(error, Error::Api(api) if api.status == 400 && api.error_code.is_none());
        if !is_refusal || exchange.drops_thinking || !self.model(&exchange.model).binds_thinking {
            return false;
        }
        let has_thought = self.with_live(exchange.session, |live| live.history.iter().any(thinks));
        has_thought == Ok(true) || exchange.messages.iter().any(thinks)
    }
}

fn thinks(message: &Message) -> bool {
    let mut blocks = message.content.iter();
    blocks.any(|block| block["type"] == "thinking" || block["type"] == "redacted_thinking")
}

/// Whether the API refuses a request for the summary of its own that it holds.
fn refuses_block(error: &Error) -> bool {
    let Error::CompactionFailed { fault, .. } = error else {
        return false;
    };
    match fault {
        CompactionFault::BlockAmbiguous
        | CompactionFault::BlockMisplaced
        | CompactionFault::ContentMismatch
        | CompactionFault::SignatureInvalid
        | CompactionFault::ToolChangesMismatch => true,
        CompactionFault::Unavailable
        | CompactionFault::IncompleteTurn
        | CompactionFault::NothingToSummarize
        | CompactionFault::TooManyToolReferences
        | CompactionFault::NoSummary => false,
    }
}
