//! Claude's own tools for memory: recall, remember, mark a fact stale, and the memory tool.

use crate::loops::{assert_paired, stored_turns};
use crate::world::*;
use onhand::agent::{Preset, ToolCall, ToolOutput};
use onhand::erase::Target;
use onhand::error::Error;
use onhand::memory::{ChatEvent, Memory, NoHost, Sent};
use onhand::model::{Fact, FactType, Kind, Origin, Role};
use serde_json::{Value, json};

/// A message during which Claude makes these calls in one reply; gives their results.
fn call(
    world: &World,
    memory: &Memory<TestPorts>,
    text: &str,
    calls: &[(&str, Value)],
) -> (Sent, Vec<Value>) {
    let calls: Vec<Value> = (0..)
        .zip(calls)
        .map(|(n, (name, input))| tool_use(&format!("toolu_{n}"), name, input.clone()))
        .collect();
    world.line.0.will(streamed_ending(&calls, "tool_use"));
    world.line.0.will(says("Done."));
    let sent = send(memory, None, text).0.unwrap();
    let body = world.line.0.last_body();
    assert_paired(&body);
    let results = body["messages"].as_array().unwrap().last().unwrap()["content"].clone();
    (sent, results.as_array().unwrap().clone())
}

fn text(result: &Value) -> &str {
    result["content"].as_str().unwrap()
}

fn note(statement: &str, quote: Value) -> Value {
    json!({"type": "decision", "subject": "user", "attribute": "boat name", "statement": statement, "quote": quote})
}

