//! When a session is compacted, and how.

use crate::claude::context::MIN_COMPACT_AT;
use crate::error::{Error, Result};

/// How the place of the turns that are left out is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// By nothing but a note of how many there were. Costs no request.
    Window,
    /// By one summary, which is written anew from the one before and the turns since.
    #[default]
    Summary,
    /// By summaries of parts; the oldest are merged into summaries of more. Early details last longer than in one summary.
    Hierarchical,
    /// By the facts that were read out of them, and for each message by what recall finds in them. Costs no request.
    Retrieve,
    /// By Claude itself, on the server, with the models that do; with others as [`Strategy::Summary`].
    Server,
}

impl Strategy {
    pub const ALL: [Strategy; 5] = [
        Strategy::Window,
        Strategy::Summary,
        Strategy::Hierarchical,
        Strategy::Retrieve,
        Strategy::Server,
    ];

    pub fn from_name(name: &str) -> Option<Strategy> {
        Strategy::ALL
            .into_iter()
            .find(|strategy| strategy.name() == name)
    }

    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Window => "window",
            Strategy::Summary => "summary",
            Strategy::Hierarchical => "hierarchical",
            Strategy::Retrieve => "retrieve",
            Strategy::Server => "server",
        }
    }
}

/// When and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub strategy: Strategy,
    /// Before a message, if the prompt before it had at least so many tokens.
    pub at_tokens: u64,
    /// Before a message, if at least so many turns are sent with it.
    pub every_turns: Option<u32>,
    /// At least so many turns stay, the newest.
    pub keep_turns: u32,
}

impl Default for Policy {
    /// At the API's own default threshold of 150,000 tokens; six turns are three exchanges.
    fn default() -> Policy {
        Policy {
            strategy: Strategy::default(),
            at_tokens: 150_000,
            every_turns: None,
            keep_turns: 6,
        }
    }
}

impl Policy {
    /// # Errors
    /// `InvalidInput` naming the setting.
    pub fn check(&self) -> Result<()> {
        let bad = |field, reason: &str| {
            Err(Error::InvalidInput {
                field,
                reason: reason.into(),
            })
        };
        if self.at_tokens < 1_000 {
            return bad("compaction.atTokens", "expected at least 1000");
        }
        if self.strategy == Strategy::Server && self.at_tokens < MIN_COMPACT_AT {
            return bad(
                "compaction.atTokens",
                "expected at least 50000 for `server`",
            );
        }
        if self.keep_turns == 0 {
            return bad("compaction.keepTurns", "expected at least 1");
        }
        if self.every_turns.is_some_and(|n| n <= self.keep_turns) {
            return bad("compaction.everyTurns", "expected more than `keepTurns`");
        }
        Ok(())
    }

    /// The same for a model that takes no longer prompts than this.
    pub fn within(self, longest_prompt: u64) -> Policy {
        Policy {
            at_tokens: self.at_tokens.min(longest_prompt),
            ..self
        }
    }

    /// Whether a session with a prompt of so many tokens and turns is to be compacted now.
    pub fn is_due(&self, prompt_tokens: u64, n_turns: usize) -> bool {
        let is_long = self.every_turns.is_some_and(|n| n_turns >= n as usize);
        prompt_tokens >= self.at_tokens || is_long
    }
}
