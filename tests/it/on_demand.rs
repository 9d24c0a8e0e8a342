//! Summaries that Claude's API makes when it is asked to.

use crate::chat::strip_cache_control;
use crate::loops::add;
use crate::world::*;
use onhand::compact::{Policy, Strategy};
use onhand::config::Config;
use onhand::erase::Target;
use onhand::error::{CompactionFault, Error, Result};
use onhand::memory::{Cancel, ChatEvent, Memory, Shortened};
use onhand::model::{Kind, Purpose, Record, Session, SessionId, TurnId};
use serde_json::{Value, json};

const BETA: &str = "compact-2026-09-04";

/// A model that has no compaction but this one.
const HAIKU: &str = "claude-haiku-5-5";

fn open(world: &World, model: &str, every_turns: Option<u32>) -> Memory<TestPorts> {
    let policy = Policy {
        strategy: Strategy::Server,
        at_tokens: 1_000_000,
        every_turns,
        keep_turns: 2,
    };
    let config = Config {
        compaction: Some(policy),
        model: model.into(),
        ..Config::new(namespace())
    };
    world.open_with_config(config, true)
}

fn block(text: &str) -> Value {
    json!({"type": "compaction", "content": text, "signature": "c2ln", "tool_changes": [], "encrypted_content": null})
}

/// The answer to a request for a summary.
fn compacts(content: Value) -> Answer {
    let counted = json!({"type": "compaction", "input_tokens": 900, "output_tokens": 60, "cache_read_input_tokens": 800});
    let body = json!({
        "id": "msg_4", "type": "message", "role": "assistant", "model": HAIKU, "content": content,
        "stop_reason": "compaction", "stop_sequence": null,
        "usage": {"input_tokens": 0, "output_tokens": 0, "iterations": [counted]}});
    Answer::Http(200, vec![], vec![body.to_string().into_bytes()])
}

fn refuses(status: u16, kind: &str, code: &str) -> Answer {
    let body = json!({"type": "error", "error": {"type": kind, "message": "no", "details": {"error_code": code}}, "request_id": null});
    Answer::Http(status, vec![], vec![body.to_string().into_bytes()])
}

fn thinks(text: &str) -> Answer {
    let thinking = json!({"type": "thinking", "thinking": "", "signature": format!("for {text}")});
    streamed(&[thinking, json!({"type": "text", "text": text})], 50)
}

fn talk(
    world: &World,
    memory: &Memory<TestPorts>,
    mut session: Option<SessionId>,
    n: usize,
) -> SessionId {
    for n in 0..n {
        world.line.0.will(thinks("Noted."));
        let said = format!("remark {n}: the cellar holds {} crates of quinces", n + 40);
        session = Some(send(memory, session, &said).0.unwrap().session);
        world.clock.pass(1_000);
    }
    session.unwrap()
}

fn compact(
    memory: &Memory<TestPorts>,
    session: SessionId,
    strategy: Option<Strategy>,
) -> Result<Option<Shortened>> {
    let cancel = Cancel::default();
    pollster::block_on(memory.compact_session(session, strategy, None, &cancel))
}

fn stored_session(world: &World) -> Session {
    match world.stored(Kind::Session).pop() {
        Some(Record::Session(session)) => session,
        other => panic!("{other:?}"),
    }
}

fn betas(world: &World, n: usize) -> Vec<String> {
    let requests = world.line.0.requests.borrow();
    let mut headers = requests[n].headers.iter();
    let beta = headers.find(|(name, _)| name == "anthropic-beta");
    let names = beta.iter().flat_map(|(_, names)| names.split(','));
    names.map(String::from).collect()
}

fn plain(mut value: Value) -> Value {
    strip_cache_control(&mut value);
    value
}

