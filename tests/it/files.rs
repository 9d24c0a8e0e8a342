//! Claude's memory tool on a store, in one tab and in two.

use crate::world::*;
use onhand::batch::Durability;
use onhand::error::Error;
use onhand::files::Answer;
use onhand::memory::Memory;
use onhand::model::Kind;
use onhand::store::{Range, Store};
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

const NOTES: &str = "/memories/notes.md";

fn create(path: &str, text: &str) -> Value {
    json!({"command": "create", "path": path, "file_text": text})
}

fn insert(path: &str, line: u32, text: &str) -> Value {
    json!({"command": "insert", "path": path, "insert_line": line, "insert_text": text})
}

fn run(memory: &Memory<TestPorts>, input: &Value) -> Answer {
    pollster::block_on(memory.run_file_command(input)).unwrap()
}

/// The answers to calls that are made at once.
fn at_once(calls: &[(&Memory<TestPorts>, Value)]) -> Vec<Answer> {
    type Call<'a> = Pin<Box<dyn Future<Output = Result<Answer, Error>> + 'a>>;
    let mut calls: Vec<Call> = calls
        .iter()
        .map(|(memory, input)| Box::pin(memory.run_file_command(input)) as Call)
        .collect();
    let mut answers: Vec<Option<Answer>> = calls.iter().map(|_| None).collect();
    pollster::block_on(std::future::poll_fn(move |context| {
        for (call, answer) in calls.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(done) = call.as_mut().poll(context)
            {
                *answer = Some(done.unwrap());
            }
        }
        match answers.iter().all(Option::is_some) {
            true => Poll::Ready(answers.iter_mut().filter_map(Option::take).collect()),
            false => Poll::Pending,
        }
    }))
}

#[test]
fn what_is_answered_as_done_is_on_disk() {
    let world = World::new();
    // Without an embedder, whose vectors are written after the file and are no user's data.
    let memory = world.open_with(false);
    assert!(!run(&memory, &create(NOTES, "tea\n")).is_error);
    run(&memory, &insert(NOTES, 1, "no milk"));
    assert_eq!(world.n_stored(Kind::File), 1);
    let durabilities = world.store.durabilities.borrow();
    assert_eq!(durabilities[..], [Durability::Strict; 2]);
    let reopened = world.open();
    assert_eq!(reopened.read_file(NOTES).unwrap().text, "tea\nno milk\n");
    assert_eq!(reopened.status().counts.files, 1);
}

#[test]
fn looking_writes_nothing() {
    let world = World::new();
    let memory = world.open();
    run(&memory, &json!({"command": "view", "path": "/memories"}));
    run(&memory, &json!({"command": "view", "path": NOTES}));
    run(&memory, &json!({"command": "dance"}));
    assert_eq!(world.store.durabilities.borrow().len(), 0);
}

#[test]
fn a_disk_that_refuses_is_an_error_and_changes_nothing() {
    let world = World::new();
    let memory = world.open();
    let full = Error::QuotaExceeded {
        message: "full".into(),
    };
    world.store.writes_fail.replace(Some(full.clone()));
    let refused = pollster::block_on(memory.run_file_command(&create(NOTES, "tea")));
    assert_eq!(refused, Err(full));
    assert!(memory.files().unwrap().is_empty());
    world.store.writes_fail.replace(None);
    assert!(!run(&memory, &create(NOTES, "tea")).is_error);
}

#[test]
fn calls_of_one_turn_are_carried_out_one_by_one() {
    let world = World::new();
    let memory = world.open();
    run(&memory, &create(NOTES, ""));
    world.store.takes_time.set(true);
    let lines = ["one", "two", "three", "four", "five"];
    let calls = lines.map(|line| (&memory, insert(NOTES, 0, line)));
    assert!(at_once(&calls).iter().all(|answer| !answer.is_error));
    // Each found what the one before had left.
    assert_eq!(
        memory.read_file(NOTES).unwrap().text,
        "five\nfour\nthree\ntwo\none"
    );
}

#[test]
fn two_tabs_that_create_one_file_at_once_are_told_apart() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    world.store.takes_time.set(true);
    let answers = at_once(&[
        (&one, create(NOTES, "from one")),
        (&other, create(NOTES, "from the other")),
    ]);
    assert_eq!(
        answers[0].text,
        "File created successfully at: /memories/notes.md"
    );
    assert_eq!(
        answers[1].text,
        "Error: File /memories/notes.md already exists"
    );
    assert_eq!(other.read_file(NOTES).unwrap().text, "from one");
}

#[test]
fn a_tab_sees_what_another_one_wrote_before_it_writes() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    run(&one, &create(NOTES, "tea\n"));
    run(&other, &insert(NOTES, 1, "coffee"));
    run(&one, &insert(NOTES, 0, "drinks:"));
    assert_eq!(one.read_file(NOTES).unwrap().text, "drinks:\ntea\ncoffee\n");
    let rename = json!({"command": "rename", "old_path": NOTES, "new_path": "/memories/drinks.md"});
    run(&one, &rename);
    pollster::block_on(other.catch_up()).unwrap();
    assert_eq!(other.files(), one.files());
    assert_eq!(world.n_stored(Kind::File), 1);
}

