use crate::{
    claude::{
        reply::{Delta, Reply, ReplyBuilder, StopReason},
        sse::{SseDecoder, SseEvent},
    },
    error::{Error, Result},
    model::Tokens,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};

fn event(name: &str, data: Value) -> SseEvent {
    SseEvent {
        event: name.into(),
        data: data.to_string(),
    }
}

fn start() -> SseEvent {
    let usage = json!({"input_tokens": 25, "output_tokens": 1, "cache_read_input_tokens": 7});
    let message =
        json!({"id": "msg_1", "model": "claude-sonnet-5-5", "content": [], "usage": usage});
    event(
        "message_start",
        json!({"type": "message_start", "message": message}),
    )
}

fn block_start(index: usize, block: Value) -> SseEvent {
    event(
        "content_block_start",
        json!({"index": index, "content_block": block}),
    )
}

fn delta(index: usize, delta: Value) -> SseEvent {
    event(
        "content_block_delta",
        json!({"index": index, "delta": delta}),
    )
}

fn block_stop(index: usize) -> SseEvent {
    event("content_block_stop", json!({"index": index}))
}

fn stop(reason: &str) -> [SseEvent; 2] {
    let delta = json!({"delta": {"stop_reason": reason}, "usage": {"output_tokens": 89, "input_tokens": null}});
    [
        event("message_delta", delta),
        event("message_stop", json!({})),
    ]
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// The deltas and the outcome of a stream; events after an error are not pushed.
fn run(events: &[SseEvent]) -> (Vec<Delta>, Result<Reply>) {
    let mut builder = ReplyBuilder::new(Some("req_1".into()));
    let pushed: Result<Vec<_>> = events.iter().map(|event| builder.push(event)).collect();
    let deltas = pushed.clone().unwrap_or_default().into_iter().flatten();
    let reply = builder.finish();
    if let Err(error) = pushed {
        assert_eq!(reply, Err(error), "the error stays");
    }
    (deltas.collect(), reply)
}

fn reply(events: &[SseEvent]) -> Reply {
    run(events).1.unwrap()
}

#[track_caller]
fn check_code(events: &[SseEvent], code: &str) {
    assert_eq!(run(events).1.map_err(|error| error.code()), Err(code));
}

#[test]
fn a_reply_is_kept_as_it_came() {
    let signed = json!({"type": "thinking", "thinking": "", "signature": ""});
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "memory", "input": {}, "caller": {"type": "direct"}});
    let unknown = json!({"type": "kind_of_tomorrow", "10": 1.0, "9": [null]});
    let mut events = vec![
        start(),
        event("ping", json!({"type": "ping"})),
        block_start(0, signed),
        delta(0, json!({"type": "thinking_delta", "thinking": "So"})),
        delta(0, json!({"type": "signature_delta", "signature": "EqQB"})),
        block_stop(0),
        block_start(1, json!({"type": "text", "text": "", "citations": null})),
        delta(1, json!({"type": "text_delta", "text": "He"})),
        event("news_of_tomorrow", json!("anything")),
        delta(
            1,
            json!({"type": "citations_delta", "citation": {"b": 1, "a": 2}}),
        ),
        delta(1, json!({"type": "text_delta", "text": "llo"})),
        delta(1, json!({"type": "delta_of_tomorrow", "text": "?"})),
        block_stop(1),
        block_start(2, unknown.clone()),
        block_stop(2),
        block_start(3, call),
        delta(3, json!({"type": "input_json_delta", "partial_json": ""})),
        delta(
            3,
            json!({"type": "input_json_delta", "partial_json": "{\"2\":1.0,"}),
        ),
        delta(
            3,
            json!({"type": "input_json_delta", "partial_json": "\"1\":{\"b\":1,\"a\":2}}"}),
        ),
        block_stop(3),
    ];
    events.extend(stop("tool_use"));
    let (deltas, reply) = run(&events);
    let piece = |json: &str| Delta::ToolInput {
        block: 3,
        json: json.into(),
    };
    let shown = |text: &str| Delta::Text { text: text.into() };
    let thought = Delta::Thinking { text: "So".into() };
    let parts = [piece("{\"2\":1.0,"), piece("\"1\":{\"b\":1,\"a\":2}}")];
    let expected = [[thought, shown("He")], [shown("llo"), parts[0].clone()]].concat();
    assert_eq!(deltas[..4], expected);
    assert_eq!(deltas[4..], parts[1..]);

    let reply = reply.unwrap();
    let content = serde_json::to_string(&reply.content).unwrap();
    let expected = [
        r#"[{"type":"thinking","thinking":"So","signature":"EqQB"}"#,
        r#"{"type":"text","text":"Hello","citations":[{"b":1,"a":2}]}"#,
        &unknown.to_string(),
        r#"{"type":"tool_use","id":"toolu_1","name":"memory","input":{"2":1.0,"1":{"b":1,"a":2}},"caller":{"type":"direct"}}]"#,
    ];
    assert_eq!(content, expected.join(","));
    assert_eq!(reply.stop_reason, StopReason::ToolUse);
    assert_eq!(
        (reply.id.as_str(), reply.model.as_str()),
        ("msg_1", "claude-sonnet-5-5")
    );
    assert_eq!(reply.request_id.as_deref(), Some("req_1"));
    assert_eq!(reply.text(), "Hello");
    // A null counter is unchanged, one that is missing too.
    let tokens = Tokens {
        input: 25,
        output: 89,
        cache_read: 7,
        cache_write: 0,
        cache_write_1h: Some(0),
    };
    assert_eq!(reply.tokens, tokens);
}

