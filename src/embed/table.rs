//! The table file in memory, and the sum that makes a vector.

use super::pieces::{Pieces, Rows, halves};
use super::{Calibration, Embedded, TableError, WordPiece, Words};
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"ONHEMB1\n";
const HEADER_BYTES: usize = 44;
const CHECKSUM_BYTES: usize = 4;
/// Far above any real table; it only keeps the sizes computed from a header within 64 bits.
const MOST_DIMENSIONS: u32 = 4096;
/// Word pieces of a text that count; the rest is not read. BERT's own limit; a sum over more topics than that says little.
const MOST_PIECES: usize = 512;

/// One 4-bit vector per word piece, with a scale per row.
#[derive(Debug, Clone)]
pub struct StaticTable {
    id: String,
    dimensions: usize,
    calibration: Calibration,
    pieces: WordPiece,
    rows: Arc<Rows>,
}

impl StaticTable {
    /// Reads a table file (`docs/format-embedding-table.md`) and checks all of it.
    ///
    /// # Errors
    /// A [`TableError`] that says which part is wrong. Nothing is allocated by a number from the file before the file's length
    /// and checksum have confirmed it.
    pub fn from_bytes(bytes: &[u8]) -> Result<StaticTable, TableError> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or_else(|| {
            // Another file that happens to be short is "another file", not "cut off".
            let known = bytes.len().min(MAGIC.len());
            if bytes[..known] == MAGIC[..known] {
                length_error((HEADER_BYTES + CHECKSUM_BYTES) as u64, bytes)
            } else {
                TableError::Magic
            }
        })?;
        if &header[..8] != MAGIC {
            return Err(TableError::Magic);
        }
        let [n_rows, dimensions, vocabulary_bytes] = [8, 12, 16].map(|at| u32_at(header, at));
        if n_rows == 0 {
            return Err(TableError::Header("the vocabulary size is zero"));
        }
        if dimensions == 0 || dimensions % 2 != 0 || dimensions > MOST_DIMENSIONS {
            return Err(TableError::Header(
                "the number of dimensions is not an even number from 2 to 4096",
            ));
        }
        // At most 2^32 rows of 2^11 + 2 bytes: no overflow in 64 bits.
        let vectors_bytes = u64::from(n_rows) * u64::from(dimensions / 2);
        let expected = HEADER_BYTES as u64
            + u64::from(vocabulary_bytes)
            + 2 * u64::from(n_rows)
            + vectors_bytes
            + CHECKSUM_BYTES as u64;
        if expected != bytes.len() as u64 {
            return Err(length_error(expected, bytes));
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
        let (expected, found) = (u32_at(checksum, 0), crc32fast::hash(content));
        if expected != found {
            return Err(TableError::Checksum { expected, found });
        }

        let calibration = Calibration {
            mean: f32::from_bits(u32_at(header, 20)),
            sd: f32::from_bits(u32_at(header, 24)),
        };
        // Written so that an undefined number fails, too.
        let valid = (-1.0..=1.0).contains(&calibration.mean)
            && calibration.sd > 0.0
            && calibration.sd <= 1.0;
        if !valid {
            return Err(TableError::Header(
                "the calibration is not a mean from -1 to 1 and a deviation above 0",
            ));
        }
        if header[28..].iter().any(|&byte| byte != 0) {
            return Err(TableError::Header("reserved bytes are not zero"));
        }

        // The lengths fit the file now, so each of them fits `usize`.
        let (vocabulary, rest) = content[HEADER_BYTES..].split_at(vocabulary_bytes as usize);
        let (scales, rows) = rest.split_at(2 * n_rows as usize);
        let vocabulary = std::str::from_utf8(vocabulary)
            .map_err(|_| TableError::Vocabulary("it is not UTF-8"))?;
        let pieces = WordPiece::new(vocabulary)?;
        if pieces.len() != n_rows as usize {
            return Err(TableError::Vocabulary(
                "its number of lines is not the number of rows",
            ));
        }
        let scales = scales
            .chunks_exact(2)
            .enumerate()
            .map(|(row, half)| {
                scale_of(u16::from_le_bytes([half[0], half[1]])).ok_or(TableError::Scale { row })
            })
            .collect::<Result<Vec<f32>, _>>()?;
        Ok(StaticTable {
            id: format!("static-{dimensions}-int4-{found:08x}-words"),
            dimensions: dimensions as usize,
            calibration,
            pieces,
            rows: Arc::new(Rows {
                scales,
                bytes: rows.to_vec(),
                dimensions: dimensions as usize,
            }),
        })
    }

    /// Name of this exact table, to be stored with every vector: vectors of different ids must never be compared. It ends in `-words`
    /// because words go with the vectors; earlier ones had none and are made anew.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Number of components of a vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// What this table's cosines look like on texts that have nothing to do with each other.
    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    /// Unit-length vector of a text; `None` when no piece of it is known (empty text): a zero vector must never reach the index.
    ///
    /// Only the first 512 pieces count. The result is the same to the bit on every platform: sums run in one fixed order.
    pub fn embed(&self, text: &str) -> Option<Vec<f32>> {
        self.sum(&self.pieces.encode(text, MOST_PIECES))
    }

    /// The vector of a text and its words, which are its pieces.
    pub fn embed_with_words(&self, text: &str) -> Option<Embedded> {
        let pieces = self.pieces.encode(text, MOST_PIECES);
        Some(Embedded {
            vector: self.sum(&pieces)?,
            words: Some(Words::Pieces(Pieces::new(&self.rows, &pieces))),
        })
    }

    fn sum(&self, pieces: &[u32]) -> Option<Vec<f32>> {
        let mut vector = vec![0f32; self.dimensions];
        let (low, high) = vector.split_at_mut(self.dimensions / 2);
        for &piece in pieces {
            let scale = self.rows.scales[piece as usize];
            let row = self.rows.row(piece as usize);
            for ((low, high), &byte) in low.iter_mut().zip(high.iter_mut()).zip(row) {
                let [a, b] = halves(byte);
                *low += scale * f32::from(a);
                *high += scale * f32::from(b);
            }
        }
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        // Unknown pieces add nothing, and rows can cancel each other out. Scales are finite and few enough that nothing overflows.
        if length == 0.0 {
            return None;
        }
        vector.iter_mut().for_each(|x| *x /= length);
        Some(vector)
    }
}

fn length_error(expected: u64, bytes: &[u8]) -> TableError {
    TableError::Length {
        expected,
        found: bytes.len() as u64,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// A scale from its IEEE 754 half-precision bits; `None` for negative, infinite and undefined ones.
fn scale_of(bits: u16) -> Option<f32> {
    let (exponent, fraction) = (u32::from(bits >> 10), u32::from(bits & 0x3ff));
    match exponent {
        // The sign bit is part of the shifted value: negative numbers begin at 32.
        0 => Some(fraction as f32 / 16_777_216.0),
        1..=30 => Some(f32::from_bits((exponent + 112) << 23 | fraction << 13)),
        _ => None,
    }
}
