use crate::claude::context::{ClearTools, ContextEdits};
use crate::claude::listing::*;
use crate::claude::models::{Compaction, MODELS, ModelInfo, cost_usd, model};
use crate::model::Tokens;
use crate::time::Timestamp;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

const AT: Timestamp = Timestamp::utc(1_795_165_200_000);

fn table(data: Value) -> ModelTable {
    ModelTable::of(data.as_array().unwrap(), AT).unwrap()
}

fn supported(yes: bool) -> Value {
    json!({"supported": yes})
}

/// A model that came after this table, with all that the API says of one, and more.
fn next() -> Value {
    json!({
        "type": "model", "id": "claude-next-9", "display_name": "Claude Next 9", "lifecycle": "active",
        "max_input_tokens": 2_000_000, "max_tokens": 256_000, "colour": "blue",
        "capabilities": {
            "structured_outputs": supported(true), "telepathy": supported(true),
            "context_management": {
                "supported": true, "clear_tool_uses_20250919": supported(true),
                "clear_thinking_20251015": supported(true), "compact_20260112": supported(true), "forget_20270101": supported(true),
            },
            "thinking": {"supported": true, "types": {"adaptive": supported(true), "disabled": supported(true), "dreaming": supported(true)}},
            "effort": {"supported": true, "low": supported(true)},
        },
    })
}

#[test]
fn a_model_that_the_table_does_not_know_is_used_as_the_api_says_and_has_no_price() {
    let models = table(json!([next()]));
    let info = models.model("claude-next-9");
    assert_eq!(info.id, "");
    assert_eq!(
        (info.context_tokens, info.max_output_tokens),
        (2_000_000, 256_000)
    );
    assert!(info.structured_outputs && info.clears_tool_uses && info.clears_thinking);
    assert_eq!(info.compaction, Compaction::OnDemandAndThreshold);
    assert_eq!(info.thinking.names(), ["adaptive", "disabled"]);
    assert!(info.is_thinking_disabled_by_request() && info.effort);
    assert_eq!(info.prices, None);
    assert_eq!(cost_usd("claude-next-9", &Tokens::default()), None);
    // What the API says nothing of is as for any unknown model.
    assert!(info.binds_thinking && !info.forced_tool_choice && !info.mid_conversation_system);

    let edits = ContextEdits {
        clear_tools: Some(ClearTools::default()),
        keep_thinking: Some(2),
        compact_at: Some(150_000),
    };
    assert_eq!(edits.for_request(&info, true), edits);
    let all = models.all();
    assert_eq!(all.len(), MODELS.len() + 1);
    let last = all.last().unwrap();
    let listed = last.listed.as_ref().unwrap();
    assert_eq!(last.id, "claude-next-9");
    assert_eq!(listed.display_name.as_deref(), Some("Claude Next 9"));
    assert_eq!(listed.lifecycle.as_deref(), Some("active"));
}

#[test]
fn what_the_api_says_wins_and_what_it_does_not_say_stays() {
    let models = table(json!([{
        "id": "claude-sonnet-5-5", "max_input_tokens": 400_000,
        "capabilities": {
            "structured_outputs": supported(false),
            "context_management": {"clear_thinking_20251015": supported(false), "compact_20260112": supported(false)},
            "thinking": {"types": {"disabled": supported(true)}},
        },
    }]));
    let before = *model("claude-sonnet-5-5");
    let expected = ModelInfo {
        context_tokens: 400_000,
        structured_outputs: false,
        clears_thinking: false,
        compaction: Compaction::OnDemand,
        thinking: crate::claude::models::ThinkingTypes {
            disabled: true,
            ..before.thinking
        },
        ..before
    };
    assert_eq!(models.model("claude-sonnet-5-5"), expected);
    assert_eq!(models.model("claude-opus-5-5"), *model("claude-opus-5-5"));
    assert_eq!(models.refreshed(), Some(AT));
    let all = models.all();
    let listed: Vec<&str> = all
        .iter()
        .filter(|model| model.listed.is_some())
        .map(|model| model.id.as_str())
        .collect();
    assert_eq!(listed, ["claude-sonnet-5-5"]);
}

