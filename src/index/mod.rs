//! The vector index: finds the stored vectors nearest to a query by cosine.
//!
//! Vectors are kept as 16-bit components with a 1-bit code beside them (`arena`); a search scans (`scan`) or, if asked for
//! and sealed, walks a graph (`hnsw`). Adding and removing take microseconds and show in the next search. `format` turns
//! an index into bytes and back. Nothing here knows the web; the same code runs natively.
//!
//! ```
//! use onhand::index::{IndexConfig, VectorIndex};
//!
//! let mut index = VectorIndex::new(IndexConfig::new(16));
//! let east: Vec<f32> = (0..16).map(|i| if i == 0 { 1.0 } else { 0.0 }).collect();
//! let north: Vec<f32> = (0..16).map(|i| if i == 1 { 2.0 } else { 0.0 }).collect();
//! index.add(7, &east)?;
//! index.add(8, &north)?;
//! let hits = index.search(&east, 1, |_| true)?;
//! assert_eq!((hits[0].id, hits[0].score), (7, 1.0));
//! # Ok::<(), onhand::index::IndexError>(())
//! ```
//!
//! Scores are cosines of vectors rounded to 16 bits: within 0.0001 of the exact ones, the order of closer ones may differ.

use std::fmt;
use std::ops::RangeInclusive;

use self::arena::{Arena, to_row};
use self::bitmap::Bitmap;
use self::hnsw::{EF_SEARCH, Sealed};
use self::kernel::LANE;
use self::scan::Query;
use self::top::{Top, score_of};

pub use self::format::LoadError;

mod arena;
mod bitmap;
mod format;
mod hnsw;
mod kernel;
mod scan;
#[cfg(test)]
pub(crate) mod tests;
mod top;

/// Components that a vector may have. Below, an index is pointless; above, scores of 1-bit codes would overflow 16 bits.
pub const DIMENSIONS: RangeInclusive<usize> = 16..=4096;

/// How an index is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexConfig {
    /// Components of every vector, 16 to 4,096 ([`DIMENSIONS`]).
    pub dimensions: usize,
    pub mode: Mode,
}

impl IndexConfig {
    /// An index that scans: the right one up to some 100,000 vectors.
    pub fn new(dimensions: usize) -> IndexConfig {
        IndexConfig {
            dimensions,
            mode: Mode::Scan,
        }
    }
}

/// How an index searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Looks at every allowed row. Nothing to build.
    #[default]
    Scan = 0,
    /// Walks a graph over the rows that [`VectorIndex::seal`] found and scans the newer ones. Building takes seconds per
    /// 10,000 vectors; it may pay above some 200,000.
    Hnsw = 1,
}

/// Why a vector was refused; the index is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexError {
    WrongDimensions {
        expected: usize,
        found: usize,
    },
    /// NaN, infinite or without length.
    NotADirection,
    DuplicateId(u32),
    /// The index was set up for vectors outside [`DIMENSIONS`].
    UnsupportedDimensions(usize),
    /// The index holds as many rows as it can number; compact it.
    Full,
}

impl IndexError {
    /// A stable name, the same in Rust, in the package and in the documents.
    pub fn code(&self) -> &'static str {
        match self {
            IndexError::WrongDimensions { .. } => "wrong_dimensions",
            IndexError::NotADirection => "not_a_direction",
            IndexError::DuplicateId(_) => "duplicate_id",
            IndexError::UnsupportedDimensions(_) => "unsupported_dimensions",
            IndexError::Full => "full",
        }
    }
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndexError::WrongDimensions { expected, found } => write!(
                f,
                "The vector has {found} components, the index {expected}. Use the model that the index was made with."
            ),
            IndexError::NotADirection => write!(
                f,
                "The vector is zero or holds NaN or infinity, so it has no direction."
            ),
            IndexError::DuplicateId(id) => {
                write!(f, "The id {id} is in use. Remove it first to replace it.")
            }
            IndexError::UnsupportedDimensions(found) => write!(
                f,
                "An index of {found} dimensions is not possible: use {} to {}.",
                DIMENSIONS.start(),
                DIMENSIONS.end()
            ),
            IndexError::Full => write!(f, "The index is full. Compact it or start another."),
        }
    }
}

impl std::error::Error for IndexError {}

/// A found vector: its id and the cosine with the query, from -1 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub id: u32,
    pub score: f32,
}

/// What an index holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexStats {
    /// Vectors that can be found.
    pub n_vectors: usize,
    /// Wiped rows that wait for [`VectorIndex::compact`].
    pub n_gaps: usize,
    /// Vectors that the graph covers; the others are scanned.
    pub n_sealed: usize,
    /// Gaps among the rows of the graph. From some 30 % gaps and newer vectors on, sealing again pays.
    pub n_sealed_gaps: usize,
    /// The index was loaded from bytes whose graph was missing or damaged: it scans until it is sealed again.
    pub has_lost_graph: bool,
    /// Memory for vectors, codes and ids, in bytes; without the graph.
    pub bytes: usize,
}

