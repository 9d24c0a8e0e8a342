//! A world for the driver: everything around it is under the test's control.

use onhand::agent::Preset;
use onhand::batch::{Batch, Commit, Durability, Op};
use onhand::config::{Config, EmbedderChoice};
use onhand::embed::{self, Embedded, StaticTable};
use onhand::error::{EmbedderFault, Error, Result};
use onhand::index::Mode;
use onhand::memory::{
    Body, Cancel, ChatEvent, Clock, Embedder, EmbedderModel, HttpRequest, HttpResponse, Memory,
    Pace, Ports, Send, Sent, Transport,
};
use onhand::model::{AuditEntry, AuditHead, Kind, Namespace, Record, SessionId};
use onhand::store::ram::RamStore;
use onhand::store::{Persistence, Range, Scan, Store};
use onhand::time::Timestamp;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::OnceLock;
use std::task::Poll;

pub const DAY_MS: i64 = 86_400_000;
/// 2026-11-20T09:00:00Z.
pub const START_MS: i64 = 1_795_165_200_000;

/// What the endpoint answers next.
#[derive(Clone)]
pub enum Answer {
    /// Status, headers, and the body in pieces.
    Http(u16, Vec<(String, String)>, Vec<Vec<u8>>),
    /// No connection.
    Down,
    /// A body that breaks off after these pieces.
    Broken(Vec<Vec<u8>>),
    /// Never answers; the user loses patience meanwhile.
    Hang(Cancel),
}

#[derive(Default)]
pub struct Endpoint {
    pub requests: RefCell<Vec<HttpRequest>>,
    pub answers: RefCell<VecDeque<Answer>>,
    /// What happens elsewhere while the next request is on its way.
    pub meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Endpoint {
    pub fn will(&self, answer: Answer) {
        self.answers.borrow_mut().push_back(answer);
    }

    /// The body of the n-th request.
    pub fn body(&self, n: usize) -> Value {
        serde_json::from_str(&self.requests.borrow()[n].body).expect("a request is JSON")
    }

    pub fn last_body(&self) -> Value {
        self.body(self.requests.borrow().len() - 1)
    }

    pub fn n_requests(&self) -> usize {
        self.requests.borrow().len()
    }
}

/// The transport's end of an endpoint that tests hold too.
#[derive(Clone, Default)]
pub struct Line(pub Rc<Endpoint>);

pub struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    breaks: bool,
}

impl Body for Pieces {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        match self.pieces.pop_front() {
            None if self.breaks => Err(Error::Network {
                message: "broken".into(),
            }),
            piece => Ok(piece),
        }
    }
}

impl Transport for Line {
    type Body = Pieces;

    async fn send(&self, request: &HttpRequest, _: &Cancel) -> Result<HttpResponse<Pieces>> {
        self.0.requests.borrow_mut().push(request.clone());
        let meanwhile = self.0.meanwhile.borrow_mut().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let answer = self.0.answers.borrow_mut().pop_front();
        let (status, headers, pieces, breaks) = match answer.expect("an unexpected request") {
            Answer::Http(status, headers, pieces) => (status, headers, pieces, false),
            Answer::Broken(pieces) => (200, vec![], pieces, true),
            Answer::Down => {
                return Err(Error::Network {
                    message: "no connection".into(),
                });
            }
            Answer::Hang(cancel) => {
                cancel.cancel();
                std::future::pending().await
            }
        };
        Ok(HttpResponse {
            status,
            headers,
            body: Pieces {
                pieces: pieces.into(),
                breaks,
            },
        })
    }
}

/// A clock that moves only when it is told to, or slept on.
#[derive(Clone)]
pub struct Hand(pub Rc<HandState>);

pub struct HandState {
    pub now_ms: Cell<i64>,
    pub slept: RefCell<Vec<u32>>,
    random: Cell<u128>,
}

impl Hand {
    pub fn new(seed: u128) -> Hand {
        Hand(Rc::new(HandState {
            now_ms: Cell::new(START_MS),
            slept: RefCell::default(),
            random: Cell::new(seed),
        }))
    }

    pub fn pass(&self, ms: i64) {
        self.0.now_ms.set(self.0.now_ms.get() + ms);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::utc(self.0.now_ms.get())
    }
    fn random(&self) -> u128 {
        // A fixed odd step visits every value once.
        let next = self
            .0
            .random
            .get()
            .wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        self.0.random.set(next);
        next
    }
    async fn sleep(&self, ms: u32) {
        self.0.slept.borrow_mut().push(ms);
        self.pass(i64::from(ms));
    }
}

