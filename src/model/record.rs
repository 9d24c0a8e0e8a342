//! Everything else that is stored, and the sum of all records.

use super::turn::json_text;
use super::{
    Artifact, Fact, FactId, File, FileId, JobId, Judgement, Segment, SessionId, Tombstone, Turn,
    TurnId, UsageId,
};
use crate::error::{Error, Result};
use crate::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// The kinds of record; each has its own place in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Session,
    Turn,
    Fact,
    Vector,
    Job,
    Injection,
    Usage,
    Generation,
    File,
    Judgement,
    Tombstone,
    Segment,
    Artifact,
}

impl Kind {
    pub const ALL: [Kind; 13] = [
        Kind::Session,
        Kind::Turn,
        Kind::Fact,
        Kind::Vector,
        Kind::Job,
        Kind::Injection,
        Kind::Usage,
        Kind::Generation,
        Kind::File,
        Kind::Judgement,
        Kind::Tombstone,
        Kind::Segment,
        Kind::Artifact,
    ];

    /// The kind of this [`name`](Kind::name).
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name used in the store and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Session => "session",
            Kind::Turn => "turn",
            Kind::Fact => "fact",
            Kind::Vector => "vector",
            Kind::Job => "job",
            Kind::Injection => "injection",
            Kind::Usage => "usage",
            Kind::Generation => "generation",
            Kind::File => "file",
            Kind::Judgement => "judgement",
            Kind::Tombstone => "tombstone",
            Kind::Segment => "segment",
            Kind::Artifact => "artifact",
        }
    }
}

/// One conversation, with the part of its prompt that is fixed for as long as it lasts.
///
/// Claude's cache and its thinking blocks depend on the exact bytes, so they are taken once and kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub v: u8,
    pub id: SessionId,
    pub started: Timestamp,
    /// The model this session talks to.
    pub model: String,
    /// The fixed text that opens every request: this library's words about memory and the host's own instructions.
    pub system: String,
    /// The definitions of its tools, as every request sends them. Stored as JSON text, as a turn's content is.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "json_text")]
    pub tools: Vec<Value>,
    /// The snapshot of memory taken when the session began; empty if there was nothing to say.
    pub snapshot: String,
    /// What the snapshot showed.
    pub surfaced: Vec<RecordRef>,
    /// Since when it takes no more turns: something of its prompt was erased, so the bytes before its next message
    /// can not be what they were.
    pub ended: Option<Timestamp>,
    /// Claude found thinking blocks bound to another prefix once: since then its requests allow it to drop such blocks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drops_thinking: bool,
    /// What is sent in the place of its oldest turns; `None` while all are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compacted: Option<Compacted>,
}

/// How a session's oldest turns are left out of its requests. The turns themselves stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compacted {
    /// The position of the first turn that is still sent.
    pub from: u32,
    /// Thinking of turns before this position is not sent: it is bound to messages that are gone.
    pub thinking_from: u32,
    /// The exact text at the beginning of the first message that is sent; empty where `block` says it.
    pub text: String,
    /// What Claude's API made of the turns, as it came: the content of a reply, which is sent before all other messages. Stored as
    /// JSON text, as a turn's content is.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "json_text")]
    pub block: Vec<Value>,
    /// What the text was made from, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub summaries: Vec<Summary>,
}

/// A model's summary of a part of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// 0 if it was made from turns, else one above the summaries that it was made from.
    pub level: u8,
    pub text: String,
}

impl Session {
    pub const VERSION: u8 = 1;
}

/// Something that recall can find.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordRef {
    Turn(TurnId),
    Fact(FactId),
    File(FileId),
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordRef::Turn(id) => write!(f, "turn:{id}"),
            RecordRef::Fact(id) => write!(f, "fact:{id}"),
            RecordRef::File(id) => write!(f, "file:{id}"),
        }
    }
}
impl fmt::Debug for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
impl FromStr for RecordRef {
    type Err = Error;
    fn from_str(text: &str) -> Result<RecordRef> {
        match text.split_once(':') {
            Some(("turn", id)) => Ok(RecordRef::Turn(id.parse()?)),
            Some(("fact", id)) => Ok(RecordRef::Fact(id.parse()?)),
            Some(("file", id)) => Ok(RecordRef::File(id.parse()?)),
            _ => Err(Error::InvalidInput {
                field: "record",
                reason: "expected turn:ID, fact:ID or file:ID".into(),
            }),
        }
    }
}
impl Serialize for RecordRef {
    fn serialize<S: Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for RecordRef {
    fn deserialize<D: Deserializer<'de>>(d: D) -> std::result::Result<RecordRef, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Whose vector: a record, and which piece of its text, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VectorOwner {
    pub record: RecordRef,
    pub piece: u16,
}

/// A unit vector, quantised. Derived data: it can be made again from the record's text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredVector {
    pub v: u8,
    pub owner: VectorOwner,
    /// The id of the embedder that made it; vectors of different embedders are never compared.
    pub embedder: String,
    /// Components times 32,767, rounded. Stored as bytes, two to a component, the low one first:
    /// an array of numbers would take several times the room.
    #[serde(with = "component_bytes")]
    pub components: Vec<i16>,
    /// The words of the text, by an embedder that gives them ([`crate::embed::Likest`]).
    /// Missing in what was written before there were any.
    #[serde(default, with = "optional_bytes")]
    pub words: Option<Vec<u8>>,
}

