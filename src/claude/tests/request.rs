use crate::{
    claude::{
        context::ContextEdits,
        message::*,
        models::{DEFAULT_CHAT_MODEL, DEFAULT_EXTRACT_MODEL, MODELS, ModelInfo, model},
        request::*,
    },
    golden::assert_golden,
    model::{Injection, Role, SessionId, Turn, TurnId, TurnScoped},
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

const SNAPSHOT: &str =
    "<memory_snapshot taken=\"2026-11-21 09:00\">\n- user: “Hi”\n</memory_snapshot>";
const UPDATE: &str = "<memory_update>\n- goal: “Rest on Sundays.”\n</memory_update>";

fn chat(system: &str, snapshot: &str, history: &[Message], newest: &Message) -> String {
    chat_of(system, snapshot, history, std::slice::from_ref(newest))
}

fn chat_of(system: &str, snapshot: &str, history: &[Message], newest: &[Message]) -> String {
    let request = ChatRequest {
        model: DEFAULT_CHAT_MODEL,
        max_tokens: 4096,
        tools: &[],
        drops_thinking: false,
        context: &ContextEdits::default(),
        system,
        snapshot,
        history,
        newest,
    };
    request.body()
}

/// The body is the golden file's JSON, written compactly: same keys, same order.
#[track_caller]
fn assert_golden_body(name: &str, body: &str) {
    let value: Value = serde_json::from_str(body).unwrap();
    assert_golden(
        name,
        &(serde_json::to_string_pretty(&value).unwrap() + "\n"),
    );
    assert_eq!(serde_json::to_string(&value).unwrap(), body);
}

fn turn(role: Role, index: u32, content: Vec<Value>) -> Turn {
    let session = SessionId::new(1_000, 1);
    Turn {
        v: Turn::VERSION,
        id: TurnId { session, index },
        role,
        speaker: None,
        content,
        at: Timestamp::utc(1_000),
    }
}

fn injection(turn: &Turn, text: &str) -> Injection {
    Injection {
        v: Injection::VERSION,
        turn: turn.id,
        text: text.into(),
        surfaced: vec![],
        turn_scoped: None,
    }
}

/// The ledger's entry of a turn that a system message stands behind.
fn scoped(turn: &Turn, before: &str, behind: &str) -> Injection {
    let turn_scoped = TurnScoped {
        text: behind.into(),
        surfaced: vec![],
    };
    Injection {
        turn_scoped: Some(turn_scoped),
        ..injection(turn, before)
    }
}

fn message_of(turn: &Turn, injection: Option<&Injection>) -> Message {
    let [message] = messages_of(turn, injection).try_into().unwrap();
    message
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn assistant(content: Vec<Value>) -> Message {
    Message {
        role: MessageRole::Assistant,
        content,
    }
}

fn user(content: Vec<Value>) -> Message {
    Message {
        role: MessageRole::User,
        content,
    }
}

#[test]
fn the_first_two_bodies_of_a_session() {
    let system = system_text("Answer in British English.");
    let first = user_message(None, "Hello");
    assert_golden_body("chat_turn_1.json", &chat(&system, SNAPSHOT, &[], &first));

    // As the driver does it: the history comes back from the store and the ledger.
    let said = turn(Role::User, 0, vec![text("Hello")]);
    let reply = turn(
        Role::Assistant,
        1,
        vec![
            json!({"type": "thinking", "thinking": "", "signature": "EqQB"}),
            json!({"type": "text", "text": "Hi", "citations": null}),
        ],
    );
    let history = [message_of(&said, None), message_of(&reply, None)];
    assert_eq!(history[0], first);
    let second = user_message(Some(UPDATE), "Plan my week");
    assert_golden_body(
        "chat_turn_2.json",
        &chat(&system, SNAPSHOT, &history, &second),
    );

    let stored = turn(Role::User, 2, vec![text("Plan my week")]);
    assert_eq!(
        message_of(&stored, Some(&injection(&stored, UPDATE))),
        second
    );
}

/// A question whose answer calls a tool, with what memory has to say behind the question and again behind the result.
fn scoped_exchange() -> Vec<Message> {
    let asked = turn(Role::User, 0, vec![text("Is it moored?")]);
    let call =
        json!({"type": "tool_use", "id": "toolu_1", "name": "tide", "input": {"at": "Porto"}});
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "EqQB"});
    let called = turn(Role::Assistant, 1, vec![thinking, call]);
    let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "high"});
    let answered = turn(Role::Tool, 2, vec![result]);
    let both = [
        messages_of(&asked, Some(&scoped(&asked, "", UPDATE))),
        messages_of(&called, None),
        messages_of(&answered, Some(&scoped(&answered, "", UPDATE))),
    ];
    both.concat()
}