/// The embedders of the tests.
#[derive(Clone)]
pub enum AnyEmbedder {
    /// The real table, or none.
    Table(bool),
    Words(Rc<Words>),
}

fn table() -> &'static StaticTable {
    static TABLE: OnceLock<StaticTable> = OnceLock::new();
    TABLE.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/pkg/model/static-128-int4.bin");
        StaticTable::from_bytes(&std::fs::read(path).expect("the table is in the tree"))
            .expect("the table reads")
    })
}

/// The id of the built-in embedder.
pub fn table_id() -> String {
    table().id().into()
}

impl Embedder for AnyEmbedder {
    fn model(&self) -> Option<EmbedderModel> {
        match self {
            AnyEmbedder::Table(is_there) => is_there.then(|| EmbedderModel {
                id: table_id(),
                dimensions: Some(table().dimensions()),
                calibration: Some(table().calibration()),
            }),
            AnyEmbedder::Words(words) => Some(EmbedderModel {
                id: words.id.clone(),
                dimensions: words.tells_dimensions.then_some(words.dimensions),
                calibration: None,
            }),
        }
    }
    fn pace(&self) -> Pace {
        match self {
            AnyEmbedder::Table(_) => Pace::Instant,
            AnyEmbedder::Words(words) => words.pace,
        }
    }
    async fn embed(&self, texts: &[&str], _: embed::Kind) -> Result<Vec<Option<Embedded>>> {
        let one = |text: &&str| table().embed_with_words(text);
        match self {
            AnyEmbedder::Table(_) => Ok(texts.iter().map(one).collect()),
            AnyEmbedder::Words(words) => words.embed(texts),
        }
    }
}

/// A small embedder of a host: each word has a random direction, fixed by a seed, and a text is the sum of its words.
///
/// It knows one thing that no other does: `zorblax` is a boat.
pub struct Words {
    pub id: String,
    pub dimensions: usize,
    pub tells_dimensions: bool,
    pub pace: Pace,
    /// Whether it gives words beside the vector.
    pub gives_words: Cell<bool>,
    /// What it does wrong.
    pub fault: Cell<Option<EmbedderFault>>,
    /// Every text that it was asked for, in order.
    pub asked: RefCell<Vec<String>>,
}

impl Words {
    pub fn new(id: &str, dimensions: usize) -> Rc<Words> {
        Rc::new(Words {
            id: id.into(),
            dimensions,
            tells_dimensions: false,
            pace: Pace::Texts(8),
            gives_words: Cell::new(false),
            fault: Cell::new(None),
            asked: RefCell::default(),
        })
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedded>>> {
        self.asked
            .borrow_mut()
            .extend(texts.iter().map(|text| text.to_string()));
        let mut vectors: Vec<Option<Vec<f32>>> = texts.iter().map(|text| self.one(text)).collect();
        match self.fault.get() {
            None => {}
            Some(EmbedderFault::WrongCount) => {
                vectors.pop();
            }
            Some(EmbedderFault::WrongDimensions) => {
                vectors[0] = Some(vec![1.0; self.dimensions + 1])
            }
            Some(EmbedderFault::NotFinite) => vectors[0] = Some(vec![f32::NAN; self.dimensions]),
            Some(EmbedderFault::Uniform) => vectors.fill(Some(vec![1.0; self.dimensions])),
            Some(fault) => {
                return Err(Error::EmbedderFailed {
                    fault,
                    message: "as told".into(),
                });
            }
        }
        let embedded = texts.iter().zip(vectors).map(|(text, vector)| {
            let words = self.gives_words.get().then(|| self.words(text));
            Some(Embedded {
                vector: vector?,
                words: words.map(embed::Words::Directions),
            })
        });
        Ok(embedded.collect())
    }

    /// A word of the text is a word of two components: they stand for its first letter.
    fn words(&self, text: &str) -> Vec<u8> {
        let letters = text
            .split_whitespace()
            .filter_map(|word| word.bytes().next());
        std::iter::once(1).chain(letters).collect()
    }

    fn one(&self, text: &str) -> Option<Vec<f32>> {
        let mut sum = vec![0.0; self.dimensions];
        let words = text.to_lowercase();
        for word in words
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() > 2)
        {
            let word = if word == "zorblax" { "boat" } else { word };
            // FNV-1a, then xorshift: a fixed direction per word and embedder.
            let seed = self.id.bytes().chain(word.bytes());
            let mut state = seed.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
            for x in &mut sum {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *x += (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
            }
        }
        sum.iter().any(|&x| x != 0.0).then_some(sum)
    }
}

/// A store that fails where a test says so.
#[derive(Default)]
pub struct Faulty {
    pub inner: RamStore,
    pub writes_fail: RefCell<Option<Error>>,
    pub reads_fail: RefCell<Option<Error>>,
    /// How many records fit on the disk; `None` for as many as there are.
    pub room: Cell<Option<usize>>,
    /// Lets others go on before a batch is applied or commits are read, as a disk does.
    pub takes_time: Cell<bool>,
    /// Lets others go on between what is written and the answer.
    pub answers_late: Cell<bool>,
    /// Lets others go on between what is read by a scan and its answer.
    pub scans_take_time: Cell<bool>,
    /// Of every batch that was applied.
    pub durabilities: RefCell<Vec<Durability>>,
    /// A commit that the log has lost.
    pub lost_commit: Cell<Option<u64>>,
    replaced: RefCell<Option<Record>>,
}

impl Faulty {
    fn n_records(&self) -> usize {
        let (namespace, all) = (namespace(), Range::default());
        let in_kind = |kind| {
            let scan = pollster::block_on(self.inner.scan(&namespace, kind, &all));
            scan.expect("memory does not fail").records.len()
        };
        Kind::ALL.into_iter().map(in_kind).sum()
    }

