//! How long recall takes, on a synthetic corpus made from a seed. Prints one JSON object.
//!
//! `cargo bench --bench recall` measures 10,000 facts and 50,000 turns; under `cargo test` a small corpus only shows that it runs.
//! Words follow Zipf's law and vectors are random directions: times mean something, the answers do not.

use onhand::model::{
    Confidence, Evidence, Fact, FactId, FactType, Origin, Role, SessionId, Turn, TurnId,
};
use onhand::recall::{Corpus, EmbedderSpec, Query};
use onhand::time::Timestamp;
use serde_json::json;
use std::time::Instant;

const SEED: u64 = 20_261_121;
const DIMENSIONS: usize = 128;
const VOCABULARY: u64 = 20_000;
const TURNS_PER_SESSION: u32 = 20;
const WORDS_PER_TURN: usize = 35;
const WORDS_PER_FACT: usize = 8;
const WORDS_PER_QUESTION: usize = 9;

fn main() {
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (n_facts, n_turns, n_questions) = if is_measured {
        (10_000, 50_000, 200)
    } else {
        (100, 500, 5)
    };
    let mut runs = Vec::new();
    for embeds in [false, true] {
        runs.push(run(n_facts, n_turns, n_questions, embeds));
    }
    println!(
        "{}",
        json!({ "bench": "recall", "facts": n_facts, "turns": n_turns, "seed": SEED, "runs": runs })
    );
}

fn run(n_facts: u32, n_turns: u32, n_questions: usize, embeds: bool) -> serde_json::Value {
    let mut random = Random(SEED);
    let spec = EmbedderSpec {
        id: "random".into(),
        dimensions: DIMENSIONS,
        mean: 0.0,
        sd: 0.09,
    };
    let mut corpus = Corpus::new(embeds.then_some(spec));
    let turns: Vec<Turn> = (0..n_turns).map(|n| turn(n, &mut random)).collect();
    let facts: Vec<Fact> = (0..n_facts)
        .map(|n| fact(n, &turns[(n * 3 % n_turns) as usize], &mut random))
        .collect();

    let start = Instant::now();
    let mut wanted = Vec::new();
    for turn in &turns {
        wanted.extend(corpus.add_turn(turn));
    }
    for fact in &facts {
        wanted.extend(corpus.add_fact(fact));
    }
    let load_ms = ms(start);

    let start = Instant::now();
    for piece in wanted {
        corpus
            .add_vector(piece.owner, &random.direction())
            .expect("a direction");
    }
    let vectors_ms = ms(start);

    let mut times = Vec::new();
    let mut n_items = 0;
    for _ in 0..n_questions {
        let text = random.words(WORDS_PER_QUESTION);
        let vector = random.direction();
        let start = Instant::now();
        let found = corpus.recall(&Query {
            vector: embeds.then_some(&vector[..]),
            ..Query::new(&text, Timestamp::utc(0))
        });
        times.push(ms(start));
        n_items += found.items.len();
    }
    times.sort_by(f64::total_cmp);
    json!({
        "embedder": embeds,
        "vectors": corpus.n_vectors(),
        "load_ms": load_ms,
        "add_vectors_ms": if embeds { json!(vectors_ms) } else { json!("not_run") },
        "recall_ms": { "median": times[times.len() / 2], "p95": times[times.len() * 95 / 100], "max": times[times.len() - 1] },
        "items": n_items,
    })
}

fn ms(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

fn turn(n: u32, random: &mut Random) -> Turn {
    let session = SessionId::new(i64::from(n / TURNS_PER_SESSION), 0);
    Turn {
        v: Turn::VERSION,
        id: TurnId {
            session,
            index: n % TURNS_PER_SESSION,
        },
        role: if n.is_multiple_of(2) {
            Role::User
        } else {
            Role::Assistant
        },
        speaker: None,
        content: vec![json!({ "type": "text", "text": random.words(WORDS_PER_TURN) })],
        at: Timestamp::utc(0),
    }
}

fn fact(n: u32, turn: &Turn, random: &mut Random) -> Fact {
    Fact {
        v: Fact::VERSION,
        id: FactId::new(i64::from(n), 0),
        fact_type: FactType::Preference,
        subject: random.words(1),
        attribute: random.words(1),
        statement: random.words(WORDS_PER_FACT),
        entities: Vec::new(),
        numbers: Vec::new(),
        evidence: Some(Evidence {
            turn: turn.id,
            start: 0,
            end: 10,
            quote: turn.text().chars().take(10).collect(),
        }),
        origin: Origin::User,
        confidence: Confidence::High,
        valid_from: Timestamp::utc(0),
        recorded_at: Timestamp::utc(i64::from(n)),
        // Every tenth fact replaces the one before it.
        supersedes: (n % 10 == 9).then(|| FactId::new(i64::from(n) - 1, 0)),
        superseded_by: None,
        stale: None,
        proof_count: 1,
    }
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn words(&mut self, n: usize) -> String {
        // The inverse of a continuous Zipf distribution with exponent 1.
        let word =
            |random: &mut Random| format!("w{}x", (VOCABULARY as f64).powf(random.unit()) as u64);
        (0..n).map(|_| word(self)).collect::<Vec<_>>().join(" ")
    }

    fn direction(&mut self) -> Vec<f32> {
        (0..DIMENSIONS)
            .map(|_| (self.unit() + self.unit() + self.unit() - 1.5) as f32)
            .collect()
    }
}
