//! How long recall takes and how much memory, on a synthetic corpus made from a seed. Prints one JSON object.
//!
//! `cargo bench --bench recall` measures 10,000 facts and 50,000 turns; under `cargo test` a small corpus shows that it runs and that
//! the corpus counts its own bytes right. Words follow Zipf's law and vectors gather around topics as those of texts do: times mean
//! something, the answers do not. A time is the shortest of [`REPEATS`], since other programs stretch the wall clock; the caches are
//! warm then.

use onhand::embed::{Embedded, StaticTable, Words};
use onhand::model::{
    Confidence, Evidence, Fact, FactId, FactType, Origin, Role, SessionId, Turn, TurnId,
};
use onhand::recall::{Corpus, EmbedderSpec, Query};
use onhand::time::Timestamp;
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const SEED: u64 = 20_261_121;
/// Of the built-in table, whose words are numbers of its rows: so many of a turn, and the last row.
const TABLE_DIMENSIONS: usize = 128;
const TABLE_WORDS: usize = 20;
const LAST_ROW: u64 = 30_521;
/// A question of as many pieces as one has in the mean.
const QUESTION: &str = "What did she say about painting the old kitchen?";
/// Of all-MiniLM-L6-v2, whose words are directions: so many of a turn, and of a question.
const MINILM_DIMENSIONS: usize = 384;
const MINILM_WORDS: [usize; 2] = [13, 12];
const WORD_BYTES: usize = 32;
const VOCABULARY: u64 = 20_000;
const TURNS_PER_SESSION: u32 = 20;
const WORDS_PER_TURN: usize = 35;
const WORDS_PER_FACT: usize = 8;
const WORDS_PER_QUESTION: usize = 9;
const TOPICS: u64 = 300;
const REPEATS: usize = 5;

/// Counts what is on the heap.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all of it is the system's allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATED.fetch_add(size, Ordering::Relaxed);
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

fn allocated() -> usize {
    ALLOCATED.load(Ordering::Relaxed)
}

fn main() {
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (n_facts, n_turns, n_questions) = if is_measured {
        (10_000, 50_000, 200)
    } else {
        (100, 500, 5)
    };
    let mut runs = Vec::new();
    let embedders = [
        None,
        Some((TABLE_DIMENSIONS, WordsOf::Nothing)),
        Some((TABLE_DIMENSIONS, WordsOf::Table)),
        Some((MINILM_DIMENSIONS, WordsOf::Nothing)),
        Some((MINILM_DIMENSIONS, WordsOf::MiniLm)),
    ];
    for embedder in embedders {
        runs.push(run(n_facts, n_turns, n_questions, embedder));
    }
    println!(
        "{}",
        json!({ "bench": "recall", "facts": n_facts, "turns": n_turns, "seed": SEED, "runs": runs })
    );
}

/// Dimensions, and the words beside the vector.
type Embedder = (usize, WordsOf);

#[derive(Clone, Copy, Debug, PartialEq)]
enum WordsOf {
    Nothing,
    Table,
    MiniLm,
}

impl WordsOf {
    fn of_turn(self, random: &mut Random) -> Option<Vec<u8>> {
        match self {
            WordsOf::Nothing => None,
            WordsOf::Table => Some(random.rows(TABLE_WORDS)),
            WordsOf::MiniLm => Some(random.packed(MINILM_WORDS[0])),
        }
    }

    fn of_question(self, random: &mut Random) -> Option<Words> {
        static TABLE: LazyLock<StaticTable> = LazyLock::new(|| {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/pkg/model/static-128-int4.bin");
            StaticTable::from_bytes(&std::fs::read(file).expect("the table")).expect("a table")
        });
        match self {
            WordsOf::Nothing => None,
            WordsOf::Table => TABLE.embed_with_words(QUESTION)?.words,
            WordsOf::MiniLm => Some(Words::Directions(random.packed(MINILM_WORDS[1]))),
        }
    }
}

