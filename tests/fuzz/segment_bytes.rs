//! Segments of the kept index, damaged: whatever is read can be asked, changed, written and read again.

use super::Target;
use super::random::Random;
use onhand::embed::Words;
use onhand::model::{
    Confidence, Evidence, Fact, FactId, FactType, Origin, RecordRef, Role, SessionId, Turn, TurnId,
    VectorOwner,
};
use onhand::recall::{Corpus, Draft, EmbedderSpec, Level, Query, SegmentKey};
use onhand::time::Timestamp;

const DIMENSIONS: usize = 16;
/// Where the checksum is, and what it is of: `docs/format.md`.
const CHECKSUM: std::ops::Range<usize> = 5..9;

pub struct SegmentBytes {
    /// The segments of one corpus, the oldest first.
    seeds: Vec<Vec<u8>>,
    n_read: u64,
}

/// Two words on four axes, and two rows of a table.
const WORDS: [u8; 5] = [2, 0x1f, 0x88, 0x9a, 0x71];
const ROWS: [u8; 5] = [0, 0x1f, 0x08, 0x9a, 0x11];

fn spec() -> EmbedderSpec {
    EmbedderSpec {
        id: "fuzz".into(),
        dimensions: DIMENSIONS,
        mean: 0.0,
        sd: 0.25,
    }
}

fn turn(session: i64, index: u32, text: &str) -> Turn {
    Turn {
        v: Turn::VERSION,
        id: TurnId {
            session: SessionId::new(session, 7),
            index,
        },
        role: if index.is_multiple_of(2) {
            Role::User
        } else {
            Role::Assistant
        },
        speaker: index
            .is_multiple_of(3)
            .then(|| format!("Speaker {}", index % 5)),
        content: vec![serde_json::json!({"type": "text", "text": text})],
        at: Timestamp::utc(1_795_000_000_000 + i64::from(index) * 60_000),
    }
}

fn fact(number: u128, said: TurnId) -> Fact {
    Fact {
        v: Fact::VERSION,
        id: FactId::new(1, number),
        fact_type: FactType::ALL[number as usize % 5],
        subject: "Ines".into(),
        attribute: "boat".into(),
        statement: format!("The boat {number} is called Aurora since last March"),
        entities: vec!["Aurora".into(), "größer".into()],
        numbers: vec![number.to_string()],
        evidence: Some(Evidence {
            turn: said,
            start: 0,
            end: 4,
            quote: "The ".into(),
        }),
        origin: Origin::Import,
        confidence: Confidence::Low,
        valid_from: Timestamp::utc(0),
        recorded_at: Timestamp::utc(1),
        supersedes: number.checked_sub(1).map(|before| FactId::new(1, before)),
        superseded_by: None,
        stale: None,
        proof_count: 2,
    }
}

impl Target for SegmentBytes {
    const NAME: &'static str = "segment_bytes";
    const KEPT: &'static [&'static [u8]] = &[
        b"",
        b"onsg",
        // A count of what is replaced that no memory could hold.
        b"onsg\x01\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ];

    fn new() -> SegmentBytes {
        let mut random = Random::new(11);
        let mut corpus = Corpus::new(Some(spec()));
        let mut seeds = Vec::new();
        for round in 0..4 {
            let mut draft = Draft::default();
            let said: Vec<Turn> = (0..5)
                .map(|i| {
                    let long =
                        "We sail again tomorrow. 東京で会議。 ".repeat(if i == 4 { 60 } else { 1 });
                    turn(
                        round % 3,
                        10 * round as u32 + i,
                        &format!("On day {i} {long}"),
                    )
                })
                .collect();
            let facts: Vec<Fact> = (0..3)
                .map(|i| fact(round as u128 + i, said[0].id))
                .collect();
            for turn in &said {
                corpus.add_turn(turn);
                draft.turns.insert(turn.id, turn.at.unix_ms);
                draft.sessions.insert(turn.id.session, round == 2);
                draft.replaced.push(SegmentKey::Session(turn.id.session));
            }
            for fact in &facts {
                corpus.add_fact(fact);
                draft.replaced.push(SegmentKey::Fact(fact.id));
            }
            for piece in corpus.missing_vectors() {
                corpus
                    .add_vector(piece.owner, &random.vector(DIMENSIONS))
                    .unwrap();
                // One segment has no words.
                match round % 3 {
                    0 => corpus.add_words_of(&spec().id, piece.owner, &WORDS),
                    1 => corpus.add_words_of(&spec().id, piece.owner, &ROWS),
                    _ => {}
                }
            }
            draft.facts = facts.iter().collect();
            seeds.push(corpus.write_segment(&draft));
        }
        SegmentBytes { seeds, n_read: 0 }
    }

    /// One segment of the four is damaged; the first byte says which.
    fn input(&self, random: &mut Random) -> Vec<u8> {
        let at = random.below(self.seeds.len());
        let mut bytes = self.seeds[at].clone();
        super::index_bytes::mutate(&mut bytes, random);
        if bytes.len() > CHECKSUM.end && random.below(4) > 0 {
            let checksum = crc32fast::hash(&bytes[CHECKSUM.end..]).to_le_bytes();
            bytes[CHECKSUM].copy_from_slice(&checksum);
        }
        bytes.insert(0, at as u8);
        bytes
    }

    fn run(&mut self, input: &[u8]) {
        let Some((&at, damaged)) = input.split_first() else {
            return;
        };
        let mut segments: Vec<&[u8]> = self.seeds.iter().map(Vec::as_slice).collect();
        let at = usize::from(at) % segments.len();
        segments[at] = damaged;
        let mut corpus = Corpus::new(Some(spec()));
        if let Ok(restored) = corpus.restore(&segments) {
            self.n_read += 1;
            let mut draft = Draft::default();
            draft.sessions.extend(restored.sessions);
            draft.turns.extend(restored.turns);
            draft.facts.extend(&restored.facts);
            use_it(corpus, &draft);
        }
    }

    fn summary(&self) -> String {
        format!(r#""read":{}"#, self.n_read)
    }
}

fn use_it(mut corpus: Corpus, draft: &Draft) {
    let words = Words::Directions(WORDS.to_vec());
    let query = Query {
        level: Level::Loose,
        limit: 50,
        vector: Some(&[0.5; DIMENSIONS]),
        words: Some(&words),
        ..Query::new(
            "What did Speaker 3 call the boat 2 last March?",
            Timestamp::utc(1_795_000_000_000),
        )
    };
    corpus.recall(&query);
    let mut again = Corpus::new(Some(spec()));
    again
        .restore(&[&corpus.write_segment(draft)])
        .expect("what was read can be written and read");
    assert!(corpus.differing(&again).is_empty());
    again.recall(&query);
    for (id, _) in draft.turns.iter().step_by(2) {
        corpus.remove(RecordRef::Turn(*id));
    }
    draft
        .facts
        .iter()
        .for_each(|fact| drop(corpus.add_fact(fact)));
    let said = turn(1, 3, "The boat was sold.");
    corpus.add_turn(&said);
    let owner = VectorOwner {
        record: RecordRef::Turn(said.id),
        piece: 0,
    };
    let _ = corpus.add_vector(owner, &[1.0; DIMENSIONS]);
    corpus.recall(&query);
}
