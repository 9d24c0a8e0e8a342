//! Recognising what was erased, by hashes.

use super::{Proposal, fold};
use crate::model::{Evidence, Fact, Kind, Tombstone};
use sha2::{Digest, Sha256};

/// What a tombstone keeps of an erased fact: hashes of what it said and of the words it rested on.
pub fn marks(fact: &Fact, salt: &str) -> Vec<String> {
    let has_words = |evidence: &&Evidence| !evidence.quote.is_empty();
    let evidence = fact.evidence.iter().filter(has_words);
    let quote = evidence.map(|evidence| quote_mark(&evidence.quote, salt));
    let says = says_mark(&fact.subject, &fact.statement, salt);
    std::iter::once(says).chain(quote).collect()
}

/// Whether the proposal says what was erased, or rests on the same words, and was said before the erasure.
/// What a person says again afterwards is theirs to be remembered.
pub fn is_erased<'a>(
    proposal: &Proposal,
    tombstones: impl IntoIterator<Item = &'a Tombstone>,
) -> bool {
    tombstones.into_iter().any(|stone| {
        let has = |mark| stone.marks.contains(&mark);
        stone.kind == Kind::Fact
            && proposal.said_at.unix_ms <= stone.at.unix_ms
            && (has(says_mark(
                &proposal.subject,
                &proposal.statement,
                &stone.salt,
            )) || has(quote_mark(&proposal.evidence.quote, &stone.salt)))
    })
}

/// Whether a fact that said this was erased.
pub fn was_erased<'a>(
    subject: &str,
    statement: &str,
    tombstones: impl IntoIterator<Item = &'a Tombstone>,
) -> bool {
    tombstones.into_iter().any(|stone| {
        stone.kind == Kind::Fact
            && stone
                .marks
                .contains(&says_mark(subject, statement, &stone.salt))
    })
}

fn says_mark(subject: &str, statement: &str, salt: &str) -> String {
    mark(&[salt, "says", &fold(subject), &fold(statement)])
}

fn quote_mark(quote: &str, salt: &str) -> String {
    mark(&[salt, "quote", &fold(quote)])
}

fn mark(parts: &[&str]) -> String {
    let hash = Sha256::digest(parts.join("\0"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
