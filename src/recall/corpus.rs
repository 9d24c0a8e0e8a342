//! What recall needs of one namespace, in memory.

mod file;
mod segment;

use super::EmbedderSpec;
use super::decay::FactTimes;
use super::lane::dense::Dense;
use super::lane::exact::Names;
use super::lane::time::Calendar;
use super::postings::{DocNumber, Postings, SessionNumber};
use super::turns::{TurnEntry, Turns};
use super::voice::{Voice, Voices};
use crate::index::Mode;
use crate::model::{
    Confidence, Fact, FactId, FactType, FileId, Origin, RecordRef, Role, SUBJECT_USER, SessionId,
    Turn, TurnId, VectorOwner,
};
use crate::text::{AnswerForm, DaySpan, fold, pieces, spoken_days, terms};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

pub(super) use file::FileEntry;
pub use segment::{Draft, Restored, Restoring, SEGMENT_MAKER, SegmentError, SegmentKey};
pub(super) use segment::{Reader, Writer};

/// A text that wants a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub owner: VectorOwner,
    pub text: String,
}

/// The turns, facts and memory files of one namespace, ready to be recalled.
///
/// Everything is added record by record, in any order, and the result is the same as if it had been there from the start.
///
/// ```
/// use onhand::model::{Role, SessionId, Turn, TurnId};
/// use onhand::recall::{Corpus, Query};
/// use onhand::time::Timestamp;
///
/// let said = |index, text: &str| Turn {
///     v: Turn::VERSION,
///     id: TurnId { session: SessionId::new(0, 0), index },
///     role: Role::User,
///     speaker: None,
///     content: vec![serde_json::json!({ "type": "text", "text": text })],
///     at: Timestamp::utc(0),
/// };
/// let mut corpus = Corpus::new(None);
/// corpus.add_turn(&said(0, "We have a cat called Tom."));
/// corpus.add_turn(&said(1, "The rent is due on Friday."));
/// let found = corpus.recall(&Query::new("What is my cat called?", Timestamp::utc(0)));
/// assert_eq!(found.items[0].record.to_string(), format!("turn:{}", said(0, "").id));
/// ```
#[derive(Default)]
pub struct Corpus {
    pub(super) turns: Turns,
    pub(super) facts: HashMap<FactId, FactEntry>,
    pub(super) files: BTreeMap<FileId, FileEntry>,
    /// The facts that rest on a turn; the turn itself need not be here.
    pub(super) facts_of_turn: HashMap<TurnId, BTreeSet<FactId>>,
    /// Which versions may replace which, both ways; [`Corpus::newer`] decides what holds.
    pub(super) newer_versions: HashMap<FactId, BTreeSet<FactId>>,
    pub(super) older_versions: HashMap<FactId, BTreeSet<FactId>>,
    /// By document number.
    pub(super) documents: Vec<Option<Owner>>,
    /// The facts of documents, in the order in which they came.
    pub(super) fact_ids: Vec<FactId>,
    /// The files of documents, likewise.
    pub(super) file_ids: Vec<FileId>,
    pub(super) voices: Voices,
    session_numbers: HashMap<SessionId, SessionNumber>,
    /// By session number.
    pub(super) session_ids: Vec<SessionId>,
    /// By document number; facts have none.
    pub(super) voice_of: Vec<Option<Voice>>,
    pub(super) names: Names,
    pub(super) calendar: Calendar,
    pub(super) postings: Postings,
    /// The generation of vectors that recall goes by.
    pub(super) dense: Option<Dense>,
    /// The generation that will take its place once every text has a vector of it.
    pub(super) next: Option<Dense>,
}

/// Whose text a document is. The names of sessions and facts are long, so they are kept by number.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    Turn {
        session: SessionNumber,
        index: u32,
        piece: u16,
    },
    /// A place in `fact_ids`.
    Fact(u32),
    File {
        /// A place in `file_ids`.
        file: u32,
        piece: u16,
    },
}

