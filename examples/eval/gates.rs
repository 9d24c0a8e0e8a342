//! What the gates let through: each question put to its own conversation and to the next one, where it has no answer.
//!
//! It measures what `src/recall/gate.rs` states: the strength that a share of the questions without an answer reaches, and how
//! many of those with one reach it.

use super::embed::Embed;
use super::ranking::Loaded;
use onhand::embed::Kind;
use onhand::recall::Weights;
use onhand::recall::evaluation::{LabelledQuestion, rank, strength};
use std::fmt::Write as _;

/// Of the questions without an answer; the levels loose, normal and strict.
const LET_THROUGH: [f32; 3] = [0.40, 0.20, 0.05];

/// A table of strengths, for questions as they were written and without the names of who speaks in their conversation.
pub fn table(loaded: &[Loaded], embedder: Option<&dyn Embed>, weights: &Weights) -> String {
    let mut text = "\nunanswerable that pass     40 %    20 %    5 %\n".to_owned();
    for (name, is_nameless) in [("as written", false), ("without names", true)] {
        let mut own = Vec::new();
        let mut other = Vec::new();
        for (at, conversation) in loaded.iter().enumerate() {
            let next = &loaded[(at + 1) % loaded.len()];
            for question in &conversation.questions {
                let asked = |of: &Loaded, text: String| {
                    let words = of.corpus.words_to_embed(&text);
                    let embedded = embedder.and_then(|model| model.embed(&words, Kind::Query));
                    let asked = LabelledQuestion {
                        text,
                        embedded,
                        ..question.clone()
                    };
                    strength(&asked, &rank(&of.corpus, &asked, weights))
                };
                own.push(asked(conversation, question.text.clone()));
                let nameless = conversation.corpus.words_to_embed(&question.text);
                let text = if is_nameless {
                    nameless
                } else {
                    question.text.clone()
                };
                other.push(asked(next, text));
            }
        }
        other.sort_by(|a, b| b.total_cmp(a));
        let gates = LET_THROUGH.map(|share| other[(share * other.len() as f32) as usize]);
        let passing = gates.map(|gate| share_from(&own, gate));
        let _ = writeln!(
            text,
            "{name:22} {:8.3} {:7.3} {:7.3}",
            gates[0], gates[1], gates[2]
        );
        let _ = writeln!(
            text,
            "  answerable that pass {:7.0} % {:5.0} % {:5.0} %",
            passing[0], passing[1], passing[2]
        );
        if !is_nameless {
            continue;
        }
        let _ = writeln!(text, "gate   answerable  unanswerable without names");
        for gate in (10..=60).step_by(2).map(|gate| gate as f32 / 100.0) {
            let (own, other) = (share_from(&own, gate), share_from(&other, gate));
            let _ = writeln!(text, "{gate:.2} {own:10.0} % {other:10.0} %");
        }
    }
    text
}

/// In percent.
fn share_from(strengths: &[f32], gate: f32) -> f32 {
    let passing = strengths.iter().filter(|one| **one >= gate).count();
    100.0 * passing as f32 / strengths.len() as f32
}
