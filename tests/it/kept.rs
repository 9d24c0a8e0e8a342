//! The kept index: a start that uses it can not be told from one that reads the records, and whatever happens to it, the
//! records are read.

use crate::world::*;
use onhand::batch::{Batch, Durability, Op};
use onhand::erase::Target;
use onhand::memory::{Keeping, Memory, Problem, RecallRequest, SpokenTurn, Unusable};
use onhand::model::{
    Confidence, Fact, FactId, FactType, Kind, Namespace, Origin, Record, Role, SUBJECT_USER,
    Segment, SessionId, TurnId,
};
use onhand::recall::Level;
use onhand::store::{COMMITS_KEPT, Range, Store};
use onhand::time::Timestamp;
use pollster::block_on;
use std::collections::{BTreeMap, BTreeSet};

/// More than the fewest records for which an index is kept.
const MANY: usize = 520;

pub fn spoken(texts: impl IntoIterator<Item = String>) -> Vec<SpokenTurn> {
    let roles = [Role::User, Role::Assistant].into_iter().cycle();
    let turns = texts.into_iter().zip(roles);
    turns
        .map(|(text, role)| SpokenTurn { role, text })
        .collect()
}

pub fn say(memory: &Memory<TestPorts>, texts: impl IntoIterator<Item = String>) -> SessionId {
    block_on(memory.remember(None, &spoken(texts))).unwrap().0
}

pub fn small_talk(from: usize, n: usize) -> impl Iterator<Item = String> {
    let places = [
        "the harbour",
        "the old mill",
        "Lisbon",
        "grandma's garden",
        "the office",
    ];
    let things = [
        "a letter",
        "two bicycles",
        "the blue kettle",
        "a stray cat",
        "tickets",
    ];
    (from..from + n).map(move |i| {
        let (place, thing) = (places[i % places.len()], things[i / 3 % things.len()]);
        format!(
            "On day {i} we found {thing} near {place}. Was it number {}?",
            i * 7 % 100
        )
    })
}

/// Keeps all that is to be kept.
pub fn keep(memory: &Memory<TestPorts>) {
    for _ in 0..100 {
        if block_on(memory.keep_index()) == Ok(Keeping::Done) {
            return;
        }
    }
    panic!("there is always more to keep");
}

/// A memory with enough in it, its index kept.
fn large() -> (World, Memory<TestPorts>, SessionId) {
    let world = World::new();
    let memory = world.open();
    let session = say(&memory, small_talk(0, MANY));
    keep(&memory);
    (world, memory, session)
}

fn segments(world: &World) -> Vec<Segment> {
    let (namespace, all) = (namespace(), Range::default());
    let found = block_on(world.store.inner.scan(&namespace, Kind::Segment, &all)).unwrap();
    let segment = |record| match record {
        Record::Segment(segment) => segment,
        _ => unreachable!("asked for above"),
    };
    found.records.into_iter().map(segment).collect()
}

/// Writes as another tab does.
pub fn write(world: &World, ops: Vec<Op>) {
    let mut batch = Batch::new(&namespace(), Durability::Relaxed);
    batch.ops = ops;
    block_on(world.store.apply(&batch)).unwrap();
}

/// Deletes a fact as an erasure does, with its vector.
pub fn forget(number: u128) -> Vec<Op> {
    let id = FactId::new(START_MS, number);
    let vector = format!("fact:{id}#0000@{}", table_id());
    let gone = [(Kind::Fact, id.to_string()), (Kind::Vector, vector)];
    gone.map(|(kind, name)| Op::Delete { kind, name }).into()
}

pub fn a_fact(number: u128, statement: &str) -> Fact {
    Fact {
        v: Fact::VERSION,
        id: FactId::new(START_MS, number),
        fact_type: FactType::Entity,
        subject: SUBJECT_USER.into(),
        attribute: "thing".into(),
        statement: statement.into(),
        entities: vec!["Aurora".into()],
        numbers: vec![],
        evidence: None,
        origin: Origin::Manual,
        confidence: Confidence::High,
        valid_from: Timestamp::utc(START_MS),
        recorded_at: Timestamp::utc(START_MS),
        supersedes: None,
        superseded_by: None,
        stale: None,
        proof_count: 1,
    }
}

