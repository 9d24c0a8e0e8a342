//! Large texts kept on the device, and read in ranges.

use super::exchange::Exchange;
use super::tools::Desk;
use super::{Clock, Memory, Ports};
use crate::agent::{
    MAX_ARTIFACT_BYTES, MAX_INLINE_BYTES, READ_ARTIFACT, ToolCall, ToolOutput, range, reference,
};
use crate::batch::{Durability, Op};
use crate::error::{Error, Result};
use crate::model::{Action, Artifact, ArtifactId, Kind, Record, SessionId, TurnId};
use crate::store::Store;
use serde_json::Value;
use std::rc::Rc;

impl<P: Ports> Memory<P> {
    /// Keeps a text of the person's. What goes into a message for it is [`reference()`].
    ///
    /// # Errors
    /// `InvalidInput` for a text that is empty or larger than [`MAX_ARTIFACT_BYTES`] and where nothing is kept, `QuotaExceeded`,
    /// `Storage`, `Closed`: nothing was kept then.
    pub async fn add_artifact(&self, name: &str, text: &str) -> Result<Artifact> {
        self.ensure_open()?;
        let invalid = |field, reason: String| Err(Error::InvalidInput { field, reason });
        if !self.config.preset.keeps_turns() {
            return invalid("preset", "`stateless` keeps nothing".into());
        }
        if text.is_empty() || text.len() > MAX_ARTIFACT_BYTES {
            return invalid(
                "text",
                format!("expected 1 to {MAX_ARTIFACT_BYTES} bytes of UTF-8"),
            );
        }
        let artifact = self.new_artifact(None, name, text);
        let mut batch = self.batch(Durability::Strict, Action::Change);
        let record = Record::Artifact(artifact.clone());
        batch.ops.push(Op::Insert(record));
        self.commit(&batch).await?;
        Ok(artifact)
    }

    /// Gives `take` every artifact, oldest first. They are not held in memory.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn each_artifact(&self, mut take: impl FnMut(Artifact)) -> Result<()> {
        self.ensure_open()?;
        let each = self.each_record(Kind::Artifact, "", |record| {
            if let Record::Artifact(artifact) = record {
                take(artifact);
            }
        });
        each.await.map(|_| ())
    }

    /// # Errors
    /// `NotFound`, `Corrupt`, `Storage`, `Closed`.
    pub async fn artifact(&self, id: ArtifactId) -> Result<Artifact> {
        self.ensure_open()?;
        let (namespace, name) = (&self.config.namespace, id.to_string());
        let found = self.ports.store().get(namespace, Kind::Artifact, &name);
        match found.await? {
            Some(Record::Artifact(artifact)) => Ok(artifact),
            _ => Err(Error::NotFound {
                what: format!("artifact {id}"),
            }),
        }
    }

    /// Deletes it. What prompts show of it stays: to have that erased, too, erase the turn or the session.
    ///
    /// # Errors
    /// `NotFound`, `Storage`, `Closed`: nothing was changed then.
    pub async fn remove_artifact(&self, id: ArtifactId) -> Result<()> {
        match self.artifact(id).await {
            // It can not be read, and can be removed all the same.
            Err(Error::Corrupt { .. }) => {}
            found => {
                found?;
            }
        }
        let mut batch = self.batch(Durability::Strict, Action::Change);
        batch.ops.push(Op::Delete {
            kind: Kind::Artifact,
            name: id.to_string(),
        });
        self.commit(&batch).await.map(|_| ())
    }

    /// A host's output as it goes into the prompt: texts that are too large are set aside as artifacts of the turn that will hold
    /// it, and are stored with it. A session that began without the tool that reads them keeps its outputs.
    pub(super) fn set_aside(
        &self,
        exchange: &mut Exchange,
        turn: TurnId,
        call: &ToolCall,
        mut output: ToolOutput,
    ) -> ToolOutput {
        let can_read = self.with_live(exchange.session, |live| {
            live.session
                .tools
                .iter()
                .any(|tool| tool["name"] == READ_ARTIFACT)
        });
        if can_read != Ok(true) || !self.config.preset.keeps_turns() {
            return output;
        }
        let is_large =
            |text: &str| (MAX_INLINE_BYTES + 1..=MAX_ARTIFACT_BYTES).contains(&text.len());
        let texts: Vec<&mut Value> = match &mut output.content {
            Value::Array(blocks) => blocks
                .iter_mut()
                .filter(|block| block["type"] == "text")
                .map(|block| &mut block["text"])
                .collect(),
            text => vec![text],
        };
        for value in texts {
            let Some(text) = value.as_str().filter(|text| is_large(text)) else {
                continue;
            };
            let artifact = self.new_artifact(Some(turn), &call.name, text);
            *value = reference(&artifact).into();
            exchange.artifacts.push(Rc::new(artifact));
        }
        output
    }

    /// A range of an artifact, for Claude.
    pub(super) async fn read_artifact(
        &self,
        id: ArtifactId,
        from: u64,
        length: u64,
        desk: &Desk,
    ) -> Result<ToolOutput> {
        if let Some(artifact) = desk.artifacts.iter().find(|artifact| artifact.id == id) {
            return Ok(ToolOutput::text(range(artifact, from, length)));
        }
        let unsaved = desk
            .session
            .and_then(|session| self.unsaved_artifact(session, id));
        if let Some(artifact) = unsaved {
            return Ok(ToolOutput::text(range(&artifact, from, length)));
        }
        Ok(match self.artifact(id).await {
            Ok(artifact) => ToolOutput::text(range(&artifact, from, length)),
            Err(Error::NotFound { .. }) => {
                ToolOutput::error("There is no artifact with this id; it may have been removed.")
            }
            Err(error) => return Err(error),
        })
    }

    /// One that the disk refused, with the turns around it.
    fn unsaved_artifact(&self, session: SessionId, id: ArtifactId) -> Option<Artifact> {
        let found = self.with_live(session, |live| {
            live.unsaved.iter().find_map(|op| match op {
                Op::Insert(Record::Artifact(artifact)) if artifact.id == id => {
                    Some(artifact.clone())
                }
                _ => None,
            })
        });
        found.ok().flatten()
    }

    fn new_artifact(&self, turn: Option<TurnId>, name: &str, text: &str) -> Artifact {
        let at = self.now();
        Artifact {
            v: Artifact::VERSION,
            id: ArtifactId::new(at.unix_ms, self.ports.clock().random()),
            turn,
            name: name.into(),
            text: text.into(),
            at,
        }
    }
}
