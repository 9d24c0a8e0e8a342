//! House rules that a compiler does not know.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. A module may use the ones before it, and the ones in its own row.
const LAYERS: &[&[&str]] = &[
    &["circuit", "error", "hex", "real", "time"],
    &["model", "seal"],
    &["batch"],
    &["audit"],
    &["text"],
    &["fact", "files", "index", "embed"],
    &["recall"],
    &["block"],
    &["claude"],
    &["compact", "extract", "usage"],
    &["agent"],
    &["config"],
    &["store"],
    &["transfer", "erase"],
    &["memory"],
    &["web"],
];

/// The modules of this crate that a source names: `crate::a`, and each of `crate::{a::B, c}`.
fn modules_used(code: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
        text.trim_start().chars().take_while(is_name).collect()
    };
    let mut used = Vec::new();
    for part in code.split("crate::").skip(1) {
        let Some(list) = part.strip_prefix('{') else {
            used.push(name(part));
            continue;
        };
        let (mut depth, mut item) = (0, String::new());
        for c in list.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => used.push(name(&std::mem::take(&mut item))),
                _ if depth == 0 => item.push(c),
                _ => {}
            }
        }
        used.push(name(&item));
    }
    used.retain(|name| !name.is_empty());
    used
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !["node_modules", "dist", "wasm"]
                .contains(&path.file_name().unwrap().to_str().unwrap())
            {
                found.extend(files(&path, ending));
            }
        } else if path.to_str().unwrap().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn modules_use_only_the_layers_below_them() {
    let src = root().join("src");
    let mut wrong = Vec::new();
    for file in files(&src, ".rs") {
        let name = file
            .strip_prefix(&src)
            .unwrap()
            .to_str()
            .unwrap()
            .to_string();
        let module = name
            .split('/')
            .next()
            .unwrap()
            .trim_end_matches(".rs")
            .to_string();
        // The root, and what only tests see: they may reach anywhere.
        let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
        if module == "lib" || module == "golden" || is_test {
            continue;
        }
        let own = layer_of(&module).unwrap_or_else(|| panic!("{name}: give `{module}` a layer"));
        let source = fs::read_to_string(&file).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for used in modules_used(&lines.collect::<Vec<_>>().join("\n")) {
            let below = layer_of(&used).is_some_and(|layer| layer < own);
            // The lowest row is one layer.
            let beside = own == 0 && layer_of(&used) == Some(0);
            if used != module && !below && !beside {
                wrong.push(format!("{name} uses {used}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that point the wrong way:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_the_web_layer_knows_the_browser() {
    let src = root().join("src");
    for file in files(&src, ".rs") {
        let source = fs::read_to_string(&file).unwrap();
        if file.starts_with(src.join("web")) {
            continue;
        }
        for web in ["web_sys", "js_sys", "gloo_", "rexie"] {
            assert!(
                !source.contains(&format!("{web}::")) && !source.contains(&format!("use {web}")),
                "{} uses {web}",
                file.display()
            );
        }
    }
}

#[test]
fn scores_are_the_same_in_every_build() {
    // The library's functions differ in the last bit from build to build; `real` has the ones that do not.
    for module in ["recall", "text", "index"] {
        for file in files(&root().join("src").join(module), ".rs") {
            let is_test = file.ends_with("tests.rs")
                || file.components().any(|part| part.as_os_str() == "tests");
            // An evaluation measures ranks; it makes none.
            if is_test || file.ends_with("recall/evaluation.rs") {
                continue;
            }
            let source = fs::read_to_string(&file).unwrap();
            let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for call in [
                ".ln()", ".log2()", ".log10()", ".ln_1p()", ".exp()", ".exp2()", ".powf(",
                ".tanh()",
            ] {
                assert!(!code.contains(call), "{} uses {call}", file.display());
            }
        }
    }
}

#[test]
fn every_error_code_is_known_to_the_package() {
    let rust = fs::read_to_string(root().join("src/error.rs")).unwrap();
    let body = rust
        .split("pub fn code")
        .nth(1)
        .unwrap()
        .split("pub fn is_retryable")
        .next()
        .unwrap();
    let codes: Vec<&str> = body.split('"').skip(1).step_by(2).collect();
    assert!(codes.len() > 10, "{codes:?}");
    let package = fs::read_to_string(root().join("pkg/src/errors.ts")).unwrap();
    let union = package.split("// From this package:").next().unwrap();
    let theirs: Vec<&str> = union.split('"').skip(1).step_by(2).collect();
    assert_eq!(
        codes, theirs,
        "src/error.rs and pkg/src/errors.ts list the same codes in the same order"
    );
}

#[test]
fn every_embedder_fault_is_known_to_the_package() {
    let faults: Vec<&str> = onhand::error::EmbedderFault::ALL
        .iter()
        .map(|fault| fault.name())
        .collect();
    let package = fs::read_to_string(root().join("pkg/src/errors.ts")).unwrap();
    let union = package.split("export type EmbedderFault =").nth(1).unwrap();
    let union = union.split(';').next().unwrap();
    let theirs: Vec<&str> = union.split('"').skip(1).step_by(2).collect();
    assert_eq!(faults, theirs);
}

#[test]
fn every_reason_of_a_refused_line_is_known_to_the_package() {
    let reasons = onhand::transfer::Reason::ALL.map(|reason| reason.name());
    let package = fs::read_to_string(root().join("pkg/src/types.ts")).unwrap();
    let union = package.split("export type ImportRefusal =").nth(1).unwrap();
    let union = union.split(';').next().unwrap();
    let theirs: Vec<&str> = union.split('"').skip(1).step_by(2).collect();
    assert_eq!(reasons[..], theirs);
}

#[test]
fn what_the_driver_writes_is_audited() {
    // `Memory::batch` stamps what it makes.
    for file in files(&root().join("src/memory"), ".rs") {
        let source = fs::read_to_string(&file).unwrap();
        let expected = usize::from(file.ends_with("memory/mod.rs"));
        let n = source.matches("Batch::new(").count();
        assert_eq!(n, expected, "{} makes batches of its own", file.display());
    }
}

#[test]
fn versions_are_in_step() {
    let version = env!("CARGO_PKG_VERSION");
    let package = fs::read_to_string(root().join("pkg/package.json")).unwrap();
    assert!(
        package.contains(&format!("\"version\": \"{version}\"")),
        "pkg/package.json"
    );
    let constant = fs::read_to_string(root().join("pkg/src/version.ts")).unwrap();
    assert!(
        constant.contains(&format!("\"{version}\"")),
        "pkg/src/version.ts"
    );
}

#[test]
fn nothing_but_the_panic_hook_prints() {
    let src = root().join("src");
    for file in files(&src, ".rs") {
        // Tests may say why they did not run.
        if file.ends_with("web/panic.rs")
            || file.components().any(|part| part.as_os_str() == "tests")
        {
            continue;
        }
        let source = fs::read_to_string(&file).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        for print in ["println!", "print!(", "dbg!", "console::log", "console_log"] {
            assert!(!code.contains(print), "{} has {print}", file.display());
        }
    }
    for file in files(&root().join("pkg/src"), ".ts") {
        // It tells models of the console that their programs have.
        if file.ends_with("sandbox.ts") {
            continue;
        }
        let source = fs::read_to_string(&file).unwrap();
        for print in ["log", "error", "warn", "info", "debug"] {
            let print = format!("console.{print}");
            assert!(!source.contains(&print), "{} has {print}", file.display());
        }
    }
}

#[test]
fn what_is_billed_is_sent_where_the_budget_is_asked() {
    for file in files(&root().join("src/memory"), ".rs") {
        let source = fs::read_to_string(&file).unwrap();
        if !file.ends_with("memory/wire.rs") {
            let asks_no_budget = source.contains("send_with_retries(");
            assert!(!asks_no_budget, "{}", file.display());
        }
    }
}
