//! What is known of models: this library's table, and over it what the API lists.

use crate::usage::usages;
use crate::world::*;
use onhand::agent::Preset;
use onhand::claude::listing::Model;
use onhand::claude::models::{MODELS, model};
use onhand::compact::{Policy, Strategy};
use onhand::config::Config;
use onhand::erase::Target;
use onhand::error::Error;
use onhand::memory::{Cancel, ChatEvent, Memory, Method};
use onhand::model::{Kind, Purpose, Record, Segment};
use onhand::usage::UsageFilter;
use pollster::block_on;
use serde_json::{Value, json};

fn lists(models: Value) -> Answer {
    page(json!({"data": models, "has_more": false, "first_id": null, "last_id": null}))
}

fn page(page: Value) -> Answer {
    Answer::Http(200, vec![], vec![page.to_string().into_bytes()])
}

/// A model that came after this library's table.
fn next(tokens: u32) -> Value {
    let supported = json!({"supported": true});
    json!({"id": "claude-next-9", "display_name": "Claude Next 9", "max_input_tokens": tokens, "max_tokens": 32_000,
        "capabilities": {"context_management": {"clear_tool_uses_20250919": supported, "clear_thinking_20251015": supported}}})
}

fn refresh(memory: &Memory<TestPorts>) -> bool {
    block_on(memory.refresh_models(&Cancel::default()))
}

fn found(memory: &Memory<TestPorts>, id: &str) -> Option<Model> {
    memory.models().into_iter().find(|model| model.id == id)
}

fn window(memory: &Memory<TestPorts>, id: &str) -> Option<u32> {
    found(memory, id).map(|model| model.info.context_tokens)
}

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::new(namespace());
    change(&mut config);
    config
}

#[test]
fn the_api_is_asked_once_a_day_page_by_page_and_without_content() {
    let world = World::new();
    let memory = world.open();
    assert_eq!(memory.models().len(), MODELS.len());
    assert_eq!(memory.models_status(), Default::default());
    world.line.0.will(page(
        json!({"data": [{"id": "claude-opus-5", "max_input_tokens": 900_000}], "has_more": true, "last_id": "claude-opus-5"}),
    ));
    world.line.0.will(lists(json!([next(400_000)])));
    assert!(refresh(&memory));
    {
        let requests = world.line.0.requests.borrow();
        let paths: Vec<&str> = requests
            .iter()
            .map(|request| request.path.as_ref())
            .collect();
        assert_eq!(
            paths,
            [
                "/v1/models?limit=1000",
                "/v1/models?limit=1000&after_id=claude-opus-5"
            ]
        );
        for request in &*requests {
            assert_eq!((request.method, request.body.as_str()), (Method::Get, ""));
            let version = ("anthropic-version".to_string(), "2023-06-01".to_string());
            assert_eq!(request.headers, [version]);
        }
    }
    assert_eq!(window(&memory, "claude-opus-5"), Some(900_000));
    assert_eq!(window(&memory, "claude-next-9"), Some(400_000));
    let status = memory.status().models;
    assert_eq!(status.refreshed.map(|at| at.unix_ms), Some(START_MS));
    assert_eq!(status.trouble, None);

    world.clock.pass(DAY_MS - 1);
    assert!(!refresh(&memory), "not twice a day");
    world.clock.pass(1);
    world.line.0.will(lists(json!([next(500_000)])));
    assert!(refresh(&memory));
    assert_eq!(window(&memory, "claude-next-9"), Some(500_000));
    // What it no longer lists is as this library has it.
    assert_eq!(window(&memory, "claude-opus-5"), Some(1_000_000));
    // A clock that was put back must not keep the table for ever.
    world.clock.pass(-30 * DAY_MS);
    world.line.0.will(lists(json!([next(600_000)])));
    assert!(refresh(&memory));
    assert!(usages(&memory, UsageFilter::default()).is_empty());
}

