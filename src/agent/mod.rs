//! Tools: what Claude may call, what a call says, and what it is told, without running anything.
//!
//! - [`toolset`] puts the definitions of a session together; they are frozen with it;
//! - [`calls_of`] finds the calls of a reply as [`ToolCall`]s, [`results`] makes the message that answers them;
//! - [`BuiltIn`] is a call of one of this library's own tools, read from its input;
//! - [`Limits`] say how far one message may go, [`Preset`] which layers of memory a chat uses.
//!
//! The driver runs the tools (`memory::tools`) and goes round until Claude calls none any more (`memory::exchange`).

mod artifact;
mod built_in;
mod call;
mod limits;
mod preset;
mod toolset;

pub use artifact::{MAX_ARTIFACT_BYTES, MAX_INLINE_BYTES, range, reference};
pub use built_in::{BuiltIn, Note};
pub use call::{MAX_RESULT_BYTES, ToolCall, ToolOutput, calls_of, results};
pub use limits::{Limits, Spent};
pub use preset::Preset;
pub use toolset::{BUILT_IN, READ_ARTIFACT, definitions, is_built_in, toolset};

#[cfg(test)]
mod tests;
