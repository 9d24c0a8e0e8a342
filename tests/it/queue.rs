//! Extraction in the background: it retries, it gives up visibly, and it never invents.

use crate::world::*;
use onhand::model::{JobState, Kind};
use serde_json::json;

fn one_exchange(world: &World) -> onhand::memory::Memory<TestPorts> {
    let memory = world.open();
    world.line.0.will(says("Noted."));
    send(&memory, None, "my boat is called Aurora").0.unwrap();
    memory
}

fn boat() -> serde_json::Value {
    json!([fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Aurora",
        "my boat is called Aurora"
    )])
}

#[test]
fn the_job_is_queued_with_the_turn_and_gone_with_its_facts() {
    let world = World::new();
    let memory = one_exchange(&world);
    assert_eq!(world.n_stored(Kind::Job), 1);
    world.line.0.will(extracted(boat()));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    assert_eq!(
        (world.n_stored(Kind::Job), world.n_stored(Kind::Fact)),
        (0, 1)
    );
    let fact = &memory.facts()[0];
    let evidence = fact.evidence.as_ref().unwrap();
    assert_eq!(
        (evidence.start, evidence.end, evidence.quote.as_str()),
        (0, 24, "my boat is called Aurora")
    );
    let request = &world.line.0.last_body();
    assert_eq!(request["model"], "claude-haiku-5-5");
    assert_eq!(request["output_config"]["format"]["type"], "json_schema");
}

#[test]
fn a_job_outlives_the_page() {
    let world = World::new();
    drop(one_exchange(&world));
    let memory = world.open();
    world.line.0.will(extracted(boat()));
    assert_eq!(
        pollster::block_on(memory.work(&Default::default()))
            .unwrap()
            .facts,
        1
    );
}

#[test]
fn rubbish_keeps_the_job_until_it_is_given_up_and_can_be_revived() {
    let world = World::new();
    let memory = one_exchange(&world);
    let mut waits = Vec::new();
    loop {
        let rubbish = Answer::Http(
            200,
            vec![],
            vec![b"{\"content\":[{\"type\":\"text\",\"text\":\"I think".to_vec()],
        );
        world.line.0.will(rubbish);
        pollster::block_on(memory.work(&Default::default())).unwrap();
        assert_eq!(world.n_stored(Kind::Job), 1, "a job is never lost");
        match memory.queue().next_in_ms {
            Some(wait) => {
                waits.push(wait);
                world.clock.pass(wait);
            }
            None => break,
        }
    }
    assert_eq!(waits, [10_000, 20_000, 40_000, 80_000, 160_000]);
    assert_eq!(memory.jobs()[0].state, JobState::Dead);
    assert_eq!(memory.queue().dead, 1);

    pollster::block_on(memory.retry_jobs()).unwrap();
    world.line.0.will(extracted(boat()));
    assert_eq!(
        pollster::block_on(memory.work(&Default::default()))
            .unwrap()
            .facts,
        1
    );
    assert_eq!(memory.queue(), Default::default());
}

#[test]
fn an_endpoint_that_is_down_never_kills_a_job() {
    let world = World::new();
    let memory = one_exchange(&world);
    for _ in 0..20 {
        for _ in 0..3 {
            world.line.0.will(Answer::Down);
        }
        pollster::block_on(memory.work(&Default::default())).unwrap();
        world
            .clock
            .pass(memory.queue().next_in_ms.expect("it waits"));
    }
    assert_eq!((memory.queue().waiting, memory.queue().dead), (1, 0));
}

#[test]
fn a_quote_that_was_not_said_makes_no_fact() {
    let world = World::new();
    let memory = one_exchange(&world);
    world.line.0.will(extracted(json!([
        fact(
            "entity",
            "speaker",
            "boat",
            "The boat is called Borealis",
            "my boat is called Borealis"
        ),
        fact("entity", "speaker", "note", "Claude noted it", "Noted."),
    ])));
    let report = pollster::block_on(memory.work(&Default::default())).unwrap();
    assert_eq!((report.facts, world.n_stored(Kind::Fact)), (0, 0));
    assert_eq!(
        memory.queue().waiting,
        0,
        "the answer was read; there was nothing in it"
    );
}

#[test]
fn what_memory_put_into_the_prompt_is_never_read_as_something_said() {
    let world = World::new();
    let memory = one_exchange(&world);
    world.line.0.will(extracted(boat()));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    world.line.0.will(says("It is Aurora."));
    send(&memory, None, "what is my boat called?").0.unwrap();
    assert!(
        world.line.0.last_body()["messages"][0]["content"]
            .to_string()
            .contains("<memory_update")
    );
    world.line.0.will(extracted(json!([])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let read = world.line.0.last_body()["messages"][0]["content"].to_string();
    assert!(read.contains("what is my boat called?"));
    assert!(!read.contains("memory_update"), "{read}");
}

#[test]
fn saying_it_twice_is_one_fact_with_two_proofs() {
    let world = World::new();
    let memory = one_exchange(&world);
    world.line.0.will(extracted(boat()));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    world.line.0.will(says("I know."));
    send(&memory, None, "as I said, my boat is called Aurora")
        .0
        .unwrap();
    world.line.0.will(extracted(boat()));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let facts = memory.facts();
    assert_eq!((facts.len(), facts[0].proof_count), (1, 2));
}