impl StoredVector {
    pub const VERSION: u8 = 1;

    /// The owner comes first: all vectors of a record, of whichever embedder, are one range of names.
    fn name(&self) -> String {
        format!("{}@{}", self.owner, self.embedder)
    }
}

mod optional_bytes {
    use crate::model::bytes;
    use serde::Deserialize;
    use serde::de::Deserializer;
    use serde::ser::Serializer;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Bytes(#[serde(with = "bytes")] Vec<u8>);

    pub fn serialize<S: Serializer>(words: &Option<Vec<u8>>, s: S) -> Result<S::Ok, S::Error> {
        match words {
            Some(words) => bytes::serialize(words, s),
            None => s.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<Bytes>::deserialize(d).map(|words| words.map(|Bytes(words)| words))
    }
}

mod component_bytes {
    use crate::model::bytes;
    use serde::de::{Deserializer, Error};
    use serde::ser::Serializer;

    pub fn serialize<S: Serializer>(components: &[i16], s: S) -> Result<S::Ok, S::Error> {
        let pairs = components.iter().flat_map(|c| c.to_le_bytes());
        bytes::serialize(&pairs.collect::<Vec<u8>>(), s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<i16>, D::Error> {
        let bytes = bytes::deserialize(d)?;
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(D::Error::custom("an odd number of bytes"));
        }
        Ok(pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect())
    }
}

/// What a job is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", from = "StoredWork")]
pub enum JobWork {
    /// Read facts out of the turns `first..=last` of a session.
    Extract {
        session: SessionId,
        first: u32,
        last: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase", try_from = "StoredState")]
pub enum JobState {
    /// To be tried at or after this time.
    Waiting { until_ms: i64 },
    /// Given up after too many attempts; kept, and shown.
    Dead,
}

/// [`JobWork`] side by side with its name: read so, serde needs no copy of the object to look for the name first.
#[derive(Deserialize)]
struct StoredWork {
    #[serde(rename = "kind")]
    _kind: WorkName,
    session: SessionId,
    first: u32,
    last: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WorkName {
    Extract,
}

impl From<StoredWork> for JobWork {
    fn from(stored: StoredWork) -> JobWork {
        JobWork::Extract {
            session: stored.session,
            first: stored.first,
            last: stored.last,
        }
    }
}

/// [`JobState`] likewise.
#[derive(Deserialize)]
struct StoredState {
    state: StateName,
    until_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateName {
    Waiting,
    Dead,
}

impl TryFrom<StoredState> for JobState {
    type Error = &'static str;

    fn try_from(stored: StoredState) -> std::result::Result<JobState, &'static str> {
        match (stored.state, stored.until_ms) {
            (StateName::Waiting, Some(until_ms)) => Ok(JobState::Waiting { until_ms }),
            (StateName::Waiting, None) => Err("missing field `until_ms`"),
            (StateName::Dead, _) => Ok(JobState::Dead),
        }
    }
}

/// Work to be done later, stored in the same transaction as what it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub v: u8,
    pub id: JobId,
    pub work: JobWork,
    pub state: JobState,
    pub attempts: u32,
    /// The [`Error::code`] of the last failure.
    pub last_error: Option<String>,
}

impl Job {
    pub const VERSION: u8 = 1;
}

/// A record that was put before Claude, and how strongly it matched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surfaced {
    pub record: RecordRef,
    pub score: f32,
}

/// The ledger's entry: the exact bytes that were put before the user's words in one message, or behind them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Injection {
    pub v: u8,
    /// The user's turn that carries it, or the turn with the results of a tool that showed memories.
    pub turn: TurnId,
    /// Empty where there is none: for tool results, whose own text is in the turn, or where all that was put stands behind the message.
    pub text: String,
    pub surfaced: Vec<Surfaced>,
    /// What followed the message as a message of its own, which Claude reads until the person speaks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_scoped: Option<TurnScoped>,
}

/// A system message that counts for one turn. It is sent ever after, the same bytes in the same place, and read no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnScoped {
    pub text: String,
    pub surfaced: Vec<Surfaced>,
}

impl Injection {
    pub const VERSION: u8 = 1;

    /// Everything that it showed, whether Claude still reads it or not.
    pub fn all_surfaced(&self) -> impl Iterator<Item = &Surfaced> {
        let scoped = self.turn_scoped.iter();
        let scoped = scoped.flat_map(|scoped| &scoped.surfaced);
        self.surfaced.iter().chain(scoped)
    }
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    Chat,
    Extract,
    /// A summary of what is left out of a long session.
    Compact,
}

/// Token counters of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    /// The part of `cache_write` that is kept for an hour; `None` where the answer did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<u64>,
}

impl Tokens {
    /// What Claude was sent, from the cache or not.
    pub fn prompt(&self) -> u64 {
        [self.input, self.cache_read, self.cache_write]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// The part of the prompt that came from the cache, 0 to 1; `None` without a prompt.
    pub fn cache_share(&self) -> Option<f64> {
        let prompt = self.prompt();
        (prompt > 0).then(|| self.cache_read as f64 / prompt as f64)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub v: u8,
    pub id: UsageId,
    pub purpose: Purpose,
    pub session: SessionId,
    pub model: String,
    pub request_id: Option<String>,
    pub tokens: Tokens,
    pub at: Timestamp,
    /// From sending to the first byte of text; `None` where nothing was streamed.
    pub first_text_ms: Option<u32>,
}

impl Usage {
    pub const VERSION: u8 = 1;
}

/// The vectors of one embedder, as a whole. Of the built-in embedder there is no such record: it knows all this itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    pub v: u8,
    /// The embedder's id, as its vectors carry it.
    pub embedder: String,
    pub dimensions: u32,
    /// Mean and standard deviation of the cosines of random pairs of texts.
    pub mean: f32,
    pub sd: f32,
    /// Whether every text had a vector once, so that recall goes by this generation.
    pub filled: bool,
}

impl Generation {
    pub const VERSION: u8 = 1;
}

/// Any record. It is written as the record that it is; the place says which kind to read
/// (`store::format`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(
    clippy::large_enum_variant,
    reason = "records move in vectors of a few; a box each costs more than it saves"
)]
pub enum Record {
    Session(Session),
    Turn(Turn),
    Fact(Fact),
    Vector(StoredVector),
    Job(Job),
    Injection(Injection),
    Usage(Usage),
    Generation(Generation),
    File(File),
    Judgement(Judgement),
    Tombstone(Tombstone),
    Segment(Segment),
    Artifact(Artifact),
}

