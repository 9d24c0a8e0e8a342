//! The versions of one thing known.

use crate::model::{Fact, FactId, Origin, Stale};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// All versions that `id` belongs to, newest first: from the one that nothing supersedes,
/// back along the links.
///
/// Where one version superseded several, the one recorded last comes first. Links to facts that are not in `facts`
/// end the walk there, and a circle of links is walked once. Empty if `id` is not in `facts`.
pub fn history<'a>(id: FactId, facts: &[&'a Fact]) -> Vec<&'a Fact> {
    let by_id: BTreeMap<FactId, &'a Fact> = facts.iter().map(|fact| (fact.id, *fact)).collect();
    let mut superseded: BTreeMap<FactId, BTreeSet<FactId>> = BTreeMap::new();
    for fact in by_id.values() {
        if let Some(newer) = fact.superseded_by {
            superseded.entry(newer).or_default().insert(fact.id);
        }
        if let Some(older) = fact.supersedes {
            superseded.entry(fact.id).or_default().insert(older);
        }
    }

    let Some(newest) = newest(id, |id| by_id.get(&id).copied()) else {
        return Vec::new();
    };
    let mut versions = Vec::new();
    let mut seen = BTreeSet::from([newest.id]);
    let mut waiting = VecDeque::from([newest]);
    while let Some(version) = waiting.pop_front() {
        versions.push(version);
        let older = superseded.get(&version.id).into_iter().flatten();
        let mut older: Vec<&Fact> = older
            .filter_map(|id| by_id.get(id).copied())
            .filter(|fact| seen.insert(fact.id))
            .collect();
        older.sort_by_key(|fact| std::cmp::Reverse((fact.recorded_at.unix_ms, fact.id)));
        waiting.extend(older);
    }
    versions
}

/// The last version reached from `id` by `superseded_by`, as far as `get` knows them.
/// In a circle of links, the last one before it closes.
pub(super) fn newest<'a>(id: FactId, get: impl Fn(FactId) -> Option<&'a Fact>) -> Option<&'a Fact> {
    let mut version = get(id)?;
    let mut seen = BTreeSet::from([id]);
    while let Some(newer) = version.superseded_by.and_then(&get) {
        if !seen.insert(newer.id) {
            break;
        }
        version = newer;
    }
    Some(version)
}

/// The fact, marked as no longer true. What it said, and the evidence for it, stay.
///
/// A fact that is stale already keeps its first mark, which tells since when.
#[must_use]
pub fn mark_stale(fact: &Fact, reason: &str, by: Origin, at: Timestamp) -> Fact {
    let mut marked = fact.clone();
    marked.stale.get_or_insert_with(|| Stale {
        reason: reason.trim().to_owned(),
        by,
        at,
    });
    marked
}

/// The fact without its stale mark: the undo of [`mark_stale`]. A superseded fact stays superseded.
#[must_use]
pub fn restore(fact: &Fact) -> Fact {
    Fact {
        stale: None,
        ..fact.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Confidence, FactType, SUBJECT_USER};

    fn id(n: u128) -> FactId {
        FactId::new(n as i64, n)
    }

    fn fact(n: u128, supersedes: Option<u128>, superseded_by: Option<u128>) -> Fact {
        Fact {
            v: Fact::VERSION,
            id: id(n),
            fact_type: FactType::Decision,
            subject: SUBJECT_USER.into(),
            attribute: "cloud provider".into(),
            statement: format!("version {n}"),
            entities: vec![],
            numbers: vec![],
            evidence: None,
            origin: Origin::Manual,
            confidence: Confidence::High,
            valid_from: Timestamp::utc(0),
            recorded_at: Timestamp::utc(0),
            supersedes: supersedes.map(id),
            superseded_by: superseded_by.map(id),
            stale: None,
            proof_count: 1,
        }
    }

    fn ids(start: u128, facts: &[Fact]) -> Vec<FactId> {
        let facts: Vec<&Fact> = facts.iter().collect();
        let versions = history(id(start), &facts);
        versions.iter().map(|fact| fact.id).collect()
    }

    #[test]
    fn a_chain_reads_newest_first_from_any_of_its_versions() {
        // Ids do not follow the order of the chain: the links decide.
        let facts = [
            fact(5, None, Some(2)),
            fact(2, Some(5), Some(9)),
            fact(9, Some(2), None),
            fact(7, None, None),
        ];
        for start in [5, 2, 9] {
            assert_eq!(ids(start, &facts), [id(9), id(2), id(5)]);
        }
        assert_eq!(ids(7, &facts), [id(7)]);
        assert_eq!(ids(8, &facts), []);
    }

    #[test]
    fn a_version_that_superseded_two_shows_both() {
        let facts = [
            fact(1, None, Some(3)),
            fact(2, None, Some(3)),
            fact(3, Some(1), None),
        ];
        assert_eq!(ids(1, &facts), [id(3), id(2), id(1)]);
    }

    #[test]
    fn circles_and_missing_versions_end_the_walk() {
        let circle = [fact(1, Some(2), Some(2)), fact(2, Some(1), Some(1))];
        assert_eq!(ids(1, &circle), [id(2), id(1)]);
        assert_eq!(ids(1, &[fact(1, Some(1), Some(1))]), [id(1)]);
        let missing = [fact(3, Some(2), None), fact(1, None, Some(2))];
        assert_eq!(ids(3, &missing), [id(3)]);
        assert_eq!(ids(1, &missing), [id(1)]);
    }

    #[test]
    fn a_stale_mark_can_be_taken_back_and_loses_nothing() {
        let current = fact(1, None, None);
        let at = Timestamp::utc(5_000);
        let stale = mark_stale(&current, " moved away ", Origin::Assistant, at);
        assert!(current.is_current() && !stale.is_current());
        let expected = Stale {
            reason: "moved away".into(),
            by: Origin::Assistant,
            at,
        };
        assert_eq!(stale.stale, Some(expected));
        let again = mark_stale(&stale, "other", Origin::User, Timestamp::utc(9_000));
        assert_eq!(again, stale);
        assert_eq!(restore(&stale), current);
        let superseded = fact(1, None, Some(2));
        assert!(!restore(&superseded).is_current());
    }
}
