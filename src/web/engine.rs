//! The engine: what JavaScript holds. One plain object goes in, one comes out.

use super::artifacts::{self, ArtifactRequest};
use super::audit::{AuditReportView, AuditView};
use super::chat::{self, Call, SendRequest, ToolRequest};
use super::check_view::CheckView;
use super::clock::BrowserClock;
use super::embedder::{BrowserEmbedder, Callback};
use super::encryption::EncryptionRequest;
use super::evaluation_view::{EvaluationView, JudgementView, ProgressView};
use super::files::{self, FileRequest};
use super::granted::{self, FoundView, GrantedRequest};
use super::idb::IdbStore;
use super::long::{CompactionOption, ContextOption, ShortenedView, strategy_named};
use super::models::{ModelsOption, ModelsStatusView};
use super::panic::install_hook;
use super::rebuild_view::RebuildingView;
use super::tagged;
use super::transfer::{self, Transfers};
use super::transport::FetchTransport;
use super::usage::{self, UsageRequest};
use super::views::{
    EmbedderView, ErrorView, FactView, ItemView, JobView, Loaded, SessionView, StatusView,
    TurnPageView, TurnView,
};
use crate::agent::Preset;
use crate::batch::{Batch, Commit};
use crate::block::Place;
use crate::config::{Config, EmbedderChoice};
use crate::error::{EmbedderFault, Error, Result};
use crate::index::Mode;
use crate::memory::{Cancel, Grants, Memory, Ports, RecallRequest, SpokenTurn, TurnFilter};
use crate::model::{AuditEntry, AuditHead, Fact, Kind, Namespace, Origin, Record, Role, SessionId};
use crate::recall::Level;
use crate::store::ram::RamStore;
use crate::store::{Persistence, Range, Scan, Store};
use js_sys::{Array, Function, Promise, Uint8Array};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use web_sys::AbortSignal;

/// So many facts and turns are read before the page has its memory, where they have to be read: it takes some 0.2 s, in which
/// nobody would be helped by half an answer.
const READ_AT_ONCE: u64 = 2_000;

/// A memory and its way to the page.
#[wasm_bindgen]
pub struct Engine(Rc<Inner>);

pub(super) struct Inner {
    pub(super) memory: Memory<Rc<Browser>>,
    grants: Grants<Rc<Browser>>,
    no_disk: Option<Error>,
    no_table: Option<Error>,
    /// Of the chosen embedder's weights, while they are being loaded.
    loaded: Cell<Loaded>,
    transfers: Transfers,
    /// Keeps the other tabs from the memory files: see `PageHost::hold`.
    hold: Function,
    debug: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    endpoint: String,
    database: String,
    user: String,
    project: String,
    /// Other projects of this user that may be read.
    #[serde(default)]
    grants: Vec<String>,
    model: Option<String>,
    extraction_model: Option<String>,
    instructions: String,
    block_tokens: Option<u32>,
    max_tokens: Option<u32>,
    daily_limit: Option<f64>,
    index: Option<IndexName>,
    embedder: EmbedderOption,
    preset: Option<String>,
    #[serde(default)]
    recall: RecallOption,
    #[serde(default)]
    compaction: CompactionOption,
    #[serde(default)]
    context_editing: ContextOption,
    #[serde(default)]
    models: ModelsOption,
    table_error: Option<String>,
    debug: bool,
}

/// How memory gets to Claude; what is left out stays as it is.
#[derive(Default, Deserialize)]
struct RecallOption {
    place: Option<String>,
}

/// Which embedder the page chose; it brings the chosen one after opening.
#[derive(Deserialize)]
struct EmbedderOption {
    r#type: EmbedderName,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum EmbedderName {
    Default,
    None,
    Weights,
    Callback,
}

