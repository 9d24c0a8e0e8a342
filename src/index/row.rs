//! A row: the direction of a vector in 16 or 8 bits a component.

use super::Precision;
use super::kernel::{self, LANE, ONE, ONE_BYTE, Survey};
use super::query::Query;

/// The stored form of one unit vector, without padding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Components {
    /// Components scaled so that the greatest is 32,767, rounded; only the direction counts.
    Full(Vec<i16>),
    /// The same with 127.
    Compact(Vec<i8>),
}

impl Components {
    pub(crate) fn encode(unit: &[f32], precision: Precision) -> Components {
        let greatest = unit.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let scaled = |one: f32| {
            let scale = one / greatest.max(f32::MIN_POSITIVE);
            unit.iter()
                .map(move |x| (x * scale).round().clamp(-one, one))
        };
        match precision {
            Precision::Full => Components::Full(scaled(ONE).map(|x| x as i16).collect()),
            Precision::Compact => Components::Compact(scaled(ONE_BYTE).map(|x| x as i8).collect()),
        }
    }

    /// The unit vector, as far as it was kept.
    pub(crate) fn decode(&self) -> Vec<f32> {
        let length = self.length();
        match self {
            Components::Full(row) => row.iter().map(|&x| f32::from(x) / length).collect(),
            Components::Compact(row) => row.iter().map(|&x| f32::from(x) / length).collect(),
        }
    }

    pub(crate) fn row(&self) -> Row<'_> {
        match self {
            Components::Full(row) => Row::Full(row),
            Components::Compact(row) => Row::Compact(row),
        }
    }

    /// Whether these can be what [`Components::encode`] gives for some unit vector.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Components::Full(row) => {
                row.iter().any(|x| x.unsigned_abs() == 32_767) && !row.contains(&i16::MIN)
            }
            Components::Compact(row) => {
                row.iter().any(|x| x.unsigned_abs() == 127) && !row.contains(&i8::MIN)
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn is_positive(&self, i: usize) -> bool {
        match self {
            Components::Full(row) => row.get(i).is_some_and(|&x| x > 0),
            Components::Compact(row) => row.get(i).is_some_and(|&x| x > 0),
        }
    }

    #[cfg(test)]
    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Components::Full(row) => row.iter().all(|&x| x == 0),
            Components::Compact(row) => row.iter().all(|&x| x == 0),
        }
    }

    pub(crate) fn length(&self) -> f32 {
        let square = |x: i64| x * x;
        let squares: i64 = match self {
            Components::Full(row) => row.iter().map(|&x| square(x.into())).sum(),
            Components::Compact(row) => row.iter().map(|&x| square(x.into())).sum(),
        };
        (squares as f64).sqrt() as f32
    }
}

/// [`Components`] that lie elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Row<'a> {
    Full(&'a [i16]),
    Compact(&'a [i8]),
}

impl Row<'_> {
    /// What is known of the row after one look at all of it; its code is written into `code`, a bit a component, with zeros behind.
    pub(crate) fn survey(self, code: &mut [u8]) -> Survey {
        match self {
            Row::Full(row) => kernel::survey(row, code),
            Row::Compact(row) => kernel::survey_compact(row, code),
        }
    }

    /// Whether a survey is that of a row which [`Components::encode`] gives for some unit vector.
    #[cfg(feature = "engine")]
    pub(crate) fn is_sound(self, survey: Survey) -> bool {
        match self {
            Row::Full(_) => survey.greatest == ONE as u16,
            Row::Compact(_) => survey.greatest == ONE_BYTE as u16,
        }
    }

    pub(crate) fn dimensions(self) -> usize {
        match self {
            Row::Full(row) => row.len(),
            Row::Compact(row) => row.len(),
        }
    }
}

impl Survey {
    /// Of the row.
    fn length(self) -> f32 {
        (self.squares as f64).sqrt() as f32
    }
}

/// What a code's dot product with a query is multiplied by to estimate the cosine of its row.
///
/// For a unit vector r with the signs s, q·r ≈ (q·s) / Σ|rᵢ|: exact for q = r, and without bias for directions that have nothing
/// else in common with r (J. Gao and C. Long, RaBitQ, SIGMOD 2024, §3.2). The lift is [`Lift::AT`]·√d / Σ|rᵢ| in steps of 2⁻¹⁵.
pub(crate) struct Lift(pub(crate) i16);

impl Lift {
    /// Rows of normally distributed components have Σ|rᵢ| = .8·√d, so their lift is near .44; rows of so few great components
    /// that Σ|rᵢ| is below .35·√d are estimated too low.
    pub(crate) const AT: f32 = 0.35;

    pub(crate) fn of(survey: Survey, dimensions: usize) -> Lift {
        let sizes = survey.sizes as f32 / survey.length();
        let lift = Lift::AT * (dimensions as f32).sqrt() / sizes * 32_768.0;
        Lift(lift.round().min(f32::from(i16::MAX)) as i16)
    }

