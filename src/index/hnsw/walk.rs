//! The context of `Point::distance`, which takes none: the arena, and while searching the query and the collector.
//!
//! The context lies on the stack of [`building`] or [`searching`] and is reached through a thread-local pointer, set for as
//! long as their closure runs. Nested walks (a filter that searches another index) put the former pointer back; so does a panic.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::ptr;

use instant_distance::Point;
use serde::{Deserialize, Serialize};

use super::{SealProgress, Twins};
use crate::index::arena::Arena;
use crate::index::bitmap::Bitmap;
use crate::index::query::Query;
use crate::index::top::{Top, score_bits};

/// A point of the graph: the number of a row, or [`QUERY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handle(pub(crate) u32);

/// The handle that stands for the vector searched for.
pub(super) const QUERY: Handle = Handle(u32::MAX);

impl Point for Handle {
    #[inline]
    fn distance(&self, other: &Handle) -> f32 {
        with_current(|walk| match (*self, *other) {
            (QUERY, Handle(row)) | (Handle(row), QUERY) => walk.visit(row),
            (Handle(a), Handle(b)) => {
                walk.insert(a);
                -walk.arena.score_between(a, b)
            }
        })
    }
}

/// Gathers the results of one search from the rows that it visits.
pub(super) struct Collector<'a> {
    query: &'a Query,
    allowed: &'a Bitmap,
    twins: &'a Twins,
    /// Rows seen before: the search comes to a row again on each layer.
    seen: Bitmap,
    top: Top,
}

impl<'a> Collector<'a> {
    pub(super) fn new(
        query: &'a Query,
        allowed: &'a Bitmap,
        twins: &'a Twins,
        rows: u32,
        top: Top,
    ) -> Collector<'a> {
        Collector {
            query,
            allowed,
            twins,
            seen: Bitmap::with_rows(rows as usize),
            top,
        }
    }

    fn take(&mut self, arena: &Arena, row: u32, score: u32) {
        if !self.top.admits(score) || !self.seen.insert(row) {
            return;
        }
        let twins = self.twins.get(&row).into_iter().flatten();
        for &row in std::iter::once(&row).chain(twins) {
            if self.allowed.contains(row) {
                self.top.push(score, arena.id(row));
            }
        }
    }
}

/// How a build tells how far it is, and hears that it is to end. Natively it is called on a thread of its own.
pub(crate) type Progress<'a> = dyn FnMut(SealProgress) -> ControlFlow<()> + Send + 'a;

/// Runs `work`, which builds a graph of `n_points` rows of `arena`; `None` if `progress` broke it off.
pub(super) fn building<T: Send>(
    arena: &Arena,
    n_points: usize,
    progress: &mut Progress,
    work: impl FnOnce() -> T + Send,
) -> Option<T> {
    on_one_thread(|| {
        let walk = Walk {
            arena,
            role: Role::Building(RefCell::new(Insertions {
                seen: Bitmap::with_rows(arena.rows()),
                n_seen: 0,
                n_points,
                progress,
            })),
        };
        run(&walk, work)
    })
}

/// Runs `work`, in which [`QUERY`] is the collector's query; returns what was collected.
pub(super) fn searching(arena: &Arena, collector: Collector<'_>, work: impl FnOnce()) -> Top {
    let walk = Walk {
        arena,
        role: Role::Searching(RefCell::new(collector)),
    };
    run(&walk, work);
    match walk.role {
        Role::Searching(collector) => collector.into_inner().top,
        Role::Building(_) => unreachable!("set above"),
    }
}

struct Walk<'a> {
    arena: &'a Arena,
    role: Role<'a>,
}

enum Role<'a> {
    Building(RefCell<Insertions<'a>>),
    Searching(RefCell<Collector<'a>>),
}

/// Watches a build from within. A point that is inserted is compared with others; one that no comparison began with yet is new.
struct Insertions<'a> {
    seen: Bitmap,
    n_seen: usize,
    n_points: usize,
    progress: &'a mut Progress<'a>,
}

/// Unwinds out of a build that was broken off.
struct BrokenOff;

impl Walk<'_> {
    #[inline]
    fn visit(&self, row: u32) -> f32 {
        let Role::Searching(collector) = &self.role else {
            unreachable!("the query is compared only while searching")
        };
        let mut collector = collector.borrow_mut();
        let score = self.arena.score(row, collector.query);
        collector.take(self.arena, row, score_bits(score));
        -score
    }

    #[inline]
    fn insert(&self, row: u32) {
        if let Role::Building(insertions) = &self.role {
            insertions.borrow_mut().count(row);
        }
    }
}

