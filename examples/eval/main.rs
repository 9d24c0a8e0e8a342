//! How good recall is on a folder of conversations and questions, without a language model.
//!
//! `make eval DATA=folder OUT=folder [EMBEDDER=default|quality|multilingual|none]` runs it; `docs/evaluation.md` describes the folder and the figures.
//! It ranks through `Corpus::recall`, the code of the product, one conversation at a time, and writes
//! - `run.jsonl`: `{"qid", "ranked": [turn ids]}` for any other judge;
//! - `scores.jsonl`: `{"qid", "scores"}`, the bits of their scores, to compare builds by;
//! - `report.json`: the figures, also of recall without each part.
//!
//! `--set name=value` changes a weight. `--gates` shows what the gates would let through.

mod data;
mod embed;
mod gates;
mod ranking;

use onhand::recall::Weights;
use onhand::recall::evaluation::{Figures, Report};
use ranking::{Loaded, Run};
use serde_json::{Value, json};
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What one line of the table of ablations takes out.
const ABLATIONS: &[(&str, &[&str])] = &[
    (
        "words",
        &[
            "coverage",
            "coverage_before",
            "coverage_asked",
            "coverage_after",
            "coverage_near",
            "session",
        ],
    ),
    (
        "meaning",
        &[
            "meaning",
            "meaning_before",
            "meaning_asked",
            "meaning_after",
            "meaning_near",
        ],
    ),
    ("likest words", &["likest"]),
    (
        "neighbours",
        &[
            "coverage_before",
            "coverage_asked",
            "coverage_after",
            "coverage_near",
            "meaning_before",
            "meaning_asked",
            "meaning_after",
            "meaning_near",
        ],
    ),
    ("a question before", &["coverage_asked", "meaning_asked"]),
    ("two turns away", &["coverage_near", "meaning_near"]),
    ("session", &["session"]),
    ("speaker", &["speaker", "asker"]),
    ("days", &["time"]),
    ("asking when", &["when"]),
    ("form of the answer", &["form"]),
    ("numbers and quotes", &["exact"]),
    ("length and form", &["length", "asks"]),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read()?;
    let conversations = data::read(&arguments.data)?;
    std::fs::create_dir_all(&arguments.out)?;
    let embedder = embed::named(&arguments.embedder, &arguments.out)?;
    let loaded: Vec<Loaded> = conversations
        .iter()
        .map(|c| Loaded::new(c, embedder.as_deref()))
        .collect();
    let mut questions = loaded.iter().flat_map(|one| &one.questions);
    let embedded = questions.find_map(|question| question.embedded.as_ref());
    let mut weights = *Weights::fitting(embedded);
    for (name, value) in &arguments.weights {
        *weights
            .get_mut(name)
            .ok_or_else(|| format!("no weight {name}; there are {:?}", Weights::NAMES))? = *value;
    }
    let Run {
        report,
        ranks,
        scores,
    } = ranking::run(&loaded, &weights);
    std::fs::write(arguments.out.join("run.jsonl"), ranks)?;
    std::fs::write(arguments.out.join("scores.jsonl"), scores)?;
    let mut table = table(&report);
    let mut ablations = serde_json::Map::new();
    if arguments.ablations {
        let _ = writeln!(
            table,
            "\nwithout                recall@10  nDCG@10  session any@5"
        );
        for (name, parts) in ABLATIONS {
            let mut without = weights;
            for part in *parts {
                *without.get_mut(part).expect("a weight") = 0.0;
            }
            let figures = ranking::run(&loaded, &without).report.all;
            let _ = writeln!(
                table,
                "{name:22} {:9.4} {:8.4} {:14.4}",
                figures.recall_at(10),
                figures.ndcg_at_10,
                figures.session_any_at_5
            );
            ablations.insert((*name).into(), figures_json(&figures));
        }
    }
    if arguments.gates {
        table += &gates::table(&loaded, embedder.as_deref(), &weights);
    }
    print!("{table}");
    let report = json!({
        "embedder": arguments.embedder,
        "all": figures_json(&report.all),
        "by_category": report.by_category.iter().map(|(name, figures)| (name.clone(), figures_json(figures))).collect::<serde_json::Map<_, _>>(),
        "without": ablations,
    });
    std::fs::write(
        arguments.out.join("report.json"),
        serde_json::to_string_pretty(&report)? + "\n",
    )?;
    Ok(())
}

struct Arguments {
    data: PathBuf,
    out: PathBuf,
    embedder: String,
    ablations: bool,
    gates: bool,
    weights: Vec<(String, f32)>,
}

impl Arguments {
    fn read() -> Result<Arguments, Box<dyn Error>> {
        let mut all = std::env::args().skip(1);
        let (mut data, mut out, mut embedder, mut weights) =
            (None, None, "default".to_owned(), Vec::new());
        let (mut ablations, mut gates) = (true, false);
        while let Some(argument) = all.next() {
            match argument.as_str() {
                "--no-ablations" => ablations = false,
                "--gates" => gates = true,
                _ => {}
            }
            if ["--no-ablations", "--gates"].contains(&argument.as_str()) {
                continue;
            }
            let value = all
                .next()
                .ok_or_else(|| format!("{argument} wants a value"))?;
            match argument.as_str() {
                "--data" => data = Some(value.into()),
                "--out" => out = Some(value.into()),
                "--embedder" => embedder = value,
                "--set" => {
                    let (name, value) = value.split_once('=').ok_or("--set wants name=value")?;
                    weights.push((name.to_owned(), value.parse()?));
                }
                _ => return Err(format!("unknown argument {argument}").into()),
            }
        }
        Ok(Arguments {
            data: data.ok_or("--data FOLDER is missing")?,
            out: out.ok_or("--out FOLDER is missing")?,
            embedder,
            ablations,
            gates,
            weights,
        })
    }
}

fn table(report: &Report) -> String {
    let mut text =
        "category         n  recall@5  @10     @20     any@10  MRR     nDCG@10  session any@5\n"
            .to_owned();
    let mut line = |name: &str, f: &Figures| {
        let _ = writeln!(
            text,
            "{name:12} {:5}  {:.4}    {:.4}  {:.4}  {:.4}  {:.4}  {:.4}   {:.4}",
            f.n,
            f.recall_at(5),
            f.recall_at(10),
            f.recall_at(20),
            f.any_at_10,
            f.reciprocal_rank,
            f.ndcg_at_10,
            f.session_any_at_5
        );
    };
    line("all", &report.all);
    for (name, figures) in &report.by_category {
        line(name, figures);
    }
    text
}

fn figures_json(figures: &Figures) -> Value {
    json!({
        "n": figures.n,
        "recall_at_5": figures.recall_at(5),
        "recall_at_10": figures.recall_at(10),
        "recall_at_20": figures.recall_at(20),
        "any_at_10": figures.any_at_10,
        "mrr": figures.reciprocal_rank,
        "ndcg_at_10": figures.ndcg_at_10,
        "session_any_at_5": figures.session_any_at_5,
    })
}