pub struct VectorIndex {
    mode: Mode,
    arena: Arena,
    /// Only in [`Mode::Hnsw`].
    sealed: Option<Sealed>,
    has_lost_graph: bool,
}

impl VectorIndex {
    /// An empty index. One of unsupported dimensions refuses every vector by [`IndexError::UnsupportedDimensions`];
    /// [`VectorIndex::try_new`] says so at once.
    pub fn new(config: IndexConfig) -> VectorIndex {
        VectorIndex {
            mode: config.mode,
            arena: Arena::new(config.dimensions),
            sealed: None,
            has_lost_graph: false,
        }
    }

    pub fn try_new(config: IndexConfig) -> Result<VectorIndex, IndexError> {
        if !DIMENSIONS.contains(&config.dimensions) {
            return Err(IndexError::UnsupportedDimensions(config.dimensions));
        }
        Ok(VectorIndex::new(config))
    }

    /// The vector need not have unit length. An id that was removed can be added again.
    pub fn add(&mut self, id: u32, vector: &[f32]) -> Result<(), IndexError> {
        let unit = self.unit(vector)?;
        if self.arena.row_of(id).is_some() {
            return Err(IndexError::DuplicateId(id));
        }
        // The last number stands for the query in a graph and for "no link".
        if self.arena.rows() >= u32::MAX as usize {
            return Err(IndexError::Full);
        }
        self.arena.push(id, &to_row(&unit));
        Ok(())
    }

    /// Whether the id was there. Its vector is wiped at once, not only marked.
    pub fn remove(&mut self, id: u32) -> bool {
        let Some(row) = self.arena.row_of(id) else {
            return false;
        };
        match &self.sealed {
            Some(sealed) => sealed.wipe(&mut self.arena, row),
            None => self.arena.wipe(row),
        }
        true
    }