/// What the page may ask; `type` names the variant.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Request {
    Status,
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
    fn needs_no_key(&self) -> bool {
        matches!(
            self,
            Request::Status
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
enum IndexName {
    Scan,
    Hnsw,
    Auto,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum LevelName {
    Loose,
    Normal,
    Strict,
}

#[derive(Deserialize)]
struct Spoken {
    role: Role,
    text: String,
}

#[wasm_bindgen]
impl Engine {
    /// Opens a memory. `table` is the embedding table's bytes, or undefined if there is none.
    /// `notify` is called with `{type: "committed", commit, kinds}` after each commit. `hold` keeps other tabs from changing
    /// memory files: it gives `{held, release}`.
    ///
    /// # Errors
    /// An error object with a `code`; never for a missing database or a missing table, which the
    /// status shows.
    pub fn open(
        options: JsValue,
        table: Option<Uint8Array>,
        notify: Function,
        hold: Function,
    ) -> Promise {
        future_to_promise(async move {
            let opened = Inner::open(options, table, notify, hold).await;
            opened
                .map(|inner| Engine(Rc::new(inner)).into())
                .map_err(|error| thrown(&error))
        })
    }

    /// Does what `request` asks. `signal` cancels it; `emit` receives the events of a streamed answer; `ask` asks the page's
    /// own tools and hooks.
    pub fn call(
        &self,
        request: JsValue,
        signal: Option<AbortSignal>,
        emit: Option<Function>,
        ask: Option<Function>,
    ) -> Promise {
        let inner = self.0.clone();
        future_to_promise(async move {
            let request = tagged::from_tagged(request, "type").map_err(|error| {
                thrown(&Error::InvalidInput {
                    field: "request",
                    reason: error.to_string(),
                })
            })?;
            let cancel = Cancel::default();
            let on_abort = signal.as_ref().map(|signal| {
                if signal.aborted() {
                    cancel.cancel();
                }
                let cancel = cancel.clone();
                let on_abort = Closure::<dyn FnMut()>::new(move || cancel.cancel());
                signal.set_onabort(Some(on_abort.as_ref().unchecked_ref()));
                on_abort
            });
            let is_message = matches!(request, Request::Send(_));
            let answer = inner.answer(request, &cancel, emit.as_ref(), ask.as_ref());
            let answer = answer.await;
            if is_message && answer.is_ok() {
                let inner = inner.clone();
                // Beside everything else: no message waits for it.
                spawn_local(async move {
                    inner.memory.refresh_models(&Cancel::default()).await;
                });
            }
            if let Some(signal) = &signal {
                signal.set_onabort(None);
            }
            drop(on_abort);
            answer.map_err(|error| thrown(&error))
        })
    }

    /// A pair of a number and the vector index as bytes, if a graph is to be built; undefined otherwise.
    #[wasm_bindgen(js_name = graphTask)]
    pub fn graph_task(&self) -> Option<Array> {
        let task = self.0.memory.graph_task()?;
        let bytes = Uint8Array::from(task.bytes.as_slice());
        Some(Array::of2(&task.serial.into(), &bytes))
    }

    /// Takes the graph of the task with this number; undefined if none could be built. Says whether it is in use now.
    #[wasm_bindgen(js_name = takeGraph)]
    pub fn take_graph(&self, serial: u32, graph: Option<Vec<u8>>) -> bool {
        self.0.memory.take_graph(serial, graph.as_deref())
    }

    /// Brings the embedder that the options chose, as its weights' bytes. Vectors are made by later `embedStep` requests.
    ///
    /// # Errors
    /// An error object with a `code`.
    #[wasm_bindgen(js_name = useWeights)]
    pub fn use_weights(&self, bytes: &Uint8Array) -> std::result::Result<(), JsValue> {
        let weights = BrowserEmbedder::weights(bytes);
        let adopted = weights.and_then(|weights| self.0.memory.adopt(weights));
        adopted.map_err(|error| thrown(&error))
    }

    /// Brings the embedder that the options chose, as a function of the page.
    ///
    /// # Errors
    /// An error object with a `code`.
    #[wasm_bindgen(js_name = useCallback)]
    pub fn use_callback(
        &self,
        id: String,
        dimensions: Option<u32>,
        ask: Function,
    ) -> std::result::Result<(), JsValue> {
        let callback = BrowserEmbedder::Callback(Callback {
            id,
            dimensions: dimensions.map(|dimensions| dimensions as usize),
            ask,
        });
        let adopted = self.0.memory.adopt(callback);
        adopted.map_err(|error| thrown(&error))
    }

    /// Lets go of the database. Calls under way end with `closed` or finish.
    pub fn close(&self) {
        self.0.memory.close();
    }
}

impl Inner {
    async fn open(
        options: JsValue,
        table: Option<Uint8Array>,
        notify: Function,
        hold: Function,
    ) -> Result<Inner> {
        let options: Options =
            serde_wasm_bindgen::from_value(options).map_err(|error| Error::InvalidInput {
                field: "options",
                reason: error.to_string(),
            })?;
        install_hook(options.debug, notify.clone());
        let (table, no_table) = match table {
            None => {
                let message = options
                    .table_error
                    .unwrap_or_else(|| "no table was given".into());
                let error = Error::EmbedderUnavailable { message };
                (BrowserEmbedder::Nothing, Some(error))
            }
            Some(bytes) => match BrowserEmbedder::table(&bytes) {
                Ok(table) => (table, None),
                Err(error) => (BrowserEmbedder::Nothing, Some(error)),
            },
        };
        let (store, no_disk) = match IdbStore::open(&options.database).await {
            Ok(store) => (AnyStore::Disk(store), None),
            Err(error) => (AnyStore::Memory(RamStore::default()), Some(error)),
        };
        let mut config = Config::new(Namespace {
            user: options.user,
            project: options.project,
        });
        config.grants = options.grants;
        config.model = options.model.unwrap_or(config.model);
        config.extraction_model = options.extraction_model.unwrap_or(config.extraction_model);
        config.instructions = options.instructions;
        if let Some(name) = options.preset {
            config.preset = Preset::from_name(&name).ok_or_else(|| Error::InvalidInput {
                field: "preset",
                reason: "expected stateless, episodic, assistant or agent".into(),
            })?;
        }
        if let Some(name) = options.recall.place {
            config.recall_place = Place::from_name(&name).ok_or_else(|| Error::InvalidInput {
                field: "recall.place",
                reason: "expected user or system".into(),
            })?;
        }
        options.compaction.apply(&mut config)?;
        options.context_editing.apply(&mut config);
        config.block_tokens = options.block_tokens.unwrap_or(config.block_tokens);
        config.max_output_tokens = options.max_tokens.unwrap_or(config.max_output_tokens);
        config.daily_limit_usd = options.daily_limit;
        config.refreshes_models = !options.models.off;
        config.index_mode = match options.index {
            Some(IndexName::Hnsw) => Mode::Hnsw,
            Some(IndexName::Auto) => Mode::Auto,
            Some(IndexName::Scan) | None => Mode::Scan,
        };
        config.embedder = match options.embedder.r#type {
            EmbedderName::Default => EmbedderChoice::BuiltIn,
            EmbedderName::None => EmbedderChoice::None,
            EmbedderName::Weights | EmbedderName::Callback => EmbedderChoice::Own {
                id: options.embedder.id,
            },
        };
        let browser = Browser {
            store: Announcing { store, notify },
            transport: FetchTransport::new(options.endpoint),
            clock: BrowserClock,
            embedder: table,
        };
        let memory = Memory::open_within(READ_AT_ONCE, config, Rc::new(browser)).await?;
        Ok(Inner {
            memory,
            grants: Grants::default(),
            no_disk,
            no_table,
            loaded: Cell::default(),
            transfers: Transfers::default(),
            hold,
            debug: options.debug,
        })
    }

    async fn answer(
        &self,
        request: Request,
        cancel: &Cancel,
        emit: Option<&Function>,
        ask: Option<&Function>,
    ) -> std::result::Result<JsValue, Error> {
        let memory = &self.memory;
        if memory.is_locked() {
            self.grants.forget();
            if !request.needs_no_key() {
                return Err(Error::Locked);
            }
        }
        match request {
            Request::Status => give(&StatusView::new(
                memory.status(),
                memory.store().id().await.ok().flatten(),
                self.no_disk.as_ref(),
                self.embedder(),
            )),
            Request::Compact {
                session,
                strategy,
                keep_turns,
            } => {
                let session = session.parse()?;
                let strategy = strategy.as_deref().map(strategy_named).transpose()?;
                let shortened = memory.compact_session(session, strategy, keep_turns, cancel);
                give(&shortened.await?.as_ref().map(ShortenedView::from))
            }
            Request::Send(request) => {
                let call = Call {
                    cancel,
                    emit,
                    ask,
                    hold: &self.hold,
                };
                chat::send(memory, request, call).await
            }
            Request::Tool { ask } => chat::tool(memory, ask, &self.hold).await,
            Request::Recall {
                query,
                limit,
                level,
                session,
            } => {
                let level = level_of(level);
                let session = session_id(session)?;
                let request = RecallRequest {
                    query,
                    limit,
                    level,
                    session,
                };
                let found = memory.recall(&request).await?;
                give(&RecallView {
                    items: found.items.iter().map(Into::into).collect(),
                    candidates: found.candidates,
                    partial: found.partial.map(Into::into),
                })
            }
            Request::Block { query, session } => {
                let preview = memory.block(&query, session_id(session)?).await?;
                give(&preview.block.as_ref().map(|block| BlockView {
                    text: &block.text,
                    place: preview.place.name(),
                    items: preview.items.iter().map(Into::into).collect(),
                    tokens: block.tokens,
                    partial: preview.partial.map(Into::into),
                }))
            }
            Request::Remember { session, turns } => {
                let turns: Vec<SpokenTurn> = turns
                    .into_iter()
                    .map(|turn| SpokenTurn {
                        role: turn.role,
                        text: turn.text,
                    })
                    .collect();
                let (session, turns) = memory.remember(session_id(session)?, &turns).await?;
                let turns = turns.iter().map(ToString::to_string).collect();
                give(&RememberedView {
                    session: session.to_string(),
                    turns,
                })
            }
            Request::Facts => give_facts(&memory.facts()),
            Request::FactHistory { id } => give_facts(&memory.fact_history(id.parse()?)?),
            Request::MarkStale { id, reason } => {
                let fact = memory
                    .mark_stale(id.parse()?, &reason, Origin::Manual)
                    .await?;
                give(&FactView::from(&fact))
            }
            Request::Restore { id } => {
                give(&FactView::from(&memory.restore_fact(id.parse()?).await?))
            }
            Request::Correct { id, statement } => give(&FactView::from(
                &memory.correct(id.parse()?, &statement).await?,
            )),
            Request::Sessions => {
                let sessions = memory.sessions().await?;
                give(&sessions.iter().map(SessionView::from).collect::<Vec<_>>())
            }
            Request::Turns {
                session,
                from,
                until,
                role,
                tool,
                after,
                limit,
            } => {
                let filter = TurnFilter {
                    session: session_id(session)?,
                    from_ms: from.map(|ms| ms as i64),
                    until_ms: until.map(|ms| ms as i64),
                    role,
                    tool,
                    after: after.map(|id| id.parse()).transpose()?,
                    limit,
                };
                let page = memory.find_turns(&filter).await?;
                give(&TurnPageView::from(&page))
            }
            Request::Turn { id } => {
                let turn = memory.turn(id.parse()?).await?;
                give(&turn.as_ref().map(TurnView::from))
            }
            Request::Judge {
                query,
                record,
                good,
            } => {
                let judgement = memory.judge(&query, record.parse()?, good).await?;
                give(&judgement.as_ref().map(JudgementView::from))
            }
            Request::Judgements => {
                let judgements = memory.judgements().await?;
                give(
                    &judgements
                        .iter()
                        .map(JudgementView::from)
                        .collect::<Vec<_>>(),
                )
            }
            Request::Evaluate { questions } => {
                let progress = |done, total| {
                    if let (Some(emit), Ok(event)) = (emit, give(&ProgressView { done, total })) {
                        let _ = emit.call1(&JsValue::UNDEFINED, &event);
                    }
                };
                let evaluation = memory.evaluate(questions.as_deref(), cancel, progress);
                give(&EvaluationView::from(&evaluation.await?))
            }
            Request::CountTokens { session, text } => {
                let counted = memory.count_tokens(session_id(session)?, &text, cancel);
                give(&(counted.await? as f64))
            }
            Request::Usage { ask } => usage::answer(memory, ask).await,
            Request::Models => give(&ModelsStatusView::of(memory)),
            Request::Work => {
                let report = memory.work(cancel).await?;
                let queue = memory.queue();
                give(&WorkView {
                    ran: report.ran,
                    facts: report.facts,
                    waiting: queue.waiting,
                    dead: queue.dead,
                    next_in_ms: queue.next_in_ms.map(|ms| ms as f64),
                })
            }
            Request::Jobs => give(&memory.jobs().iter().map(JobView::from).collect::<Vec<_>>()),
            Request::RetryJobs => {
                memory.retry_jobs().await?;
                Ok(JsValue::UNDEFINED)
            }
            Request::Audit { after, limit } => {
                let items = memory.audit(after as u64, limit).await?;
                give(&items.iter().map(AuditView::from).collect::<Vec<_>>())
            }
            Request::VerifyAudit => give(&AuditReportView::from(memory.verify_audit().await?)),
            Request::Encryption { ask } => self.encryption(ask).await,
            Request::CatchUp => give(&CatchUpView {
                changed: memory.catch_up().await?,
            }),
            Request::Check => give(&CheckView::from(memory.check().await?)),
            Request::TableRefused => give(&self.no_table.is_some()),
            Request::Files { ask } => files::answer(memory, ask).await,
            Request::Artifacts { ask } => artifacts::answer(memory, ask).await,
            Request::Embedder => give(&self.embedder()),
            Request::EmbedStep => {
                let step = memory.embed_step().await?;
                give(&EmbedStepView {
                    left: step.left,
                    next_in_ms: step.next_in_ms.map(|ms| ms as f64),
                    embedder: self.embedder(),
                })
            }
            Request::KeepIndex => {
                // Without a disk there is no next start.
                let is_kept = memory.status().persistence == Persistence::Disk;
                let left = is_kept && memory.keep_index().await?;
                give(&KeepIndexView { left })
            }
            Request::RebuildStep => {
                let left = memory.rebuild_step().await?;
                give(&left.map(RebuildingView::from))
            }
            Request::EmbedderLoading { loaded, total } => {
                self.loaded.set(Loaded { loaded, total });
                memory.embedder_is_coming()?;
                give(&self.embedder())
            }
            Request::EmbedderFailed { fault, message } => {
                memory.embedder_failed(Error::EmbedderFailed {
                    fault: EmbedderFault::from_name(&fault).unwrap_or(EmbedderFault::NotLoaded),
                    message,
                });
                give(&self.embedder())
            }
            Request::ExportBegin { passphrase } => {
                give(&self.transfers.begin_export(memory, passphrase).await?)
            }
            Request::ExportNext { id } => give(&self.transfers.export_page(memory, id).await?),
            Request::ImportBegin {
                dry_run,
                passphrase,
            } => {
                let begun = self.transfers.begin_import(memory, dry_run, passphrase);
                give(&begun.await?)
            }
            Request::ImportPush { id, bytes } => {
                self.transfers.import(memory, id, &bytes).await?;
                Ok(JsValue::UNDEFINED)
            }
            Request::ImportFinish { id } => give(&self.transfers.finish_import(memory, id).await?),
            Request::TransferEnd { id } => {
                self.transfers.end(id);
                Ok(JsValue::UNDEFINED)
            }
            Request::Erase { what, name } => give(&transfer::erase(memory, &what, name).await?),
            Request::RecallIn {
                projects,
                query,
                limit,
                level,
                session,
            } => {
                let request = RecallRequest {
                    query,
                    limit,
                    level: level_of(level),
                    session: session_id(session)?,
                };
                // Of the own memory; the others are read before they answer.
                let partial = memory.rebuilding().map(Into::into);
                let found = self.grants.recall(memory, &request, &projects).await?;
                give(&FoundInView {
                    items: found.iter().map(FoundView::from).collect(),
                    partial,
                })
            }
            Request::Granted { project, ask } => {
                let granted = self.grants.of(memory, &project).await?;
                granted::answer(&granted, ask).await
            }
            Request::Crash if self.debug => panic!("asked to crash"),
            Request::Crash => Err(Error::InvalidInput {
                field: "crash",
                reason: "only a memory opened with `debug` does that".into(),
            }),
        }
    }
}

impl Inner {
    /// The store, if it is on disk.
    pub(super) fn disk(&self) -> Option<&IdbStore> {
        match &self.memory.store().store {
            AnyStore::Disk(store) => Some(store),
            AnyStore::Memory(_) => None,
        }
    }

    fn embedder(&self) -> EmbedderView {
        let status = self.memory.embedder_status();
        EmbedderView::new(status, self.no_table.as_ref(), self.loaded.get())
    }
}

#[derive(Serialize)]
struct KeepIndexView {
    /// Whether there may be more to write.
    left: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EmbedStepView {
    left: usize,
    next_in_ms: Option<f64>,
    embedder: EmbedderView,
}

#[derive(Serialize)]
struct RecallView<'a> {
    items: Vec<ItemView<'a>>,
    candidates: usize,
    partial: Option<RebuildingView>,
}

#[derive(Serialize)]
struct FoundInView<'a> {
    items: Vec<FoundView<'a>>,
    partial: Option<RebuildingView>,
}

#[derive(Serialize)]
struct BlockView<'a> {
    text: &'a str,
    place: &'static str,
    items: Vec<ItemView<'a>>,
    tokens: u32,
    partial: Option<RebuildingView>,
}

