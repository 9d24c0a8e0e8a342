//! The driver: the one place that awaits. It moves data from step to step and decides nothing itself.
//!
//! - [`Memory::open`] reads the store and fills the [`Corpus`], [`Memory::rebuild_step`] a slice at a time;
//! - [`Memory::send_with`] is the path of one message, and goes round while Claude calls tools;
//! - [`Memory::work`] runs the queue, [`Memory::embed_step`] makes the vectors of a chosen embedder;
//! - [`Memory::run_file_command`] is Claude's memory tool;
//! - the rest looks things up or changes facts.
//!
//! Every write is one [`Batch`], given to `Memory::commit`.

mod artifacts;
mod audit;
mod cancel;
mod chat;
mod check;
mod circuits;
mod compact;
mod curate;
mod embedder_status;
mod embedding;
mod episodes;
mod erase;
mod evaluate;
mod exchange;
mod export;
mod files;
mod generations;
mod grants;
mod host;
mod import;
mod judge;
mod kept;
mod learn;
mod lock;
mod models;
mod newcomer;
mod next_request;
mod open;
mod ports;
mod queue;
mod rebuild;
mod record;
mod room;
mod said;
mod search;
mod serial;
mod sizes;
mod summaries;
pub(crate) mod together;
mod tools;
mod usage;
mod wire;

pub use audit::{AuditItem, AuditReport};
pub use cancel::Cancel;
pub use chat::{ChatEvent, Send, Sent};
pub use check::{CheckReport, Finding, Problem};
pub use circuits::CircuitsStatus;
pub use compact::Shortened;
pub use embedder_status::{EmbedderState, EmbedderStatus};
pub use episodes::{Extent, TurnFilter, TurnPage};
pub use evaluate::Evaluation;
pub use export::{Export, ExportPage};
pub use generations::EmbedStep;
pub use grants::{Found, Granted, Grants, ReadOnly, Reading};
pub use host::{Host, NoHost, ReplySeen, Storing};
pub use import::Import;
pub use kept::{Keeping, KeptIndex, Unusable};
pub use learn::{QueueReport, WorkReport};
pub use models::ModelsStatus;
pub use open::{Counts, Status};
pub use ports::{
    Body, Clock, Embedder, EmbedderModel, HttpRequest, HttpResponse, Method, Pace, Ports, Transport,
};
pub use rebuild::Rebuilding;
pub use record::SpokenTurn;
pub use search::{BlockPreview, RecallRequest, Recollected, RecollectedItem};
pub use sizes::EstimatorStatus;

use crate::batch::{Batch, Durability, Op};
use crate::claude::message::Message;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::files::FileTree;
use crate::index::Mode;
use crate::model::{
    Action, Fact, FactId, Generation, Namespace, Record, RecordRef, Segment, Session, SessionId,
    Stamp, Tombstone, TurnId,
};
use crate::recall::{Corpus, EmbedderSpec, SegmentKey};
use crate::text::calibration::Calibration;
use crate::usage::Spending;
use episodes::HotWindow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// One namespace's memory, open.
pub struct Memory<P: Ports> {
    ports: P,
    config: Config,
    state: RefCell<State>,
    /// The embedder that the config chose in place of the built-in one, once it is at hand.
    own: RefCell<Option<Rc<P::Embedder>>>,
    /// Its vectors, as far as they are known to the store.
    own_generation: RefCell<Option<Generation>>,
    trouble: RefCell<Option<embedding::Trouble>>,
    /// Changes of memory files go one after another.
    file_turns: serial::Serial,
    /// The last commit whose changes are in `state`.
    seen_commit: Cell<u64>,
    closed: Cell<bool>,
    /// Facts and turns that are read at once, where they have to be read; of more all are left to [`Memory::rebuild_step`].
    at_once: u64,
    /// Slices are read one after another.
    slices: serial::Serial,
    /// Whether the disk was full and vectors were given up for what was said.
    tight: Cell<bool>,
    /// The store is encrypted and its key is not at hand.
    locked: Cell<bool>,
    circuits: circuits::Circuits,
    models: models::Models,
    /// By model.
    calibrations: RefCell<BTreeMap<String, Calibration>>,
}

