//! Facts: from a proposal to versions that are added, joined or replaced, never merged away.
//!
//! A [`Proposal`] is what any extractor hands over: typed, and bound to the words of a stored turn.
//! [`resolve`] compares proposals with what is known and answers with the changes to store.
//! [`history`] reads the versions of one thing; [`mark_stale`] and [`restore`] say that a fact
//! no longer holds, and take that back.

mod erased;
mod fold;
mod proposal;
mod resolve;
mod versions;

pub use erased::{is_erased, marks, was_erased};
pub use fold::fold;
pub use proposal::Proposal;
pub use resolve::resolve;
pub use versions::{history, mark_stale, restore};

#[cfg(test)]
mod tests;
