//! The report of a look through the memory, as the page gets it.

use crate::memory::CheckReport;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub struct CheckView {
    clean: bool,
    commit: f64,
    /// By the name of their kind.
    records: BTreeMap<&'static str, usize>,
    findings: Vec<FindingView>,
}

#[derive(Serialize)]
struct FindingView {
    problem: &'static str,
    record: String,
}

impl From<CheckReport> for CheckView {
    fn from(report: CheckReport) -> CheckView {
        CheckView {
            clean: report.is_clean(),
            commit: report.commit as f64,
            records: report
                .records
                .iter()
                .map(|(kind, n)| (kind.name(), *n))
                .collect(),
            findings: report
                .findings
                .into_iter()
                .map(|finding| FindingView {
                    problem: finding.problem.name(),
                    record: finding.record,
                })
                .collect(),
        }
    }
}
