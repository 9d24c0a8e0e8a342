//! The bytes of a segment, as `docs/format.md` describes them: a file of the tree that is read by a second reader, written from
//! that document and from nothing else.
//!
//! `UPDATE_GOLDEN=1 cargo test golden_segment` writes the files anew. If how texts are read has changed, that is all there is to do,
//! because segments of another maker are of no use. If the bytes have another shape, their version grows and the document changes.

use super::*;
use crate::golden::assert_golden;
use crate::model::Stale;
use crate::recall::{Draft, SegmentKey};
use std::collections::BTreeMap;
use std::fmt::Write;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/segment-1.bin");

const DIMENSIONS: usize = 8;

fn spec() -> EmbedderSpec {
    EmbedderSpec {
        id: "stand-in".into(),
        dimensions: DIMENSIONS,
        mean: 0.0,
        sd: 0.25,
    }
}

/// Moments half an hour apart, an hour ahead of UTC.
fn at(n: i64) -> Timestamp {
    Timestamp {
        unix_ms: 1_795_165_200_000 + n * 1_800_000,
        offset_min: 60,
    }
}

fn said(session: i64, index: u32, role: Role, speaker: Option<&str>, text: &str) -> Turn {
    Turn {
        v: Turn::VERSION,
        id: TurnId {
            session: SessionId::new(session, 7),
            index,
        },
        role,
        speaker: speaker.map(Into::into),
        content: vec![serde_json::json!({ "type": "text", "text": text })],
        at: at(session * 10 + i64::from(index)),
    }
}

fn turns() -> [Turn; 5] {
    let long = "We met Ada at the harbour on 12 March. ".repeat(40);
    [
        said(
            1,
            0,
            Role::User,
            Some("Ines"),
            "When does our boat leave, yesterday at 9?",
        ),
        said(
            1,
            1,
            Role::Assistant,
            None,
            "The boat leaves on Friday. The boat is blue.",
        ),
        said(1, 2, Role::Tool, None, "no words of anybody"),
        said(1, 5, Role::User, None, &long),
        said(2, 0, Role::User, None, "昨日、東京で会議がありました。"),
    ]
}

fn facts() -> [Fact; 2] {
    let older = Fact {
        v: Fact::VERSION,
        id: FactId::new(3, 1),
        fact_type: FactType::Decision,
        subject: "Ada Müller".into(),
        attribute: "boat".into(),
        statement: "Ada's boat is red".into(),
        entities: vec!["Ada Müller".into(), "the boat".into()],
        numbers: vec!["9".into()],
        evidence: Some(Evidence {
            turn: turns()[0].id,
            start: 5,
            end: 9,
            quote: "does".into(),
        }),
        origin: Origin::User,
        confidence: Confidence::Low,
        valid_from: at(3),
        recorded_at: at(4),
        supersedes: None,
        superseded_by: Some(FactId::new(3, 2)),
        stale: Some(Stale {
            reason: "it was painted".into(),
            by: Origin::Manual,
            at: at(5),
        }),
        proof_count: 2,
    };
    let newer = Fact {
        id: FactId::new(3, 2),
        statement: "Ada's boat is blue".into(),
        evidence: None,
        origin: Origin::Import,
        confidence: Confidence::High,
        supersedes: Some(older.id),
        superseded_by: None,
        stale: None,
        proof_count: 1,
        ..older.clone()
    };
    [older, newer]
}

fn sample() -> Vec<u8> {
    let mut corpus = Corpus::new(Some(spec()));
    let (turns, facts) = (turns(), facts());
    for turn in &turns {
        corpus.add_turn(turn);
    }
    for fact in &facts {
        corpus.add_fact(fact);
    }
    for (n, piece) in (0..).zip(corpus.missing_vectors()) {
        // One of them has no known word.
        let component = |i: usize| {
            if n == 1 {
                0.0
            } else {
                ((7 * n + 3 * i) % 11) as f32 - 5.0
            }
        };
        let vector: Vec<f32> = (0..DIMENSIONS).map(component).collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1.0);
        let vector: Vec<f32> = vector.iter().map(|x| x / length).collect();
        let _ = corpus.add_vector(piece.owner, &vector);
    }
    corpus.write_segment(&Draft {
        replaced: vec![
            SegmentKey::Session(SessionId::new(9, 9)),
            SegmentKey::Turn(turns[1].id),
            SegmentKey::Fact(facts[0].id),
        ],
        sessions: BTreeMap::from([(SessionId::new(1, 7), true)]),
        turns: turns
            .iter()
            .map(|turn| (turn.id, turn.at.unix_ms))
            .collect(),
        facts: facts.iter().collect(),
    })
}

