//! Estimates that learn, and exact counts.

use crate::world::*;
use onhand::config::Config;
use onhand::error::Result;
use onhand::memory::{Cancel, Memory, SpokenTurn};
use onhand::model::{Role, SessionId};
use serde_json::{Value, json};

/// An answer to a prompt of so many tokens.
fn billed(input_tokens: u64) -> Answer {
    let stream = sse(&[json!({"type": "text", "text": "I see."})]);
    let stream = stream.replace(
        "\"input_tokens\":25",
        &format!("\"input_tokens\":{input_tokens}"),
    );
    assert!(stream.contains(&input_tokens.to_string()));
    Answer::Http(200, vec![], pieces(&stream, 97))
}

fn told(world: &World, memory: &Memory<TestPorts>, input_tokens: u64) -> SessionId {
    world.line.0.will(billed(input_tokens));
    send(memory, None, "hello").0.unwrap().session
}

#[test]
fn estimates_learn_what_requests_really_had() {
    let world = World::new();
    let memory = world.open();
    let status = memory.status().estimator;
    assert_eq!(
        (status.factor, status.mean_error, status.samples),
        (1.0, None, 0)
    );
    assert_eq!(status.model, "claude-sonnet-5-5");
    for _ in 0..3 {
        told(&world, &memory, 1_000_000);
    }
    let status = memory.status().estimator;
    assert_eq!((status.factor, status.samples), (2.5, 3), "bounded");
    assert!(status.mean_error.unwrap() > 0.5);
}

#[test]
fn a_block_keeps_its_budget_by_what_the_model_really_counts() {
    let world = World::new();
    let memory = world.open();
    let said: Vec<SpokenTurn> = (0..60)
        .map(|n| SpokenTurn {
            role: Role::User,
            text: format!(
                "My boat number {n} is moored in harbour {} and is painted blue.",
                n * 7
            ),
        })
        .collect();
    pollster::block_on(memory.remember(None, &said)).unwrap();
    let config = memory.config().block_tokens;
    let before = pollster::block_on(memory.block("which boats are moored in a harbour?", None));
    let before = before.unwrap();
    told(&world, &memory, 1_000_000);
    let after = pollster::block_on(memory.block("which boats are moored in a harbour?", None));
    let after = after.unwrap();
    let (before_block, after_block) = (before.block.unwrap(), after.block.unwrap());
    assert!(before_block.tokens <= config && after_block.tokens <= config);
    assert!(
        after.items.len() < before.items.len(),
        "{} and {}",
        before.items.len(),
        after.items.len()
    );
}

#[test]
fn a_snapshot_keeps_its_budget_too_and_then_stays_as_it_is() {
    let snapshot = |samples: usize| {
        let world = World::new();
        let memory = world.open();
        let said: Vec<SpokenTurn> = (0..6)
            .map(|n| SpokenTurn {
                role: Role::User,
                text: format!("Crate {n}: {}", "plums and quinces, ".repeat(20)),
            })
            .collect();
        for _ in 0..samples {
            told(&world, &memory, 1_000_000);
            world.clock.pass(1_000);
        }
        pollster::block_on(memory.remember(None, &said)).unwrap();
        world.clock.pass(1_000);
        let session = told(&world, &memory, 1_000_000);
        let of = |world: &World| {
            let body = world.line.0.last_body();
            body["system"][1]["text"].as_str().unwrap().to_string()
        };
        let first = of(&world);
        // Whatever is learnt later.
        world.line.0.will(billed(10));
        send(&memory, Some(session), "and now?").0.unwrap();
        assert_eq!(of(&world), first);
        first.matches("\n- ").count()
    };
    let (by_table, learnt) = (snapshot(0), snapshot(3));
    assert!(learnt < by_table, "{learnt} and {by_table}");
    assert!(learnt > 0);
}

#[test]
fn a_session_that_is_read_again_is_as_large_as_it_was_billed() {
    let world = World::new();
    let session = told(&world, &world.open(), 700_000);
    let memory = world.open();
    assert_eq!(memory.status().estimator.samples, 0);
    world.line.0.will(billed(700_000));
    let (sent, _) = send(&memory, Some(session), "hello again");
    sent.unwrap();
    let status = memory.status().estimator;
    assert_eq!(
        (status.samples, status.factor),
        (2, 2.5),
        "its last request, and this one"
    );
}

fn counted(memory: &Memory<TestPorts>, session: Option<SessionId>, text: &str) -> Result<u64> {
    let cancel = Cancel::default();
    pollster::block_on(memory.count_tokens(session, text, &cancel))
}

#[test]
fn tokens_are_counted_by_the_api_and_for_nothing() {
    let world = World::new();
    let config = Config {
        daily_limit_usd: Some(0.000_01),
        ..Config::new(namespace())
    };
    let memory = world.open_with_config(config, true);
    let session = told(&world, &memory, 25);
    let count = |session, text: &str| {
        let answer = json!({"input_tokens": 123}).to_string().into_bytes();
        world.line.0.will(Answer::Http(200, vec![], vec![answer]));
        assert_eq!(counted(&memory, session, text), Ok(123));
        world.line.0.last_body()
    };
    let sent = world.line.0.last_body();
    let alone = count(None, "how long is this?");
    assert_eq!(
        alone["messages"][0]["content"][0]["text"],
        "how long is this?"
    );
    assert_eq!(alone["system"], Value::Null);
    let path = world.line.0.requests.borrow().last().unwrap().path.clone();
    assert_eq!(path, "/v1/messages/count_tokens");
    let next = count(Some(session), "and now?");
    assert_eq!(next["system"], sent["system"]);
    assert_eq!(next["messages"].as_array().unwrap().len(), 3);
    for field in ["max_tokens", "stream"] {
        assert_eq!(next[field], Value::Null);
    }
    // Also of one that has to be read first.
    let memory = world.open();
    let answer = json!({"input_tokens": 7}).to_string().into_bytes();
    world.line.0.will(Answer::Http(200, vec![], vec![answer]));
    assert_eq!(counted(&memory, Some(session), "and now?"), Ok(7));
    let nobody = SessionId::new(1, 1);
    let error = counted(&memory, Some(nobody), "and now?").unwrap_err();
    assert_eq!(error.code(), "not_found");
}
