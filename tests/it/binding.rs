//! Thinking that Claude finds bound to another prefix.

use crate::world::*;
use onhand::error::Error;
use onhand::memory::ChatEvent;
use serde_json::{Value, json};

#[test]
fn a_prefix_that_claude_does_not_know_again_is_asked_for_once_more_without_its_thinking() {
    let world = World::new();
    let memory = world.open();
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "c2ln"});
    let text = json!({"type": "text", "text": "Hm."});
    world.line.0.will(streamed(&[thinking, text], 9));
    let session = send(&memory, None, "hello").0.unwrap().session;

    world.line.0.will(error(400, "invalid_request_error", &[]));
    world.line.0.will(says("Again."));
    let (sent, events) = send(&memory, Some(session), "and?");
    sent.unwrap();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, ChatEvent::Retrying { in_ms: 0, .. }))
    );
    let drops = |n: usize| {
        let request = &world.line.0.requests.borrow()[n];
        let beta = request
            .headers
            .iter()
            .any(|(name, _)| name == "anthropic-beta");
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let behavior = &body["thinking"]["block_binding"]["prefix_mismatch_behavior"];
        assert_eq!(beta, *behavior == "drop_block");
        beta
    };
    assert_eq!([1, 2].map(drops), [false, true]);

    // From then on, also after the page was loaded again.
    for (n, memory) in [(3, &memory), (4, &world.open())] {
        world.line.0.will(says("Yes."));
        send(memory, Some(session), "more").0.unwrap();
        assert!(drops(n));
    }
}

#[test]
fn a_refusal_for_another_reason_stays_what_it_is() {
    let world = World::new();
    let memory = world.open();
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "c2ln"});
    world.line.0.will(streamed(
        &[thinking, json!({"type": "text", "text": "Hm."})],
        9,
    ));
    let session = send(&memory, None, "hello").0.unwrap().session;
    for _ in 0..2 {
        world.line.0.will(error(400, "invalid_request_error", &[]));
    }
    let (sent, _) = send(&memory, Some(session), "and?");
    assert!(matches!(sent, Err(Error::Api(api)) if api.status == 400));
    world.line.0.will(says("Yes."));
    send(&memory, Some(session), "and?").0.unwrap();
    assert_eq!(world.line.0.last_body().get("thinking"), None);
}
