//! What the page may ask of artifacts.

use super::engine::give;
use crate::agent::reference;
use crate::error::Result;
use crate::memory::{Memory, Ports};
use crate::model::Artifact;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ArtifactRequest {
    Add { name: String, text: String },
    List,
    Get { id: String },
    Remove { id: String },
}

pub async fn answer<P: Ports>(memory: &Memory<P>, request: ArtifactRequest) -> Result<JsValue> {
    match request {
        ArtifactRequest::Add { name, text } => {
            let added = memory.add_artifact(&name, &text).await?;
            give(&ArtifactView {
                text: None,
                ..ArtifactView::whole(added)
            })
        }
        ArtifactRequest::List => {
            let mut list = Vec::new();
            // The texts are let go one by one: together they may be large.
            let each = memory.each_artifact(|artifact| {
                list.push(ArtifactView {
                    text: None,
                    ..ArtifactView::whole(artifact)
                });
            });
            each.await?;
            give(&list)
        }
        ArtifactRequest::Get { id } => {
            give(&ArtifactView::whole(memory.artifact(id.parse()?).await?))
        }
        ArtifactRequest::Remove { id } => {
            memory.remove_artifact(id.parse()?).await?;
            Ok(JsValue::UNDEFINED)
        }
    }
}

#[derive(Serialize)]
struct ArtifactView {
    id: String,
    name: String,
    turn: Option<String>,
    at: f64,
    bytes: usize,
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl ArtifactView {
    fn whole(artifact: Artifact) -> ArtifactView {
        ArtifactView {
            id: artifact.id.to_string(),
            turn: artifact.turn.map(|turn| turn.to_string()),
            at: artifact.at.unix_ms as f64,
            bytes: artifact.text.len(),
            reference: reference(&artifact),
            name: artifact.name,
            text: Some(artifact.text),
        }
    }
}