    /// The cosine that one unit of an estimate stands for, given [`kernel::Tables::step`].
    pub(crate) fn cosine_of(step: f32, dimensions: usize) -> f32 {
        step / (Lift::AT * (dimensions as f32).sqrt())
    }
}

/// The rows of a chunk, padded.
pub(crate) enum Rows {
    Full {
        rows: Box<[i16]>,
        /// 1 / length of each row.
        inverses: Box<[f32]>,
    },
    Compact {
        rows: Box<[i8]>,
        /// 1 / length of each row, in steps of [`INVERSE_STEP`].
        inverses: Box<[u16]>,
    },
}

/// A compact row is between 127 and 127 · √4096 long.
const INVERSE_STEP: f32 = 1.0 / (ONE_BYTE * 65_535.0);

impl Rows {
    pub(crate) fn zeroed(precision: Precision, n: usize, stride: usize) -> Rows {
        match precision {
            Precision::Full => Rows::Full {
                rows: vec![0; n * stride].into(),
                inverses: vec![0.0; n].into(),
            },
            Precision::Compact => Rows::Compact {
                rows: vec![0; n * stride].into(),
                inverses: vec![0; n].into(),
            },
        }
    }

    pub(crate) fn get(&self, at: usize, stride: usize, dimensions: usize) -> Components {
        let range = at * stride..at * stride + dimensions;
        match self {
            Rows::Full { rows, .. } => Components::Full(rows[range].to_vec()),
            Rows::Compact { rows, .. } => Components::Compact(rows[range].to_vec()),
        }
    }

    pub(crate) fn set(&mut self, at: usize, stride: usize, row: Row, survey: Survey) {
        match (self, row) {
            (Rows::Full { rows, inverses }, Row::Full(row)) => {
                rows[at * stride..][..row.len()].copy_from_slice(row);
                inverses[at] = 1.0 / survey.length();
            }
            (Rows::Compact { rows, inverses }, Row::Compact(row)) => {
                rows[at * stride..][..row.len()].copy_from_slice(row);
                inverses[at] = (1.0 / (survey.length() * INVERSE_STEP)).round() as u16;
            }
            _ => unreachable!("an arena has one precision"),
        }
    }

    pub(crate) fn wipe(&mut self, at: usize, stride: usize) {
        match self {
            Rows::Full { rows, inverses } => {
                rows[at * stride..][..stride].fill(0);
                inverses[at] = 0.0;
            }
            Rows::Compact { rows, inverses } => {
                rows[at * stride..][..stride].fill(0);
                inverses[at] = 0;
            }
        }
    }

    /// Reads one component of each cache line (64 bytes on what runs a browser).
    pub(crate) fn touch(&self) -> u32 {
        match self {
            Rows::Full { rows, .. } => rows.iter().step_by(32).fold(0, |sum, &x| sum ^ x as u32),
            Rows::Compact { rows, .. } => rows.iter().step_by(64).fold(0, |sum, &x| sum ^ x as u32),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Rows::Full { rows, inverses } => rows.len() * 2 + inverses.len() * 4,
            Rows::Compact { rows, inverses } => rows.len() + inverses.len() * 2,
        }
    }

    /// The cosine with a query; rounding never takes it out of -1 to 1.
    #[inline(always)]
    pub(crate) fn cosine(&self, at: usize, query: &Query) -> f32 {
        let stride = query.row.len();
        let (dot, inverse) = match self {
            Rows::Full { rows, inverses } => (
                kernel::dot(&rows[at * stride..][..stride], &query.row),
                inverses[at],
            ),
            Rows::Compact { rows, inverses } => (
                kernel::dot_compact(&rows[at * stride..][..stride], &query.row),
                f32::from(inverses[at]) * INVERSE_STEP,
            ),
        };
        (dot as f32 * (inverse * query.inverse)).clamp(-1.0, 1.0)
    }

    /// The cosine of a row and one of another chunk.
    #[inline(always)]
    pub(crate) fn cosine_between(
        &self,
        at: usize,
        other: &Rows,
        place: usize,
        stride: usize,
    ) -> f32 {
        debug_assert!(stride.is_multiple_of(LANE));
        fn of<T>(rows: &[T], at: usize, stride: usize) -> &[T] {
            &rows[at * stride..][..stride]
        }
        let (dot, inverse) = match (self, other) {
            (
                Rows::Full {
                    rows: a,
                    inverses: x,
                },
                Rows::Full {
                    rows: b,
                    inverses: y,
                },
            ) => (
                kernel::dot(of(a, at, stride), of(b, place, stride)),
                x[at] * y[place],
            ),
            (
                Rows::Compact {
                    rows: a,
                    inverses: x,
                },
                Rows::Compact {
                    rows: b,
                    inverses: y,
                },
            ) => (
                kernel::dot_both_compact(of(a, at, stride), of(b, place, stride)),
                f32::from(x[at]) * INVERSE_STEP * (f32::from(y[place]) * INVERSE_STEP),
            ),
            _ => unreachable!("an arena has one precision"),
        };
        (dot as f32 * inverse).clamp(-1.0, 1.0)
    }
}
