//! The first part of a weight file: what it holds, and where.

use super::coding::Coding;
use super::network::Shape;
use super::{Calibration, WeightsError};

const MAGIC: &[u8; 8] = b"ONHWTS1\n";
pub(super) const HEADER_BYTES: usize = 96;
const CHECKSUM_BYTES: usize = 4;

/// Far above any model that a page can run; they keep the sizes computed from a header within 64 bits, and what a text takes
/// within reason.
const MOST_LAYERS: u32 = 64;
const MOST_HIDDEN: u32 = 4096;
const MOST_INNER: u32 = 16_384;
const MOST_POSITIONS: u32 = 8192;
/// Bytes of a word are counted in one byte, two axes each.
const MOST_AXES: u32 = 256;
/// The codings store weights in groups of this many.
const GROUP: u32 = 32;

/// What cuts texts into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenizerKind {
    WordPiece,
    Unigram,
}

/// The header of a file whose length and checksum fit it. Offsets and lengths are within the file.
#[derive(Clone)]
pub(super) struct Header {
    pub(super) shape: Shape,
    pub(super) tokenizer: TokenizerKind,
    /// Coding of the vocabulary's rows.
    pub(super) rows: Coding,
    /// Coding of the layers' matrices.
    pub(super) matrices: Coding,
    /// The pieces that begin and end every text.
    pub(super) marks: [u32; 2],
    pub(super) epsilon: f32,
    pub(super) calibration: Calibration,
    pub(super) name_bytes: usize,
    /// Of a query and of a passage.
    pub(super) prefix_bytes: [usize; 2],
    pub(super) tokenizer_bytes: usize,
    /// Axes of words; 0 for none.
    pub(super) axes: usize,
    pub(super) checksum: u32,
}

impl Header {
    /// Checks mark, limits, length and checksum, in this order.
    pub(super) fn read(bytes: &[u8]) -> Result<Header, WeightsError> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or_else(|| {
            // Another file that happens to be short is "another file", not "cut off".
            let known = bytes.len().min(MAGIC.len());
            if bytes[..known] == MAGIC[..known] {
                length_error((HEADER_BYTES + CHECKSUM_BYTES) as u64, bytes)
            } else {
                WeightsError::Magic
            }
        })?;
        if &header[..8] != MAGIC {
            return Err(WeightsError::Magic);
        }
        let [layers, heads, hidden, inner, positions, pieces] =
            [8, 12, 16, 20, 24, 28].map(|at| u32_at(header, at));
        let check = |ok: bool, what| {
            if ok {
                Ok(())
            } else {
                Err(WeightsError::Header(what))
            }
        };
        let in_groups = |n: u32, most| n != 0 && n <= most && n.is_multiple_of(GROUP);
        check(
            (1..=MOST_LAYERS).contains(&layers),
            "the number of layers is not 1 to 64",
        )?;
        check(
            in_groups(hidden, MOST_HIDDEN) && in_groups(inner, MOST_INNER),
            "a width is not a multiple of 32 within the limits",
        )?;
        check(
            heads != 0 && hidden.is_multiple_of(heads) && (hidden / heads).is_multiple_of(4),
            "the heads do not share the width in multiples of 4",
        )?;
        check(
            (4..=MOST_POSITIONS).contains(&positions),
            "the number of positions is not 4 to 8192",
        )?;
        let tokenizer = match u32_at(header, 32) {
            1 => TokenizerKind::WordPiece,
            2 => TokenizerKind::Unigram,
            _ => return Err(WeightsError::Header("the kind of tokenizer is unknown")),
        };
        let coding_at = |at| {
            Coding::of(u32_at(header, at))
                .ok_or(WeightsError::Header("the coding of weights is unknown"))
        };
        let (rows, matrices) = (coding_at(40)?, coding_at(44)?);
        let [tokenizer_bytes, name_bytes, query_bytes, passage_bytes] =
            [36, 68, 72, 76].map(|at| u32_at(header, at));

        let axes = u32_at(header, 80);
        check(
            axes <= MOST_AXES && axes.is_multiple_of(2),
            "the number of axes is not even and at most 256",
        )?;
        check(
            axes == 0 || tokenizer == TokenizerKind::WordPiece,
            "there are axes of words, and a tokenizer without word pieces",
        )?;

        let texts = [name_bytes, query_bytes, passage_bytes, tokenizer_bytes];
        let (wide_hidden, wide_inner) = (u64::from(hidden), u64::from(inner));
        let parameters = u64::from(positions) * wide_hidden
            + 2 * wide_hidden
            + u64::from(layers) * (9 * wide_hidden + wide_inner);
        let layer_bytes = matrices.matrix_bytes(4 * wide_hidden, wide_hidden)
            + matrices.matrix_bytes(wide_inner, wide_hidden)
            + matrices.matrix_bytes(wide_hidden, wide_inner);
        // At most 2³² rows of 2¹² + 4 bytes: no overflow in 64 bits.
        let expected = HEADER_BYTES as u64
            + texts.map(u64::from).iter().sum::<u64>()
            + 4 * parameters
            + rows.matrix_bytes(u64::from(pieces), wide_hidden)
            + u64::from(layers) * layer_bytes
            + 4 * u64::from(axes) * (1 + wide_hidden)
            + CHECKSUM_BYTES as u64;
        if expected != bytes.len() as u64 {
            return Err(length_error(expected, bytes));
        }
        let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
        let (expected, found) = (u32_at(checksum, 0), crc32fast::hash(content));
        if expected != found {
            return Err(WeightsError::Checksum { expected, found });
        }

        let marks = [48, 52].map(|at| u32_at(header, at));
        check(
            marks.iter().all(|&mark| mark < pieces),
            "a mark is not in the vocabulary",
        )?;
        let [epsilon, mean, sd] = [56, 60, 64].map(|at| f32::from_bits(u32_at(header, at)));
        // Written so that undefined numbers fail, too.
        check(
            epsilon > 0.0 && epsilon <= 1.0,
            "the norms' epsilon is not above 0 and at most 1",
        )?;
        check(
            (-1.0..=1.0).contains(&mean) && sd > 0.0 && sd <= 1.0,
            "the calibration is not a mean from -1 to 1 and a deviation above 0",
        )?;
        check(
            header[84..].iter().all(|&byte| byte == 0),
            "reserved bytes are not zero",
        )?;
        // The lengths fit the file, so each of them fits `usize`.
        let shape = Shape {
            layers: layers as usize,
            heads: heads as usize,
            hidden: hidden as usize,
            inner: inner as usize,
            positions: positions as usize,
            pieces: pieces as usize,
        };
        Ok(Header {
            shape,
            tokenizer,
            rows,
            matrices,
            marks,
            epsilon,
            calibration: Calibration { mean, sd },
            name_bytes: name_bytes as usize,
            prefix_bytes: [query_bytes as usize, passage_bytes as usize],
            tokenizer_bytes: tokenizer_bytes as usize,
            axes: axes as usize,
            checksum: found,
        })
    }
}

fn length_error(expected: u64, bytes: &[u8]) -> WeightsError {
    WeightsError::Length {
        expected,
        found: bytes.len() as u64,
    }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
