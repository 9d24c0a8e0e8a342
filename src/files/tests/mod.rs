use super::{Answer, FileTree};
use crate::model::File;
use crate::time::Timestamp;
use serde_json::{Value, json};

mod limits;
mod paths;
mod table;
mod twin;

const NOW: Timestamp = Timestamp::utc(1_000);
const LATER: Timestamp = Timestamp::utc(2_000);

/// A tree with these files, which need not keep to the limits.
fn tree(files: &[(&str, &str)]) -> FileTree {
    let mut tree = FileTree::default();
    for (path, text) in files {
        tree.put(&File::new(path, text, NOW));
    }
    tree
}

/// Runs a command and applies what it changes. A refusal changes nothing.
fn run(tree: &mut FileTree, input: &Value) -> Answer {
    let before = tree.clone();
    let step = tree.run(input, LATER);
    assert_eq!(*tree, before, "a command was carried out before its commit");
    for op in &step.ops {
        tree.apply(op);
    }
    if step.answer.is_error {
        assert_eq!(*tree, before, "a refused command changed something");
    }
    step.answer
}

fn contents(tree: &FileTree) -> Vec<(&str, &str)> {
    let files = tree.files();
    files
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect()
}

/// `{"command": …, "path": …}` with further fields.
fn command(command: &str, path: &str, fields: &[(&str, Value)]) -> Value {
    let mut input = json!({"command": command, "path": path});
    for (name, value) in fields {
        input[name] = value.clone();
    }
    input
}
