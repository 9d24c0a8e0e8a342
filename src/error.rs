//! The one error type. Its [`Error::code`] survives every border: wasm, the engine's thread, the page.

use std::fmt;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong, with what the caller may do about it.
///
/// Messages name places and limits, never the content of a conversation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// An argument does not fit; nothing was changed.
    InvalidInput { field: &'static str, reason: String },
    /// The named record does not exist.
    NotFound { what: String },
    /// Someone else wrote the same record first; read again and decide.
    Conflict { id: String },
    /// The browser offers no working database here (private mode, blocked, another version open).
    StorageUnavailable { name: String, message: String },
    /// The browser's storage is full.
    QuotaExceeded { message: String },
    /// A storage operation failed; the DOMException's name and message as text.
    Storage { name: String, message: String },
    /// Stored bytes do not read as what they should be.
    Corrupt { what: String, message: String },
    /// The file was written by a later version of this program; nothing of it was used.
    NewerFormat { version: u64, known: u64 },
    /// The file is sealed, and no passphrase was given; nothing of it was used.
    PassphraseNeeded,
    /// A sealed file was cut or changed after it was written; the part from there on was not used.
    DamagedFile { reason: &'static str },
    /// Something of the session's prompt was erased, so it takes no more turns.
    SessionEnded { session: String },
    /// The embedding model could not be loaded; recall goes on by keywords.
    EmbedderUnavailable { message: String },
    /// The embedder that the host chose could not be loaded or does not do what it is asked to; recall goes on without it.
    EmbedderFailed {
        fault: EmbedderFault,
        message: String,
    },
    /// The endpoint could not be reached.
    Network { message: String },
    /// The caller cancelled.
    Cancelled,
    /// Claude's API, or the edge worker in its shape, answered with an error.
    Api(ApiError),
    /// Claude's API did not compact a conversation, or took its own summary not back.
    CompactionFailed {
        fault: CompactionFault,
        message: String,
    },
    /// The reply ended before it was complete; nothing of it was recorded.
    StreamCut,
    /// The reply could not be read; nothing of it was recorded.
    MalformedStream { message: String },
    /// A limit that the host set for one message was reached: `turns`, `cost` or `ms`. What was answered by then is kept.
    LimitReached { limit: &'static str },
    /// The limit that the host set for a day was reached.
    BudgetReached {
        limit_usd: f64,
        /// Until the next day begins on the person's clock.
        retry_after_ms: u32,
    },
    /// It failed several times in a row and is left alone for a while: `recall` or `extraction`.
    CircuitOpen {
        circuit: &'static str,
        retry_after_ms: u32,
    },
    /// A hook of the host threw; nothing was recorded.
    HookFailed { hook: &'static str, message: String },
    /// Claude declined to answer; nothing was recorded.
    Refused { category: Option<String> },
    /// The memory is encrypted and locked.
    Locked,
    /// The passphrase, recovery code or passkey does not open this memory or file; nothing was changed.
    WrongKey,
    /// The memory may not read this project, or may only read it.
    NotGranted { project: String },
    /// The memory was closed.
    Closed,
}

/// What an embedder did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedderFault {
    /// Its weights could not be fetched.
    NotLoaded,
    /// Its weights are not the ones that were promised.
    WrongChecksum,
    /// Its weights are no weights that this version reads.
    Unreadable,
    /// It threw.
    Threw,
    /// It did not answer in time.
    TimedOut,
    /// It gave more or fewer vectors than texts.
    WrongCount,
    /// A vector has another number of components than the first one.
    WrongDimensions,
    /// A vector holds NaN or infinity.
    NotFinite,
    /// All texts look the same to it, so nothing can be told apart.
    Uniform,
}

impl EmbedderFault {
    pub const ALL: [EmbedderFault; 9] = [
        EmbedderFault::NotLoaded,
        EmbedderFault::WrongChecksum,
        EmbedderFault::Unreadable,
        EmbedderFault::Threw,
        EmbedderFault::TimedOut,
        EmbedderFault::WrongCount,
        EmbedderFault::WrongDimensions,
        EmbedderFault::NotFinite,
        EmbedderFault::Uniform,
    ];

    pub fn from_name(name: &str) -> Option<EmbedderFault> {
        EmbedderFault::ALL
            .into_iter()
            .find(|fault| fault.name() == name)
    }

    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            EmbedderFault::NotLoaded => "not_loaded",
            EmbedderFault::WrongChecksum => "wrong_checksum",
            EmbedderFault::Unreadable => "unreadable",
            EmbedderFault::Threw => "threw",
            EmbedderFault::TimedOut => "timed_out",
            EmbedderFault::WrongCount => "wrong_count",
            EmbedderFault::WrongDimensions => "wrong_dimensions",
            EmbedderFault::NotFinite => "not_finite",
            EmbedderFault::Uniform => "uniform",
        }
    }
}

