//! The database's object stores (`docs/format.md`).

use crate::model::Kind;
use rexie::{ObjectStore, Rexie, RexieBuilder};

/// The database's version: it changes when an object store is added, and never otherwise.
pub const VERSION: u32 = 1;

/// The number of the last commit, and the format's version.
pub const META: &str = "meta";
/// Who changed what: the newest [`COMMITS_KEPT`](crate::store::COMMITS_KEPT) commits of each namespace, by number.
pub const COMMITS: &str = "commits";

/// The audit's entries, by namespace and number.
pub const AUDIT: &str = "audit";

/// Every object store that a version of this program ever made.
///
/// It only grows: an upgrade by rexie deletes each object store that is not listed, with all that is in it.
pub const STORES: [&str; 16] = [
    "sessions",
    "turns",
    "facts",
    "vectors",
    "jobs",
    "injections",
    "usage",
    "generations",
    "files",
    "judgements",
    "tombstones",
    "artifacts",
    META,
    COMMITS,
    AUDIT,
    "segments",
];

/// Key in [`META`] of the last commit's number.
pub const META_COMMIT: &str = "commit";
/// Key in [`META`] of the keyring; nothing is there while nothing is sealed.
pub const META_KEYRING: &str = "keyring";
/// Key in [`META`] of the format's version.
pub const META_FORMAT: &str = "format";
/// Key in [`META`] of the store's own id.
pub const META_STORE: &str = "store";

/// The object store of a kind of record.
pub fn store_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Session => "sessions",
        Kind::Turn => "turns",
        Kind::Fact => "facts",
        Kind::Vector => "vectors",
        Kind::Job => "jobs",
        Kind::Injection => "injections",
        Kind::Usage => "usage",
        Kind::Generation => "generations",
        Kind::File => "files",
        Kind::Judgement => "judgements",
        Kind::Tombstone => "tombstones",
        Kind::Segment => "segments",
        Kind::Artifact => "artifacts",
    }
}

/// Opens the database at a version with every object store listed. Keys are given by the
/// writer, not found in the record.
pub fn builder(database_name: &str, version: u32) -> RexieBuilder {
    let builder = Rexie::builder(database_name).version(version);
    STORES.iter().fold(builder, |builder, store| {
        builder.add_object_store(ObjectStore::new(store))
    })
}