#[test]
fn a_turn_scoped_block_stands_behind_the_message_and_again_behind_results() {
    let tools = [json!({"name": "tide", "input_schema": {"type": "object"}})];
    let newest = scoped_exchange();
    let history = [];
    let request = ChatRequest {
        model: DEFAULT_CHAT_MODEL,
        max_tokens: 4096,
        tools: &tools,
        drops_thinking: false,
        context: &ContextEdits::default(),
        system: "S",
        snapshot: "",
        history: &history,
        newest: &newest,
    };
    assert_golden_body("chat_scoped.json", &request.body());
    let beta = (
        "anthropic-beta".to_string(),
        "mid-conversation-system-clear-at-2026-08-21".to_string(),
    );
    assert_eq!(request.headers().pop(), Some(beta));

    // Models without such messages could not read them any more, and refuse them.
    let elsewhere = ChatRequest {
        model: "claude-sonnet-4-6",
        ..request.clone()
    };
    assert!(!elsewhere.body().contains("clear_at"));
    assert_eq!(elsewhere.headers(), headers());

    // On later turns both copies stay where they were, byte for byte.
    let later = [
        newest.clone(),
        vec![assistant(vec![text("Yes.")]), user_message(None, "Thanks")],
    ];
    let later = later.concat();
    let later = ChatRequest {
        newest: &later,
        ..request.clone()
    };
    let begin = without_breakpoints(&request.body());
    let begin = begin.strip_suffix("]}").unwrap();
    assert!(without_breakpoints(&later.body()).starts_with(begin));
}

#[test]
fn a_system_message_that_nothing_was_answered_to_is_left_out() {
    // The API takes one only where it is the last message, or a reply follows.
    let asked = turn(Role::User, 0, vec![text("Hi")]);
    let mut history = messages_of(&asked, Some(&scoped(&asked, "", UPDATE)));
    history.push(assistant(vec![]));
    let body: Value =
        serde_json::from_str(&chat("S", "", &history, &user_message(None, "?"))).unwrap();
    let roles = body["messages"].as_array().unwrap().iter();
    let roles: Vec<&Value> = roles.map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "user"]);
}

#[test]
fn claude_reads_a_system_message_until_the_next_one_of_the_user() {
    let exchange = scoped_exchange();
    let roles = |n: usize| {
        let read = read(&exchange[..n]).into_iter();
        read.map(|message| message.role).collect::<Vec<_>>()
    };
    use MessageRole::*;
    assert_eq!(roles(2), [User, System]);
    assert_eq!(roles(3), [User, System, Assistant]);
    assert_eq!(roles(5), [User, Assistant, User, System]);
    assert_eq!(roles(0), []);
}

#[test]
fn the_extraction_body() {
    let schema =
        json!({"type": "object", "additionalProperties": false, "required": [], "properties": {}});
    let mut request = ExtractRequest {
        model: DEFAULT_EXTRACT_MODEL,
        info: model(DEFAULT_EXTRACT_MODEL),
        max_tokens: 2048,
        instructions: "Read out what holds.",
        input: "user: I moved to Porto.",
        schema: &schema,
    };
    assert_golden_body("extract.json", &request.body());
    let ids = MODELS.iter().map(|model| model.id).chain(["claude-next-9"]);
    let told_not_to_think = ids.filter(|id| {
        request.model = id;
        request.info = model(id);
        let body: Value = serde_json::from_str(&request.body()).unwrap();
        body.get("thinking").is_some()
    });
    let expected = ["claude-haiku-5-5", "claude-opus-5", "claude-sonnet-5"];
    assert_eq!(told_not_to_think.collect::<Vec<_>>(), expected);
}