/// Why the API's own compaction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactionFault {
    /// Not at the moment.
    Unavailable,
    /// There is more than one summary among the messages.
    BlockAmbiguous,
    /// The summary is not the first block.
    BlockMisplaced,
    /// The summary is not what was signed.
    ContentMismatch,
    SignatureInvalid,
    /// The messages end in the middle of a turn.
    IncompleteTurn,
    NothingToSummarize,
    /// The conversation names more tools than a summary can record.
    TooManyToolReferences,
    /// The tools are not those that the summary records.
    ToolChangesMismatch,
    /// The answer held no summary.
    NoSummary,
}

impl CompactionFault {
    pub const ALL: [CompactionFault; 10] = [
        CompactionFault::Unavailable,
        CompactionFault::BlockAmbiguous,
        CompactionFault::BlockMisplaced,
        CompactionFault::ContentMismatch,
        CompactionFault::SignatureInvalid,
        CompactionFault::IncompleteTurn,
        CompactionFault::NothingToSummarize,
        CompactionFault::TooManyToolReferences,
        CompactionFault::ToolChangesMismatch,
        CompactionFault::NoSummary,
    ];

    /// A stable name, the same in Rust and in the package: the API's `error_code` without `compaction_`.
    pub fn name(self) -> &'static str {
        match self {
            CompactionFault::Unavailable => "unavailable",
            CompactionFault::BlockAmbiguous => "block_ambiguous",
            CompactionFault::BlockMisplaced => "block_misplaced",
            CompactionFault::ContentMismatch => "content_mismatch",
            CompactionFault::SignatureInvalid => "signature_invalid",
            CompactionFault::IncompleteTurn => "incomplete_turn",
            CompactionFault::NothingToSummarize => "nothing_to_summarize",
            CompactionFault::TooManyToolReferences => "too_many_tool_references",
            CompactionFault::ToolChangesMismatch => "tool_changes_mismatch",
            CompactionFault::NoSummary => "no_summary",
        }
    }
}

/// An error answer, as `claude::failure` reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// HTTP status; for an error inside a stream, the status that its type stands for.
    pub status: u16,
    /// `error.type` of the body, e.g. `rate_limit_error`.
    pub kind: String,
    pub message: String,
    /// `error.details.error_code`.
    pub error_code: Option<String>,
    pub request_id: Option<String>,
    /// How long the server asks to wait.
    pub retry_after_ms: Option<u32>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

