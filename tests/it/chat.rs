//! The path of a message when all goes well.

use crate::world::*;
use onhand::memory::{ChatEvent, EmbedderState};
use onhand::model::Kind;
use serde_json::{Value, json};

fn newest_user_blocks(body: &Value) -> Vec<String> {
    let messages = body["messages"].as_array().unwrap();
    let content = messages.last().unwrap()["content"].as_array().unwrap();
    content
        .iter()
        .map(|block| block["text"].as_str().unwrap().to_string())
        .collect()
}

fn system_text(body: &Value) -> String {
    let blocks = body["system"].as_array().unwrap().iter();
    blocks
        .map(|block| block["text"].as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Says two things in a first session and lets the extraction model find three facts in them.
fn first_session(world: &World) {
    let memory = world.open();
    world.line.0.will(says("Noted."));
    let (sent, _) = send(&memory, None, "I'm allergic to peanuts; my kid loves blue");
    let session = Some(sent.unwrap().session);
    world.line.0.will(extracted(json!([
        fact(
            "constraint",
            "speaker",
            "allergy",
            "Allergic to peanuts",
            "I'm allergic to peanuts"
        ),
        fact(
            "preference",
            "kid",
            "favourite colour",
            "The user's kid loves blue",
            "my kid loves blue"
        ),
    ])));
    let report = pollster::block_on(memory.work(&Default::default())).unwrap();
    assert_eq!((report.ran, report.facts), (1, 2));
    world.line.0.will(says("Good choice."));
    send(&memory, session, "we run everything on AWS")
        .0
        .unwrap();
    world.line.0.will(extracted(json!([fact(
        "decision",
        "speaker",
        "cloud provider",
        "We run everything on AWS",
        "we run everything on AWS"
    ),])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    assert_eq!(memory.queue(), Default::default());
}

#[test]
fn the_next_session_knows_what_the_first_one_said() {
    let world = World::new();
    first_session(&world);
    world.clock.pass(DAY_MS);

    let memory = world.open();
    world.line.0.will(says("A blue cake without peanuts."));
    let (sent, events) = send(&memory, None, "birthday cake ideas for my kid on Saturday?");
    sent.unwrap();

    let body = world.line.0.last_body();
    let blocks = newest_user_blocks(&body);
    assert_eq!(
        blocks.len(),
        2,
        "the memory block, then the user's own words"
    );
    assert_eq!(blocks[1], "birthday cake ideas for my kid on Saturday?");
    for part in [
        "Allergic to peanuts",
        "The user's kid loves blue",
        "2026-11-20",
        "session",
    ] {
        assert!(blocks[0].contains(part), "{part} is not in:\n{}", blocks[0]);
    }
    assert!(
        !blocks[0].contains("AWS"),
        "what does not fit stays out:\n{}",
        blocks[0]
    );
    let system = system_text(&body);
    for part in [
        "<memory_snapshot taken",
        "we run everything on AWS",
        "Good choice.",
    ] {
        assert!(system.contains(part), "{part} is not in:\n{system}");
    }
    let saved = events
        .iter()
        .any(|event| matches!(event, ChatEvent::Saved(_)));
    assert!(
        saved && matches!(events.last(), Some(ChatEvent::Done(_))),
        "{events:?}"
    );
    let text: String = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(text, "A blue cake without peanuts.");
}

#[test]
fn without_an_embedding_table_keywords_still_find_both_facts() {
    let world = World::new();
    first_session(&world);
    let memory = world.open_with(false);
    assert_eq!(memory.status().embedder.state, EmbedderState::Missing);
    world.line.0.will(says("Yes."));
    send(&memory, None, "birthday cake ideas for my kid on Saturday?")
        .0
        .unwrap();
    let block = newest_user_blocks(&world.line.0.last_body()).remove(0);
    assert!(
        block.contains("peanuts") && block.contains("blue"),
        "{block}"
    );
}

#[test]
fn a_changed_fact_keeps_both_versions_and_the_newer_one_leads() {
    let world = World::new();
    first_session(&world);
    world.clock.pass(DAY_MS);
    let memory = world.open();
    world.line.0.will(says("A big step."));
    send(&memory, None, "we moved to GCP last month").0.unwrap();

    let mut moved = fact(
        "decision",
        "speaker",
        "cloud provider",
        "We moved to GCP",
        "we moved to GCP last month",
    );
    // The model names the known fact by the short id that the request gave it.
    let input = {
        world.line.0.will(Answer::Down);
        world.line.0.will(Answer::Down);
        world.line.0.will(Answer::Down);
        pollster::block_on(memory.work(&Default::default())).unwrap();
        world.line.0.last_body()["messages"][0]["content"].to_string()
    };
    let known = input.split("We run everything on AWS").next().unwrap();
    let start = known
        .rfind("\\\"id\\\":\\\"")
        .expect("the known fact is listed")
        + 9;
    let short_id = known[start..].split('\\').next().unwrap();
    moved["supersedes"] = json!(short_id);
    pollster::block_on(memory.retry_jobs()).unwrap();
    world.line.0.will(extracted(json!([moved])));
    let report = pollster::block_on(memory.work(&Default::default())).unwrap();
    assert_eq!(
        report.facts, 2,
        "the new version, and the link on the old one"
    );

    world.clock.pass(DAY_MS);
    let memory = world.open();
    world.line.0.will(says("On GCP."));
    send(&memory, None, "which cloud provider do we use?")
        .0
        .unwrap();
    let block = newest_user_blocks(&world.line.0.last_body()).remove(0);
    let (gcp, aws) = (
        block.find("We moved to GCP").unwrap(),
        block.find("on AWS").unwrap(),
    );
    assert!(gcp < aws, "the newer version leads:\n{block}");

    let facts = memory.facts();
    let current: Vec<&str> = facts
        .iter()
        .filter(|fact| fact.is_current() && fact.attribute == "cloud provider")
        .map(|fact| fact.statement.as_str())
        .collect();
    assert_eq!(current, ["We moved to GCP"]);
    let newest = facts
        .iter()
        .find(|fact| fact.statement == "We moved to GCP")
        .unwrap();
    let history = memory.fact_history(newest.id).unwrap();
    assert_eq!(history.len(), 2);
}

#[test]
fn the_prompt_only_grows_also_over_a_reload() {
    let world = World::new();
    first_session(&world);
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "c2ln"});
    let odd = json!({"type": "future_block", "data": {"2": 1, "1": [0.1, 1e21, 12345678901234567890u64]}});
    let mut memory = world.open();
    let mut session = None;
    let mut earlier: Option<Value> = None;
    for (n, text) in [
        "cake for my kid?",
        "and drinks?",
        "what about AWS costs?",
        "thanks",
    ]
    .iter()
    .enumerate()
    {
        let reply = json!({"type": "text", "text": format!("Answer {n} ünïcode 🎂")});
        world
            .line
            .0
            .will(streamed(&[thinking.clone(), odd.clone(), reply.clone()], 5));
        session = Some(send(&memory, session, text).0.unwrap().session);
        let mut body = world.line.0.last_body();
        strip_cache_control(&mut body);
        if let Some(earlier) = earlier {
            assert_eq!(body["system"].to_string(), earlier["system"].to_string());
            let mut expected = earlier["messages"].as_array().unwrap().clone();
            let before = json!(format!("Answer {} ünïcode 🎂", n - 1));
            let mut last_reply = reply.clone();
            last_reply["text"] = before;
            expected.push(json!({"role": "assistant", "content": [thinking, odd, last_reply]}));
            let grown = &body["messages"].as_array().unwrap()[..expected.len()];
            assert_eq!(
                json!(grown).to_string(),
                json!(expected).to_string(),
                "byte for byte"
            );
        }
        earlier = Some(body);
        world.clock.pass(60_000);
        // Every other message comes after the page was loaded again.
        if n % 2 == 1 {
            memory = world.open();
        }
    }
}

#[test]
fn what_the_session_was_told_once_is_not_told_again() {
    let world = World::new();
    first_session(&world);
    let memory = world.open();
    world.line.0.will(says("Blue."));
    let session = send(&memory, None, "birthday cake ideas for my kid?")
        .0
        .unwrap()
        .session;
    world.line.0.will(says("Blue again."));
    send(&memory, Some(session), "and what else for my kid?")
        .0
        .unwrap();
    let blocks = newest_user_blocks(&world.line.0.last_body());
    assert!(
        !blocks.iter().any(|block| block.contains("loves blue")),
        "{blocks:?}"
    );
}

#[test]
fn a_first_message_to_an_empty_memory_carries_no_block() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says("Hello."));
    let (sent, events) = send(&memory, None, "Hello there");
    sent.unwrap();
    let body = world.line.0.last_body();
    assert_eq!(newest_user_blocks(&body), ["Hello there"]);
    assert!(!system_text(&body).contains("<memory_snapshot taken"));
    assert!(events.contains(&ChatEvent::Memory {
        block: None,
        place: onhand::block::Place::User,
        tokens: 0,
        items: vec![],
        partial: None,
    }));
    for (kind, n) in [
        (Kind::Session, 1),
        (Kind::Turn, 2),
        (Kind::Job, 1),
        (Kind::Usage, 1),
        (Kind::Injection, 0),
    ] {
        assert_eq!(world.n_stored(kind), n, "{kind:?}");
    }
}