#[test]
fn what_was_listed_is_kept_over_a_reload_and_known_to_other_tabs() {
    let world = World::new();
    let (memory, other) = (world.open(), world.open());
    world.line.0.will(lists(json!([next(400_000)])));
    assert!(refresh(&memory));
    assert_eq!(world.n_stored(Kind::Segment), 1);
    block_on(other.catch_up()).unwrap();
    assert_eq!(other.models(), memory.models());
    assert!(!refresh(&other));

    let again = world.open();
    assert_eq!(again.models(), memory.models());
    assert_eq!(again.models_status(), memory.models_status());
    assert!(!refresh(&again));
    // It is no part of the index, and nothing of anyone.
    assert_eq!(again.status().kept_index.unusable, None);
    assert!(block_on(again.check()).unwrap().findings.is_empty());
    assert!(block_on(again.audit(0, 10)).unwrap().is_empty());

    world.line.0.will(says("Hello."));
    let session = send(&again, None, "my boat is called Aurora")
        .0
        .unwrap()
        .session;
    block_on(again.erase(&Target::Session(session))).unwrap();
    assert_eq!(world.open().models(), memory.models());
    block_on(again.erase(&Target::Project)).unwrap();
    assert_eq!(world.n_stored(Kind::Segment), 0, "all means all");
}

#[test]
fn an_erasure_meanwhile_leaves_nothing_behind() {
    let world = World::new();
    let memory = std::rc::Rc::new(world.open());
    world.line.0.will(says("Hello."));
    send(&memory, None, "my boat is called Aurora").0.unwrap();
    world.line.0.will(lists(json!([next(400_000)])));
    let erasing = memory.clone();
    world.line.0.meanwhile.replace(Some(Box::new(move || {
        block_on(erasing.erase(&Target::Project)).unwrap();
    })));
    assert!(refresh(&memory));
    assert!(Kind::ALL.into_iter().all(|kind| world.n_stored(kind) == 0));
    assert_eq!(window(&memory, "claude-next-9"), Some(400_000));
}

#[test]
fn a_damaged_or_unreadable_list_counts_as_none() {
    let world = World::new();
    world.line.0.will(lists(json!([next(400_000)])));
    assert!(refresh(&world.open()));
    let Some(Record::Segment(kept)) = world.stored(Kind::Segment).pop() else {
        panic!("it was kept");
    };
    let damaged = Segment {
        bytes: kept.bytes.iter().rev().copied().collect(),
        ..kept
    };
    let inner = &world.store.inner;
    inner.put_behind(&namespace(), Record::Segment(damaged));
    assert_eq!(world.open().models().len(), MODELS.len());
    inner.make_unreadable(&namespace(), Kind::Segment, Segment::MODELS);
    let memory = world.open();
    assert_eq!(memory.models().len(), MODELS.len());
    assert_eq!(memory.status().kept_index.unusable, None);
    world.line.0.will(lists(json!([next(500_000)])));
    assert!(refresh(&memory), "it is asked for again");
    assert_eq!(window(&world.open(), "claude-next-9"), Some(500_000));
}

