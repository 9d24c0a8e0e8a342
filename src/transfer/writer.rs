//! Making the lines of an export.

use super::line::{self, Counts, End, FORMAT, Header};
use crate::model::{Kind, Record};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Gives the lines of an export one after the other and keeps what the last one says of them.
#[derive(Default)]
pub struct Writer {
    hash: Sha256,
    counts: Counts,
    unreadable: Vec<String>,
    n_records: u64,
}

impl Writer {
    /// The first line.
    pub fn header(&mut self, header: &Header) -> String {
        let line = json(header);
        self.hashed(line)
    }

    /// The line of a record.
    pub fn record(&mut self, record: &Record) -> String {
        *self.counts.entry(record.kind().name().into()).or_default() += 1;
        self.n_records += 1;
        self.hashed(line::written(record))
    }

    /// Notes a record that is there and can not be read.
    pub fn unreadable(&mut self, kind: Kind, name: &str) {
        self.unreadable.push(format!("{}:{name}", kind.name()));
    }

    /// Records written so far.
    pub fn n_records(&self) -> u64 {
        self.n_records
    }

    /// The last line.
    pub fn end(self) -> String {
        let end = End {
            end: FORMAT.into(),
            counts: self.counts,
            unreadable: self.unreadable,
            sha256: hex(&self.hash.finalize()),
        };
        json(&end) + "\n"
    }

    fn hashed(&mut self, mut line: String) -> String {
        line.push('\n');
        self.hash.update(&line);
        line
    }
}

fn json(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("plain data")
}

/// Two hexadecimal digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
