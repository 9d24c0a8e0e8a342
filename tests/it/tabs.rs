//! Two tabs on one store.

use crate::world::*;
use onhand::batch::{Batch, Durability};
use onhand::error::Error;
use onhand::memory::RecallRequest;
use onhand::model::{Kind, Origin};
use onhand::recall::Level;
use onhand::store::{COMMITS_KEPT, Store};

#[test]
fn a_tab_that_catches_up_recalls_what_the_other_one_heard() {
    let world = World::new();
    let (one, other) = (world.open(), world.open());
    assert_eq!(pollster::block_on(other.catch_up()), Ok(false));
    world.line.0.will(says("Noted."));
    send(&one, None, "the alarm code of the boat house is 4471")
        .0
        .unwrap();
    let request = RecallRequest {
        query: "what is the alarm code?".into(),
        limit: None,
        level: Level::Normal,
        session: None,
    };
    assert!(
        pollster::block_on(other.recall(&request))
            .unwrap()
            .items
            .is_empty()
    );
    assert_eq!(pollster::block_on(other.catch_up()), Ok(true));
    let found = pollster::block_on(other.recall(&request)).unwrap();
    assert!(format!("{:?}", found.items[0].turn).contains("4471"));
    assert_eq!(other.queue().waiting, 1, "and could run its jobs");
    assert_eq!(other.status().counts, one.status().counts);
}

#[test]
fn two_tabs_in_one_session_can_not_overwrite_each_other() {
    let world = World::new();
    let one = world.open();
    world.line.0.will(says("Hello."));
    let session = Some(send(&one, None, "hello").0.unwrap().session);
    let other = world.open();
    world.line.0.will(says("From the other tab."));
    send(&other, session, "I am here too").0.unwrap();

    world.line.0.will(says("Lost."));
    let (sent, _) = send(&one, session, "me again");
    assert!(matches!(sent, Err(Error::Conflict { .. })), "{sent:?}");
    assert_eq!(world.n_stored(Kind::Turn), 4);
    world.line.0.will(says("Now I know both."));
    send(&one, session, "me again").0.unwrap();
    assert_eq!(
        world.line.0.last_body()["messages"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    assert_eq!(world.n_stored(Kind::Turn), 6);
}

#[test]
fn a_mended_fact_is_mended_in_both_tabs() {
    let world = World::new();
    let one = world.open();
    world.line.0.will(says("Noted."));
    send(&one, None, "my boat is called Aurora").0.unwrap();
    world.line.0.will(extracted(serde_json::json!([fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Aurora",
        "my boat is called Aurora"
    )])));
    pollster::block_on(one.work(&Default::default())).unwrap();
    let other = world.open();
    let id = one.facts()[0].id;
    pollster::block_on(one.mark_stale(id, "sold it", Origin::Manual)).unwrap();
    pollster::block_on(other.catch_up()).unwrap();
    assert_eq!(other.facts()[0].stale.as_ref().unwrap().reason, "sold it");
    pollster::block_on(other.restore_fact(id)).unwrap();
    let corrected = pollster::block_on(other.correct(id, "The boat is called Borealis")).unwrap();
    pollster::block_on(one.catch_up()).unwrap();
    assert_eq!(one.facts(), other.facts());
    assert_eq!(one.fact_history(id).unwrap()[0].id, corrected.id);
    let again = pollster::block_on(one.correct(id, "something else"));
    assert!(
        matches!(again, Err(Error::InvalidInput { field: "id", .. })),
        "only the newest is corrected"
    );
}

#[test]
fn a_tab_that_slept_through_the_whole_log_reads_everything_again() {
    let world = World::new();
    let (one, sleeper) = (world.open(), world.open());
    world.line.0.will(says("Noted."));
    send(&one, None, "the alarm code of the boat house is 4471")
        .0
        .unwrap();
    let nothing = Batch::new(&namespace(), Durability::Relaxed);
    for _ in 0..COMMITS_KEPT {
        pollster::block_on(world.store.apply(&nothing)).unwrap();
    }
    assert_eq!(pollster::block_on(sleeper.catch_up()), Ok(true));
    assert_eq!(sleeper.status().counts, one.status().counts);
    assert_eq!(pollster::block_on(sleeper.catch_up()), Ok(false));
}
