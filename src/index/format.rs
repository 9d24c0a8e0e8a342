//! An index as bytes. `docs/format-index.md` is the normative description.

use std::fmt;

use super::arena::Arena;
use super::bitmap::Bitmap;
use super::hnsw::Sealed;
use super::kernel;
use super::{DIMENSIONS, Mode, VectorIndex};

const MAGIC: [u8; 4] = *b"onvx";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 40;

/// Why bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes do not start as an index does.
    NotAnIndex,
    /// Written by a version that this one does not know.
    UnsupportedVersion(u16),
    /// The header contradicts its checksum or itself.
    CorruptHeader,
    /// Cut off, or something follows; in bytes.
    WrongLength { expected: u64, found: u64 },
    /// The rows contradict their checksum, are not unit vectors, or name an id twice.
    CorruptRows,
}

impl LoadError {
    /// A stable name, the same in Rust, in the package and in the documents.
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::NotAnIndex => "not_an_index",
            LoadError::UnsupportedVersion(_) => "unsupported_version",
            LoadError::CorruptHeader => "corrupt_header",
            LoadError::WrongLength { .. } => "wrong_length",
            LoadError::CorruptRows => "corrupt_rows",
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::NotAnIndex => write!(f, "These bytes are not a saved index."),
            LoadError::UnsupportedVersion(version) => write!(
                f,
                "The index has format {version}, this version reads {VERSION}. Update, or build it again from its vectors."
            ),
            LoadError::CorruptHeader | LoadError::CorruptRows => write!(
                f,
                "The saved index is damaged ({}). Build it again from its vectors.",
                self.code()
            ),
            LoadError::WrongLength { expected, found } => write!(
                f,
                "The saved index has {found} bytes instead of {expected}. Build it again from its vectors."
            ),
        }
    }
}

impl std::error::Error for LoadError {}

/// The header after its magic and version.
struct Header {
    mode: Mode,
    dimensions: u32,
    live: u32,
    /// Rows covered by the graph, gaps included.
    sealed: u32,
    graph_bytes: u32,
    rows_crc: u32,
    graph_crc: u32,
}

impl Header {
    fn rows_bytes(&self) -> u64 {
        let row = 4 + 2 * u64::from(self.dimensions);
        u64::from(self.sealed).div_ceil(8) + u64::from(self.live) * row
    }

    fn write(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([self.mode as u8, 0]);
        for field in [
            self.dimensions,
            self.live,
            self.sealed,
            self.graph_bytes,
            self.rows_crc,
            self.graph_crc,
            0,
        ] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        debug_assert_eq!(bytes.len(), HEADER_BYTES);
        bytes
    }

    /// The header, and what follows it.
    fn read(bytes: &[u8]) -> Result<(Header, &[u8]), LoadError> {
        let Some((&magic, _)) = bytes.split_first_chunk::<4>() else {
            return Err(LoadError::NotAnIndex);
        };
        if magic != MAGIC {
            return Err(LoadError::NotAnIndex);
        }
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(LoadError::WrongLength {
                expected: HEADER_BYTES as u64,
                found: bytes.len() as u64,
            });
        };
        // The version first: another one may keep its checksum elsewhere.
        let version = u16::from_le_bytes([header[4], header[5]]);
        if version != VERSION {
            return Err(LoadError::UnsupportedVersion(version));
        }
        let field = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let mode = match header[6] {
            0 => Mode::Scan,
            1 => Mode::Hnsw,
            _ => return Err(LoadError::CorruptHeader),
        };
        let read = Header {
            mode,
            dimensions: field(8),
            live: field(12),
            sealed: field(16),
            graph_bytes: field(20),
            rows_crc: field(24),
            graph_crc: field(28),
        };
        let is_sound = field(36) == crc32fast::hash(&header[..36])
            && header[7] == 0
            && field(32) == 0
            && DIMENSIONS.contains(&(read.dimensions as usize))
            && (read.sealed > 0 || read.graph_bytes == 0);
        if is_sound {
            Ok((read, rest))
        } else {
            Err(LoadError::CorruptHeader)
        }
    }
}

