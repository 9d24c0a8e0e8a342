//! A query in the forms that the loops read.

use super::Precision;
use super::kernel::LANE;
use super::row::Components;

pub(crate) struct Query {
    /// The direction, padded.
    pub(crate) unit: Vec<f32>,
    /// The direction in 16 bits, as rows are, padded.
    pub(crate) row: Vec<i16>,
    /// 1 / length of `row`.
    pub(crate) inverse: f32,
    /// The vector's length.
    pub(crate) length: f32,
}

impl Query {
    /// `unit` has length 1 and no padding.
    pub(crate) fn new(mut unit: Vec<f32>, length: f32) -> Query {
        let components = Components::encode(&unit, Precision::Full);
        let inverse = 1.0 / components.length();
        let Components::Full(mut row) = components else {
            unreachable!("asked for above")
        };
        let padded = unit.len().next_multiple_of(LANE);
        unit.resize(padded, 0.0);
        row.resize(padded, 0);
        Query {
            unit,
            row,
            inverse,
            length,
        }
    }
}