#[test]
fn the_page_writes_reads_renames_and_removes() {
    let world = World::new();
    let memory = world.open();
    let write = |path, text| pollster::block_on(memory.write_file(path, text));
    let first = write("/memories/a/x", "1").unwrap();
    world.clock.pass(1_000);
    let second = write("/memories/a/x/", "2").unwrap();
    assert_eq!((second.created, &*second.text), (first.created, "2"));
    assert!(second.modified > first.modified);
    write("/memories/a/y", "3").unwrap();

    pollster::block_on(memory.rename_file("/memories/a", "/memories/b")).unwrap();
    let paths = |memory: &Memory<TestPorts>| {
        let files = memory.files().unwrap().into_iter();
        files.map(|file| file.path).collect::<Vec<_>>()
    };
    assert_eq!(paths(&memory), ["/memories/b/x", "/memories/b/y"]);
    pollster::block_on(memory.remove_file("/memories/b/x")).unwrap();
    assert_eq!(paths(&memory), ["/memories/b/y"]);
    assert_eq!(paths(&world.open()), ["/memories/b/y"]);
}

#[test]
fn what_the_page_asks_wrongly_is_an_error_with_a_code() {
    let world = World::new();
    let memory = world.open();
    pollster::block_on(memory.write_file(NOTES, "tea")).unwrap();
    let missing = Error::NotFound {
        what: "memory file /memories/other".into(),
    };
    assert_eq!(memory.read_file("/memories/other"), Err(missing.clone()));
    let removed = pollster::block_on(memory.remove_file("/memories/other"));
    assert_eq!(removed, Err(missing));
    let invalid = |field, reason: &str| Error::InvalidInput {
        field,
        reason: reason.into(),
    };
    let outside = pollster::block_on(memory.write_file("/etc/passwd", "x"));
    let reason = "Path must start with /memories, got: /etc/passwd";
    assert_eq!(outside, Err(invalid("path", reason)));
    let large = pollster::block_on(memory.write_file(NOTES, &"x".repeat(65_537)));
    let reason = "The file would be larger than 64 KiB. Split it, or keep less in it";
    assert_eq!(large, Err(invalid("text", reason)));
    let taken = pollster::block_on(memory.rename_file(NOTES, NOTES));
    let reason = "The destination /memories/notes.md already exists";
    assert_eq!(taken, Err(invalid("path", reason)));
    memory.close();
    assert_eq!(memory.files(), Err(Error::Closed));
    let closed = pollster::block_on(memory.run_file_command(&create(NOTES, "x")));
    assert_eq!(closed, Err(Error::Closed));
}

#[test]
fn files_of_another_project_are_not_seen() {
    let world = World::new();
    run(&world.open(), &create(NOTES, "mine"));
    let mut project = namespace();
    project.project = "other".into();
    let other = world.open_in(project, true);
    assert!(other.files().unwrap().is_empty());
    assert!(!run(&other, &create(NOTES, "theirs")).is_error);
    assert_eq!(world.open().read_file(NOTES).unwrap().text, "mine");
}

#[test]
fn a_memory_file_comes_to_mind_with_the_message_it_fits() {
    let world = World::new();
    let memory = world.open();
    run(
        &memory,
        &create(
            "/memories/deploy.md",
            "Push to staging, wait for the smoke test, then tag the release.\n",
        ),
    );
    world.line.0.will(says("As noted."));
    let (sent, _) = send(&memory, None, "how do we deploy to staging?");
    let body = world.line.0.last_body();
    let block = body["messages"][0]["content"][0]["text"].as_str().unwrap();
    let line = "- memory file “/memories/deploy.md”: “Push to staging, wait for the smoke test, then tag the release.” (written 2026-11-20)";
    assert!(block.contains(line), "{block}");
    // What is in the prompt is not put there again.
    world.line.0.will(says("Still."));
    send(
        &memory,
        Some(sent.unwrap().session),
        "and after staging, how do we deploy?",
    )
    .0
    .unwrap();
    let body = world.line.0.last_body();
    let newest = body["messages"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .to_string();
    assert!(!newest.contains("smoke test"), "{newest}");
    // Another tab, and the next visit, know it too.
    let found = pollster::block_on(world.open().block("the smoke test on staging", None)).unwrap();
    let item = &found.items[0];
    assert_eq!(item.file.as_ref().unwrap().path, "/memories/deploy.md");
    assert_eq!(
        item.excerpt.as_deref(),
        Some("Push to staging, wait for the smoke test, then tag the release.")
    );
}

#[test]
fn what_a_file_no_longer_says_leaves_no_vector() {
    let world = World::new();
    let memory = world.open();
    run(&memory, &create(NOTES, "The boat lies at berth seven."));
    assert_eq!(world.n_stored(Kind::Vector), 1);
    let vector = || {
        let (namespace, range) = (namespace(), Range::default());
        let scan = world.store.inner.scan(&namespace, Kind::Vector, &range);
        pollster::block_on(scan).unwrap().records
    };
    let before = vector();
    run(
        &memory,
        &json!({"command": "str_replace", "path": NOTES, "old_str": "boat", "new_str": "violin"}),
    );
    let after = vector();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].name(), before[0].name());
    assert_ne!(after, before, "it stands for the new text");
    run(
        &memory,
        &json!({"command": "rename", "old_path": NOTES, "new_path": "/memories/b"}),
    );
    assert_eq!(world.n_stored(Kind::Vector), 1);
    run(
        &memory,
        &json!({"command": "delete", "path": "/memories/b"}),
    );
    assert_eq!(world.n_stored(Kind::Vector), 0);
}