pub(super) fn to_bytes(index: &VectorIndex) -> Vec<u8> {
    let arena = &index.arena;
    // A graph with more gaps than rows is not worth its bytes; without it no gap need be written.
    let sealed = index.sealed.as_ref().filter(|sealed| {
        let gaps = sealed.rows() as usize - arena.live().count_below(sealed.rows());
        gaps <= arena.len() / 2
    });
    let n_sealed = sealed.map_or(0, Sealed::rows);
    let graph = sealed.map(Sealed::to_bytes).unwrap_or_default();
    // A graph beyond 4 GB belongs to more rows than wasm can hold.
    let (graph, n_sealed) = match u32::try_from(graph.len()) {
        Ok(_) => (graph, n_sealed),
        Err(_) => (Vec::new(), 0),
    };
    let mut header = Header {
        mode: index.mode,
        dimensions: arena.dimensions() as u32,
        live: arena.len() as u32,
        sealed: n_sealed,
        graph_bytes: graph.len() as u32,
        rows_crc: 0,
        graph_crc: crc32fast::hash(&graph),
    };
    let rows_bytes = header.rows_bytes() as usize;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + rows_bytes + graph.len());
    bytes.resize(HEADER_BYTES, 0);
    for eight in 0..n_sealed.div_ceil(8) {
        let bits = arena.live().block(eight as usize / 2) >> (8 * (eight % 2));
        let rows = (n_sealed - 8 * eight).min(8);
        bytes.push(bits as u8 & (0xff >> (8 - rows)));
    }
    for row in arena.live().iter() {
        bytes.extend(arena.id(row).to_le_bytes());
    }
    for row in arena.live().iter() {
        for component in &arena.vector(row)[..arena.dimensions()] {
            bytes.extend(component.to_le_bytes());
        }
    }
    debug_assert_eq!(bytes.len(), HEADER_BYTES + rows_bytes);
    header.rows_crc = crc32fast::hash(&bytes[HEADER_BYTES..]);
    bytes[..HEADER_BYTES].copy_from_slice(&header.write());
    bytes.extend(graph);
    bytes
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<VectorIndex, LoadError> {
    let (header, body) = Header::read(bytes)?;
    let found = body.len() as u64;
    let expected = header.rows_bytes() + u64::from(header.graph_bytes);
    // A cut within the graph still leaves all rows.
    if found < header.rows_bytes() || found > expected {
        return Err(LoadError::WrongLength {
            expected: HEADER_BYTES as u64 + expected,
            found: bytes.len() as u64,
        });
    }
    let (rows, graph) = body.split_at(header.rows_bytes() as usize);
    if crc32fast::hash(rows) != header.rows_crc {
        return Err(LoadError::CorruptRows);
    }
    let mut arena = read_rows(&header, rows)?;
    let mut sealed = None;
    if header.sealed > 0 && crc32fast::hash(graph) == header.graph_crc {
        sealed = Sealed::from_bytes(graph, &arena, header.sealed);
    }
    if sealed.is_none() {
        arena.compact();
    }
    Ok(VectorIndex {
        mode: header.mode,
        has_lost_graph: header.sealed > 0 && sealed.is_none(),
        arena,
        sealed,
    })
}

fn read_rows(header: &Header, bytes: &[u8]) -> Result<Arena, LoadError> {
    let (live_bits, rows) = bytes.split_at((header.sealed as usize).div_ceil(8));
    let (ids, components) = rows.split_at(header.live as usize * 4);
    let mut vectors = components.chunks_exact(header.dimensions as usize * 2);
    let mut ids = ids.as_chunks().0.iter().map(|&id| u32::from_le_bytes(id));
    let mut sealed_live = Bitmap::with_rows(header.sealed as usize);
    for row in 0..header.sealed {
        if live_bits[row as usize / 8] >> (row % 8) & 1 == 1 {
            sealed_live.insert(row);
        }
    }
    let n_sealed_live = sealed_live.count() as u32;
    // Gaps take memory without taking bytes, so there are never more of them than rows.
    if n_sealed_live > header.live || header.sealed - n_sealed_live > header.live {
        return Err(LoadError::CorruptRows);
    }
    let n_rows = header.sealed + (header.live - n_sealed_live);
    let mut arena = Arena::new(header.dimensions as usize);
    let mut unit = vec![0i16; arena.stride()];
    for row in 0..n_rows {
        if row < header.sealed && !sealed_live.contains(row) {
            arena.push_gap();
            continue;
        }
        let (Some(id), Some(vector)) = (ids.next(), vectors.next()) else {
            return Err(LoadError::CorruptRows);
        };
        let mut squared_length = 0i64;
        for (to, &from) in unit.iter_mut().zip(vector.as_chunks().0) {
            *to = i16::from_le_bytes(from);
            squared_length += i64::from(*to) * i64::from(*to);
        }
        if !kernel::SQUARED_LENGTH.contains(&squared_length) || arena.row_of(id).is_some() {
            return Err(LoadError::CorruptRows);
        }
        arena.push(id, &unit);
    }
    Ok(arena)
}