#[test]
fn a_model_with_no_other_compaction_is_asked_before_a_message() {
    let world = World::new();
    let memory = open(&world, HAIKU, Some(8));
    let session = talk(&world, &memory, None, 4);
    let before = plain(world.line.0.last_body());
    world
        .line
        .0
        .will(compacts(json!([block("So far: quinces.")])));
    world.line.0.will(thinks("Noted."));
    let (sent, events) = send(&memory, Some(session), "and what now?");
    sent.unwrap();
    let strategy = Strategy::Server;
    let told = [
        ChatEvent::Compacting(strategy),
        ChatEvent::Compacted {
            strategy,
            n_turns: 6,
        },
    ];
    assert!(
        told.iter().all(|event| events.contains(event)),
        "{events:?}"
    );

    // The request: the same prefix, only what is left out, and nothing that the API does not take with it.
    let n = world.line.0.n_requests() - 2;
    let asked = world.line.0.body(n);
    assert_eq!(asked["compaction"], json!({"type": "summarize"}));
    assert_eq!(asked["model"], HAIKU);
    assert!(asked["max_tokens"].as_u64().unwrap() >= 4_096);
    let absent = [
        "context_management",
        "stream",
        "output_config",
        "tool_choice",
        "stop_sequences",
    ];
    assert!(
        absent.iter().all(|field| asked.get(field).is_none()),
        "{asked}"
    );
    let asked = plain(asked);
    assert_eq!(asked["system"].to_string(), before["system"].to_string());
    assert_eq!(asked["tools"].to_string(), before["tools"].to_string());
    let messages = |body: &Value| body["messages"].as_array().unwrap().clone();
    assert_eq!(messages(&asked), messages(&before)[..6]);
    assert!(betas(&world, n).contains(&BETA.into()));

    // Afterwards the block comes first, as it was received, and what is kept keeps its thinking.
    let body = plain(world.line.0.last_body());
    let sent = messages(&body);
    assert_eq!(
        sent[0],
        json!({"role": "assistant", "content": [block("So far: quinces.")]})
    );
    assert_eq!(
        sent[0].to_string(),
        json!({"role": "assistant", "content": [block("So far: quinces.")]}).to_string()
    );
    assert_eq!(sent[1], messages(&before)[6]);
    assert_eq!(sent[2]["content"][0]["type"], "thinking");
    assert_eq!(sent.len(), 4);

    // It is paid as its iteration says.
    let usages = world.stored(Kind::Usage).into_iter();
    let mut paid = usages.filter_map(|record| match record {
        Record::Usage(usage) if usage.purpose == Purpose::Compact => Some(usage),
        _ => None,
    });
    let usage = paid.next().unwrap();
    assert_eq!((usage.tokens.prompt(), usage.tokens.output), (1_700, 60));
    assert_eq!(usage.model, HAIKU);

    // From then on it grows, the same bytes each time, also after the page was loaded anew, always with its beta.
    let reopened = open(&world, HAIKU, Some(8));
    for memory in [&memory, &reopened] {
        let before = messages(&plain(world.line.0.last_body()));
        world.line.0.will(thinks("Noted."));
        send(memory, Some(session), "go on").0.unwrap();
        let after = messages(&plain(world.line.0.last_body()));
        assert_eq!(after[..before.len()], before);
        assert!(betas(&world, world.line.0.n_requests() - 1).contains(&BETA.into()));
    }

    // The next summary takes the place of this one, and of what came after it.
    world
        .line
        .0
        .will(compacts(json!([block("All of it: quinces.")])));
    world.line.0.will(thinks("Noted."));
    send(&reopened, Some(session), "and now?").0.unwrap();
    let asked = world.line.0.body(world.line.0.n_requests() - 2);
    assert_eq!(
        asked["messages"][0]["content"][0]["content"],
        "So far: quinces."
    );
    let sent = world.line.0.last_body();
    assert_eq!(sent.to_string().matches("\"compaction\"").count(), 1);
    assert_eq!(
        sent["messages"][0]["content"][0]["content"],
        "All of it: quinces."
    );
}