#[derive(Serialize)]
struct RememberedView {
    session: String,
    turns: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkView {
    ran: usize,
    facts: usize,
    waiting: usize,
    dead: usize,
    next_in_ms: Option<f64>,
}

#[derive(Serialize)]
struct CatchUpView {
    changed: bool,
}

#[derive(Serialize)]
struct CommittedView {
    r#type: &'static str,
    commit: f64,
    kinds: Vec<Kind>,
}

fn level_of(name: Option<LevelName>) -> Level {
    match name {
        Some(LevelName::Loose) => Level::Loose,
        Some(LevelName::Normal) | None => Level::Normal,
        Some(LevelName::Strict) => Level::Strict,
    }
}

pub(super) fn session_id(text: Option<String>) -> Result<Option<SessionId>> {
    text.map(|text| text.parse()).transpose()
}

fn give_facts(facts: &[Fact]) -> Result<JsValue> {
    give(&facts.iter().map(FactView::from).collect::<Vec<_>>())
}

/// A plain object: maps are objects, missing values are null.
pub(super) fn give(value: &impl Serialize) -> Result<JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|error| Error::Corrupt {
            what: "an answer of the engine".into(),
            message: error.to_string(),
        })
}

pub(super) fn thrown(error: &Error) -> JsValue {
    give(&ErrorView::from(error)).unwrap_or_else(|_| JsValue::from_str(error.code()))
}

