//! Search without a graph: every allowed row is looked at.
//!
//! Small sets are compared exactly. Large ones first go through the 1-bit codes, 16 rows a step, and only the best few
//! hundred are compared exactly. That is the default at every size: measured in browsers it beats a graph walk in latency and
//! recall up to about 100,000 rows, costs microseconds an insert, and has nothing to build.

use super::arena::Arena;
use super::bitmap::Bitmap;
use super::kernel;
use super::top::{Top, score_bits};

/// Up to so many allowed rows are compared exactly: at 384 dimensions that takes about as long as the table scan with its
/// rescoring.
pub(crate) const EXACT_ROWS: usize = 8_192;

/// How many of the best codes are compared exactly: at least this many …
const SHORTLIST: usize = 400;
/// … and so many for each result asked for. Together they gave recall@10 of .9988 to .9998 on 10,000 to 100,000 sentence
/// embeddings of 384 dimensions.
const SHORTLIST_PER_RESULT: usize = 40;

/// Codes with fewer telling bits rank too badly to choose a shortlist by: vectors of few dimensions, or whose components
/// hardly change sign. They are compared exactly, which such short rows make cheap or such data makes necessary.
/// `recall_of_the_default_scan` shows both sides of this bound.
pub(crate) const TELLING_BITS: f32 = 96.0;

/// A query in the forms that the loops read, padded.
pub(crate) struct Query {
    pub(crate) unit: Vec<f32>,
    pub(crate) row: Vec<i16>,
}

/// The cosine, from the dot product of two stored rows; rounding never takes it out of -1 to 1.
#[inline(always)]
pub(crate) fn cosine(dot: i32) -> f32 {
    (dot as f32 / (kernel::ONE * kernel::ONE)).clamp(-1.0, 1.0)
}

/// Offers the `allowed` rows to `top` by id, by whichever way suits their number.
pub(crate) fn scan(arena: &Arena, query: &Query, allowed: &Bitmap, k: usize, top: &mut Top) {
    let n_allowed = allowed.count();
    let shortlist = SHORTLIST.max(k.saturating_mul(SHORTLIST_PER_RESULT));
    if n_allowed <= EXACT_ROWS.max(shortlist) || arena.telling_bits() < TELLING_BITS {
        exact(arena, query, allowed.iter(), top);
    } else {
        let best = by_code(arena, query, allowed, shortlist);
        exact(arena, query, best.into_iter(), top);
    }
}

/// Offers every one of `rows` to `top` by id.
pub(crate) fn exact(arena: &Arena, query: &Query, rows: impl Iterator<Item = u32>, top: &mut Top) {
    for row in rows {
        let score = score_bits(cosine(kernel::dot(arena.vector(row), &query.row)));
        if top.admits(score) {
            top.push(score, arena.id(row));
        }
    }
}

/// The `shortlist` allowed rows whose codes are nearest to the query, ascending.
fn by_code(arena: &Arena, query: &Query, allowed: &Bitmap, shortlist: usize) -> Vec<u32> {
    let tables = kernel::tables(&query.unit);
    let mut top = Top::new(shortlist);
    let mut scores = [0; 16];
    for block in 0..arena.rows().div_ceil(16) {
        let mut lanes = allowed.block(block);
        if lanes == 0 {
            continue;
        }
        // Rows come in ascending order, so one that only ties with the worst is lost already. At most 64,513.
        let floor = top.floor_for_later_names() as u16;
        if !kernel::lut16(arena.code_block(block), &tables, floor, &mut scores) {
            continue;
        }
        while lanes != 0 {
            let lane = lanes.trailing_zeros();
            lanes &= lanes - 1;
            let score = scores[lane as usize];
            if score >= floor {
                top.push(u32::from(score), block as u32 * 16 + lane);
            }
        }
    }
    top.into_names()
}
