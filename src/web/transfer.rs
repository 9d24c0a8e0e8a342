//! Export, import and erase, as the page asks for them: one small step at a time, so that a stream of any length has room
//! for everything else in between.

use crate::erase::{Receipt, Target};
use crate::error::{Error, Result};
use crate::memory::{Export, ExportPage, Import, Memory, Ports};
use crate::model::{Kind, RecordRef, TurnId};
use crate::transfer::Report;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

/// A step of an export.
#[derive(Deserialize)]
#[serde(tag = "step", rename_all = "camelCase")]
pub enum ExportStep {
    /// Gives the number of the export.
    Begin,
    /// Gives the next lines; null after the last.
    Next { id: u32 },
    /// Lets go of it.
    End { id: u32 },
}

/// A step of an import.
#[derive(Deserialize)]
#[serde(
    tag = "step",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ImportStep {
    /// Gives the number of the import.
    Begin { dry_run: bool },
    Push {
        id: u32,
        #[serde(deserialize_with = "bytes")]
        bytes: Vec<u8>,
    },
    /// Gives the report.
    Finish { id: u32 },
    /// Lets go of it. What was written stays.
    End { id: u32 },
}

/// What is to be erased.
#[derive(Deserialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum EraseWhat {
    Item { item: String },
    Subject { subject: String },
    Session { session: String },
    Project,
    All,
}

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

    pub async fn export<P: Ports>(
        &self,
        memory: &Memory<P>,
        step: ExportStep,
    ) -> Result<ExportAnswer> {
        Ok(match step {
            ExportStep::Begin => {
                let (id, export) = (self.number(), memory.begin_export().await?);
                self.exports.borrow_mut().insert(id, export);
                ExportAnswer::Begun(Begun { id })
            }
            ExportStep::Next { id } => {
                // Taken out while it runs: no borrow lives across an await.
                let export = self.exports.borrow_mut().remove(&id);
                let mut export = export.ok_or_else(unknown)?;
                let page = memory.export_page(&mut export).await?;
                self.exports.borrow_mut().insert(id, export);
                ExportAnswer::Page(page.map(PageView::from))
            }
            ExportStep::End { id } => {
                self.exports.borrow_mut().remove(&id);
                ExportAnswer::Page(None)
            }
        })
    }

    pub async fn import<P: Ports>(
        &self,
        memory: &Memory<P>,
        step: ImportStep,
    ) -> Result<ImportAnswer> {
        Ok(match step {
            ImportStep::Begin { dry_run } => {
                let (id, import) = (self.number(), memory.begin_import(dry_run).await?);
                self.imports.borrow_mut().insert(id, import);
                ImportAnswer::Begun(Begun { id })
            }
            ImportStep::Push { id, bytes } => {
                let import = self.imports.borrow_mut().remove(&id);
                let mut import = import.ok_or_else(unknown)?;
                memory.import(&mut import, &bytes).await?;
                self.imports.borrow_mut().insert(id, import);
                ImportAnswer::Report(None)
            }
            ImportStep::Finish { id } => {
                let import = self.imports.borrow_mut().remove(&id);
                let report = memory.finish_import(import.ok_or_else(unknown)?).await?;
                ImportAnswer::Report(Some(Box::new(ImportView::from(report))))
            }
            ImportStep::End { id } => {
                self.imports.borrow_mut().remove(&id);
                ImportAnswer::Report(None)
            }
        })
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum ExportAnswer {
    Begun(Begun),
    Page(Option<PageView>),
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum ImportAnswer {
    Begun(Begun),
    Report(Option<Box<ImportView>>),
}

pub async fn erase<P: Ports>(memory: &Memory<P>, what: EraseWhat) -> Result<ReceiptView> {
    let target = match what {
        EraseWhat::Item { item } => match item.parse()? {
            RecordRef::Fact(id) => Target::Fact(id),
            RecordRef::Turn(id) => Target::Turn(id),
        },
        EraseWhat::Subject { subject } => Target::Subject(subject),
        EraseWhat::Session { session } => Target::Session(session.parse()?),
        EraseWhat::Project => Target::Project,
        EraseWhat::All => Target::All,
    };
    Ok(ReceiptView::from(memory.erase(&target).await?))
}

/// It was ended, or failed, or the engine was started anew since.
fn unknown() -> Error {
    Error::NotFound {
        what: "such transfer under way".into(),
    }
}

fn bytes<'de, D: Deserializer<'de>>(d: D) -> std::result::Result<Vec<u8>, D::Error> {
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
    text: String,
    done: f64,
    total: f64,
}

impl From<ExportPage> for PageView {
    fn from(page: ExportPage) -> PageView {
        PageView {
            text: page.text,
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
}

#[derive(Serialize)]
struct RefusedView {
    line: f64,
    reason: &'static str,
}

impl From<Report> for ImportView {
    fn from(report: Report) -> ImportView {
        let conflicts = report.conflicts.iter().map(|conflict| ConflictView {
            line: conflict.line as f64,
            record: conflict.record.clone(),
        });
        let refused = report.refused.iter().map(|refused| RefusedView {
            line: refused.line as f64,
            reason: refused.reason.name(),
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
