//! The sealed tier: an HNSW graph of instant-distance over rows of the arena.
//!
//! instant-distance builds once, keeps its points inside, never returns more than `ef_search` results and knows neither
//! filters nor removal. Two devices make up for it:
//! - a point is a 4-byte [`Handle`], the number of a row; `distance` finds the arena through [`walk`];
//! - the *collector*: `distance` sees every row that a search visits, so what is live and allowed is chosen there, among
//!   all visited rows instead of the last `ef_search`.
//!
//! Identical vectors enter the graph once: a crowd of twins would fill each other's links and cut other rows off.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::Mutex;

use instant_distance::{Builder, Heuristic, Hnsw, Search};

pub(crate) use self::walk::Progress;
use self::walk::{Collector, Handle, QUERY};
use super::arena::Arena;
use super::bitmap::Bitmap;
use super::query::Query;
use super::row::Components;
use super::top::Top;

mod links;
mod walk;

/// Breadth of a search: how many of the nearest rows it keeps going on from. A search for more results is a scan's.
pub(crate) const EF_SEARCH: usize = 256;
/// Breadth of the search that finds a new point's links. With `keep_pruned` off, which builds 6 to 8 times faster for the
/// same curve of recall over latency, 128 with [`EF_SEARCH`] gave recall@10 of .998 on 10,000 sentence embeddings.
const EF_CONSTRUCTION: usize = 128;
/// Fixed, so that the same rows give the same graph. Not across word sizes: rand's `SmallRng` differs on 32 and 64 bits.
const SEED: u64 = 42;

pub(crate) struct Sealed {
    graph: Hnsw<Handle>,
    twins: Twins,
    /// The graph covers rows `0..rows`.
    rows: u32,
    /// A search's working memory, kept for the next one. One that runs meanwhile, or after a panic, makes its own.
    scratch: Mutex<Option<Search>>,
}

/// How far the building of a graph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealProgress {
    /// Vectors whose links are being found or were. The last ones take the longest.
    pub done: usize,
    /// Distinct vectors in all.
    pub total: usize,
}

/// For a row in the graph, the further rows with the same vector, ascending.
type Twins = BTreeMap<u32, Vec<u32>>;

impl Sealed {
    /// Builds the graph over an arena without gaps; `None` if `progress` broke it off.
    pub(crate) fn build(arena: &Arena, progress: &mut Progress) -> Option<Sealed> {
        debug_assert_eq!(arena.rows(), arena.len());
        let (points, twins) = distinct(arena);
        let builder = Builder::default()
            .seed(SEED)
            .ef_construction(EF_CONSTRUCTION)
            .ef_search(EF_SEARCH)
            .select_heuristic(Some(Heuristic {
                // Never: the insertion that asks for it waits for a lock that it holds itself.
                extend_candidates: false,
                keep_pruned: false,
            }));
        let graph = walk::building(arena, points.len(), progress, || {
            builder.build_hnsw(points).0
        })?;
        Some(Sealed {
            graph,
            twins,
            rows: arena.rows() as u32,
            scratch: Mutex::new(None),
        })
    }

    /// How many rows, counted from the first, the graph covers.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// Offers the visited and `allowed` rows to `top` by id. `allowed` holds live rows only.
    pub(crate) fn search(&self, arena: &Arena, query: &Query, allowed: &Bitmap, top: Top) -> Top {
        let kept = self.scratch.lock().map_or(None, |mut kept| kept.take());
        let mut search = kept.unwrap_or_default();
        let collector = Collector::new(query, allowed, &self.twins, self.rows, top);
        let top = walk::searching(arena, collector, || {
            self.graph.search(&QUERY, &mut search).len();
        });
        if let Ok(mut kept) = self.scratch.lock() {
            *kept = Some(search);
        }
        top
    }

    /// Wipes a row. Where it stands in the graph for living twins, one of them moves to its place, so that the graph
    /// goes on leading to them.
    pub(crate) fn wipe(&self, arena: &mut Arena, row: u32) {
        arena.wipe(row);
        self.let_inherit(arena, row);
    }

