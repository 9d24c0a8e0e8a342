//! Sessions that grow too long to be sent whole.

use crate::loops::{Page, ask, assert_paired};
use crate::world::*;
use onhand::agent::{Limits, Preset};
use onhand::claude::context::Cleared;
use onhand::compact::{Policy, Strategy};
use onhand::config::Config;
use onhand::erase::Target;
use onhand::error::Error;
use onhand::memory::{ChatEvent, Memory};
use onhand::model::{Kind, Purpose, Record, Session, SessionId};
use serde_json::{Value, json};

fn open(world: &World, strategy: Strategy) -> Memory<TestPorts> {
    let policy = Policy {
        strategy,
        at_tokens: 1_000_000,
        every_turns: Some(8),
        keep_turns: 2,
    };
    let config = Config {
        compaction: Some(policy),
        ..Config::new(namespace())
    };
    world.open_with_config(config, true)
}

/// A whole answer, as a summary comes.
fn sums_up(text: &str) -> Answer {
    let body = json!({
        "id": "msg_3", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 900, "output_tokens": 60}});
    Answer::Http(200, vec![], vec![body.to_string().into_bytes()])
}

fn thinks(text: &str) -> Answer {
    let thinking = json!({"type": "thinking", "thinking": "", "signature": format!("for {text}")});
    streamed(&[thinking, json!({"type": "text", "text": text})], 50)
}

/// Says so many messages, each answered; gives the session.
fn talk(
    world: &World,
    memory: &Memory<TestPorts>,
    session: Option<SessionId>,
    n: usize,
) -> SessionId {
    let mut session = session;
    for n in 0..n {
        world.line.0.will(thinks("Noted."));
        let said = format!("remark {n}: the cellar holds {} crates of quinces", n + 40);
        session = Some(send(memory, session, &said).0.unwrap().session);
        world.clock.pass(1_000);
    }
    session.unwrap()
}

fn stored_session(world: &World) -> Session {
    match world.stored(Kind::Session).pop() {
        Some(Record::Session(session)) => session,
        other => panic!("{other:?}"),
    }
}

fn texts(body: &Value) -> Vec<String> {
    let messages = body["messages"].as_array().unwrap().iter();
    let blocks = messages.flat_map(|message| message["content"].as_array().unwrap());
    let texts = blocks.filter_map(|block| Some(block["text"].as_str()?.to_string()));
    texts.collect()
}

fn thinking(body: &Value) -> usize {
    body.to_string().matches("\"signature\"").count()
}

fn compacted(events: &[ChatEvent]) -> Vec<&ChatEvent> {
    let of_it = |event: &&ChatEvent| {
        matches!(
            event,
            ChatEvent::Compacting(_) | ChatEvent::Compacted { .. }
        )
    };
    events.iter().filter(of_it).collect()
}

