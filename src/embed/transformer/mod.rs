//! The embedders of more quality: a transformer, read from a weight file.
//!
//! [`Transformer`] runs encoders of the BERT family: all-MiniLM-L6-v2 and multilingual-e5-small are the same code with another
//! file (`docs/format-embedding-weights.md`), which brings depth, widths, tokenizer, prefixes and calibration.
//! A text becomes pieces ([`tokenizer`]), the pieces' rows go through the layers ([`network`]: [`attention`] and [`matrix`], whose
//! inner loop is in [`kernel`]), and the mean of the last layer's rows, scaled to length 1, is the text's vector.
//! Where the file brings axes for it, the rows are also the vectors of the text's words ([`words`]).
//!
//! Vectors are the same to the bit natively and in browsers, with and without simd128: integer sums have no order, and numbers in
//! floating point are computed in one order everywhere ([`lanes`]).
//!
//! When not to use it: where nothing may be fetched beside the package, and where a sentence must take microseconds;
//! [`crate::embed::StaticTable`] is for both.

mod attention;
mod coding;
mod error;
mod header;
mod kernel;
mod lanes;
mod matrix;
mod network;
mod read;
#[cfg(test)]
mod tests;
mod tokenizer;
mod words;

pub use error::WeightsError;

use std::fmt;

use super::{Calibration, Embedded, Words};
use coding::Coding;
use network::Network;
use tokenizer::Tokenizer;
use words::Axes;

/// What a text is for. Some models were trained with different words before each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is searched with.
    Query,
    /// It is searched for.
    Passage,
}

/// A transformer and the tokenizer that belongs to it.
///
/// ```no_run
/// use onhand::embed::{Kind, Transformer};
///
/// let model = Transformer::from_bytes(std::fs::read("pkg/weights/minilm/weights.bin")?)?;
/// let passage = model.embed("My flight to Lisbon is on Friday.", Kind::Passage).expect("the text has known words");
/// assert_eq!(passage.len(), model.dimensions());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Transformer {
    id: String,
    calibration: Calibration,
    tokenizer: Tokenizer,
    /// Ids of the first and the last piece of every text.
    marks: [u32; 2],
    /// Pieces before a query and before a passage.
    prefixes: [Vec<u32>; 2],
    network: Network,
    rows: Rows,
    /// `None`: texts have no words beside their vector.
    axes: Option<Axes>,
    /// The file, as far as it is needed: without its matrices where `unpacked` has them.
    file: Vec<u8>,
    unpacked: Option<Vec<u8>>,
}

/// Where the vocabulary's vectors are in the file.
#[derive(Debug, Clone, Copy)]
struct Rows {
    coding: Coding,
    scales_at: usize,
    at: usize,
}

/// The id; the weights fill pages.
impl fmt::Debug for Transformer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transformer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Transformer {
    /// Reads a weight file (`docs/format-embedding-weights.md`) and checks it.
    ///
    /// The bytes are kept, not copied; only matrices of less than 8 bits are unpacked, and their part of the file is let go.
    ///
    /// # Errors
    /// A [`WeightsError`] that says which part is wrong. Nothing is allocated by a number from the file before the file's length
    /// and checksum have confirmed it.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Transformer, WeightsError> {
        read::transformer(bytes)
    }

    /// Name of this exact model, to be stored with every vector: vectors of different ids must never be compared.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Number of components of a vector.
    pub fn dimensions(&self) -> usize {
        self.network.shape.hidden
    }

    /// What this model's cosines look like on texts that have nothing to do with each other.
    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    /// Unit-length vector of a text; `None` when no piece of it is known (empty text): a zero vector must never reach the index.
    ///
    /// Pieces beyond the model's limit do not count: 254 for all-MiniLM-L6-v2, about 507 for multilingual-e5-small. Long texts are
    /// split before (`text::pieces`). The result is the same to the bit on every platform.
    pub fn embed(&self, text: &str, kind: Kind) -> Option<Vec<f32>> {
        self.mean(&self.run(&self.ids(text, kind)?))
    }

    /// The vector of a text and, of a model with axes for them, its words. The network runs once for both.
    pub fn embed_with_words(&self, text: &str, kind: Kind) -> Option<Embedded> {
        let ids = self.ids(text, kind)?;
        let rows = self.run(&ids);
        let vector = self.mean(&rows)?;
        let axes = self.axes.as_ref().zip(self.tokenizer.word_pieces());
        let words = axes.map(|(axes, pieces)| {
            let first = self.before(kind);
            // The last one is a mark.
            let (own, rows) = (
                &ids[first..ids.len() - 1],
                &rows[first * self.network.shape.hidden..],
            );
            Words::Directions(axes.words(rows, &words::places(pieces, own, kind)))
        });
        Some(Embedded { vector, words })
    }

    /// How many pieces stand before a text's own.
    fn before(&self, kind: Kind) -> usize {
        1 + self.prefixes[kind as usize].len()
    }

    /// What the last layer makes of pieces, a row for each.
    fn run(&self, ids: &[u32]) -> Vec<f32> {
        let hidden = self.network.shape.hidden;
        let mut rows = vec![0.0; ids.len() * hidden];
        for (&id, row) in ids.iter().zip(rows.chunks_exact_mut(hidden)) {
            self.read_row(id, row);
        }
        let weights = self.unpacked.as_ref().unwrap_or(&self.file);
        self.network.run(&mut rows, weights);
        rows
    }

    /// The direction of the mean of rows.
    fn mean(&self, rows: &[f32]) -> Option<Vec<f32>> {
        let hidden = self.network.shape.hidden;
        let mut vector = vec![0.0; hidden];
        for row in rows.chunks_exact(hidden) {
            for (sum, x) in vector.iter_mut().zip(row) {
                *sum += x;
            }
        }
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        // Weights that no training has made, under a right checksum, can give anything.
        if !(length > 0.0 && length.is_finite()) {
            return None;
        }
        vector.iter_mut().for_each(|x| *x /= length);
        Some(vector)
    }

    /// All pieces of a text as the network sees them; `None` when none of the text's own is known.
    fn ids(&self, text: &str, kind: Kind) -> Option<Vec<u32>> {
        let prefix = &self.prefixes[kind as usize];
        // Positive: checked when the file was read.
        let room = self.network.shape.positions - self.marks.len() - prefix.len();
        let pieces = self.tokenizer.encode(text, room);
        let unknown = self.tokenizer.unknown();
        if pieces.iter().all(|&piece| piece == unknown) {
            return None;
        }
        let [first, last] = self.marks;
        Some([&[first], &prefix[..], &pieces, &[last]].concat())
    }

    /// The vector of a piece.
    fn read_row(&self, id: u32, to: &mut [f32]) {
        let (id, coding) = (id as usize, self.rows.coding);
        let length = coding.row_bytes(to.len() as u64) as usize;
        let row = &self.file[self.rows.at + id * length..][..length];
        let scale = match coding.scale_bytes() {
            0 => 1.0,
            _ => f32::from_bits(header::u32_at(&self.file, self.rows.scales_at + 4 * id)),
        };
        coding.numbers(row, scale, to);
    }
}
