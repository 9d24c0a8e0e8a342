//! Export, import and erase, as the page asks for them: one small step at a time, so that a stream of any length has room
//! for everything else in between.

use crate::erase::{Receipt, Target};
use crate::error::{Error, Result};
use crate::memory::{Export, ExportPage, Import, Memory, Ports};
use crate::model::{Kind, RecordRef, TurnId};
use crate::transfer::Report;
use js_sys::Uint8Array;
use serde::Serialize;
use serde::de::{Deserializer, Error as _, Visitor};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

/// What is under way, by number.
#[derive(Default)]
pub struct Transfers {
    last: Cell<u32>,
    exports: RefCell<HashMap<u32, Export>>,
    imports: RefCell<HashMap<u32, Import>>,
}

#[derive(Serialize)]
pub struct Begun {
    id: u32,
}

impl Transfers {
    fn number(&self) -> u32 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    pub async fn begin_export<P: Ports>(
        &self,
        memory: &Memory<P>,
        passphrase: Option<String>,
    ) -> Result<Begun> {
        let export = match passphrase {
            None => memory.begin_export().await?,
            Some(passphrase) => memory.begin_sealed_export(&passphrase).await?,
        };
        let id = self.number();
        self.exports.borrow_mut().insert(id, export);
        Ok(Begun { id })
    }

    /// The next lines; `None` after the last.
    pub async fn export_page<P: Ports>(
        &self,
        memory: &Memory<P>,
        id: u32,
    ) -> Result<Option<PageView>> {
        // Taken out while it runs: no borrow lives across an await.
        let export = self.exports.borrow_mut().remove(&id);
        let mut export = export.ok_or_else(unknown)?;
        let page = memory.export_page(&mut export).await?;
        self.exports.borrow_mut().insert(id, export);
        Ok(page.map(PageView::from))
    }

    pub async fn begin_import<P: Ports>(
        &self,
        memory: &Memory<P>,
        dry_run: bool,
        passphrase: Option<String>,
    ) -> Result<Begun> {
        let import = memory.begin_import(dry_run).await?;
        let (id, import) = (self.number(), import.with_passphrase(passphrase));
        self.imports.borrow_mut().insert(id, import);
        Ok(Begun { id })
    }

    pub async fn import<P: Ports>(&self, memory: &Memory<P>, id: u32, bytes: &[u8]) -> Result<()> {
        let import = self.imports.borrow_mut().remove(&id);
        let mut import = import.ok_or_else(unknown)?;
        memory.import(&mut import, bytes).await?;
        self.imports.borrow_mut().insert(id, import);
        Ok(())
    }

    pub async fn finish_import<P: Ports>(&self, memory: &Memory<P>, id: u32) -> Result<ImportView> {
        let import = self.imports.borrow_mut().remove(&id);
        let report = memory.finish_import(import.ok_or_else(unknown)?).await?;
        Ok(ImportView::from(report))
    }

    /// Lets go of one. What an import wrote stays.
    pub fn end(&self, id: u32) {
        self.exports.borrow_mut().remove(&id);
        self.imports.borrow_mut().remove(&id);
    }
}

/// Erases what the page names: an `item` as `fact:ID` or `turn:ID`, a `subject` or `session` by name, the `project`, or `all`.
pub async fn erase<P: Ports>(
    memory: &Memory<P>,
    what: &str,
    name: Option<String>,
) -> Result<ReceiptView> {
    let invalid = || Error::InvalidInput {
        field: "erase",
        reason: "name an item, a subject, a session, the project or all".into(),
    };
    let named = || name.clone().ok_or_else(invalid);
    let target = match what {
        "item" => match named()?.parse()? {
            RecordRef::Fact(id) => Target::Fact(id),
            RecordRef::Turn(id) => Target::Turn(id),
            RecordRef::File(_) => {
                return Err(Error::InvalidInput {
                    field: "item",
                    reason: "a memory file is deleted with files.remove".into(),
                });
            }
        },
        "subject" => Target::Subject(named()?),
        "session" => Target::Session(named()?.parse()?),
        "project" => Target::Project,
        "all" => Target::All,
        _ => return Err(invalid()),
    };
    Ok(ReceiptView::from(memory.erase(&target).await?))
}

