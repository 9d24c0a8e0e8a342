//! Records to store: ordinary ones by number, and ones at the edge of what a record can hold.

use crate::model::{
    Artifact, ArtifactId, Compacted, Confidence, Evidence, Fact, FactId, FactType, File, FileId,
    Generation, Injection, Job, JobId, JobState, JobWork, Judgement, JudgementId, Kind, Origin,
    Purpose, Record, RecordRef, Role, Segment, Session, SessionId, Stale, StoredVector, Summary,
    Surfaced, Tokens, Tombstone, Turn, TurnId, TurnScoped, Usage, UsageId, VectorOwner,
};
use crate::time::Timestamp;
use serde_json::json;

fn session_id(i: u32) -> SessionId {
    SessionId::new(i64::from(i), 7)
}

fn fact_id(i: u32) -> FactId {
    FactId::new(i64::from(i), 7)
}

/// All sample turns are of one session, so that their names have a long common beginning.
fn turn_id(i: u32) -> TurnId {
    TurnId {
        session: session_id(0),
        index: i,
    }
}

fn at(i: u32) -> Timestamp {
    Timestamp {
        unix_ms: 1_795_000_000_000 + i64::from(i),
        offset_min: 60,
    }
}

/// The name of the sample.
pub fn name(kind: Kind, i: u32) -> String {
    sample(kind, i).name()
}

/// The `i`th ordinary record of a kind. Names ascend with `i`.
pub fn sample(kind: Kind, i: u32) -> Record {
    match kind {
        Kind::Session => Record::Session(Session {
            v: Session::VERSION,
            id: session_id(i),
            started: at(i),
            model: "claude".into(),
            system: format!("Be brief. {i}"),
            tools: vec![json!({"type": "memory_20250818", "name": "memory"})],
            snapshot: String::new(),
            surfaced: vec![RecordRef::Fact(fact_id(1)), RecordRef::Turn(turn_id(2))],
            ended: (i % 2 == 1).then(|| at(i)),
            drops_thinking: true,
            compacted: Some(Compacted {
                from: 2,
                thinking_from: 4,
                text: "earlier".into(),
                block: vec![json!({"type": "compaction", "content": "all of it", "2": 1, "1": 2})],
                summaries: vec![Summary {
                    level: 1,
                    text: "all of it".into(),
                }],
            }),
        }),
        Kind::Turn => Record::Turn(Turn {
            v: Turn::VERSION,
            id: turn_id(i),
            role: Role::User,
            speaker: Some("Ines".into()),
            content: vec![json!({"type": "text", "text": format!("Turn {i}")})],
            at: at(i),
        }),
        Kind::Fact => Record::Fact(Fact {
            v: Fact::VERSION,
            id: fact_id(i),
            fact_type: FactType::Decision,
            subject: "user".into(),
            attribute: "cloud provider".into(),
            statement: format!("Moved to provider {i}."),
            entities: vec!["provider".into()],
            numbers: vec![i.to_string()],
            evidence: Some(Evidence {
                turn: turn_id(i),
                start: 0,
                end: 4,
                quote: "Move".into(),
            }),
            origin: Origin::User,
            confidence: Confidence::High,
            valid_from: at(i),
            recorded_at: at(i),
            supersedes: i.checked_sub(1).map(fact_id),
            superseded_by: None,
            stale: None,
            proof_count: 1,
        }),
        Kind::Vector => Record::Vector(StoredVector {
            v: StoredVector::VERSION,
            owner: VectorOwner {
                record: RecordRef::Turn(turn_id(i)),
                piece: 0,
            },
            embedder: "sample".into(),
            components: (0..256).map(|c| (c * 31 + i as i32) as i16).collect(),
            words: i.is_multiple_of(2).then(|| vec![2, 0x1f, i as u8]),
        }),
        Kind::Job => Record::Job(Job {
            v: Job::VERSION,
            id: JobId::new(i64::from(i), 7),
            work: JobWork::Extract {
                session: session_id(0),
                first: 0,
                last: i,
            },
            state: JobState::Waiting {
                until_ms: at(i).unix_ms,
            },
            attempts: i,
            last_error: None,
        }),
        Kind::Injection => Record::Injection(Injection {
            v: Injection::VERSION,
            turn: turn_id(i),
            text: format!("<memory>{i}</memory>"),
            surfaced: vec![Surfaced {
                record: RecordRef::Fact(fact_id(i)),
                score: 0.1,
            }],
            turn_scoped: (i % 2 == 1).then(|| TurnScoped {
                text: format!("<memory>{i} once</memory>"),
                surfaced: vec![Surfaced {
                    record: RecordRef::Turn(turn_id(i)),
                    score: 0.2,
                }],
            }),
        }),
        Kind::Usage => Record::Usage(Usage {
            v: Usage::VERSION,
            id: UsageId::new(i64::from(i), 7),
            purpose: Purpose::Chat,
            session: session_id(0),
            model: "claude".into(),
            request_id: Some(format!("req_{i}")),
            tokens: Tokens {
                input: 1_000,
                output: 20,
                cache_read: 0,
                cache_write: u64::from(i),
                cache_write_1h: (i % 2 == 1).then_some(u64::from(i)),
            },
            at: at(i),
            first_text_ms: Some(350),
        }),
        Kind::Generation => Record::Generation(Generation {
            v: Generation::VERSION,
            embedder: format!("sample-{i:04}"),
            dimensions: 256,
            mean: 0.25,
            sd: 0.125,
            filled: i % 2 == 1,
        }),
        Kind::File => Record::File(File {
            // The id of its path would have no order.
            id: FileId::numbered(i),
            ..File::new(&format!("/memories/{i}.md"), &format!("Note {i}"), at(i))
        }),
        Kind::Judgement => Record::Judgement(Judgement {
            v: Judgement::VERSION,
            id: JudgementId::new(i64::from(i), 7),
            query: format!("Which provider, number {i}?"),
            record: RecordRef::Fact(fact_id(i)),
            good: i.is_multiple_of(2),
            at: at(i),
        }),
        Kind::Tombstone => Record::Tombstone(Tombstone {
            v: Tombstone::VERSION,
            kind: Kind::Fact,
            name: fact_id(i).to_string(),
            at: at(i),
            salt: format!("{i:032x}"),
            marks: vec![format!("{i:064x}")],
        }),
        Kind::Segment => Record::Segment(Segment {
            v: Segment::VERSION,
            name: fact_id(i).to_string(),
            seen: u64::from(i),
            bytes: (0..=255).chain(i.to_le_bytes()).collect(),
        }),
        Kind::Artifact => Record::Artifact(Artifact {
            v: Artifact::VERSION,
            id: ArtifactId::new(i64::from(i), 7),
            turn: Some(turn_id(i)),
            name: format!("log {i}"),
            text: format!("Line {i}"),
            at: at(i),
        }),
    }
}

