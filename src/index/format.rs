//! An index as bytes, whole or by the parts that changed. `docs/format-index.md` is the normative description.

use std::fmt;

use self::bytes::Reader;
use self::head::Head;
use super::arena::{Arena, PART_ROWS};
use super::hnsw::Sealed;
use super::{IndexConfig, LoadError, Measured, VectorIndex};

mod bytes;
mod head;
mod rows;

const MAGIC: [u8; 4] = *b"onvx";
const VERSION: u16 = 2;

/// A piece of a saved index, kept under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub key: String,
    /// `None`: what was kept under the key is to be deleted.
    pub bytes: Option<Vec<u8>>,
}

/// What a piece holds. Its name is its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Head,
    /// Rows `PART_ROWS * n..PART_ROWS * (n + 1)`.
    Rows(u32),
    Graph,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Head => write!(f, "head"),
            Key::Rows(n) => write!(f, "rows-{n:08}"),
            Key::Graph => write!(f, "graph"),
        }
    }
}

impl Key {
    fn of(name: &str) -> Option<Key> {
        match name {
            "head" => Some(Key::Head),
            "graph" => Some(Key::Graph),
            _ => {
                let key = Key::Rows(name.strip_prefix("rows-")?.parse().ok()?);
                (key.to_string() == name).then_some(key)
            }
        }
    }

    fn with(self, bytes: Option<Vec<u8>>) -> Part {
        Part {
            key: self.to_string(),
            bytes,
        }
    }
}

/// What [`take_changes`] gave last, so that only the rest is given.
#[derive(Default)]
pub(super) struct Saved {
    /// The head, whose checksums cover everything else; empty before.
    head: Vec<u8>,
    /// One for each part of rows.
    rows_crc: Vec<u32>,
    graph_crc: Option<u32>,
    /// The graph is the one that was given: removals do not change it.
    has_graph: bool,
}

impl Saved {
    /// There is another graph now, or none.
    pub(super) fn forget_graph(&mut self) {
        self.has_graph = false;
    }
}

pub(super) fn take_changes(index: &mut VectorIndex) -> Vec<Part> {
    tidy(index);
    let mut parts = Vec::new();
    let n_parts = index.arena.n_parts();
    for gone in n_parts..index.saved.rows_crc.len() {
        parts.push(Key::Rows(gone as u32).with(None));
    }
    index.saved.rows_crc.resize(n_parts, 0);
    for n in index.arena.take_changed() {
        let bytes = rows::write(&index.arena, n);
        index.saved.rows_crc[n as usize] = crc32fast::hash(&bytes);
        parts.push(Key::Rows(n).with(Some(bytes)));
    }
    let graph_crc = match worthy(index) {
        Some(_) if index.saved.has_graph => index.saved.graph_crc,
        Some(sealed) => {
            let graph = sealed.to_bytes();
            let crc = crc32fast::hash(&graph);
            parts.push(Key::Graph.with(Some(graph)));
            Some(crc)
        }
        None => None,
    };
    if graph_crc.is_none() && index.saved.graph_crc.is_some() {
        parts.push(Key::Graph.with(None));
    }
    index.saved.graph_crc = graph_crc;
    index.saved.has_graph = graph_crc.is_some();
    let head = Head::of(index, &index.saved.rows_crc, graph_crc).write();
    if head != index.saved.head {
        parts.push(Key::Head.with(Some(head.clone())));
        index.saved.head = head;
    }
    parts
}