#[test]
fn a_session_can_be_compacted_when_the_page_wants_it() {
    let world = World::new();
    // The API watches this model's sessions by itself, until it is asked.
    let memory = open(&world, "claude-sonnet-5-5", None);
    let session = talk(&world, &memory, None, 3);
    let watched = |world: &World| {
        world
            .line
            .0
            .last_body()
            .to_string()
            .contains("compact_20260112")
    };
    assert!(watched(&world));
    world.line.0.will(compacts(json!([block("Quinces.")])));
    let shortened = compact(&memory, session, None).unwrap().unwrap();
    let expected = Shortened {
        strategy: Strategy::Server,
        n_turns: 4,
        problem: None,
    };
    assert_eq!(shortened, expected);
    let left = stored_session(&world).compacted.unwrap();
    assert_eq!((left.from, left.thinking_from), (4, 0));
    assert_eq!(left.block, [block("Quinces.")]);

    world.line.0.will(thinks("Noted."));
    send(&memory, Some(session), "go on").0.unwrap();
    assert!(!watched(&world), "the two exclude each other");
    assert_eq!(world.line.0.last_body()["messages"][0]["role"], "assistant");

    // Nothing but what is to stay.
    world.line.0.will(compacts(json!([block("Again.")])));
    compact(&memory, session, None).unwrap().unwrap();
    let n_requests = world.line.0.n_requests();
    assert_eq!(compact(&memory, session, None).unwrap(), None);
    assert_eq!(world.line.0.n_requests(), n_requests);

    // Another strategy takes over what the API had summed up.
    world.line.0.will(thinks("Noted."));
    send(&memory, Some(session), "go on").0.unwrap();
    let window = compact(&memory, session, Some(Strategy::Window));
    assert_eq!(window.unwrap().unwrap().strategy, Strategy::Window);
    world.line.0.will(thinks("Noted."));
    send(&memory, Some(session), "go on").0.unwrap();
    let first = &world.line.0.last_body()["messages"][0];
    assert_eq!(first["role"], "user");
    let text = first["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("A model's summary of them:\nAgain."),
        "{text}"
    );
}

#[test]
fn what_can_not_be_compacted_is_refused_before_anything_is_sent() {
    let world = World::new();
    let memory = open(&world, HAIKU, None);
    let session = talk(&world, &memory, None, 3);
    let n_requests = world.line.0.n_requests();
    let nobody = SessionId::new(1, 1);
    assert!(matches!(
        compact(&memory, nobody, None),
        Err(Error::NotFound { .. })
    ));
    let cancel = Cancel::default();
    let none = memory.compact_session(session, None, Some(0), &cancel);
    let none = pollster::block_on(none);
    assert!(matches!(
        none,
        Err(Error::InvalidInput {
            field: "keepTurns",
            ..
        })
    ));
    let turn = TurnId { session, index: 0 };
    pollster::block_on(memory.erase(&Target::Turn(turn))).unwrap();
    assert!(matches!(
        compact(&memory, session, None),
        Err(Error::SessionEnded { .. })
    ));
    assert_eq!(world.line.0.n_requests(), n_requests);
}

#[test]
fn where_no_summary_is_to_be_had_the_chat_goes_on_with_a_window() {
    let failures = [
        (
            refuses(529, "overloaded_error", "compaction_unavailable"),
            3,
            CompactionFault::Unavailable,
        ),
        (
            refuses(400, "invalid_request_error", "compaction_incomplete_turn"),
            1,
            CompactionFault::IncompleteTurn,
        ),
        (
            refuses(
                400,
                "invalid_request_error",
                "compaction_nothing_to_summarize",
            ),
            1,
            CompactionFault::NothingToSummarize,
        ),
        (
            compacts(json!([{"type": "compaction", "content": null, "signature": null}])),
            1,
            CompactionFault::NoSummary,
        ),
        (
            compacts(json!([{"type": "text", "text": "No."}])),
            1,
            CompactionFault::NoSummary,
        ),
        (compacts(json!([])), 1, CompactionFault::NoSummary),
    ];
    for (failure, times, expected) in failures {
        let world = World::new();
        let memory = open(&world, HAIKU, Some(8));
        let session = talk(&world, &memory, None, 4);
        for _ in 0..times {
            world.line.0.will(failure.clone());
        }
        world.line.0.will(thinks("Noted."));
        let (sent, events) = send(&memory, Some(session), "and what now?");
        sent.unwrap();
        let told = events.iter().find_map(|event| match event {
            ChatEvent::Notice(Error::CompactionFailed { fault, .. }) => Some(*fault),
            _ => None,
        });
        assert_eq!(told, Some(expected), "{events:?}");
        let window = ChatEvent::Compacted {
            strategy: Strategy::Window,
            n_turns: 6,
        };
        assert!(events.contains(&window), "{events:?}");
        let body = world.line.0.last_body();
        let text = body["messages"][0]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("first 6 messages"), "{text}");
        assert!(
            !body.to_string().contains("signature"),
            "no thinking behind another prefix"
        );
    }
}

