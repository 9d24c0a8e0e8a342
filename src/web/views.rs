//! The plain objects that cross into JavaScript. The package's TypeScript types describe the same shapes.

use super::files::FileView;
use super::models::ModelsStatusView;
use super::rebuild_view::RebuildingView;
use crate::circuit::CircuitStatus;
use crate::claude::models::cost_usd;
use crate::claude::reply::StopReason;
use crate::error::Error;
use crate::index::{IndexConfig, IndexStats, Mode};
use crate::memory::{
    ChatEvent, EmbedderState, EmbedderStatus, Extent, RecollectedItem, Status, TurnPage, Unusable,
};
use crate::model::{
    Confidence, Evidence, Fact, FactType, Job, JobState, Origin, Role, Session, Tokens, Turn,
};
use crate::store::Persistence;
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
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ChatEventView<'a> {
    Session {
        session: String,
    },
    Memory {
        block: Option<&'a str>,
        place: &'static str,
        tokens: u32,
        items: Vec<ItemView<'a>>,
        partial: Option<RebuildingView>,
    },
    Retrying {
        attempt: u32,
        in_ms: u32,
        error: ErrorView,
    },
    Compaction {
        state: &'static str,
        strategy: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        turns: Option<u32>,
    },
    Cleared {
        tool_uses: f64,
        thinking_turns: f64,
        input_tokens: f64,
    },
    Thinking {
        text: &'a str,
    },
    Text {
        text: &'a str,
    },
    Usage {
        model: &'a str,
        tokens: TokensView,
        cost: Option<f64>,
        cache_share: Option<f64>,
        first_text_ms: Option<u32>,
    },
    Tool {
        id: &'a str,
        name: &'a str,
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        input: Option<&'a serde_json::Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ms: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        is_error: Option<bool>,
    },
    Saved {
        turns: Vec<String>,
    },
    Notice {
        code: &'static str,
        message: String,
    },
    Done {
        stop_reason: &'a str,
    },
}

impl<'a> From<&'a ChatEvent> for ChatEventView<'a> {
    fn from(event: &'a ChatEvent) -> ChatEventView<'a> {
        match event {
            ChatEvent::Session(id) => ChatEventView::Session {
                session: id.to_string(),
            },
            ChatEvent::Memory {
                block,
                place,
                tokens,
                items,
                partial,
            } => ChatEventView::Memory {
                block: block.as_deref(),
                place: place.name(),
                tokens: *tokens,
                items: items.iter().map(Into::into).collect(),
                partial: partial.map(Into::into),
            },
            ChatEvent::Retrying {
                attempt,
                in_ms,
                error,
            } => ChatEventView::Retrying {
                attempt: *attempt,
                in_ms: *in_ms,
                error: error.into(),
            },
            ChatEvent::Compacting(strategy) => ChatEventView::Compaction {
                state: "started",
                strategy: strategy.name(),
                turns: None,
            },
            ChatEvent::Compacted { strategy, n_turns } => ChatEventView::Compaction {
                state: "finished",
                strategy: strategy.name(),
                turns: Some(*n_turns),
            },
            ChatEvent::Cleared(cleared) => ChatEventView::Cleared {
                tool_uses: cleared.tool_uses as f64,
                thinking_turns: cleared.thinking_turns as f64,
                input_tokens: cleared.input_tokens as f64,
            },
            ChatEvent::Thinking(text) => ChatEventView::Thinking { text },
            ChatEvent::Text(text) => ChatEventView::Text { text },
            ChatEvent::Usage {
                model,
                tokens,
                first_text_ms,
            } => ChatEventView::Usage {
                model,
                tokens: tokens.into(),
                cost: cost_usd(model, tokens),
                cache_share: tokens.cache_share(),
                first_text_ms: *first_text_ms,
            },
            ChatEvent::ToolStarted { id, name, input } => ChatEventView::Tool {
                id,
                name,
                state: "started",
                input: Some(input),
                ms: None,
                is_error: None,
            },
            ChatEvent::ToolFinished {
                id,
                name,
                ms,
                is_error,
            } => ChatEventView::Tool {
                id,
                name,
                state: "finished",
                input: None,
                ms: Some(*ms),
                is_error: Some(*is_error),
            },
            ChatEvent::Saved(turns) => ChatEventView::Saved {
                turns: turns.iter().map(ToString::to_string).collect(),
            },
            ChatEvent::Notice(error) => ChatEventView::Notice {
                code: error.code(),
                message: error.to_string(),
            },
            ChatEvent::Done(reason) => ChatEventView::Done {
                stop_reason: stop_reason(reason),
            },
        }
    }
}

pub fn stop_reason(reason: &StopReason) -> &str {
    reason.name()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    pub storage: StorageView,
    pub embedder: EmbedderView,
    pub index: Option<IndexView>,
    pub counts: CountsView,
    pub kept_index: KeptIndexView,
    rebuilding: Option<RebuildingView>,
    circuits: CircuitsView,
    estimator: EstimatorView,
    models: ModelsStatusView,
    pub unreadable: Vec<String>,
    pub locked: bool,
    pub version: &'static str,
}

