//! What the page may ask of the memory files.

use super::engine::give;
use crate::error::{Error, Result};
use crate::memory::{Memory, Ports};
use crate::model::File;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FileRequest {
    /// A call of Claude's memory tool; its input as JSON.
    Command {
        input: String,
    },
    List,
    Read {
        path: String,
    },
    Write {
        path: String,
        text: String,
    },
    Remove {
        path: String,
    },
    Rename {
        from: String,
        to: String,
    },
}

pub async fn answer<P: Ports>(memory: &Memory<P>, request: FileRequest) -> Result<JsValue> {
    match request {
        FileRequest::Command { input } => {
            let input = serde_json::from_str(&input).map_err(|_| Error::InvalidInput {
                field: "action",
                reason: "it is not JSON, or holds half a character".into(),
            })?;
            let answer = memory.run_file_command(&input).await?;
            give(&AnswerView {
                text: &answer.unprefixed,
                is_error: answer.is_error,
            })
        }
        FileRequest::List => give(&memory.files()?.iter().map(FileView::of).collect::<Vec<_>>()),
        FileRequest::Read { path } => give(&FileView::with_text(&memory.read_file(&path)?)),
        FileRequest::Write { path, text } => give(&FileView::with_text(
            &memory.write_file(&path, &text).await?,
        )),
        FileRequest::Remove { path } => {
            memory.remove_file(&path).await?;
            Ok(JsValue::UNDEFINED)
        }
        FileRequest::Rename { from, to } => {
            memory.rename_file(&from, &to).await?;
            Ok(JsValue::UNDEFINED)
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerView<'a> {
    /// Without `Error: `: every SDK puts that before what a tool throws.
    text: &'a str,
    is_error: bool,
}

#[derive(Serialize)]
pub struct FileView<'a> {
    path: &'a str,
    bytes: usize,
    created: f64,
    modified: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

impl FileView<'_> {
    /// A file without its text: a list of many is cheap.
    pub fn of(file: &File) -> FileView<'_> {
        FileView {
            path: &file.path,
            bytes: file.text.len(),
            created: file.created.unix_ms as f64,
            modified: file.modified.unix_ms as f64,
            text: None,
        }
    }

    pub fn with_text(file: &File) -> FileView<'_> {
        FileView {
            text: Some(&file.text),
            ..FileView::of(file)
        }
    }
}
