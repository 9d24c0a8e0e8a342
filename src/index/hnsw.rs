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
use std::sync::Mutex;

use instant_distance::{Builder, Heuristic, Hnsw, Search};

use self::walk::{Collector, Handle, QUERY};
use super::arena::Arena;
use super::bitmap::Bitmap;
use super::scan::Query;
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

/// For a row in the graph, the further rows with the same vector, ascending.
type Twins = BTreeMap<u32, Vec<u32>>;

impl Sealed {
    /// Builds the graph over an arena without gaps.
    pub(crate) fn build(arena: &Arena) -> Sealed {
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
        Sealed {
            graph: on_one_thread(|| walk::building(arena, || builder.build_hnsw(points).0)),
            twins,
            rows: arena.rows() as u32,
            scratch: Mutex::new(None),
        }
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

    /// Wipes a row. Where it stands in the graph for living twins, one of them moves to its place first, so that the graph
    /// goes on leading to them.
    pub(crate) fn wipe(&self, arena: &mut Arena, row: u32) {
        let twins = self.twins.get(&row).into_iter().flatten();
        let heir = twins.copied().find(|&twin| arena.live().contains(twin));
        if let Some(heir) = heir {
            arena.exchange_ids(row, heir);
        }
        arena.wipe(heir.unwrap_or(row));
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
            // A living twin means that the first is alive and the same.
            let is_twin =
                |row: u32| !arena.live().contains(row) || arena.vector(row) == arena.vector(first);
            if !others.iter().all(|&row| is_new(row) && is_twin(row)) {
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

/// The first row of each distinct vector, and its twins.
fn distinct(arena: &Arena) -> (Vec<Handle>, Twins) {
    let mut first_rows: HashMap<&[i16], u32> = HashMap::with_capacity(arena.len());
    let mut points = Vec::with_capacity(arena.len());
    let mut twins = Twins::new();
    for row in 0..arena.rows() as u32 {
        let first = *first_rows.entry(arena.vector(row)).or_insert(row);
        if first == row {
            points.push(Handle(row));
        } else {
            twins.entry(first).or_default().push(row);
        }
    }
    (points, twins)
}

/// instant-distance builds on rayon's threads, in an order of their making. One thread makes the graph reproducible, and is
/// the one whose [`walk`] is set. In wasm rayon has no thread but the caller's.
#[cfg(target_family = "wasm")]
fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    work()
}

#[cfg(not(target_family = "wasm"))]
fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(work),
        // Only when the system refuses a thread.
        Err(error) => panic!("The graph's builder needs a thread: {error}"),
    }
}
