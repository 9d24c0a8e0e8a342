//! The keyword lane: documents that share words with the question.

use super::Found;
use crate::recall::postings::{DocNumber, Matches};

/// The `n` documents that cover most of the question; equal ones in the order of their numbers.
pub(crate) fn search(matches: &Matches, n: usize, allow: impl Fn(DocNumber) -> bool) -> Found {
    let allowed = matches.touched().iter().filter(|doc| allow(**doc));
    let mut found: Found = allowed.map(|doc| (*doc, matches.coverage(*doc))).collect();
    let order =
        |a: &(DocNumber, f32), b: &(DocNumber, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if found.len() > n && n > 0 {
        found.select_nth_unstable_by(n - 1, order);
    }
    found.truncate(n);
    found.sort_unstable_by(order);
    found
}