#[derive(Serialize)]
pub struct KeptIndexView {
    used: bool,
    reason: Option<&'static str>,
    segments: usize,
    unkept: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EstimatorView {
    model: String,
    factor: f64,
    mean_error: Option<f64>,
    samples: u32,
}

#[derive(Serialize)]
struct CircuitsView {
    recall: CircuitView,
    extraction: CircuitView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CircuitView {
    state: &'static str,
    failures: u32,
    retry_in_ms: f64,
}

impl From<CircuitStatus> for CircuitView {
    fn from(status: CircuitStatus) -> CircuitView {
        CircuitView {
            state: status.position.name(),
            failures: status.failures,
            retry_in_ms: status.retry_in_ms as f64,
        }
    }
}

#[derive(Serialize)]
pub struct IndexView {
    pub vectors: usize,
    pub sealed: usize,
    pub uses: &'static str,
    /// Why; `None` before anything was compared.
    pub reason: Option<&'static str>,
}

impl IndexView {
    fn new((config, stats): (IndexConfig, IndexStats)) -> IndexView {
        let walks = match config.mode {
            Mode::Hnsw => stats.n_sealed > 0,
            _ => stats.choice.as_ref().is_some_and(|choice| choice.walks),
        };
        IndexView {
            vectors: stats.n_vectors,
            sealed: stats.n_sealed,
            uses: if walks { "hnsw" } else { "scan" },
            reason: stats.choice.map(|choice| choice.reason.code()),
        }
    }
}

#[derive(Serialize)]
pub struct StorageView {
    pub state: &'static str,
    /// The store's own id; `None` before its first commit.
    pub store: Option<String>,
    pub tight: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ErrorView>,
}

#[derive(Serialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum EmbedderView {
    Ready {
        id: String,
    },
    Off,
    Missing {
        message: String,
    },
    Loading {
        id: Option<String>,
        serving: Option<String>,
        loaded: f64,
        total: Option<f64>,
    },
    Embedding {
        id: Option<String>,
        serving: Option<String>,
        done: usize,
        total: usize,
    },
    Failed {
        id: Option<String>,
        serving: Option<String>,
        error: ErrorView,
    },
}

/// Bytes of the weights that have come, and of how many if that is known.
#[derive(Clone, Copy, Default)]
pub struct Loaded {
    pub loaded: f64,
    pub total: Option<f64>,
}

impl EmbedderView {
    pub fn new(status: EmbedderStatus, no_table: Option<&Error>, loaded: Loaded) -> EmbedderView {
        let (id, serving) = (status.chosen, status.serving);
        match status.state {
            EmbedderState::Ready => EmbedderView::Ready {
                id: serving.unwrap_or_default(),
            },
            EmbedderState::Off => EmbedderView::Off,
            EmbedderState::Missing => EmbedderView::Missing {
                message: no_table.map(ToString::to_string).unwrap_or_default(),
            },
            EmbedderState::Loading => EmbedderView::Loading {
                id,
                serving,
                loaded: loaded.loaded,
                total: loaded.total,
            },
            EmbedderState::Embedding { done, total } => EmbedderView::Embedding {
                id,
                serving,
                done,
                total,
            },
            EmbedderState::Failed(error) => EmbedderView::Failed {
                id,
                serving,
                error: (&error).into(),
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CountsView {
    pub sessions: usize,
    pub turns: usize,
    pub facts: usize,
    pub files: usize,
    pub jobs: usize,
    pub dead_jobs: usize,
}

impl StatusView {
    pub fn new(
        status: Status,
        store: Option<String>,
        no_disk: Option<&Error>,
        embedder: EmbedderView,
    ) -> StatusView {
        let counts = status.counts;
        StatusView {
            storage: StorageView {
                state: match status.persistence {
                    Persistence::Disk => "disk",
                    Persistence::Memory => "memory",
                },
                store,
                tight: status.tight,
                reason: no_disk.map(Into::into),
            },
            embedder,
            index: status.index.map(IndexView::new),
            counts: CountsView {
                sessions: counts.sessions,
                turns: counts.turns,
                facts: counts.facts,
                files: counts.files,
                jobs: counts.jobs,
                dead_jobs: counts.dead_jobs,
            },
            rebuilding: status.rebuilding.map(Into::into),
            kept_index: KeptIndexView {
                used: status.kept_index.was_used,
                reason: status.kept_index.unusable.map(Unusable::name),
                segments: status.kept_index.segments,
                unkept: status.kept_index.unkept,
            },
            circuits: CircuitsView {
                recall: status.circuits.recall.into(),
                extraction: status.circuits.extraction.into(),
            },
            estimator: EstimatorView {
                model: status.estimator.model,
                factor: status.estimator.factor,
                mean_error: status.estimator.mean_error,
                samples: status.estimator.samples,
            },
            models: status.models.into(),
            unreadable: status.unreadable,
            locked: status.locked,
            version: env!("CARGO_PKG_VERSION"),
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