    pub fn len(&self) -> usize {
        self.arena.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn contains(&self, id: u32) -> bool {
        self.arena.row_of(id).is_some()
    }

    pub fn config(&self) -> IndexConfig {
        IndexConfig {
            dimensions: self.arena.dimensions(),
            mode: self.mode,
        }
    }

    pub fn stats(&self) -> IndexStats {
        let sealed_rows = self.sealed.as_ref().map_or(0, Sealed::rows);
        let n_sealed = self.arena.live().count_below(sealed_rows);
        IndexStats {
            n_vectors: self.arena.len(),
            n_gaps: self.arena.rows() - self.arena.len(),
            n_sealed,
            n_sealed_gaps: sealed_rows as usize - n_sealed,
            has_lost_graph: self.has_lost_graph,
            bytes: self.arena.bytes(),
        }
    }

    /// The `k` best of the ids that `allow` lets through, best first; equal scores by ascending id.
    ///
    /// `allow` is asked once for each id in the index; [`VectorIndex::search_all`] and [`VectorIndex::search_among`] spare
    /// that. Above some 8,000 allowed vectors a true result is missed now and then (recall@10 ≥ .995).
    pub fn search(
        &self,
        query: &[f32],
        k: usize,
        allow: impl Fn(u32) -> bool,
    ) -> Result<Vec<Hit>, IndexError> {
        let query = self.query(query)?;
        Ok(self.nearest(&query, k, &self.allowed(allow)))
    }

    /// [`VectorIndex::search`] that misses nothing, in time proportional to the number of allowed vectors.
    pub fn search_exact(
        &self,
        query: &[f32],
        k: usize,
        allow: impl Fn(u32) -> bool,
    ) -> Result<Vec<Hit>, IndexError> {
        let query = self.query(query)?;
        let allowed = self.allowed(allow);
        Ok(hits_of(k, allowed.count(), |top| {
            scan::exact(&self.arena, &query, allowed.iter(), top)
        }))
    }

    /// [`VectorIndex::search`] without a filter.
    pub fn search_all(&self, query: &[f32], k: usize) -> Result<Vec<Hit>, IndexError> {
        let query = self.query(query)?;
        Ok(self.nearest(&query, k, self.arena.live()))
    }

    /// [`VectorIndex::search`] among the ids listed; unknown ones are passed over.
    pub fn search_among(
        &self,
        query: &[f32],
        k: usize,
        ids: &[u32],
    ) -> Result<Vec<Hit>, IndexError> {
        let query = self.query(query)?;
        let mut allowed = Bitmap::with_rows(self.arena.rows());
        for row in ids.iter().filter_map(|&id| self.arena.row_of(id)) {
            allowed.insert(row);
        }
        Ok(self.nearest(&query, k, &allowed))
    }

    /// Builds the graph over all vectors of now, in place of a former one; returns how many it covers. In [`Mode::Scan`]
    /// there is no graph: it only compacts and returns 0.
    pub fn seal(&mut self) -> usize {
        self.sealed = None;
        self.has_lost_graph = false;
        self.arena.compact();
        if self.mode == Mode::Scan || self.arena.len() == 0 {
            return 0;
        }
        self.sealed = Some(Sealed::build(&self.arena));
        self.arena.len()
    }

    /// Gives back the room of removed vectors; ids stay. A graph with gaps goes with them: [`VectorIndex::seal`] instead
    /// compacts and builds a new one.
    pub fn compact(&mut self) {
        if self.stats().n_sealed_gaps > 0 {
            self.sealed = None;
        }
        self.arena.compact();
    }

    /// The index as bytes, without what was removed: `docs/format-index.md`.
    pub fn save(&self) -> Vec<u8> {
        format::to_bytes(self)
    }

    /// What [`VectorIndex::save`] wrote. A missing or damaged graph is no error while the rows are intact: the index then
    /// scans and says so in [`VectorIndex::stats`].
    pub fn load(bytes: &[u8]) -> Result<VectorIndex, LoadError> {
        format::from_bytes(bytes)
    }

    /// `allowed` holds live rows only.
    fn nearest(&self, query: &Query, k: usize, allowed: &Bitmap) -> Vec<Hit> {
        let scan = |rows: &Bitmap, top: &mut Top| scan::scan(&self.arena, query, rows, k, top);
        let n_allowed = allowed.count();
        let Some(sealed) = self.sealed.as_ref().filter(|_| k > 0 && k <= EF_SEARCH) else {
            return hits_of(k, n_allowed, |top| scan(allowed, top));
        };
        // Through a narrow filter a walk sees too few allowed rows, and a scan is faster the narrower it is: recall was .70
        // for one row in 100 allowed, .98 for one in 10.
        let n_sealed_allowed = allowed.count_below(sealed.rows());
        if n_sealed_allowed < sealed.rows() as usize / 10 {
            return hits_of(k, n_allowed, |top| scan(allowed, top));
        }
        let top = sealed.search(&self.arena, query, allowed, Top::new(k));
        // Rows that no link leads to, or behind too many gaps.
        if top.len() < k.min(n_sealed_allowed) {
            return hits_of(k, n_allowed, |top| scan(allowed, top));
        }
        let mut top = top;
        if n_allowed > n_sealed_allowed {
            scan(&allowed.starting_at(sealed.rows()), &mut top);
        }
        hits(top)
    }

    fn allowed(&self, allow: impl Fn(u32) -> bool) -> Bitmap {
        let mut allowed = Bitmap::with_rows(self.arena.rows());
        for row in self.arena.live().iter() {
            if allow(self.arena.id(row)) {
                allowed.insert(row);
            }
        }
        allowed
    }

    fn query(&self, vector: &[f32]) -> Result<Query, IndexError> {
        let mut unit = self.unit(vector)?;
        let row = to_row(&unit);
        unit.resize(unit.len().next_multiple_of(LANE), 0.0);
        Ok(Query { unit, row })
    }

    /// The vector at unit length. In f64, where the square of no f32 overflows or vanishes.
    fn unit(&self, vector: &[f32]) -> Result<Vec<f32>, IndexError> {
        let expected = self.arena.dimensions();
        if !DIMENSIONS.contains(&expected) {
            return Err(IndexError::UnsupportedDimensions(expected));
        }
        if vector.len() != expected {
            return Err(IndexError::WrongDimensions {
                expected,
                found: vector.len(),
            });
        }
        let squared: f64 = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        let length = squared.sqrt();
        if !length.is_finite() || length == 0.0 {
            return Err(IndexError::NotADirection);
        }
        let unit = vector.iter().map(|&x| (f64::from(x) / length) as f32);
        Ok(unit.collect())
    }
}

/// The best `k` of what `offer` pushes, out of `n_allowed` candidates.
fn hits_of(k: usize, n_allowed: usize, offer: impl FnOnce(&mut Top)) -> Vec<Hit> {
    let k = k.min(n_allowed);
    if k == 0 {
        return Vec::new();
    }
    let mut top = Top::new(k);
    offer(&mut top);
    hits(top)
}

fn hits(top: Top) -> Vec<Hit> {
    let to_hit = |(id, score)| Hit {
        id,
        score: score_of(score),
    };
    top.into_sorted().into_iter().map(to_hit).collect()
}
