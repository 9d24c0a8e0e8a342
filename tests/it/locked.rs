//! A store that is encrypted and has no key: memory says so, the chat goes on, nothing is lost.

use crate::world::*;
use onhand::error::Error;
use onhand::memory::{ChatEvent, Memory, RecallRequest};
use onhand::model::Kind;
use onhand::recall::Level;

fn set_locked(world: &World, locked: bool) {
    let error = locked.then_some(Error::Locked);
    world.store.reads_fail.replace(error.clone());
    world.store.writes_fail.replace(error);
}

fn recalls(memory: &Memory<TestPorts>, query: &str) -> Result<bool, Error> {
    let request = RecallRequest {
        query: query.into(),
        limit: None,
        level: Level::Normal,
        session: None,
    };
    let found = pollster::block_on(memory.recall(&request))?;
    Ok(!found.items.is_empty())
}

fn notices(events: &[ChatEvent]) -> Vec<&Error> {
    let notices = events.iter().filter_map(|event| match event {
        ChatEvent::Notice(error) => Some(error),
        _ => None,
    });
    notices.collect()
}

/// A store that knows the code of the boat house.
fn world() -> World {
    let world = World::new();
    world.line.0.will(says("Noted."));
    send(&world.open(), None, "the boat house code is 4471")
        .0
        .unwrap();
    world
}

#[test]
fn a_locked_store_opens_as_a_locked_memory_and_the_key_brings_all_back() {
    let world = world();
    set_locked(&world, true);
    let memory = world.open();
    assert!(memory.is_locked());
    assert_eq!(memory.status().counts.turns, 0);
    assert_eq!(recalls(&memory, "boat house code"), Err(Error::Locked));
    let calls = [
        pollster::block_on(memory.sessions()).map(|_| ()),
        pollster::block_on(memory.work(&Default::default())).map(|_| ()),
        pollster::block_on(memory.verify_audit()).map(|_| ()),
        pollster::block_on(memory.catch_up()).map(|_| ()),
        pollster::block_on(memory.unlocked()),
    ];
    assert_eq!(calls, [const { Err(Error::Locked) }; 5]);
    assert!(memory.is_locked());
    set_locked(&world, false);
    pollster::block_on(memory.unlocked()).unwrap();
    assert_eq!(recalls(&memory, "boat house code"), Ok(true));
    assert_eq!(memory.status().counts.turns, 2);
}

#[test]
fn a_chat_goes_on_while_locked_and_is_written_afterwards() {
    let world = world();
    set_locked(&world, true);
    let memory = world.open();
    world.line.0.will(says("Hello."));
    let (sent, events) = send(&memory, None, "what is the boat house code?");
    let session = sent.unwrap().session;
    assert_eq!(
        notices(&events),
        [&Error::Locked; 2],
        "recalled nothing, saved nothing"
    );
    assert!(!world.line.0.last_body().to_string().contains("4471"));
    world.line.0.will(says("Still here."));
    send(&memory, Some(session), "and now?").0.unwrap();
    let messages = world.line.0.last_body()["messages"].clone();
    assert_eq!(
        messages.as_array().unwrap().len(),
        3,
        "the conversation is whole"
    );
    assert_eq!(world.n_stored(Kind::Turn), 2);

    set_locked(&world, false);
    pollster::block_on(memory.unlocked()).unwrap();
    world.line.0.will(says("Unlocked."));
    let (sent, events) = send(&memory, Some(session), "and the boat house code?");
    sent.unwrap();
    assert!(notices(&events).is_empty());
    assert!(world.line.0.last_body().to_string().contains("4471"));
    assert_eq!(world.n_stored(Kind::Turn), 2 + 6, "all three exchanges");
    assert_eq!(world.n_stored(Kind::Session), 2);
}

#[test]
fn a_session_that_can_not_be_read_is_not_begun_anew() {
    let world = world();
    let session = pollster::block_on(world.open().sessions()).unwrap()[0].0.id;
    set_locked(&world, true);
    let (sent, _) = send(&world.open(), Some(session), "go on");
    assert_eq!(sent.unwrap_err(), Error::Locked);
    assert_eq!(world.line.0.n_requests(), 1);
}

#[test]
fn locking_forgets_what_was_read_and_a_lock_by_another_tab_is_heeded() {
    let world = world();
    let memory = world.open();
    assert_eq!(recalls(&memory, "boat house code"), Ok(true));
    set_locked(&world, true);
    // It shows in the next answer of the store.
    world.line.0.will(says("Yes."));
    send(&memory, None, "are you there?").0.unwrap();
    assert!(memory.is_locked());
    assert_eq!(recalls(&memory, "boat house code"), Err(Error::Locked));
    set_locked(&world, false);
    assert_eq!(
        pollster::block_on(memory.catch_up()),
        Ok(true),
        "opened by another tab"
    );
    assert_eq!(recalls(&memory, "boat house code"), Ok(true));
    memory.lock();
    assert_eq!(memory.facts(), []);
    assert_eq!(recalls(&memory, "boat house code"), Err(Error::Locked));
}