    fn fits(&self, batch: &Batch) -> bool {
        let is_new = |op: &&Op| matches!(op, Op::Insert(_) | Op::Put(_));
        let n_new = batch.ops.iter().filter(is_new).count();
        self.room
            .get()
            .is_none_or(|room| n_new == 0 || self.n_records() + n_new <= room)
    }

    async fn pass_time(&self, takes_time: &Cell<bool>) {
        let mut waits = takes_time.get();
        std::future::poll_fn(|context| {
            if !std::mem::take(&mut waits) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// Puts a record in the place of the one of its name, so that no log tells of it.
    pub fn behind_the_log(&self, record: Record) {
        self.replaced.replace(Some(record));
    }
}

fn fail(error: &RefCell<Option<Error>>) -> Result<()> {
    error.borrow().clone().map_or(Ok(()), Err)
}

impl Store for Faulty {
    fn persistence(&self) -> Persistence {
        self.inner.persistence()
    }
    async fn apply(&self, batch: &Batch) -> Result<u64> {
        self.pass_time(&self.takes_time).await;
        fail(&self.writes_fail)?;
        if !self.fits(batch) {
            return Err(Error::QuotaExceeded {
                message: "the disk is full".into(),
            });
        }
        let commit = self.inner.apply(batch).await?;
        self.durabilities.borrow_mut().push(batch.durability);
        self.pass_time(&self.answers_late).await;
        Ok(commit)
    }
    async fn get(&self, namespace: &Namespace, kind: Kind, name: &str) -> Result<Option<Record>> {
        fail(&self.reads_fail)?;
        self.inner.get(namespace, kind, name).await
    }
    async fn scan(&self, namespace: &Namespace, kind: Kind, range: &Range) -> Result<Scan> {
        fail(&self.reads_fail)?;
        let mut scan = self.inner.scan(namespace, kind, range).await?;
        if let Some(other) = &*self.replaced.borrow() {
            let mut records = scan.records.iter_mut();
            let place = records
                .find(|record| (record.kind(), record.name()) == (other.kind(), other.name()));
            if let Some(place) = place {
                *place = other.clone();
            }
        }
        self.pass_time(&self.scans_take_time).await;
        Ok(scan)
    }
    async fn names(&self, namespace: &Namespace, kind: Kind) -> Result<Vec<String>> {
        fail(&self.reads_fail)?;
        self.inner.names(namespace, kind).await
    }
    async fn count(&self, namespace: &Namespace, kind: Kind) -> Result<u64> {
        fail(&self.reads_fail)?;
        self.inner.count(namespace, kind).await
    }
    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        fail(&self.reads_fail)?;
        self.inner.namespaces().await
    }
    async fn last_commit(&self) -> Result<u64> {
        self.inner.last_commit().await
    }
    async fn commits_after(
        &self,
        namespace: &Namespace,
        number: u64,
    ) -> Result<Option<Vec<(u64, Commit)>>> {
        self.pass_time(&self.takes_time).await;
        let commits = self.inner.commits_after(namespace, number).await?;
        let is_kept = |(number, _): &(u64, Commit)| Some(*number) != self.lost_commit.get();
        Ok(commits.map(|commits| commits.into_iter().filter(is_kept).collect()))
    }
    async fn audit_after(
        &self,
        namespace: &Namespace,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Option<AuditEntry>)>> {
        fail(&self.reads_fail)?;
        self.inner.audit_after(namespace, number, limit).await
    }
    async fn audit_head(&self, namespace: &Namespace) -> Result<AuditHead> {
        fail(&self.reads_fail)?;
        self.inner.audit_head(namespace).await
    }
}

#[derive(Clone)]
pub struct TestPorts {
    store: Rc<Faulty>,
    transport: Line,
    clock: Hand,
    embedder: AnyEmbedder,
}

impl Ports for TestPorts {
    type Store = Rc<Faulty>;
    type Transport = Line;
    type Clock = Hand;
    type Embedder = AnyEmbedder;

    fn store(&self) -> &Rc<Faulty> {
        &self.store
    }
    fn transport(&self) -> &Line {
        &self.transport
    }
    fn clock(&self) -> &Hand {
        &self.clock
    }
    fn embedder(&self) -> &AnyEmbedder {
        &self.embedder
    }
}

/// A disk, an endpoint and a clock that outlive the page.
pub struct World {
    pub store: Rc<Faulty>,
    pub line: Line,
    pub clock: Hand,
}

impl World {
    pub fn new() -> World {
        World {
            store: Rc::default(),
            line: Line::default(),
            clock: Hand::new(1),
        }
    }

    /// Opens the memory as a page does when it is loaded.
    pub fn open(&self) -> Memory<TestPorts> {
        self.open_with(true)
    }

    pub fn open_with(&self, table: bool) -> Memory<TestPorts> {
        self.open_as(table, Mode::Scan)
    }

    pub fn open_as(&self, table: bool, index_mode: Mode) -> Memory<TestPorts> {
        self.open_choosing(table, index_mode, EmbedderChoice::BuiltIn)
    }

    /// Opens the memory for an embedder that the host brings.
    pub fn open_for(&self, id: &str) -> Memory<TestPorts> {
        let id = Some(id.into());
        self.open_choosing(true, Mode::Scan, EmbedderChoice::Own { id })
    }

    pub fn open_choosing(
        &self,
        table: bool,
        index_mode: Mode,
        embedder: EmbedderChoice,
    ) -> Memory<TestPorts> {
        let config = Config {
            index_mode,
            embedder,
            ..Config::new(namespace())
        };
        self.open_with_config(config, table)
    }

    /// Opens a memory that does as much as the preset says.
    pub fn open_preset(&self, preset: Preset) -> Memory<TestPorts> {
        let config = Config {
            preset,
            ..Config::new(namespace())
        };
        self.open_with_config(config, true)
    }

    /// Opens the memory of another namespace.
    pub fn open_in(&self, namespace: Namespace, table: bool) -> Memory<TestPorts> {
        self.open_granted(namespace, &[], table)
    }

    /// Opens the memory of a namespace that may read other projects.
    pub fn open_granted(
        &self,
        namespace: Namespace,
        grants: &[&str],
        table: bool,
    ) -> Memory<TestPorts> {
        let config = Config {
            grants: grants.iter().map(|grant| (*grant).into()).collect(),
            ..Config::new(namespace)
        };
        self.open_with_config(config, table)
    }

    pub fn open_with_config(&self, config: Config, table: bool) -> Memory<TestPorts> {
        self.open_within(u64::MAX, config, table)
    }

    /// Opens it without waiting for more records than these.
    pub fn open_within(&self, at_once: u64, config: Config, table: bool) -> Memory<TestPorts> {
        let ports = TestPorts {
            store: self.store.clone(),
            transport: self.line.clone(),
            clock: self.clock.clone(),
            embedder: AnyEmbedder::Table(table),
        };
        pollster::block_on(Memory::open_within(at_once, config, ports)).expect("it opens")
    }

    /// How many records of a kind are stored.
    pub fn n_stored(&self, kind: Kind) -> usize {
        self.stored(kind).len()
    }

    /// The records of a kind.
    pub fn stored(&self, kind: Kind) -> Vec<Record> {
        pollster::block_on(self.store.inner.scan(&namespace(), kind, &Range::default()))
            .expect("memory does not fail")
            .records
    }
}

pub fn namespace() -> Namespace {
    Namespace {
        user: "me".into(),
        project: "default".into(),
    }
}

/// Sends a message; gives the outcome and the events.
pub fn send(
    memory: &Memory<TestPorts>,
    session: Option<SessionId>,
    text: &str,
) -> (Result<Sent>, Vec<ChatEvent>) {
    let mut events = Vec::new();
    let request = Send {
        session,
        text: text.into(),
        ..Send::default()
    };
    let cancel = Cancel::default();
    let sent = pollster::block_on(memory.send(&request, &cancel, |event| events.push(event)));
    (sent, events)
}

/// An answer with these content blocks, streamed, in pieces of `size` bytes.
pub fn streamed(blocks: &[Value], size: usize) -> Answer {
    Answer::Http(
        200,
        vec![("request-id".into(), "req_1".into())],
        pieces(&sse(blocks), size),
    )
}

pub fn says(text: &str) -> Answer {
    streamed(&[json!({"type": "text", "text": text})], 7)
}

pub fn pieces(text: &str, size: usize) -> Vec<Vec<u8>> {
    text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect()
}

/// An answer with these blocks that ends for this reason.
pub fn streamed_ending(blocks: &[Value], stop_reason: &str) -> Answer {
    let stream = sse_ending(blocks, stop_reason);
    Answer::Http(200, vec![], pieces(&stream, 97))
}

/// A call of a tool, as a block of a reply.
pub fn tool_use(id: &str, name: &str, input: Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": input})
}

/// An answer that calls a tool.
pub fn uses(id: &str, name: &str, input: Value) -> Answer {
    streamed_ending(&[tool_use(id, name, input)], "tool_use")
}

/// The stream that the API documents for a message.
pub fn sse(blocks: &[Value]) -> String {
    sse_ending(blocks, "end_turn")
}

pub fn sse_ending(blocks: &[Value], stop_reason: &str) -> String {
    let mut out = String::new();
    let mut event = |data: Value| {
        out.push_str(&format!(
            "event: {}\ndata: {data}\n\n",
            data["type"].as_str().unwrap()
        ));
    };
    event(json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5",
        "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": 25, "output_tokens": 1, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 3}}}));
    for (index, block) in blocks.iter().enumerate() {
        let mut start = block.clone();
        let deltas = match block["type"].as_str().unwrap() {
            "text" => {
                start["text"] = json!("");
                vec![json!({"type": "text_delta", "text": block["text"]})]
            }
            "thinking" => {
                start["signature"] = json!("");
                vec![json!({"type": "signature_delta", "signature": block["signature"]})]
            }
            "tool_use" => {
                start["input"] = json!({});
                let input = block["input"].to_string();
                vec![json!({"type": "input_json_delta", "partial_json": input})]
            }
            _ => vec![],
        };
        event(json!({"type": "content_block_start", "index": index, "content_block": start}));
        for delta in deltas {
            event(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        event(json!({"type": "content_block_stop", "index": index}));
    }
    event(
        json!({"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": null}, "usage": {"output_tokens": 15}}),
    );
    event(json!({"type": "message_stop"}));
    out
}

/// An error answer in the API's shape.
pub fn error(status: u16, kind: &str, headers: &[(&str, &str)]) -> Answer {
    let body =
        json!({"type": "error", "error": {"type": kind, "message": "no"}, "request_id": null});
    let headers = headers
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect();
    Answer::Http(status, headers, vec![body.to_string().into_bytes()])
}

/// An extraction answer that names these facts.
pub fn extracted(facts: Value) -> Answer {
    let body = json!({
        "id": "msg_2", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": json!({"facts": facts}).to_string()}],
        "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 300, "output_tokens": 40}});
    Answer::Http(200, vec![], vec![body.to_string().into_bytes()])
}

/// One fact as the extraction model writes it.
pub fn fact(kind: &str, subject: &str, attribute: &str, statement: &str, quote: &str) -> Value {
    json!({"type": kind, "subject": subject, "attribute": attribute, "statement": statement,
        "entities": [], "numbers": [], "turn": 0, "quote": quote, "confidence": "high",
        "valid_from": null, "supersedes": null})
}
