//! Settings, with the reason of each default.

use crate::agent::Preset;
use crate::block::Place;
use crate::claude::context::ClearTools;
use crate::claude::models::cost_usd;
use crate::compact::Policy;
use crate::error::{Error, Result};
use crate::index::Mode;
use crate::model::{Namespace, Tokens};

/// Which embedder recall is to go by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EmbedderChoice {
    /// The one in the package: it needs nothing and takes microseconds.
    #[default]
    BuiltIn,
    /// Recall by words only.
    None,
    /// One that the host brings after opening; until it is ready the built-in one serves.
    Own {
        /// Its id, where that is known before it is loaded.
        id: Option<String>,
    },
}

/// How a memory behaves. Passed explicitly; there is no global state.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub namespace: Namespace,
    /// Which layers of memory a chat keeps and uses.
    pub preset: Preset,
    /// Other projects of the same user that may be read, and not written. None unless the host names them.
    pub grants: Vec<String>,
    /// The model that chats.
    pub model: String,
    /// The model that reads facts out of turns: the cheapest one that keeps to a schema.
    pub extraction_model: String,
    /// The host's own instructions, put before the memory snapshot.
    pub instructions: String,
    /// Upper limit of an answer.
    pub max_output_tokens: u32,
    /// Upper limit of the working-memory block of one message. 800 tokens hold about 25 facts, and cost
    /// less than a tenth of replaying earlier sessions.
    pub block_tokens: u32,
    /// Where that block stands, with the models that have both places.
    pub recall_place: Place,
    /// Upper limit of the snapshot that opens a session: six excerpts of 300 characters with their dates.
    pub snapshot_tokens: u32,
    /// Which embedder recall is to go by.
    pub embedder: EmbedderChoice,
    /// How vectors are searched.
    pub index_mode: Mode,
    /// Turns of the last so many days are held in memory, beside the archive in the store. A week of busy chatting is some
    /// 2,000 turns, 2 MB.
    pub hot_days: u32,
    /// When and how a session's oldest turns are left out of its requests; `None`: never.
    pub compaction: Option<Policy>,
    /// What of old tool calls the API may leave out of a long prompt; `None`: nothing.
    pub clear_tools: Option<ClearTools>,
    /// Of how many of the last turns with thinking the API keeps that thinking; `None`: what the model does by itself.
    pub keep_thinking: Option<u32>,
    /// How many memories one message may bring back.
    pub recall_limit: usize,
    /// Whether Claude's API may be asked once a day which models there are.
    pub refreshes_models: bool,
    /// US dollars that may be spent on one day of the person's clock; `None`: no limit. The request that crosses it is paid; the
    /// next one is not sent.
    pub daily_limit_usd: Option<f64>,
}

impl Config {
    /// The defaults for one person's memory.
    pub fn new(namespace: Namespace) -> Config {
        Config {
            namespace,
            preset: Preset::default(),
            grants: Vec::new(),
            model: crate::claude::models::DEFAULT_CHAT_MODEL.into(),
            extraction_model: crate::claude::models::DEFAULT_EXTRACT_MODEL.into(),
            instructions: String::new(),
            max_output_tokens: 8_192,
            block_tokens: crate::block::BLOCK_TOKENS,
            recall_place: Place::default(),
            snapshot_tokens: crate::block::SNAPSHOT_TOKENS,
            embedder: EmbedderChoice::default(),
            index_mode: Mode::default(),
            hot_days: 7,
            compaction: Some(Policy::default()),
            clear_tools: Some(ClearTools::default()),
            keep_thinking: None,
            recall_limit: crate::recall::DEFAULT_LIMIT,
            refreshes_models: true,
            daily_limit_usd: None,
        }
    }

    /// # Errors
    /// `InvalidInput` naming the setting.
    pub fn check(&self) -> Result<()> {
        let bad = |field, reason: &str| {
            Err(Error::InvalidInput {
                field,
                reason: reason.into(),
            })
        };
        if self.namespace.user.is_empty() || self.namespace.project.is_empty() {
            return bad("user", "user and project must not be empty");
        }
        if self.grants.iter().any(String::is_empty) {
            return bad("grants", "a project must be named");
        }
        if self.model.is_empty() || self.extraction_model.is_empty() {
            return bad("model", "a model must be named");
        }
        if !(1..=128_000).contains(&self.max_output_tokens) {
            return bad("maxTokens", "expected 1 to 128000");
        }
        if let Some(policy) = &self.compaction {
            policy.check()?;
        }
        if self.keep_thinking == Some(0) {
            return bad("keepThinking", "expected at least 1");
        }
        if let Some(limit) = self.daily_limit_usd {
            if !(limit.is_finite() && limit > 0.0) {
                return bad("dailyLimit", "expected US dollars above 0");
            }
            self.check_price(&self.model)?;
            self.check_price(&self.extraction_model)?;
        }
        if !(100..=20_000).contains(&self.block_tokens) {
            return bad("blockTokens", "expected 100 to 20000");
        }
        Ok(())
    }

    /// # Errors
    /// `InvalidInput` where a daily limit is set and the price of this model is not known: the limit could not be kept.
    pub fn check_price(&self, model: &str) -> Result<()> {
        if self.daily_limit_usd.is_some() && cost_usd(model, &Tokens::default()).is_none() {
            return Err(Error::InvalidInput {
                field: "dailyLimit",
                reason: format!("the price of the model `{model}` is not known"),
            });
        }
        Ok(())
    }
}