/// Reads what `docs/format.md` says, and tells it line by line.
struct ByTheDocument<'a> {
    bytes: &'a [u8],
    told: String,
}

impl ByTheDocument<'_> {
    fn take(&mut self, n: usize) -> &[u8] {
        let (taken, rest) = self.bytes.split_at(n);
        self.bytes = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for place in 0.. {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn signed(&mut self) -> i64 {
        let number = self.number();
        match number % 2 {
            0 => (number / 2) as i64,
            _ => -((number / 2) as i64) - 1,
        }
    }

    fn text(&mut self) -> String {
        let n = self.number() as usize;
        String::from_utf8(self.take(n).to_vec()).unwrap()
    }

    fn texts(&mut self) -> Vec<String> {
        (0..self.number()).map(|_| self.text()).collect()
    }

    fn ulid(&mut self) -> String {
        let bits = u128::from_le_bytes(self.take(16).try_into().unwrap());
        SessionId::from_bits(bits).to_string()
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().unwrap())
    }

    fn moment(&mut self) -> String {
        format!("{} {:+}", self.signed(), self.signed())
    }

    fn days(&mut self) -> Vec<String> {
        let n = self.number();
        (0..n)
            .map(|_| format!("{}+{}", self.signed(), self.number()))
            .collect()
    }

    fn maybe<T>(&mut self, read: impl Fn(&mut Self) -> T) -> Option<T> {
        match self.byte() {
            0 => None,
            1 => Some(read(self)),
            other => panic!("{other} says neither there nor missing"),
        }
    }

    fn tell(&mut self, line: String) {
        writeln!(self.told, "{line}").unwrap();
    }

    fn segment(&mut self) {
        assert_eq!(self.take(4), b"onsg");
        let version = self.byte();
        let checksum = u32::from_le_bytes(self.take(4).try_into().unwrap());
        assert_eq!(checksum, crc32fast::hash(self.bytes));
        self.tell(format!("version {version}"));
        for _ in 0..self.number() {
            let kind = self.byte();
            let id = self.ulid();
            let position = (kind == 1).then(|| self.number());
            let kind = ["session", "turn", "fact"][usize::from(kind)];
            self.tell(format!("replaced {kind} {id} {position:?}"));
        }
        let voices = self.texts();
        self.tell(format!("voices {voices:?}"));
        let mut n_documents = 0;
        for _ in 0..self.number() {
            n_documents += self.session(&voices);
        }
        for _ in 0..self.number() {
            self.fact();
            n_documents += 1;
        }
        self.words();
        self.vectors(n_documents);
        assert!(self.bytes.is_empty(), "something follows");
    }

    fn session(&mut self, voices: &[String]) -> usize {
        let (id, marks) = (self.ulid(), self.byte());
        self.tell(format!("session {id} marks {marks:02b}"));
        let (mut next, mut ms, mut n_documents) = (0, 0, 0);
        for _ in 0..self.number() {
            let position = next + self.number();
            next = position + 1;
            ms += self.signed();
            let marks = self.byte();
            self.tell(format!("  turn {position} at {ms} marks {marks:08b}"));
            if marks & 1 == 0 {
                continue;
            }
            let offset = self.signed();
            let speaker = (marks & 4 != 0).then(|| voices[self.number() as usize].clone());
            let length = self.number();
            self.tell(format!(
                "    offset {offset} speaker {speaker:?} length {length}"
            ));
            if marks & 8 != 0 {
                let n = self.number();
                self.tell(format!("    whole, {n} terms"));
                n_documents += 1;
            } else {
                let mut end = 0;
                for _ in 0..self.number() {
                    let begin = end + self.signed();
                    end = begin + self.number() as i64;
                    let n = self.number();
                    self.tell(format!("    piece {begin}..{end}, {n} terms"));
                    n_documents += 1;
                }
            }
            let days = self.days();
            let (wording, text) = (self.u64(), self.u64());
            self.tell(format!(
                "    days {days:?} wording {wording:016x} text {text:016x}"
            ));
        }
        n_documents
    }

    fn fact(&mut self) {
        let id = self.ulid();
        let (kind, origin, confidence) = (self.byte(), self.byte(), self.byte());
        let kind = ["preference", "decision", "constraint", "goal", "entity"][usize::from(kind)];
        let origin = ["user", "assistant", "tool", "import", "manual"][usize::from(origin)];
        let confidence = ["low", "medium", "high"][usize::from(confidence)];
        self.tell(format!("fact {id} {kind} {origin} {confidence}"));
        let texts = [self.text(), self.text(), self.text()];
        self.tell(format!("  {texts:?}"));
        let (entities, numbers) = (self.texts(), self.texts());
        self.tell(format!("  entities {entities:?} numbers {numbers:?}"));
        let evidence = self.maybe(|it| {
            let session = it.ulid();
            let numbers = [it.number(), it.number(), it.number()];
            format!("{session} {numbers:?} {:?}", it.text())
        });
        let (from, recorded) = (self.moment(), self.moment());
        self.tell(format!(
            "  evidence {evidence:?} from {from} recorded {recorded}"
        ));
        let (supersedes, superseded_by) = (self.maybe(Self::ulid), self.maybe(Self::ulid));
        let stale = self.maybe(|it| format!("{:?} by {} at {}", it.text(), it.byte(), it.moment()));
        let proofs = self.number();
        self.tell(format!(
            "  supersedes {supersedes:?} by {superseded_by:?} stale {stale:?} proofs {proofs}"
        ));
        let (n_terms, form, days) = (self.number(), self.byte(), self.days());
        let names: Vec<(u8, String)> = (0..self.number())
            .map(|_| (self.byte(), self.text()))
            .collect();
        let subject = self.texts();
        let (wording, text) = (self.u64(), self.u64());
        self.tell(format!(
            "  {n_terms} terms form {form} days {days:?} names {names:?} subject {subject:?}"
        ));
        self.tell(format!("  wording {wording:016x} text {text:016x}"));
    }

    fn words(&mut self) {
        let heads: Vec<[u64; 3]> = (0..self.number())
            .map(|_| [self.number(), self.number(), self.number()])
            .collect();
        let n_bytes = self.number() as usize;
        let parts = self.take(n_bytes).to_vec();
        let n_bytes = self.number() as usize;
        let behind = self.bytes.len() - n_bytes;
        let (mut at, mut last) = (0, Vec::new());
        for [shared, more, n_documents] in heads {
            let end = at + more as usize;
            let term = [&last[..shared as usize], &parts[at..end]].concat();
            (at, last) = (end, term.clone());
            let mut documents = Vec::new();
            let mut next = 0;
            for _ in 0..n_documents {
                let step = self.number();
                let document = next + step / 2;
                next = document + 1;
                let times = if step % 2 == 1 { self.number() } else { 1 };
                documents.push(format!("{document}x{times}"));
            }
            let term = String::from_utf8(term).unwrap();
            self.tell(format!("term {term} {documents:?}"));
        }
        assert_eq!((at, self.bytes.len()), (parts.len(), behind));
    }

    fn vectors(&mut self, n_documents: usize) {
        let n = self.number() as usize;
        let bits = self.take(n_documents.div_ceil(8)).to_vec();
        for document in 0..n_documents {
            if bits[document / 8] >> (document % 8) & 1 == 1 {
                let row: Vec<i8> = self.take(n).iter().map(|byte| *byte as i8).collect();
                self.tell(format!("vector {document} {row:?}"));
            }
        }
    }
}

#[test]
fn a_segment_is_what_the_document_says() {
    let written = sample();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(FILE, &written).expect("the golden file can be written");
    }
    let bytes = std::fs::read(FILE).expect("run with UPDATE_GOLDEN=1");
    let mut reader = ByTheDocument {
        bytes: &bytes,
        told: String::new(),
    };
    reader.segment();
    assert_golden("segment-1.txt", &reader.told);
    assert!(
        written == bytes,
        "the bytes differ; if they should, run with UPDATE_GOLDEN=1"
    );
}

#[test]
fn the_golden_segment_restores_what_it_is_of() {
    let bytes = std::fs::read(FILE).expect("run with UPDATE_GOLDEN=1");
    let mut corpus = Corpus::new(Some(spec()));
    let restored = corpus.restore(&[&bytes]).unwrap();
    assert_eq!(restored.facts, facts());
    assert_eq!(restored.sessions, [(SessionId::new(1, 7), true)]);
    let said = turns().map(|turn| (turn.id, turn.at.unix_ms));
    assert_eq!(restored.turns, said);
    assert_eq!((corpus.n_turns(), corpus.n_facts()), (4, 2));
}
