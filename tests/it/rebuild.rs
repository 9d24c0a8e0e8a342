//! Reading the records in slices: a memory that is open before all is read answers from what it has and says so, and in the end
//! it can not be told from one that waited.

use crate::kept::*;
use crate::world::*;
use onhand::batch::Op;
use onhand::config::{Config, EmbedderChoice};
use onhand::erase::Target;
use onhand::error::Error;
use onhand::memory::{
    Cancel, ChatEvent, Memory, Rebuilding, RecallRequest, Recollected, TurnFilter,
};
use onhand::model::{FactId, Kind, Record, SessionId, TurnId};
use onhand::recall::Level;
use onhand::store::Store;
use pollster::block_on;
use std::future::Future;
use std::task::Context;

const SESSIONS: usize = 45;
const TURNS: usize = 20;
const FACTS: usize = 300;

/// Sessions of some days, the oldest first, and facts.
fn lived() -> (World, Vec<SessionId>) {
    let world = World::new();
    let memory = world.open();
    let mut sessions = Vec::new();
    for i in 0..SESSIONS {
        world.clock.pass(DAY_MS / 4);
        sessions.push(say(&memory, small_talk(i * TURNS, TURNS)));
    }
    let fact = |i| a_fact(i as u128, &format!("Aurora is thing {i} of Lisbon"));
    let facts = (0..FACTS).map(|i| Op::Put(Record::Fact(fact(i))));
    write(&world, facts.collect());
    block_on(memory.catch_up()).unwrap();
    while block_on(memory.embed_step()).unwrap().left > 0 {}
    block_on(memory.write_file("/memories/boat.md", "Aurora needs a new sail.")).unwrap();
    (world, sessions)
}

fn open_at_once(world: &World) -> Memory<TestPorts> {
    let memory = world.open_within(100, Config::new(namespace()), true);
    assert!(memory.rebuilding().is_some());
    memory
}

fn recall(memory: &Memory<TestPorts>, query: &str) -> Recollected {
    let request = RecallRequest {
        query: query.into(),
        limit: Some(20),
        level: Level::Loose,
        session: None,
    };
    block_on(memory.recall(&request)).unwrap()
}

fn turns_in(found: &Recollected) -> Vec<TurnId> {
    let turns = found.items.iter().filter_map(|item| item.turn.as_ref());
    turns.map(|turn| turn.id).collect()
}

fn is_found(memory: &Memory<TestPorts>, session: SessionId, i: usize) -> bool {
    let said = small_talk(i, 1).next().unwrap();
    let found = turns_in(&recall(memory, &said));
    found.iter().any(|turn| turn.session == session)
}

/// Compares it with one that reads all of it before it is open.
fn assert_is_whole(world: &World, memory: &Memory<TestPorts>) {
    assert_eq!(memory.rebuilding(), None);
    let report = block_on(memory.check()).unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    let other = world.open();
    assert_eq!(answers(memory), answers(&other));
    assert_eq!(memory.status().counts, other.status().counts);
    assert_eq!(memory.status().unreadable, other.status().unreadable);
    assert_eq!(block_on(memory.sessions()), block_on(other.sessions()));
    assert_eq!(memory.facts(), other.facts());
}

#[test]
fn it_is_open_at_once_says_how_far_it_is_and_ends_as_a_start_that_waited() {
    let (world, sessions) = lived();
    let memory = open_at_once(&world);
    let total = (SESSIONS * TURNS + FACTS) as u64;
    assert_eq!(
        memory.status().rebuilding,
        Some(Rebuilding { done: 0, total })
    );
    let found = recall(&memory, "what is Aurora?");
    assert_eq!(found.partial, Some(Rebuilding { done: 0, total }));
    // What is looked up by name is there; only recall has to wait.
    assert_eq!(memory.facts().len(), FACTS);
    let listed = block_on(memory.sessions()).unwrap();
    assert_eq!(listed.len(), SESSIONS);
    assert!(listed.iter().all(|(_, extent)| extent.is_unread));
    let of_first = block_on(memory.turns(sessions[0])).unwrap();
    assert_eq!(of_first.len(), TURNS);
    let since = TurnFilter {
        from_ms: Some(of_first[0].at.unix_ms + DAY_MS),
        ..TurnFilter::default()
    };
    let since = block_on(memory.find_turns(&since)).unwrap().turns;
    assert_eq!(since.len(), (SESSIONS - 4) * TURNS);

    let (mut before, mut n_slices) = (0, 0);
    while let Some(Rebuilding { done, total: of }) = block_on(memory.rebuild_step()).unwrap() {
        assert!(before < done && done < of, "{before} {done} {of}");
        assert_eq!(of, total);
        before = done;
        n_slices += 1;
    }
    assert!(n_slices >= 4, "{n_slices}");
    assert_eq!(block_on(memory.rebuild_step()), Ok(None));
    assert_eq!(recall(&memory, "what is Aurora?").partial, None);
    assert_is_whole(&world, &memory);
    keep(&memory);
    assert_reopens(&world);
}

