//! How far one message goes: requests, cost and time.

use crate::loops::{Page, add, ask, assert_paired, stored_turns};
use crate::world::*;
use onhand::agent::Limits;
use onhand::error::{Error, Result};
use onhand::memory::{Cancel, ChatEvent, Memory, Send, Sent};
use onhand::model::Kind;
use serde_json::json;

fn limits(turns: u32) -> Limits {
    Limits {
        turns,
        ..Limits::default()
    }
}

/// What a limit leaves: a notice, whole turns, and a session that goes on.
fn assert_limited(
    world: &World,
    memory: &Memory<TestPorts>,
    sent: Result<Sent>,
    events: &[ChatEvent],
    limit: &'static str,
) {
    let sent = sent.unwrap();
    assert_eq!(sent.stop_reason.name(), "tool_use");
    let notice = ChatEvent::Notice(Error::LimitReached { limit });
    assert!(events.contains(&notice), "{events:?}");
    world.line.0.will(says("Going on."));
    send(memory, Some(sent.session), "go on").0.unwrap();
    assert_paired(&world.line.0.last_body());
}

#[test]
fn a_message_makes_no_more_requests_than_it_may() {
    let world = World::new();
    let memory = world.open();
    for n in 0..3 {
        world.line.0.will(streamed_ending(&[add(n)], "tool_use"));
    }
    let page = Page::default();
    let (sent, events) = ask(&memory, &page, None, limits(3));
    assert_eq!(world.line.0.n_requests(), 3);
    assert_eq!(
        *page.begun.borrow(),
        ["toolu_0", "toolu_1"],
        "what nobody would hear of is not run"
    );
    assert_limited(&world, &memory, sent, &events, "turns");
}

#[test]
fn a_message_costs_no_more_than_the_request_that_crosses_the_limit() {
    let world = World::new();
    let memory = world.open();
    for n in 0..2 {
        world.line.0.will(streamed_ending(&[add(n)], "tool_use"));
    }
    // Each request: 25 input, 15 output, 5 cache read and 3 cache write tokens, some 0.0002 dollars.
    let limits = Limits {
        cost_usd: Some(0.000_3),
        ..Limits::default()
    };
    let (sent, events) = ask(&memory, &Page::default(), None, limits);
    assert_eq!(world.line.0.n_requests(), 2);
    assert_limited(&world, &memory, sent, &events, "cost");

    let unknown = Send {
        text: "hello".into(),
        model: Some("claude-next-9".into()),
        limits,
        ..Send::default()
    };
    let sent = pollster::block_on(memory.send(&unknown, &Cancel::default(), |_| ()));
    assert!(
        matches!(
            sent,
            Err(Error::InvalidInput {
                field: "limits.cost",
                ..
            })
        ),
        "{sent:?}"
    );
}

#[test]
fn time_that_is_over_ends_the_tools_and_keeps_what_was_answered() {
    let world = World::new();
    let memory = world.open();
    let calls = [add(1), tool_use("toolu_2", "hang", json!({}))];
    world.line.0.will(streamed_ending(&calls, "tool_use"));
    let limits = Limits {
        ms: Some(5_000),
        ..Limits::default()
    };
    let (sent, events) = ask(&memory, &Page::default(), None, limits);
    let (_, results) = stored_turns(&world).pop().unwrap();
    assert_eq!(results[0]["content"], "2");
    assert!(
        results[1]["content"]
            .as_str()
            .unwrap()
            .starts_with("Not finished")
    );
    assert_limited(&world, &memory, sent, &events, "ms");

    // Before anything was answered there is nothing to keep.
    world.line.0.will(Answer::Hang(Cancel::default()));
    let (sent, _) = ask(&memory, &Page::default(), None, limits);
    assert_eq!(sent, Err(Error::LimitReached { limit: "ms" }));
    assert_eq!(world.n_stored(Kind::Session), 1);
}
