//! The daily limit.

use crate::kept;
use crate::loops::{Page, add, ask, assert_paired};
use crate::usage::usages;
use crate::world::*;
use onhand::agent::Limits;
use onhand::batch::Op;
use onhand::config::Config;
use onhand::error::{Error, Result};
use onhand::memory::{Cancel, ChatEvent, Memory, Send};
use onhand::model::{JobState, Kind};
use onhand::usage::{UsageFilter, cost_of};
use serde_json::json;

/// Each chat request of the tests costs some 0.0002 dollars, and each that reads facts 0.00005.
const LIMIT_USD: f64 = 0.000_3;

fn config() -> Config {
    Config {
        daily_limit_usd: Some(LIMIT_USD),
        ..Config::new(namespace())
    }
}

fn open(world: &World) -> Memory<TestPorts> {
    world.open_with_config(config(), true)
}

fn say(world: &World, memory: &Memory<TestPorts>) -> Result<()> {
    world.line.0.will(says("Hello."));
    send(memory, None, "hello").0.map(drop)
}

fn work(memory: &Memory<TestPorts>) -> usize {
    let worked = pollster::block_on(memory.work(&Cancel::default()));
    worked.unwrap().ran
}

/// The test's clock starts at nine o'clock UTC and runs in UTC.
fn assert_reached(outcome: Result<()>, left_ms: u32) {
    let expected = Error::BudgetReached {
        limit_usd: LIMIT_USD,
        retry_after_ms: left_ms,
    };
    assert_eq!(outcome, Err(expected));
}

const UNTIL_MIDNIGHT_MS: u32 = 15 * 3_600_000;

#[test]
fn a_message_that_can_not_be_paid_leaves_nothing_and_can_be_sent_tomorrow() {
    let world = World::new();
    let memory = open(&world);
    say(&world, &memory).unwrap();
    say(&world, &memory).unwrap();
    let (n_turns, n_requests) = (world.n_stored(Kind::Turn), world.line.0.n_requests());
    let (sent, events) = send(&memory, None, "hello");
    assert_reached(sent.map(drop), UNTIL_MIDNIGHT_MS);
    assert!(matches!(events[..], [ChatEvent::Session(_)]), "{events:?}");
    assert_eq!(world.n_stored(Kind::Turn), n_turns);
    assert_eq!(world.line.0.n_requests(), n_requests);

    world.clock.pass(i64::from(UNTIL_MIDNIGHT_MS) - 1);
    assert_reached(send(&memory, None, "hello").0.map(drop), 1);
    world.clock.pass(1);
    say(&world, &memory).unwrap();
}

#[test]
fn what_was_spent_before_a_reload_and_in_other_tabs_counts() {
    let world = World::new();
    let (first, second) = (open(&world), open(&world));
    say(&world, &first).unwrap();
    say(&world, &second).unwrap();
    assert_reached(send(&first, None, "hello").0.map(drop), UNTIL_MIDNIGHT_MS);
    let third = open(&world);
    assert_reached(send(&third, None, "hello").0.map(drop), UNTIL_MIDNIGHT_MS);
    let spent: f64 = usages(&third, UsageFilter::default())
        .iter()
        .filter_map(cost_of)
        .sum();
    assert!((LIMIT_USD..2.0 * LIMIT_USD).contains(&spent), "{spent}");
}

#[test]
fn what_was_spent_counts_however_the_memory_is_opened() {
    let world = World::new();
    let memory = open(&world);
    say(&world, &memory).unwrap();
    // Answered before the index is kept, so that nothing in the log of commits tells of it.
    kept::say(&memory, kept::small_talk(0, 520));
    kept::keep(&memory);
    let by_index = open(&world);
    assert!(by_index.status().kept_index.was_used);
    say(&world, &by_index).unwrap();
    assert_reached(
        send(&by_index, None, "hello").0.map(drop),
        UNTIL_MIDNIGHT_MS,
    );
    let once_more = open(&world);
    assert!(once_more.status().kept_index.was_used);
    assert_reached(
        send(&once_more, None, "hello").0.map(drop),
        UNTIL_MIDNIGHT_MS,
    );
    let spent = |memory: &Memory<TestPorts>| -> f64 {
        let usages = usages(memory, UsageFilter::default());
        usages.iter().filter_map(cost_of).sum()
    };
    assert_eq!(spent(&once_more), spent(&memory));

    let lost = world.stored(Kind::Segment).into_iter();
    let lost = lost.map(|segment| Op::Delete {
        kind: Kind::Segment,
        name: segment.name(),
    });
    kept::write(&world, lost.collect());
    let by_slices = world.open_within(100, config(), true);
    assert!(by_slices.rebuilding().is_some());
    assert_reached(
        send(&by_slices, None, "hello").0.map(drop),
        UNTIL_MIDNIGHT_MS,
    );
}

