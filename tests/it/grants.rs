//! Reading another project, where it is granted.

use crate::world::*;
use onhand::erase::Target;
use onhand::error::Error;
use onhand::memory::{Grants, Memory, RecallRequest, SpokenTurn, TurnFilter};
use onhand::model::{Namespace, Role};
use onhand::recall::Level;
use onhand::store::Store;
use pollster::block_on;

fn namespace_of(user: &str, project: &str) -> Namespace {
    Namespace {
        user: user.into(),
        project: project.into(),
    }
}

fn spoken(memory: &Memory<TestPorts>, text: &str) {
    let turn = SpokenTurn {
        role: Role::User,
        text: text.into(),
    };
    block_on(memory.remember(None, &[turn])).unwrap();
}

fn request(query: &str) -> RecallRequest {
    RecallRequest {
        query: query.into(),
        limit: None,
        level: Level::Loose,
        session: None,
    }
}

/// What recall finds over these projects: whose, and what was said.
fn found(
    memory: &Memory<TestPorts>,
    grants: &Grants<TestPorts>,
    projects: &[&str],
) -> Result<Vec<(String, String)>, Error> {
    let projects: Vec<String> = projects.iter().map(|name| (*name).into()).collect();
    let found = block_on(grants.recall(memory, &request("where does the boat leak?"), &projects))?;
    let said = found.into_iter().map(|found| {
        let text = found.item.turn.map(|turn| turn.text()).unwrap_or_default();
        (found.project, text)
    });
    Ok(said.collect())
}

/// A store in which two projects of one user, and another user, talk of boats.
fn harbour() -> World {
    let world = World::new();
    for (user, project) in [("me", "default"), ("me", "work"), ("ada", "work")] {
        let memory = world.open_in(namespace_of(user, project), true);
        spoken(
            &memory,
            &format!("the boat of {user} at {project} leaks at the bow"),
        );
    }
    world
}

#[test]
fn a_granted_project_is_recalled_beside_the_own_one_and_named() {
    let world = harbour();
    let memory = world.open_granted(namespace(), &["work"], true);
    let grants = Grants::default();
    let own = (
        "default".to_string(),
        "the boat of me at default leaks at the bow".to_string(),
    );
    let work = (
        "work".to_string(),
        "the boat of me at work leaks at the bow".to_string(),
    );
    let mut both = found(&memory, &grants, &["work"]).unwrap();
    both.sort();
    assert_eq!(both, [own.clone(), work.clone()]);
    let mut named_twice = found(&memory, &grants, &["default", "work", "work"]).unwrap();
    named_twice.sort();
    assert_eq!(named_twice, both);
    assert_eq!(found(&memory, &grants, &[]).unwrap(), [own]);
    // Nothing of it comes up unasked.
    let alone = block_on(memory.recall(&request("where does the boat leak?"))).unwrap();
    assert_eq!(alone.items.len(), 1);
    let block = block_on(memory.block("where does the boat leak?", None)).unwrap();
    assert!(!block.block.unwrap().text.contains("work"));
    // The best of both come first, and no more than were asked for.
    let one = RecallRequest {
        limit: Some(1),
        ..request("what leaks at work?")
    };
    let best = block_on(grants.recall(&memory, &one, &["work".into()])).unwrap();
    assert_eq!((best.len(), best[0].project.as_str()), (1, "work"));
}

#[test]
fn without_a_grant_nothing_is_read() {
    let world = harbour();
    let memory = world.open_granted(namespace(), &["work"], true);
    let grants = Grants::default();
    for projects in [&["other"][..], &["work", "other"], &["Work"], &[""]] {
        let error = found(&memory, &grants, projects).unwrap_err();
        assert_eq!(error.code(), "not_granted", "{projects:?}");
    }
    let error = block_on(grants.of(&memory, "default")).err().unwrap();
    assert_eq!(error.code(), "not_granted", "the own one needs no door");
    // A grant is of one direction, and of one user.
    let work = world.open_in(namespace_of("me", "work"), true);
    let error = found(&work, &Grants::default(), &["default"]).unwrap_err();
    assert_eq!(error.code(), "not_granted");
    let stranger = world.open_granted(namespace_of("ada", "home"), &["work"], true);
    let read = found(&stranger, &Grants::default(), &["work"]).unwrap();
    assert_eq!(read.len(), 1);
    assert!(read[0].1.contains("ada"));
}

#[test]
fn a_granted_project_is_listed_and_stays_as_it_is() {
    let world = harbour();
    let commits = block_on(world.store.last_commit()).unwrap();
    // Without the table the texts have no vectors; the reader has it and makes none.
    let plain = world.open_in(namespace_of("me", "work"), false);
    spoken(&plain, "the mast is of oak");
    let commits_then = block_on(world.store.last_commit()).unwrap();
    assert!(commits_then > commits);
    let memory = world.open_granted(namespace(), &["work"], true);
    let grants = Grants::default();
    let granted = block_on(grants.of(&memory, "work")).unwrap();
    let page = block_on(granted.find_turns(&TurnFilter::default())).unwrap();
    assert_eq!(page.turns.len(), 2);
    assert_eq!(block_on(granted.sessions()).unwrap().len(), 2);
    let turn = block_on(granted.turn(page.turns[0].id)).unwrap();
    assert_eq!(turn.as_ref(), Some(&page.turns[0]));
    assert_eq!(
        (granted.facts().len(), granted.files().unwrap().len()),
        (0, 0)
    );
    block_on(granted.recall(&request("what is the mast of?"))).unwrap();
    assert_eq!(block_on(world.store.last_commit()).unwrap(), commits_then);
    assert_eq!(granted.project(), "work");
}

#[test]
fn what_is_said_and_erased_there_meanwhile_shows() {
    let world = harbour();
    let memory = world.open_granted(namespace(), &["work"], true);
    let grants = Grants::default();
    assert_eq!(found(&memory, &grants, &["work"]).unwrap().len(), 2);
    let work = world.open_in(namespace_of("me", "work"), true);
    spoken(&work, "the second boat leaks at the stern");
    assert_eq!(found(&memory, &grants, &["work"]).unwrap().len(), 3);
    block_on(work.erase(&Target::Project)).unwrap();
    let left = found(&memory, &grants, &["work"]).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, "default");
}

#[test]
fn exporting_and_erasing_do_not_cross_a_grant() {
    let world = harbour();
    let memory = world.open_granted(namespace(), &["work"], true);
    let export = crate::transfer::export(&memory);
    assert!(export.contains("at default") && !export.contains("at work"));
    block_on(memory.erase(&Target::Project)).unwrap();
    let left = found(&memory, &Grants::default(), &["work"]).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, "work");
}

#[test]
fn a_memory_that_is_closed_opens_no_door() {
    let world = harbour();
    let memory = world.open_granted(namespace(), &["work"], true);
    let grants = Grants::default();
    found(&memory, &grants, &["work"]).unwrap();
    memory.close();
    let error = found(&memory, &grants, &["work"]).unwrap_err();
    assert_eq!(error.code(), "closed");
}