/// A memory that knows that the boat is called Aurora.
fn knows_the_boat(world: &World) -> Memory<TestPorts> {
    let memory = world.open_preset(Preset::Agent);
    world.line.0.will(says("Noted."));
    send(&memory, None, "my boat is called Aurora").0.unwrap();
    world.line.0.will(extracted(json!([fact(
        "entity",
        "boat",
        "name",
        "The user's boat is called Aurora <3",
        "my boat is called Aurora"
    )])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    world.clock.pass(DAY_MS);
    memory
}

fn only_fact(memory: &Memory<TestPorts>) -> Fact {
    let facts = memory.facts();
    assert_eq!(facts.len(), 1, "{facts:?}");
    facts[0].clone()
}

#[test]
fn claude_looks_up_what_the_message_did_not_bring() {
    let world = World::new();
    let memory = knows_the_boat(&world);
    let calls = [
        ("recall", json!({"query": "name of the boat"})),
        ("recall", json!({"query": "xylophone lessons"})),
    ];
    let (sent, results) = call(&world, &memory, "good morning", &calls);
    let found = text(&results[0]);
    assert!(
        found.starts_with("<memory_found>\nToday is 2026-11-21."),
        "{found}"
    );
    assert!(found.contains("boat is called Aurora &lt;3”"), "{found}");
    assert!(
        found.contains(&format!("fact {}", only_fact(&memory).id)),
        "{found}"
    );
    assert!(
        !text(&results[1]).contains("Aurora"),
        "{}",
        text(&results[1])
    );

    // The ledger and the audit tell of it, and it is not put before the next message again.
    let injections = world.n_stored(Kind::Injection);
    assert_eq!(injections, 1);
    let entries = pollster::block_on(memory.audit(0, 100)).unwrap();
    let shown = entries.iter().filter_map(|item| item.content.as_ref());
    let shown: Vec<String> = shown
        .flat_map(|content| &content.surfaced)
        .map(|shown| shown.request.clone())
        .collect();
    assert!(
        shown.contains(&format!("turn:{}", sent.turns[2])),
        "{shown:?}"
    );
    for memory in [memory, world.open()] {
        world.line.0.will(says("Aurora."));
        send(&memory, Some(sent.session), "what is my boat called?")
            .0
            .unwrap();
        let body = world.line.0.last_body();
        let newest = body["messages"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .to_string();
        assert!(!newest.contains("Aurora <3"), "{newest}");
    }
}

#[test]
fn what_a_tool_showed_goes_with_what_was_erased() {
    let world = World::new();
    let memory = knows_the_boat(&world);
    let (sent, results) = call(
        &world,
        &memory,
        "good morning",
        &[("recall", json!({"query": "name of the boat"}))],
    );
    assert!(text(&results[0]).contains("Aurora"));
    let receipt = pollster::block_on(memory.erase(&Target::Fact(only_fact(&memory).id))).unwrap();
    assert_eq!(receipt.left, 0);
    assert!(receipt.ended.contains(&sent.session));
    for (_, content) in stored_turns(&world) {
        assert!(
            !json!(content).to_string().contains("Aurora"),
            "{content:?}"
        );
    }
    world.line.0.will(says("Hello."));
    let (again, _) = send(&memory, Some(sent.session), "what is my boat called?");
    assert_ne!(again.unwrap().session, sent.session);
    assert!(!world.line.0.last_body().to_string().contains("Aurora"));
}

#[test]
fn a_fact_that_no_longer_holds_is_marked_and_the_person_can_undo_it() {
    let world = World::new();
    let memory = knows_the_boat(&world);
    let id = only_fact(&memory).id;
    let calls = [
        (
            "mark_fact_stale",
            json!({"fact_id": id.to_string(), "reason": "The boat was sold."}),
        ),
        (
            "mark_fact_stale",
            json!({"fact_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "reason": "No."}),
        ),
        (
            "mark_fact_stale",
            json!({"fact_id": "the boat", "reason": "No."}),
        ),
    ];
    let (_, results) = call(&world, &memory, "we sold the boat", &calls);
    let errors: Vec<bool> = results
        .iter()
        .map(|result| result["is_error"] == true)
        .collect();
    assert_eq!(errors, [false, true, true]);
    let stale = world.open().facts()[0].stale.clone().unwrap();
    assert_eq!(
        (stale.reason.as_str(), stale.by),
        ("The boat was sold.", Origin::Assistant)
    );
    let restored = pollster::block_on(memory.restore_fact(id)).unwrap();
    assert!(restored.is_current());
}

#[test]
fn what_claude_notes_is_never_what_the_person_said() {
    let world = World::new();
    let memory = world.open_preset(Preset::Agent);
    let calls = [
        (
            "remember",
            note("The boat will be called Aurora", json!("call her Aurora")),
        ),
        (
            "remember",
            note("the boat will be called aurora.", Value::Null),
        ),
        (
            "remember",
            note("The boat is 12 m long", json!("she is 12 m long")),
        ),
        ("remember", note("The boat is blue", Value::Null)),
    ];
    let (sent, results) = call(
        &world,
        &memory,
        "Let's call her Aurora, remember that",
        &calls,
    );
    let errors: Vec<bool> = results
        .iter()
        .map(|result| result["is_error"] == true)
        .collect();
    assert_eq!(errors, [false, false, true, false]);
    assert!(
        text(&results[1]).starts_with("This is known already"),
        "{results:?}"
    );

    let facts = world.open().facts();
    assert_eq!(facts.len(), 2);
    let [aurora, blue] = ["called Aurora", "is blue"].map(|words| {
        let mut facts = facts.iter();
        facts.find(|fact| fact.statement.contains(words)).unwrap()
    });
    assert_eq!([aurora.origin, blue.origin], [Origin::Assistant; 2]);
    assert_eq!(aurora.fact_type, FactType::Decision);
    let evidence = aurora.evidence.as_ref().unwrap();
    assert_eq!(
        (evidence.turn, evidence.start, evidence.end),
        (sent.turns[0], 6, 21)
    );
    assert_eq!(evidence.quote, "call her Aurora");
    let (_, content) = &stored_turns(&world)[0];
    assert_eq!(&content[0]["text"].as_str().unwrap()[6..21], evidence.quote);
    // Without words of its own it still belongs to the message that led to it.
    assert_eq!(blue.evidence.as_ref().unwrap().turn, sent.turns[0]);
    assert!(pollster::block_on(memory.check()).unwrap().is_clean());

    let receipt = pollster::block_on(memory.erase(&Target::Session(sent.session))).unwrap();
    assert_eq!(receipt.left, 0);
    assert!(memory.facts().is_empty());
}

#[test]
fn memory_that_was_put_before_a_message_is_no_evidence() {
    let world = World::new();
    let memory = knows_the_boat(&world);
    let calls = [(
        "remember",
        note("The boat is called Aurora", json!("boat is called Aurora")),
    )];
    let (_, results) = call(&world, &memory, "what is my boat called?", &calls);
    let block = world.line.0.last_body()["messages"][0]["content"][0].to_string();
    assert!(
        block.contains("my boat is called Aurora") || block.contains("boat is called Aurora"),
        "{block}"
    );
    assert_eq!(results[0]["is_error"], true, "{results:?}");
    assert_eq!(memory.facts().len(), 1);
}

#[test]
fn what_was_noted_is_kept_only_with_the_answer() {
    let world = World::new();
    let memory = world.open_preset(Preset::Agent);
    world.line.0.will(uses(
        "toolu_1",
        "remember",
        note("The boat is blue", Value::Null),
    ));
    world.line.0.will(error(400, "invalid_request_error", &[]));
    assert!(send(&memory, None, "she is blue").0.is_err());
    assert_eq!((world.n_stored(Kind::Fact), memory.facts().len()), (0, 0));

    // On a full disk it waits with the exchange.
    let full = Error::QuotaExceeded {
        message: "full".into(),
    };
    world.store.writes_fail.replace(Some(full));
    let (sent, _) = call(
        &world,
        &memory,
        "she is blue",
        &[("remember", note("The boat is blue", Value::Null))],
    );
    assert_eq!(world.n_stored(Kind::Fact), 0);
    world.store.writes_fail.replace(None);
    world.line.0.will(says("Yes."));
    send(&memory, Some(sent.session), "thanks").0.unwrap();
    assert_eq!(world.n_stored(Kind::Fact), 1);
}

#[test]
fn the_memory_tool_of_one_reply_runs_call_by_call_and_is_on_disk() {
    let world = World::new();
    let memory = world.open_preset(Preset::Agent);
    let path = "/memories/notes.md";
    let insert = |line: u32, text: &str| json!({"command": "insert", "path": path, "insert_line": line, "insert_text": text});
    let calls = [
        (
            "memory",
            json!({"command": "create", "path": path, "file_text": "tea\n"}),
        ),
        ("memory", insert(1, "no milk")),
        ("memory", insert(9, "never")),
        ("memory", json!({"command": "view", "path": path})),
    ];
    let (_, results) = call(&world, &memory, "note how I take my tea", &calls);
    assert_eq!(
        text(&results[0]),
        "File created successfully at: /memories/notes.md"
    );
    assert_eq!(results[2]["is_error"], true);
    assert!(text(&results[2]).starts_with("Error: Invalid `insert_line`"));
    assert!(
        text(&results[3]).ends_with("     1\ttea\n     2\tno milk"),
        "{}",
        text(&results[3])
    );
    assert_eq!(world.open().read_file(path).unwrap().text, "tea\nno milk\n");
}

#[test]
fn tool_results_are_never_read_for_facts_nor_recalled_as_something_said() {
    let world = World::new();
    let memory = knows_the_boat(&world);
    call(
        &world,
        &memory,
        "good morning",
        &[("recall", json!({"query": "name of the boat"}))],
    );
    world.line.0.will(extracted(json!([])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let input = world.line.0.last_body()["messages"].to_string();
    let turns = input.split("<turns>").nth(1).unwrap();
    assert!(
        turns.contains("good morning") && !turns.contains("memory_found"),
        "{turns}"
    );
    let page = pollster::block_on(memory.find_turns(&Default::default())).unwrap();
    let results = page.turns.iter().filter(|turn| turn.role == Role::Tool);
    assert_eq!(results.map(|turn| turn.text()).collect::<Vec<_>>(), [""]);
}

#[test]
fn a_loop_of_the_hosts_own_runs_the_same_tools() {
    let world = World::new();
    let memory = knows_the_boat(&world);
    let run = |name: &str, input: Value| -> Option<ToolOutput> {
        let call = ToolCall {
            id: String::new(),
            name: name.into(),
            input,
        };
        pollster::block_on(memory.run_built_in(&call, None, &NoHost))
    };
    let found = run("recall", json!({"query": "name of the boat"})).unwrap();
    assert!(found.content.to_string().contains("Aurora") && !found.is_error);
    assert!(
        !run("remember", note("The boat is blue", Value::Null))
            .unwrap()
            .is_error
    );
    assert!(
        run("remember", note("The boat is red", json!("red")))
            .unwrap()
            .is_error
    );
    assert_eq!(run("weather", json!({})), None);
    let facts = world.open().facts();
    assert_eq!(facts[0].statement, "The boat is blue");
    assert_eq!(
        (facts[0].origin, &facts[0].evidence),
        (Origin::Assistant, &None)
    );
    let view = run("memory", json!({"command": "view", "path": "/memories"})).unwrap();
    assert!(view.content.to_string().contains("/memories"));
}

#[test]
fn while_it_is_locked_tools_say_so_and_the_chat_goes_on() {
    let world = World::new();
    let memory = world.open_preset(Preset::Agent);
    world.store.reads_fail.replace(Some(Error::Locked));
    world.store.writes_fail.replace(Some(Error::Locked));
    let memory = {
        drop(memory);
        world.open_preset(Preset::Agent)
    };
    assert!(memory.is_locked());
    let calls = [
        ("recall", json!({"query": "boat"})),
        ("remember", note("The boat is blue", Value::Null)),
        ("memory", json!({"command": "view", "path": "/memories"})),
    ];
    let (_, results) = call(&world, &memory, "hello", &calls);
    for result in results {
        assert_eq!(result["is_error"], true);
        assert!(text(&result).contains("locked"), "{result}");
    }
}

/// What a preset kept of one exchange: turns, jobs and sessions.
fn kept(world: &World) -> [usize; 3] {
    [Kind::Turn, Kind::Job, Kind::Session].map(|kind| world.n_stored(kind))
}

#[test]
fn presets_do_what_their_names_say() {
    let rows = [
        (Preset::Stateless, [0, 0, 0], false, 0),
        (Preset::Episodic, [2, 0, 1], false, 0),
        (Preset::Assistant, [2, 1, 1], true, 0),
        (Preset::Agent, [2, 1, 1], true, 5),
    ];
    for (preset, expected, knows_facts, n_tools) in rows {
        let world = World::new();
        let memory = world.open_preset(preset);
        world.line.0.will(says("Noted."));
        send(&memory, None, "my boat is called Aurora").0.unwrap();
        assert_eq!(kept(&world), expected, "{preset:?}");
        let tools = world.line.0.last_body()["tools"]
            .as_array()
            .map_or(0, Vec::len);
        assert_eq!(tools, n_tools, "{preset:?}");

        // In a memory that was filled by another preset.
        let world = World::new();
        drop(knows_the_boat(&world));
        let memory = world.open_preset(preset);
        world.line.0.will(says("Aurora."));
        let (sent, events) = send(&memory, None, "what is my boat called?");
        let session = sent.unwrap().session;
        let body = world.line.0.last_body();
        assert_eq!(
            body["messages"]
                .to_string()
                .contains("boat is called Aurora &lt;3"),
            knows_facts,
            "{preset:?}"
        );
        // What was said stands in the snapshot, or is recalled.
        assert_eq!(
            body.to_string().contains("my boat is called Aurora"),
            preset.keeps_turns(),
            "{preset:?}"
        );
        assert_eq!(
            events
                .iter()
                .any(|event| matches!(event, ChatEvent::Saved(_))),
            preset.keeps_turns()
        );
        // The conversation itself goes on in any case.
        world.line.0.will(says("Yes."));
        send(&memory, Some(session), "sure?").0.unwrap();
        assert_eq!(
            world.line.0.last_body()["messages"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
        // Only where facts are kept are they read out of what was said; this message waits for it.
        let before = world.line.0.n_requests();
        if knows_facts {
            for _ in 0..2 {
                world.line.0.will(extracted(json!([])));
            }
        }
        pollster::block_on(memory.work(&Default::default())).unwrap();
        assert_eq!(
            world.line.0.n_requests() > before,
            knows_facts,
            "{preset:?}"
        );
    }
    assert!(
        Preset::ALL
            .iter()
            .all(|preset| Preset::from_name(preset.name()) == Some(*preset))
    );
}

#[test]
fn without_state_nothing_is_written_whatever_a_tool_does() {
    let world = World::new();
    let memory = world.open_preset(Preset::Stateless);
    world.line.0.will(uses("toolu_1", "weather", json!({})));
    world.line.0.will(says("Sunny, I guess."));
    send(&memory, None, "how is the weather?").0.unwrap();
    for kind in Kind::ALL {
        assert_eq!(world.n_stored(kind), 0, "{kind:?}");
    }
    let turns = [onhand::memory::SpokenTurn {
        role: Role::User,
        text: "x".into(),
    }];
    let refused = pollster::block_on(memory.remember(None, &turns));
    assert!(matches!(
        refused,
        Err(Error::InvalidInput {
            field: "preset",
            ..
        })
    ));
}
