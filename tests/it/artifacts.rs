//! Large results are kept beside the prompt, and read in ranges.

use crate::loops::{Page, ask, assert_paired, stored_turns};
use crate::world::*;
use onhand::agent::{Limits, MAX_ARTIFACT_BYTES, Preset, reference};
use onhand::erase::Target;
use onhand::error::Error;
use onhand::memory::Memory;
use onhand::model::{Artifact, ArtifactId, Kind, Record, TurnId};
use serde_json::{Value, json};

fn large(id: &str) -> Value {
    tool_use(id, "large", json!({}))
}

fn read(id: &str, artifact: ArtifactId, from: u64, length: u64) -> Value {
    let input = json!({"id": artifact.to_string(), "from": from, "length": length});
    tool_use(id, "read_artifact", input)
}

fn artifacts(world: &World) -> Vec<Artifact> {
    let records = world.stored(Kind::Artifact).into_iter();
    let artifacts = records.map(|record| match record {
        Record::Artifact(artifact) => artifact,
        other => panic!("{other:?}"),
    });
    artifacts.collect()
}

/// The contents of the results in a message of a request.
fn results(body: &Value, message: usize) -> Vec<String> {
    let blocks = body["messages"][message]["content"].as_array().unwrap();
    let text = |block: &Value| block["content"].as_str().unwrap().to_string();
    blocks.iter().map(text).collect()
}

/// The id in the reference that a result holds.
fn id_in(result: &str) -> ArtifactId {
    let rest = result.strip_prefix("[artifact ").expect(result);
    rest.split(',').next().unwrap().parse().unwrap()
}

/// A message in which `large` is called; gives its session's artifact.
fn with_large(world: &World, memory: &Memory<TestPorts>) -> Artifact {
    world
        .line
        .0
        .will(streamed_ending(&[large("toolu_1")], "tool_use"));
    world.line.0.will(says("It is long."));
    ask(memory, &Page::default(), None, Limits::default())
        .0
        .unwrap();
    artifacts(world).pop().unwrap()
}

#[test]
fn a_large_result_is_stored_with_its_exchange_and_read_in_ranges() {
    let world = World::new();
    let memory = world.open();
    world
        .line
        .0
        .will(streamed_ending(&[large("toolu_1")], "tool_use"));
    let page = Page::default();
    world
        .line
        .0
        .will(streamed_ending(&[large("toolu_2")], "tool_use"));
    world.line.0.will(says("It is long."));
    let sent = ask(&memory, &page, None, Limits::default()).0.unwrap();

    let body = world.line.0.last_body();
    assert_paired(&body);
    let [first, second] = [2, 4].map(|message| results(&body, message).remove(0));
    assert!(first.len() < 2_000 && first.ends_with(&"x".repeat(1_000)));
    let stored = artifacts(&world);
    let ids = [id_in(&first), id_in(&second)];
    assert_eq!(stored.len(), 2);
    for (at, (id, shown)) in ids.iter().zip([&first, &second]).enumerate() {
        let artifact = stored.iter().find(|artifact| artifact.id == *id).unwrap();
        assert_eq!(artifact.text, "x".repeat(300_000));
        assert_eq!(artifact.name, "large");
        assert_eq!(artifact.turn, Some(sent.turns[2 + 2 * at]));
        assert_eq!(*shown, reference(artifact));
    }

    // The turn holds the reference and nothing else, so a reload sends the same bytes.
    assert_eq!(stored_turns(&world)[2].1[0]["content"], json!(first));
    let sent_before = body["messages"].clone();
    let memory = world.open();
    world.line.0.will(streamed_ending(
        &[
            read("toolu_3", ids[0], 299_990, 50),
            read("toolu_4", ids[1], 0, 3),
        ],
        "tool_use",
    ));
    world.line.0.will(says("It ends with x."));
    ask(&memory, &page, Some(sent.session), Limits::default())
        .0
        .unwrap();
    let body = world.line.0.last_body();
    let mut again: Vec<Value> = body["messages"].as_array().unwrap()[..5].to_vec();
    let mut before = sent_before.as_array().unwrap().clone();
    again
        .iter_mut()
        .chain(&mut before)
        .for_each(crate::chat::strip_cache_control);
    assert_eq!(again, before);
    assert_eq!(
        results(&body, 8),
        [
            format!(
                "[characters 299990 to 300000 of 300000]\n{}",
                "x".repeat(10)
            ),
            "[characters 0 to 3 of 300000]\nxxx".into(),
        ]
    );
    assert_eq!(
        world.n_stored(Kind::Artifact),
        2,
        "a range is not set aside again"
    );
}

