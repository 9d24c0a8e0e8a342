//! Whatever fails, the words stay with the caller, nothing is recorded twice, and the chat goes on.

use crate::world::*;
use onhand::error::Error;
use onhand::memory::{Cancel, ChatEvent, Send};
use onhand::model::Kind;
use serde_json::json;

const NOTHING: [Kind; 4] = [Kind::Session, Kind::Turn, Kind::Job, Kind::Injection];

fn assert_nothing_recorded(world: &World) {
    for kind in NOTHING {
        assert_eq!(world.n_stored(kind), 0, "{kind:?}");
    }
}

/// Sends the same text again after a failure, in the session that the first try named.
fn retry_works(world: &World, memory: &onhand::memory::Memory<TestPorts>, events: &[ChatEvent]) {
    let Some(ChatEvent::Session(session)) = events.first() else {
        panic!("no session: {events:?}")
    };
    world.line.0.will(says("Fine now."));
    send(memory, Some(*session), "hello").0.unwrap();
    assert_eq!(world.n_stored(Kind::Session), 1);
    assert_eq!(world.n_stored(Kind::Turn), 2);
    assert_eq!(world.n_stored(Kind::Job), 1);
    let body = world.line.0.last_body();
    assert_eq!(
        body["messages"].as_array().unwrap().len(),
        1,
        "the failed try left no trace"
    );
}

#[test]
fn an_endpoint_that_is_down_is_tried_three_times_and_reported() {
    let world = World::new();
    let memory = world.open();
    for _ in 0..3 {
        world.line.0.will(Answer::Down);
    }
    let (sent, events) = send(&memory, None, "hello");
    assert!(matches!(sent, Err(Error::Network { .. })), "{sent:?}");
    let retries = events
        .iter()
        .filter(|event| matches!(event, ChatEvent::Retrying { .. }))
        .count();
    assert_eq!((world.line.0.n_requests(), retries), (3, 2));
    assert_nothing_recorded(&world);
    retry_works(&world, &memory, &events);
}

#[test]
fn answers_that_may_change_are_waited_for_as_long_as_the_server_asks() {
    for (status, kind) in [
        (429, "rate_limit_error"),
        (529, "overloaded_error"),
        (500, "api_error"),
    ] {
        let world = World::new();
        let memory = world.open();
        world
            .line
            .0
            .will(error(status, kind, &[("retry-after", "3")]));
        world.line.0.will(says("Here."));
        let (sent, events) = send(&memory, None, "hello");
        sent.unwrap();
        assert_eq!(*world.clock.0.slept.borrow(), [3_000], "{status}");
        assert!(
            events
                .iter()
                .any(|event| matches!(event, ChatEvent::Retrying { in_ms: 3_000, .. }))
        );
        assert_eq!(world.n_stored(Kind::Turn), 2);
    }
}

#[test]
fn answers_that_will_not_change_are_reported_at_once() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
    ] {
        let world = World::new();
        let memory = world.open();
        world.line.0.will(error(status, kind, &[]));
        let (sent, events) = send(&memory, None, "hello");
        match sent {
            Err(Error::Api(api)) => assert_eq!((api.status, api.retryable), (status, false)),
            other => panic!("{status}: {other:?}"),
        }
        assert_eq!(world.line.0.n_requests(), 1);
        assert_nothing_recorded(&world);
        retry_works(&world, &memory, &events);
    }
}

#[test]
fn a_stream_cut_anywhere_records_nothing() {
    let text = sse(&[json!({"type": "text", "text": "A complete answer."})]);
    for end in (0..text.len()).step_by(9) {
        let world = World::new();
        let memory = world.open();
        let clean_end = Answer::Http(200, vec![], pieces(&text[..end], 11));
        world.line.0.will(clean_end);
        let (sent, events) = send(&memory, None, "hello");
        assert_eq!(sent.unwrap_err(), Error::StreamCut, "cut after {end} bytes");
        assert_nothing_recorded(&world);
        retry_works(&world, &memory, &events);
    }
}

