//! What a page sees of the state of its memory.

use super::models::ModelsStatusView;
use super::rebuild_view::RebuildingView;
use super::views::ErrorView;
use crate::circuit::CircuitStatus;
use crate::error::Error;
use crate::index::{IndexConfig, IndexStats, Mode};
use crate::memory::{EmbedderState, EmbedderStatus, Status, Unusable};
use crate::store::Persistence;
use serde::Serialize;

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