#[test]
fn a_summary_that_the_api_does_not_take_back_becomes_a_text() {
    for tools in [false, true] {
        let world = World::new();
        let memory = open(&world, HAIKU, None);
        let session = talk(&world, &memory, None, 3);
        world.line.0.will(compacts(json!([block("Quinces.")])));
        compact(&memory, session, None).unwrap().unwrap();
        if tools {
            let thinking = json!({"type": "thinking", "thinking": "", "signature": "new"});
            world
                .line
                .0
                .will(streamed_ending(&[thinking, add(1)], "tool_use"));
        }
        let refusal = refuses(400, "invalid_request_error", "compaction_signature_invalid");
        world.line.0.will(refusal);
        world.line.0.will(thinks("Noted."));
        let (sent, events) = send(&memory, Some(session), "go on");
        sent.unwrap();
        let told = |event: &ChatEvent| {
            let fault = CompactionFault::SignatureInvalid;
            matches!(event, ChatEvent::Retrying { error: Error::CompactionFailed { fault: told, .. }, .. } if *told == fault)
        };
        assert!(events.iter().any(told), "{events:?}");
        let body = plain(world.line.0.last_body());
        let first = &body["messages"][0];
        assert_eq!(first["role"], "user");
        assert!(
            first["content"][0]["text"]
                .as_str()
                .unwrap()
                .contains("Quinces.")
        );
        // What was thought in the same loop is bound to the summary; the API may drop it.
        assert_eq!(body["thinking"].is_object(), tools);
        assert!(!body.to_string().contains("for Noted"));
        assert_eq!(
            stored_session(&world).compacted.unwrap().block,
            [] as [Value; 0]
        );

        // It stays so, the same bytes, also after a reload.
        world.line.0.will(thinks("Noted."));
        let reopened = open(&world, HAIKU, None);
        send(&reopened, Some(session), "go on").0.unwrap();
        let n = body["messages"].as_array().unwrap().len();
        let later = plain(world.line.0.last_body());
        let later = later["messages"].as_array().unwrap();
        assert_eq!(json!(&later[..n]).to_string(), body["messages"].to_string());
    }
}

#[test]
fn the_apis_two_ways_do_not_meet_in_one_session() {
    let world = World::new();
    let memory = open(&world, "claude-sonnet-5-5", None);
    let session = talk(&world, &memory, None, 2);
    let own = json!({"type": "compaction", "content": "By itself."});
    world.line.0.will(streamed(
        &[own, json!({"type": "text", "text": "Noted."})],
        50,
    ));
    send(&memory, Some(session), "and?").0.unwrap();
    let summary = json!({
        "id": "msg_5", "type": "message", "role": "assistant", "model": HAIKU,
        "content": [{"type": "text", "text": "By a model."}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 900, "output_tokens": 60}});
    world.line.0.will(Answer::Http(
        200,
        vec![],
        vec![summary.to_string().into_bytes()],
    ));
    let shortened = compact(&memory, session, None).unwrap().unwrap();
    assert_eq!(shortened.strategy, Strategy::Summary);
}

#[test]
fn what_is_erased_leaves_the_apis_summary_too() {
    let world = World::new();
    let memory = open(&world, HAIKU, None);
    let session = talk(&world, &memory, None, 3);
    world
        .line
        .0
        .will(compacts(json!([block("Quinces in the cellar.")])));
    compact(&memory, session, None).unwrap().unwrap();
    let turn = TurnId { session, index: 0 };
    pollster::block_on(memory.erase(&Target::Turn(turn))).unwrap();
    let left = stored_session(&world);
    assert!(left.ended.is_some() && left.compacted.is_none(), "{left:?}");
}

#[test]
fn a_cancelled_request_for_a_summary_changes_nothing() {
    let world = World::new();
    let memory = open(&world, HAIKU, None);
    let session = talk(&world, &memory, None, 3);
    let cancel = Cancel::default();
    world.line.0.will(Answer::Hang(cancel.clone()));
    let shortened = memory.compact_session(session, None, None, &cancel);
    assert_eq!(pollster::block_on(shortened), Err(Error::Cancelled));
    assert_eq!(stored_session(&world).compacted, None);
    world.line.0.will(thinks("Noted."));
    send(&memory, Some(session), "go on").0.unwrap();
}
