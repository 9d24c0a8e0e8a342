//! Which rows bear which label: a bitmap for each.
//!
//! A label is a number whose meaning is its user's: a type, a project, a month. A search that asks for labels looks at the rows
//! of their bitmaps only and asks nobody row by row.

use std::collections::BTreeMap;

use super::bitmap::Bitmap;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels {
    rows: BTreeMap<u32, Bitmap>,
}

impl Labels {
    pub(crate) fn insert(&mut self, label: u32, row: u32) {
        let rows = self.rows.entry(label).or_default();
        rows.grow(row as usize + 1);
        rows.insert(row);
    }

    /// The labels of a row, ascending.
    pub(crate) fn of(&self, row: u32) -> Vec<u32> {
        let bearing = self.rows.iter().filter(|(_, rows)| rows.contains(row));
        bearing.map(|(label, _)| *label).collect()
    }

    pub(crate) fn wipe(&mut self, row: u32) {
        self.rows.values_mut().for_each(|rows| rows.remove(row));
    }

    /// Drops every row from `rows` on, and labels that no row bears.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.rows.retain(|_, bearing| {
            bearing.truncate(rows);
            bearing.count() > 0
        });
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows.values().map(Bitmap::bytes).sum()
    }

    /// Keeps in `rows` what bears at least one label of each list.
    pub(crate) fn narrow(&self, rows: &mut Bitmap, lists: &[Vec<u32>]) {
        for labels in lists {
            let mut any = Bitmap::default();
            for label in labels {
                if let Some(bearing) = self.rows.get(label) {
                    any.add(bearing);
                }
            }
            rows.keep(&any);
        }
    }
}
