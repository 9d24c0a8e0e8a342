//! What an erasure takes with it, record by record.

use super::Words;
use super::words::blackened;
use crate::model::{
    Artifact, Fact, FactId, File, Injection, JobWork, Kind, Origin, Record, RecordRef, Segment,
    Session, SessionId, Stale, Turn, TurnId,
};
use crate::time::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Why a fact is stale whose newer versions were all erased: it did not hold any more, and nothing says what does.
pub const NEWER_ERASED: &str = "its newer version was erased";

/// What becomes of a record.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, and it moves into a batch"
)]
pub enum Fate {
    Keep,
    Change(Record),
    Delete,
}

/// The kinds in the order in which [`Scope::fate`] has to see them: a vector's fate depends on its text's, a session's on
/// what was injected into it.
pub fn order() -> impl Iterator<Item = Kind> {
    let is_late = |kind: &Kind| match kind {
        Kind::Turn
        | Kind::Fact
        | Kind::Job
        | Kind::Injection
        | Kind::Usage
        | Kind::Generation
        | Kind::File
        | Kind::Judgement
        | Kind::Tombstone
        | Kind::Artifact => false,
        Kind::Vector | Kind::Session | Kind::Segment => true,
    };
    let early = Kind::ALL.into_iter().filter(move |kind| !is_late(kind));
    early.chain(Kind::ALL.into_iter().filter(is_late))
}

/// What is erased, and what that led to so far.
#[derive(Clone, Debug)]
pub struct Scope {
    now: Timestamp,
    sessions: BTreeSet<SessionId>,
    turns: BTreeSet<TurnId>,
    /// With what they were, for the links of the others.
    facts: BTreeMap<FactId, Fact>,
    /// To be found nowhere.
    words: Words,
    /// To be blackened, in UTF-16 code units of the turns' texts.
    spans: BTreeMap<TurnId, Vec<Range<u32>>>,
    /// The texts of turns out of which something was taken, as they are now.
    texts: BTreeMap<TurnId, String>,
    /// Records whose text is another one now.
    changed: BTreeSet<RecordRef>,
    ended: BTreeSet<SessionId>,
    /// Turns with results of tools that showed something erased, in words that need not be the erased ones.
    shown: BTreeSet<TurnId>,
    /// The commit that erased what was found; 0 before.
    erased_by: u64,
}

impl Scope {
    pub fn new(now: Timestamp) -> Scope {
        Scope {
            now,
            sessions: BTreeSet::new(),
            turns: BTreeSet::new(),
            facts: BTreeMap::new(),
            words: Words::default(),
            spans: BTreeMap::new(),
            texts: BTreeMap::new(),
            changed: BTreeSet::new(),
            ended: BTreeSet::new(),
            shown: BTreeSet::new(),
            erased_by: 0,
        }
    }

    /// What was found is erased by this commit: whatever was made with knowledge of it holds nothing of that.
    pub fn was_erased_by(&mut self, commit: u64) {
        self.erased_by = commit;
    }

    pub fn add_session(&mut self, session: SessionId) {
        self.sessions.insert(session);
    }

    pub fn add_turn(&mut self, turn: TurnId) {
        self.turns.insert(turn);
        self.ended.insert(turn.session);
    }

    /// Takes a fact that a person wants gone, with the words that say it, wherever they stand.
    pub fn add_fact(&mut self, fact: &Fact) {
        self.words.add(&fact.statement);
        if let Some(evidence) = &fact.evidence {
            self.words.add(&evidence.quote);
            let spans = self.spans.entry(evidence.turn).or_default();
            spans.push(evidence.start..evidence.end);
        }
        self.facts.insert(fact.id, fact.clone());
    }