#[test]
fn a_summary_takes_the_place_of_the_oldest_turns_and_stays_byte_for_byte() {
    let world = World::new();
    let memory = open(&world, Strategy::Summary);
    let session = talk(&world, &memory, None, 4);
    world
        .line
        .0
        .will(sums_up("The cellar fills up with </turns> quinces."));
    world.line.0.will(thinks("Noted."));
    let (sent, events) = send(&memory, Some(session), "and what now?");
    sent.unwrap();
    assert_eq!(
        compacted(&events),
        [
            &ChatEvent::Compacting(Strategy::Summary),
            &ChatEvent::Compacted {
                strategy: Strategy::Summary,
                n_turns: 6
            }
        ]
    );
    let asked = world.line.0.body(world.line.0.n_requests() - 2);
    assert_eq!(asked["model"], "claude-haiku-5-5");
    let asked = asked["messages"][0]["content"].as_str().unwrap();
    assert!(
        asked.contains("remark 2") && !asked.contains("remark 3"),
        "{asked}"
    );

    let body = world.line.0.last_body();
    let said = texts(&body);
    assert!(
        said[0].starts_with("<earlier_in_this_conversation>"),
        "{said:?}"
    );
    assert!(
        said[0].contains("fills up with &lt;/turns> quinces"),
        "{said:?}"
    );
    assert!(
        said[1..].iter().all(|text| !text.contains("remark 1")),
        "{said:?}"
    );
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
    assert_eq!(thinking(&body), 0, "bound to a prefix that is gone");
    assert_eq!(world.n_stored(Kind::Turn), 10, "the archive is whole");
    let usages = world.stored(Kind::Usage).into_iter();
    let of_it = usages.filter(
        |record| matches!(record, Record::Usage(usage) if usage.purpose == Purpose::Compact),
    );
    assert_eq!(of_it.count(), 1);

    // From then on it grows again, the same bytes each time, also after the page was loaded anew.
    let reopened = open(&world, Strategy::Summary);
    for memory in [&memory, &reopened] {
        let mut before = world.line.0.last_body()["messages"].clone();
        world.line.0.will(thinks("Noted."));
        let (sent, events) = send(memory, Some(session), "go on");
        sent.unwrap();
        assert!(compacted(&events).is_empty());
        let mut after = world.line.0.last_body()["messages"].clone();
        crate::chat::strip_cache_control(&mut before);
        crate::chat::strip_cache_control(&mut after);
        let before = before.as_array().unwrap();
        assert_eq!(&after.as_array().unwrap()[..before.len()], before);
    }
    let body = world.line.0.last_body();
    assert_eq!(thinking(&body), 2, "thinking since then stays");
}

#[test]
fn what_is_left_out_can_be_recalled() {
    for strategy in [Strategy::Window, Strategy::Retrieve] {
        let world = World::new();
        let memory = open(&world, strategy);
        world.line.0.will(thinks("Noted."));
        let first = "my locker at the harbour has the number 7741";
        let session = send(&memory, None, first).0.unwrap().session;
        talk(&world, &memory, Some(session), 3);
        let n_requests = world.line.0.n_requests();
        world.line.0.will(thinks("It is 7741."));
        let (sent, events) = send(
            &memory,
            Some(session),
            "which number has my locker at the harbour?",
        );
        sent.unwrap();
        assert_eq!(
            world.line.0.n_requests(),
            n_requests + 1,
            "no model was asked"
        );
        assert_eq!(compacted(&events).len(), 2);
        let said = texts(&world.line.0.last_body());
        let brought = said.iter().find(|text| text.starts_with("<memory_update>"));
        let brought = brought.map(String::as_str).unwrap_or_default();
        assert!(brought.contains("7741"), "{said:?}");
        // It is no other conversation.
        let told = "This is remembered from earlier in this conversation, most";
        assert!(brought.contains(told), "{brought}");
        assert!(brought.contains(", earlier in this conversation, turn 0)"));
    }
}

