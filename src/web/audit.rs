//! The audit as the page sees it.

use crate::hex;
use crate::memory::{AuditItem, AuditReport};
use crate::model::{AuditChange, AuditSurfaced};
use serde::Serialize;

/// An entry without its salt: the salt would let a reader try out short texts against the digests.
#[derive(Serialize)]
pub struct AuditView<'a> {
    number: f64,
    at: Option<f64>,
    action: Option<&'static str>,
    changes: Vec<&'a AuditChange>,
    surfaced: Vec<&'a AuditSurfaced>,
    erased: bool,
    digest: String,
    link: String,
}

impl<'a> From<&'a AuditItem> for AuditView<'a> {
    fn from(item: &'a AuditItem) -> AuditView<'a> {
        let content = item.content.as_ref();
        let changes = content.map(|content| content.changes.iter().collect());
        let surfaced = content.map(|content| content.surfaced.iter().collect());
        AuditView {
            number: item.entry.number as f64,
            at: content.map(|content| content.at.unix_ms as f64),
            action: content.map(|content| content.action.name()),
            changes: changes.unwrap_or_default(),
            surfaced: surfaced.unwrap_or_default(),
            erased: item.entry.content.is_none(),
            digest: hex::encode(&item.entry.digest),
            link: hex::encode(&item.entry.link),
        }
    }
}

#[derive(Serialize)]
pub struct AuditReportView {
    entries: f64,
    erased: f64,
    broken: Option<BreakView>,
}

#[derive(Serialize)]
struct BreakView {
    number: f64,
    fault: &'static str,
}

impl From<AuditReport> for AuditReportView {
    fn from(report: AuditReport) -> AuditReportView {
        AuditReportView {
            entries: report.entries as f64,
            erased: report.erased as f64,
            broken: report.broken.map(|broken| BreakView {
                number: broken.number as f64,
                fault: broken.fault.name(),
            }),
        }
    }
}
