//! What the page may ask of the engine.

use super::artifacts::ArtifactRequest;
use super::chat::{SendRequest, ToolRequest};
use super::encryption::EncryptionRequest;
use super::files::FileRequest;
use super::granted::GrantedRequest;
use super::tagged;
use super::transfer;
use super::usage::UsageRequest;
use crate::model::Role;
use crate::recall::Level;
use serde::Deserialize;

/// What the page may ask; `type` names the variant.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Request {
    Status {
        /// Without the queue, for which it would have to be read.
        #[serde(default)]
        brief: bool,
    },
    Send(SendRequest),
    Compact {
        session: String,
        strategy: Option<String>,
        keep_turns: Option<u32>,
    },
    Tool {
        #[serde(deserialize_with = "tagged::by_do")]
        ask: ToolRequest,
    },
    Recall {
        query: String,
        limit: Option<usize>,
        level: Option<LevelName>,
        session: Option<String>,
    },
    Block {
        query: String,
        session: Option<String>,
    },
    Remember {
        session: Option<String>,
        turns: Vec<Spoken>,
    },
    Facts,
    FactHistory {
        id: String,
    },
    MarkStale {
        id: String,
        reason: String,
    },
    Restore {
        id: String,
    },
    Correct {
        id: String,
        statement: String,
    },
    Sessions,
    Turns {
        session: Option<String>,
        from: Option<f64>,
        until: Option<f64>,
        role: Option<Role>,
        tool: Option<String>,
        after: Option<String>,
        limit: Option<usize>,
    },
    Turn {
        id: String,
    },
    /// A thumb up or down; null takes it back.
    Judge {
        query: String,
        record: String,
        good: Option<bool>,
    },
    Judgements,
    /// By lines of JSON, or by the judgements.
    Evaluate {
        questions: Option<String>,
    },
    CountTokens {
        session: Option<String>,
        text: String,
    },
    Usage {
        #[serde(deserialize_with = "tagged::by_do")]
        ask: UsageRequest,
    },
    Models,
    Work,
    Jobs,
    RetryJobs,
    Audit {
        after: f64,
        limit: usize,
    },
    VerifyAudit,
    CatchUp,
    Encryption {
        #[serde(deserialize_with = "tagged::by_type")]
        ask: EncryptionRequest,
    },
    /// Whether the bytes of the embedding table were refused.
    TableRefused,
    Files {
        #[serde(deserialize_with = "tagged::by_do")]
        ask: FileRequest,
    },
    Artifacts {
        #[serde(deserialize_with = "tagged::by_do")]
        ask: ArtifactRequest,
    },
    Check,
    Embedder,
    EmbedStep,
    KeepIndex,
    /// Reads some of what is still to be read; null at the end.
    RebuildStep,
    /// The chosen embedder's weights are on their way.
    EmbedderLoading {
        loaded: f64,
        total: Option<f64>,
    },
    /// They will not come.
    EmbedderFailed {
        fault: String,
        message: String,
    },
    /// Gives the number of the export.
    ExportBegin {
        passphrase: Option<String>,
    },
    /// Gives the next lines; null after the last.
    ExportNext {
        id: u32,
    },
    /// Gives the number of the import.
    ImportBegin {
        dry_run: bool,
        passphrase: Option<String>,
    },
    ImportPush {
        id: u32,
        #[serde(deserialize_with = "transfer::bytes")]
        bytes: Vec<u8>,
    },
    /// Gives the report.
    ImportFinish {
        id: u32,
    },
    /// Lets go of an export or import.
    TransferEnd {
        id: u32,
    },
    Erase {
        what: String,
        name: Option<String>,
    },
    /// Over this memory and projects that it may read.
    RecallIn {
        projects: Vec<String>,
        query: String,
        limit: Option<usize>,
        level: Option<LevelName>,
        session: Option<String>,
    },
    /// Of another project that it may read.
    Granted {
        project: String,
        #[serde(deserialize_with = "tagged::by_do")]
        ask: GrantedRequest,
    },
    Crash,
}

impl Request {
    /// Whether it is answered while the memory is locked.
    pub fn needs_no_key(&self) -> bool {
        matches!(
            self,
            Request::Status { .. }
                | Request::Models
                | Request::Send(_)
                | Request::Tool { .. }
                | Request::CatchUp
                | Request::Encryption { .. }
                | Request::TableRefused
                | Request::Embedder
                | Request::EmbedderLoading { .. }
                | Request::EmbedderFailed { .. }
                | Request::Crash
        )
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LevelName {
    Loose,
    Normal,
    Strict,
}

#[derive(Deserialize)]
pub struct Spoken {
    pub role: Role,
    pub text: String,
}

pub fn level_of(name: Option<LevelName>) -> Level {
    match name {
        Some(LevelName::Loose) => Level::Loose,
        Some(LevelName::Normal) | None => Level::Normal,
        Some(LevelName::Strict) => Level::Strict,
    }
}
