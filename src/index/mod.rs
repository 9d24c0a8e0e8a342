//! The vector index: finds the stored vectors nearest to a query.
//!
//! Vectors are kept as components of 16 or 8 bits with a 1-bit code beside them (`arena`, `row`); a search scans (`scan`) or,
//! if a graph was sealed, walks it (`hnsw`). Adding and removing take microseconds and show in the next search. `format` turns
//! an index into bytes and back, whole or by the parts that changed. Nothing here knows the web; the same code runs natively.
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
//! Scores are those of vectors rounded to 16 bits, cosines within some 0.00001 of the exact ones: the order of closer ones may differ.

use std::ops::{ControlFlow, RangeInclusive};

use self::arena::Arena;
use self::bitmap::Bitmap;
use self::hnsw::{EF_SEARCH, Sealed};
use self::query::Query;
use self::row::Components;
use self::top::{Top, score_of};

pub use self::choice::{Choice, MIN_RECALL, Measured, Reason};
pub use self::error::{IndexError, LoadError};
pub use self::format::Part;
pub use self::hnsw::SealProgress;
pub use self::metric::Metric;

mod arena;
mod bitmap;
mod choice;
mod error;
mod format;
mod hnsw;
// Rows go from one index into another in the engine only.
#[cfg(feature = "engine")]
mod kept;
mod kernel;
mod labels;
mod metric;
mod positives;
mod query;
mod row;
mod scan;
#[cfg(test)]
pub(crate) mod tests;
mod top;

/// Components that a vector may have. Below, an index is pointless; above, sums of table entries would overflow 16 bits.
pub const DIMENSIONS: RangeInclusive<usize> = 16..=4096;

/// How an index is set up; for good, but for its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexConfig {
    /// Components of every vector, 16 to 4,096 ([`DIMENSIONS`]).
    pub dimensions: usize,
    pub mode: Mode,
    pub metric: Metric,
    pub precision: Precision,
}

impl IndexConfig {
    /// An index of cosines in 16 bits that scans: the right one up to some 100,000 vectors.
    pub fn new(dimensions: usize) -> IndexConfig {
        IndexConfig {
            dimensions,
            mode: Mode::Scan,
            metric: Metric::Cosine,
            precision: Precision::Full,
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
    /// Scans until [`VectorIndex::choose`] found that a sealed graph is as good and faster on this device and this data.
    Auto = 2,
}

/// How exactly vectors are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// 16 bits a component: the order of exact scores.
    #[default]
    Full = 0,
    /// 8 bits a component: half the memory; about 1 of 100 results differs.
    Compact = 1,
}

/// A found vector, and how near it is: [`Metric`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub id: u32,
    pub score: f32,
}

/// What to find.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// At most so many hits.
    pub k: usize,
    /// Only these ids; unknown ones are passed over.
    pub among: Option<&'a [u32]>,
    /// Only vectors that bear at least one label of each list.
    pub labels: &'a [Vec<u32>],
    /// Misses nothing, in time proportional to the number of vectors that are let through.
    pub exact: bool,
}

impl Search<'_> {
    /// The `k` nearest of all.
    pub fn new(k: usize) -> Self {
        Search {
            k,
            among: None,
            labels: &[],
            exact: false,
        }
    }
}

/// What an index holds.
#[derive(Clone, Debug, PartialEq)]
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
    /// What [`VectorIndex::choose`] found last; `None` before.
    pub choice: Option<Choice>,
    /// Memory for vectors, codes, ids and labels, in bytes; without the graph.
    pub bytes: usize,
}

pub struct VectorIndex {
    mode: Mode,
    arena: Arena,
    /// Never in [`Mode::Scan`].
    sealed: Option<Sealed>,
    has_lost_graph: bool,
    choice: Option<Choice>,
    /// Counts the compactions that gave rows new numbers: a graph built elsewhere fits those of its own time only.
    generation: u32,
    saved: format::Saved,
}

impl VectorIndex {
    /// An empty index. One of unsupported dimensions refuses every vector by [`IndexError::UnsupportedDimensions`];
    /// [`VectorIndex::try_new`] says so at once.
    pub fn new(config: IndexConfig) -> VectorIndex {
        VectorIndex {
            mode: config.mode,
            arena: Arena::new(&config),
            sealed: None,
            has_lost_graph: false,
            choice: None,
            generation: 0,
            saved: format::Saved::default(),
        }
    }

