//! Artifacts: texts too large for a prompt, which stands for each with a reference and its beginning.

use super::{ArtifactId, TurnId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A large text that Claude reads in ranges: what a tool said, or what the person added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Version of this record's shape.
    pub v: u8,
    pub id: ArtifactId,
    /// The turn with the result that it is; `None` for what the person added. It goes with its turn.
    pub turn: Option<TurnId>,
    /// What it is called: the tool that said it, or the person's own name for it.
    pub name: String,
    pub text: String,
    pub at: Timestamp,
}

impl Artifact {
    pub const VERSION: u8 = 1;
}