/// What is held in memory; all of it can be read again from the store.
///
/// A borrow of it never lives across an await.
struct State {
    corpus: Corpus,
    facts: BTreeMap<FactId, Fact>,
    sessions: BTreeMap<SessionId, Extent>,
    /// Every turn that was read or written.
    turns: said::Said,
    /// Sessions that take no more turns.
    ended: BTreeSet<SessionId>,
    hot: HotWindow,
    queue: queue::Queue,
    files: FileTree,
    /// By name.
    tombstones: BTreeMap<String, Tombstone>,
    /// Sessions that were spoken in since the memory was opened.
    live: HashMap<SessionId, LiveSession>,
    /// Records that could not be read, by kind and name.
    unreadable: Vec<String>,
    /// Embedders whose vectors were found in the store, or served here, and are of no use any more.
    foreign: BTreeSet<String>,
    /// What of all this is kept for the next start.
    kept: kept::Book,
    came_from_segments: bool,
    /// Why it did not, where there were some.
    unusable: Option<kept::Unusable>,
    /// While records are still to be read that recall needs.
    rebuild: Option<rebuild::Rebuild>,
    /// What this tab knows of today, from its own requests and from the store.
    spending: Spending,
    /// Grows with each erasure: who awaited something compares it, and drops what may be gone.
    erasures: u64,
}

/// A session as its next request needs it.
struct LiveSession {
    session: Session,
    /// The messages so far, byte for byte as they were sent and received.
    history: Vec<Message>,
    /// What this session's prompt holds already.
    surfaced: HashSet<RecordRef>,
    next_index: u32,
    /// Of the last request with its reply; after a reload as estimated.
    prompt_tokens: u64,
    /// Whether a message is being answered now.
    busy: bool,
    /// What a full or broken disk refused; the next commit of this session tries it again.
    unsaved: Vec<Op>,
}

impl<P: Ports> Memory<P> {
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where the records are.
    pub fn store(&self) -> &P::Store {
        self.ports.store()
    }

    /// Lets go of everything; later calls fail with `Closed`.
    pub fn close(&self) {
        self.closed.set(true);
    }

    fn ensure_open(&self) -> Result<()> {
        self.ensure_not_closed()?;
        if self.locked.get() {
            Err(Error::Locked)
        } else {
            Ok(())
        }
    }

