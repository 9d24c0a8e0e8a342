//! What a memory is opened with, and the settings that come of it.

use super::long::{CompactionOption, ContextOption};
use super::models::ModelsOption;
use crate::agent::Preset;
use crate::block::Place;
use crate::config::{Config, EmbedderChoice};
use crate::error::{Error, Result};
use crate::index::Mode;
use crate::model::Namespace;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    pub endpoint: String,
    pub database: String,
    user: String,
    project: String,
    /// Other projects of this user that may be read.
    #[serde(default)]
    grants: Vec<String>,
    model: Option<String>,
    extraction_model: Option<String>,
    instructions: String,
    block_tokens: Option<u32>,
    max_tokens: Option<u32>,
    daily_limit: Option<f64>,
    index: Option<IndexName>,
    embedder: EmbedderOption,
    preset: Option<String>,
    #[serde(default)]
    recall: RecallOption,
    #[serde(default)]
    compaction: CompactionOption,
    #[serde(default)]
    context_editing: ContextOption,
    #[serde(default)]
    models: ModelsOption,
    pub debug: bool,
}

/// How memory gets to Claude; what is left out stays as it is.
#[derive(Default, Deserialize)]
struct RecallOption {
    place: Option<String>,
}

/// Which embedder the page chose; it brings the chosen one after opening.
#[derive(Deserialize)]
struct EmbedderOption {
    r#type: EmbedderName,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum EmbedderName {
    Default,
    None,
    Weights,
    Callback,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum IndexName {
    Scan,
    Hnsw,
    Auto,
}

impl Options {
    /// The settings.
    ///
    /// # Errors
    /// `InvalidInput` with the name of a setting that can not be.
    pub fn config(self) -> Result<Config> {
        let mut config = Config::new(Namespace {
            user: self.user,
            project: self.project,
        });
        config.grants = self.grants;
        config.model = self.model.unwrap_or(config.model);
        config.extraction_model = self.extraction_model.unwrap_or(config.extraction_model);
        config.instructions = self.instructions;
        if let Some(name) = self.preset {
            config.preset = Preset::from_name(&name).ok_or_else(|| Error::InvalidInput {
                field: "preset",
                reason: "expected stateless, episodic, assistant or agent".into(),
            })?;
        }
        if let Some(name) = self.recall.place {
            config.recall_place = Place::from_name(&name).ok_or_else(|| Error::InvalidInput {
                field: "recall.place",
                reason: "expected user or system".into(),
            })?;
        }
        self.compaction.apply(&mut config)?;
        self.context_editing.apply(&mut config);
        config.block_tokens = self.block_tokens.unwrap_or(config.block_tokens);
        config.max_output_tokens = self.max_tokens.unwrap_or(config.max_output_tokens);
        config.daily_limit_usd = self.daily_limit;
        config.refreshes_models = !self.models.off;
        config.index_mode = match self.index {
            Some(IndexName::Hnsw) => Mode::Hnsw,
            Some(IndexName::Auto) => Mode::Auto,
            Some(IndexName::Scan) | None => Mode::Scan,
        };
        config.embedder = match self.embedder.r#type {
            EmbedderName::Default => EmbedderChoice::BuiltIn,
            EmbedderName::None => EmbedderChoice::None,
            EmbedderName::Weights | EmbedderName::Callback => EmbedderChoice::Own {
                id: self.embedder.id,
            },
        };
        Ok(config)
    }
}