    /// Takes the facts that rest on an erased turn. Others may have said the same elsewhere, which is theirs to keep.
    pub fn add_facts_of_turns<'a>(&mut self, facts: impl IntoIterator<Item = &'a Fact>) {
        for fact in facts {
            let evidence = fact.evidence.as_ref();
            if evidence.is_some_and(|evidence| self.is_turn_erased(evidence.turn)) {
                self.facts.insert(fact.id, fact.clone());
            }
        }
    }

    /// Sessions that have to end, as far as was seen.
    pub fn ended(&self) -> impl Iterator<Item = SessionId> {
        self.ended.difference(&self.sessions).copied()
    }

    /// The erased facts.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.values()
    }

    /// Whether a turn needs no tombstone of its own, because its session has one.
    pub fn is_session_erased(&self, session: SessionId) -> bool {
        self.sessions.contains(&session)
    }

    fn erases_anything(&self) -> bool {
        !(self.sessions.is_empty() && self.turns.is_empty() && self.facts.is_empty())
    }

    fn is_turn_erased(&self, turn: TurnId) -> bool {
        self.sessions.contains(&turn.session) || self.turns.contains(&turn)
    }

    fn is_erased(&self, record: &RecordRef) -> bool {
        match record {
            RecordRef::Turn(turn) => self.is_turn_erased(*turn),
            RecordRef::Fact(fact) => self.facts.contains_key(fact),
            // A file is deleted as a file; what was erased is blackened in it.
            RecordRef::File(_) => false,
        }
    }

    /// Erased, or another text by now: a quotation of it may hold what was erased.
    fn is_touched(&self, record: &RecordRef) -> bool {
        self.is_erased(record) || self.changed.contains(record)
    }

    /// What becomes of a record.
    pub fn fate(&mut self, record: &Record) -> Fate {
        match record {
            Record::Turn(turn) => self.fate_of_turn(turn),
            Record::Fact(fact) => self.fate_of_fact(fact),
            Record::Injection(injection) => self.fate_of_injection(injection),
            Record::Session(session) => self.fate_of_session(session),
            Record::Job(job) => {
                let JobWork::Extract {
                    session,
                    first,
                    last,
                } = job.work;
                let mut turns = (first..=last).map(|index| TurnId { session, index });
                delete_if(turns.all(|turn| self.is_turn_erased(turn)))
            }
            Record::Usage(usage) => delete_if(self.sessions.contains(&usage.session)),
            Record::Vector(vector) => delete_if(self.is_touched(&vector.owner.record)),
            Record::File(file) => self.fate_of_file(file),
            Record::Judgement(judgement) => {
                let quotes = self.words.blacken(&judgement.query).is_some();
                delete_if(quotes || self.is_erased(&judgement.record))
            }
            // It is made again of what is left.
            Record::Segment(segment) if segment.is_of_index() => {
                delete_if(self.erases_anything() && segment.seen < self.erased_by.max(1))
            }
            Record::Segment(_) => Fate::Keep,
            Record::Artifact(artifact) => self.fate_of_artifact(artifact),
            Record::Generation(_) | Record::Tombstone(_) => Fate::Keep,
        }
    }

    /// What becomes of a record that can not be read, by its name alone.
    pub fn is_name_erased(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Turn | Kind::Injection => name.parse().is_ok_and(|id| self.is_turn_erased(id)),
            Kind::Fact => name.parse().is_ok_and(|id| self.facts.contains_key(&id)),
            Kind::Session => name.parse().is_ok_and(|id| self.sessions.contains(&id)),
            Kind::Vector => {
                let owner = name.split('#').next().and_then(|owner| owner.parse().ok());
                owner.is_some_and(|owner| self.is_touched(&owner))
            }
            Kind::Job
            | Kind::Usage
            | Kind::Generation
            | Kind::File
            | Kind::Judgement
            | Kind::Tombstone
            | Kind::Artifact => false,
            Kind::Segment => self.erases_anything() && name != Segment::MODELS,
        }
    }

    fn fate_of_turn(&mut self, turn: &Turn) -> Fate {
        if self.is_turn_erased(turn.id) {
            return Fate::Delete;
        }
        let mut changed = turn.clone();
        let spans = self.spans.get(&turn.id).map_or(&[][..], Vec::as_slice);
        blacken_spans(&mut changed.content, spans);
        for block in &mut changed.content {
            self.words.blacken_within(block);
        }
        if self.shown.contains(&turn.id) {
            changed.content.iter_mut().for_each(empty_result);
        }
        if changed == *turn {
            return Fate::Keep;
        }
        self.changed.insert(RecordRef::Turn(turn.id));
        self.texts.insert(turn.id, changed.text());
        self.ended.insert(turn.id.session);
        Fate::Change(Record::Turn(changed))
    }

    fn fate_of_fact(&mut self, fact: &Fact) -> Fate {
        let rests_on = fact.evidence.as_ref().map(|evidence| evidence.turn);
        if self.facts.contains_key(&fact.id)
            || rests_on.is_some_and(|turn| self.is_turn_erased(turn))
        {
            return Fate::Delete;
        }
        let mut changed = fact.clone();
        if let Some(evidence) = &mut changed.evidence {
            if let Some(text) = self.texts.get(&evidence.turn) {
                evidence.quote = cut(text, evidence.start..evidence.end);
            }
            self.words.blacken_text(&mut evidence.quote);
        }
        for text in [
            &mut changed.subject,
            &mut changed.attribute,
            &mut changed.statement,
        ]
        .into_iter()
        .chain(&mut changed.entities)
        .chain(&mut changed.numbers)
        .chain(changed.stale.iter_mut().map(|stale| &mut stale.reason))
        {
            self.words.blacken_text(text);
        }
        if changed != *fact {
            self.changed.insert(RecordRef::Fact(fact.id));
        }
        self.relink(&mut changed);
        match changed == *fact {
            true => Fate::Keep,
            false => Fate::Change(Record::Fact(changed)),
        }
    }

    /// Leads the links of a version past those that are gone.
    fn relink(&self, fact: &mut Fact) {
        let past = |mut link: Option<FactId>, next: fn(&Fact) -> Option<FactId>| {
            // A circle of links is walked once.
            for _ in 0..=self.facts.len() {
                match link.and_then(|id| self.facts.get(&id)) {
                    Some(gone) => link = next(gone),
                    None => return link,
                }
            }
            None
        };
        fact.supersedes = past(fact.supersedes, |gone| gone.supersedes);
        let newer = past(fact.superseded_by, |gone| gone.superseded_by);
        if fact.superseded_by.is_some() && newer.is_none() {
            fact.stale.get_or_insert_with(|| Stale {
                reason: NEWER_ERASED.into(),
                by: Origin::Manual,
                at: self.now,
            });
        }
        fact.superseded_by = newer;
    }

    fn fate_of_file(&mut self, file: &File) -> Fate {
        let mut changed = file.clone();
        if !self.words.blacken_text(&mut changed.text) {
            return Fate::Keep;
        }
        self.changed.insert(RecordRef::File(file.id));
        Fate::Change(Record::File(changed))
    }

    fn fate_of_artifact(&mut self, artifact: &Artifact) -> Fate {
        if artifact.turn.is_some_and(|turn| self.is_turn_erased(turn)) {
            return Fate::Delete;
        }
        let mut changed = artifact.clone();
        let in_name = self.words.blacken_text(&mut changed.name);
        match self.words.blacken_text(&mut changed.text) || in_name {
            true => Fate::Change(Record::Artifact(changed)),
            false => Fate::Keep,
        }
    }

    fn fate_of_injection(&mut self, injection: &Injection) -> Fate {
        if self.is_turn_erased(injection.turn) {
            return Fate::Delete;
        }
        let scoped = injection.turn_scoped.as_ref();
        let mut texts = [&injection.text]
            .into_iter()
            .chain(scoped.map(|scoped| &scoped.text));
        let mut surfaced = injection.all_surfaced();
        let quotes = surfaced.any(|surfaced| self.is_touched(&surfaced.record))
            || texts.any(|text| self.words.blacken(text).is_some());
        if quotes {
            self.ended.insert(injection.turn.session);
            // What a tool showed is in the turn itself. The next look finds it, once it is known which turns these are.
            self.shown.insert(injection.turn);
        }
        delete_if(quotes)
    }

    fn fate_of_session(&mut self, session: &Session) -> Fate {
        if self.sessions.contains(&session.id) {
            return Fate::Delete;
        }
        let mut changed = session.clone();
        let mut surfaced = session.surfaced.iter();
        let quotes = surfaced.any(|record| self.is_touched(record))
            || self.words.blacken(&session.snapshot).is_some();
        if quotes {
            changed.snapshot = String::new();
            changed.surfaced = Vec::new();
        }
        let retold = changed.compacted.as_mut();
        let retells = retold.is_some_and(|left| {
            let summaries = left.summaries.iter_mut().map(|summary| &mut summary.text);
            let texts = summaries.chain([&mut left.text]);
            // Each of them, not only up to the first.
            let in_texts = texts.map(|text| self.words.blacken_text(text));
            let blocks = left.block.iter_mut();
            let in_blocks = blocks.map(|block| self.words.blacken_within(block));
            in_texts.chain(in_blocks).filter(|found| *found).count() > 0
        });
        let has_words = self.words.blacken_text(&mut changed.system);
        if quotes || has_words || retells {
            self.ended.insert(session.id);
        }
        if self.ended.contains(&session.id) {
            changed.ended.get_or_insert(self.now);
            // A summary may tell in other words what was erased. It is not needed: nothing is sent any more.
            changed.compacted = None;
        }
        match changed == *session {
            true => Fate::Keep,
            false => Fate::Change(Record::Session(changed)),
        }
    }
}

