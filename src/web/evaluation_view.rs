//! Judgements and evaluations as plain objects; `pkg/src/types.ts` describes the same shapes.

use crate::memory::Evaluation;
use crate::model::Judgement;
use crate::recall::Level;
use crate::recall::evaluation::{Figures, LevelRow, Problem, ThresholdRow};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub struct JudgementView<'a> {
    query: &'a str,
    record: String,
    good: bool,
    at: f64,
}

impl<'a> From<&'a Judgement> for JudgementView<'a> {
    fn from(judgement: &'a Judgement) -> JudgementView<'a> {
        JudgementView {
            query: &judgement.query,
            record: judgement.record.to_string(),
            good: judgement.good,
            at: judgement.at.unix_ms as f64,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationView {
    embedder: Option<String>,
    by_words: usize,
    all: FiguresView,
    by_category: BTreeMap<String, FiguresView>,
    levels: Vec<LevelView>,
    sweep: Vec<ThresholdView>,
    problems: Vec<ProblemView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FiguresView {
    n: usize,
    recall_at1: f64,
    recall_at5: f64,
    recall_at10: f64,
    mrr: f64,
    ndcg_at10: f64,
}

#[derive(Serialize)]
struct LevelView {
    level: &'static str,
    precision: Option<f64>,
    recall: Option<f64>,
    raised: Option<f64>,
}

#[derive(Serialize)]
struct ThresholdView {
    threshold: f64,
    precision: Option<f64>,
    recall: Option<f64>,
}

#[derive(Serialize)]
struct ProblemView {
    line: usize,
    code: &'static str,
    message: String,
}

/// How far an evaluation is.
#[derive(Serialize)]
pub struct ProgressView {
    pub done: usize,
    pub total: usize,
}

impl From<&Evaluation> for EvaluationView {
    fn from(evaluation: &Evaluation) -> EvaluationView {
        let by_category = evaluation.report.by_category.iter();
        let thresholds = &evaluation.thresholds;
        EvaluationView {
            embedder: evaluation.embedder.clone(),
            by_words: evaluation.n_by_words,
            all: (&evaluation.report.all).into(),
            by_category: by_category
                .map(|(name, figures)| (name.clone(), figures.into()))
                .collect(),
            levels: thresholds.levels().iter().map(Into::into).collect(),
            sweep: thresholds.sweep().iter().map(Into::into).collect(),
            problems: evaluation.problems.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Figures> for FiguresView {
    fn from(figures: &Figures) -> FiguresView {
        FiguresView {
            n: figures.n,
            recall_at1: figures.recall_at(1),
            recall_at5: figures.recall_at(5),
            recall_at10: figures.recall_at(10),
            mrr: figures.reciprocal_rank,
            ndcg_at10: figures.ndcg_at_10,
        }
    }
}

impl From<&LevelRow> for LevelView {
    fn from(row: &LevelRow) -> LevelView {
        LevelView {
            level: match row.level {
                Level::All => "all",
                Level::Loose => "loose",
                Level::Normal => "normal",
                Level::Strict => "strict",
            },
            precision: row.share.precision(),
            recall: row.share.recall(),
            raised: row.raised,
        }
    }
}

impl From<&ThresholdRow> for ThresholdView {
    fn from(row: &ThresholdRow) -> ThresholdView {
        ThresholdView {
            // As it is meant: the f32 next to 0.35 reads 0.3499999940395355.
            threshold: (f64::from(row.threshold) * 100.0).round() / 100.0,
            precision: row.share.precision(),
            recall: row.share.recall(),
        }
    }
}

impl From<&Problem> for ProblemView {
    fn from(problem: &Problem) -> ProblemView {
        ProblemView {
            line: problem.line,
            code: problem.fault.name(),
            message: problem.fault.to_string(),
        }
    }
}
