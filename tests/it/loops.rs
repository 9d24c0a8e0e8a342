//! One message, many requests: Claude calls tools, gets their results, and goes on.

use crate::chat::strip_cache_control;
use crate::world::*;
use onhand::agent::{Limits, Preset, ToolCall, ToolOutput};
use onhand::error::{Error, Result};
use onhand::memory::{Cancel, ChatEvent, Host, Memory, Send, Sent};
use onhand::model::{Kind, Record, Role, SessionId};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::task::Poll;

/// A page with the tools `add`, `fail`, `large`, `hang` and `stop`.
#[derive(Default)]
pub struct Page {
    /// Calls in the order in which they began.
    pub begun: RefCell<Vec<String>>,
    /// How many calls have to run before any of them ends.
    pub at_once: usize,
    /// What `stop` throws.
    pub cancel: Cancel,
}

impl Host for Page {
    type FilesHeld = ();

    async fn hold_files(&self) {}

    async fn run_tool(&self, call: &ToolCall) -> Option<ToolOutput> {
        self.begun.borrow_mut().push(call.id.clone());
        poll_fn(|context| {
            context.waker().wake_by_ref();
            match self.begun.borrow().len() >= self.at_once {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        match call.name.as_str() {
            "add" => {
                let sum = call.input["a"].as_i64().unwrap() + call.input["b"].as_i64().unwrap();
                Some(ToolOutput::text(sum.to_string()))
            }
            "fail" => Some(ToolOutput::error("TypeError: no")),
            "large" => Some(ToolOutput::text("x".repeat(300_000))),
            "hang" => pending().await,
            "stop" => {
                self.cancel.cancel();
                pending().await
            }
            _ => None,
        }
    }
}

/// The definitions of the page's tools.
pub fn tools() -> Vec<Value> {
    let tool =
        |name| json!({"name": name, "description": "A tool.", "input_schema": {"type": "object"}});
    ["add", "fail", "hang", "large", "stop"].map(tool).into()
}

pub fn ask(
    memory: &Memory<TestPorts>,
    page: &Page,
    session: Option<SessionId>,
    limits: Limits,
) -> (Result<Sent>, Vec<ChatEvent>) {
    let send = Send {
        session,
        text: "how much is it?".into(),
        tools: tools(),
        limits,
        ..Send::default()
    };
    let mut events = Vec::new();
    let sent = memory.send_with(&send, page, &page.cancel, |event| events.push(event));
    let sent = pollster::block_on(sent);
    (sent, events)
}

pub fn add(n: usize) -> Value {
    tool_use(&format!("toolu_{n}"), "add", json!({"a": n, "b": 1}))
}

/// The turns of a session as they are stored.
pub fn stored_turns(world: &World) -> Vec<(Role, Vec<Value>)> {
    let turns = world
        .stored(Kind::Turn)
        .into_iter()
        .map(|record| match record {
            Record::Turn(turn) => (turn.role, turn.content),
            other => panic!("{other:?}"),
        });
    turns.collect()
}

/// The API's rule: right after a reply with calls comes a user message that begins with a result for each.
pub fn assert_paired(body: &Value) {
    let messages = body["messages"].as_array().unwrap();
    for (at, message) in messages.iter().enumerate() {
        // A system message is a text.
        let blocks = message["content"].as_array().into_iter().flatten();
        let calls = blocks.filter(|block| block["type"] == "tool_use");
        let calls: Vec<&Value> = calls.map(|block| &block["id"]).collect();
        if calls.is_empty() {
            continue;
        }
        let next = messages[at + 1]["content"].as_array().unwrap();
        let results = next
            .iter()
            .take_while(|block| block["type"] == "tool_result");
        let results: Vec<&Value> = results.map(|block| &block["tool_use_id"]).collect();
        assert_eq!(results, calls, "{body:#}");
    }
}

#[test]
fn ten_calls_of_one_reply_run_at_once_and_their_results_come_back_in_order() {
    let world = World::new();
    let memory = world.open();
    let calls: Vec<Value> = (0..10).map(add).collect();
    world.line.0.will(streamed_ending(&calls, "tool_use"));
    world.line.0.will(says("It is 10."));
    // Nobody ends before all ten have begun.
    let page = Page {
        at_once: 10,
        ..Page::default()
    };
    let (sent, events) = ask(&memory, &page, None, Limits::default());
    let sent = sent.unwrap();

    let body = world.line.0.last_body();
    assert_paired(&body);
    let results = body["messages"][2]["content"].as_array().unwrap();
    let texts: Vec<&Value> = results.iter().map(|result| &result["content"]).collect();
    let expected: Vec<Value> = (1..=10).map(|n| json!(n.to_string())).collect();
    assert_eq!(texts, expected.iter().collect::<Vec<_>>());

    let roles: Vec<Role> = stored_turns(&world).iter().map(|(role, _)| *role).collect();
    assert_eq!(
        roles,
        [Role::User, Role::Assistant, Role::Tool, Role::Assistant]
    );
    assert_eq!(sent.turns.len(), 4);
    assert!(events.contains(&ChatEvent::Saved(sent.turns.clone())));
    assert_eq!(
        (world.n_stored(Kind::Job), world.n_stored(Kind::Usage)),
        (1, 2)
    );
    let n = |fits: fn(&ChatEvent) -> bool| events.iter().filter(|event| fits(event)).count();
    assert_eq!(
        n(|event| matches!(event, ChatEvent::ToolStarted { .. })),
        10
    );
    assert_eq!(
        n(|event| matches!(
            event,
            ChatEvent::ToolFinished {
                is_error: false,
                ..
            }
        )),
        10
    );
    assert_eq!(n(|event| matches!(event, ChatEvent::Usage { .. })), 2);
}

#[test]
fn a_tool_that_fails_is_a_result_that_says_so() {
    let world = World::new();
    let memory = world.open();
    let calls = [
        tool_use("toolu_1", "fail", json!({})),
        add(2),
        tool_use("toolu_3", "nobody", json!({})),
        tool_use("toolu_4", "large", json!({})),
    ];
    world.line.0.will(streamed_ending(&calls, "tool_use"));
    world.line.0.will(says("I see."));
    let (sent, events) = ask(&memory, &Page::default(), None, Limits::default());
    sent.unwrap();
    let body = world.line.0.last_body();
    let results = body["messages"][2]["content"].as_array().unwrap();
    assert_eq!(
        results[..3],
        [
            json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "TypeError: no", "is_error": true}),
            json!({"type": "tool_result", "tool_use_id": "toolu_2", "content": "3"}),
            json!({"type": "tool_result", "tool_use_id": "toolu_3", "content": "This tool is not available here at present.", "is_error": true}),
        ]
    );
    let large = results[3]["content"].as_str().unwrap();
    assert!(large.len() < 2_000 && large.starts_with("[artifact "));
    let failed =
        |event: &&ChatEvent| matches!(event, ChatEvent::ToolFinished { is_error: true, .. });
    assert_eq!(events.iter().filter(failed).count(), 2);
}

#[test]
fn a_session_keeps_its_tools_byte_for_byte_over_a_reload_and_answers_for_missing_ones() {
    let world = World::new();
    let memory = world.open_preset(Preset::Agent);
    world.line.0.will(says("Hello."));
    let session = ask(&memory, &Page::default(), None, Limits::default())
        .0
        .unwrap()
        .session;
    let first = world.line.0.last_body()["tools"].to_string();
    let names = [
        "add",
        "fail",
        "hang",
        "large",
        "mark_fact_stale",
        "memory",
        "read_artifact",
        "recall",
        "remember",
        "stop",
    ];
    let sent: Value = serde_json::from_str(&first).unwrap();
    let sent: Vec<&Value> = sent
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert_eq!(sent, names);

    // The page is loaded again, without the tools and with another preset.
    let memory = world.open();
    world.line.0.will(streamed_ending(&[add(1)], "tool_use"));
    world.line.0.will(says("I can not add now."));
    send(&memory, Some(session), "and now?").0.unwrap();
    for n in 1..3 {
        assert_eq!(world.line.0.body(n)["tools"].to_string(), first);
    }
    let body = world.line.0.last_body();
    assert_paired(&body);
    let result = &body["messages"][4]["content"][0];
    assert_eq!(result["is_error"], json!(true));

    // A new session has what is configured now: nothing.
    world.line.0.will(says("Hello."));
    send(&memory, None, "hello").0.unwrap();
    assert_eq!(world.line.0.last_body().get("tools"), None);
}

#[test]
fn the_prompt_of_a_session_with_tools_only_grows_also_over_a_reload() {
    let world = World::new();
    let mut memory = world.open();
    let mut session = None;
    let mut earlier: Option<Value> = None;
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "c2ln"});
    for round in 0..4 {
        let calls = [thinking.clone(), add(round * 10), add(round * 10 + 1)];
        world.line.0.will(streamed_ending(&calls, "tool_use"));
        world.line.0.will(streamed_ending(
            &[thinking.clone(), add(round * 10 + 2)],
            "tool_use",
        ));
        world.line.0.will(says("Done."));
        session = Some(
            ask(&memory, &Page::default(), session, Limits::default())
                .0
                .unwrap()
                .session,
        );
        for n in round * 3..round * 3 + 3 {
            let mut body = world.line.0.body(n);
            assert!(body.to_string().matches("cache_control").count() <= 4);
            strip_cache_control(&mut body);
            assert_paired(&body);
            if let Some(earlier) = earlier {
                let n = earlier["messages"].as_array().unwrap().len();
                let grown = &body["messages"].as_array().unwrap()[..n];
                assert_eq!(json!(grown).to_string(), earlier["messages"].to_string());
                assert_eq!(body["tools"].to_string(), earlier["tools"].to_string());
            }
            earlier = Some(body);
        }
        if round % 2 == 1 {
            memory = world.open();
        }
    }
}