#[test]
fn the_queue_waits_for_midnight_and_counts_no_attempt() {
    let world = World::new();
    let memory = open(&world);
    say(&world, &memory).unwrap();
    say(&world, &memory).unwrap();
    let n_requests = world.line.0.n_requests();
    assert_eq!(work(&memory), 0);
    assert_eq!(
        memory.queue().next_in_ms,
        Some(i64::from(UNTIL_MIDNIGHT_MS))
    );
    assert_eq!(world.line.0.n_requests(), n_requests);
    for job in memory.jobs() {
        assert_eq!((job.attempts, job.last_error), (0, None));
        assert!(matches!(job.state, JobState::Waiting { .. }));
    }
    world.clock.pass(i64::from(UNTIL_MIDNIGHT_MS));
    assert_eq!(memory.queue().next_in_ms, Some(0));
    for _ in 0..2 {
        world.line.0.will(extracted(json!([])));
    }
    assert_eq!(work(&memory), 2);
    assert_eq!(world.n_stored(Kind::Job), 0);
}

#[test]
fn a_job_that_another_tab_left_no_budget_for_stays_as_it_was() {
    let world = World::new();
    let (ours, theirs) = (open(&world), open(&world));
    say(&world, &ours).unwrap();
    // Told by a commit that this tab has not heard of.
    say(&world, &theirs).unwrap();
    let n_requests = world.line.0.n_requests();
    work(&ours);
    assert_eq!(world.line.0.n_requests(), n_requests);
    assert!(ours.jobs().iter().all(|job| job.attempts == 0));
}

#[test]
fn a_loop_of_tools_ends_and_what_was_answered_is_kept() {
    let world = World::new();
    let memory = open(&world);
    for n in 0..2 {
        world.line.0.will(streamed_ending(&[add(n)], "tool_use"));
    }
    let page = Page::default();
    let (sent, events) = ask(&memory, &page, None, Limits::default());
    let session = sent.unwrap().session;
    assert_eq!(world.line.0.n_requests(), 2);
    let is_reached =
        |event: &&ChatEvent| matches!(event, ChatEvent::Notice(Error::BudgetReached { .. }));
    assert_eq!(events.iter().filter(is_reached).count(), 1, "{events:?}");
    assert_eq!(
        *page.begun.borrow(),
        ["toolu_0"],
        "what nobody would hear of is not run"
    );
    world.clock.pass(DAY_MS);
    world.line.0.will(says("Going on."));
    send(&memory, Some(session), "go on").0.unwrap();
    assert_paired(&world.line.0.last_body());
}

#[test]
fn rounds_that_came_to_nothing_are_spent() {
    let world = World::new();
    let memory = open(&world);
    for _ in 0..2 {
        world.line.0.will(streamed_ending(&[add(1)], "tool_use"));
        world.line.0.will(error(400, "invalid_request_error", &[]));
        let (sent, _) = ask(&memory, &Page::default(), None, Limits::default());
        if !matches!(sent, Err(Error::Api(_))) {
            // The second one got as far as the limit.
            assert!(sent.is_ok(), "{sent:?}");
        }
    }
    world.line.0.answers.borrow_mut().clear();
    assert_reached(send(&memory, None, "hello").0.map(drop), UNTIL_MIDNIGHT_MS);
    assert_reached(
        send(&open(&world), None, "hello").0.map(drop),
        UNTIL_MIDNIGHT_MS,
    );
}

#[test]
fn a_limit_goes_with_a_price() {
    let unknown = |field: Error| {
        assert!(
            matches!(
                field,
                Error::InvalidInput {
                    field: "dailyLimit",
                    ..
                }
            ),
            "{field:?}"
        );
    };
    let with = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        config.check().unwrap_err()
    };
    unknown(with(|config| config.model = "claude-next-9".into()));
    unknown(with(|config| {
        config.extraction_model = "claude-next-9".into()
    }));
    unknown(with(|config| config.daily_limit_usd = Some(0.0)));
    unknown(with(|config| config.daily_limit_usd = Some(f64::NAN)));

    let world = World::new();
    let memory = open(&world);
    let message = Send {
        text: "hello".into(),
        model: Some("claude-next-9".into()),
        ..Send::default()
    };
    let sent = pollster::block_on(memory.send(&message, &Cancel::default(), |_| ()));
    unknown(sent.unwrap_err());
    assert_eq!(world.line.0.n_requests(), 0);
}

#[test]
fn a_store_that_can_not_be_read_lifts_no_limit() {
    let world = World::new();
    let memory = open(&world);
    let broken = Error::Storage {
        name: "UnknownError".into(),
        message: "gone".into(),
    };
    world.store.reads_fail.replace(Some(broken.clone()));
    world.store.writes_fail.replace(Some(broken));
    say(&world, &memory).unwrap();
    say(&world, &memory).unwrap();
    assert_reached(send(&memory, None, "hello").0.map(drop), UNTIL_MIDNIGHT_MS);
}