/// Every answer to some questions, with the bits of its score.
pub fn answers(memory: &Memory<TestPorts>) -> Vec<Vec<(String, u32)>> {
    let questions = [
        "what did we find near the harbour?",
        "tickets in Lisbon number 35",
        "the stray cat of grandma's garden",
        "what about Aurora?",
        "zebra",
    ];
    let ask = |query: &&str| {
        let request = RecallRequest {
            query: (*query).into(),
            limit: Some(20),
            level: Level::Loose,
            session: None,
        };
        let found = block_on(memory.recall(&request)).unwrap();
        let item = |item: &onhand::memory::RecollectedItem| {
            (
                item.recalled.record.to_string(),
                item.recalled.score.to_bits(),
            )
        };
        found.items.iter().map(item).collect()
    };
    questions.iter().map(ask).collect()
}

#[test]
fn the_queue_is_read_when_it_is_asked_for() {
    let world = World::new();
    let first = world.open();
    let gone = say(&first, small_talk(0, 4));
    say(&first, small_talk(4, MANY));
    keep(&first);
    drop(first);
    let memory = world.open();
    assert!(memory.status().kept_index.was_used);
    assert_eq!(memory.jobs(), [], "nothing has asked for it");
    say(&memory, small_talk(900, 2));
    block_on(memory.erase(&Target::Session(gone))).unwrap();
    block_on(memory.read_queue()).unwrap();
    let stored = world.stored(Kind::Job).into_iter();
    let stored: Vec<_> = stored
        .map(|record| match record {
            Record::Job(job) => job,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((memory.jobs(), memory.status().counts.jobs), (stored, 2));
    // Whoever works on it does not have to ask.
    let other = world.open();
    block_on(other.retry_jobs()).unwrap();
    assert_eq!(other.jobs().len(), 2);
}

fn delete(name: &str) -> Op {
    Op::Delete {
        kind: Kind::Segment,
        name: name.into(),
    }
}

/// Opens it with the kept index, and compares with a start that reads the records.
pub fn assert_reopens(world: &World) -> Memory<TestPorts> {
    let memory = world.open();
    block_on(memory.read_queue()).unwrap();
    let status = memory.status();
    assert!(status.kept_index.was_used, "{:?}", status.kept_index);
    let report = block_on(memory.check()).unwrap();
    let n_findings = report.findings.len();
    assert_eq!(
        report.findings.first(),
        None,
        "and so on, {n_findings} in all"
    );
    let copy = World::new();
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Segment) {
        let (namespace, all) = (namespace(), Range::default());
        let found = world.store.inner.scan(&namespace, kind, &all);
        let puts = block_on(found).unwrap().records.into_iter().map(Op::Put);
        write(&copy, puts.collect());
    }
    let other = copy.open();
    assert!(!other.status().kept_index.was_used);
    assert_eq!(answers(&memory), answers(&other));
    assert_eq!(status.counts, other.status().counts);
    assert_eq!(block_on(memory.sessions()), block_on(other.sessions()));
    assert_eq!(memory.facts(), other.facts());
    memory
}

#[test]
fn a_small_memory_is_read_from_its_records() {
    let world = World::new();
    let memory = world.open();
    say(&memory, small_talk(0, 100));
    keep(&memory);
    assert_eq!(world.n_stored(Kind::Segment), 0);
}

#[test]
fn a_large_memory_opens_from_segments_and_answers_as_from_its_records() {
    let (world, memory, session) = large();
    assert_eq!(segments(&world).len(), 2, "one and the list");
    assert!(!memory.status().kept_index.was_used);
    assert_eq!(memory.status().kept_index.unkept, 0);
    let again = assert_reopens(&world);
    assert_eq!(again.status().kept_index.segments, 1);
    assert_eq!(again.status().index, memory.status().index);
    // Its texts are read where they are asked for.
    let turn = TurnId { session, index: 3 };
    let text = block_on(again.turn(turn)).unwrap().unwrap().text();
    assert_eq!(text, small_talk(3, 1).next().unwrap());
    assert_eq!(block_on(again.turns(session)).unwrap().len(), MANY);
}

#[test]
fn what_changed_since_is_read_from_the_log() {
    let (world, memory, session) = large();
    let before = segments(&world);
    block_on(memory.remember(Some(session), &spoken(["Aurora sails on Friday.".into()]))).unwrap();
    say(&memory, small_talk(9_000, 10));
    write(
        &world,
        vec![Op::Put(Record::Fact(a_fact(
            1,
            "The boat is called Aurora",
        )))],
    );
    write(
        &world,
        vec![Op::Put(Record::Fact(a_fact(2, "The cat is called Tom")))],
    );
    block_on(memory.catch_up()).unwrap();
    block_on(memory.correct(FactId::new(START_MS, 1), "The boat is called Borealis")).unwrap();
    block_on(memory.write_file("/memories/boat.md", "Aurora needs a new sail.")).unwrap();
    write(&world, forget(2));
    assert_eq!(segments(&world), before, "nothing was kept since");
    let again = assert_reopens(&world);
    assert_eq!(again.facts().len(), 2);
    assert!(again.status().kept_index.unkept >= 12);
}

#[test]
fn keeping_more_leaves_what_was_kept_as_it_is() {
    let (world, memory, _) = large();
    let first = segments(&world).remove(0);
    let mut n_bytes = 0;
    for round in 0..40 {
        say(&memory, small_talk(1_000 + 70 * round, 70));
        let before: BTreeMap<String, Segment> = by_name(segments(&world));
        keep(&memory);
        let after = by_name(segments(&world));
        for (name, segment) in &after {
            match before.get(name) {
                Some(earlier) if name != Segment::MANIFEST => assert_eq!(earlier, segment),
                _ => n_bytes += segment.bytes.len(),
            }
        }
        assert!(
            after.len() <= 10,
            "{} segments after round {round}",
            after.len()
        );
    }
    let per_turn = first.bytes.len() / MANY;
    let n_turns = 40 * 70;
    assert!(
        n_bytes < 9 * n_turns * per_turn,
        "{n_bytes} bytes for {n_turns} turns of {per_turn}"
    );
    assert_reopens(&world);
}

fn by_name(segments: Vec<Segment>) -> BTreeMap<String, Segment> {
    let named = segments
        .into_iter()
        .map(|segment| (segment.name.clone(), segment));
    named.collect()
}

#[test]
fn whatever_happens_to_it_the_records_are_read_and_it_is_kept_anew() {
    let damage = |world: &World, change: &dyn Fn(&mut Segment), of_list: bool| {
        for mut segment in segments(world) {
            if (segment.name == Segment::MANIFEST) == of_list {
                change(&mut segment);
                world
                    .store
                    .inner
                    .put_behind(&namespace(), Record::Segment(segment));
            }
        }
    };
    type Damage<'a> = (&'a str, Unusable, Box<dyn Fn(&World) + 'a>);
    let cases: Vec<Damage> = vec![
        (
            "a bit",
            Unusable::SegmentDamaged,
            Box::new(|world| {
                damage(
                    world,
                    &|s| {
                        let n = s.bytes.len() / 2;
                        s.bytes[n] ^= 1
                    },
                    false,
                );
            }),
        ),
        (
            "a cut",
            Unusable::SegmentDamaged,
            Box::new(|world| {
                damage(world, &|s| s.bytes.truncate(1_000), false);
            }),
        ),
        (
            "no bytes",
            Unusable::SegmentDamaged,
            Box::new(|world| {
                damage(world, &|s| s.bytes.clear(), false);
            }),
        ),
        (
            "the list",
            Unusable::ListDamaged,
            Box::new(|world| {
                damage(world, &|s| s.bytes[20] ^= 1, true);
            }),
        ),
        (
            "an unreadable list",
            Unusable::ListDamaged,
            Box::new(|world| {
                world
                    .store
                    .inner
                    .make_unreadable(&namespace(), Kind::Segment, Segment::MANIFEST);
            }),
        ),
        (
            "an unreadable segment",
            Unusable::SegmentMissing,
            Box::new(|world| {
                let name = &segments(world)[0].name;
                world
                    .store
                    .inner
                    .make_unreadable(&namespace(), Kind::Segment, name);
            }),
        ),
        (
            "a missing segment",
            Unusable::SegmentMissing,
            Box::new(|world| {
                let name = segments(world)[0].name.clone();
                write(world, vec![delete(&name)]);
            }),
        ),
        (
            "no list",
            Unusable::Unfinished,
            Box::new(|world| {
                write(world, vec![delete(Segment::MANIFEST)]);
            }),
        ),
        (
            "a log that went on without it",
            Unusable::TooOld,
            Box::new(|world| {
                for _ in 0..=COMMITS_KEPT {
                    write(world, vec![]);
                }
            }),
        ),
    ];
    for (name, expected, break_it) in cases {
        let (world, memory, _) = large();
        let expected_answers = answers(&memory);
        break_it(&world);
        let again = world.open();
        let kept = again.status().kept_index;
        assert_eq!(
            (kept.was_used, kept.unusable),
            (false, Some(expected)),
            "{name}"
        );
        assert_eq!(answers(&again), expected_answers, "{name}");
        let problems: BTreeSet<Problem> = block_on(again.check())
            .unwrap()
            .findings
            .iter()
            .map(|f| f.problem)
            .collect();
        assert_eq!(
            problems.contains(&Problem::KeptIndexDamaged),
            expected.is_damage(),
            "{name}"
        );
        assert_eq!(
            problems.contains(&Problem::Unreadable),
            name.starts_with("an unreadable"),
            "{name}"
        );
        keep(&again);
        assert_eq!(
            segments(&world).len(),
            2,
            "{name}: nothing of the old one is left"
        );
        assert_reopens(&world);
    }
}

#[test]
fn what_other_namespaces_commit_does_not_make_it_too_old() {
    let (world, memory, session) = large();
    let before = segments(&world);
    block_on(memory.remember(Some(session), &spoken(["Aurora sails on Friday.".into()]))).unwrap();
    let other = Namespace {
        user: "other".into(),
        project: "default".into(),
    };
    let theirs = Batch::new(&other, Durability::Relaxed);
    for _ in 0..2 * COMMITS_KEPT {
        block_on(world.store.apply(&theirs)).unwrap();
    }
    assert_eq!(segments(&world), before);
    let again = assert_reopens(&world);
    assert_eq!(again.status().counts.turns, MANY + 1);
    // A tab that slept meanwhile has nothing to read either, and what is kept can be added to.
    assert_eq!(block_on(memory.catch_up()), Ok(true));
    say(&memory, small_talk(8_000, 70));
    keep(&memory);
    assert_ne!(segments(&world), before);
    assert_reopens(&world);
}

#[test]
fn an_embedders_words_are_kept_with_its_vectors() {
    let world = World::new();
    let words = Words::new("words", 64);
    words.gives_words.set(true);
    let open = || {
        let memory = world.open_for("words");
        memory.adopt(AnyEmbedder::Words(words.clone())).unwrap();
        while block_on(memory.embed_step()).unwrap().left > 0 {}
        memory
    };
    let memory = open();
    say(&memory, small_talk(0, MANY));
    while block_on(memory.embed_step()).unwrap().left > 0 {}
    keep(&memory);
    let ask = |memory: &Memory<TestPorts>| {
        let request = RecallRequest {
            query: "Who found two bicycles near the old mill?".into(),
            limit: Some(20),
            level: Level::Loose,
            session: None,
        };
        let found = block_on(memory.recall(&request)).unwrap().items;
        let told = found.iter().map(|item| {
            let parts = item.recalled.parts.iter();
            let parts = parts.map(|part| (part.name, part.value.to_bits()));
            (item.recalled.record, parts.collect::<Vec<_>>())
        });
        told.collect::<Vec<_>>()
    };
    let expected = ask(&memory);
    let has_likest = |parts: &[(&str, u32)]| parts.iter().any(|(name, _)| *name == "likest");
    assert!(expected.len() > 5 && expected.iter().all(|(_, parts)| has_likest(parts)));
    drop(memory);
    let memory = open();
    assert!(memory.status().kept_index.was_used);
    assert_eq!(ask(&memory), expected);
    assert!(block_on(memory.check()).unwrap().is_clean());
}

#[test]
fn segments_of_another_embedder_are_not_used() {
    let (world, ..) = large();
    let by_words = world.open_with(false);
    let kept = by_words.status().kept_index;
    assert_eq!(
        (kept.was_used, kept.unusable),
        (false, Some(Unusable::OtherMaker))
    );
    assert!(block_on(by_words.check()).unwrap().is_clean());
}

#[test]
fn a_list_that_is_wrong_about_a_record_shows_in_the_check() {
    let (world, ..) = large();
    // As if a commit had been missed: the record is another one, and no log tells.
    let found = block_on(
        world
            .store
            .inner
            .scan(&namespace(), Kind::Turn, &Range::default()),
    );
    let Some(Record::Turn(mut turn)) = found.unwrap().records.into_iter().next() else {
        panic!("there are turns");
    };
    turn.content = vec![serde_json::json!({"type": "text", "text": "Something else was said."})];
    world
        .store
        .inner
        .put_behind(&namespace(), Record::Turn(turn.clone()));
    let report = block_on(world.open().check()).unwrap();
    let found: BTreeSet<(Problem, String)> = report
        .findings
        .into_iter()
        .map(|f| (f.problem, f.record))
        .collect();
    assert!(
        found.contains(&(Problem::KeptIndexDiffers, format!("turn:{}", turn.id))),
        "{found:?}"
    );
}

#[test]
fn nothing_erased_is_left_in_it_and_it_is_kept_again() {
    let (world, memory, _) = large();
    let secret = say(&memory, ["My zebra is called Quaxolotl.".into()]);
    say(&memory, small_talk(2_000, 80));
    keep(&memory);
    let holds_secret = |world: &World| {
        let all = segments(world)
            .into_iter()
            .flat_map(|segment| segment.bytes);
        let bytes: Vec<u8> = all.collect();
        bytes.windows(9).any(|part| part == b"quaxolotl")
    };
    assert!(holds_secret(&world), "terms are kept as they are");
    let n_segments = segments(&world).len() as u64;
    let receipt = block_on(memory.erase(&Target::Session(secret))).unwrap();
    assert_eq!(receipt.left, 0);
    assert_eq!(receipt.erased[&Kind::Segment], n_segments);
    assert_eq!(world.n_stored(Kind::Segment), 0);
    keep(&memory);
    assert!(world.n_stored(Kind::Segment) > 0 && !holds_secret(&world));
    let again = assert_reopens(&world);
    assert_eq!(again.status().counts.turns, MANY + 80);
    block_on(again.erase(&Target::Project)).unwrap();
    keep(&again);
    assert_eq!(world.n_stored(Kind::Segment), 0);
}

#[test]
fn a_tab_that_did_not_hear_of_an_erasure_can_not_write_it_back() {
    let (world, memory, _) = large();
    let secret = say(&memory, ["My zebra is called Quaxolotl.".into()]);
    say(&memory, small_talk(2_000, 80));
    // The other tab erases after this one has looked and before it writes.
    world.store.takes_time.set(true);
    let other = world.open();
    let mut keeping = Box::pin(memory.keep_index());
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    assert!(keeping.as_mut().poll(&mut context).is_pending(), "it looks");
    assert!(
        keeping.as_mut().poll(&mut context).is_pending(),
        "it is about to write"
    );
    block_on(other.erase(&Target::Session(secret))).unwrap();
    assert_eq!(
        block_on(keeping),
        Ok(Keeping::Overtaken),
        "it has to look again"
    );
    world.store.takes_time.set(false);
    assert_eq!(world.n_stored(Kind::Segment), 0);
    keep(&memory);
    let bytes: Vec<u8> = segments(&world).into_iter().flat_map(|s| s.bytes).collect();
    assert!(!bytes.windows(9).any(|part| part == b"quaxolotl"));
    assert_reopens(&world);
}

/// Other calls read the log between a step's commit and its end: what it says there is no other tab's.
#[test]
fn a_step_that_others_hear_of_before_it_ends_stays_in_the_index() {
    let world = World::new();
    let memory = world.open();
    say(&memory, small_talk(0, 9_000));
    keep(&memory);
    // More than one segment, and not so much that all would be written anew.
    say(&memory, small_talk(10_000, 4_200));
    world.store.answers_late.set(true);
    let mut keeping = Box::pin(memory.keep_index());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(keeping.as_mut().poll(&mut context).is_pending());
    world.store.answers_late.set(false);
    block_on(memory.catch_up()).unwrap();
    assert_eq!(block_on(keeping), Ok(Keeping::More));
    keep(&memory);
    let again = assert_reopens(&world);
    assert_eq!(again.status().counts.turns, 13_200);
    assert!(block_on(again.check()).unwrap().is_clean());
}

#[test]
fn a_step_that_was_overtaken_leaves_what_it_would_have_merged_in_its_place() {
    let world = World::new();
    let memory = world.open();
    say(&memory, small_talk(0, 1_500));
    keep(&memory);
    // Together with the first segment this is one of nearly full size; what has it twice is greater.
    say(&memory, small_talk(10_000, 1_600));
    world.store.takes_time.set(true);
    let mut keeping = Box::pin(memory.keep_index());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    // It waits for the log, and then to be written.
    for _ in 0..2 {
        assert!(keeping.as_mut().poll(&mut context).is_pending());
    }
    world.store.takes_time.set(false);
    say(&memory, small_talk(20_000, 2));
    assert_eq!(block_on(keeping), Ok(Keeping::Overtaken));
    keep(&memory);
    let again = assert_reopens(&world);
    assert_eq!(again.status().counts.turns, 3_102);
    assert!(again.status().kept_index.was_used);
    assert_eq!(block_on(again.check()).unwrap().findings, []);
}

#[test]
fn what_is_read_anew_while_a_segment_is_written_holds_it_once() {
    let (world, memory, _) = large();
    say(&memory, small_talk(10_000, 100));
    world.store.answers_late.set(true);
    let mut keeping = Box::pin(memory.keep_index());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(keeping.as_mut().poll(&mut context).is_pending());
    world.store.answers_late.set(false);
    // As after a key was given: all is read from what is stored, the new segment too.
    block_on(memory.unlocked()).unwrap();
    block_on(keeping).unwrap();
    // Fewer, so that they become no part of it.
    say(&memory, small_talk(20_000, 70));
    keep(&memory);
    assert_reopens(&world);
}

#[test]
fn what_one_tab_wrote_and_did_not_list_is_not_lost_when_another_writes() {
    let world = World::new();
    let first = world.open();
    say(&first, small_talk(0, 9_000));
    keep(&first);
    let second = world.open();
    say(&first, small_talk(10_000, 4_200));
    for tab in [&first, &second] {
        assert_eq!(block_on(tab.keep_index()), Ok(Keeping::More));
    }
    keep(&first);
    let again = assert_reopens(&world);
    assert_eq!(again.status().counts.turns, 13_200);
}

#[test]
fn tabs_take_turns_in_keeping_it() {
    let (world, first, _) = large();
    let second = world.open();
    for round in 0..6 {
        let (one, other) = if round % 2 == 0 {
            (&second, &first)
        } else {
            (&first, &second)
        };
        say(other, small_talk(3_000 + 100 * round, 30));
        say(one, small_talk(4_000 + 100 * round, 50));
        keep(one);
        assert_reopens(&world);
    }
}

#[test]
fn a_full_disk_gives_it_up_before_the_vectors() {
    let (world, memory, _) = large();
    let n_vectors = world.n_stored(Kind::Vector);
    let n_records: usize = Kind::ALL.into_iter().map(|kind| world.n_stored(kind)).sum();
    // Every record takes the same room here: two segments make room for a file.
    world.store.room.set(Some(n_records));
    block_on(memory.write_file("/memories/a.md", "Kept.")).unwrap();
    assert_eq!(world.n_stored(Kind::Segment), 0);
    assert_eq!(world.n_stored(Kind::Vector), n_vectors);
    assert!(memory.status().tight);
    assert_eq!(
        block_on(memory.keep_index()),
        Ok(Keeping::Done),
        "the room is for what is said"
    );
}

#[test]
fn random_lives_reopen_as_they_are() {
    for seed in 1..=6u64 {
        let (world, mut memory, session) = large();
        let mut state = seed;
        let mut below = |n: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for step in 0..40 {
            world.clock.pass(1_000);
            match below(9) {
                0 => drop(say(&memory, small_talk(5_000 + 40 * step, 30))),
                1 => {
                    let said = spoken(small_talk(7_000 + step, 1));
                    drop(block_on(memory.remember(Some(session), &said)));
                }
                2 => {
                    let fact = a_fact(
                        u128::from(below(6)),
                        &format!("Aurora is thing {}", below(9)),
                    );
                    write(&world, vec![Op::Put(Record::Fact(fact))]);
                }
                3 => {
                    let ops = forget(below(6).into());
                    write(&world, ops);
                }
                4 => {
                    let sessions = block_on(memory.sessions()).unwrap();
                    if sessions.len() > 1 {
                        block_on(memory.erase(&Target::Session(sessions[0].0.id))).unwrap();
                    }
                }
                5 => drop(block_on(
                    memory.write_file("/memories/a.md", &format!("Note {}", below(5))),
                )),
                6 => memory = world.open(),
                _ => keep(&memory),
            }
        }
        keep(&memory);
        println!("seed {seed}: {:?}", memory.status().kept_index);
        assert_reopens(&world);
    }
}

#[test]
fn namespaces_keep_their_own() {
    let (world, ..) = large();
    let other = Namespace {
        user: "other".into(),
        project: "default".into(),
    };
    let elsewhere = world.open_in(other, true);
    assert_eq!(elsewhere.status().kept_index, Default::default());
    say(&elsewhere, small_talk(0, MANY));
    keep(&elsewhere);
    assert_eq!(segments(&world).len(), 2);
    assert_reopens(&world);
}
