//! Memories of several namespaces over one store, used at random: none ever shows a word of another, unless that was
//! granted and asked for.

use super::Target;
use super::random::Random;
use super::world::{TestPorts, World};
use onhand::batch::{Batch, Durability, Op};
use onhand::memory::{Grants, Memory, RecallRequest, RecollectedItem, SpokenTurn, TurnFilter};
use onhand::model::{
    Confidence, Fact, FactId, FactType, Namespace, Origin, Record, Role, SessionId,
};
use onhand::recall::Level;
use onhand::store::Store;
use onhand::time::Timestamp;
use pollster::block_on;

/// Names that are prefixes of each other, or would meet if their parts were joined.
const NAMESPACES: [(&str, &str); 5] = [
    ("ada", "work"),
    ("ada", "work\u{0}"),
    ("adaw", "ork"),
    ("ada,work", "x"),
    ("ada", "wor\u{ffff}"),
];
/// Who may read which project of the same user, as positions of [`NAMESPACES`]. A grant is not mutual, and not handed on.
const GRANTS: [(usize, usize); 2] = [(0, 4), (4, 1)];
/// Few, so that namespaces use the same session.
const N_SESSIONS: u128 = 3;
const SHARED: [&str; 4] = ["the boat", "green tea", "the deadline", "a budget"];

#[derive(Default)]
pub struct Namespaces {
    n_operations: u64,
    n_shown: u64,
    n_granted: u64,
    n_refused: u64,
}

impl Target for Namespaces {
    const NAME: &'static str = "namespaces";
    const KEPT: &'static [&'static [u8]] = &[];

    fn new() -> Namespaces {
        Namespaces::default()
    }

    /// Three bytes for each operation: which namespace, what, with what.
    fn input(&self, random: &mut Random) -> Vec<u8> {
        let n = 3 * (1 + random.below(60));
        (0..n).map(|_| random.next() as u8).collect()
    }

    fn run(&mut self, input: &[u8]) {
        let world = World::new();
        let open = |of: usize| -> Memory<TestPorts> {
            let granted: Vec<&str> = granted_to(of).map(|to| NAMESPACES[to].1).collect();
            world.open_granted(namespace(of), &granted, false)
        };
        let mut grants: Vec<Grants<TestPorts>> = Vec::new();
        grants.resize_with(NAMESPACES.len(), Grants::default);
        let mut memories: Vec<Memory<TestPorts>> = (0..NAMESPACES.len()).map(open).collect();
        for (n, &[of, what, with]) in input.as_chunks::<3>().0.iter().enumerate() {
            let of = usize::from(of) % NAMESPACES.len();
            let shared = SHARED[usize::from(with) % SHARED.len()];
            let session = SessionId::new(0, u128::from(with) % N_SESSIONS);
            let memory = &memories[of];
            let mut shown: Vec<String> = Vec::new();
            // Also of projects of other users, and its own.
            let to = usize::from(with) / SHARED.len() % NAMESPACES.len();
            let project = NAMESPACES[to].1;
            let may_read = to == of || granted_to(of).any(|granted| granted == to);
            match what {
                0..70 => {
                    let text = format!("I like {shared}, says {} for the {n}th time", mark(of));
                    let turns = [SpokenTurn {
                        role: Role::User,
                        text,
                    }];
                    // Refused where another memory of the same namespace spoke in between; it is one memory here.
                    block_on(memory.remember(Some(session), &turns)).unwrap();
                }
                70..80 => {
                    let request = RecallRequest {
                        query: format!("what about {shared}?"),
                        limit: Some(50),
                        level: Level::All,
                        session: None,
                    };
                    let projects = [project.to_string()];
                    let found = block_on(grants[of].recall(memory, &request, &projects));
                    assert_eq!(found.is_ok(), may_read, "{of} asks {to}: {:?}", found.err());
                    for found in found.into_iter().flatten() {
                        let from = if found.project == project { to } else { of };
                        assert_eq!(found.project, NAMESPACES[from].1);
                        self.n_granted += u64::from(from != of);
                        for text in texts(found.item) {
                            assert!(text.contains(&mark(from)), "{of} read “{text}” of {from}");
                        }
                    }
                    self.n_refused += u64::from(!may_read);
                }
                80..86 => {
                    let granted = block_on(grants[of].of(memory, project));
                    assert_eq!(granted.is_ok(), may_read && to != of);
                    if let Ok(granted) = granted {
                        let page = block_on(granted.find_turns(&TurnFilter::default())).unwrap();
                        let turns = page.turns.iter().map(|turn| turn.text());
                        let facts = granted.facts().into_iter().map(|fact| fact.statement);
                        for text in turns.chain(facts) {
                            self.n_granted += 1;
                            assert!(text.contains(&mark(to)), "{of} read “{text}” of {to}");
                        }
                    }
                }
                86..110 => {
                    let mut batch = Batch::new(&namespace(of), Durability::Strict);
                    batch
                        .ops
                        .push(Op::Insert(Record::Fact(fact(of, n, shared))));
                    block_on(world.store.apply(&batch)).unwrap();
                }
                110..170 => {
                    let request = RecallRequest {
                        query: format!("what about {shared}?"),
                        limit: Some(50),
                        level: Level::All,
                        session: None,
                    };
                    let found = block_on(memory.recall(&request)).unwrap();
                    shown.extend(found.items.into_iter().flat_map(texts));
                }
                170..190 => {
                    let block = block_on(memory.block(shared, Some(session))).unwrap().block;
                    shown.extend(block.into_iter().flat_map(|block| {
                        let lines = block.text.lines().map(String::from);
                        lines
                            .filter(|line| line.contains("mark"))
                            .collect::<Vec<_>>()
                    }));
                }
                190..210 => {
                    let filter = TurnFilter {
                        session: (with % 2 == 0).then_some(session),
                        ..TurnFilter::default()
                    };
                    let page = block_on(memory.find_turns(&filter)).unwrap();
                    shown.extend(page.turns.iter().map(|turn| turn.text()));
                }
                210..225 => {
                    shown.extend(memory.facts().into_iter().map(|fact| fact.statement));
                }
                225..245 => {
                    block_on(memory.catch_up()).unwrap();
                }
                _ => {
                    memories[of] = open(of);
                    grants[of].forget();
                }
            }
            for text in &shown {
                let own = text.contains(&mark(of));
                assert!(own, "namespace {of} was shown “{text}”");
            }
            self.n_operations += 1;
            self.n_shown += shown.len() as u64;
        }
    }

    fn summary(&self) -> String {
        format!(
            r#""operations":{},"shown":{},"granted":{},"refused":{},"leaks":0"#,
            self.n_operations, self.n_shown, self.n_granted, self.n_refused
        )
    }
}