impl Insertions<'_> {
    #[inline]
    fn count(&mut self, row: u32) {
        /// Some hundredths of a second.
        const STRIDE: usize = 64;
        if self.seen.insert(row) {
            self.n_seen += 1;
            if self.n_seen.is_multiple_of(STRIDE) || self.n_seen == self.n_points {
                self.report();
            }
        }
    }

    fn report(&mut self) {
        let told = (self.progress)(SealProgress {
            done: self.n_seen,
            total: self.n_points,
        });
        if told.is_break() && cfg!(panic = "unwind") {
            std::panic::resume_unwind(Box::new(BrokenOff));
        }
    }
}

/// instant-distance builds on rayon's threads, in an order of their making. One thread makes the graph reproducible. In wasm rayon
/// has no thread but the caller's, and nothing unwinds.
#[cfg(target_family = "wasm")]
fn on_one_thread<T>(work: impl FnOnce() -> T) -> Option<T> {
    Some(work())
}

#[cfg(not(target_family = "wasm"))]
fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    let pool = match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool,
        // Only when the system refuses a thread.
        Err(error) => panic!("The graph's builder needs a thread: {error}"),
    };
    // What a break unwinds through is thrown away.
    match catch_unwind(AssertUnwindSafe(|| pool.install(work))) {
        Ok(built) => Some(built),
        Err(thrown) if thrown.is::<BrokenOff>() => None,
        Err(thrown) => resume_unwind(thrown),
    }
}

thread_local! {
    /// The walk of the innermost `run` on this thread, or null. The lifetime is a lie that `run` and `with_current` keep.
    static CURRENT: Cell<*const Walk<'static>> = const { Cell::new(ptr::null()) };
}

fn run<T>(walk: &Walk<'_>, work: impl FnOnce() -> T) -> T {
    /// Puts the former pointer back, also while a panic unwinds. It never leaves this function, so it is always dropped.
    struct Restore(*const Walk<'static>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(ptr::from_ref(walk).cast()));
    work()
}

#[inline]
fn with_current<T>(read: impl FnOnce(&Walk<'_>) -> T) -> T {
    let walk = CURRENT.get();
    assert!(!walk.is_null(), "handles are compared only inside a walk");
    // SAFETY: a pointer that is not null was set by a `run` that is still on this thread's stack below us, because its
    // `Restore` replaces the pointer when that call ends in any way. `run` borrows the walk for its whole duration, so it
    // is alive and only shared. The reference given to `read` cannot outlive the call: its lifetime is chosen here.
    read(unsafe { &*walk })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::row::Components;
    use crate::index::{IndexConfig, Precision};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn arena_of(vectors: &[[f32; 2]]) -> Arena {
        let mut arena = Arena::new(&IndexConfig::new(16));
        for (id, two) in (0..).zip(vectors) {
            let mut vector = vec![0.0; 16];
            vector[..2].copy_from_slice(two);
            arena.push(id, &Components::encode(&vector, Precision::Full), 1.0);
        }
        arena
    }

    #[test]
    fn the_context_is_the_innermost_and_ends_with_its_walk() {
        let same = arena_of(&[[1.0, 0.0], [1.0, 0.0]]);
        let apart = arena_of(&[[1.0, 0.0], [-1.0, 0.0]]);
        let distance = || Handle(0).distance(&Handle(1));
        let query = Query::new(vec![0.25; 16], 1.0);
        let (nothing, twins) = (Bitmap::default(), Twins::new());
        let walk = |arena| Walk {
            arena,
            role: Role::Searching(RefCell::new(Collector::new(
                &query,
                &nothing,
                &twins,
                0,
                Top::new(1),
            ))),
        };
        run(&walk(&same), || {
            assert_eq!(distance(), -1.0);
            run(&walk(&apart), || assert_eq!(distance(), 1.0));
            assert_eq!(distance(), -1.0);
            let thrown = catch_unwind(AssertUnwindSafe(|| {
                run(&walk(&apart), || panic!("thrown inside a walk"))
            }));
            assert!(thrown.is_err());
            assert_eq!(distance(), -1.0);
        });
        assert!(catch_unwind(distance).is_err(), "no context is left");
    }
}