impl Record {
    pub fn kind(&self) -> Kind {
        match self {
            Record::Session(_) => Kind::Session,
            Record::Turn(_) => Kind::Turn,
            Record::Fact(_) => Kind::Fact,
            Record::Vector(_) => Kind::Vector,
            Record::Job(_) => Kind::Job,
            Record::Injection(_) => Kind::Injection,
            Record::Usage(_) => Kind::Usage,
            Record::Generation(_) => Kind::Generation,
            Record::File(_) => Kind::File,
            Record::Judgement(_) => Kind::Judgement,
            Record::Tombstone(_) => Kind::Tombstone,
            Record::Segment(_) => Kind::Segment,
            Record::Artifact(_) => Kind::Artifact,
        }
    }

    /// The record's name within its kind and namespace; names sort in the order of creation, files' names in none.
    pub fn name(&self) -> String {
        match self {
            Record::Session(session) => session.id.to_string(),
            Record::Turn(turn) => turn.id.to_string(),
            Record::Fact(fact) => fact.id.to_string(),
            Record::Vector(vector) => vector.name(),
            Record::Job(job) => job.id.to_string(),
            Record::Injection(injection) => injection.turn.to_string(),
            Record::Usage(usage) => usage.id.to_string(),
            Record::Generation(generation) => generation.embedder.clone(),
            Record::File(file) => file.id.to_string(),
            Record::Judgement(judgement) => judgement.id.to_string(),
            Record::Tombstone(stone) => Tombstone::name_of(stone.kind, &stone.name),
            Record::Segment(segment) => segment.name.clone(),
            Record::Artifact(artifact) => artifact.id.to_string(),
        }
    }
}

impl fmt::Display for VectorOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{:04}", self.record, self.piece)
    }
}