#[test]
fn a_tool_call_without_input_has_an_empty_object() {
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}});
    let nothing = delta(0, json!({"type": "input_json_delta", "partial_json": ""}));
    let [end, stop] = stop("tool_use");
    let reply = reply(&[
        start(),
        block_start(0, call.clone()),
        nothing,
        block_stop(0),
        end,
        stop,
    ]);
    assert_eq!(reply.content, [call]);
}

#[test]
fn a_reply_may_hold_only_thinking_or_nothing() {
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "E"});
    let [end, stop] = stop("max_tokens");
    let reply_1 = reply(&[
        start(),
        block_start(0, thinking.clone()),
        block_stop(0),
        end.clone(),
        stop.clone(),
    ]);
    assert_eq!(
        (reply_1.content.as_slice(), reply_1.text().as_str()),
        (&[thinking][..], "")
    );
    assert_eq!(reply(&[start(), end, stop]).content, [] as [Value; 0]);
}

#[test]
fn a_block_that_begins_with_text_is_shown_at_once() {
    let (deltas, _) = run(&[start(), block_start(0, text("Hi"))]);
    assert_eq!(deltas, [Delta::Text { text: "Hi".into() }]);
}

#[test]
fn summaries_come_in_one_delta_or_whole() {
    let empty = json!({"type": "compaction", "content": null});
    let summary = json!({"type": "compaction_delta", "content": "S", "encrypted_content": "X"});
    let whole = json!({"type": "compaction", "content": "S", "signature": "Y"});
    let [end, stop] = stop("compaction");
    let reply = reply(&[
        start(),
        block_start(0, empty),
        delta(0, summary),
        block_stop(0),
        block_start(1, whole.clone()),
        block_stop(1),
        end,
        stop,
    ]);
    assert_eq!(reply.stop_reason, StopReason::Compaction);
    let first = json!({"type": "compaction", "content": "S", "encrypted_content": "X"});
    assert_eq!(reply.content, [first, whole]);
}

#[test]
fn a_stream_without_its_end_is_cut() {
    let mut events = vec![start(), block_start(0, text("")), block_stop(0)];
    events.extend(stop("end_turn"));
    assert!(run(&events).1.is_ok());
    for n_events in 0..events.len() {
        check_code(&events[..n_events], "stream_cut");
    }
}