    /// For what goes on while the memory is locked.
    fn ensure_not_closed(&self) -> Result<()> {
        if self.closed.get() {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    /// A batch that will have its entry in the audit, if it changes something that is audited.
    fn batch(&self, durability: Durability, action: Action) -> Batch {
        self.batch_in(&self.config.namespace, durability, action)
    }

    fn batch_in(&self, namespace: &Namespace, durability: Durability, action: Action) -> Batch {
        let mut batch = Batch::new(namespace, durability);
        batch.audit = Some(Stamp {
            action,
            at: self.ports.clock().now(),
            salt: self.ports.clock().random(),
            surfaced: Vec::new(),
        });
        batch
    }

    /// Writes the batch, then brings what is held in memory up to it.
    async fn commit(&self, batch: &Batch) -> Result<u64> {
        let commit = self.apply(batch).await;
        let commit = self.heed_lock(commit)?;
        // Another tab may have committed in between: its number is then still to be caught up with.
        if commit == self.seen_commit.get() + 1 {
            self.seen_commit.set(commit);
        }
        self.absorb(batch);
        Ok(commit)
    }

    /// Brings what is held in memory up to a batch that was written.
    fn absorb(&self, batch: &Batch) {
        let mut state = self.state.borrow_mut();
        for op in &batch.ops {
            match op {
                Op::Insert(record) | Op::Put(record) => state.take_in(record),
                Op::Delete { kind, name } => state.let_go(*kind, name),
            }
        }
        let now = self.ports.clock().now();
        state.hot.advance(self.config.hot_days, now.unix_ms);
        state.spending.forget_before(now);
    }
}

impl State {
    fn new(
        (serving, next): (Option<EmbedderSpec>, Option<EmbedderSpec>),
        index_mode: Mode,
        hot: HotWindow,
    ) -> State {
        State {
            corpus: Corpus::with_generations(serving, next, index_mode),
            facts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            turns: said::Said::default(),
            ended: BTreeSet::new(),
            hot,
            queue: queue::Queue::default(),
            files: FileTree::default(),
            tombstones: BTreeMap::new(),
            live: HashMap::new(),
            unreadable: Vec::new(),
            foreign: BTreeSet::new(),
            kept: kept::Book::default(),
            came_from_segments: false,
            unusable: None,
            rebuild: None,
            spending: Spending::default(),
            erasures: 0,
        }
    }

    fn take_in(&mut self, record: &Record) {
        self.mark(record);
        match record {
            Record::Session(session) => {
                self.sessions.entry(session.id).or_default();
                if session.ended.is_some() {
                    self.ended.insert(session.id);
                    self.live.remove(&session.id);
                }
            }
            Record::Turn(turn) => {
                self.touch(RecordRef::Turn(turn.id));
                let extent = self.sessions.entry(turn.id.session).or_default();
                let at_ms = turn.at.unix_ms;
                extent.n_turns += u32::from(self.turns.insert(turn.id, at_ms));
                extent.last_ms = extent.last_ms.max(turn.at.unix_ms);
                self.hot.take_in(turn);
                self.corpus.add_turn(turn);
            }
            Record::Fact(fact) => {
                self.touch(RecordRef::Fact(fact.id));
                self.corpus.add_fact(fact);
                self.facts.insert(fact.id, fact.clone());
            }
            Record::Vector(vector) => {
                let components = expand(&vector.components);
                // A vector of the wrong shape is as good as none: it is made again.
                let _ = self
                    .corpus
                    .add_vector_of(&vector.embedder, vector.owner, &components);
                if let Some(words) = &vector.words {
                    self.corpus
                        .add_words_of(&vector.embedder, vector.owner, words);
                }
            }
            Record::Job(job) => {
                self.queue.put(job.clone());
            }
            Record::File(file) => {
                self.corpus.add_file(file);
                self.files.put(file);
            }
            Record::Tombstone(stone) => {
                let name = Tombstone::name_of(stone.kind, &stone.name);
                self.tombstones.insert(name, stone.clone());
                self.erasures += 1;
            }
            Record::Segment(segment) => self.kept.is_stale |= segment.is_of_index(),
            Record::Injection(_)
            | Record::Generation(_)
            | Record::Judgement(_)
            | Record::Artifact(_) => {}
            Record::Usage(usage) => self.spending.note(usage),
        }
    }

    fn let_go(&mut self, kind: crate::model::Kind, name: &str) {
        use crate::model::Kind;
        match kind {
            Kind::Job => {
                if let Ok(id) = name.parse() {
                    self.queue.remove(id);
                }
            }
            Kind::Turn => {
                if let Ok(id) = name.parse::<TurnId>() {
                    self.erasures += 1;
                    self.touch(RecordRef::Turn(id));
                    self.corpus.remove(RecordRef::Turn(id));
                    self.hot.let_go(id);
                    self.mark_turn(id);
                    if self.turns.remove(id)
                        && let Some(extent) = self.sessions.get_mut(&id.session)
                    {
                        extent.n_turns -= 1;
                        extent.last_ms = self.turns.last_ms(id.session).unwrap_or(0);
                    }
                }
            }
            Kind::Fact => {
                if let Ok(id) = name.parse() {
                    self.erasures += 1;
                    self.touch(RecordRef::Fact(id));
                    self.mark_fact(id);
                    self.corpus.remove(RecordRef::Fact(id));
                    self.facts.remove(&id);
                }
            }
            Kind::Session => {
                if let Ok(id) = name.parse() {
                    self.erasures += 1;
                    let is_known = self.sessions.remove(&id).is_some();
                    self.kept.mark(SegmentKey::Session(id), is_known);
                    self.ended.remove(&id);
                    self.live.remove(&id);
                }
            }
            Kind::File => {
                if let Ok(id) = name.parse() {
                    self.corpus.remove(RecordRef::File(id));
                    self.files.remove(id);
                }
            }
            Kind::Tombstone => {
                self.tombstones.remove(name);
            }
            Kind::Segment => self.kept.is_stale |= name != Segment::MODELS,
            Kind::Vector
            | Kind::Injection
            | Kind::Usage
            | Kind::Generation
            | Kind::Judgement
            | Kind::Artifact => {}
        }
    }
}

/// Unit components to 16 bits: times 32,767, rounded. The error of a cosine stays below 1e-4.
fn quantise(vector: &[f32]) -> Vec<i16> {
    vector
        .iter()
        .map(|x| (x.clamp(-1.0, 1.0) * 32_767.0).round() as i16)
        .collect()
}

fn expand(components: &[i16]) -> Vec<f32> {
    components
        .iter()
        .map(|&x| f32::from(x) / 32_767.0)
        .collect()
}