#[test]
fn a_model_that_keeps_to_no_schema_is_told_it_in_words() {
    let schema = json!({"type": "object"});
    let info = ModelInfo {
        structured_outputs: false,
        max_output_tokens: 1_500,
        ..*model(DEFAULT_EXTRACT_MODEL)
    };
    let request = ExtractRequest {
        model: DEFAULT_EXTRACT_MODEL,
        info: &info,
        max_tokens: 2048,
        instructions: "Read out what holds.",
        input: "user: I moved to Porto.",
        schema: &schema,
    };
    let body: Value = serde_json::from_str(&request.body()).unwrap();
    assert_eq!(body.get("output_config"), None);
    assert_eq!(body["max_tokens"], 1_500, "it answers no longer than that");
    let system = body["system"].as_str().unwrap();
    assert!(system.starts_with("Read out what holds.\n\nAnswer with JSON alone"));
    assert!(system.ends_with(r#"{"type":"object"}"#));
}

#[test]
fn the_hosts_instructions_follow_ours() {
    assert_eq!(system_text(" \n"), INSTRUCTIONS);
    assert_eq!(
        system_text("\nBe brief. "),
        format!("{INSTRUCTIONS}\n\nBe brief.")
    );
}

#[test]
fn without_a_snapshot_the_instructions_carry_the_breakpoint() {
    let body: Value = serde_json::from_str(&chat("S", "", &[], &user_message(None, "Hi"))).unwrap();
    let cached =
        json!([{"type": "text", "text": "S", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]);
    assert_eq!(body["system"], cached);
}

#[test]
fn an_injection_stands_first_but_after_tool_results() {
    let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "3"});
    let results = turn(Role::Tool, 2, vec![result.clone(), result.clone()]);
    let message = message_of(&results, Some(&injection(&results, UPDATE)));
    assert_eq!(message, user(vec![result.clone(), result, text(UPDATE)]));
    assert_eq!(user_message(Some(""), "Hi").content.len(), 1);
}

/// Places of `cache_control` among the messages, as (message, block).
fn breakpoints(body: &str) -> Vec<(usize, usize)> {
    let body: Value = serde_json::from_str(body).unwrap();
    let mut found = vec![];
    for (m, message) in body["messages"].as_array().unwrap().iter().enumerate() {
        for (b, block) in message["content"].as_array().unwrap().iter().enumerate() {
            if block.get("cache_control").is_some() {
                assert_eq!(block["cache_control"], json!({"type": "ephemeral"}));
                found.push((m, b));
            }
        }
    }
    found
}

#[test]
fn a_breakpoint_never_falls_on_a_block_that_can_not_carry_one() {
    let thinking = json!({"type": "thinking", "thinking": "a", "signature": "b"});
    let newest = user(vec![text("Hi"), text(""), thinking.clone()]);
    assert_eq!(breakpoints(&chat("S", "", &[], &newest)), [(0, 0)]);
    let newest = user(vec![thinking]);
    assert_eq!(breakpoints(&chat("S", "", &[], &newest)), []);
    let history = [user_message(None, "Hi"), assistant(vec![text("Yes?")])];
    assert_eq!(breakpoints(&chat("S", "", &history, &newest)), [(0, 0)]);
}

#[test]
fn a_long_exchange_keeps_the_breakpoint_before_it() {
    // The reply's blocks and the newest message's one block are what the exchange adds.
    for (n_reply_blocks, expected) in [(18, vec![(2, 0)]), (19, vec![(0, 0), (2, 0)])] {
        let history = [
            user_message(None, "Hi"),
            assistant(vec![text("x"); n_reply_blocks]),
        ];
        let body = chat("S", "", &history, &user_message(None, "More"));
        assert_eq!(breakpoints(&body), expected, "{n_reply_blocks}");
    }
}

#[test]
fn results_that_nobody_asked_about_do_not_hide_the_breakpoint_before() {
    // The request before ended with "Hi"; its calls were not run, and the person went on.
    let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "Not run."});
    let history = [
        user_message(None, "Hi"),
        assistant(vec![text("x"); 12]),
        user(vec![result; 8]),
    ];
    let body = chat("S", "", &history, &user_message(None, "More"));
    assert_eq!(breakpoints(&body), [(0, 0), (3, 0)]);
}