#[test]
fn a_failure_leaves_the_table_as_it_is_and_shows() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(lists(json!([next(400_000)])));
    refresh(&memory);
    let before = memory.models();
    let cut = Answer::Broken(vec![br#"{"data": ["#.to_vec()]);
    let endless = json!({"data": [next(1_000_000)], "has_more": true});
    for (answer, code) in [
        (Answer::Down, "network"),
        (error(404, "not_found_error", &[]), "api"),
        (
            error(529, "overloaded_error", &[("retry-after", "1")]),
            "api",
        ),
        (cut, "network"),
        (
            Answer::Http(200, vec![], vec![b"<html>".to_vec()]),
            "malformed_stream",
        ),
        (page(json!([])), "malformed_stream"),
        (lists(json!([])), "malformed_stream"),
        (lists(json!([7, {"id": 7}])), "malformed_stream"),
        (page(endless), "malformed_stream"),
    ] {
        world.clock.pass(DAY_MS);
        let n_requests = world.line.0.n_requests();
        world.line.0.will(answer);
        assert!(refresh(&memory), "{code}");
        assert_eq!(world.line.0.n_requests(), n_requests + 1, "it is sent once");
        let trouble = memory.status().models.trouble;
        assert_eq!(trouble.as_ref().map(Error::code), Some(code));
        assert_eq!(memory.models(), before);
        assert!(!refresh(&memory), "not again on the same day");
        assert_eq!(world.clock.0.slept.borrow().len(), 0);
    }
    world.line.0.will(says("Hello."));
    send(&memory, None, "hello").0.unwrap();

    // What can not be kept is known until the page closes.
    world.clock.pass(DAY_MS);
    world.store.writes_fail.replace(Some(Error::QuotaExceeded {
        message: "full".into(),
    }));
    world.line.0.will(lists(json!([next(700_000)])));
    assert!(refresh(&memory));
    assert_eq!(window(&memory, "claude-next-9"), Some(700_000));
    assert_eq!(memory.status().models.trouble, None);
    assert_eq!(window(&world.open(), "claude-next-9"), Some(400_000));
}

#[test]
fn an_endpoint_that_always_has_one_more_is_left_in_the_end() {
    let world = World::new();
    let memory = world.open();
    for _ in 0..20 {
        world.line.0.will(page(
            json!({"data": [next(400_000)], "has_more": true, "last_id": "claude-next-9"}),
        ));
    }
    assert!(refresh(&memory));
    assert_eq!(world.line.0.n_requests(), 4);
    assert_eq!(window(&memory, "claude-next-9"), Some(400_000));
}

#[test]
fn nothing_is_asked_or_used_where_that_is_turned_off_and_nothing_kept_where_nothing_is() {
    let world = World::new();
    world.line.0.will(lists(json!([next(400_000)])));
    let stateless = world.open_preset(Preset::Stateless);
    assert!(refresh(&stateless));
    assert_eq!(window(&stateless, "claude-next-9"), Some(400_000));
    assert_eq!(world.n_stored(Kind::Segment), 0);

    world.line.0.will(lists(json!([next(400_000)])));
    assert!(refresh(&world.open()));
    let off = world.open_with_config(config(|config| config.refreshes_models = false), true);
    assert!(!refresh(&off));
    assert_eq!(off.models().len(), MODELS.len());
    let closed = world.open();
    closed.close();
    world.clock.pass(DAY_MS);
    assert!(!refresh(&closed));
    assert_eq!(world.line.0.n_requests(), 2);
}

/// Opens a memory that knows what the API says of `claude-next-9`, and chats with it.
fn open_next(world: &World, listed: Value, change: impl FnOnce(&mut Config)) -> Memory<TestPorts> {
    let memory = world.open_with_config(
        config(|config| {
            config.model = "claude-next-9".into();
            config.extraction_model = "claude-next-9".into();
            change(config);
        }),
        true,
    );
    world.line.0.will(lists(json!([listed])));
    assert!(refresh(&memory));
    memory
}

/// An answer whose prompt was so long.
fn after_tokens(n: u32) -> Answer {
    let stream = sse(&[json!({"type": "text", "text": "Noted."})]);
    let stream = stream.replace("\"input_tokens\":25", &format!("\"input_tokens\":{n}"));
    Answer::Http(200, vec![], pieces(&stream, 97))
}

#[test]
fn requests_go_by_what_the_api_says() {
    let world = World::new();
    let memory = open_next(&world, next(400_000), |config| {
        config.max_output_tokens = 100_000;
        config.keep_thinking = Some(2);
    });
    world.line.0.will(says("Hello."));
    send(&memory, None, "hello").0.unwrap();
    let body = world.line.0.last_body();
    assert_eq!(body["max_tokens"], 32_000, "no more than the model writes");
    let edits = &body["context_management"]["edits"];
    assert_eq!(edits[0]["type"], "clear_thinking_20251015");

    // Before, and of another model that nobody knows, nothing of this is asked for.
    let before = world.open_with_config(
        config(|config| {
            config.model = "claude-other-9".into();
            config.keep_thinking = Some(2);
        }),
        true,
    );
    world.line.0.will(says("Hello."));
    send(&before, None, "hello").0.unwrap();
    assert_eq!(world.line.0.last_body()["context_management"], Value::Null);
}

#[test]
fn a_narrow_window_compacts_earlier() {
    for (window, prompt_tokens, is_due) in [
        (1_000_000, 120_000, false),
        (1_000_000, 160_000, true),
        (150_000, 100_000, false),
        (150_000, 120_000, true),
    ] {
        let world = World::new();
        let memory = open_next(&world, next(window), |config| {
            config.compaction = Some(Policy {
                strategy: Strategy::Window,
                keep_turns: 2,
                ..Policy::default()
            });
        });
        let mut session = None;
        let mut compacts = false;
        for text in ["one", "two", "three"] {
            assert!(!compacts, "not before there is something to leave out");
            world.line.0.will(after_tokens(prompt_tokens));
            let (sent, events) = send(&memory, session, text);
            session = Some(sent.unwrap().session);
            let is_of_it = |event: &ChatEvent| matches!(event, ChatEvent::Compacting(_));
            compacts = events.iter().any(is_of_it);
        }
        assert_eq!(compacts, is_due, "{prompt_tokens} tokens of {window}");
    }
}

#[test]
fn an_extraction_model_without_schemas_is_told_in_words_and_understood() {
    let world = World::new();
    let mut listed = next(400_000);
    listed["capabilities"]["structured_outputs"] = json!({"supported": false});
    let memory = open_next(&world, listed, |_| {});
    world.line.0.will(says("Noted."));
    send(&memory, None, "my boat is called Aurora").0.unwrap();
    let fact = fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Aurora.",
        "my boat is called Aurora",
    );
    let mut fact = fact;
    fact["turn"] = json!(1);
    let text = format!("```json\n{}\n```", json!({"facts": [fact]}));
    let body = json!({"content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 300, "output_tokens": 40}});
    world.line.0.will(page(body));
    let report = block_on(memory.work(&Cancel::default())).unwrap();
    assert_eq!((report.ran, report.facts), (1, 1));
    let asked = world.line.0.last_body();
    assert_eq!(asked["output_config"], Value::Null);
    assert!(asked["system"].as_str().unwrap().contains("JSON schema"));
}

#[test]
fn what_a_model_costs_is_only_in_the_table() {
    let world = World::new();
    let memory = open_next(&world, next(400_000), |_| {});
    let next = found(&memory, "claude-next-9").unwrap();
    assert_eq!(next.info.prices, None);
    world.line.0.will(says("Hello."));
    send(&memory, None, "hello").0.unwrap();
    let spent = usages(&memory, UsageFilter::default());
    assert_eq!(spent[0].purpose, Purpose::Chat);
    assert_eq!(
        onhand::usage::cost_of(&spent[0]),
        None,
        "said to be unknown"
    );
    let sonnet = found(&memory, "claude-sonnet-5-5").unwrap();
    assert_eq!(sonnet.info.prices, model("claude-sonnet-5-5").prices);

    // A daily limit could not be kept with it: nothing is sent.
    let limited = world.open_with_config(config(|config| config.daily_limit_usd = Some(1.0)), true);
    assert!(found(&limited, "claude-next-9").is_some());
    let request = onhand::memory::Send {
        text: "hello".into(),
        model: Some("claude-next-9".into()),
        ..Default::default()
    };
    let n_requests = world.line.0.n_requests();
    let sent = block_on(limited.send(&request, &Cancel::default(), |_| {}));
    assert!(matches!(
        sent,
        Err(Error::InvalidInput {
            field: "dailyLimit",
            ..
        })
    ));
    assert_eq!(world.line.0.n_requests(), n_requests);
}
