//! Search without a graph: every allowed row is looked at.
//!
//! Small sets are compared exactly. Large ones first go through the 1-bit codes, 32 rows a step, and only the best few
//! hundred are compared exactly. That is the default at every size: measured in browsers it beats a graph walk in latency and
//! recall up to about 100,000 rows, costs microseconds an insert, and has nothing to build.

use std::ops::Range;

use super::Metric;
use super::arena::Arena;
use super::bitmap::Bitmap;
use super::kernel::{self, BLOCK_ROWS, Tables};
use super::query::Query;
use super::row::Lift;
use super::top::{Top, score_bits, score_of};

/// Up to so many allowed rows are compared exactly: at 384 dimensions that takes about 0.2 ms.
pub(crate) const EXACT_ROWS: usize = 4_096;

/// How many of the best estimates are kept at first: at least this many …
const SHORTLIST: usize = 256;
/// … and so many for each result asked for.
const SHORTLIST_PER_RESULT: usize = 8;
/// How many times as many are kept when those turn out too few.
const LONGER: usize = 8;

/// Blocks scanned in one call.
const STRETCH: usize = 64;

/// Rows compared exactly between two looks at whether more are worth it.
const BATCH: usize = 32;

/// How many times the error that estimates turn out to have separates what is still compared from what is given up.
const DOUBT: f32 = 2.5;

/// Codes with fewer telling bits rank too badly to choose a shortlist by: vectors of few dimensions, or whose components
/// hardly change sign. They are compared exactly, which such short rows make cheap or such data makes necessary.
/// `recall_of_the_default_scan` shows both sides of this bound.
pub(crate) const TELLING_BITS: f32 = 96.0;

/// Offers the `allowed` rows to `top` by id, by whichever way suits their number.
pub(crate) fn scan(arena: &Arena, query: &Query, allowed: &Bitmap, k: usize, top: &mut Top) {
    let n_allowed = allowed.count();
    let mut shortlist = SHORTLIST.max(k.saturating_mul(SHORTLIST_PER_RESULT));
    if n_allowed > EXACT_ROWS && arena.telling_bits() >= TELLING_BITS {
        let tables = Tables::new(&query.unit);
        while shortlist < n_allowed / 2 {
            let estimates = by_code(arena, query, &tables, allowed, shortlist);
            if let Some(best) = compare(arena, query, &estimates, k) {
                best.into_iter().for_each(|(id, score)| top.push(score, id));
                return;
            }
            shortlist *= LONGER;
        }
    }
    exact(arena, query, allowed.iter(), top);
}

/// The best `k` of rows that come in the order of their estimated scores, by id with their exact scores; `None` if the best
/// may be beyond the last of them.
///
/// The estimates' error shows in the rows compared so far. It ends when the next estimate is so far below the `k`-th exact score
/// that the error would have to be more than [`DOUBT`] times the usual one to make up for it.
fn compare(
    arena: &Arena,
    query: &Query,
    estimates: &[(u32, f32)],
    k: usize,
) -> Option<Vec<(u32, u32)>> {
    let mut top = Top::new(k);
    let (mut squares, mut n_compared) = (0.0, 0);
    let mut batches = estimates.chunks(BATCH).peekable();
    while let Some(batch) = batches.next() {
        for &(row, estimate) in batch {
            let score = arena.score(row, query);
            squares += (score - estimate) * (score - estimate);
            top.push(score_bits(score), arena.id(row));
        }
        n_compared += batch.len();
        let next = batches.peek().map_or(batch, |next| next);
        let usual = (squares / n_compared as f32).sqrt();
        if let Some(worst) = top.worst()
            && next[0].1 + DOUBT * usual < score_of(worst)
        {
            return Some(top.into_sorted());
        }
    }
    None
}

/// Offers every one of `rows` to `top` by id.
pub(crate) fn exact(arena: &Arena, query: &Query, rows: impl Iterator<Item = u32>, top: &mut Top) {
    for row in rows {
        let score = score_bits(arena.score(row, query));
        if top.admits(score) {
            top.push(score, arena.id(row));
        }
    }
}