fn run(
    n_facts: u32,
    n_turns: u32,
    n_questions: usize,
    embedder: Option<Embedder>,
) -> serde_json::Value {
    let mut random = Random(SEED);
    let (dimensions, words) = embedder.unwrap_or((0, WordsOf::Nothing));
    let spec = EmbedderSpec {
        id: "random".into(),
        dimensions,
        mean: 0.0,
        sd: 0.09,
    };
    let turns: Vec<Turn> = (0..n_turns).map(|n| turn(n, &mut random)).collect();
    let facts: Vec<Fact> = (0..n_facts)
        .map(|n| fact(n, &turns[(n * 3 % n_turns) as usize], &mut random))
        .collect();
    let topics: Vec<Vec<f32>> = (0..TOPICS).map(|_| random.direction(dimensions)).collect();

    let before = allocated();
    let mut corpus = Corpus::new(embedder.map(|_| spec));
    let (mut load_ms, mut vectors_ms) = (0.0, 0.0);
    let mut embed = |corpus: &mut Corpus, random: &mut Random| {
        for piece in corpus.missing_vectors() {
            let vector = random.near_one_of(&topics);
            let start = Instant::now();
            let added = corpus.add_vector(piece.owner, &vector);
            vectors_ms += ms(start);
            added.expect("a direction");
            if let Some(words) = words.of_turn(random) {
                let start = Instant::now();
                corpus.add_words_of("random", piece.owner, &words);
                vectors_ms += ms(start);
            }
        }
    };
    let start = Instant::now();
    for turn in &turns {
        corpus.add_turn(turn);
    }
    load_ms += ms(start);
    embed(&mut corpus, &mut random);
    let (bytes, heap) = (corpus.bytes(), allocated() - before);
    let counted = bytes.total() as f64 / heap as f64;
    assert!(
        (0.85..1.15).contains(&counted),
        "{bytes:?} counted, {heap} on the heap"
    );
    let start = Instant::now();
    for fact in &facts {
        corpus.add_fact(fact);
    }
    load_ms += ms(start);
    embed(&mut corpus, &mut random);

    let mut times = Vec::new();
    let mut n_items = 0;
    for _ in 0..n_questions {
        let text = random.words(WORDS_PER_QUESTION);
        let embedded = embedder.map(|_| Embedded {
            vector: random.near_one_of(&topics),
            words: words.of_question(&mut random),
        });
        let query = Query::new(&text, Timestamp::utc(0)).embedded(embedded.as_ref());
        let mut shortest = f64::INFINITY;
        for _ in 0..REPEATS {
            let start = Instant::now();
            let found = corpus.recall(&query);
            shortest = shortest.min(ms(start));
            n_items += found.items.len();
        }
        times.push(shortest);
    }
    times.sort_by(f64::total_cmp);
    json!({
        "embedder": embedder.is_some(),
        "dimensions": dimensions,
        "words": words != WordsOf::Nothing,
        "vectors": corpus.n_vectors(),
        "load_ms": load_ms,
        "add_vectors_ms": if embedder.is_some() { json!(vectors_ms) } else { json!("not_run") },
        "recall_ms": { "median": times[times.len() / 2], "p95": times[times.len() * 95 / 100], "max": times[times.len() - 1] },
        "items": n_items,
        "bytes_per_turn": {
            "text_index": bytes.text_index / n_turns as usize,
            "vectors": bytes.vectors / n_turns as usize,
            "records": bytes.records / n_turns as usize,
            "on_the_heap": heap / n_turns as usize,
        },
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

    /// A direction that has half of its length in common with a topic's.
    fn near_one_of(&mut self, topics: &[Vec<f32>]) -> Vec<f32> {
        let topic = &topics[(self.next() % topics.len() as u64) as usize];
        let own = self.direction(topic.len());
        own.iter()
            .zip(topic)
            .map(|(own, topic)| own + topic)
            .collect()
    }

    /// Words of a text as rows of a table; some rows are common.
    fn rows(&mut self, n: usize) -> Vec<u8> {
        let row = |random: &mut Random| (LAST_ROW as f64).powf(random.unit()) as u16;
        let rows: BTreeSet<u16> = (0..n).map(|_| row(self)).collect();
        let bytes = rows.into_iter().flat_map(u16::to_le_bytes);
        std::iter::once(0).chain(bytes).collect()
    }

    /// The words of a text, in any directions.
    fn packed(&mut self, n: usize) -> Vec<u8> {
        let bytes = (0..n * WORD_BYTES).map(|_| self.next() as u8 | 0x11);
        std::iter::once(WORD_BYTES as u8).chain(bytes).collect()
    }

    fn direction(&mut self, dimensions: usize) -> Vec<f32> {
        (0..dimensions)
            .map(|_| (self.unit() + self.unit() + self.unit() - 1.5) as f32)
            .collect()
    }
}
