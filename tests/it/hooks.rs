//! The host's say between the steps of a message.

use crate::loops::{assert_paired, stored_turns, tools};
use crate::world::*;
use onhand::agent::{ToolCall, ToolOutput};
use onhand::error::{Error, Result};
use onhand::memory::{Cancel, ChatEvent, Host, Memory, ReplySeen, Send, Sent, Storing};
use onhand::model::{Kind, SessionId, Turn};
use serde_json::{Value, json};
use std::cell::RefCell;

/// A host that writes down what it is asked, and does as it is told.
#[derive(Default)]
struct Filter {
    seen: RefCell<Vec<String>>,
    /// The hook that throws.
    throws: Option<&'static str>,
    /// What is put before the words in place of the block; `Some(None)` for nothing.
    block: Option<Option<&'static str>>,
    /// A tool that may not run.
    forbids: Option<&'static str>,
    words_only: bool,
}

impl Filter {
    fn saw(&self, hook: &'static str, what: &str) -> Result<()> {
        self.seen.borrow_mut().push(format!("{hook} {what}"));
        match self.throws == Some(hook) {
            true => Err(Error::HookFailed {
                hook,
                message: "as told".into(),
            }),
            false => Ok(()),
        }
    }
}

impl Host for Filter {
    type FilesHeld = ();

    async fn hold_files(&self) {}

    async fn run_tool(&self, call: &ToolCall) -> Option<ToolOutput> {
        self.saw("run", &call.name).unwrap();
        Some(ToolOutput::text("3"))
    }

    async fn before_inject(&self, text: &str, block: String) -> Result<Option<String>> {
        self.saw("beforeInject", text)?;
        match self.block {
            None => Ok(Some(block)),
            Some(instead) => Ok(instead.map(String::from)),
        }
    }

    async fn before_request(&self, _: SessionId, body: &str) -> Result<()> {
        let body: Value = serde_json::from_str(body).unwrap();
        self.saw(
            "beforeRequest",
            &body["messages"].as_array().unwrap().len().to_string(),
        )
    }

    async fn after_reply(&self, reply: &ReplySeen<'_>) -> Result<()> {
        assert_eq!((reply.model, reply.tokens.input), ("claude-sonnet-5-5", 25));
        self.saw("afterReply", reply.stop_reason.name())
    }

    async fn before_tool(&self, call: &ToolCall) -> Option<ToolOutput> {
        self.saw("beforeTool", &call.name).unwrap();
        (self.forbids == Some(call.name.as_str())).then(|| ToolOutput::error("Not allowed."))
    }

    async fn before_store(&self, turns: &[Turn]) -> Result<Storing> {
        self.saw("beforeStore", &turns.len().to_string())?;
        Ok(match self.words_only {
            true => Storing::WordsOnly,
            false => Storing::WithFacts,
        })
    }
}

/// A memory with something to recall.
fn memory(world: &World) -> Memory<TestPorts> {
    let memory = world.open();
    world.line.0.will(says("Noted."));
    send(&memory, None, "the boat house code is 4471")
        .0
        .unwrap();
    world.line.0.will(says("Hello."));
    world.clock.pass(DAY_MS);
    send(&memory, None, "hello").0.unwrap();
    world.clock.pass(DAY_MS);
    memory
}

fn ask(
    world: &World,
    memory: &Memory<TestPorts>,
    filter: &Filter,
) -> (Result<Sent>, Vec<ChatEvent>) {
    world
        .line
        .0
        .will(uses("toolu_1", "add", json!({"a": 1, "b": 2})));
    world.line.0.will(says("Three."));
    let send = Send {
        text: "what is the boat house code?".into(),
        tools: tools(),
        ..Send::default()
    };
    let mut events = Vec::new();
    let cancel = Cancel::default();
    let sent = memory.send_with(&send, filter, &cancel, |event| events.push(event));
    let sent = pollster::block_on(sent);
    world.line.0.answers.borrow_mut().clear();
    (sent, events)
}

fn newest(body: &Value) -> String {
    body["messages"][0]["content"].to_string()
}