pub(super) fn to_bytes(index: &mut VectorIndex) -> Vec<u8> {
    tidy(index);
    let rows: Vec<Vec<u8>> = (0..index.arena.n_parts())
        .map(|n| rows::write(&index.arena, n as u32))
        .collect();
    let rows_crc: Vec<u32> = rows.iter().map(|part| crc32fast::hash(part)).collect();
    let graph = worthy(index).map(Sealed::to_bytes);
    let head = Head::of(index, &rows_crc, graph.as_deref().map(crc32fast::hash)).write();
    let mut bytes = Vec::new();
    for part in [head].into_iter().chain(rows).chain(graph) {
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend(part);
    }
    bytes
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<VectorIndex, LoadError> {
    let mut reader = Reader(bytes);
    let wrong_length = |missing: usize| LoadError::WrongLength {
        expected: bytes.len() as u64 + missing as u64,
        found: bytes.len() as u64,
    };
    // Before any length is believed.
    if bytes.len() >= 8 && bytes[4..8] != MAGIC {
        return Err(LoadError::NotAnIndex);
    }
    let mut next = || {
        let length = reader.number().ok_or_else(|| wrong_length(4))? as usize;
        let missing = length.saturating_sub(reader.0.len());
        reader.take(length).ok_or_else(|| wrong_length(missing))
    };
    let head = Head::read(next()?)?;
    let mut rows = Vec::new();
    for _ in 0..head.n_parts() {
        rows.push(next()?);
    }
    // A cut within the graph still leaves all rows.
    let graph = next().ok();
    let n_left = reader.0.len();
    if n_left > 0 && (head.graph_crc.is_none() || graph.is_some()) {
        return Err(LoadError::WrongLength {
            expected: (bytes.len() - n_left) as u64,
            found: bytes.len() as u64,
        });
    }
    assemble(&head, &rows, graph)
}

pub(super) fn from_parts(parts: &[Part]) -> Result<VectorIndex, LoadError> {
    let bytes_of = |key: Key| {
        let name = key.to_string();
        let mut named = parts.iter().filter(|part| part.key == name);
        named.next_back().and_then(|part| part.bytes.as_deref())
    };
    let head_bytes = bytes_of(Key::Head).ok_or(LoadError::NotAnIndex)?;
    let head = Head::read(head_bytes)?;
    // By place, not by a search for each: there may be thousands.
    let mut rows = vec![None; head.n_parts()];
    for part in parts {
        if let Some(Key::Rows(n)) = Key::of(&part.key)
            && let Some(place) = rows.get_mut(n as usize)
        {
            *place = part.bytes.as_deref();
        }
    }
    let rows: Option<Vec<&[u8]>> = rows.into_iter().collect();
    let rows = rows.ok_or(LoadError::CorruptRows)?;
    let mut index = assemble(&head, &rows, bytes_of(Key::Graph))?;
    index.saved = Saved {
        head: head_bytes.to_vec(),
        rows_crc: head.rows_crc,
        graph_crc: head.graph_crc,
        has_graph: index.sealed.is_some(),
    };
    index.arena.take_changed();
    Ok(index)
}

pub(super) fn graph_to_bytes(
    sealed: &Sealed,
    generation: u32,
    measured: Option<&Measured>,
) -> Vec<u8> {
    let graph = sealed.to_bytes();
    let mut bytes = generation.to_le_bytes().to_vec();
    bytes.extend(sealed.rows().to_le_bytes());
    bytes.extend(crc32fast::hash(&graph).to_le_bytes());
    let figures = measured.map_or([f64::NAN; 5], |m| {
        let recall = f64::from(m.recall);
        [
            recall,
            m.warm_scan_ms,
            m.warm_graph_ms,
            m.cold_scan_ms,
            m.cold_graph_ms,
        ]
    });
    bytes.extend(figures.into_iter().flat_map(f64::to_le_bytes));
    bytes.extend(graph);
    bytes
}

pub(super) fn graph_from_bytes(
    bytes: &[u8],
    arena: &mut Arena,
    generation: u32,
) -> Option<(Sealed, Option<Measured>)> {
    let mut reader = Reader(bytes);
    let (built_at, rows, crc) = (reader.number()?, reader.number()?, reader.number()?);
    let mut figure = || reader.take(8)?.try_into().ok().map(f64::from_le_bytes);
    let measured = Measured {
        recall: figure()? as f32,
        warm_scan_ms: figure()?,
        warm_graph_ms: figure()?,
        cold_scan_ms: figure()?,
        cold_graph_ms: figure()?,
    };
    let fits = built_at == generation && rows > 0 && rows as usize <= arena.rows();
    if !fits || crc32fast::hash(reader.0) != crc {
        return None;
    }
    let sealed = Sealed::from_bytes(reader.0, arena, rows)?;
    sealed.let_all_inherit(arena);
    let has_measured = !measured.recall.is_nan();
    Some((sealed, has_measured.then_some(measured)))
}

/// More gaps than rows are not worth saving: without them a file's size bounds the memory that it asks for.
fn tidy(index: &mut VectorIndex) {
    let gaps = index.arena.rows() - index.arena.len();
    if gaps > index.arena.len() + rows::FREE_GAPS {
        index.compact();
    }
}

/// The graph, unless it has more gaps than rows.
fn worthy(index: &VectorIndex) -> Option<&Sealed> {
    index.sealed.as_ref().filter(|sealed| {
        let n_live = index.arena.live().count_below(sealed.rows());
        sealed.rows() as usize - n_live <= n_live
    })
}

fn assemble(head: &Head, rows: &[&[u8]], graph: Option<&[u8]>) -> Result<VectorIndex, LoadError> {
    let mut index = VectorIndex::new(IndexConfig {
        dimensions: head.dimensions as usize,
        mode: head.mode,
        metric: head.metric,
        precision: head.precision,
    });
    for (n, (part, crc)) in rows.iter().zip(&head.rows_crc).enumerate() {
        let n_rows = (head.n_rows as usize - n * PART_ROWS).min(PART_ROWS);
        if crc32fast::hash(part) != *crc {
            return Err(LoadError::CorruptRows);
        }
        rows::read(part, n_rows, &mut index.arena).ok_or(LoadError::CorruptRows)?;
    }
    if index.arena.rows() - index.arena.len() > index.arena.len() + rows::FREE_GAPS {
        return Err(LoadError::CorruptRows);
    }
    index.generation = head.generation;
    if let Some(crc) = head.graph_crc {
        let intact = graph.filter(|graph| crc32fast::hash(graph) == crc);
        index.sealed = intact.and_then(|g| Sealed::from_bytes(g, &index.arena, head.sealed_rows));
        index.has_lost_graph = index.sealed.is_none();
    }
    Ok(index)
}