impl Error {
    /// A stable name, the same in Rust, in the package and in the documents.
    pub fn code(&self) -> &'static str {
        match self {
            Error::InvalidInput { .. } => "invalid_input",
            Error::NotFound { .. } => "not_found",
            Error::Conflict { .. } => "conflict",
            Error::StorageUnavailable { .. } => "storage_unavailable",
            Error::QuotaExceeded { .. } => "quota_exceeded",
            Error::Storage { .. } => "storage",
            Error::Corrupt { .. } => "corrupt",
            Error::NewerFormat { .. } => "newer_format",
            Error::PassphraseNeeded => "passphrase_needed",
            Error::DamagedFile { .. } => "damaged_file",
            Error::SessionEnded { .. } => "session_ended",
            Error::EmbedderUnavailable { .. } => "embedder_unavailable",
            Error::EmbedderFailed { .. } => "embedder_failed",
            Error::Network { .. } => "network",
            Error::Cancelled => "cancelled",
            Error::Api(_) => "api",
            Error::CompactionFailed { .. } => "compaction_failed",
            Error::StreamCut => "stream_cut",
            Error::MalformedStream { .. } => "malformed_stream",
            Error::LimitReached { .. } => "limit_reached",
            Error::BudgetReached { .. } => "budget_reached",
            Error::CircuitOpen { .. } => "circuit_open",
            Error::HookFailed { .. } => "hook_failed",
            Error::Refused { .. } => "refused",
            Error::Locked => "locked",
            Error::WrongKey => "wrong_key",
            Error::NotGranted { .. } => "not_granted",
            Error::Closed => "closed",
        }
    }

    /// Whether the same call may succeed later without a change by the caller.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Conflict { .. }
            | Error::SessionEnded { .. }
            | Error::Storage { .. }
            | Error::Network { .. }
            | Error::StreamCut
            | Error::MalformedStream { .. }
            | Error::BudgetReached { .. }
            | Error::CircuitOpen { .. } => true,
            Error::Api(api) => api.retryable,
            Error::CompactionFailed { fault, .. } => *fault == CompactionFault::Unavailable,
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::InvalidInput { field, reason } => write!(f, "`{field}` is not valid: {reason}"),
            Error::NotFound { what } => write!(f, "There is no {what}."),
            Error::Conflict { id } => {
                write!(
                    f,
                    "{id} was written by another tab first. Load it again and retry."
                )
            }
            Error::StorageUnavailable { name, message } => write!(
                f,
                "This browser gives the page no working database ({name}: {message}). Memory is kept until the page closes."
            ),
            Error::QuotaExceeded { message } => write!(
                f,
                "The browser's storage for this site is full ({message}). Free some space or delete memories, then retry."
            ),
            Error::Storage { name, message } => {
                write!(f, "Saving or reading failed ({name}: {message}). Retry.")
            }
            Error::Corrupt { what, message } => write!(f, "{what} can not be read: {message}."),
            Error::NewerFormat { version, known } => write!(
                f,
                "This file has version {version} of the export format, and this program reads versions up to {known}. Update it, then try again."
            ),
            Error::PassphraseNeeded => write!(
                f,
                "This file is encrypted. Give the passphrase that it was exported with."
            ),
            Error::DamagedFile { reason } => write!(
                f,
                "This file is damaged: {reason}. From there on nothing of it was used; try another copy."
            ),
            Error::SessionEnded { session } => write!(
                f,
                "Memory that session {session} had shown was erased, so it can not go on as it was. A message to it begins a new one."
            ),
            Error::EmbedderUnavailable { message } => write!(
                f,
                "The on-device language model did not load ({message}). Recall uses keywords only until it does."
            ),
            Error::EmbedderFailed { message, .. } => write!(
                f,
                "The chosen embedder does not work ({message}). Recall goes on without it until it does."
            ),
            Error::Network { message } => write!(
                f,
                "The endpoint could not be reached ({message}). Check the connection and that the edge worker runs, then retry."
            ),
            Error::Cancelled => write!(f, "Cancelled."),
            Error::Api(api) => write!(f, "{} ({} {})", api.message, api.status, api.kind),
            Error::CompactionFailed { fault, message } => write!(
                f,
                "Claude's API could not shorten the conversation ({}: {message}). It goes on without that summary.",
                fault.name()
            ),
            Error::StreamCut => {
                write!(
                    f,
                    "The reply stopped before it was complete. Nothing was recorded; retry."
                )
            }
            Error::MalformedStream { message } => {
                write!(
                    f,
                    "The reply could not be read ({message}). Nothing was recorded; retry."
                )
            }
            Error::LimitReached { limit } => write!(
                f,
                "The limit of `{limit}` for one message was reached. Send another message to go on."
            ),
            Error::BudgetReached { limit_usd, .. } => write!(
                f,
                "The daily limit of ${limit_usd} is reached. Send it again tomorrow, or raise `dailyLimit`."
            ),
            Error::CircuitOpen {
                circuit,
                retry_after_ms,
            } => write!(
                f,
                "The memory's {circuit} failed several times in a row. It is tried again in {} s; until then the chat goes on without it.",
                retry_after_ms.div_ceil(1_000)
            ),
            Error::HookFailed { hook, message } => {
                write!(
                    f,
                    "The hook `{hook}` failed ({message}). Nothing was recorded."
                )
            }
            Error::Refused { category } => write!(
                f,
                "Claude declined to answer{}. Nothing was recorded; change the message.",
                category
                    .as_deref()
                    .map(|c| format!(" ({c})"))
                    .unwrap_or_default()
            ),
            Error::Locked => write!(
                f,
                "This memory is locked. Unlock it with its passphrase, recovery code or passkey."
            ),
            Error::WrongKey => write!(
                f,
                "This does not open it. Check it and try again; nothing was changed."
            ),
            Error::NotGranted { project } => write!(
                f,
                "This memory has no grant to do that in the project “{project}”. Name it in `grants` to read it."
            ),
            Error::Closed => write!(f, "This memory was closed. Open it again."),
        }
    }
}

impl std::error::Error for Error {}