#[test]
fn memory_never_becomes_a_message_of_another_session() {
    let world = World::new();
    first_session(&world);
    let memory = world.open();
    world.line.0.will(says("Hi."));
    send(&memory, None, "hello again").0.unwrap();
    let body = world.line.0.last_body();
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn remembered_turns_are_recalled_at_once_and_read_for_facts_later() {
    use onhand::memory::{RecallRequest, SpokenTurn};
    use onhand::model::Role;
    let world = World::new();
    let memory = world.open();
    let turns = [SpokenTurn {
        role: Role::User,
        text: "The alarm code of the boat house is 4471".into(),
    }];
    let (_, ids) = pollster::block_on(memory.remember(None, &turns)).unwrap();
    let request = RecallRequest {
        query: "what is the alarm code?".into(),
        limit: None,
        level: onhand::recall::Level::Normal,
        session: None,
    };
    let found = pollster::block_on(memory.recall(&request)).unwrap();
    assert_eq!(found.items[0].turn.as_ref().unwrap().id, ids[0]);
    assert_eq!(memory.queue().waiting, 1);
    assert_eq!(world.line.0.n_requests(), 0, "recording talks to nobody");
}

pub fn strip_cache_control(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.shift_remove("cache_control");
            map.values_mut().for_each(strip_cache_control);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_cache_control),
        _ => {}
    }
}

#[test]
fn the_graph_finds_what_the_scan_finds() {
    use onhand::index::Mode;
    use onhand::memory::{RecallRequest, SpokenTurn};
    use onhand::model::Role;
    let world = World::new();
    let turns: Vec<SpokenTurn> = (0..1_200)
        .map(|n| SpokenTurn {
            role: Role::User,
            text: format!(
                "Note {n}: the {} of room {} is {}",
                ["lamp", "chair", "door"][n % 3],
                n / 3,
                ["red", "old", "new", "open"][n % 4]
            ),
        })
        .collect();
    pollster::block_on(world.open().remember(None, &turns)).unwrap();
    world.line.0.will(extracted(json!([])));
    let memory = world.open_as(true, Mode::Hnsw);
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let request = RecallRequest {
        query: "is the door of room 77 open?".into(),
        limit: None,
        level: onhand::recall::Level::Normal,
        session: None,
    };
    let walked = pollster::block_on(memory.recall(&request)).unwrap();
    let scanned = pollster::block_on(world.open().recall(&request)).unwrap();
    assert_eq!(
        walked.items[0].recalled.record,
        scanned.items[0].recalled.record
    );
    assert_eq!(walked.items.len(), scanned.items.len());
}
