//! What was said, by session, time, role and tool; and the turns of the last days without the disk.

use crate::world::*;
use onhand::batch::{Batch, Durability, Op};
use onhand::error::Error;
use onhand::memory::{Memory, TurnFilter, TurnPage};
use onhand::model::{Record, Role, SessionId, Turn, TurnId};
use onhand::store::Store;
use onhand::time::Timestamp;
use serde_json::json;

fn turn(session: u128, index: u32, role: Role, at_ms: i64) -> Turn {
    let mut content = vec![json!({"type": "text", "text": format!("turn {index} of {session}")})];
    if role == Role::Assistant && index % 3 == 1 {
        content.push(json!({"type": "tool_use", "id": "toolu_1", "name": "memory", "input": {}}));
    }
    Turn {
        v: Turn::VERSION,
        id: TurnId {
            session: SessionId::new(START_MS, session),
            index,
        },
        role,
        speaker: None,
        content,
        at: Timestamp::utc(at_ms),
    }
}

/// Four sessions of nine turns; the later ones begin before the earlier ones end.
fn said() -> Vec<Turn> {
    let roles = [Role::User, Role::Assistant, Role::Tool];
    let session = |session: u128| {
        (0..9u32).map(move |index| {
            let at_ms = START_MS - 30 * DAY_MS + (session as i64 * 5 + i64::from(index)) * DAY_MS;
            turn(session, index, roles[index as usize % 3], at_ms)
        })
    };
    (0..4).flat_map(session).collect()
}

fn world_with(turns: &[Turn]) -> World {
    let world = World::new();
    let mut batch = Batch::new(&namespace(), Durability::Strict);
    batch.ops = turns
        .iter()
        .map(|turn| Op::Insert(Record::Turn(turn.clone())))
        .collect();
    pollster::block_on(world.store.apply(&batch)).unwrap();
    world
}

fn find(memory: &Memory<TestPorts>, filter: &TurnFilter) -> TurnPage {
    pollster::block_on(memory.find_turns(filter)).unwrap()
}

#[test]
fn turns_are_found_by_every_field_and_page_by_page() {
    let turns = said();
    let memory = world_with(&turns).open();
    let days = [None, Some(-31), Some(-24), Some(-18), Some(1)];
    let moment = |day: Option<i64>| day.map(|day| START_MS + day * DAY_MS);
    let sessions = [None, Some(turns[0].id.session), Some(turns[20].id.session)];
    for session in sessions {
        for (from_ms, until_ms) in days
            .iter()
            .flat_map(|from| days.map(|until| (moment(*from), moment(until))))
        {
            for role in [None, Some(Role::User), Some(Role::Tool)] {
                for tool in [None, Some("memory"), Some("other")] {
                    let filter = TurnFilter {
                        session,
                        from_ms,
                        until_ms,
                        role,
                        tool: tool.map(String::from),
                        ..TurnFilter::default()
                    };
                    let mut expected = turns.clone();
                    expected
                        .retain(|turn| session.is_none_or(|session| turn.id.session == session));
                    expected.retain(|turn| from_ms.is_none_or(|from| turn.at.unix_ms >= from));
                    expected.retain(|turn| until_ms.is_none_or(|until| turn.at.unix_ms < until));
                    expected.retain(|turn| role.is_none_or(|role| turn.role == role));
                    expected.retain(|turn| {
                        tool.is_none_or(|tool| {
                            turn.content.iter().any(|block| block["name"] == tool)
                        })
                    });
                    assert_eq!(find(&memory, &filter).turns, expected, "{filter:?}");
                    let mut paged = Vec::new();
                    let mut next = TurnFilter {
                        limit: Some(4),
                        ..filter.clone()
                    };
                    loop {
                        let page = find(&memory, &next);
                        assert!(page.turns.len() <= 4);
                        paged.extend(page.turns);
                        next.after = page.next;
                        if next.after.is_none() {
                            break;
                        }
                    }
                    assert_eq!(paged, expected, "{filter:?}");
                }
            }
        }
    }
}

#[test]
fn a_session_tells_how_far_it_goes() {
    let turns = said();
    let memory = world_with(&turns).open();
    // There are no session records here; the extent comes from the turns alone.
    assert_eq!(memory.status().counts.sessions, 4);
    let last = find(
        &memory,
        &TurnFilter {
            from_ms: Some(turns[35].at.unix_ms),
            ..TurnFilter::default()
        },
    );
    assert_eq!(last.turns, [turns[35].clone()]);
}

#[test]
fn turns_of_the_last_days_need_no_disk_and_older_ones_do() {
    let recent = turn(1, 0, Role::User, START_MS - 6 * DAY_MS);
    let old = turn(2, 0, Role::User, START_MS - 8 * DAY_MS);
    let world = world_with(&[recent.clone(), old.clone()]);
    let memory = world.open();
    let read = |id| pollster::block_on(memory.turn(id));
    assert_eq!(read(old.id).unwrap(), Some(old.clone()));

    let broken = Error::Storage {
        name: "UnknownError".into(),
        message: "the disk is gone".into(),
    };
    *world.store.reads_fail.borrow_mut() = Some(broken.clone());
    assert_eq!(read(recent.id).unwrap(), Some(recent.clone()));
    assert_eq!(read(old.id), Err(broken.clone()));

    // The window moves on with what is written.
    world.clock.pass(2 * DAY_MS);
    world.line.0.will(says("Hello."));
    *world.store.reads_fail.borrow_mut() = None;
    send(&memory, None, "hello").0.unwrap();
    *world.store.reads_fail.borrow_mut() = Some(broken.clone());
    assert_eq!(read(recent.id), Err(broken));
}

#[test]
fn a_turn_that_is_not_there_is_none() {
    let memory = World::new().open();
    assert_eq!(pollster::block_on(memory.turn(said()[0].id)), Ok(None));
}
