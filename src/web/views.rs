//! The plain objects that cross into JavaScript. The package's TypeScript types describe the same shapes.

use super::files::FileView;
use crate::error::Error;
use crate::memory::{Extent, RecollectedItem, TurnPage};
use crate::model::{
    Confidence, Evidence, Fact, FactType, Job, JobState, Origin, Role, Session, Tokens, Turn,
};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorView {
    pub code: &'static str,
    pub message: String,
    pub retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl From<&Error> for ErrorView {
    fn from(error: &Error) -> ErrorView {
        let api = match error {
            Error::Api(api) => Some(api),
            _ => None,
        };
        ErrorView {
            code: error.code(),
            message: error.to_string(),
            retryable: error.is_retryable(),
            status: api.map(|api| api.status),
            kind: match error {
                Error::EmbedderFailed { fault, .. } => Some(fault.name().into()),
                Error::CompactionFailed { fault, .. } => Some(fault.name().into()),
                _ => api.map(|api| api.kind.clone()),
            },
            error_code: api.and_then(|api| api.error_code.clone()),
            retry_after_ms: match error {
                Error::BudgetReached { retry_after_ms, .. }
                | Error::CircuitOpen { retry_after_ms, .. } => Some(*retry_after_ms),
                _ => api.and_then(|api| api.retry_after_ms),
            },
            request_id: api.and_then(|api| api.request_id.clone()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FactView<'a> {
    id: String,
    #[serde(rename = "type")]
    fact_type: FactType,
    subject: &'a str,
    attribute: &'a str,
    statement: &'a str,
    entities: &'a [String],
    numbers: &'a [String],
    origin: Origin,
    confidence: Confidence,
    valid_from: f64,
    recorded_at: f64,
    evidence: Option<&'a Evidence>,
    supersedes: Option<String>,
    superseded_by: Option<String>,
    stale: Option<StaleView<'a>>,
    proof_count: u32,
    current: bool,
}

#[derive(Serialize)]
struct StaleView<'a> {
    reason: &'a str,
    by: Origin,
    at: f64,
}

impl<'a> From<&'a Fact> for FactView<'a> {
    fn from(fact: &'a Fact) -> FactView<'a> {
        FactView {
            id: fact.id.to_string(),
            fact_type: fact.fact_type,
            subject: &fact.subject,
            attribute: &fact.attribute,
            statement: &fact.statement,
            entities: &fact.entities,
            numbers: &fact.numbers,
            origin: fact.origin,
            confidence: fact.confidence,
            valid_from: fact.valid_from.unix_ms as f64,
            recorded_at: fact.recorded_at.unix_ms as f64,
            evidence: fact.evidence.as_ref(),
            supersedes: fact.supersedes.map(|id| id.to_string()),
            superseded_by: fact.superseded_by.map(|id| id.to_string()),
            stale: fact.stale.as_ref().map(|stale| StaleView {
                reason: &stale.reason,
                by: stale.by,
                at: stale.at.unix_ms as f64,
            }),
            proof_count: fact.proof_count,
            current: fact.is_current(),
        }
    }
}

#[derive(Serialize)]
pub struct TurnView {
    id: String,
    session: String,
    index: u32,
    role: Role,
    text: String,
    content: Vec<serde_json::Value>,
    at: f64,
}

impl From<&Turn> for TurnView {
    fn from(turn: &Turn) -> TurnView {
        TurnView {
            id: turn.id.to_string(),
            session: turn.id.session.to_string(),
            index: turn.id.index,
            role: turn.role,
            text: turn.text(),
            content: turn.content.clone(),
            at: turn.at.unix_ms as f64,
        }
    }
}

#[derive(Serialize)]
pub struct SessionView {
    id: String,
    started: f64,
    last: f64,
    turns: u32,
    unread: bool,
    model: String,
}

impl From<&(Session, Extent)> for SessionView {
    fn from((session, extent): &(Session, Extent)) -> SessionView {
        SessionView {
            id: session.id.to_string(),
            started: session.started.unix_ms as f64,
            last: extent.last_ms.max(session.started.unix_ms) as f64,
            turns: extent.n_turns,
            unread: extent.is_unread,
            model: session.model.clone(),
        }
    }
}

#[derive(Serialize)]
pub struct TurnPageView {
    turns: Vec<TurnView>,
    next: Option<String>,
}

impl From<&TurnPage> for TurnPageView {
    fn from(page: &TurnPage) -> TurnPageView {
        TurnPageView {
            turns: page.turns.iter().map(TurnView::from).collect(),
            next: page.next.map(|id| id.to_string()),
        }
    }
}

#[derive(Serialize)]
pub struct ItemView<'a> {
    record: String,
    fact: Option<FactView<'a>>,
    older: Vec<FactView<'a>>,
    turn: Option<TurnView>,
    file: Option<FileView<'a>>,
    excerpt: Option<&'a str>,
    score: f32,
    parts: Vec<PartView<'a>>,
    lanes: Vec<LaneView<'a>>,
}

#[derive(Serialize)]
struct PartView<'a> {
    name: &'a str,
    value: f32,
}

#[derive(Serialize)]
struct LaneView<'a> {
    lane: &'a str,
    rank: u32,
    score: f32,
}

impl<'a> From<&'a RecollectedItem> for ItemView<'a> {
    fn from(item: &'a RecollectedItem) -> ItemView<'a> {
        let recalled = &item.recalled;
        ItemView {
            record: recalled.record.to_string(),
            fact: item.fact.as_ref().map(Into::into),
            older: item.older.iter().map(Into::into).collect(),
            turn: item.turn.as_ref().map(Into::into),
            file: item.file.as_ref().map(FileView::of),
            excerpt: item.excerpt.as_deref(),
            score: recalled.score,
            parts: recalled
                .parts
                .iter()
                .map(|part| PartView {
                    name: part.name,
                    value: part.value,
                })
                .collect(),
            lanes: recalled
                .lanes
                .iter()
                .map(|hit| LaneView {
                    lane: hit.lane.name(),
                    rank: hit.rank,
                    score: hit.score,
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokensView {
    input: f64,
    output: f64,
    cache_read: f64,
    cache_write: f64,
    cache_write1h: Option<f64>,
}

impl From<&Tokens> for TokensView {
    fn from(tokens: &Tokens) -> TokensView {
        TokensView {
            input: tokens.input as f64,
            output: tokens.output as f64,
            cache_read: tokens.cache_read as f64,
            cache_write: tokens.cache_write as f64,
            cache_write1h: tokens.cache_write_1h.map(|n| n as f64),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    id: String,
    state: &'static str,
    attempts: u32,
    last_error: Option<String>,
    until_ms: Option<f64>,
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> JobView {
        let (state, until_ms) = match job.state {
            JobState::Waiting { until_ms } => ("waiting", Some(until_ms as f64)),
            JobState::Dead => ("dead", None),
        };
        JobView {
            id: job.id.to_string(),
            state,
            attempts: job.attempts,
            last_error: job.last_error.clone(),
            until_ms,
        }
    }
}