/// It was ended, or failed, or the engine was started anew since.
fn unknown() -> Error {
    Error::NotFound {
        what: "such transfer under way".into(),
    }
}

/// Bytes as JavaScript has them, a Uint8Array.
pub fn bytes<'de, D: Deserializer<'de>>(d: D) -> std::result::Result<Vec<u8>, D::Error> {
    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }
        fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> std::result::Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
        fn visit_byte_buf<E: serde::de::Error>(
            self,
            bytes: Vec<u8>,
        ) -> std::result::Result<Vec<u8>, E> {
            Ok(bytes)
        }
    }

    d.deserialize_byte_buf(Bytes).map_err(D::Error::custom)
}

#[derive(Serialize)]
pub struct PageView {
    /// As JavaScript has bytes; the engine's usual form for them is an array of numbers.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    bytes: Uint8Array,
    done: f64,
    total: f64,
}

impl From<ExportPage> for PageView {
    fn from(page: ExportPage) -> PageView {
        PageView {
            bytes: Uint8Array::from(page.bytes.as_slice()),
            done: page.done as f64,
            total: page.total as f64,
        }
    }
}

/// Numbers of records by the name of their kind.
type CountsView = BTreeMap<&'static str, f64>;

fn counts(counts: &BTreeMap<Kind, u64>) -> CountsView {
    let named = counts.iter().map(|(kind, n)| (kind.name(), *n as f64));
    named.collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportView {
    format: Option<&'static str>,
    dry_run: bool,
    added: f64,
    added_by_kind: CountsView,
    skipped: f64,
    conflicts: Vec<ConflictView>,
    n_conflicts: f64,
    refused: Vec<RefusedView>,
    n_refused: f64,
    seal: Option<&'static str>,
}

#[derive(Serialize)]
struct ConflictView {
    line: f64,
    record: String,
    path: Option<String>,
}

#[derive(Serialize)]
struct RefusedView {
    line: f64,
    reason: &'static str,
    path: Option<String>,
}

impl From<Report> for ImportView {
    fn from(report: Report) -> ImportView {
        let conflicts = report.conflicts.iter().map(|conflict| ConflictView {
            line: conflict.line as f64,
            record: conflict.record.clone(),
            path: conflict.path.clone(),
        });
        let refused = report.refused.iter().map(|refused| RefusedView {
            line: refused.line as f64,
            reason: refused.reason.name(),
            path: refused.path.clone(),
        });
        ImportView {
            format: report.format.map(|format| format.name()),
            dry_run: report.dry_run,
            added: report.n_added() as f64,
            added_by_kind: counts(&report.added),
            skipped: report.skipped as f64,
            conflicts: conflicts.collect(),
            n_conflicts: report.n_conflicts as f64,
            refused: refused.collect(),
            n_refused: report.n_refused as f64,
            seal: report.seal.map(|seal| seal.name()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptView {
    erased: CountsView,
    changed: CountsView,
    tombstones: f64,
    ended_sessions: Vec<String>,
    scanned: f64,
    left: f64,
    unreadable: Vec<String>,
    mentions: Vec<String>,
    n_mentions: f64,
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> ReceiptView {
        let mention = |turn: &TurnId| RecordRef::Turn(*turn).to_string();
        ReceiptView {
            erased: counts(&receipt.erased),
            changed: counts(&receipt.changed),
            tombstones: receipt.tombstones as f64,
            ended_sessions: receipt.ended.iter().map(ToString::to_string).collect(),
            scanned: receipt.scanned as f64,
            left: receipt.left as f64,
            unreadable: receipt.unreadable,
            mentions: receipt.mentions.iter().map(mention).collect(),
            n_mentions: receipt.n_mentions as f64,
        }
    }
}