pub(super) struct FactEntry {
    pub doc: DocNumber,
    pub times: FactTimes,
    pub fact_type: FactType,
    pub origin: Origin,
    pub confidence: Confidence,
    /// The day from which it holds, then those that it names.
    pub days: Box<[DaySpan]>,
    pub form: AnswerForm,
    /// What the exact lane finds it by.
    pub names: BTreeSet<Box<str>>,
    /// Those of them that other facts may share: whom it is about, and whom or what it mentions.
    pub links: BTreeSet<Box<str>>,
    pub evidence: Option<(TurnId, Range<u32>)>,
    /// The terms of the subject; empty for the person who chats.
    pub subject: Box<[String]>,
    pub wording: u64,
    text_hash: u64,
    pub supersedes: Option<FactId>,
    pub superseded_by: Option<FactId>,
}

impl TurnEntry {
    /// Whether the same turn made both.
    pub fn is_like(&self, other: &TurnEntry) -> bool {
        (self.text_hash, self.at, self.origin) == (other.text_hash, other.at, other.origin)
            && self.spans == other.spans
    }
}

impl FactEntry {
    /// Whether the same version of the same fact made both.
    pub fn is_like(&self, other: &FactEntry) -> bool {
        (self.text_hash, self.fact_type, self.origin, self.confidence)
            == (
                other.text_hash,
                other.fact_type,
                other.origin,
                other.confidence,
            )
            && (self.supersedes, self.superseded_by) == (other.supersedes, other.superseded_by)
            && (&self.names, &self.evidence, &self.days)
                == (&other.names, &other.evidence, &other.days)
    }
}

impl Corpus {
    /// An empty corpus. Without an embedder it recalls by keywords.
    pub fn new(embedder: Option<EmbedderSpec>) -> Corpus {
        Corpus::with_mode(embedder, Mode::default())
    }

    /// An empty corpus whose vectors are searched in this way.
    pub fn with_mode(embedder: Option<EmbedderSpec>, mode: Mode) -> Corpus {
        Corpus::with_generations(embedder, None, mode)
    }