#[test]
fn the_newest_is_read_first_and_what_is_said_meanwhile_is_found_at_once() {
    let (world, sessions) = lived();
    let memory = open_at_once(&world);
    let newest = (SESSIONS - 1) * TURNS + 3;
    let mut n_before_newest = 0;
    while !is_found(&memory, sessions[SESSIONS - 1], newest) {
        let left = block_on(memory.rebuild_step()).unwrap();
        assert!(left.is_some(), "it is found only at the end");
        n_before_newest += 1;
    }
    assert!(n_before_newest <= 3, "facts, then the newest turns");
    assert!(!is_found(&memory, sessions[0], 3));
    let listed = block_on(memory.sessions()).unwrap();
    let [(_, first), .., (_, last)] = &listed[..] else {
        panic!("there are sessions");
    };
    assert_eq!((first.n_turns, first.is_unread), (TURNS as u32, false));
    assert!(last.is_unread);

    let zebra = say(&memory, ["My zebra is called Quaxolotl.".into()]);
    let found = recall(&memory, "what is my zebra called?");
    assert_eq!(turns_in(&found)[0].session, zebra);
    assert!(found.partial.is_some());
    block_on(memory.whole()).unwrap();
    assert!(is_found(&memory, sessions[0], 3));
    assert_is_whole(&world, &memory);
}

#[test]
fn a_message_carries_what_was_read_and_the_page_hears_that_it_is_not_all() {
    let (world, _) = lived();
    let memory = open_at_once(&world);
    world.line.0.will(says("By the harbour."));
    let (sent, events) = send(&memory, None, "Where did we find tickets?");
    sent.unwrap();
    let partial = events.iter().find_map(|event| match event {
        ChatEvent::Memory { partial, .. } => Some(partial.is_some()),
        _ => None,
    });
    assert_eq!(partial, Some(true));
    let preview = block_on(memory.block("Where did we find tickets?", None)).unwrap();
    assert!(preview.partial.is_some());
    block_on(memory.whole()).unwrap();
    assert_is_whole(&world, &memory);
}

#[test]
fn random_lives_during_it_end_as_a_start_that_waited() {
    for seed in 1..=8u64 {
        println!("seed {seed}");
        let (world, mut sessions) = lived();
        let memory = open_at_once(&world);
        let mut state = seed;
        let mut below = |n: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        let mut step = 0;
        while memory.rebuilding().is_some() {
            step += 1;
            world.clock.pass(1_000);
            // While a slice is read, between what the store gave and its being taken in.
            let is_within = below(2) == 0;
            world.store.scans_take_time.set(is_within);
            let mut slice = Box::pin(memory.rebuild_step());
            if is_within {
                let mut context = Context::from_waker(std::task::Waker::noop());
                assert!(slice.as_mut().poll(&mut context).is_pending());
            }
            world.store.scans_take_time.set(false);
            for _ in 0..3 {
                let session = sessions[below(sessions.len())];
                let fact = FactId::new(START_MS, below(FACTS) as u128);
                match below(9) {
                    0 => sessions.push(say(&memory, small_talk(5_000 + 40 * step, 30))),
                    1 => {
                        let said = spoken(small_talk(7_000 + step, 1));
                        drop(block_on(memory.remember(Some(session), &said)));
                    }
                    2 => drop(block_on(memory.correct(fact, &format!("Aurora {step}")))),
                    3 => drop(block_on(memory.mark_stale(
                        fact,
                        "it sank",
                        onhand::model::Origin::Manual,
                    ))),
                    4 => write(&world, forget(below(FACTS) as u128)),
                    // As another tab erases a session.
                    5 => {
                        let indices = (0..TURNS as u32).map(|index| TurnId { session, index });
                        let turns: Vec<String> = indices.map(|id| id.to_string()).collect();
                        let vectors = turns.iter().map(|turn| Op::Delete {
                            kind: Kind::Vector,
                            name: format!("turn:{turn}#0000@{}", table_id()),
                        });
                        let session = Op::Delete {
                            kind: Kind::Session,
                            name: session.to_string(),
                        };
                        let turns = turns.iter().map(|turn| Op::Delete {
                            kind: Kind::Turn,
                            name: turn.clone(),
                        });
                        write(&world, vectors.chain(turns).chain([session]).collect());
                    }
                    6 => drop(block_on(
                        memory.write_file("/memories/a.md", &format!("Note {step}")),
                    )),
                    7 => drop(block_on(memory.catch_up())),
                    _ => {
                        // Nothing that was found is anything but what is there.
                        for item in recall(&memory, "what did we find near Lisbon?").items {
                            assert!(item.fact.is_some() || item.turn.is_some());
                        }
                    }
                }
            }
            block_on(slice).unwrap();
        }
        block_on(memory.catch_up()).unwrap();
        assert!(step >= 4);
        // Jobs of sessions that another tab erased without them.
        let erased: Vec<_> = block_on(memory.check()).unwrap().findings;
        assert!(
            erased
                .iter()
                .all(|f| f.record.starts_with("job:") || f.record.starts_with("turn:")),
            "{erased:?}"
        );
        let other = world.open();
        assert_eq!(answers(&memory), answers(&other));
        assert_eq!(memory.status().counts, other.status().counts);
        assert_eq!(memory.facts(), other.facts());
        assert_eq!(block_on(memory.sessions()), block_on(other.sessions()));
    }
}

