//! The keyword lane: documents that share words with the question.

use super::{Found, best, better_first};
use crate::recall::corpus::Corpus;
use crate::recall::postings::{DocNumber, Matches};

/// The `n` documents that cover most of the question, best first.
pub(crate) fn search(
    corpus: &Corpus,
    matches: &Matches,
    n: usize,
    allow: impl Fn(DocNumber) -> bool,
) -> Found {
    let mut found: Found = Vec::with_capacity(2 * n);
    // A common word touches half of the documents. What covers less than the n-th best so far is passed over.
    let mut least = f32::NEG_INFINITY;
    for doc in matches.touched() {
        let coverage = matches.coverage(*doc);
        if coverage < least || !allow(*doc) {
            continue;
        }
        found.push((*doc, coverage));
        if n > 0 && found.len() == 2 * n {
            let (_, last, _) = found.select_nth_unstable_by(n - 1, better_first(corpus));
            least = last.1;
            found.truncate(n);
        }
    }
    best(corpus, found, n)
}
