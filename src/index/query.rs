//! A query in the forms that the loops read.

use super::kernel::{LANE, ONE};

pub(crate) struct Query {
    /// The direction, padded.
    pub(crate) unit: Vec<f32>,
    /// The direction in 16 bits, padded.
    pub(crate) row: Vec<i16>,
    /// The vector's length.
    pub(crate) length: f32,
}

impl Query {
    /// `unit` has length 1 and no padding.
    pub(crate) fn new(mut unit: Vec<f32>, length: f32) -> Query {
        unit.resize(unit.len().next_multiple_of(LANE), 0.0);
        Query {
            row: unit.iter().map(|x| (x * ONE).round() as i16).collect(),
            unit,
            length,
        }
    }
}