/// The `shortlist` allowed rows whose codes are nearest to the query, with estimates of their scores, best first.
fn by_code(
    arena: &Arena,
    query: &Query,
    tables: &Tables,
    allowed: &Bitmap,
    shortlist: usize,
) -> Vec<(u32, f32)> {
    let mut top = Top::new(shortlist);
    let cosine_of_one = Lift::cosine_of(tables.step(), arena.dimensions());
    let metric = arena.config().metric;
    if metric == Metric::Cosine {
        by_angle(arena, tables, allowed, &mut top);
        let cosine = |(row, bits)| (row, f32::from(estimate_of(bits)) * cosine_of_one);
        top.into_sorted().into_iter().map(cosine).collect()
    } else {
        by_metric(arena, tables, allowed, &mut top, |row, estimate| {
            let cosine = f32::from(estimate) * cosine_of_one;
            metric.score(cosine, arena.length(row), query.length)
        });
        let score = |(row, bits)| (row, score_of(bits));
        top.into_sorted().into_iter().map(score).collect()
    }
}

/// Pushes rows by their estimates, which order them as cosines do.
fn by_angle(arena: &Arena, tables: &Tables, allowed: &Bitmap, top: &mut Top) {
    let n_blocks = arena.rows().div_ceil(BLOCK_ROWS);
    for first in (0..n_blocks).step_by(STRETCH) {
        let blocks = first..(first + STRETCH).min(n_blocks);
        by_angle_within(blocks, arena, tables, allowed, top);
    }
}

/// A call of its own for each stretch: a browser runs a function as better code from its next call on, so that a single one for all
/// rows would keep the first question after a start on the slow code to its end.
#[inline(never)]
fn by_angle_within(
    blocks: Range<usize>,
    arena: &Arena,
    tables: &Tables,
    allowed: &Bitmap,
    top: &mut Top,
) {
    let mut estimates = [0; BLOCK_ROWS];
    for block in blocks {
        let mut lanes = allowed.block(block);
        if lanes == 0 {
            continue;
        }
        // Rows come in ascending order, so one that only ties with the worst is lost already.
        let floor = estimate_of(top.floor_for_later_names());
        let (codes, lifts) = arena.code_block(block);
        lanes &= kernel::estimate(codes, tables, lifts, floor, &mut estimates);
        while lanes != 0 {
            let lane = lanes.trailing_zeros();
            lanes &= lanes - 1;
            let bits = estimate_bits(estimates[lane as usize]);
            top.push(bits, (block * BLOCK_ROWS) as u32 + lane);
        }
    }
}

/// Pushes rows by a score made of their estimates.
fn by_metric(
    arena: &Arena,
    tables: &Tables,
    allowed: &Bitmap,
    top: &mut Top,
    score: impl Fn(u32, i16) -> f32,
) {
    let mut estimates = [0; BLOCK_ROWS];
    for block in 0..arena.rows().div_ceil(BLOCK_ROWS) {
        let mut lanes = allowed.block(block);
        if lanes == 0 {
            continue;
        }
        let (codes, lifts) = arena.code_block(block);
        kernel::estimate(codes, tables, lifts, i16::MIN, &mut estimates);
        while lanes != 0 {
            let lane = lanes.trailing_zeros();
            lanes &= lanes - 1;
            let row = (block * BLOCK_ROWS) as u32 + lane;
            let bits = score_bits(score(row, estimates[lane as usize]));
            if top.admits(bits) {
                top.push(bits, row);
            }
        }
    }
}

/// Orders estimates as `Top` does scores.
fn estimate_bits(estimate: i16) -> u32 {
    (i32::from(estimate) - i32::from(i16::MIN)) as u32
}

/// The estimate that [`estimate_bits`] took; the greatest for anything above.
fn estimate_of(bits: u32) -> i16 {
    (i64::from(bits) + i64::from(i16::MIN)).min(i16::MAX.into()) as i16
}