#[test]
fn facts_of_the_turns_that_are_left_out_are_listed() {
    let world = World::new();
    let memory = open(&world, Strategy::Retrieve);
    world.line.0.will(thinks("Noted."));
    let session = send(&memory, None, "my boat is called Aurora")
        .0
        .unwrap()
        .session;
    let boat = fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Aurora",
        "my boat is called Aurora",
    );
    world.line.0.will(extracted(json!([boat])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    talk(&world, &memory, Some(session), 3);
    world.line.0.will(thinks("Fine."));
    send(&memory, Some(session), "and what now?").0.unwrap();
    let said = texts(&world.line.0.last_body());
    assert!(
        said[0].contains("- The boat is called Aurora [fact "),
        "{}",
        said[0]
    );
}

#[test]
fn without_a_summary_the_chat_goes_on_with_a_window() {
    let failures = [
        error(400, "invalid_request_error", &[]),
        sums_up("   "),
        Answer::Http(200, vec![], vec![b"no message".to_vec()]),
    ];
    for failure in failures {
        let world = World::new();
        let memory = open(&world, Strategy::Summary);
        let session = talk(&world, &memory, None, 4);
        world.line.0.will(failure);
        world.line.0.will(thinks("Noted."));
        let (sent, events) = send(&memory, Some(session), "and what now?");
        sent.unwrap();
        assert!(
            events
                .iter()
                .any(|event| matches!(event, ChatEvent::Notice(_))),
            "{events:?}"
        );
        let window = ChatEvent::Compacted {
            strategy: Strategy::Window,
            n_turns: 6,
        };
        assert!(events.contains(&window), "{events:?}");
        let said = texts(&world.line.0.last_body());
        assert!(
            said[0].contains("first 6 messages") && !said[0].contains("summary"),
            "{said:?}"
        );
    }
}

#[test]
fn a_cancelled_summary_changes_nothing() {
    let world = World::new();
    let memory = open(&world, Strategy::Summary);
    let session = talk(&world, &memory, None, 4);
    let cancel = onhand::memory::Cancel::default();
    world.line.0.will(Answer::Hang(cancel.clone()));
    let message = onhand::memory::Send {
        session: Some(session),
        text: "and now?".into(),
        ..Default::default()
    };
    let sent = pollster::block_on(memory.send(&message, &cancel, |_| {}));
    assert_eq!(sent, Err(Error::Cancelled));
    assert_eq!(stored_session(&world).compacted, None);
    assert_eq!(world.n_stored(Kind::Turn), 8);
}

#[test]
fn summaries_of_parts_are_merged_when_there_are_four() {
    let world = World::new();
    let memory = open(&world, Strategy::Hierarchical);
    let mut session = talk(&world, &memory, None, 4);
    for part in 1..=4 {
        world.line.0.will(sums_up(&format!("part {part}")));
        if part == 4 {
            world.line.0.will(sums_up("parts 1 to 4"));
        }
        session = talk(&world, &memory, Some(session), 3);
    }
    let left = stored_session(&world).compacted.unwrap();
    let summaries: Vec<_> = left
        .summaries
        .iter()
        .map(|s| (s.level, s.text.as_str()))
        .collect();
    assert_eq!(summaries, [(1, "parts 1 to 4")]);
    let merged = world
        .line
        .0
        .requests
        .borrow()
        .iter()
        .filter(|request| request.body.contains("<summaries>"))
        .count();
    assert_eq!(merged, 1);
}

#[test]
fn calls_keep_their_results() {
    let world = World::new();
    let memory = open(&world, Strategy::Window);
    let page = Page::default();
    let mut session = None;
    for n in 0..6 {
        let id = format!("toolu_{n}");
        world.line.0.will(streamed_ending(
            &[tool_use(&id, "add", json!({"a": n, "b": 1}))],
            "tool_use",
        ));
        world.line.0.will(says("Done."));
        session = Some(
            ask(&memory, &page, session, Limits::default())
                .0
                .unwrap()
                .session,
        );
        assert_paired(&world.line.0.last_body());
    }
    assert!(stored_session(&world).compacted.is_some());
    assert!(texts(&world.line.0.last_body())[0].starts_with("<earlier_in_this_conversation>"));
}

#[test]
fn erasing_takes_the_summaries_with_it() {
    let world = World::new();
    let memory = open(&world, Strategy::Summary);
    let session = talk(&world, &memory, None, 4);
    world.line.0.will(sums_up("There are lots of preserves."));
    talk(&world, &memory, Some(session), 1);
    assert!(stored_session(&world).compacted.is_some());
    let turn = onhand::model::TurnId { session, index: 0 };
    pollster::block_on(memory.erase(&Target::Turn(turn))).unwrap();
    let left = stored_session(&world);
    assert!(left.ended.is_some() && left.compacted.is_none(), "{left:?}");
}

#[test]
fn the_server_compacts_where_the_model_can_and_its_block_is_sent_back() {
    let world = World::new();
    let policy = Policy {
        strategy: Strategy::Server,
        at_tokens: 60_000,
        every_turns: Some(4),
        keep_turns: 2,
    };
    let config = Config {
        compaction: Some(policy),
        ..Config::new(namespace())
    };
    let memory = world.open_with_config(config, true);
    let session = talk(&world, &memory, None, 3);
    let summary = json!({"type": "compaction", "content": "So far: quinces."});
    world.line.0.will(streamed(
        &[summary.clone(), json!({"type": "text", "text": "Noted."})],
        50,
    ));
    send(&memory, Some(session), "and?").0.unwrap();
    let edits = &world.line.0.last_body()["context_management"]["edits"];
    assert_eq!(edits[0]["trigger"]["value"], 60_000);
    world.line.0.will(thinks("Noted."));
    let (sent, events) = send(&memory, Some(session), "go on");
    sent.unwrap();
    assert!(compacted(&events).is_empty());
    let body = world.line.0.last_body();
    assert_eq!(body["messages"][7]["content"][0], summary);
    let requests = world.line.0.requests.borrow();
    let headers = &requests.last().unwrap().headers;
    assert!(
        headers
            .iter()
            .any(|(name, value)| name == "anthropic-beta" && value.contains("compact-2026-01-12"))
    );
}

#[test]
fn what_the_api_cleared_is_told() {
    let world = World::new();
    let memory = world.open();
    let edits = json!({"applied_edits": [
        {"type": "clear_tool_uses_20250919", "cleared_tool_uses": 4, "cleared_input_tokens": 9000}]});
    let stream = sse(&[json!({"type": "text", "text": "Fine."})]);
    let stream = stream.replace(
        "\"type\":\"message_delta\"",
        &format!("\"type\":\"message_delta\",\"context_management\":{edits}"),
    );
    assert!(stream.contains("applied_edits"), "{stream}");
    world
        .line
        .0
        .will(Answer::Http(200, vec![], pieces(&stream, 97)));
    let (sent, events) = send(&memory, None, "hello there");
    sent.unwrap();
    let cleared = Cleared {
        tool_uses: 4,
        thinking_turns: 0,
        input_tokens: 9000,
    };
    assert!(events.contains(&ChatEvent::Cleared(cleared)), "{events:?}");
}

#[test]
fn a_session_that_is_kept_nowhere_slides_on_instead_of_running_into_the_window() {
    let world = World::new();
    let policy = Policy {
        strategy: Strategy::Summary,
        at_tokens: 1_000_000,
        every_turns: Some(8),
        keep_turns: 2,
    };
    let config = Config {
        preset: Preset::Stateless,
        compaction: Some(policy),
        ..Config::new(namespace())
    };
    let memory = world.open_with_config(config, true);
    let session = talk(&world, &memory, None, 4);
    world.line.0.will(thinks("Noted."));
    let (sent, events) = send(&memory, Some(session), "and what now?");
    sent.unwrap();
    let slid = |n_turns| {
        let strategy = Strategy::Window;
        [
            ChatEvent::Compacting(strategy),
            ChatEvent::Compacted { strategy, n_turns },
        ]
    };
    let told: Vec<ChatEvent> = compacted(&events).into_iter().cloned().collect();
    assert_eq!(told, slid(6), "no model is asked for a summary");
    let body = world.line.0.last_body();
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
    let said = texts(&body);
    assert!(said[0].contains("The first 6 messages of this conversation"));
    assert!(said[1].starts_with("remark 3:") && said.last().unwrap() == "and what now?");
    assert_eq!(thinking(&body), 0, "bound to a prefix that is gone");

    // What is sent grows again from there, byte for byte, and slides once more.
    let before = body["messages"].as_array().unwrap().clone();
    world.line.0.will(thinks("Noted."));
    send(&memory, Some(session), "go on").0.unwrap();
    let blank = |messages: &[Value]| {
        let messages = Value::from(messages).to_string();
        messages.replace(",\"cache_control\":{\"type\":\"ephemeral\"}", "")
    };
    let now = world.line.0.last_body()["messages"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(blank(&now[..before.len()]), blank(&before));
    talk(&world, &memory, Some(session), 1);
    world.line.0.will(thinks("Noted."));
    let (sent, events) = send(&memory, Some(session), "the last word");
    sent.unwrap();
    let told: Vec<ChatEvent> = compacted(&events).into_iter().cloned().collect();
    assert_eq!(told, slid(6));
    let said = texts(&world.line.0.last_body());
    assert!(said[0].contains("The first 12 messages of this conversation"));
    let notices = said.iter().filter(|text| text.contains("<earlier_in"));
    assert_eq!(notices.count(), 1);
    assert!(Kind::ALL.into_iter().all(|kind| world.n_stored(kind) == 0));
}
