//! The head: what an index is, and the checksums of its other parts.

use super::bytes::Reader;
use super::{MAGIC, PART_ROWS, VERSION, worthy};
use crate::index::hnsw::Sealed;
use crate::index::{DIMENSIONS, LoadError, Metric, Mode, Precision, VectorIndex};

pub(super) struct Head {
    pub(super) mode: Mode,
    pub(super) metric: Metric,
    pub(super) precision: Precision,
    pub(super) dimensions: u32,
    /// Rows, gaps included.
    pub(super) n_rows: u32,
    pub(super) generation: u32,
    /// Rows, from the first, that the graph covers; 0 without a graph.
    pub(super) sealed_rows: u32,
    pub(super) graph_crc: Option<u32>,
    /// One for each part of rows.
    pub(super) rows_crc: Vec<u32>,
}

impl Head {
    pub(super) fn of(index: &VectorIndex, rows_crc: &[u32], graph_crc: Option<u32>) -> Head {
        let config = index.config();
        Head {
            mode: config.mode,
            metric: config.metric,
            precision: config.precision,
            dimensions: config.dimensions as u32,
            n_rows: index.arena.rows() as u32,
            generation: index.generation,
            sealed_rows: worthy(index).map_or(0, Sealed::rows),
            graph_crc,
            rows_crc: rows_crc.to_vec(),
        }
    }

    pub(super) fn n_parts(&self) -> usize {
        (self.n_rows as usize).div_ceil(PART_ROWS)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([
            self.mode as u8,
            self.metric as u8,
            self.precision as u8,
            0,
            0,
            0,
        ]);
        for field in [
            self.dimensions,
            self.n_rows,
            self.generation,
            self.sealed_rows,
            self.graph_crc.unwrap_or(0),
        ] {
            bytes.extend(field.to_le_bytes());
        }
        for crc in &self.rows_crc {
            bytes.extend(crc.to_le_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Head, LoadError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(LoadError::NotAnIndex);
        }
        // The version first: another one may keep its checksum elsewhere.
        let version = match bytes.get(4..6) {
            Some(&[low, high]) => u16::from_le_bytes([low, high]),
            _ => return Err(LoadError::CorruptHead),
        };
        if version != VERSION {
            return Err(LoadError::UnsupportedVersion(version));
        }
        let signed = bytes.split_last_chunk::<4>();
        match signed {
            Some((rest, crc)) if crc32fast::hash(rest) == u32::from_le_bytes(*crc) => {
                Head::of_fields(&rest[6..]).ok_or(LoadError::CorruptHead)
            }
            _ => Err(LoadError::CorruptHead),
        }
    }

    fn of_fields(bytes: &[u8]) -> Option<Head> {
        let mut reader = Reader(bytes);
        let mode = match reader.byte()? {
            0 => Mode::Scan,
            1 => Mode::Hnsw,
            2 => Mode::Auto,
            _ => return None,
        };
        let metric = reader.byte()?;
        let metric = Metric::ALL.into_iter().find(|&m| m as u8 == metric)?;
        let precision = match reader.byte()? {
            0 => Precision::Full,
            1 => Precision::Compact,
            _ => return None,
        };
        if reader.take(3)? != [0; 3] {
            return None;
        }
        let (dimensions, n_rows, generation) =
            (reader.number()?, reader.number()?, reader.number()?);
        let (sealed_rows, graph_crc) = (reader.number()?, reader.number()?);
        let rows_crc: Vec<u32> = std::iter::from_fn(|| reader.number()).collect();
        let head = Head {
            mode,
            metric,
            precision,
            dimensions,
            n_rows,
            generation,
            sealed_rows,
            graph_crc: (sealed_rows > 0).then_some(graph_crc),
            rows_crc,
        };
        let is_sound = reader.0.is_empty()
            && DIMENSIONS.contains(&(dimensions as usize))
            && head.rows_crc.len() == head.n_parts()
            && sealed_rows <= n_rows
            && (sealed_rows == 0 || mode != Mode::Scan)
            && (sealed_rows > 0 || graph_crc == 0);
        is_sound.then_some(head)
    }
}
