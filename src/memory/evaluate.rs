//! How good recall is on this memory: asked by the person's own judgements, or by questions of theirs.
//!
//! Every question goes the way of a message, through the serving embedder and [`Corpus::recall`](crate::recall::Corpus::recall).
//! Nothing is written, nothing leaves the memory.

use super::{Cancel, Clock, Memory, Ports};
use crate::error::Result;
use crate::model::{Judgement, RecordRef};
use crate::recall::evaluation::{
    Bad, Fault, LabelledQuestion, Problem, Question, Report, Tally, Thresholds, is_known,
    questions, rank,
};
use crate::recall::{Level, Query, Weights};
use std::collections::BTreeMap;

/// Others get their turn after so much time, or so many questions: a message must not wait noticeably longer than without it.
const SLICE_MS: i64 = 8;
const SLICE_QUESTIONS: usize = 16;

/// The category of the person's judgements.
const JUDGED: &str = "judged";

/// What an evaluation found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Whose vectors recall went by; `None` if it went by words.
    pub embedder: Option<String>,
    /// Questions that were asked by words because the embedder gave no vector for them.
    pub n_by_words: usize,
    pub report: Report,
    pub thresholds: Thresholds,
    /// Lines of the questions, or judgements by their place in the list, that were not asked.
    pub problems: Vec<Problem>,
}

/// A question, and what is known to be wrong for it; `None` means all that is not evidence.
struct Asked {
    question: Question,
    bad: Option<Vec<RecordRef>>,
}

impl<P: Ports> Memory<P> {
    /// Asks the questions (lines of JSON as [`questions::read`] takes them), or without any the stored judgements.
    ///
    /// It works in slices of a few milliseconds and calls `progress` with the questions done and their number after each.
    ///
    /// # Errors
    /// `Cancelled`, `Storage`, `Closed`. A line that can not be asked is no error: it is among the problems.
    pub async fn evaluate(
        &self,
        questions: Option<&str>,
        cancel: &Cancel,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Evaluation> {
        self.ensure_open()?;
        self.whole().await?;
        let (asked, problems) = match questions {
            Some(lines) => self.labelled(lines),
            None => self.judged(&self.judgements().await?),
        };
        loop {
            let evaluation = self.pass(&asked, cancel, &mut progress).await?;
            // Figures of two embedders are no figures: after a change of the serving one all is asked again.
            if self.serving().map(|spec| spec.id) == evaluation.embedder {
                return Ok(Evaluation {
                    problems,
                    ..evaluation
                });
            }
        }
    }

    async fn pass(
        &self,
        asked: &[Asked],
        cancel: &Cancel,
        progress: &mut impl FnMut(usize, usize),
    ) -> Result<Evaluation> {
        let mut evaluation = Evaluation {
            embedder: self.serving().map(|spec| spec.id),
            ..Evaluation::default()
        };
        let (mut tally, present) = (Tally::default(), self.now());
        let (mut slice_began, mut slice_questions) = (present.unix_ms, 0);
        progress(0, asked.len());
        for (place, Asked { question, bad }) in asked.iter().enumerate() {
            let is_slice_over = self.now().unix_ms - slice_began >= SLICE_MS;
            if is_slice_over || slice_questions == SLICE_QUESTIONS {
                progress(place, asked.len());
                cancel.race(self.ports.clock().sleep(0)).await?;
                (slice_began, slice_questions) = (self.now().unix_ms, 0);
            }
            slice_questions += 1;
            let embedded = cancel.race(self.embedded_query(&question.query)).await?;
            self.ensure_open()?;
            evaluation.n_by_words += usize::from(embedded.is_none());
            let labelled = LabelledQuestion {
                text: question.query.clone(),
                embedded,
                now: question.now.unwrap_or(present),
                category: question.category.clone(),
                relevant: question.evidence.clone(),
            };
            let corpus = &self.state.borrow().corpus;
            let embedded = labelled.embedded.as_ref();
            let found = rank(corpus, &labelled, Weights::fitting(embedded));
            tally.add(corpus, &labelled, &found);
            let mut ranking = Some(found.items);
            let bad = bad.as_deref().map_or(Bad::AllElse, Bad::Only);
            let answer = |level| match level {
                Level::All => ranking.take().unwrap_or_default(),
                level => {
                    let query = Query {
                        limit: self.config.recall_limit,
                        level,
                        ..Query::new(&labelled.text, labelled.now).embedded(embedded)
                    };
                    corpus.recall(&query).items
                }
            };
            evaluation.thresholds.add(&labelled.relevant, bad, answer);
        }
        progress(asked.len(), asked.len());
        evaluation.report = tally.report();
        Ok(evaluation)
    }

    fn labelled(&self, lines: &str) -> (Vec<Asked>, Vec<Problem>) {
        let corpus = &self.state.borrow().corpus;
        let (mut asked, mut problems) = (Vec::new(), Vec::new());
        for (line, question) in questions::read(lines) {
            match question.and_then(|question| question.known_to(corpus)) {
                Ok(question) => asked.push(Asked {
                    question,
                    bad: None,
                }),
                Err(fault) => problems.push(Problem { line, fault }),
            }
        }
        (asked, problems)
    }

    /// One question of each query, asked as of the newest word on it.
    fn judged(&self, judgements: &[Judgement]) -> (Vec<Asked>, Vec<Problem>) {
        let corpus = &self.state.borrow().corpus;
        let (mut by_query, mut problems) = (BTreeMap::new(), Vec::new());
        for (line, judgement) in (1..).zip(judgements) {
            let record = judgement.record;
            if !is_known(corpus, record) {
                let fault = Fault::UnknownRecord(record);
                problems.push(Problem { line, fault });
                continue;
            }
            let query = judgement.query.as_str();
            let (now, words) = by_query
                .entry(query)
                .or_insert_with(|| (judgement.at, BTreeMap::new()));
            *now = judgement.at;
            // Two tabs may have said different things of one record: the newest word counts.
            words.insert(record, judgement.good);
        }
        let asked = by_query.into_iter().map(|(query, (now, words))| {
            let said = |good| {
                let those = words.iter().filter(move |(_, is_good)| **is_good == good);
                those.map(|(record, _)| *record).collect()
            };
            Asked {
                question: Question {
                    query: query.into(),
                    evidence: said(true),
                    category: JUDGED.into(),
                    now: Some(now),
                },
                bad: Some(said(false)),
            }
        });
        (asked.collect(), problems)
    }
}