#[test]
fn events_out_of_order_are_malformed() {
    let [end, stop] = stop("end_turn");
    let open = block_start(0, text(""));
    let piece = |index| delta(index, json!({"type": "text_delta", "text": "x"}));
    let cases: Vec<Vec<SseEvent>> = vec![
        vec![open.clone()],
        vec![stop.clone()],
        vec![start(), start()],
        vec![start(), piece(0)],
        vec![start(), block_start(1, text(""))],
        vec![start(), open.clone(), open.clone()],
        vec![start(), open.clone(), piece(1)],
        vec![start(), open.clone(), block_stop(u64::MAX as usize)],
        vec![start(), open.clone(), end.clone(), stop.clone()],
        vec![start(), stop.clone()],
        vec![start(), end.clone(), stop.clone(), stop.clone()],
        vec![
            start(),
            open.clone(),
            delta(0, json!({"type": "text_delta"})),
        ],
        vec![start(), open, delta(0, json!("x"))],
        vec![start(), block_start(0, json!("x"))],
        vec![start(), event("message_delta", json!({}))],
        vec![start(), event("message_delta", json!([])), stop],
    ];
    for (i, events) in cases.iter().enumerate() {
        let code = run(events).1.map_err(|error| error.code());
        let expected = if i == 14 {
            "stream_cut"
        } else {
            "malformed_stream"
        };
        assert_eq!(code, Err(expected), "case {i}");
    }
    let broken = SseEvent {
        event: "message_delta".into(),
        data: "{\"secret".into(),
    };
    let error = run(&[start(), broken]).1.unwrap_err();
    assert_eq!(error.code(), "malformed_stream");
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn an_error_in_the_stream_is_an_api_error_with_its_types_status() {
    for (kind, status, retryable) in [
        ("overloaded_error", 529, true),
        ("invalid_request_error", 400, false),
        ("error_of_tomorrow", 500, true),
    ] {
        let data = json!({"type": "error", "error": {"type": kind, "message": "Sorry"}});
        let Error::Api(error) = run(&[start(), event("error", data)]).1.unwrap_err() else {
            panic!("{kind}");
        };
        assert_eq!(
            (error.kind.as_str(), error.status, error.retryable),
            (kind, status, retryable)
        );
        assert_eq!(error.request_id.as_deref(), Some("req_1"));
    }
}

#[test]
fn a_refusal_discards_what_was_said() {
    let details = json!({"type": "refusal", "category": "bio", "explanation": null});
    let refusal = event(
        "message_delta",
        json!({"delta": {"stop_reason": "refusal", "stop_details": details}, "usage": {}}),
    );
    let stop = event("message_stop", json!({}));
    let refused = Err(Error::Refused {
        category: Some("bio".into()),
    });
    let half = block_start(0, text("Half"));
    assert_eq!(run(&[start(), refusal.clone(), stop.clone()]).1, refused);
    assert_eq!(
        run(&[start(), half.clone(), refusal.clone(), stop]).1,
        refused
    );
    assert_eq!(run(&[start(), half, refusal]).1, refused);
    let whole =
        json!({"content": [], "stop_reason": "refusal", "stop_details": details}).to_string();
    assert_eq!(Reply::from_json(&whole, None), refused);
}

#[test]
fn a_tool_call_that_was_cut_is_set_apart() {
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "memory", "input": {}});
    let half = delta(
        1,
        json!({"type": "input_json_delta", "partial_json": "{\"pa"}),
    );
    let events = |reason: &str, half: &[SseEvent]| {
        let before = [
            start(),
            block_start(0, text("Hm")),
            block_stop(0),
            block_start(1, call.clone()),
        ];
        [&before[..], half, &[block_stop(1)], &stop(reason)].concat()
    };
    for (reason, half) in [
        ("max_tokens", std::slice::from_ref(&half)),
        ("model_context_window_exceeded", std::slice::from_ref(&half)),
        ("max_tokens", &[]),
    ] {
        let reply = reply(&events(reason, half));
        assert!(reply.stop_reason.is_cut());
        assert_eq!(
            (reply.content, reply.cut_tool_use),
            (vec![text("Hm")], Some(call.clone()))
        );
    }
    check_code(
        &events("tool_use", std::slice::from_ref(&half)),
        "malformed_stream",
    );
    // Only the last block can have been cut.
    let mut followed = events("max_tokens", std::slice::from_ref(&half));
    followed.splice(6..6, [block_start(2, text("")), block_stop(2)]);
    check_code(&followed, "malformed_stream");
    let whole = json!({"content": [call], "stop_reason": "max_tokens"}).to_string();
    assert_eq!(
        Reply::from_json(&whole, None).unwrap().content,
        [] as [Value; 0]
    );
}