    /// How many turns, facts and files can be recalled.
    pub fn len(&self) -> usize {
        self.turns.len() + self.facts.len() + self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn n_turns(&self) -> usize {
        self.turns.len()
    }

    pub fn n_facts(&self) -> usize {
        self.facts.len()
    }

    /// Adds a turn, in place of an earlier one with the same id, and returns the texts that want a vector.
    ///
    /// Only the words of the two who talk are recalled: a tool's output and a turn without words are not added.
    pub fn add_turn(&mut self, turn: &Turn) -> Vec<Piece> {
        let record = RecordRef::Turn(turn.id);
        let text = turn.text();
        let text_hash = hash(&text);
        if let Some(known) = self.turns.get(turn.id)
            && known.text_hash == text_hash
            && known.at == turn.at
            && self.voices.is_of(known.voice, turn)
            && turn.role != Role::Tool
        {
            return self.still_wanted(known.docs.clone());
        }
        self.remove(record);
        let spans = match turn.role {
            Role::User | Role::Assistant => pieces(&text),
            Role::Tool => Vec::new(),
        };
        if spans.is_empty() {
            return Vec::new();
        }
        let session = self.session_number(turn.id.session);
        let length = text.encode_utf16().count() as u32;
        let voice = self.voices.enter(turn);
        let first = self.documents.len() as DocNumber;
        let mut n_terms = 0;
        let mut kept = Vec::new();
        // A piece has a 16-bit number; a longer text keeps its first 65,536 pieces.
        for (piece, span) in (0..=u16::MAX).zip(spans) {
            let passage = &text[span.bytes];
            let owner = Owner::Turn {
                session,
                index: turn.id.index,
                piece,
            };
            n_terms += self.add_document(owner, Some((session, voice)), passage, passage);
            kept.push(span.utf16);
        }
        if kept.len() == 1 && kept[0] == (0..length) {
            kept.clear();
        }
        let docs = first..self.documents.len() as DocNumber;
        let day = day_of(turn.at);
        self.calendar.add(day.first, record);
        let entry = TurnEntry {
            docs: docs.clone(),
            spans: kept.into(),
            session,
            voice,
            origin: match turn.role {
                Role::User => Origin::User,
                Role::Assistant => Origin::Assistant,
                Role::Tool => Origin::Tool,
            },
            at: turn.at,
            day,
            named_days: named_days(&text, turn.at).collect(),
            form: AnswerForm::of(&text),
            n_terms,
            asks: text.contains(['?', '？', '؟']),
            length,
            wording: wording(&text),
            text_hash,
        };
        self.turns.insert(turn.id, entry);
        self.still_wanted(docs)
    }

    /// Adds a fact, in place of what was known under the same id (it may have been superseded or marked stale since),
    /// and returns the text that wants a vector.
    pub fn add_fact(&mut self, fact: &Fact) -> Vec<Piece> {
        let text = fact_text(fact);
        let text_hash = hash(&text);
        let known = self
            .facts
            .get(&fact.id)
            .filter(|known| known.text_hash == text_hash);
        let doc = match known.map(|known| known.doc) {
            Some(doc) => {
                self.forget_fact(fact.id);
                doc
            }
            None => {
                self.remove(RecordRef::Fact(fact.id));
                let doc = self.documents.len() as DocNumber;
                let owner = Owner::Fact(self.fact_ids.len() as u32);
                self.fact_ids.push(fact.id);
                let to_match = with_type(&text, fact.fact_type);
                self.add_document(owner, None, &to_match, &text);
                doc
            }
        };
        let evidence = fact.evidence.as_ref().map(|e| (e.turn, e.start..e.end));
        if let Some((turn, _)) = &evidence {
            self.facts_of_turn.entry(*turn).or_default().insert(fact.id);
        }
        self.enter_versions(fact.id, fact.supersedes, fact.superseded_by);
        let subject = terms(&fact.subject);
        let names = Names::of(fact);
        self.names.add(doc, &names);
        let own = std::iter::once(day_of(fact.valid_from));
        let days: Box<[DaySpan]> = own
            .chain(named_days(&fact.statement, fact.valid_from))
            .collect();
        self.calendar.add(days[0].first, RecordRef::Fact(fact.id));
        let entry = FactEntry {
            doc,
            times: FactTimes::of(fact),
            fact_type: fact.fact_type,
            origin: fact.origin,
            confidence: fact.confidence,
            days,
            form: AnswerForm::of(&fact.statement),
            names,
            links: Names::links_of(fact),
            evidence,
            subject: subject
                .into_iter()
                .filter(|term| term != SUBJECT_USER)
                .collect(),
            wording: wording(&fact.statement),
            text_hash,
            supersedes: fact.supersedes,
            superseded_by: fact.superseded_by,
        };
        self.facts.insert(fact.id, entry);
        self.still_wanted(doc..doc + 1)
    }

    /// Forgets a record; nothing of its words or vectors is found any more.
    pub fn remove(&mut self, record: RecordRef) {
        let docs = match record {
            RecordRef::Turn(id) => self.turns.remove(id).map(|turn| {
                self.voices.leave(turn.voice);
                self.calendar.remove(turn.day.first, record);
                turn.docs
            }),
            RecordRef::Fact(id) => self.forget_fact(id).map(|fact| fact.doc..fact.doc + 1),
            RecordRef::File(id) => self.forget_file(id),
        };
        for doc in docs.into_iter().flatten() {
            self.documents[doc as usize] = None;
            self.voice_of[doc as usize] = None;
            self.postings.remove(doc);
            for dense in self.generations_mut() {
                dense.remove(doc);
            }
        }
    }

    /// The turns that can be recalled, in order.
    pub fn turn_ids(&self) -> impl Iterator<Item = TurnId> {
        self.turns.ids()
    }

    /// What of a question its vector is made from: all of it but the names of those who speak here.
    ///
    /// Left in, a name pulls the vector towards every greeting; recall by vectors alone was half as good.
    pub fn words_to_embed(&self, question: &str) -> String {
        self.voices.meant(question).words
    }

    fn add_document(
        &mut self,
        owner: Owner,
        said: Option<(SessionNumber, Voice)>,
        to_match: &str,
        to_embed: &str,
    ) -> u32 {
        let doc = self.documents.len() as DocNumber;
        let terms = terms(to_match);
        self.documents.push(Some(owner));
        self.voice_of.push(said.map(|(_, voice)| voice));
        self.postings
            .add(doc, said.map(|(session, _)| session), &terms);
        if self.dense.is_some() || self.next.is_some() {
            let to_embed: Arc<str> = to_embed.into();
            for dense in self.generations_mut() {
                dense.want(doc, to_embed.clone());
            }
        }
        terms.len() as u32
    }

    fn session_number(&mut self, id: SessionId) -> SessionNumber {
        let next = self.session_ids.len() as SessionNumber;
        let number = *self.session_numbers.entry(id).or_insert(next);
        if number == next {
            self.session_ids.push(id);
        }
        number
    }

    fn enter_versions(
        &mut self,
        id: FactId,
        supersedes: Option<FactId>,
        superseded_by: Option<FactId>,
    ) {
        for (older, newer) in [(supersedes, Some(id)), (Some(id), superseded_by)] {
            if let (Some(older), Some(newer)) = (older, newer) {
                self.newer_versions.entry(older).or_default().insert(newer);
                self.older_versions.entry(newer).or_default().insert(older);
            }
        }
    }

    /// Takes a fact out of everything but the document lists.
    fn forget_fact(&mut self, id: FactId) -> Option<FactEntry> {
        let fact = self.facts.remove(&id)?;
        self.names.remove(fact.doc, &fact.names);
        self.calendar
            .remove(fact.days[0].first, RecordRef::Fact(id));
        if let Some((turn, _)) = &fact.evidence
            && let Some(facts) = self.facts_of_turn.get_mut(turn)
        {
            facts.remove(&id);
            if facts.is_empty() {
                self.facts_of_turn.remove(turn);
            }
        }
        Some(fact)
    }

    fn still_wanted(&self, docs: Range<DocNumber>) -> Vec<Piece> {
        let Some(dense) = &self.dense else {
            return Vec::new();
        };
        let wanted = docs.filter_map(|doc| dense.wanted(doc).map(|text| (doc, text)));
        wanted
            .filter_map(|(doc, text)| self.piece(doc, text))
            .collect()
    }

    pub(super) fn piece(&self, doc: DocNumber, text: &str) -> Option<Piece> {
        Some(Piece {
            owner: self.owner(doc)?,
            text: text.to_owned(),
        })
    }

    pub(super) fn document_of(&self, owner: VectorOwner) -> Option<DocNumber> {
        let docs = self.documents_of(owner.record);
        docs.into_iter().nth(usize::from(owner.piece))
    }
}

/// What a fact is found by: its statement, and whatever of its other words brings a new term.
///
/// Repeating what the statement says would count its words twice.
fn fact_text(fact: &Fact) -> String {
    let mut text = fact.statement.clone();
    let mut known: BTreeSet<String> = terms(&text).into_iter().collect();
    let quote = fact
        .evidence
        .as_ref()
        .map(|evidence| evidence.quote.as_str());
    let subject = Some(fact.subject.as_str()).filter(|subject| *subject != SUBJECT_USER);
    let names = fact
        .entities
        .iter()
        .chain(&fact.numbers)
        .map(String::as_str);
    let others = subject.into_iter().chain([fact.attribute.as_str()]);
    for more in others.chain(names).chain(quote) {
        let before = known.len();
        known.extend(terms(more));
        if known.len() > before {
            text.push_str(". ");
            text.push_str(more);
        }
    }
    text
}

/// The words of a fact and its type: "my goals" are found by what they are.
fn with_type(text: &str, fact_type: FactType) -> String {
    format!("{text}. {}", fact_type.name())
}

fn day_of(at: Timestamp) -> DaySpan {
    DaySpan::day(at.date().days())
}

/// The days that a text of a moment names.
fn named_days(text: &str, at: Timestamp) -> impl Iterator<Item = DaySpan> {
    let spoken = spoken_days(text, at.date()).into_iter();
    spoken.map(|spoken| spoken.days)
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Equal for texts that differ in case, accents, spaces and punctuation only.
fn wording(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    fold(text)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .for_each(|c| c.hash(&mut hasher));
    hasher.finish()
}
