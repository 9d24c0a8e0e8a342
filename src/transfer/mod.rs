//! Memory as a file: what leaves as an export and comes back, lists of memories that other products give out, and
//! folders of Claude's memory tool.
//!
//! [`Writer`] makes the lines of an export (`docs/format-export.md`), [`Reader`] takes them apart again. [`Intake`]
//! recognises what a person brings, by its content, and gives it piece by piece as [`Entry`]. [`Report`] says what
//! became of each. [`Sealer`] and [`Opener`] are for exports with a passphrase.
//!
//! Nothing here stores: `memory::export` and `memory::import` move the pieces.

mod document;
mod folder;
mod intake;
mod line;
mod list;
mod mem0;
mod reader;
mod report;
mod sealed;
mod writer;

pub use folder::MAX_ZIP_BYTES;
pub use intake::{Content, Entry, Intake, MAX_DOCUMENT_BYTES, SourceFormat};
pub use line::{End, FORMAT, Header, VERSION};
pub use list::{MAX_STATEMENT_CHARS, Statement};
pub use reader::{MAX_LINE_BYTES, Reader};
pub use report::{Conflict, MAX_LISTED, Reason, Refused, Report, Seal, path_of};
pub use sealed::{CHUNK_BYTES, Opener, SEALED_FORMAT, SEALED_VERSION, Sealer};
pub use writer::Writer;

#[cfg(test)]
mod tests;

use crate::model::Kind;

/// Whether records of this kind are part of an export. What can be made again from the others is not.
pub fn travels(kind: Kind) -> bool {
    match kind {
        Kind::Session
        | Kind::Turn
        | Kind::Fact
        | Kind::Job
        | Kind::Injection
        | Kind::Usage
        | Kind::File
        | Kind::Judgement
        | Kind::Tombstone
        | Kind::Artifact => true,
        Kind::Vector | Kind::Generation | Kind::Segment => false,
    }
}

/// The kinds of an export in the order of its lines: what a record rests on comes before it.
pub fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| travels(*kind))
}
