use super::*;
use crate::error::Error;
use crate::model::{ArtifactId, FactId, FactType, Tokens};
use serde_json::{Value, json};

fn host(name: &str) -> Value {
    json!({"name": name, "input_schema": {"type": "object"}})
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect()
}

#[test]
fn the_order_in_which_a_host_lists_its_tools_makes_no_other_prefix() {
    let (one, other) = (host("weather"), host("Calendar"));
    let tools = toolset(&BUILT_IN, &[one.clone(), other.clone()]).unwrap();
    assert_eq!(toolset(&BUILT_IN, &[other, one]).unwrap(), tools);
    let expected = [
        "Calendar",
        "mark_fact_stale",
        "memory",
        "read_artifact",
        "recall",
        "remember",
        "weather",
    ];
    assert_eq!(names(&tools), expected);
    assert_eq!(names(&toolset(&["recall"], &[]).unwrap()), ["recall"]);
}

#[test]
fn definitions_that_the_api_would_refuse_are_refused_here() {
    let strict = |n: usize| {
        (0..n).map(|n| json!({"name": format!("t{n}"), "strict": true, "input_schema": {}}))
    };
    let cases = [
        vec![json!({"input_schema": {}})],
        vec![host("two words")],
        vec![host(&"x".repeat(129))],
        vec![host("recall")],
        vec![json!({"name": "x"})],
        vec![host("x"), host("x")],
        strict(21).collect(),
    ];
    for tools in cases {
        let refused = toolset(&[], &tools);
        let is_refused = matches!(refused, Err(Error::InvalidInput { field: "tools", .. }));
        assert!(is_refused, "{tools:?}");
    }
    assert_eq!(
        toolset(&[], &strict(20).collect::<Vec<_>>()).unwrap().len(),
        20
    );
}

#[test]
fn every_call_gets_its_result_in_order() {
    let content = [
        json!({"type": "thinking", "thinking": "", "signature": "s"}),
        json!({"type": "tool_use", "id": "toolu_1", "name": "a", "input": {"b": 1, "a": 2}}),
        json!({"type": "text", "text": "and"}),
        json!({"type": "tool_use", "id": "toolu_2", "name": "b", "input": {}}),
    ];
    let calls = calls_of(&content);
    assert_eq!(calls[0].input.to_string(), r#"{"b":1,"a":2}"#);
    let outputs = [ToolOutput::text("fine"), ToolOutput::error("broken")];
    let answered: Vec<_> = calls.into_iter().zip(outputs).collect();
    assert_eq!(
        Value::from(results(&answered)),
        json!([
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "fine"},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": "broken", "is_error": true},
        ])
    );
}

#[test]
fn a_result_never_fills_the_prompt() {
    let text = "ü".repeat(MAX_RESULT_BYTES);
    let cut = ToolOutput::text(text).bounded();
    let text = cut.content.as_str().unwrap();
    assert!(text.len() < MAX_RESULT_BYTES + 100 && text.ends_with("smaller part]"));
    assert!(!cut.is_error);
    let small = ToolOutput::text("fine");
    assert_eq!(small.clone().bounded(), small);
    let blocks = json!([{"type": "text", "text": "x".repeat(MAX_RESULT_BYTES)}]);
    let refused = ToolOutput {
        content: blocks,
        is_error: false,
    }
    .bounded();
    assert!(refused.is_error && refused.content.is_string());
}

#[test]
fn an_input_is_read_or_answered() {
    let id = FactId::new(7, 7);
    let read = |name, input: Value| BuiltIn::read(name, &input);
    let stale = |fact_id: String| {
        read(
            "mark_fact_stale",
            json!({"fact_id": fact_id, "reason": " moved "}),
        )
    };
    let expected = BuiltIn::MarkStale {
        fact: id,
        reason: "moved".into(),
    };
    for written in [id.to_string(), format!("fact {id}"), format!("fact:{id}")] {
        assert_eq!(stale(written), Some(Ok(expected.clone())));
    }
    assert!(matches!(stale("none".into()), Some(Err(_))));

    let artifact = ArtifactId::new(7, 7);
    let range = |id: String, from: Value, length: Value| {
        read(
            "read_artifact",
            json!({"id": id, "from": from, "length": length}),
        )
    };
    let expected = BuiltIn::ReadArtifact {
        id: artifact,
        from: 5,
        length: 10,
    };
    for written in [artifact.to_string(), format!("artifact {artifact}")] {
        assert_eq!(
            range(written, json!(5), json!(10)),
            Some(Ok(expected.clone()))
        );
    }
    let id = artifact.to_string();
    let wrong = [
        range("none".into(), json!(0), json!(1)),
        range(id.clone(), json!(-1), json!(1)),
        range(id, json!(0), json!("all")),
    ];
    assert!(wrong.iter().all(|read| matches!(read, Some(Err(_)))));

    let limit = |limit: Value| match read("recall", json!({"query": "tea", "limit": limit})) {
        Some(Ok(BuiltIn::Recall { limit, .. })) => Some(limit),
        _ => None,
    };
    let limits = [
        json!(null),
        json!(3),
        json!(0),
        json!(1000),
        json!("3"),
        json!(-1),
    ]
    .map(limit);
    assert_eq!(limits, [Some(8), Some(3), Some(1), Some(20), None, None]);

    let note = json!({"type": "Goal", "subject": "user", "attribute": "race", "statement": "Run.", "quote": " "});
    let Some(Ok(BuiltIn::Remember(read_note))) = read("remember", note.clone()) else {
        panic!("not read")
    };
    assert_eq!(
        (read_note.fact_type, read_note.quote),
        (FactType::Goal, None)
    );
    for (field, wrong) in [
        ("type", json!("wish")),
        ("subject", json!(null)),
        ("attribute", json!("x".repeat(101))),
        ("statement", json!("  ")),
        ("quote", json!(7)),
    ] {
        let mut note = note.clone();
        note[field] = wrong;
        assert!(matches!(read("remember", note), Some(Err(said)) if said.contains(field)));
    }
    assert_eq!(read("weather", json!({})), None);
    assert!(BUILT_IN.iter().all(|name| read(name, json!({})).is_some()));
    assert_eq!(names(&definitions()), BUILT_IN);
}

#[test]
fn limits_are_kept_or_refused() {
    let tokens = Tokens {
        output: 100_000,
        ..Tokens::default()
    };
    let limits = Limits {
        turns: 3,
        cost_usd: Some(1.5),
        ms: None,
    };
    let mut spent = Spent::default();
    spent.add("claude-sonnet-5-5", &tokens);
    assert_eq!(spent.reached(&limits), None);
    spent.add("claude-sonnet-5-5", &tokens);
    assert_eq!(spent.reached(&limits), Some("cost"));
    spent.add("claude-sonnet-5-5", &tokens);
    assert_eq!(spent.reached(&limits), Some("turns"));

    assert_eq!(limits.check("claude-sonnet-5-5"), Ok(()));
    assert_eq!(Limits::default().check("claude-next-9"), Ok(()));
    let cost = |cost| Limits {
        cost_usd: Some(cost),
        ..limits
    };
    for (limits, model) in [
        (limits, "claude-next-9"),
        (cost(0.0), "claude-sonnet-5-5"),
        (cost(f64::NAN), "claude-sonnet-5-5"),
        (Limits { turns: 0, ..limits }, "claude-sonnet-5-5"),
        (
            Limits {
                ms: Some(0),
                ..limits
            },
            "claude-sonnet-5-5",
        ),
    ] {
        assert!(
            matches!(limits.check(model), Err(Error::InvalidInput { .. })),
            "{limits:?}"
        );
    }
}