#[test]
fn a_connection_that_breaks_within_the_stream_records_nothing() {
    let world = World::new();
    let memory = world.open();
    let text = sse(&[json!({"type": "text", "text": "A complete answer."})]);
    world.line.0.will(Answer::Broken(pieces(&text[..200], 50)));
    let (sent, events) = send(&memory, None, "hello");
    assert!(matches!(sent, Err(Error::Network { .. })), "{sent:?}");
    assert_eq!(
        world.line.0.n_requests(),
        1,
        "an answer that has begun is not asked for again"
    );
    assert_nothing_recorded(&world);
    retry_works(&world, &memory, &events);
}

#[test]
fn rubbish_instead_of_a_stream_is_a_typed_error() {
    for rubbish in [
        "<html>hello</html>",
        "event: message_start\ndata: {not json}\n\n",
        "data: [DONE]\n\n",
    ] {
        let world = World::new();
        let memory = world.open();
        world
            .line
            .0
            .will(Answer::Http(200, vec![], pieces(rubbish, 4)));
        let (sent, events) = send(&memory, None, "hello");
        assert!(
            matches!(sent, Err(Error::StreamCut | Error::MalformedStream { .. })),
            "{rubbish}: {sent:?}"
        );
        assert_nothing_recorded(&world);
        retry_works(&world, &memory, &events);
    }
}

#[test]
fn cancelling_ends_a_request_that_never_answers() {
    let world = World::new();
    let memory = world.open();
    let cancel = Cancel::default();
    world.line.0.will(Answer::Hang(cancel.clone()));
    let mut events = Vec::new();
    let send_it = Send {
        text: "hello".into(),
        ..Send::default()
    };
    let sent = memory.send(&send_it, &cancel, |event| events.push(event));
    assert_eq!(pollster::block_on(sent), Err(Error::Cancelled));
    assert_nothing_recorded(&world);
    retry_works(&world, &memory, &events);
}

#[test]
fn a_full_disk_is_a_notice_and_the_exchange_is_saved_with_the_next_one() {
    let world = World::new();
    let memory = world.open();
    *world.store.writes_fail.borrow_mut() = Some(Error::QuotaExceeded {
        message: "full".into(),
    });
    world.line.0.will(says("I heard you."));
    let (sent, events) = send(&memory, None, "my boat is called Aurora");
    let session = sent.expect("the chat goes on").session;
    let notice =
        |event: &ChatEvent| matches!(event, ChatEvent::Notice(Error::QuotaExceeded { .. }));
    assert!(
        events.iter().any(notice) && !events.iter().any(|e| matches!(e, ChatEvent::Saved(_))),
        "{events:?}"
    );
    assert_nothing_recorded(&world);

    *world.store.writes_fail.borrow_mut() = None;
    world.line.0.will(says("Aurora."));
    let (_, events) = send(&memory, Some(session), "what is it called?");
    assert!(
        events
            .iter()
            .any(|event| matches!(event, ChatEvent::Saved(_)))
    );
    let body = world.line.0.last_body();
    assert_eq!(
        body["messages"].as_array().unwrap().len(),
        3,
        "the unsaved exchange is in the prompt"
    );
    assert_eq!(
        (world.n_stored(Kind::Turn), world.n_stored(Kind::Job)),
        (4, 2)
    );
}

#[test]
fn a_recall_that_fails_is_a_notice_and_the_message_goes_out_without_memory() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says("Noted."));
    send(&memory, None, "the alarm code of the boat house is 4471")
        .0
        .unwrap();
    // A session in between: the last one stands in the snapshot, and what stands there is not recalled.
    // Some time later, when the turn is read from the disk.
    world.line.0.will(says("Hello."));
    world.clock.pass(8 * DAY_MS);
    send(&memory, None, "hello again").0.unwrap();
    world.clock.pass(1);
    // The next session is started before reading fails, and its recall then meets the broken disk.
    world.line.0.will(error(401, "authentication_error", &[]));
    let (_, events) = send(&memory, None, "first try");
    let Some(ChatEvent::Session(session)) = events.first() else {
        panic!()
    };
    *world.store.reads_fail.borrow_mut() = Some(Error::Storage {
        name: "UnknownError".into(),
        message: "x".into(),
    });
    world.line.0.will(says("I do not know."));
    let (sent, events) = send(
        &memory,
        Some(*session),
        "what is the alarm code of the boat house?",
    );
    sent.unwrap();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, ChatEvent::Notice(Error::Storage { .. }))),
        "{events:?}"
    );
    let content = &world.line.0.last_body()["messages"][0]["content"];
    assert_eq!(
        content.as_array().unwrap().len(),
        1,
        "only the user's words"
    );
}

