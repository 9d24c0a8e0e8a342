//! What the audit tells afterwards: every change, and everything that went to Claude beside the words.

use crate::world::*;
use onhand::memory::{AuditItem, AuditReport, Memory};
use onhand::model::{Action, Kind, Origin};
use serde_json::json;

fn audit(memory: &Memory<TestPorts>) -> Vec<AuditItem> {
    pollster::block_on(memory.audit(0, usize::MAX)).unwrap()
}

fn actions(memory: &Memory<TestPorts>) -> Vec<Action> {
    let items = audit(memory);
    items
        .iter()
        .map(|item| item.content.as_ref().unwrap().action)
        .collect()
}

/// A memory that knows of a boat, told in a session of its own.
fn with_boat(world: &World) -> Memory<TestPorts> {
    let memory = world.open();
    world.line.0.will(says("Noted."));
    send(&memory, None, "my boat is called Aurora").0.unwrap();
    world.line.0.will(extracted(json!([fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Aurora",
        "my boat is called Aurora"
    )])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    memory
}

#[test]
fn every_change_has_its_entry_and_the_chain_holds() {
    let world = World::new();
    let memory = with_boat(&world);
    let id = memory.facts()[0].id;
    pollster::block_on(memory.mark_stale(id, "sold it", Origin::Manual)).unwrap();
    pollster::block_on(memory.restore_fact(id)).unwrap();
    pollster::block_on(memory.correct(id, "The boat is called Borealis")).unwrap();
    let expected = [
        Action::Chat,
        Action::Extract,
        Action::MarkStale,
        Action::Restore,
        Action::Correct,
    ];
    assert_eq!(actions(&memory), expected);
    let whole = AuditReport {
        entries: 5,
        erased: 0,
        broken: None,
    };
    assert_eq!(pollster::block_on(memory.verify_audit()), Ok(whole));
    for item in audit(&memory) {
        let text = item.entry.content.unwrap();
        for said in ["Aurora", "Borealis", "sold", "Noted"] {
            assert!(!text.contains(said), "{text}");
        }
    }
}

#[test]
fn what_a_message_carried_is_noted_with_its_scores() {
    let world = World::new();
    let memory = with_boat(&world);
    world.line.0.will(says("Aurora."));
    let (sent, _) = send(&memory, None, "what is my boat called?");
    let turn = format!("turn:{}", sent.unwrap().turns[0]);
    let content = audit(&memory).pop().unwrap().content.unwrap();
    assert_eq!(content.action, Action::Chat);
    let fact = format!("fact:{}", memory.facts()[0].id);
    let shown: Vec<_> = content
        .surfaced
        .iter()
        .filter(|shown| shown.request == turn)
        .collect();
    assert!(
        shown
            .iter()
            .any(|shown| shown.record.to_string() == fact && shown.score > Some(0.0)),
        "{shown:?}"
    );
    let snapshot = content
        .surfaced
        .iter()
        .filter(|shown| shown.request.starts_with("session:"));
    assert_eq!(snapshot.count(), 2, "the turns of the session before");
}

#[test]
fn what_went_out_in_vain_is_noted_too() {
    let world = World::new();
    let memory = with_boat(&world);
    world
        .line
        .0
        .will(Answer::Broken(pieces("event: ping\n", 5)));
    let before = audit(&memory).len();
    let (sent, _) = send(&memory, None, "what is my boat called?");
    assert!(sent.is_err());
    let items = audit(&memory);
    assert_eq!(items.len(), before + 1);
    let content = items.last().unwrap().content.as_ref().unwrap();
    assert_eq!(content.action, Action::ChatFailed);
    assert!(content.changes.is_empty() && !content.surfaced.is_empty());

    world
        .line
        .0
        .will(Answer::Broken(pieces("event: ping\n", 5)));
    let (sent, _) = send(&memory, None, "xyzzy");
    assert!(sent.is_err());
    assert_eq!(audit(&memory).len(), before + 1, "nothing was shown");
}

#[test]
fn what_a_request_for_facts_carried_is_noted() {
    let world = World::new();
    let memory = with_boat(&world);
    world.line.0.will(says("Nice."));
    send(&memory, None, "my boat is blue now").0.unwrap();
    world.line.0.will(extracted(json!([])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let content = audit(&memory).pop().unwrap().content.unwrap();
    assert_eq!(content.action, Action::Extract);
    let [shown] = &content.surfaced[..] else {
        panic!("{:?}", content.surfaced)
    };
    assert!(shown.request.starts_with("job:"));
    assert_eq!(
        shown.record.to_string(),
        format!("fact:{}", memory.facts()[0].id)
    );
}

#[test]
fn the_entries_that_tell_of_a_record_are_found() {
    let world = World::new();
    let memory = with_boat(&world);
    let fact = (Kind::Fact, memory.facts()[0].id.to_string());
    assert_eq!(
        pollster::block_on(memory.audit_concerning(&[fact])),
        Ok(vec![2])
    );
    let nothing = [(Kind::Turn, "x".to_string())];
    assert_eq!(
        pollster::block_on(memory.audit_concerning(&nothing)),
        Ok(vec![])
    );
}

#[test]
fn two_tabs_write_one_chain() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    for memory in [&one, &other, &one] {
        world.line.0.will(says("Hello."));
        send(memory, None, "hello").0.unwrap();
    }
    let report = pollster::block_on(one.verify_audit()).unwrap();
    assert_eq!((report.entries, report.broken), (3, None));
}
