//! What Claude's prompt cache makes of a long session, by a simulation of its rules.

use crate::chat::strip_cache_control;
use crate::loops::{Page, ask, assert_paired, tools};
use crate::world::*;
use onhand::agent::{Limits, Preset};
use onhand::block::Place;
use onhand::config::Config;
use onhand::memory::{Cancel, Send};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Characters of a token; what is measured is a share, so the number does not matter.
const CHARACTERS: usize = 4;
/// From the API's rules: a breakpoint looks back over so many blocks for an earlier write.
const LOOK_BACK: usize = 20;
/// The smallest prefix that is cached, for the model of the tests.
const MIN_TOKENS: usize = 512;

#[derive(Default)]
struct Cache(HashSet<String>);

impl Cache {
    /// Tokens read from the cache, and all tokens of the prompt.
    fn request(&mut self, body: &Value) -> (usize, usize) {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let messages = list(&body["messages"]);
        let last_user = messages.iter().rposition(|m| m["role"] == "user").unwrap();
        let messages = messages.iter().enumerate();
        // The next message of the user clears a system message: it is no part of the prompt any more.
        let seen = messages.filter(|(at, m)| m["role"] != "system" || *at > last_user);
        let blocks = seen.flat_map(|(_, message)| {
            let blocks = match &message["content"] {
                Value::Array(blocks) => blocks.clone(),
                text => vec![text.clone()],
            };
            let blocks = blocks.into_iter();
            blocks.map(move |block| (message["role"].to_string(), block))
        });
        let fixed = [list(&body["tools"]), list(&body["system"])].concat();
        let fixed = fixed.into_iter().map(|block| (String::new(), block));
        let (mut prefix, mut ends, mut breakpoints) = (String::new(), vec![], vec![]);
        for (role, mut block) in fixed.chain(blocks) {
            if block.get("cache_control").is_some() {
                breakpoints.push(ends.len());
            }
            strip_cache_control(&mut block);
            prefix += &format!("{role}{block}");
            ends.push(prefix.len());
        }
        assert!(breakpoints.len() <= 4);
        let tokens = |at: &usize| ends[*at] / CHARACTERS;
        let is_written = |at: &usize| self.0.contains(&prefix[..ends[*at]]);
        let read = breakpoints.iter().filter_map(|breakpoint| {
            let first = (breakpoint + 1).saturating_sub(LOOK_BACK);
            (first..=*breakpoint).rev().find(is_written)
        });
        let read = read.max().map_or(0, |at| tokens(&at));
        for at in breakpoints {
            if tokens(&at) >= MIN_TOKENS {
                self.0.insert(prefix[..ends[at]].into());
            }
        }
        (read, prefix.len() / CHARACTERS)
    }
}

#[test]
fn a_long_session_with_recall_and_tools_is_read_from_the_cache_and_keeps_its_thinking() {
    a_long_session(Place::User);
}

#[test]
fn so_is_one_whose_memory_stands_behind_the_messages() {
    a_long_session(Place::System);
}