#[test]
fn tools_stand_first_and_stay_as_they_are() {
    let tools = [
        json!({"type": "memory_20250818", "name": "memory"}),
        json!({"name": "weather", "input_schema": {"type": "object", "2": 1, "1": 2}}),
    ];
    let message = user_message(None, "Hi");
    let request = ChatRequest {
        model: DEFAULT_CHAT_MODEL,
        max_tokens: 4096,
        tools: &tools,
        drops_thinking: false,
        context: &ContextEdits::default(),
        system: "S",
        snapshot: "",
        history: &[],
        newest: std::slice::from_ref(&message),
    };
    let body = request.body();
    let sent = r#""tools":[{"type":"memory_20250818","name":"memory"},{"name":"weather","input_schema":{"type":"object","2":1,"1":2}}],"system":"#;
    assert!(body.contains(sent), "{body}");
    let bound: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(bound.get("thinking"), None);
    assert_eq!(request.headers(), headers());
    let unbound = ChatRequest {
        drops_thinking: true,
        ..request
    };
    let beta = unbound.headers().pop();
    let unbound: Value = serde_json::from_str(&unbound.body()).unwrap();
    let drop =
        json!({"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}});
    assert_eq!(unbound["thinking"], drop);
    let expected = (
        "anthropic-beta".into(),
        "thinking-binding-controls-2026-08-01".into(),
    );
    assert_eq!(beta, Some(expected));
}

#[test]
fn what_the_api_may_leave_out_goes_with_its_betas_and_changes_nothing_else() {
    let message = user_message(None, "Hi");
    let compacted = assistant(vec![json!({"type": "compaction", "content": "S"})]);
    let none = ContextEdits::default();
    let plain = ChatRequest {
        model: DEFAULT_CHAT_MODEL,
        max_tokens: 4096,
        tools: &[],
        drops_thinking: false,
        context: &none,
        system: "S",
        snapshot: "",
        history: &[],
        newest: std::slice::from_ref(&message),
    };
    let edits = ContextEdits {
        keep_thinking: Some(1),
        compact_at: Some(60_000),
        ..ContextEdits::default()
    };
    let edited = ChatRequest {
        drops_thinking: true,
        context: &edits,
        ..plain.clone()
    };
    let betas =
        "thinking-binding-controls-2026-08-01,context-management-2025-06-27,compact-2026-01-12";
    let beta = |betas: &str| Some(("anthropic-beta".to_string(), betas.to_string()));
    assert_eq!(edited.headers().pop(), beta(betas));
    let mut body: Value = serde_json::from_str(&edited.body()).unwrap();
    let fields = body.as_object_mut().unwrap();
    assert_eq!(fields.shift_remove("context_management"), edits.body());
    fields.shift_remove("thinking");
    assert_eq!(body.to_string(), plain.body());
    let later = ChatRequest {
        history: std::slice::from_ref(&compacted),
        ..plain
    };
    assert_eq!(later.headers().pop(), beta("compact-2026-01-12"));
}

#[test]
fn a_message_without_content_is_left_out() {
    let history = [user_message(None, "Hi"), assistant(vec![])];
    let body: Value =
        serde_json::from_str(&chat("S", "", &history, &user_message(None, "?"))).unwrap();
    let roles = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["role"]);
    assert_eq!(roles.collect::<Vec<_>>(), ["user", "user"]);
}

#[test]
fn stored_cache_control_is_not_sent() {
    let marked =
        json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}});
    let history = [
        user(vec![marked.clone(), marked]),
        assistant(vec![text("b")]),
    ];
    let body = chat("S", "", &history, &user_message(None, "c"));
    assert_eq!(breakpoints(&body), [(2, 0)]);
}

#[test]
fn the_headers_hold_no_key() {
    let names: Vec<String> = headers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["content-type", "anthropic-version"]);
}

/// Blocks as replies hold them, unknown kinds included.
fn block() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".{0,20}".prop_map(|text| json!({"type": "text", "text": text, "citations": null})),
        "[a-z]{0,9}".prop_map(|s| json!({"type": "thinking", "thinking": "", "signature": s})),
        any::<(f64, i64)>().prop_map(|(f, i)| json!({
            "type": "tool_use", "id": "toolu_1", "name": "memory", "input": {"2": f, "1": i, "cache_control": "x"},
        })),
        ".{0,20}".prop_map(|x| json!({"x": x, "type": "kind_of_tomorrow", "a": [1.0, {}]})),
    ]
}

/// A body without its breakpoints, byte for byte. The searched text can not stand inside a JSON string, where
/// quotes are escaped.
fn without_breakpoints(body: &str) -> String {
    body.replace(r#","cache_control":{"type":"ephemeral"}"#, "")
        .replace(r#","cache_control":{"type":"ephemeral","ttl":"1h"}"#, "")
}

proptest! {
    #[test]
    fn each_body_begins_with_the_one_before_and_its_reply(
        system in ".{1,30}",
        snapshot in ".{0,30}",
        exchanges in vec((proptest::option::of(".{0,20}"), proptest::option::of(".{1,20}"), ".{1,20}", vec(block(), 0..25)), 1..6),
    ) {
        let mut history: Vec<Message> = vec![];
        let mut before: Option<String> = None;
        for (injected, behind, words, reply) in exchanges {
            let asked = turn(Role::User, 0, vec![text(&words)]);
            let injected = injected.as_deref().unwrap_or_default();
            // Nothing is bound to a message that had no reply, and a system message is then left out.
            let entry = match behind.filter(|_| !reply.is_empty()) {
                Some(behind) => scoped(&asked, injected, &behind),
                None => injection(&asked, injected),
            };
            let newest = messages_of(&asked, Some(&entry));
            let body = chat_of(&system, &snapshot, &history, &newest);
            prop_assert_eq!(&body, &chat_of(&system, &snapshot, &history, &newest));
            let n_breakpoints = body.matches(r#""cache_control":{"#).count();
            prop_assert!(n_breakpoints <= 4);
            let plain = without_breakpoints(&body);
            if let Some(before) = before {
                prop_assert!(plain.starts_with(&before), "{}\n{}", before, plain);
            }
            // What the next body has to begin with: this one, still open, and the reply as it came.
            let mut grown = plain.strip_suffix("]}").unwrap().to_string();
            if !reply.is_empty() {
                let reply = json!({"role": "assistant", "content": reply});
                grown += &format!(",{}", serde_json::to_string(&reply).unwrap());
            }
            before = Some(grown);
            history.extend(newest);
            history.push(assistant(reply));
        }
    }
}