#[test]
fn a_pause_is_sent_back_as_it_is_and_goes_on() {
    let world = World::new();
    let memory = world.open();
    let paused =
        json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "search", "input": {}});
    world
        .line
        .0
        .will(streamed_ending(std::slice::from_ref(&paused), "pause_turn"));
    world.line.0.will(says("Found."));
    let (sent, _) = ask(&memory, &Page::default(), None, Limits::default());
    let sent = sent.unwrap();
    assert_eq!(sent.stop_reason.name(), "end_turn");
    let body = world.line.0.last_body();
    assert_eq!(body["messages"].as_array().unwrap().len(), 2);
    assert_eq!(
        body["messages"][1],
        json!({"role": "assistant", "content": [paused]})
    );
    let roles: Vec<Role> = stored_turns(&world).iter().map(|(role, _)| *role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::Assistant]);
}

#[test]
fn a_call_in_a_reply_that_was_cut_is_not_run_and_the_session_goes_on() {
    for reason in [
        "max_tokens",
        "model_context_window_exceeded",
        "reason_of_tomorrow",
    ] {
        let world = World::new();
        let memory = world.open();
        world
            .line
            .0
            .will(streamed_ending(&[add(1), add(2)], reason));
        let page = Page::default();
        let sent = ask(&memory, &page, None, Limits::default()).0.unwrap();
        assert_eq!(sent.stop_reason.name(), reason);
        assert_eq!(*page.begun.borrow(), [""; 0]);
        // Also after the page was loaded again.
        for memory in [memory, world.open()] {
            world.line.0.will(says("Fine."));
            send(&memory, Some(sent.session), "go on").0.unwrap();
            let body = world.line.0.last_body();
            assert_paired(&body);
            assert!(body.to_string().contains("Not run"), "{body:#}");
        }
    }
}

