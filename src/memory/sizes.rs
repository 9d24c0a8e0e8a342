//! How large prompts are: estimated with what earlier requests taught, or counted by Claude's API.

use super::{Cancel, HttpRequest, LiveSession, Memory, Ports};
use crate::claude::message::{Message, user_message};
use crate::claude::request::ChatRequest;
use crate::claude::size::Size;
use crate::error::{Error, Result};
use crate::model::{Kind, Purpose, Record, Role, SessionId, Tokens, Turn, UsageId};
use crate::text::calibration::Calibration;
use serde_json::Value;

/// How good estimates are for one model.
#[derive(Clone, Debug, PartialEq)]
pub struct EstimatorStatus {
    pub model: String,
    /// What the table's estimates are multiplied by, 0.5 to 2.5.
    pub factor: f64,
    /// By what part of the true number the estimates were off on average; `None` before any request.
    pub mean_error: Option<f64>,
    /// Requests that were learnt from since the memory was opened.
    pub samples: u32,
}

/// Characters of a ULID that hold its time.
const ULID_TIME_CHARS: usize = 10;

impl<P: Ports> Memory<P> {
    /// Of the configured model.
    pub(super) fn estimator_status(&self) -> EstimatorStatus {
        let model = &self.config.model;
        let calibration = self.calibration(model);
        EstimatorStatus {
            model: model.clone(),
            factor: calibration.factor(),
            mean_error: calibration.mean_error(),
            samples: calibration.samples(),
        }
    }

    pub(super) fn calibration(&self, model: &str) -> Calibration {
        let all = self.calibrations.borrow();
        all.get(model).cloned().unwrap_or_default()
    }

    /// The calibration of the model that a session talks to.
    pub(super) fn calibration_of(&self, session: Option<SessionId>) -> Calibration {
        let state = self.state.borrow();
        let live = session.and_then(|id| state.live.get(&id));
        let model = live.map_or(&self.config.model, |live| &live.session.model);
        self.calibration(model)
    }

    /// Learns from a request that was answered. The factors are held in memory only: a session that is read again after a reload
    /// teaches what its last request had, which is on disk anyway.
    pub(super) fn learn_size(&self, model: &str, size: Size, tokens: &Tokens) {
        if size.is_text {
            let mut all = self.calibrations.borrow_mut();
            let calibration = all.entry(model.into()).or_default();
            calibration.learn(size.tokens, tokens.prompt());
        }
    }

    /// Sets how large a session's prompt was last: as its last request was billed, or as estimated where that is not known.
    pub(super) async fn size_up(&self, live: &mut LiveSession, turns: &[Turn]) -> Result<()> {
        let model = live.session.model.clone();
        live.prompt_tokens = self.calibration(&model).tokens(live.prompt_tokens);
        // What was left out since then was in it.
        let Some(last) = turns.last().filter(|_| live.session.compacted.is_none()) else {
            return Ok(());
        };
        if last.role != Role::Assistant {
            return Ok(());
        }
        // Made with the turn, in the same millisecond.
        let id = UsageId::new(last.at.unix_ms, 0).to_string();
        for record in self.records(Kind::Usage, &id[..ULID_TIME_CHARS]).await? {
            let Record::Usage(usage) = record else {
                continue;
            };
            if usage.session == live.session.id && usage.purpose == Purpose::Chat {
                let before = &live.history[..live.history.len().saturating_sub(1)];
                self.learn_size(&model, live.size(before), &usage.tokens);
                live.prompt_tokens = usage.tokens.prompt() + usage.tokens.output;
            }
        }
        Ok(())
    }

    /// How many tokens a text has as the next message: of a session with all that goes with it, or alone. Claude's API counts them;
    /// that is free, and is not in the usage. What memory would add to the message is not in it.
    ///
    /// # Errors
    /// `NotFound` for a session that is not there, `Network`, `Api`, `Storage`, `Closed`.
    pub async fn count_tokens(
        &self,
        session: Option<SessionId>,
        text: &str,
        cancel: &Cancel,
    ) -> Result<u64> {
        self.ensure_not_closed()?;
        let newest = [user_message(None, text)];
        let request = |live: &LiveSession| {
            let info = self.model(&live.session.model);
            let request = ChatRequest {
                model: &live.session.model,
                max_tokens: 0,
                tools: &live.session.tools,
                drops_thinking: live.session.drops_thinking,
                system: &live.session.system,
                snapshot: &live.session.snapshot,
                context: &self.config.context_edits(&live.session, &info),
                history: &live.history,
                newest: &newest,
            };
            (request.headers(), request.count_body())
        };
        let (headers, body) = match session {
            None => {
                let alone = ChatRequest {
                    model: &self.config.model,
                    max_tokens: 0,
                    tools: &[],
                    drops_thinking: false,
                    system: "",
                    snapshot: "",
                    context: &Default::default(),
                    history: &[],
                    newest: &newest,
                };
                (alone.headers(), alone.count_body())
            }
            Some(id) => match self.with_live(id, |live| request(live)) {
                Ok(request) => request,
                Err(_) => {
                    let live = self.restore(id).await?.ok_or_else(|| Error::NotFound {
                        what: format!("session {id}"),
                    })?;
                    request(&live)
                }
            },
        };
        let request = HttpRequest::post("/v1/messages/count_tokens", headers, body);
        let answer: Value = self.ask_free(&request, cancel).await?;
        let counted = answer["input_tokens"].as_u64();
        counted.ok_or_else(|| Error::MalformedStream {
            message: "the answer holds no number of tokens".into(),
        })
    }
}

impl LiveSession {
    /// Of a prompt with its fixed part and these messages.
    pub(super) fn size<'a>(&'a self, messages: impl IntoIterator<Item = &'a Message>) -> Size {
        let session = &self.session;
        Size::of(
            &[&session.system, &session.snapshot],
            &session.tools,
            messages,
        )
    }
}