/// Records whose fields are at their limits: numbers that JavaScript's own can not hold, text
/// that a careless decoder changes, nothing where something may be missing.
pub fn extreme() -> Vec<Record> {
    let texts = [
        "",
        "\0",
        "\u{feff}begins with a byte order mark",
        "e\u{301} is not \u{e9}",
        "\u{fffd}\u{fffe}\u{ffff}\u{10ffff}\u{d7ff}\u{e000}",
        "👩‍👩‍👧 עברית العربية 漢字 \u{2028}\r\n\t",
        "{\"2\":1,\"1\":2}",
        "9007199254740993",
        "undefined",
    ];
    let long = "ä𝄞".repeat(50_000);
    let texts = texts.into_iter().chain([&*long]);
    let mut records: Vec<Record> = (0..)
        .zip(texts)
        .flat_map(|(i, text)| worded(i, text))
        .collect();
    let moments = [i64::MIN, -1, 0, 9_007_199_254_740_993, i64::MAX];
    records.extend((100..).zip(moments).flat_map(|(i, ms)| timed(i, ms)));
    for (i, components) in (200..).zip([vec![], vec![i16::MIN, i16::MAX, 0, -1, 255, 256]]) {
        let Record::Vector(mut vector) = sample(Kind::Vector, i) else {
            unreachable!()
        };
        vector.components = components;
        vector.words = (i == 201).then(Vec::new);
        vector.owner = VectorOwner {
            record: RecordRef::Fact(fact_id(i)),
            piece: u16::MAX,
        };
        records.push(Record::Vector(vector));
    }
    let scores = [
        0.1,
        -0.0,
        f32::MAX,
        f32::MIN_POSITIVE,
        f32::MIN,
        f32::EPSILON,
        16_777_217.0,
    ];
    let Record::Injection(mut injection) = sample(Kind::Injection, 200) else {
        unreachable!()
    };
    injection.surfaced = Vec::from(scores.map(|score| Surfaced {
        record: RecordRef::Turn(turn_id(u32::MAX)),
        score,
    }));
    records.push(Record::Injection(injection));
    records
}