#[test]
fn iterations_are_what_is_billed() {
    let usage = json!({"input_tokens": 5, "output_tokens": 6, "iterations": [
        {"type": "compaction", "input_tokens": 100, "output_tokens": 10, "cache_creation_input_tokens": 3},
        {"type": "message", "input_tokens": 5, "output_tokens": 6, "cache_read_input_tokens": 4},
    ]});
    let whole = json!({"content": [], "stop_reason": "end_turn", "usage": usage}).to_string();
    let tokens = Tokens {
        input: 105,
        output: 16,
        cache_read: 4,
        cache_write: 3,
        cache_write_1h: None,
    };
    assert_eq!(Reply::from_json(&whole, None).unwrap().tokens, tokens);
}

#[test]
fn how_long_something_is_cached_is_told_or_not() {
    let hour = |usage: Value| {
        let whole = json!({"content": [], "stop_reason": "end_turn", "usage": usage}).to_string();
        Reply::from_json(&whole, None)
            .unwrap()
            .tokens
            .cache_write_1h
    };
    let split = json!({"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2});
    let told = json!({"cache_creation_input_tokens": 3, "cache_creation": split});
    assert_eq!(hour(told.clone()), Some(2));
    assert_eq!(hour(json!({"cache_creation_input_tokens": 3})), None);
    assert_eq!(
        hour(json!({"input_tokens": 3})),
        Some(0),
        "nothing is cached"
    );
    assert_eq!(hour(json!({"iterations": [told, {}]})), Some(2));
    let untold = json!({"cache_creation_input_tokens": 1});
    assert_eq!(hour(json!({"iterations": [told, untold]})), None);
}

#[test]
fn every_stop_reason_keeps_its_name() {
    for name in [
        "end_turn",
        "stop_sequence",
        "tool_use",
        "max_tokens",
        "pause_turn",
        "model_context_window_exceeded",
        "compaction",
        "reason_of_tomorrow",
    ] {
        let whole = json!({"content": [], "stop_reason": name}).to_string();
        let reason = Reply::from_json(&whole, None).unwrap().stop_reason;
        assert_eq!(reason.name(), name);
        assert_eq!(
            matches!(reason, StopReason::Other(_)),
            name == "reason_of_tomorrow"
        );
    }
}

#[test]
fn a_whole_answer_that_is_no_message_is_an_error() {
    for body in [
        "",
        "[]",
        "\"x\"",
        "{}",
        r#"{"content":[1],"stop_reason":"end_turn"}"#,
        r#"{"content":[]}"#,
    ] {
        let code = Reply::from_json(body, None).map_err(|error| error.code());
        assert_eq!(code, Err("malformed_stream"), "{body}");
    }
    let error = r#"{"type":"error","error":{"type":"api_error","message":"Sorry"}}"#;
    assert_eq!(Reply::from_json(error, None).unwrap_err().code(), "api");
}

/// Any JSON, with keys that look like numbers and numbers that look like text.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[0-9a-z]{0,3}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn content_block() -> impl Strategy<Value = Value> {
    let input = vec(("[0-9a-z]{1,3}", json_value()), 0..4);
    prop_oneof![
        (".{0,12}", vec(json_value(), 0..3)).prop_map(
            |(text, citations)| json!({"type": "text", "text": text, "citations": citations})
        ),
        (".{0,12}", "[a-zA-Z0-9+/]{4,12}")
            .prop_map(|(text, s)| json!({"type": "thinking", "thinking": text, "signature": s})),
        input.prop_map(|pairs| {
            let input = Value::Object(pairs.into_iter().collect());
            json!({"type": "tool_use", "id": "toolu_1", "name": "n", "input": input})
        }),
        json_value().prop_map(|x| json!({"type": "kind_of_tomorrow", "x": x})),
    ]
}

/// The stream in which the API would send these blocks; texts are cut in two at `cut`.
fn stream(blocks: &[Value], cut: Index) -> String {
    let mut events = vec![start()];
    for (i, block) in blocks.iter().enumerate() {
        let mut first = block.clone();
        let mut deltas = vec![];
        let mut pieces = |kind: &str, field: &str, whole: &str| {
            let chars: Vec<char> = whole.chars().collect();
            let (a, b) = chars.split_at(cut.index(chars.len() + 1));
            for part in [a, b] {
                deltas.push(json!({"type": kind, field: part.iter().collect::<String>()}));
            }
        };
        match block["type"].as_str().unwrap() {
            "text" => {
                pieces("text_delta", "text", block["text"].as_str().unwrap());
                first["text"] = "".into();
                let citations = block["citations"].as_array().unwrap();
                deltas.extend(
                    citations
                        .iter()
                        .map(|c| json!({"type": "citations_delta", "citation": c})),
                );
                first["citations"] = if citations.is_empty() {
                    json!([])
                } else {
                    Value::Null
                };
            }
            "thinking" => {
                pieces(
                    "thinking_delta",
                    "thinking",
                    block["thinking"].as_str().unwrap(),
                );
                first["thinking"] = "".into();
                deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
                first["signature"] = "".into();
            }
            "tool_use" => {
                pieces(
                    "input_json_delta",
                    "partial_json",
                    &block["input"].to_string(),
                );
                first["input"] = json!({});
            }
            _ => {}
        }
        events.push(block_start(i, first));
        events.extend(deltas.into_iter().map(|piece| delta(i, piece)));
        events.push(block_stop(i));
    }
    events.extend(stop("end_turn"));
    let text = events
        .iter()
        .map(|e| format!("event: {}\ndata: {}\n\n", e.event, e.data));
    text.collect()
}

proptest! {
    #[test]
    fn a_stream_cut_anywhere_gives_the_blocks_that_were_sent(
        blocks in vec(content_block(), 0..5),
        cut: Index,
        chunk_bytes in 1_usize..50,
    ) {
        let mut decoder = SseDecoder::new();
        let mut builder = ReplyBuilder::new(None);
        let mut shown = String::new();
        for chunk in stream(&blocks, cut).as_bytes().chunks(chunk_bytes) {
            for event in decoder.push(chunk).unwrap() {
                if let Some(Delta::Text { text }) = builder.push(&event).unwrap() {
                    shown += &text;
                }
            }
        }
        let reply = builder.finish().unwrap();
        let sent = serde_json::to_string(&blocks).unwrap();
        prop_assert_eq!(serde_json::to_string(&reply.content).unwrap(), &sent[..]);
        prop_assert_eq!(shown, reply.text().replace("\n\n", ""));
        let whole = format!(r#"{{"content":{sent},"stop_reason":"end_turn"}}"#);
        prop_assert_eq!(Reply::from_json(&whole, None).unwrap().content, reply.content);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text: String) {
        let mut builder = ReplyBuilder::new(None);
        for event in SseDecoder::new().push(&bytes).unwrap_or_default() {
            let _ = builder.push(&event);
        }
        let _ = builder.finish();
        let _ = Reply::from_json(&text, None);
    }

    #[test]
    fn no_events_make_it_panic(
        events in vec((
            prop::sample::select(vec![
                "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
                "message_stop", "error", "ping",
            ]),
            prop_oneof![
                json_value(),
                (0_u64..3, content_block()).prop_map(|(index, block)| json!({"index": index, "content_block": block})),
                (0_u64..3, json_value(), prop::sample::select(vec![
                    "text_delta", "thinking_delta", "signature_delta", "input_json_delta", "citations_delta",
                    "compaction_delta",
                ])).prop_map(|(index, x, kind)| json!({"index": index, "delta": {
                    "type": kind, "text": x, "thinking": x, "signature": x, "partial_json": x, "citation": x,
                    "content": x,
                }})),
                json_value().prop_map(|x| json!({"delta": {"stop_reason": x}, "usage": x, "message": {"usage": x}})),
            ],
        ), 0..12),
    ) {
        let mut builder = ReplyBuilder::new(None);
        builder.push(&start()).unwrap();
        for (name, data) in events {
            let _ = builder.push(&event(name, data));
        }
        let _ = builder.finish();
    }
}