#[test]
fn each_hook_is_asked_where_its_name_says() {
    let world = World::new();
    let memory = memory(&world);
    let filter = Filter::default();
    ask(&world, &memory, &filter).0.unwrap();
    let expected = [
        "beforeInject what is the boat house code?",
        "beforeRequest 1",
        "afterReply tool_use",
        "beforeTool add",
        "run add",
        "beforeRequest 3",
        "afterReply end_turn",
        "beforeStore 4",
    ];
    assert_eq!(*filter.seen.borrow(), expected);
}

#[test]
fn a_hook_that_throws_ends_the_message_and_nothing_is_recorded() {
    for hook in ["beforeInject", "beforeRequest", "afterReply", "beforeStore"] {
        let world = World::new();
        let memory = memory(&world);
        let before = world.n_stored(Kind::Turn);
        let n_requests = world.line.0.n_requests();
        let filter = Filter {
            throws: Some(hook),
            ..Filter::default()
        };
        let (sent, _) = ask(&world, &memory, &filter);
        assert!(
            matches!(sent, Err(Error::HookFailed { hook: told, .. }) if told == hook),
            "{sent:?}"
        );
        assert_eq!(world.n_stored(Kind::Turn), before, "{hook}");
        let went_out = world.line.0.n_requests() > n_requests;
        assert_eq!(
            went_out,
            matches!(hook, "afterReply" | "beforeStore"),
            "{hook}"
        );
    }
}

#[test]
fn what_a_hook_puts_in_the_blocks_place_is_what_the_ledger_keeps() {
    let world = World::new();
    let memory = memory(&world);
    let filter = Filter {
        block: Some(Some("<memory_update>withheld</memory_update>")),
        ..Filter::default()
    };
    let session = ask(&world, &memory, &filter).0.unwrap().session;
    let first = newest(&world.line.0.last_body());
    assert!(
        first.contains("withheld") && !first.contains("4471"),
        "{first}"
    );
    let memory = world.open();
    world.line.0.will(says("Yes."));
    send(&memory, Some(session), "sure?").0.unwrap();
    assert_eq!(newest(&world.line.0.last_body()), first, "byte for byte");
}

#[test]
fn a_block_that_a_hook_takes_away_was_not_shown() {
    for nothing in [None, Some("")] {
        let world = World::new();
        let memory = memory(&world);
        let filter = Filter {
            block: Some(nothing),
            ..Filter::default()
        };
        let (sent, events) = ask(&world, &memory, &filter);
        sent.unwrap();
        assert!(!newest(&world.line.0.last_body()).contains("memory_update"));
        assert_eq!(world.n_stored(Kind::Injection), 0);
        let told = |event: &ChatEvent| matches!(event, ChatEvent::Memory { block: None, items, .. } if items.is_empty());
        assert!(events.iter().any(told), "{events:?}");
    }
}

#[test]
fn a_tool_that_a_hook_forbids_does_not_run_and_claude_hears_why() {
    let world = World::new();
    let memory = memory(&world);
    let filter = Filter {
        forbids: Some("add"),
        ..Filter::default()
    };
    ask(&world, &memory, &filter).0.unwrap();
    assert!(!filter.seen.borrow().contains(&"run add".to_string()));
    let body = world.line.0.last_body();
    assert_paired(&body);
    let result = &body["messages"][2]["content"][0];
    assert_eq!(
        (&result["content"], &result["is_error"]),
        (&json!("Not allowed."), &json!(true))
    );
}

#[test]
fn an_exchange_of_words_only_is_kept_and_no_facts_are_read_out_of_it() {
    let world = World::new();
    let memory = memory(&world);
    let (turns, jobs) = (stored_turns(&world).len(), world.n_stored(Kind::Job));
    let filter = Filter {
        words_only: true,
        ..Filter::default()
    };
    ask(&world, &memory, &filter).0.unwrap();
    assert_eq!(
        (stored_turns(&world).len(), world.n_stored(Kind::Job)),
        (turns + 4, jobs)
    );
}
