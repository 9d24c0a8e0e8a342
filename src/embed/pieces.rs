//! The pieces of a text as rows of a table.
//!
//! A table has no more to say of a word than its row, which is the same in every text, so that the row's number is all a text has to
//! keep. A question's pieces are compared with the rows themselves.
//!
//! The bytes are what a store keeps (`docs/format.md`, "vectors"): a zero, which is no length of a direction, then the numbers in
//! ascending order, each once, in two bytes, the low one first.
//!
//! Products and their sums are whole numbers, so that every platform finds the same.

use crate::real;
use std::sync::Arc;

/// What the bytes begin with.
const MARK: u8 = 0;

/// Pieces whose rows are shorter say nothing by themselves. In the table of the package "to", "the" and "of" are 1.1 to 1.5 long, "what"
/// 3.1, "photo" 9.5, the middle one of all 6.8: the fit made those short that say little of what a text is about. Without this limit
/// a turn of LoCoMo keeps 28 pieces instead of 20 and recall is the same to .002.
const LEAST_LENGTH: f32 = 2.5;

/// What chance gives in so many pieces. Means of 6,000 pairs of a question and a turn of another conversation of LoCoMo were .22 for
/// some 12 pieces, .25 for 20, .32 for 36, .42 for 76 and .47 for 108; this is .11 below throughout, which is the same for all.
pub(super) fn by_chance(n_pieces: usize) -> f32 {
    0.2 * real::ln(1.0 + n_pieces as f32 / 20.0)
}

/// The 4-bit vectors of a table's pieces, with a scale per row.
#[derive(Debug, PartialEq)]
pub(super) struct Rows {
    /// One per row; zero for pieces without meaning of their own, such as `[UNK]`.
    pub scales: Vec<f32>,
    /// `dimensions / 2` bytes per row. Byte `i` holds component `i` in its low half and component `i + dimensions / 2` in its
    /// high half, so that both halves of a sum are written in order.
    pub bytes: Vec<u8>,
    pub dimensions: usize,
}

impl Rows {
    /// The bytes of a row.
    pub fn row(&self, piece: usize) -> &[u8] {
        let half = self.dimensions / 2;
        &self.bytes[piece * half..(piece + 1) * half]
    }

    /// Writes the whole numbers of a row, without its scale; gives the sum of their squares.
    fn unpack(&self, piece: usize, to: &mut [i16]) -> i32 {
        let (low, high) = to.split_at_mut(self.dimensions / 2);
        for ((low, high), &byte) in low.iter_mut().zip(high).zip(self.row(piece)) {
            let [a, b] = halves(byte);
            (*low, *high) = (a.into(), b.into());
        }
        product(to, to)
    }

    fn length(&self, piece: usize) -> f32 {
        let square = self.unpack(piece, &mut vec![0; self.dimensions]);
        self.scales[piece] * (square as f32).sqrt()
    }
}

/// Of components of 4 bits each: many at once on every machine.
fn product(a: &[i16], b: &[i16]) -> i32 {
    let products = a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b));
    products.sum()
}

/// The components of a byte: the low half, the high half.
pub(super) fn halves(byte: u8) -> [i8; 2] {
    [(byte as i8) << 4 >> 4, byte as i8 >> 4]
}

/// The pieces of a text that say something, each once, in the order of their rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Pieces {
    numbers: Vec<u16>,
    rows: Arc<Rows>,
}

impl Pieces {
    /// Of a text whose pieces say nothing all are kept that have a row. A row beyond the 65,536th is left out.
    pub(super) fn new(rows: &Arc<Rows>, pieces: &[u32]) -> Pieces {
        let longer = |least: f32| -> Vec<u16> {
            let known = pieces.iter().copied();
            let longer = known.filter(|piece| rows.length(*piece as usize) > least);
            let mut numbers: Vec<u16> = longer.filter_map(|piece| piece.try_into().ok()).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let numbers = Some(longer(LEAST_LENGTH)).filter(|numbers| !numbers.is_empty());
        Pieces {
            numbers: numbers.unwrap_or_else(|| longer(0.0)),
            rows: rows.clone(),
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let numbers = self.numbers.iter().flat_map(|number| number.to_le_bytes());
        std::iter::once(MARK).chain(numbers).collect()
    }
}

/// The numbers of a text's pieces; `None` if that is not what the bytes are.
pub(super) fn numbers_of(bytes: &[u8]) -> Option<impl Iterator<Item = u16>> {
    let (&mark, numbers) = bytes.split_first()?;
    let (numbers, rest) = numbers.as_chunks::<2>();
    let is_whole = mark == MARK && rest.is_empty();
    is_whole.then(|| numbers.iter().map(|number| u16::from_le_bytes(*number)))
}

/// The pieces of a question, to be compared with those of passages.
pub(super) struct Asked {
    rows: Arc<Rows>,
    asked: Vec<Piece>,
    /// What each piece counts; the sum is 1.
    pub shares: Vec<f32>,
    /// Where in `cosines` those of a piece of the table begin, counted in pieces from 1; 0 for one that was not compared yet. Passages
    /// have most of their pieces in common.
    places: Vec<u16>,
    cosines: Vec<f32>,
    /// Room for a row.
    row: Vec<i16>,
}

/// A row of the question.
struct Piece {
    components: Vec<i16>,
    square: i32,
}

impl Asked {
    /// `None` for a question without pieces.
    pub fn new(question: &Pieces) -> Option<Asked> {
        let rows = &question.rows;
        let asked = question.numbers.iter().map(|&number| {
            let mut components = vec![0; rows.dimensions];
            let square = rows.unpack(number.into(), &mut components);
            Piece { components, square }
        });
        let lengths = question.numbers.iter().map(|&n| rows.length(n.into()));
        let lengths: Vec<f32> = lengths.collect();
        let sum: f32 = lengths.iter().sum();
        (sum > 0.0).then(|| Asked {
            rows: rows.clone(),
            asked: asked.collect(),
            shares: lengths.iter().map(|length| length / sum).collect(),
            row: vec![0; rows.dimensions],
            places: vec![0; rows.scales.len()],
            cosines: Vec::new(),
        })
    }

    /// As [`super::Likest::each`]; `None` for bytes that are no pieces of this table.
    pub fn each(&mut self, passage: &[u8]) -> Option<Vec<f32>> {
        let n_asked = self.asked.len();
        let mut likest: Vec<Option<f32>> = vec![None; n_asked];
        for number in numbers_of(passage)? {
            let at = n_asked * self.place_of(number)?;
            let cosines = &self.cosines[at..at + n_asked];
            for (best, &cosine) in likest.iter_mut().zip(cosines) {
                *best = Some(best.map_or(cosine, |best| best.max(cosine)));
            }
        }
        Some(likest.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Where the cosines of a piece are, counted in pieces; `None` for one that the table has not.
    fn place_of(&mut self, number: u16) -> Option<usize> {
        let place = *self.places.get(usize::from(number))?;
        if let Some(place) = place.checked_sub(1) {
            return Some(place.into());
        }
        let square = self.rows.unpack(number.into(), &mut self.row);
        for piece in &self.asked {
            let squares = (piece.square * square) as f32;
            // A row of zeros is like nothing.
            let length = if squares > 0.0 { squares.sqrt() } else { 1.0 };
            let product = product(&piece.components, &self.row);
            self.cosines.push(product as f32 / length);
        }
        let n_compared = self.cosines.len() / self.asked.len();
        // The 65,536th begins again at 0 and is only compared again each time.
        self.places[usize::from(number)] = n_compared as u16;
        Some(n_compared - 1)
    }
}
