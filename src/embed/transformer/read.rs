//! From the bytes of a file to a [`Transformer`].

use super::header::{HEADER_BYTES, Header, u32_at};
use super::matrix::Matrix;
use super::network::{Layer, Network, Norm};
use super::tokenizer::Tokenizer;
use super::words::Axes;
use super::{Coding, Rows, Transformer, WeightsError};

/// The longest name; it is part of an id that is stored with every vector.
const LONGEST_NAME: usize = 64;

pub(super) fn transformer(mut bytes: Vec<u8>) -> Result<Transformer, WeightsError> {
    let header = Header::read(&bytes)?;
    let mut file = Reader {
        bytes: &bytes,
        at: HEADER_BYTES,
    };
    let name = file.text(header.name_bytes)?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_name) {
        return Err(WeightsError::Header("the name is not of a-z, 0-9 and -"));
    }
    let id = format!("{name}-{:08x}", header.checksum);
    let prefixes = [
        file.text(header.prefix_bytes[0])?,
        file.text(header.prefix_bytes[1])?,
    ];
    let shape = header.shape;
    let tokenizer = Tokenizer::read(
        header.tokenizer,
        file.take(header.tokenizer_bytes),
        shape.pieces,
    )?;
    let prefixes = prefixes.map(|prefix| tokenizer.encode(prefix, shape.positions));
    // Two marks, and at least one piece of the text itself.
    if prefixes
        .iter()
        .any(|prefix| prefix.len() + 3 > shape.positions)
    {
        return Err(WeightsError::Header("a prefix leaves no room for a text"));
    }

    let (hidden, inner) = (shape.hidden, shape.inner);
    let positions = file.numbers(shape.positions * hidden);
    let norm = file.norm(hidden, header.epsilon);
    let mut layers: Vec<Layer> = (0..shape.layers)
        .map(|_| Layer {
            attend: file.matrix(3 * hidden, hidden),
            gather: file.matrix(hidden, hidden),
            attention_norm: file.norm(hidden, header.epsilon),
            widen: file.matrix(inner, hidden),
            narrow: file.matrix(hidden, inner),
            norm: file.norm(hidden, header.epsilon),
        })
        .collect();

    let coding = header.rows;
    let scales_at = file.at;
    let at = scales_at + shape.pieces * coding.scale_bytes() as usize;
    file.at = at + shape.pieces * coding.row_bytes(hidden as u64) as usize;
    let rows = Rows {
        coding,
        scales_at,
        at,
    };

    let matrices_at = file.at;
    let matrices = layers.iter_mut().flat_map(|layer| {
        [
            &mut layer.attend,
            &mut layer.gather,
            &mut layer.widen,
            &mut layer.narrow,
        ]
    });
    let unpacked = if header.matrices == Coding::Eight {
        matrices.for_each(|matrix| file.find(matrix));
        None
    } else {
        let n_weights = shape.layers * (4 * hidden * hidden + 2 * hidden * inner);
        let mut unpacked = Vec::with_capacity(n_weights);
        matrices.for_each(|matrix| file.unpack(matrix, header.matrices, &mut unpacked));
        Some(unpacked)
    };
    let axes = (header.axes > 0).then(|| Axes {
        offsets: file.numbers(header.axes),
        directions: file.numbers(header.axes * hidden),
    });
    if unpacked.is_some() {
        bytes.truncate(matrices_at);
        bytes.shrink_to_fit();
    }
    Ok(Transformer {
        id,
        calibration: header.calibration,
        tokenizer,
        marks: header.marks,
        prefixes,
        network: Network {
            shape,
            positions,
            norm,
            layers,
        },
        rows,
        axes,
        file: bytes,
        unpacked,
    })
}

/// Reads on from a place. The header has confirmed the file's length, so what it says is there.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let part = &self.bytes[self.at..self.at + length];
        self.at += length;
        part
    }

    fn text(&mut self, length: usize) -> Result<&'a str, WeightsError> {
        std::str::from_utf8(self.take(length))
            .map_err(|_| WeightsError::Header("a text is not UTF-8"))
    }

    fn numbers(&mut self, n: usize) -> Vec<f32> {
        let bytes = self.take(4 * n).chunks_exact(4);
        bytes.map(|four| f32::from_bits(u32_at(four, 0))).collect()
    }

    fn norm(&mut self, length: usize, epsilon: f32) -> Norm {
        Norm {
            weight: self.numbers(length),
            bias: self.numbers(length),
            epsilon,
        }
    }

    /// A matrix with its bias; weights and scales come later in the file.
    fn matrix(&mut self, outputs: usize, inputs: usize) -> Matrix {
        Matrix {
            inputs,
            outputs,
            at: 0,
            scales: Vec::new(),
            bias: self.numbers(outputs),
        }
    }

    /// Leaves the matrix's weights where they are.
    fn find(&mut self, matrix: &mut Matrix) {
        matrix.scales = self.numbers(matrix.outputs);
        matrix.at = self.at;
        self.at += matrix.outputs * matrix.inputs;
    }

    /// Appends the matrix's weights as bytes.
    fn unpack(&mut self, matrix: &mut Matrix, coding: Coding, to: &mut Vec<u8>) {
        let scales = match coding.scale_bytes() {
            0 => vec![1.0; matrix.outputs],
            _ => self.numbers(matrix.outputs),
        };
        matrix.at = to.len();
        let row_bytes = coding.row_bytes(matrix.inputs as u64) as usize;
        let mut numbers = vec![0.0; matrix.inputs];
        matrix.scales = scales
            .iter()
            .map(|&scale| coding.unpack(self.take(row_bytes), scale, &mut numbers, to))
            .collect();
    }
}