#[test]
fn reasons_that_end_an_answer_end_it() {
    for reason in ["end_turn", "stop_sequence", "tool_use", "compaction"] {
        let world = World::new();
        let memory = world.open();
        let text = json!({"type": "text", "text": "So."});
        world.line.0.will(streamed_ending(&[text], reason));
        let sent = ask(&memory, &Page::default(), None, Limits::default())
            .0
            .unwrap();
        assert_eq!(sent.stop_reason.name(), reason);
    }
    let world = World::new();
    let memory = world.open();
    world.line.0.will(streamed_ending(&[add(1)], "tool_use"));
    world.line.0.will(streamed_ending(&[], "refusal"));
    let (sent, _) = ask(&memory, &Page::default(), None, Limits::default());
    assert!(matches!(sent, Err(Error::Refused { .. })));
    assert_eq!(world.n_stored(Kind::Turn), 0);
}

#[test]
fn whatever_fails_in_a_later_request_leaves_nothing_behind() {
    let failures: [fn(&World); 3] = [
        |world| world.line.0.will(error(400, "invalid_request_error", &[])),
        |world| world.line.0.will(Answer::Broken(pieces(&sse(&[]), 50))),
        |world| (0..3).for_each(|_| world.line.0.will(Answer::Down)),
    ];
    for fail in failures {
        let world = World::new();
        let memory = world.open();
        world.line.0.will(streamed_ending(&[add(1)], "tool_use"));
        fail(&world);
        let (sent, events) = ask(&memory, &Page::default(), None, Limits::default());
        assert!(sent.is_err());
        assert_eq!(
            (world.n_stored(Kind::Turn), world.n_stored(Kind::Session)),
            (0, 0)
        );
        let Some(ChatEvent::Session(session)) = events.first() else {
            panic!("no session: {events:?}")
        };
        world.line.0.will(says("Here."));
        ask(&memory, &Page::default(), Some(*session), Limits::default())
            .0
            .unwrap();
        let body = world.line.0.last_body();
        assert_eq!(
            body["messages"].as_array().unwrap().len(),
            1,
            "no trace of the first try"
        );
    }
}