fn namespace(of: usize) -> Namespace {
    let (user, project) = NAMESPACES[of];
    Namespace {
        user: user.into(),
        project: project.into(),
    }
}

fn granted_to(of: usize) -> impl Iterator<Item = usize> {
    let grants = GRANTS.into_iter();
    grants.filter_map(move |(reader, to)| (reader == of).then_some(to))
}

/// All that an item shows.
fn texts(item: RecollectedItem) -> Vec<String> {
    let mut shown: Vec<String> = item.fact.into_iter().map(|fact| fact.statement).collect();
    shown.extend(item.older.into_iter().map(|fact| fact.statement));
    shown.extend(item.turn.map(|turn| turn.text()));
    shown
}

/// A word that only one namespace ever uses.
fn mark(of: usize) -> String {
    format!("mark{of}x")
}

fn fact(of: usize, n: usize, shared: &str) -> Fact {
    let at = Timestamp::utc(n as i64);
    Fact {
        v: Fact::VERSION,
        id: FactId::new(n as i64, n as u128),
        fact_type: FactType::Preference,
        subject: "user".into(),
        attribute: shared.into(),
        statement: format!("Likes {shared}, says {}", mark(of)),
        entities: Vec::new(),
        numbers: Vec::new(),
        evidence: None,
        origin: Origin::Manual,
        confidence: Confidence::High,
        valid_from: at,
        recorded_at: at,
        supersedes: None,
        superseded_by: None,
        stale: None,
        proof_count: 1,
    }
}
