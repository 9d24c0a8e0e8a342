//! Memory files: Claude's memory tool (`memory_20250818`) as a value, without input or output.
//!
//! - [`Command`] is what Claude asks, read from the tool's input;
//! - [`FileTree`] holds the files; [`FileTree::run`] turns a command into a [`Step`]: what Claude is told, and the ops of
//!   the batch that makes it true;
//! - [`MemoryPath`] is a path that passed the rules: nothing else is ever looked up;
//! - [`Refusal`] is why a command was not done, in the words that the tool's documentation gives.
//!
//! The words follow Anthropic's documentation of the tool. Where it is silent or its two reference implementations
//! differ, the choice is explained where it is made.
//!
//! ```
//! use onhand::files::FileTree;
//! use onhand::time::Timestamp;
//! use serde_json::json;
//!
//! let mut tree = FileTree::default();
//! let input = json!({"command": "create", "path": "/memories/tea.md", "file_text": "No milk.\n"});
//! let step = tree.run(&input, Timestamp::utc(0));
//! assert_eq!(step.answer.text, "File created successfully at: /memories/tea.md");
//! for op in &step.ops {
//!     tree.apply(op);
//! }
//! assert_eq!(tree.read("/memories/tea.md").unwrap().text, "No milk.\n");
//! ```

mod command;
mod edit;
mod path;
mod refusal;
mod tree;
mod view;

pub use command::{Command, ViewRange};
pub use path::{MemoryPath, ROOT};
pub use refusal::Refusal;
pub use tree::{Answer, FileTree, Step};

/// Upper limit of a file's text. A file is read whole into a prompt: this is some 25,000 tokens.
pub const MAX_FILE_BYTES: usize = 64 * 1024;
/// Upper limit of all texts together; they are held in memory.
pub const MAX_TREE_BYTES: usize = 16 * 1024 * 1024;
pub const MAX_FILES: usize = 256;
/// Upper limit of a path, in characters.
pub const MAX_PATH_CHARACTERS: usize = 256;
/// Upper limit of one name in a path, in characters.
pub const MAX_NAME_CHARACTERS: usize = 128;
/// A view never has more characters than the tool's own description promises to the model.
pub const MAX_VIEW_CHARACTERS: usize = 16_000;
/// From the tool's documentation; the numbers of more lines would not fit their column.
pub const MAX_LINES: usize = 999_999;

#[cfg(test)]
mod tests;
