//! The engine: what JavaScript holds. One plain object goes in, one comes out.

use super::artifacts;
use super::audit::{AuditReportView, AuditView};
use super::browser::{Announcing, AnyStore, Browser};
use super::chat::{self, Call};
use super::check_view::CheckView;
use super::clock::BrowserClock;
use super::embedder::{BrowserEmbedder, Callback};
use super::evaluation_view::{EvaluationView, JudgementView, ProgressView};
use super::files;
use super::granted::{self, FoundView};
use super::idb::IdbStore;
use super::long::{ShortenedView, strategy_named};
use super::models::ModelsStatusView;
use super::options::Options;
use super::panic::install_hook;
use super::rebuild_view::RebuildingView;
use super::request::{Request, level_of};
use super::status_view::{EmbedderView, Loaded, StatusView};
use super::tagged;
use super::transfer::{self, Transfers};
use super::transport::FetchTransport;
use super::usage;
use super::views::{ErrorView, FactView, ItemView, JobView, SessionView, TurnPageView, TurnView};
use crate::error::{EmbedderFault, Error, Result};
use crate::memory::together::both;
use crate::memory::{Cancel, Grants, Keeping, Memory, RecallRequest, SpokenTurn, TurnFilter};
use crate::model::{Fact, Origin, SessionId};
use crate::store::Persistence;
use crate::store::ram::RamStore;
use js_sys::{Array, Function, Promise, Uint8Array};
use serde::Serialize;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};
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

#[wasm_bindgen]
impl Engine {
    /// Opens a memory. `table` is a promise of the embedding table: its bytes, why there are none, or undefined if none is wanted.
    /// `notify` is called with `{type: "committed", commit, kinds}` after each commit. `hold` keeps other tabs from changing
    /// memory files: it gives `{held, release}`.
    ///
    /// # Errors
    /// An error object with a `code`; never for a missing database or a missing table, which the
    /// status shows.
    pub fn open(options: JsValue, table: Promise, notify: Function, hold: Function) -> Promise {
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

/// The table that was promised.
async fn table_in(promised: Promise) -> Result<BrowserEmbedder> {
    let found = JsFuture::from(promised).await;
    match found.unwrap_or_default().dyn_into::<Uint8Array>() {
        Ok(bytes) => BrowserEmbedder::table(&bytes),
        Err(found) => {
            let message = found.as_string();
            let message = message.unwrap_or_else(|| "no table was given".into());
            Err(Error::EmbedderUnavailable { message })
        }
    }
}

impl Inner {
    async fn open(
        options: JsValue,
        table: Promise,
        notify: Function,
        hold: Function,
    ) -> Result<Inner> {
        let mut options: Options =
            serde_wasm_bindgen::from_value(options).map_err(|error| Error::InvalidInput {
                field: "options",
                reason: error.to_string(),
            })?;
        install_hook(options.debug, notify.clone());
        // The database opens while the table comes and is taken apart.
        let opening = IdbStore::open(&options.database);
        let (table, store) = both(table_in(table), opening).await;
        let (table, no_table) = match table {
            Ok(table) => (table, None),
            Err(error) => (BrowserEmbedder::Nothing, Some(error)),
        };
        let (store, no_disk) = match store {
            Ok(store) => (AnyStore::Disk(store), None),
            Err(error) => (AnyStore::Memory(RamStore::default()), Some(error)),
        };
        let debug = options.debug;
        let browser = Browser {
            store: Announcing { store, notify },
            transport: FetchTransport::new(std::mem::take(&mut options.endpoint)),
            clock: BrowserClock,
            embedder: table,
        };
        let browser = Rc::new(browser);
        let memory = Memory::open_within(READ_AT_ONCE, options.config()?, browser.clone()).await?;
        spawn_local(async move { browser.store.prepare_to_write().await });
        Ok(Inner {
            memory,
            grants: Grants::default(),
            no_disk,
            no_table,
            loaded: Cell::default(),
            transfers: Transfers::default(),
            hold,
            debug,
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
            Request::Status { brief } => {
                if !brief && !memory.is_locked() {
                    memory.read_queue().await?;
                }
                give(&StatusView::new(
                    memory.status(),
                    memory.store().id().await.ok().flatten(),
                    self.no_disk.as_ref(),
                    self.embedder(),
                ))
            }
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
            Request::Jobs => {
                memory.read_queue().await?;
                give(&memory.jobs().iter().map(JobView::from).collect::<Vec<_>>())
            }
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
                let keeping = match is_kept {
                    true => memory.keep_index().await?,
                    false => Keeping::Done,
                };
                give(&name_of_keeping(keeping))
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

/// As the page calls it.
fn name_of_keeping(keeping: Keeping) -> &'static str {
    match keeping {
        Keeping::Done => "done",
        Keeping::More => "more",
        Keeping::Overtaken => "overtaken",
    }
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