    fn let_inherit(&self, arena: &mut Arena, gap: u32) {
        let twins = self.twins.get(&gap).into_iter().flatten();
        if let Some(heir) = twins.copied().find(|&twin| arena.live().contains(twin)) {
            arena.relocate(heir, gap);
        }
    }

    /// Puts right what was removed between the building of a graph and its use.
    pub(crate) fn let_all_inherit(&self, arena: &mut Arena) {
        for &first in self.twins.keys() {
            if !arena.live().contains(first) {
                self.let_inherit(arena, first);
            }
        }
    }
}

impl Sealed {
    /// The graph and the twins as bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = links::write(&self.graph);
        let mut put = |value: usize| bytes.extend_from_slice(&(value as u32).to_le_bytes());
        put(self.twins.len());
        for (&first, twins) in &self.twins {
            put(first as usize);
            put(twins.len());
            twins.iter().for_each(|&twin| put(twin as usize));
        }
        bytes
    }

    /// What [`Sealed::to_bytes`] wrote for rows `0..rows` of this arena; nothing if it does not fit them.
    pub(crate) fn from_bytes(bytes: &[u8], arena: &Arena, rows: u32) -> Option<Sealed> {
        let (graph, rest) = links::read(bytes).ok()?;
        let mut covered = Bitmap::with_rows(rows as usize);
        let mut is_new = |row: u32| row < rows && covered.insert(row);
        if !graph.iter().all(|(_, handle)| is_new(handle.0)) {
            return None;
        }
        let mut numbers = rest.as_chunks().0.iter().map(|&b| u32::from_le_bytes(b));
        let mut twins = Twins::new();
        for _ in 0..numbers.next()? {
            let (first, n_twins) = (numbers.next()?, numbers.next()?);
            if n_twins == 0 || n_twins as usize > numbers.len() || first >= rows {
                return None;
            }
            let others: Vec<u32> = numbers.by_ref().take(n_twins as usize).collect();
            if !others.iter().all(|&row| is_new(row)) || !are_equal(arena, first, &others) {
                return None;
            }
            twins.insert(first, others);
        }
        let is_whole = rest.len().is_multiple_of(4) && numbers.next().is_none();
        let misses_none = arena.live().iter().take_while(|&row| row < rows);
        if !is_whole || !misses_none.into_iter().all(|row| covered.contains(row)) {
            return None;
        }
        Some(Sealed {
            graph,
            twins,
            rows,
            scratch: Mutex::new(None),
        })
    }
}

/// Whether the living of these rows have one vector.
fn are_equal(arena: &Arena, first: u32, others: &[u32]) -> bool {
    let rows = std::iter::once(first).chain(others.iter().copied());
    let mut living = rows.filter(|&row| arena.live().contains(row));
    let vector = living.next().map(|row| vector(arena, row));
    living.all(|row| Some(self::vector(arena, row)) == vector)
}

/// What makes two rows the same: equal at every query.
fn vector(arena: &Arena, row: u32) -> (Components, u32) {
    (arena.components(row), arena.length(row).to_bits())
}

/// The first row of each distinct vector, and its twins.
fn distinct(arena: &Arena) -> (Vec<Handle>, Twins) {
    // By hash first: the vectors themselves would be held twice.
    let mut first_rows: HashMap<u64, Vec<u32>> = HashMap::with_capacity(arena.len());
    let mut points = Vec::with_capacity(arena.len());
    let mut twins = Twins::new();
    let hasher = first_rows.hasher().clone();
    for row in 0..arena.rows() as u32 {
        let own = vector(arena, row);
        let firsts = first_rows.entry(hasher.hash_one(&own)).or_default();
        match firsts.iter().find(|&&first| vector(arena, first) == own) {
            Some(&first) => twins.entry(first).or_default().push(row),
            None => {
                firsts.push(row);
                points.push(Handle(row));
            }
        }
    }
    (points, twins)
}