#[test]
fn cancelling_ends_tools_that_run() {
    let world = World::new();
    let memory = world.open();
    let calls = [
        tool_use("toolu_1", "stop", json!({})),
        tool_use("toolu_2", "hang", json!({})),
    ];
    world.line.0.will(streamed_ending(&calls, "tool_use"));
    let (sent, _) = ask(&memory, &Page::default(), None, Limits::default());
    assert_eq!(sent, Err(Error::Cancelled));
    assert_eq!(world.n_stored(Kind::Turn), 0);
}

#[test]
fn an_erasure_meanwhile_drops_an_exchange_that_had_looked_at_memory() {
    let world = World::new();
    let memory = world.open_preset(Preset::Agent);
    world.line.0.will(says("Noted."));
    let said = send(&memory, None, "the boat is called Aurora").0.unwrap();
    world.clock.pass(DAY_MS);

    world.line.0.will(uses(
        "toolu_1",
        "recall",
        json!({"query": "the name of the boat"}),
    ));
    world.line.0.will(says("Aurora."));
    let other = world.open();
    let target = onhand::erase::Target::Session(said.session);
    let send_it = Send {
        text: "hello there".into(),
        ..Send::default()
    };
    let mut erased = false;
    let cancel = Cancel::default();
    let sent = memory.send(&send_it, &cancel, |event| {
        if matches!(event, ChatEvent::ToolFinished { .. }) && !std::mem::replace(&mut erased, true)
        {
            pollster::block_on(other.erase(&target)).unwrap();
            pollster::block_on(memory.catch_up()).unwrap();
        }
    });
    assert!(matches!(
        pollster::block_on(sent),
        Err(Error::SessionEnded { .. })
    ));
    assert_eq!(world.n_stored(Kind::Turn), 0);
}