#[test]
fn what_goes_while_a_slice_is_read_does_not_come_back() {
    let (world, sessions) = lived();
    let memory = open_at_once(&world);
    let newest = sessions[SESSIONS - 1];
    // The facts, so that turns are next.
    block_on(memory.rebuild_step()).unwrap();
    block_on(memory.rebuild_step()).unwrap();
    world.store.scans_take_time.set(true);
    let mut slice = Box::pin(memory.rebuild_step());
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert!(slice.as_mut().poll(&mut context).is_pending());
    world.store.scans_take_time.set(false);
    let gone = TurnId {
        session: newest,
        index: 3,
    };
    let name = gone.to_string();
    let kind = Kind::Turn;
    write(&world, vec![Op::Delete { kind, name }]);
    block_on(memory.catch_up()).unwrap();
    block_on(slice).unwrap();
    block_on(memory.whole()).unwrap();
    let said = small_talk((SESSIONS - 1) * TURNS + 3, 1).next().unwrap();
    assert!(!turns_in(&recall(&memory, &said)).contains(&gone));
    assert_eq!(memory.status().counts.turns, SESSIONS * TURNS - 1);
}

#[test]
fn who_needs_all_of_it_helps_reading() {
    type Need = fn(&Memory<TestPorts>, SessionId);
    let needs: [(&str, Need); 6] = [
        ("work", |memory, _| {
            block_on(memory.work(&Cancel::default())).unwrap();
        }),
        ("embed_step", |memory, _| {
            block_on(memory.embed_step()).unwrap();
        }),
        ("keep_index", |memory, _| {
            block_on(memory.keep_index()).unwrap();
        }),
        ("check", |memory, _| {
            assert!(block_on(memory.check()).unwrap().is_clean());
        }),
        ("evaluate", |memory, _| {
            let cancel = Cancel::default();
            drop(block_on(memory.evaluate(Some(""), &cancel, |_, _| {})).unwrap());
        }),
        ("erase", |memory, session| {
            let receipt = block_on(memory.erase(&Target::Session(session))).unwrap();
            assert_eq!(receipt.left, 0);
            assert_eq!(receipt.erased[&Kind::Turn], TURNS as u64);
        }),
    ];
    for (name, need) in needs {
        let (world, sessions) = lived();
        // The jobs of what was said want answers of the endpoint.
        write(
            &world,
            world
                .stored(Kind::Job)
                .iter()
                .map(|job| Op::Delete {
                    kind: Kind::Job,
                    name: job.name(),
                })
                .collect(),
        );
        let memory = open_at_once(&world);
        need(&memory, sessions[5]);
        assert_eq!(memory.rebuilding(), None, "{name}");
        assert_is_whole(&world, &memory);
    }
}

#[test]
fn erasing_everything_ends_it() {
    let (world, _) = lived();
    let memory = open_at_once(&world);
    block_on(memory.rebuild_step()).unwrap();
    block_on(memory.erase(&Target::Project)).unwrap();
    assert_eq!(memory.rebuilding(), None);
    assert_eq!(memory.status().counts, Default::default());
    assert_is_whole(&world, &memory);
}

