//! Time per text of the embedders, as JSON lines.
//!
//! `cargo bench --bench embed` reads the weights that `make weights-minilm weights-e5` has made; `-- FILE...` other ones. What is not
//! there is reported as not run. Native builds use the plain kernel; a browser's numbers are another benchmark's.
//! Under `cargo test` it runs once with the table and a tiny model, so that it cannot rot.

use std::hint::black_box;
use std::time::Instant;

use onhand::embed::{Kind, StaticTable, Transformer};

/// About this many word pieces each, the marks included; what a query, a chat turn and a long piece of text have.
const LENGTHS: [usize; 3] = [16, 40, 128];
/// Words that are one piece in both vocabularies, so that lengths are what they say.
const WORDS: [&str; 8] = ["the", "dog", "in", "my", "house", "is", "not", "old"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let mut files: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    if files.is_empty() {
        files = if is_bench {
            vec![
                "pkg/weights/minilm/weights.bin",
                "pkg/weights/e5-small/weights.bin",
            ]
        } else {
            vec!["tests/golden/tiny-8-bit.bin"]
        };
    }
    let rounds = if is_bench { 15 } else { 1 };

    let table = std::fs::read("pkg/model/static-128-int4.bin").expect("the table is committed");
    let table = StaticTable::from_bytes(&table).expect("the committed table is valid");
    for length in LENGTHS {
        let text = text(length - 2);
        let ms = median_ms(rounds, || table.embed(&text));
        println!(
            r#"{{"model":"{}","what":"embed","pieces":{length},"p50_ms":{ms:.4}}}"#,
            table.id()
        );
    }
    for file in files {
        let Ok(bytes) = std::fs::read(file) else {
            println!(r#"{{"file":"{file}","not_run":"the file is not there"}}"#);
            continue;
        };
        let start = Instant::now();
        let model = Transformer::from_bytes(bytes).expect("weights of this version");
        let id = model.id();
        let ms = 1000.0 * start.elapsed().as_secs_f64();
        println!(r#"{{"model":"{id}","what":"load","ms":{ms:.1}}}"#);
        for length in LENGTHS {
            // The prefixes of e5 are three pieces more; a tenth more at most, except for the shortest.
            let text = text(length - 2);
            let ms = median_ms(rounds, || model.embed(&text, Kind::Passage));
            println!(r#"{{"model":"{id}","what":"embed","pieces":{length},"p50_ms":{ms:.2}}}"#);
        }
    }
}

fn text(n_words: usize) -> String {
    let words: Vec<&str> = WORDS.iter().copied().cycle().take(n_words).collect();
    words.join(" ")
}

fn median_ms<T>(rounds: usize, mut run: impl FnMut() -> T) -> f64 {
    black_box(run());
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            1000.0 * start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
