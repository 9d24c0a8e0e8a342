//! Scan or graph? Measured where it matters: on this device, with this data.

use super::Mode;
use super::arena::Arena;
use super::hnsw::Sealed;
use super::query::Query;
use super::top::Top;

/// What [`super::VectorIndex::choose`] decided, and from what.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Searches walk the graph; otherwise they scan.
    pub walks: bool,
    pub reason: Reason,
    /// The figures, where anything was measured.
    pub measured: Option<Measured>,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The mode leaves no choice.
    Mode,
    /// There is no graph to compare with, or nothing left to compare them on.
    NoGraph,
    /// The graph found less than [`MIN_RECALL`] of the nearest.
    LowRecall,
    /// The graph was not faster, in a warm or in a cold cache.
    Slower,
    /// The graph was faster in both and found enough.
    Faster,
}

impl Reason {
    /// A stable name, the same in Rust, in the package and in the documents.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Mode => "mode",
            Reason::NoGraph => "no_graph",
            Reason::LowRecall => "low_recall",
            Reason::Slower => "slower",
            Reason::Faster => "faster",
        }
    }
}

/// Milliseconds a query, and the share of the exact first ten that the graph found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    pub recall: f32,
    pub warm_scan_ms: f64,
    pub warm_graph_ms: f64,
    /// After everything else was read, so that little of the index is in the processor's cache: as in a chat, where one
    /// query comes with each message.
    pub cold_scan_ms: f64,
    pub cold_graph_ms: f64,
}

/// What a graph has to find of the true first ten.
pub const MIN_RECALL: f32 = 0.98;

/// Sampled queries. Browsers' clocks tick in steps of up to a millisecond, so times are sums over all of them.
const N_QUERIES: usize = 32;
const K: usize = 10;

pub(super) fn choose(
    arena: &Arena,
    sealed: Option<&Sealed>,
    mode: Mode,
    now: &mut dyn FnMut() -> f64,
) -> Choice {
    let decided = |walks, reason| Choice {
        walks,
        reason,
        measured: None,
    };
    let sealed = match (mode, sealed) {
        (Mode::Scan, _) => return decided(false, Reason::Mode),
        (Mode::Hnsw, sealed) => return decided(sealed.is_some(), Reason::Mode),
        (Mode::Auto, None) => return decided(false, Reason::NoGraph),
        // All of its vectors were removed: there is nothing to try it on.
        (Mode::Auto, Some(_)) if arena.live().iter().next().is_none() => {
            return decided(false, Reason::NoGraph);
        }
        (Mode::Auto, Some(sealed)) => sealed,
    };
    let queries = queries(arena);
    let scan = |query: &Query| {
        let mut top = Top::new(K);
        super::scan::scan(arena, query, arena.live(), K, &mut top);
        top
    };
    let walk = |query: &Query| super::walk(arena, sealed, query, arena.live(), Top::new(K));
    let recall = recall(arena, &queries, &walk);
    let measured = Measured {
        recall,
        warm_scan_ms: warm(&queries, &scan, now),
        warm_graph_ms: warm(&queries, &walk, now),
        cold_scan_ms: cold(arena, &queries, &scan, now),
        cold_graph_ms: cold(arena, &queries, &walk, now),
    };
    Choice::from(measured)
}

impl From<Measured> for Choice {
    fn from(measured: Measured) -> Choice {
        let is_faster = measured.warm_graph_ms < measured.warm_scan_ms
            && measured.cold_graph_ms < measured.cold_scan_ms;
        let reason = match (measured.recall >= MIN_RECALL, is_faster) {
            (false, _) => Reason::LowRecall,
            (true, false) => Reason::Slower,
            (true, true) => Reason::Faster,
        };
        Choice {
            walks: reason == Reason::Faster,
            reason,
            measured: Some(measured),
        }
    }
}

/// Points between two stored vectors: near to stored ones as a question is to its answer, equal to none.
fn queries(arena: &Arena) -> Vec<Query> {
    let live: Vec<u32> = arena.live().iter().collect();
    let pick = |i: usize| live[i * live.len() / (2 * N_QUERIES)];
    (0..N_QUERIES)
        .map(|i| {
            let (near, far) = (arena.unit(pick(2 * i)), arena.unit(pick(2 * i + 1)));
            let mixed = near.iter().zip(&far).map(|(a, b)| 0.75 * a + 0.25 * b);
            let mixed: Vec<f32> = mixed.collect();
            let length = mixed.iter().map(|x| x * x).sum::<f32>().sqrt();
            let length = length.max(f32::MIN_POSITIVE);
            let unit = mixed.iter().map(|x| x / length).collect();
            Query::new(unit, arena.length(pick(2 * i)))
        })
        .collect()
}

fn recall(arena: &Arena, queries: &[Query], walk: &dyn Fn(&Query) -> Top) -> f32 {
    let (mut n_found, mut n_true) = (0, 0);
    for query in queries {
        let mut exact = Top::new(K);
        super::scan::exact(arena, query, arena.live().iter(), &mut exact);
        let found = walk(query).into_sorted();
        for hit in exact.into_sorted() {
            n_true += 1;
            n_found += usize::from(found.contains(&hit));
        }
    }
    n_found as f32 / n_true.max(1) as f32
}

fn warm(queries: &[Query], search: &dyn Fn(&Query) -> Top, now: &mut dyn FnMut() -> f64) -> f64 {
    // Once unmeasured, for what is compiled or fetched at the first use.
    queries.iter().take(4).for_each(|query| drop(search(query)));
    let start = now();
    queries.iter().for_each(|query| drop(search(query)));
    (now() - start) / queries.len() as f64
}

fn cold(
    arena: &Arena,
    queries: &[Query],
    search: &dyn Fn(&Query) -> Top,
    now: &mut dyn FnMut() -> f64,
) -> f64 {
    let mut elapsed = 0.0;
    for query in queries {
        arena.read_all();
        let start = now();
        drop(search(query));
        elapsed += now() - start;
    }
    elapsed / queries.len() as f64
}
