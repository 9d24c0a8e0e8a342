//! How far one message may go.

use crate::claude::models::cost_usd;
use crate::error::{Error, Result};
use crate::model::Tokens;

/// Requests for one message unless the host says otherwise. A task that a person waits for takes some ten; a loop that
/// does not end would else run until the budget is gone.
const DEFAULT_TURNS: u32 = 32;

/// Upper limits of what one message may lead to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests to Claude, the first one included.
    pub turns: u32,
    /// US dollars, by the table of prices. The request that crosses it is paid; the next one is not sent.
    pub cost_usd: Option<f64>,
    /// From the sending of the message.
    pub ms: Option<u32>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            turns: DEFAULT_TURNS,
            cost_usd: None,
            ms: None,
        }
    }
}

impl Limits {
    /// # Errors
    /// `InvalidInput` for a limit of nothing, and for a limit of cost with a model whose price is not known: it could
    /// not be kept.
    pub fn check(&self, model: &str) -> Result<()> {
        let bad = |field, reason: &str| {
            Err(Error::InvalidInput {
                field,
                reason: reason.into(),
            })
        };
        if self.turns == 0 {
            return bad("limits.turns", "expected at least 1");
        }
        if self.ms == Some(0) {
            return bad("limits.ms", "expected at least 1");
        }
        let Some(cost) = self.cost_usd else {
            return Ok(());
        };
        if !(cost.is_finite() && cost > 0.0) {
            return bad("limits.cost", "expected US dollars above 0");
        }
        if cost_usd(model, &Tokens::default()).is_none() {
            return bad("limits.cost", "the price of this model is not known");
        }
        Ok(())
    }
}

/// What a message has led to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    pub turns: u32,
    pub cost_usd: f64,
}

impl Spent {
    /// Counts one request.
    pub fn add(&mut self, model: &str, tokens: &Tokens) {
        self.turns += 1;
        self.cost_usd += cost_usd(model, tokens).unwrap_or_default();
    }

    /// The name of the limit that leaves no room for another request.
    pub fn reached(&self, limits: &Limits) -> Option<&'static str> {
        if self.turns >= limits.turns {
            Some("turns")
        } else if limits.cost_usd.is_some_and(|cost| self.cost_usd >= cost) {
            Some("cost")
        } else {
            None
        }
    }
}