/// Takes away what a tool said.
fn empty_result(block: &mut Value) {
    if block["type"] == "tool_result" {
        block["content"] = Value::String(String::new());
    }
}

fn delete_if(erased: bool) -> Fate {
    if erased { Fate::Delete } else { Fate::Keep }
}

/// Blackens parts of a turn's text, which is that of its text blocks with two line feeds between them.
fn blacken_spans(content: &mut [Value], spans: &[Range<u32>]) {
    let mut begin = 0;
    for block in content {
        if block["type"] != "text" {
            continue;
        }
        let Some(text) = block["text"].as_str() else {
            continue;
        };
        let (mut at, mut black) = (begin, String::with_capacity(text.len()));
        for c in text.chars() {
            let inside = spans.iter().any(|span| span.contains(&at));
            at += c.len_utf16() as u32;
            match inside {
                true => black.push_str(&blackened(c.encode_utf8(&mut [0; 4]))),
                false => black.push(c),
            }
        }
        begin = at + 2;
        block["text"] = Value::String(black);
    }
}

/// A part of a text, by UTF-16 offsets.
fn cut(text: &str, span: Range<u32>) -> String {
    let mut at = 0;
    let inside = text.chars().filter(|c| {
        let inside = span.contains(&at);
        at += c.len_utf16() as u32;
        inside
    });
    inside.collect()
}