/// One record of every kind that holds text, with that text wherever it can be.
fn worded(i: u32, text: &str) -> Vec<Record> {
    let mut records: Vec<Record> = Kind::ALL.map(|kind| sample(kind, i)).into();
    for record in &mut records {
        match record {
            Record::Session(session) => {
                session.model = text.into();
                session.system = text.into();
                session.snapshot = text.into();
                session.surfaced = vec![];
            }
            Record::Turn(turn) => turn.content = vec![json!(text), json!({ text: text })],
            Record::Fact(fact) => {
                fact.statement = text.into();
                fact.subject = text.into();
                fact.attribute = text.into();
                fact.entities = vec![text.into(); 2];
                fact.numbers = vec![];
                fact.evidence = None;
                fact.superseded_by = Some(fact_id(i + 1));
                fact.stale = Some(Stale {
                    reason: text.into(),
                    by: Origin::Manual,
                    at: at(0),
                });
            }
            Record::Vector(vector) => vector.embedder = text.into(),
            Record::Job(job) => {
                job.last_error = Some(text.into());
                job.state = JobState::Dead;
            }
            Record::Injection(injection) => {
                injection.text = text.into();
                injection.surfaced = vec![];
                injection.turn_scoped = Some(TurnScoped {
                    text: text.into(),
                    surfaced: vec![],
                });
            }
            Record::Usage(usage) => {
                usage.request_id = Some(text.into());
                usage.first_text_ms = None;
            }
            Record::Generation(generation) => generation.embedder = text.into(),
            Record::File(file) => {
                file.path = text.into();
                file.text = text.into();
            }
            Record::Judgement(judgement) => judgement.query = text.into(),
            Record::Tombstone(stone) => {
                stone.name = text.into();
                stone.salt = text.into();
                stone.marks = vec![text.into(); 2];
            }
            Record::Segment(segment) => {
                segment.name = text.into();
                segment.bytes = text.into();
            }
            Record::Artifact(artifact) => {
                artifact.turn = None;
                artifact.name = text.into();
                artifact.text = text.into();
            }
        }
    }
    records
}

/// Every kind that holds a moment or a counter, with this one.
fn timed(i: u32, ms: i64) -> Vec<Record> {
    let moment = Timestamp {
        unix_ms: ms,
        offset_min: i16::MIN,
    };
    let mut records: Vec<Record> = Kind::ALL.map(|kind| sample(kind, i)).into();
    for record in &mut records {
        match record {
            Record::Session(session) => session.started = moment,
            Record::Turn(turn) => turn.at = moment,
            Record::Fact(fact) => {
                fact.valid_from = moment;
                fact.recorded_at = moment;
                fact.proof_count = u32::MAX;
            }
            Record::Job(job) => job.state = JobState::Waiting { until_ms: ms },
            Record::Usage(usage) => {
                usage.at = moment;
                usage.tokens.input = u64::MAX;
                usage.tokens.output = ms as u64;
                usage.request_id = None;
            }
            Record::File(file) => {
                file.created = moment;
                file.modified = moment;
            }
            Record::Judgement(judgement) => judgement.at = moment,
            Record::Tombstone(stone) => stone.at = moment,
            Record::Segment(segment) => segment.seen = ms as u64,
            Record::Artifact(artifact) => artifact.at = moment,
            Record::Vector(_) | Record::Injection(_) | Record::Generation(_) => {}
        }
    }
    records
}

/// Numbers that look random and follow from a seed: SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// From 0 to `n` - 1.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}