#[test]
fn what_the_disk_refused_is_read_from_memory_and_stored_later() {
    let world = World::new();
    let memory = world.open();
    *world.store.writes_fail.borrow_mut() = Some(Error::QuotaExceeded {
        message: "full".into(),
    });
    world
        .line
        .0
        .will(streamed_ending(&[large("toolu_1")], "tool_use"));
    world.line.0.will(says("It is long."));
    let page = Page::default();
    let sent = ask(&memory, &page, None, Limits::default()).0.unwrap();
    let id = id_in(&results(&world.line.0.last_body(), 2)[0]);
    assert_eq!(world.n_stored(Kind::Artifact), 0);

    *world.store.writes_fail.borrow_mut() = None;
    world
        .line
        .0
        .will(streamed_ending(&[read("toolu_2", id, 0, 2)], "tool_use"));
    world.line.0.will(says("Two."));
    ask(&memory, &page, Some(sent.session), Limits::default())
        .0
        .unwrap();
    assert_eq!(
        results(&world.line.0.last_body(), 6),
        ["[characters 0 to 2 of 300000]\nxx"]
    );
    assert_eq!(artifacts(&world)[0].id, id);
    assert!(pollster::block_on(memory.check()).unwrap().is_clean());
}

#[test]
fn nothing_is_set_aside_where_nothing_is_kept_or_it_could_not_be_read() {
    let world = World::new();
    let memory = world.open_preset(Preset::Stateless);
    world
        .line
        .0
        .will(streamed_ending(&[large("toolu_1")], "tool_use"));
    world.line.0.will(says("It is long."));
    ask(&memory, &Page::default(), None, Limits::default())
        .0
        .unwrap();
    let body = world.line.0.last_body();
    assert!(results(&body, 2)[0].ends_with("smaller part]"));
    assert!(!body["tools"].to_string().contains("read_artifact"));
    assert_eq!(world.n_stored(Kind::Artifact), 0);
    let refused = pollster::block_on(memory.add_artifact("a", "b"));
    assert!(matches!(
        refused,
        Err(Error::InvalidInput {
            field: "preset",
            ..
        })
    ));
}

#[test]
fn a_person_adds_reads_and_removes_artifacts() {
    let world = World::new();
    let memory = world.open();
    let added = pollster::block_on(memory.add_artifact("server.log", "line 1\nline 2")).unwrap();
    let mut listed = Vec::new();
    pollster::block_on(memory.each_artifact(|artifact| listed.push(artifact))).unwrap();
    assert_eq!(listed, std::slice::from_ref(&added));
    assert_eq!(
        pollster::block_on(memory.artifact(added.id)),
        Ok(added.clone())
    );
    for text in ["".to_string(), "x".repeat(MAX_ARTIFACT_BYTES + 1)] {
        let refused = pollster::block_on(memory.add_artifact("a", &text));
        assert!(matches!(
            refused,
            Err(Error::InvalidInput { field: "text", .. })
        ));
    }
    pollster::block_on(memory.remove_artifact(added.id)).unwrap();
    let gone = pollster::block_on(memory.artifact(added.id));
    assert!(matches!(gone, Err(Error::NotFound { .. })));
    let again = pollster::block_on(memory.remove_artifact(added.id));
    assert!(matches!(again, Err(Error::NotFound { .. })));

    // Claude is told, and the exchange goes on.
    world.line.0.will(streamed_ending(
        &[read("toolu_1", added.id, 0, 1)],
        "tool_use",
    ));
    world.line.0.will(says("It is gone."));
    ask(&memory, &Page::default(), None, Limits::default())
        .0
        .unwrap();
    let body = world.line.0.last_body();
    assert_eq!(body["messages"][2]["content"][0]["is_error"], json!(true));
}

#[test]
fn an_artifact_goes_with_its_turn_and_its_session() {
    let world = World::new();
    let memory = world.open();
    let kept = with_large(&world, &memory);
    let gone = with_large(&world, &memory);
    let first = TurnId {
        index: 0,
        ..gone.turn.unwrap()
    };
    pollster::block_on(memory.erase(&Target::Turn(first))).unwrap();
    assert_eq!(artifacts(&world), std::slice::from_ref(&kept));
    pollster::block_on(memory.erase(&Target::Session(kept.turn.unwrap().session))).unwrap();
    assert_eq!(artifacts(&world), []);
    assert!(pollster::block_on(memory.check()).unwrap().is_clean());
}

#[test]
fn erased_words_are_blackened_in_artifacts() {
    let world = World::new();
    let memory = world.open();
    let quote = "my boat is called Zorblax";
    world.line.0.will(says("I see."));
    send(&memory, None, quote).0.unwrap();
    let known = fact("entity", "speaker", "boat", quote, quote);
    world.line.0.will(extracted(json!([known])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let added = format!("before {quote} after");
    let artifact = pollster::block_on(memory.add_artifact("notes", &added)).unwrap();
    let id = memory.facts()[0].id;
    pollster::block_on(memory.erase(&Target::Fact(id))).unwrap();
    let after = pollster::block_on(memory.artifact(artifact.id)).unwrap();
    assert!(!after.text.contains("Zorblax"), "{}", after.text);
    assert!(after.text.starts_with("before ") && after.text.ends_with(" after"));
}