#[test]
fn a_new_chat_begins_where_nothing_can_be_read() {
    let world = World::new();
    world.line.0.will(says("Noted."));
    send(
        &world.open(),
        None,
        "the alarm code of the boat house is 4471",
    )
    .0
    .unwrap();
    // By then its words are not held in memory any more.
    world.clock.pass(30 * DAY_MS);
    let memory = world.open();
    *world.store.reads_fail.borrow_mut() = Some(Error::Storage {
        name: "UnknownError".into(),
        message: "x".into(),
    });
    world.line.0.will(says("I do not know."));
    let (sent, events) = send(&memory, None, "what is the alarm code of the boat house?");
    let session = sent.expect("the chat goes on").session;
    let told = |event: &ChatEvent| matches!(event, ChatEvent::Notice(Error::Storage { .. }));
    assert!(events.iter().any(told), "{events:?}");
    assert!(events.contains(&ChatEvent::Saved(pollster::block_on(async {
        *world.store.reads_fail.borrow_mut() = None;
        let turns = memory.turns(session).await.unwrap();
        vec![turns[0].id, turns[1].id]
    }))));
}

#[test]
fn one_message_at_a_time_and_never_an_empty_one() {
    let world = World::new();
    let memory = world.open();
    assert!(matches!(
        send(&memory, None, "  ").0,
        Err(Error::InvalidInput { field: "text", .. })
    ));
    memory.close();
    assert_eq!(send(&memory, None, "hello").0, Err(Error::Closed));
    assert_eq!(world.line.0.n_requests(), 0);
}

#[test]
fn on_a_full_disk_vectors_make_room_for_what_was_said_and_recall_goes_on() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says("I heard you."));
    let (sent, _) = send(&memory, None, "my boat is called Aurora");
    let session = sent.unwrap().session;
    assert!(world.n_stored(Kind::Vector) > 0);

    let stored = Kind::ALL.map(|kind| world.n_stored(kind));
    let n_vectors = world.n_stored(Kind::Vector);
    // Room for the four records of another exchange only if the vectors leave.
    world
        .store
        .room
        .set(Some(stored.iter().sum::<usize>() + 4 - n_vectors));
    world.line.0.will(says("Aurora."));
    let (_, events) = send(&memory, Some(session), "what is it called?");
    let is_saved = |event: &ChatEvent| matches!(event, ChatEvent::Saved(_));
    assert!(events.iter().any(is_saved), "{events:?}");
    assert_eq!(
        (world.n_stored(Kind::Turn), world.n_stored(Kind::Vector)),
        (4, 0)
    );
    assert!(memory.status().tight);
    let index = memory.status().index.expect("there is an embedder").1;
    assert!(index.n_vectors > n_vectors, "recall has those in memory");

    // With room again, the next opening makes them anew.
    world.store.room.set(None);
    let memory = world.open();
    pollster::block_on(memory.embed_step()).unwrap();
    assert!(world.n_stored(Kind::Vector) > 0);
    assert!(!memory.status().tight);
}

#[test]
fn a_disk_that_is_full_of_what_was_said_stays_a_notice() {
    let world = World::new();
    let memory = world.open_with(false);
    world.store.room.set(Some(0));
    world.line.0.will(says("I heard you."));
    let (_, events) = send(&memory, None, "my boat is called Aurora");
    let notice =
        |event: &ChatEvent| matches!(event, ChatEvent::Notice(Error::QuotaExceeded { .. }));
    assert!(events.iter().any(notice), "{events:?}");
    assert_nothing_recorded(&world);
}
