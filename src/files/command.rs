//! What Claude asks, read from the tool's input.

use super::{MemoryPath, Refusal};
use serde_json::Value;

/// Lines from 1, both included; `last` is `None` for all that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewRange {
    pub first: usize,
    pub last: Option<usize>,
}

/// One call of the memory tool.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    View {
        path: MemoryPath,
        range: Option<ViewRange>,
    },
    Create {
        path: MemoryPath,
        text: String,
    },
    /// Without a new text, the old one is deleted.
    StrReplace {
        path: MemoryPath,
        old: String,
        new: String,
    },
    Insert {
        path: MemoryPath,
        /// The number of lines before it.
        line: i64,
        text: String,
    },
    Delete {
        path: MemoryPath,
    },
    Rename {
        from: MemoryPath,
        to: MemoryPath,
    },
}

impl Command {
    /// Reads the tool's input. Fields that the command does not have are ignored; `null` is as good as nothing.
    ///
    /// # Errors
    /// A command that is not known, a field that is missing or of another kind, a path that is not allowed.
    pub fn read(input: &Value) -> Result<Command, Refusal> {
        let command = text(input, "command")?;
        match command {
            "view" => Ok(Command::View {
                path: path(input, "path")?,
                range: range(input)?,
            }),
            "create" => Ok(Command::Create {
                path: path(input, "path")?,
                text: text(input, "file_text")?.into(),
            }),
            "str_replace" => Ok(Command::StrReplace {
                path: path(input, "path")?,
                old: text(input, "old_str")?.into(),
                new: match field(input, "new_str") {
                    Some(_) => text(input, "new_str")?.into(),
                    None => String::new(),
                },
            }),
            "insert" => Ok(Command::Insert {
                path: path(input, "path")?,
                line: match field(input, "insert_line").map(whole) {
                    Some(Some(line)) => line,
                    Some(None) => {
                        return Err(Refusal::WrongParameter {
                            name: "insert_line",
                            expected: "a whole number",
                        });
                    }
                    None => {
                        return Err(Refusal::MissingParameter {
                            name: "insert_line",
                        });
                    }
                },
                text: text(input, "insert_text")?.into(),
            }),
            "delete" => Ok(Command::Delete {
                path: path(input, "path")?,
            }),
            "rename" => Ok(Command::Rename {
                from: path(input, "old_path")?,
                to: path(input, "new_path")?,
            }),
            other => Err(Refusal::UnknownCommand {
                command: other.chars().take(LONGEST_ECHO).collect(),
            }),
        }
    }
}

/// No command that anyone means is longer; what is repeated to Claude has an end.
const LONGEST_ECHO: usize = 100;

fn field<'a>(input: &'a Value, name: &str) -> Option<&'a Value> {
    input.get(name).filter(|value| !value.is_null())
}

fn text<'a>(input: &'a Value, name: &'static str) -> Result<&'a str, Refusal> {
    let value = field(input, name).ok_or(Refusal::MissingParameter { name })?;
    value.as_str().ok_or(Refusal::WrongParameter {
        name,
        expected: "text",
    })
}

fn path(input: &Value, name: &'static str) -> Result<MemoryPath, Refusal> {
    MemoryPath::new(text(input, name)?)
}

/// A whole number, also one that was written as `2.0`.
fn whole(value: &Value) -> Option<i64> {
    let from_float = |x: f64| (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64);
    value
        .as_i64()
        .or_else(|| value.as_f64().and_then(from_float))
}

/// As both reference implementations do, a first line before 1 is line 1.
fn range(input: &Value) -> Result<Option<ViewRange>, Refusal> {
    let Some(value) = field(input, "view_range") else {
        return Ok(None);
    };
    let wrong = || Refusal::WrongViewRange {
        range: match value.as_array() {
            Some(array) if array.len() <= 2 && array.iter().all(Value::is_number) => value.clone(),
            _ => Value::from("not two numbers"),
        },
    };
    let Some([first, last]) = value.as_array().map(Vec::as_slice) else {
        return Err(wrong());
    };
    let (Some(first), Some(last)) = (whole(first), whole(last)) else {
        return Err(wrong());
    };
    let first = first.max(1);
    if last != -1 && last < first {
        return Err(wrong());
    }
    Ok(Some(ViewRange {
        first: first as usize,
        last: (last != -1).then_some(last as usize),
    }))
}
