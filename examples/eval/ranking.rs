//! From conversations and questions to ranks, the same in a native build and in WebAssembly.

use super::data::Conversation;
use super::embed::Embed;
use onhand::embed::Kind;
use onhand::model::RecordRef;
use onhand::recall::evaluation::{LabelledQuestion, Report, Tally, rank};
use onhand::recall::{Corpus, Weights};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A conversation in the corpus of its own that the product would keep.
pub struct Loaded<'a> {
    conversation: &'a Conversation,
    pub corpus: Corpus,
    pub questions: Vec<LabelledQuestion>,
}

impl<'a> Loaded<'a> {
    pub fn new(conversation: &'a Conversation, embedder: Option<&dyn Embed>) -> Loaded<'a> {
        let mut corpus = Corpus::new(embedder.map(Embed::spec));
        for turn in &conversation.turns {
            for piece in corpus.add_turn(turn) {
                let Some(embedder) = embedder else { continue };
                let Some(embedded) = embedder.embed(&piece.text, Kind::Passage) else {
                    continue;
                };
                corpus
                    .add_vector(piece.owner, &embedded.vector)
                    .expect("the embedder's own vector");
                if let Some(words) = &embedded.words {
                    corpus.add_words_of(&embedder.spec().id, piece.owner, &words.to_bytes());
                }
            }
        }
        let questions = conversation
            .questions
            .iter()
            .map(|question| LabelledQuestion {
                text: question.text.clone(),
                embedded: embedder.and_then(|embedder| {
                    embedder.embed(&corpus.words_to_embed(&question.text), Kind::Query)
                }),
                now: question.now,
                category: question.category.clone(),
                relevant: question.evidence.clone(),
            });
        Loaded {
            conversation,
            questions: questions.collect(),
            corpus,
        }
    }
}

/// What came of all questions.
pub struct Run {
    pub report: Report,
    /// A line of JSON for each question: the names of the turns, best first.
    pub ranks: String,
    /// A line of JSON for each question: the scores of all that was ranked, as the eight hexadecimal digits of their bits.
    pub scores: String,
}

/// Puts every question to its conversation.
pub fn run(loaded: &[Loaded], weights: &Weights) -> Run {
    let mut tally = Tally::default();
    let (mut ranks, mut scores) = (String::new(), String::new());
    for Loaded {
        conversation,
        corpus,
        questions,
    } in loaded
    {
        for (question, labelled) in conversation.questions.iter().zip(questions) {
            let found = rank(corpus, labelled, weights);
            tally.add(corpus, labelled, &found);
            let ranked = found.items.iter().filter_map(|item| match item.record {
                RecordRef::Turn(id) => conversation.names.get(&id),
                RecordRef::Fact(_) | RecordRef::File(_) => None,
            });
            let line: Value = json!({ "qid": question.id, "ranked": ranked.collect::<Vec<_>>() });
            let _ = writeln!(ranks, "{line}");
            let bits = found.items.iter();
            let bits = bits.map(|item| format!("{:08x}", item.score.to_bits()));
            let line: Value = json!({ "qid": question.id, "scores": bits.collect::<Vec<_>>() });
            let _ = writeln!(scores, "{line}");
        }
    }
    Run {
        report: tally.report(),
        ranks,
        scores,
    }
}
