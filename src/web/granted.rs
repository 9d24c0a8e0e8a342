//! What the page may ask of projects that its memory may read.

use super::engine::give;
use super::files::FileView;
use super::views::{FactView, ItemView, SessionView, TurnPageView, TurnView};
use crate::error::{Error, Result};
use crate::memory::{Found, Granted, Ports, TurnFilter};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GrantedRequest {
    Facts,
    FactHistory {
        id: String,
    },
    Sessions,
    Turns {
        session: Option<String>,
        from: Option<f64>,
        until: Option<f64>,
        after: Option<String>,
        limit: Option<usize>,
    },
    Turn {
        id: String,
    },
    Files,
    File {
        path: String,
    },
}

pub async fn answer<P: Ports + Clone>(
    granted: &Granted<P>,
    request: GrantedRequest,
) -> Result<JsValue> {
    match request {
        GrantedRequest::Facts => give(
            &granted
                .facts()
                .iter()
                .map(FactView::from)
                .collect::<Vec<_>>(),
        ),
        GrantedRequest::FactHistory { id } => {
            let versions = granted.fact_history(id.parse()?)?;
            give(&versions.iter().map(FactView::from).collect::<Vec<_>>())
        }
        GrantedRequest::Sessions => {
            let sessions = granted.sessions().await?;
            give(&sessions.iter().map(SessionView::from).collect::<Vec<_>>())
        }
        GrantedRequest::Turns {
            session,
            from,
            until,
            after,
            limit,
        } => {
            let filter = TurnFilter {
                session: session.map(|id| id.parse()).transpose()?,
                from_ms: from.map(|ms| ms as i64),
                until_ms: until.map(|ms| ms as i64),
                after: after.map(|id| id.parse()).transpose()?,
                limit,
                ..TurnFilter::default()
            };
            give(&TurnPageView::from(&granted.find_turns(&filter).await?))
        }
        GrantedRequest::Turn { id } => {
            let turn = granted.turn(id.parse()?).await?;
            give(&turn.as_ref().map(TurnView::from))
        }
        GrantedRequest::Files => give(
            &granted
                .files()?
                .iter()
                .map(FileView::of)
                .collect::<Vec<_>>(),
        ),
        GrantedRequest::File { path } => {
            let files = granted.files()?;
            let file = files.iter().find(|file| file.path == path);
            give(&FileView::with_text(file.ok_or_else(|| {
                Error::NotFound {
                    what: format!("memory file {path}"),
                }
            })?))
        }
    }
}

/// An item of a recall over several projects.
#[derive(Serialize)]
pub struct FoundView<'a> {
    project: &'a str,
    #[serde(flatten)]
    item: ItemView<'a>,
}

impl<'a> From<&'a Found> for FoundView<'a> {
    fn from(found: &'a Found) -> FoundView<'a> {
        FoundView {
            project: &found.project,
            item: ItemView::from(&found.item),
        }
    }
}