#[test]
fn a_date_at_the_end_names_the_same_model_on_either_side() {
    let entry = |id: &str, tokens: u32| json!({"id": id, "max_input_tokens": tokens});
    let dated = table(json!([
        entry("claude-haiku-4-5-20251001", 150_000),
        entry("claude-haiku-4-5-20260101", 160_000),
        entry("claude-next-9-20270101", 300_000),
    ]));
    let window = |models: &ModelTable, id| models.model(id).context_tokens;
    assert_eq!(window(&dated, "claude-haiku-4-5-20251001"), 150_000);
    assert_eq!(window(&dated, "claude-haiku-4-5"), 160_000);
    assert_eq!(window(&dated, "claude-next-9"), 300_000);
    assert_eq!(dated.all().len(), MODELS.len() + 1);
    let plain = table(json!([entry("claude-haiku-4-5", 170_000)]));
    assert_eq!(window(&plain, "claude-haiku-4-5-20251001"), 170_000);
}

#[test]
fn what_is_no_list_is_none() {
    for answer in [
        json!(null),
        json!([]),
        json!("models"),
        json!({}),
        json!({"data": {}}),
        json!({"data": null, "has_more": true}),
        json!({"data": [], "has_more": true}),
        json!({"data": [], "has_more": true, "last_id": "../messages?x=1"}),
    ] {
        assert_eq!(Page::read(answer.clone()), None, "{answer}");
    }
    for data in [
        json!([]),
        json!([1, null, "claude-next-9", {}]),
        json!([{"id": 7}, {"id": ""}, {"id": "a b"}, {"id": "x".repeat(129)}]),
    ] {
        assert_eq!(ModelTable::of(data.as_array().unwrap(), AT), None, "{data}");
    }
    let page = json!({"data": [next()], "has_more": true, "first_id": "claude-next-9", "last_id": "claude-next-9"});
    let path = "/v1/models?limit=1000&after_id=claude-next-9";
    assert_eq!(Page::read(page).unwrap().next.as_deref(), Some(path));
}

#[test]
fn a_kept_list_is_read_back_and_a_damaged_one_is_not() {
    let data = vec![next(), json!({"id": "claude-opus-5", "max_tokens": 1_000})];
    let bytes = to_bytes(data.clone(), AT);
    assert_eq!(from_bytes(&bytes), ModelTable::of(&data, AT));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        assert_eq!(from_bytes(&damaged), None, "byte {at}");
        assert_eq!(from_bytes(&bytes[..at]), None, "cut at {at}");
    }
}

/// Anything that JSON can say, most of it where the API would say something.
fn junk() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("claude-sonnet-5-5")),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        let key = proptest::sample::select(vec![
            "id",
            "max_input_tokens",
            "max_tokens",
            "capabilities",
            "context_management",
            "compact_20260112",
            "structured_outputs",
            "thinking",
            "types",
            "disabled",
            "supported",
            "lifecycle",
        ]);
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((key, inner), 0..8).prop_map(|fields| {
                let fields = fields.into_iter().map(|(k, v)| (k.to_owned(), v));
                Value::Object(fields.collect())
            }),
        ]
    })
}

/// An entry of a real model whose fields may be anything.
fn entry() -> impl Strategy<Value = Value> {
    let ids: Vec<&str> = MODELS.iter().map(|model| model.id).collect();
    (
        proptest::sample::select(ids),
        junk(),
        junk(),
        junk(),
        any::<u64>(),
    )
        .prop_map(|(id, window, tokens, capabilities, n)| {
            let window = if n % 2 == 0 { json!(n) } else { window };
            json!({"id": id, "max_input_tokens": window, "max_tokens": tokens, "capabilities": capabilities})
        })
}

proptest! {
    #[test]
    fn whatever_the_answer_the_table_stays_usable(answer in junk(), entries in vec(prop_oneof![entry(), junk()], 0..6)) {
        let _ = Page::read(answer);
        let models = ModelTable::of(&entries, AT).unwrap_or_default();
        let all = models.all();
        prop_assert!(all.len() >= MODELS.len());
        for (known, model) in MODELS.iter().zip(&all) {
            prop_assert_eq!(&model.id, known.id);
            let info = models.model(known.id);
            prop_assert_eq!(info, model.info);
            // Room for a message and its answer, the price as it was, and nothing that the API does not tell.
            prop_assert!(info.context_tokens >= 1_000 && info.longest_prompt() >= 750);
            prop_assert!((1..=info.context_tokens).contains(&info.max_output_tokens));
            prop_assert_eq!((info.prices, info.long_prompt), (known.prices, known.long_prompt));
            prop_assert_eq!((info.binds_thinking, info.clear_at, info.id), (known.binds_thinking, known.clear_at, known.id));
        }
        let unknown = models.model("claude-next-9");
        prop_assert_eq!(unknown.prices, None);
    }
}
