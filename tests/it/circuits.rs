//! What fails again and again is left alone for a while, and the chat goes on.

use crate::world::*;
use onhand::circuit::{Position, RECALL};
use onhand::error::Error;
use onhand::memory::{Cancel, ChatEvent, Memory};
use serde_json::json;

fn broken() -> Error {
    Error::Storage {
        name: "UnknownError".into(),
        message: "gone".into(),
    }
}

/// Says something that memory has an answer to; gives the codes of the notices, and whether memory went along.
fn ask(world: &World, memory: &Memory<TestPorts>) -> (Vec<&'static str>, bool) {
    world.line.0.will(says("I see."));
    let (sent, events) = send(memory, None, "what is my boat called?");
    sent.expect("the chat goes on");
    let codes = events.iter().filter_map(|event| match event {
        ChatEvent::Notice(error) => Some(error.code()),
        _ => None,
    });
    let has_block = |event: &ChatEvent| matches!(event, ChatEvent::Memory { block: Some(_), .. });
    (codes.collect(), events.iter().any(has_block))
}

/// A memory that knows of a boat and has to read what was said of it.
fn a_month_later(world: &World) -> Memory<TestPorts> {
    let memory = world.open();
    // The last session is in the snapshot, and not recalled.
    for text in ["My boat is called Nimbus.", "Good night."] {
        world.line.0.will(says("Nice."));
        send(&memory, None, text).0.unwrap();
    }
    world.clock.pass(30 * DAY_MS);
    world.open()
}

fn work(memory: &Memory<TestPorts>) -> usize {
    let worked = pollster::block_on(memory.work(&Cancel::default()));
    worked.unwrap().ran
}

#[test]
fn a_chat_stops_asking_a_memory_that_fails_and_comes_back_to_it() {
    let world = World::new();
    let memory = a_month_later(&world);
    assert_eq!(ask(&world, &memory), (vec![], true), "it is known");

    world.store.reads_fail.replace(Some(broken()));
    for _ in 0..3 {
        assert_eq!(ask(&world, &memory), (vec!["storage"], false));
    }
    let status = memory.status().circuits.recall;
    assert_eq!((status.position, status.failures), (Position::Open, 3));
    assert_eq!(ask(&world, &memory), (vec!["circuit_open"], false));
    world.store.reads_fail.take();
    assert_eq!(
        ask(&world, &memory),
        (vec!["circuit_open"], false),
        "nothing is tried"
    );
    world.clock.pass(RECALL.first_wait_ms);
    assert_eq!(ask(&world, &memory), (vec![], true));
    assert_eq!(memory.status().circuits.recall.position, Position::Closed);
}

#[test]
fn a_memory_that_goes_on_failing_is_tried_once_after_each_wait() {
    let world = World::new();
    let memory = a_month_later(&world);
    world.store.reads_fail.replace(Some(broken()));
    for _ in 0..3 {
        ask(&world, &memory);
    }
    for wait_ms in [5_000, 10_000, 20_000] {
        assert_eq!(memory.status().circuits.recall.retry_in_ms, wait_ms);
        world.clock.pass(wait_ms);
        assert_eq!(ask(&world, &memory).0, ["storage"]);
        assert_eq!(ask(&world, &memory).0, ["circuit_open"]);
    }
}

#[test]
fn a_queue_of_jobs_does_not_ask_an_endpoint_that_is_down_for_each_of_them() {
    let world = World::new();
    let memory = world.open();
    for _ in 0..6 {
        world.line.0.will(says("Hello."));
        send(&memory, None, "hello").0.unwrap();
    }
    let asked = world.line.0.n_requests();
    let overloaded = || error(529, "overloaded_error", &[]);
    for _ in 0..9 {
        world.line.0.will(overloaded());
    }
    assert_eq!(work(&memory), 3);
    // Each is tried three times by itself.
    assert_eq!(world.line.0.n_requests(), asked + 9);
    let status = memory.status().circuits.extraction;
    assert_eq!(status.position, Position::Open);
    let waiting = memory.queue();
    assert_eq!(
        (waiting.waiting, waiting.next_in_ms),
        (6, Some(status.retry_in_ms))
    );
    assert_eq!(work(&memory), 0);
    let untouched = memory.jobs().iter().filter(|job| job.attempts == 0).count();
    assert_eq!(untouched, 3);

    // One try, and the rest after it worked.
    world.clock.pass(status.retry_in_ms);
    for _ in 0..3 {
        world.line.0.will(overloaded());
    }
    assert_eq!(work(&memory), 1);
    world.clock.pass(DAY_MS);
    for _ in 0..6 {
        world.line.0.will(extracted(json!([])));
    }
    assert_eq!(work(&memory), 6);
    assert_eq!(
        memory.status().circuits.extraction.position,
        Position::Closed
    );
}

#[test]
fn answers_that_can_not_be_read_are_the_jobs_own_trouble() {
    let world = World::new();
    let memory = world.open();
    for _ in 0..4 {
        world.line.0.will(says("Hello."));
        send(&memory, None, "hello").0.unwrap();
    }
    for _ in 0..4 {
        let junk =
            json!({"content": [{"type": "text", "text": "junk"}], "stop_reason": "end_turn"});
        let junk = junk.to_string().into_bytes();
        world.line.0.will(Answer::Http(200, vec![], vec![junk]));
    }
    assert_eq!(work(&memory), 4);
    assert_eq!(
        memory.status().circuits.extraction.position,
        Position::Closed
    );
}

#[test]
fn whoever_asks_for_a_try_gets_one() {
    let world = World::new();
    let memory = world.open();
    for _ in 0..4 {
        world.line.0.will(says("Hello."));
        send(&memory, None, "hello").0.unwrap();
    }
    for _ in 0..9 {
        world.line.0.will(Answer::Down);
    }
    assert_eq!(work(&memory), 3);
    pollster::block_on(memory.retry_jobs()).unwrap();
    for _ in 0..4 {
        world.line.0.will(extracted(json!([])));
    }
    assert_eq!(work(&memory), 4);
}