    pub fn try_new(config: IndexConfig) -> Result<VectorIndex, IndexError> {
        if !DIMENSIONS.contains(&config.dimensions) {
            return Err(IndexError::UnsupportedDimensions(config.dimensions));
        }
        Ok(VectorIndex::new(config))
    }

    /// For cosines the vector need not have unit length. An id that was removed can be added again.
    pub fn add(&mut self, id: u32, vector: &[f32]) -> Result<(), IndexError> {
        self.add_labelled(id, vector, &[])
    }

    /// [`VectorIndex::add`] with labels for [`Search::labels`].
    pub fn add_labelled(
        &mut self,
        id: u32,
        vector: &[f32],
        labels: &[u32],
    ) -> Result<(), IndexError> {
        let (unit, length) = self.direction(vector)?;
        if self.arena.row_of(id).is_some() {
            return Err(IndexError::DuplicateId(id));
        }
        // The last number stands for the query in a graph and for "no link".
        if self.arena.rows() >= u32::MAX as usize {
            return Err(IndexError::Full);
        }
        let components = Components::encode(&unit, self.arena.config().precision);
        let row = self.arena.push(id, &components, length);
        for &label in labels {
            self.arena.labels_mut().insert(label, row);
        }
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
            mode: self.mode,
            ..self.arena.config().clone()
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
            choice: self.choice.clone(),
            bytes: self.arena.bytes(),
        }
    }

    /// The nearest of what is asked for, best first; equal scores by ascending id.
    ///
    /// Unless `exact`, above some 4,000 allowed vectors a true result is missed now and then (recall@10 ≥ .995).
    pub fn find(&self, query: &[f32], search: &Search) -> Result<Vec<Hit>, IndexError> {
        let query = self.query(query)?;
        if search.among.is_none() && search.labels.is_empty() {
            return Ok(self.nearest(&query, search.k, self.arena.live(), search.exact));
        }
        let mut allowed = match search.among {
            Some(ids) => self.rows_of(ids),
            None => self.arena.live().clone(),
        };
        self.arena.labels().narrow(&mut allowed, search.labels);
        Ok(self.nearest(&query, search.k, &allowed, search.exact))
    }

    /// The `k` best of the ids that `allow` lets through, best first; equal scores by ascending id.
    ///
    /// `allow` is asked once for each id in the index; [`VectorIndex::find`] spares that.
    pub fn search(
        &self,
        query: &[f32],
        k: usize,
        allow: impl Fn(u32) -> bool,
    ) -> Result<Vec<Hit>, IndexError> {
        let query = self.query(query)?;
        Ok(self.nearest(&query, k, &self.allowed(allow), false))
    }

    /// [`VectorIndex::search`] that misses nothing, in time proportional to the number of allowed vectors.
    pub fn search_exact(
        &self,
        query: &[f32],
        k: usize,
        allow: impl Fn(u32) -> bool,
    ) -> Result<Vec<Hit>, IndexError> {
        let query = self.query(query)?;
        Ok(self.nearest(&query, k, &self.allowed(allow), true))
    }

    /// [`VectorIndex::search`] without a filter.
    pub fn search_all(&self, query: &[f32], k: usize) -> Result<Vec<Hit>, IndexError> {
        self.find(query, &Search::new(k))
    }

    /// [`VectorIndex::search`] among the ids listed; unknown ones are passed over.
    pub fn search_among(
        &self,
        query: &[f32],
        k: usize,
        ids: &[u32],
    ) -> Result<Vec<Hit>, IndexError> {
        let among = Some(ids);
        self.find(
            query,
            &Search {
                among,
                ..Search::new(k)
            },
        )
    }

    /// The scores of single vectors, for whoever knows which ones: what [`VectorIndex::search_among`] would rank, where the order is of no
    /// interest.
    ///
    /// # Errors
    /// As [`VectorIndex::search`].
    pub fn compare(&self, query: &[f32]) -> Result<Comparison<'_>, IndexError> {
        Ok(Comparison {
            arena: &self.arena,
            query: self.query(query)?,
        })
    }

    /// Builds the graph over all vectors of now, in place of a former one; returns how many it covers. In [`Mode::Scan`]
    /// there is no graph: it only compacts and returns 0.
    ///
    /// It takes about a second per 2,000 vectors. To build elsewhere meanwhile: [`VectorIndex::adopt_graph`].
    pub fn seal(&mut self) -> usize {
        self.seal_with(&mut |_| ControlFlow::Continue(()))
            .unwrap_or(0)
    }

    /// [`VectorIndex::seal`] that tells how far it is. `progress` can break it off: then the index is compacted, has no graph
    /// and `None` is returned. In wasm, which can not unwind, a break has no effect: whoever builds there in a worker ends it.
    pub fn seal_with(
        &mut self,
        progress: &mut (dyn FnMut(SealProgress) -> ControlFlow<()> + Send),
    ) -> Option<usize> {
        self.drop_graph();
        self.has_lost_graph = false;
        self.compact();
        if self.mode == Mode::Scan || self.arena.len() == 0 {
            return Some(0);
        }
        self.sealed = Some(Sealed::build(&self.arena, progress)?);
        Some(self.arena.len())
    }

    /// The graph as bytes for [`VectorIndex::adopt_graph`], with what [`VectorIndex::choose`] measured; `None` without one.
    ///
    /// To build in the background, [`VectorIndex::compact`] and [`VectorIndex::save`] here; then there
    /// [`VectorIndex::load`], [`VectorIndex::seal`], [`VectorIndex::choose`] and this.
    pub fn graph(&self) -> Option<Vec<u8>> {
        let sealed = self.sealed.as_ref()?;
        let measured = self
            .choice
            .as_ref()
            .and_then(|choice| choice.measured.as_ref());
        Some(format::graph_to_bytes(sealed, self.generation, measured))
    }

    /// Takes a graph that was built elsewhere from this index's saved bytes; returns how many vectors it covers. Vectors that
    /// were removed meanwhile stay away, newer ones are scanned.
    ///
    /// # Errors
    /// [`LoadError::CorruptGraph`] for anything else, a graph from before a compaction included. The index is unchanged.
    pub fn adopt_graph(&mut self, bytes: &[u8]) -> Result<usize, LoadError> {
        if self.mode == Mode::Scan {
            return Err(LoadError::CorruptGraph);
        }
        let read = format::graph_from_bytes(bytes, &mut self.arena, self.generation);
        let (sealed, measured) = read.ok_or(LoadError::CorruptGraph)?;
        self.drop_graph();
        self.sealed = Some(sealed);
        self.has_lost_graph = false;
        if self.mode == Mode::Auto {
            self.choice = measured.map(Choice::from);
        }
        Ok(self.stats().n_sealed)
    }

    /// For [`Mode::Auto`]: compares the sealed graph with the scan on this device and this data, and goes on with the better.
    /// It takes about 0.2 s per 100,000 vectors. `now` tells the time in milliseconds.
    pub fn choose(&mut self, now: &mut dyn FnMut() -> f64) -> Choice {
        let choice = choice::choose(&self.arena, self.sealed.as_ref(), self.mode, now);
        self.choice = Some(choice.clone());
        choice
    }

    /// Gives back the room of removed vectors; ids stay. A graph with gaps goes with them: [`VectorIndex::seal`] instead
    /// compacts and builds a new one.
    pub fn compact(&mut self) {
        if self.stats().n_sealed_gaps > 0 {
            self.drop_graph();
        }
        if self.arena.compact() {
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// The whole index as bytes: `docs/format-index.md`.
    pub fn save(&mut self) -> Vec<u8> {
        format::to_bytes(self)
    }

    /// What [`VectorIndex::save`] wrote. A missing or damaged graph is no error while the rows are intact: the index then
    /// scans and says so in [`VectorIndex::stats`].
    pub fn load(bytes: &[u8]) -> Result<VectorIndex, LoadError> {
        format::from_bytes(bytes)
    }

    /// What changed since the last call, or since the index was made: parts to be written or, where they hold nothing, deleted, all
    /// of them in one transaction. Adding a vector changes at most two small parts.
    pub fn take_changes(&mut self) -> Vec<Part> {
        format::take_changes(self)
    }

    /// An index from all parts that [`VectorIndex::take_changes`] ever gave, the latest of each key, in any order.
    pub fn from_parts(parts: &[Part]) -> Result<VectorIndex, LoadError> {
        format::from_parts(parts)
    }

    fn drop_graph(&mut self) {
        self.sealed = None;
        self.choice = None;
        self.saved.forget_graph();
    }

    /// The graph, where searches are to walk it.
    fn walked(&self) -> Option<&Sealed> {
        let is_chosen = match self.mode {
            Mode::Scan => false,
            Mode::Hnsw => true,
            Mode::Auto => self.choice.as_ref().is_some_and(|choice| choice.walks),
        };
        self.sealed.as_ref().filter(|_| is_chosen)
    }

    /// `allowed` holds live rows only.
    fn nearest(&self, query: &Query, k: usize, allowed: &Bitmap, exact: bool) -> Vec<Hit> {
        let k = k.min(allowed.count());
        if k == 0 {
            return Vec::new();
        }
        let mut top = Top::new(k);
        if exact {
            scan::exact(&self.arena, query, allowed.iter(), &mut top);
        } else {
            match self.walked() {
                Some(sealed) => top = walk(&self.arena, sealed, query, allowed, top),
                None => scan::scan(&self.arena, query, allowed, k, &mut top),
            }
        }
        let to_hit = |(id, score)| Hit {
            id,
            score: score_of(score),
        };
        top.into_sorted().into_iter().map(to_hit).collect()
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

    fn rows_of(&self, ids: &[u32]) -> Bitmap {
        let mut rows = Bitmap::with_rows(self.arena.rows());
        for row in ids.iter().filter_map(|&id| self.arena.row_of(id)) {
            rows.insert(row);
        }
        rows
    }

    fn query(&self, vector: &[f32]) -> Result<Query, IndexError> {
        let (unit, length) = self.direction(vector)?;
        Ok(Query::new(unit, length))
    }

    /// The vector at unit length, and its length. In f64, where the square of no f32 overflows or vanishes.
    fn direction(&self, vector: &[f32]) -> Result<(Vec<f32>, f32), IndexError> {
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
        // Where the length counts, it must not be lost.
        let needs_length = self.arena.config().metric.needs_lengths();
        let is_kept = (length as f32).is_normal() || !needs_length;
        if !length.is_finite() || length == 0.0 || !is_kept {
            return Err(IndexError::NotADirection);
        }
        let unit = vector.iter().map(|&x| (f64::from(x) / length) as f32);
        Ok((unit.collect(), length as f32))
    }
}

/// One query and the vectors that it can be compared with: [`VectorIndex::compare`].
pub struct Comparison<'a> {
    arena: &'a Arena,
    query: Query,
}

impl Comparison<'_> {
    /// How near a vector is to the query; `None` for an unknown id.
    pub fn score(&self, id: u32) -> Option<f32> {
        let row = self.arena.row_of(id)?;
        Some(self.arena.score(row, &self.query))
    }
}

/// The nearest by the graph for its rows and by a scan for newer ones; by a scan alone where a graph can not serve.
fn walk(arena: &Arena, sealed: &Sealed, query: &Query, allowed: &Bitmap, top: Top) -> Top {
    let k = top.keep();
    let scan_all = || {
        let mut top = Top::new(k);
        scan::scan(arena, query, allowed, k, &mut top);
        top
    };
    // Through a narrow filter a walk sees too few allowed rows, and a scan is faster the narrower it is: recall was .70
    // for one row in 100 allowed, .98 for one in 10.
    let n_sealed_allowed = allowed.count_below(sealed.rows());
    if k > EF_SEARCH || n_sealed_allowed < sealed.rows() as usize / 10 {
        return scan_all();
    }
    let mut top = sealed.search(arena, query, allowed, top);
    // Rows that no link leads to, or behind too many gaps.
    if top.len() < k.min(n_sealed_allowed) {
        return scan_all();
    }
    if allowed.count() > n_sealed_allowed {
        let newer = allowed.starting_at(sealed.rows());
        scan::scan(arena, query, &newer, k, &mut top);
    }
    top
}