#[test]
fn it_stops_when_the_memory_is_closed_and_goes_on_after_a_failure() {
    let (world, _) = lived();
    let memory = open_at_once(&world);
    block_on(memory.rebuild_step()).unwrap();
    let before = memory.rebuilding();
    let error = Error::Storage {
        name: "UnknownError".into(),
        message: "the disk is gone".into(),
    };
    world.store.reads_fail.replace(Some(error.clone()));
    assert_eq!(block_on(memory.rebuild_step()), Err(error));
    assert_eq!(memory.rebuilding(), before, "it says that it is partial");
    world.store.reads_fail.replace(None);
    block_on(memory.whole()).unwrap();
    assert_is_whole(&world, &memory);

    let closing = open_at_once(&world);
    closing.close();
    assert_eq!(block_on(closing.rebuild_step()), Err(Error::Closed));
}

#[test]
fn a_memory_that_is_locked_drops_what_is_being_read_and_begins_again_with_its_key() {
    let (world, _) = lived();
    let memory = open_at_once(&world);
    block_on(memory.rebuild_step()).unwrap();
    world.store.scans_take_time.set(true);
    let mut slice = Box::pin(memory.rebuild_step());
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert!(slice.as_mut().poll(&mut context).is_pending());
    world.store.scans_take_time.set(false);
    memory.lock();
    assert_eq!(block_on(slice), Ok(None));
    let counts = memory.status().counts;
    assert_eq!((counts.turns, counts.facts), (0, 0));
    block_on(memory.unlocked()).unwrap();
    assert!(memory.rebuilding().is_some(), "in slices again");
    block_on(memory.whole()).unwrap();
    assert_is_whole(&world, &memory);
}

#[test]
fn another_embedder_comes_in_once_all_is_read_and_nothing_is_embedded_twice() {
    let (world, _) = lived();
    let settled = |memory: &Memory<TestPorts>| {
        for _ in 0..1_000 {
            if block_on(memory.embed_step()).unwrap().left == 0 {
                return;
            }
        }
        panic!("it never ends");
    };
    let config = || Config {
        embedder: EmbedderChoice::Own {
            id: Some("words".into()),
        },
        ..Config::new(namespace())
    };
    let words = Words::new("words", 24);
    let memory = world.open_within(100, config(), true);
    memory.adopt(AnyEmbedder::Words(words.clone())).unwrap();
    block_on(memory.rebuild_step()).unwrap();
    settled(&memory);
    assert_eq!(memory.rebuilding(), None);
    let n_texts = SESSIONS * TURNS + FACTS + 1;
    let generation = world.stored(Kind::Generation);
    assert!(
        matches!(&generation[..], [Record::Generation(own)] if own.filled),
        "{generation:?}"
    );
    assert_eq!(world.n_stored(Kind::Vector), n_texts);

    let again = Words::new("words", 24);
    let memory = world.open_within(100, config(), true);
    assert!(memory.rebuilding().is_some());
    memory.adopt(AnyEmbedder::Words(again.clone())).unwrap();
    block_on(memory.rebuild_step()).unwrap();
    settled(&memory);
    assert_eq!(
        again.asked.borrow().len(),
        0,
        "all vectors are in the store"
    );
    assert_eq!(world.n_stored(Kind::Vector), n_texts);
    assert!(block_on(memory.check()).unwrap().is_clean());
}

#[test]
fn turns_of_a_session_that_can_not_be_read_are_read() {
    let (world, sessions) = lived();
    for session in [sessions[0], sessions[7], sessions[SESSIONS - 1]] {
        world
            .store
            .inner
            .make_unreadable(&namespace(), Kind::Session, &session.to_string());
    }
    let turn = TurnId {
        session: sessions[9],
        index: 2,
    };
    let store = &world.store.inner;
    store.make_unreadable(&namespace(), Kind::Turn, &turn.to_string());
    assert_eq!(
        block_on(store.count(&namespace(), Kind::Turn)),
        Ok((SESSIONS * TURNS) as u64)
    );
    let memory = open_at_once(&world);
    block_on(memory.whole()).unwrap();
    let other = world.open();
    assert_eq!(answers(&memory), answers(&other));
    assert_eq!(memory.status().counts.turns, SESSIONS * TURNS - 1);
    assert_eq!(memory.status().unreadable.len(), 4);
    assert_eq!(memory.status().unreadable, other.status().unreadable);
}