/// The browser, as the driver sees it.
pub(super) struct Browser {
    store: Announcing,
    transport: FetchTransport,
    clock: BrowserClock,
    embedder: BrowserEmbedder,
}

impl Ports for Browser {
    type Store = Announcing;
    type Transport = FetchTransport;
    type Clock = BrowserClock;
    type Embedder = BrowserEmbedder;

    fn store(&self) -> &Announcing {
        &self.store
    }
    fn transport(&self) -> &FetchTransport {
        &self.transport
    }
    fn clock(&self) -> &BrowserClock {
        &self.clock
    }
    fn embedder(&self) -> &BrowserEmbedder {
        &self.embedder
    }
}

/// The disk, or memory where the browser gives no database.
pub(super) enum AnyStore {
    Disk(IdbStore),
    Memory(RamStore),
}

/// Tells the page of each commit, so that it can tell the other tabs.
pub(super) struct Announcing {
    pub(super) store: AnyStore,
    notify: Function,
}

impl Announcing {
    /// The store's own id; `None` before its first commit, and where nothing is kept.
    async fn id(&self) -> Result<Option<String>> {
        match &self.store {
            AnyStore::Disk(store) => store.id().await,
            AnyStore::Memory(_) => Ok(None),
        }
    }
}

macro_rules! delegate {
    ($self:ident, $store:ident => $call:expr) => {
        match &$self.store {
            AnyStore::Disk($store) => $call,
            AnyStore::Memory($store) => $call,
        }
    };
}

