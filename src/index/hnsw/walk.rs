//! The context of `Point::distance`, which takes none: the arena, and while searching the query and the collector.
//!
//! The context lies on the stack of [`building`] or [`searching`] and is reached through a thread-local pointer, set for as
//! long as their closure runs. Nested walks (a filter that searches another index) put the former pointer back; so does a panic.

use std::cell::{Cell, RefCell};
use std::ptr;

use instant_distance::Point;
use serde::{Deserialize, Serialize};

use super::Twins;
use crate::index::arena::Arena;
use crate::index::bitmap::Bitmap;
use crate::index::kernel;
use crate::index::scan::{Query, cosine};
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
                1.0 - cosine(kernel::dot(walk.arena.vector(a), walk.arena.vector(b)))
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

/// Runs `work`, in which handles are compared by the rows of `arena`.
pub(super) fn building<T>(arena: &Arena, work: impl FnOnce() -> T) -> T {
    let walk = Walk {
        arena,
        collector: None,
    };
    run(&walk, work)
}

/// Runs `work`, in which [`QUERY`] is the collector's query; returns what was collected.
pub(super) fn searching(arena: &Arena, collector: Collector<'_>, work: impl FnOnce()) -> Top {
    let walk = Walk {
        arena,
        collector: Some(RefCell::new(collector)),
    };
    run(&walk, work);
    match walk.collector {
        Some(collector) => collector.into_inner().top,
        None => unreachable!("set above"),
    }
}

struct Walk<'a> {
    arena: &'a Arena,
    collector: Option<RefCell<Collector<'a>>>,
}

impl Walk<'_> {
    #[inline]
    fn visit(&self, row: u32) -> f32 {
        let Some(collector) = &self.collector else {
            unreachable!("the query is compared only while searching")
        };
        let mut collector = collector.borrow_mut();
        let score = cosine(kernel::dot(self.arena.vector(row), &collector.query.row));
        collector.take(self.arena, row, score_bits(score));
        1.0 - score
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
    use crate::index::arena::to_row;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn arena_of(vectors: &[[f32; 2]]) -> Arena {
        let mut arena = Arena::new(16);
        for (id, two) in (0..).zip(vectors) {
            let mut vector = vec![0.0; 16];
            vector[..2].copy_from_slice(two);
            arena.push(id, &to_row(&vector));
        }
        arena
    }

    #[test]
    fn the_context_is_the_innermost_and_ends_with_its_walk() {
        let same = arena_of(&[[1.0, 0.0], [1.0, 0.0]]);
        let apart = arena_of(&[[1.0, 0.0], [-1.0, 0.0]]);
        let distance = || Handle(0).distance(&Handle(1));
        building(&same, || {
            assert_eq!(distance(), 0.0);
            building(&apart, || assert_eq!(distance(), 2.0));
            assert_eq!(distance(), 0.0);
            let thrown = catch_unwind(AssertUnwindSafe(|| {
                building(&apart, || panic!("thrown inside a walk"))
            }));
            assert!(thrown.is_err());
            assert_eq!(distance(), 0.0);
        });
        assert!(catch_unwind(distance).is_err(), "no context is left");
    }
}
