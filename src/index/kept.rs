//! Rows as they are kept: a vector that goes from one index into another keeps every bit of its scores, which rounding it a
//! second time would not promise.

use super::kernel::components_of;
use super::row::{Components, Row};
use super::{IndexError, Precision, VectorIndex};

impl VectorIndex {
    /// How many bytes a kept row has: one a component, or two.
    pub(crate) fn row_bytes(&self) -> usize {
        let config = self.arena.config();
        match config.precision {
            Precision::Full => 2 * config.dimensions,
            Precision::Compact => config.dimensions,
        }
    }

    /// The row of an id, as [`VectorIndex::add_row`] takes it.
    pub(crate) fn row(&self, id: u32) -> Option<Vec<u8>> {
        let row = self.arena.row_of(id)?;
        Some(match self.arena.components(row) {
            Components::Full(row) => row.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Components::Compact(row) => row.iter().map(|&x| x as u8).collect(),
        })
    }

    /// Adds the row of an index of the same configuration, of a metric in which lengths do not count.
    ///
    /// # Errors
    /// `WrongDimensions`, `DuplicateId`, `Full`; `NotADirection` for bytes that are no row.
    pub(crate) fn add_row(&mut self, id: u32, bytes: &[u8]) -> Result<(), IndexError> {
        if bytes.len() != self.row_bytes() {
            return Err(IndexError::WrongDimensions {
                expected: self.row_bytes(),
                found: bytes.len(),
            });
        }
        if self.arena.row_of(id).is_some() {
            return Err(IndexError::DuplicateId(id));
        }
        if self.arena.rows() >= u32::MAX as usize {
            return Err(IndexError::Full);
        }
        let full: Vec<i16>;
        let row = match self.arena.config().precision {
            Precision::Full => {
                let (pairs, _) = bytes.as_chunks();
                full = pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect();
                Row::Full(&full)
            }
            Precision::Compact => Row::Compact(components_of(bytes)),
        };
        let added = self.arena.push_kept(id, row);
        added.map(|_| ()).ok_or(IndexError::NotADirection)
    }

    /// Makes room for so many vectors more.
    pub(crate) fn reserve(&mut self, n_vectors: usize) {
        self.arena.reserve(n_vectors);
    }
}