impl Store for Announcing {
    fn persistence(&self) -> Persistence {
        delegate!(self, store => store.persistence())
    }

    async fn apply(&self, batch: &Batch) -> Result<u64> {
        let commit = delegate!(self, store => store.apply(batch).await)?;
        let mut kinds: Vec<Kind> = batch.ops.iter().map(|op| op.kind()).collect();
        kinds.sort();
        kinds.dedup();
        // The kept index is nothing that anyone sees.
        if kinds == [Kind::Segment] {
            return Ok(commit);
        }
        let event = CommittedView {
            r#type: "committed",
            commit: commit as f64,
            kinds,
        };
        let _ = self.notify.call1(&JsValue::UNDEFINED, &give(&event)?);
        Ok(commit)
    }

    async fn get(&self, namespace: &Namespace, kind: Kind, name: &str) -> Result<Option<Record>> {
        delegate!(self, store => store.get(namespace, kind, name).await)
    }

    async fn scan(&self, namespace: &Namespace, kind: Kind, range: &Range) -> Result<Scan> {
        delegate!(self, store => store.scan(namespace, kind, range).await)
    }

    async fn count(&self, namespace: &Namespace, kind: Kind) -> Result<u64> {
        delegate!(self, store => store.count(namespace, kind).await)
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        delegate!(self, store => store.namespaces().await)
    }

    async fn last_commit(&self) -> Result<u64> {
        delegate!(self, store => store.last_commit().await)
    }

    async fn commits_after(
        &self,
        namespace: &Namespace,
        number: u64,
    ) -> Result<Option<Vec<(u64, Commit)>>> {
        delegate!(self, store => store.commits_after(namespace, number).await)
    }

    async fn audit_after(
        &self,
        namespace: &Namespace,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Option<AuditEntry>)>> {
        delegate!(self, store => store.audit_after(namespace, number, limit).await)
    }

    async fn audit_head(&self, namespace: &Namespace) -> Result<AuditHead> {
        delegate!(self, store => store.audit_head(namespace).await)
    }
}
