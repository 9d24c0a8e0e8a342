//! The settings for long sessions, as the page gives them.

use super::views::ErrorView;
use crate::claude::context::ClearTools;
use crate::compact::{Policy, Strategy};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::memory::Shortened;
use serde::{Deserialize, Serialize};

/// `off` switches it off; what is left out stays as it is.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CompactionOption {
    off: bool,
    strategy: Option<String>,
    at_tokens: Option<f64>,
    every_turns: Option<u32>,
    keep_turns: Option<u32>,
}

/// Likewise.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContextOption {
    off: bool,
    at_tokens: Option<f64>,
    keep: Option<u32>,
    at_least_tokens: Option<f64>,
    exclude: Option<Vec<String>>,
    keep_thinking: Option<u32>,
}

impl CompactionOption {
    pub fn apply(self, config: &mut Config) -> Result<()> {
        let usual = Policy::default();
        let strategy = match self.strategy {
            None => usual.strategy,
            Some(name) => strategy_named(&name)?,
        };
        config.compaction = (!self.off).then_some(Policy {
            strategy,
            at_tokens: self.at_tokens.map_or(usual.at_tokens, |n| n as u64),
            every_turns: self.every_turns,
            keep_turns: self.keep_turns.unwrap_or(usual.keep_turns),
        });
        Ok(())
    }
}

impl ContextOption {
    pub fn apply(self, config: &mut Config) {
        let usual = ClearTools::default();
        config.clear_tools = (!self.off).then_some(ClearTools {
            at_tokens: self.at_tokens.map_or(usual.at_tokens, |n| n as u64),
            keep: self.keep.unwrap_or(usual.keep),
            at_least_tokens: self
                .at_least_tokens
                .map_or(usual.at_least_tokens, |n| n as u64),
            exclude: self.exclude.unwrap_or(usual.exclude),
        });
        config.keep_thinking = self.keep_thinking;
    }
}

/// # Errors
/// `InvalidInput` for a name that no strategy has.
pub fn strategy_named(name: &str) -> Result<Strategy> {
    Strategy::from_name(name).ok_or_else(|| Error::InvalidInput {
        field: "compaction.strategy",
        reason: "expected window, summary, hierarchical, retrieve or server".into(),
    })
}

/// What came of a compaction that the page asked for.
#[derive(Serialize)]
pub struct ShortenedView {
    strategy: &'static str,
    turns: u32,
    problem: Option<ErrorView>,
}

impl From<&Shortened> for ShortenedView {
    fn from(shortened: &Shortened) -> ShortenedView {
        ShortenedView {
            strategy: shortened.strategy.name(),
            turns: shortened.n_turns,
            problem: shortened.problem.as_ref().map(Into::into),
        }
    }
}