fn a_long_session(place: Place) {
    let world = World::new();
    let open = || {
        let config = Config {
            preset: Preset::Agent,
            recall_place: place,
            ..Config::new(namespace())
        };
        world.open_with_config(config, true)
    };
    let memory = open();
    // Two conversations: the last one stands in the snapshot, and what stands there is not recalled.
    for said in ["my boat is called Aurora and lies in Porto", "good morning"] {
        world.line.0.will(says("Noted."));
        send(&memory, None, said).0.unwrap();
        world.clock.pass(DAY_MS);
    }

    let thinking = |n: usize| json!({"type": "thinking", "thinking": "", "signature": format!("sig{n}").repeat(30)});
    let answer = "A sentence of the answer says a little more about the boat. ".repeat(20);
    let mut memory = memory;
    // What a tool shows stays in the conversation, and is not said again behind the messages.
    let query = |n: usize| match place {
        Place::User => format!("boat {n}"),
        Place::System => format!("zeppelin {n}"),
    };
    let (mut session, mut cache, mut shares) = (None, Cache::default(), vec![]);
    for n in 0..20 {
        let add = |at: usize| tool_use(&format!("toolu_{n}_{at}"), "add", json!({"a": n, "b": at}));
        // Now and then more calls at once than a breakpoint looks back over.
        let calls = (0..if n % 5 == 4 { 24 } else { 1 }).map(add);
        let recall = tool_use(&format!("toolu_{n}"), "recall", json!({"query": query(n)}));
        let calls: Vec<Value> = [thinking(2 * n), recall].into_iter().chain(calls).collect();
        world.line.0.will(streamed_ending(&calls, "tool_use"));
        world.line.0.will(streamed(
            &[thinking(2 * n + 1), json!({"type": "text", "text": answer})],
            211,
        ));
        let request = Send {
            session,
            text: format!("Question {n}: what about my boat Aurora and the sails?"),
            tools: tools(),
            limits: Limits::default(),
            ..Send::default()
        };
        let (page, cancel) = (Page::default(), Cancel::default());
        let sent = memory.send_with(&request, &page, &cancel, |_| ());
        session = Some(pollster::block_on(sent).unwrap().session);
        for request in 2 * n + 2..2 * n + 4 {
            let (read, all) = cache.request(&world.line.0.body(request));
            if n >= 2 {
                shares.push((read, all));
            }
        }
        world.clock.pass(60_000);
        // The page is loaded again in between.
        if n == 9 {
            memory = open();
        }
    }
    let read: usize = shares.iter().map(|(read, _)| read).sum();
    let all: usize = shares.iter().map(|(_, all)| all).sum();
    let percent = 100.0 * read as f64 / all as f64;
    assert!(
        percent >= 90.0,
        "{percent:.1} % of the input came from the cache: {shares:?}"
    );

    let last = world.line.0.last_body();
    assert_paired(&last);
    assert_eq!(last.to_string().matches(r#""type":"thinking""#).count(), 39);
    let n_blocks = last.to_string().matches("<memory_update>").count();
    match place {
        Place::User => assert!(n_blocks > 1, "recall was on"),
        // With each question, and once more behind the results.
        Place::System => assert_eq!(n_blocks, 1 + 2 * 20, "one is spoken of in the instructions"),
    }
    // A thinking block is bound to all that stood before it: each request begins with the one before.
    let mut earlier: Option<Value> = None;
    for n in 2..world.line.0.n_requests() {
        let mut body = world.line.0.body(n);
        strip_cache_control(&mut body);
        if let Some(earlier) = earlier {
            let n = earlier["messages"].as_array().unwrap().len();
            let begin = json!(&body["messages"].as_array().unwrap()[..n]);
            assert_eq!(begin.to_string(), earlier["messages"].to_string());
            for part in ["tools", "system"] {
                assert_eq!(body[part].to_string(), earlier[part].to_string());
            }
        }
        earlier = Some(body);
    }
}

#[test]
fn calls_that_were_not_run_do_not_cost_the_cache() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says(&"A long answer. ".repeat(200)));
    let page = Page::default();
    let session = ask(&memory, &page, None, Limits::default())
        .0
        .unwrap()
        .session;
    let calls: Vec<Value> = (0..22)
        .map(|n| tool_use(&format!("toolu_{n}"), "add", json!({"a": n, "b": 1})))
        .collect();
    world.line.0.will(streamed_ending(&calls, "tool_use"));
    let limits = Limits {
        turns: 1,
        ..Limits::default()
    };
    ask(&memory, &page, Some(session), limits).0.unwrap();
    world.line.0.will(says("Fine."));
    ask(&memory, &page, Some(session), Limits::default())
        .0
        .unwrap();
    let mut cache = Cache::default();
    let reads: Vec<usize> = (0..3)
        .map(|n| cache.request(&world.line.0.body(n)).0)
        .collect();
    assert!(reads[2] > 600, "{reads:?}");
}
