//! What requests used: told, kept and summed up.

use crate::loops::{Page, add, ask};
use crate::world::*;
use onhand::agent::{Limits, Preset};
use onhand::error::Error;
use onhand::memory::{ChatEvent, Memory};
use onhand::model::{Purpose, Usage};
use onhand::usage::{By, UsageFilter, totals};
use serde_json::json;

pub fn usages(memory: &Memory<TestPorts>, filter: UsageFilter) -> Vec<Usage> {
    pollster::block_on(memory.usages(&filter)).unwrap()
}

#[test]
fn each_request_is_told_and_found_again() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says("Hello."));
    let (sent, events) = send(&memory, None, "hello");
    let told = events.iter().find_map(|event| match event {
        ChatEvent::Usage {
            tokens,
            first_text_ms,
            ..
        } => Some((tokens.clone(), *first_text_ms)),
        _ => None,
    });
    let (tokens, first_text_ms) = told.unwrap();
    assert_eq!(first_text_ms, Some(0), "the clock stands still");
    world.clock.pass(DAY_MS);
    world.line.0.will(extracted(json!([])));
    pollster::block_on(memory.work(&Default::default())).unwrap();

    let all = usages(&memory, UsageFilter::default());
    let purposes: Vec<_> = all.iter().map(|usage| usage.purpose).collect();
    assert_eq!(purposes, [Purpose::Chat, Purpose::Extract]);
    assert_eq!(
        (&all[0].tokens, all[0].session),
        (&tokens, sent.unwrap().session)
    );
    let days: Vec<_> = totals(&all, By::Day)
        .into_iter()
        .map(|total| total.key)
        .collect();
    assert_eq!(days, ["2026-11-20", "2026-11-21"]);

    let between = |from_ms, until_ms| {
        let filter = UsageFilter {
            from_ms,
            until_ms,
            ..UsageFilter::default()
        };
        let found = usages(&memory, filter);
        found.iter().map(|usage| usage.purpose).collect::<Vec<_>>()
    };
    assert_eq!(between(Some(START_MS), None), purposes);
    assert_eq!(between(Some(START_MS + 1), None), [Purpose::Extract]);
    assert_eq!(between(None, Some(START_MS + DAY_MS)), [Purpose::Chat]);
    let nobody = UsageFilter {
        session: Some(onhand::model::SessionId::new(1, 1)),
        ..UsageFilter::default()
    };
    assert!(usages(&memory, nobody).is_empty());
}

#[test]
fn what_was_answered_before_a_failure_was_paid_for() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(streamed_ending(&[add(1)], "tool_use"));
    world.line.0.will(error(400, "invalid_request_error", &[]));
    let (sent, _) = ask(&memory, &Page::default(), None, Limits::default());
    assert!(matches!(sent, Err(Error::Api(_))), "{sent:?}");
    assert_eq!(usages(&memory, UsageFilter::default()).len(), 1);
    assert!(pollster::block_on(memory.sessions()).unwrap().is_empty());

    // An answer that is no list of facts costs as much as one that is.
    world.line.0.will(says("Hello."));
    send(&memory, None, "hello").0.unwrap();
    let junk = json!({"content": [{"type": "text", "text": "junk"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 300, "output_tokens": 40}});
    let junk = junk.to_string().into_bytes();
    world.line.0.will(Answer::Http(200, vec![], vec![junk]));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let of_reading = usages(&memory, UsageFilter::default());
    let of_reading = of_reading
        .iter()
        .filter(|usage| usage.purpose == Purpose::Extract);
    assert_eq!(of_reading.map(|usage| usage.tokens.input).sum::<u64>(), 300);
}

#[test]
fn a_memory_that_keeps_nothing_keeps_no_counters() {
    let world = World::new();
    let memory = world.open_preset(Preset::Stateless);
    world.line.0.will(says("Hello."));
    send(&memory, None, "hello").0.unwrap();
    assert!(usages(&memory, UsageFilter::default()).is_empty());
}
