//! From proposals to changes: join, replace or insert.
//!
//! Nothing is merged away. A proposal that says what is known raises a proof count; one that
//! replaces a known fact becomes a new version linked to the old one; any other is a new fact.
//! Where it is not plain that two facts are versions of one thing, both stay current:
//! a conflict with dates can be read, a lost fact can not.

use super::{Proposal, fold, versions};
use crate::batch::Op;
use crate::model::{Evidence, Fact, FactId, Record, TurnId};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// The changes that make `proposals` known.
///
/// `known` are the stored facts that a proposal could repeat or replace, best with their
/// superseded and stale versions: those keep an old job that runs late, or twice, from bringing
/// back what no longer holds. `now` becomes `recorded_at`, and `new_id` names new facts.
///
/// The rules, for each proposal in the order of the conversation:
/// 1. It says the same as a current fact: same subject, same [folded](fold) statement. The fact's proof
///    count grows if the turn is later than the one that proved it last, and that turn becomes its
///    evidence; so a turn never counts twice. Across sessions "later" means in the order of turn
///    ids, which may leave a proof uncounted and never counts one twice.
/// 2. It says the same as a superseded or stale fact, and was said before that ended: it is proof of
///    the past. Or it is only other words for the very quote of a stored fact. Nothing becomes current by it.
/// 3. It names a fact in `supersedes`: the newest version of that fact is superseded if it has the same
///    subject and the same type or attribute. If the newest version is not the named one, the
///    attribute must agree. If the proposal was said before that version, it takes its place behind it.
/// 4. Else it is a new fact.
///
/// The same proposals again, after the changes were applied, change nothing. For that, the
/// proposals of one call must come from one session, as those of one job do.
pub fn resolve(
    mut proposals: Vec<Proposal>,
    known: &[&Fact],
    now: Timestamp,
    mut new_id: impl FnMut() -> FactId,
) -> Vec<Op> {
    proposals.sort_by_key(|proposal| (proposal.evidence.turn, proposal.evidence.start));
    let proposals: Vec<(Key, Proposal)> = proposals
        .into_iter()
        .map(|p| (Key::new(&p.subject, &p.attribute, &p.statement), p))
        .collect();
    let mut shelf = Shelf::new(known);
    let reworded = shelf.reworded(&proposals);
    for ((key, proposal), is_reworded) in proposals.into_iter().zip(reworded) {
        if is_reworded || shelf.was_recorded(&key, &proposal) {
            continue;
        }
        match shelf.repeated(&key, &proposal) {
            Some(at) => shelf.join(at, &key, &proposal),
            None => shelf.add(key, proposal, new_id(), now),
        }
    }
    shelf.into_ops()
}

/// What is compared, folded once.
struct Key {
    subject: String,
    attribute: String,
    statement: String,
}

impl Key {
    fn new(subject: &str, attribute: &str, statement: &str) -> Key {
        Key {
            subject: fold(subject),
            attribute: fold(attribute),
            statement: fold(statement),
        }
    }

    /// Whether both say the same. Type and attribute are labels that an extractor may choose anew for the
    /// same sentence, so they do not count. It has to be an equivalence: otherwise one sentence
    /// could belong to two facts, and to another one each time it is read.
    fn says(&self, other: &Key) -> bool {
        self.subject == other.subject && self.statement == other.statement
    }
}

/// The facts as they will be, and how each differs from what is stored.
struct Shelf {
    places: Vec<Place>,
    by_id: BTreeMap<FactId, usize>,
    /// The first so many places were stored before.
    n_stored: usize,
}

struct Place {
    key: Key,
    fact: Fact,
    change: Change,
    /// The turn that proved it last, if that happened in this call.
    news: Option<TurnId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    New,
    Updated,
}

impl Place {
    fn says(&self, key: &Key) -> bool {
        self.key.says(key)
    }

    /// Same type or same attribute.
    fn is_alike(&self, key: &Key, proposal: &Proposal) -> bool {
        self.fact.fact_type == proposal.fact_type || self.key.attribute == key.attribute
    }

    fn rests_on(&self, evidence: &Evidence) -> bool {
        self.fact.evidence.as_ref() == Some(evidence)
    }

    fn touch(&mut self) {
        if self.change == Change::None {
            self.change = Change::Updated;
        }
    }
}

impl Shelf {
    fn new(known: &[&Fact]) -> Shelf {
        let mut shelf = Shelf {
            places: Vec::with_capacity(known.len()),
            by_id: BTreeMap::new(),
            n_stored: 0,
        };
        for fact in known {
            if !shelf.by_id.contains_key(&fact.id) {
                let key = Key::new(&fact.subject, &fact.attribute, &fact.statement);
                shelf.push(key, (*fact).clone(), Change::None);
            }
        }
        shelf.n_stored = shelf.places.len();
        shelf
    }

    fn push(&mut self, key: Key, fact: Fact, change: Change) -> usize {
        let at = self.places.len();
        self.by_id.insert(fact.id, at);
        self.places.push(Place {
            key,
            fact,
            change,
            news: None,
        });
        at
    }

    /// The proposal is one more proof of the fact at `at`, and may say that it replaced another one.
    fn join(&mut self, at: usize, key: &Key, proposal: &Proposal) {
        self.confirm(at, proposal);
        if let Some(old) = self.replaced(key, proposal)
            && old != at
            && self.may_succeed(at, proposal)
            && !self.said_before(proposal, old)
        {
            self.supersede(old, at);
        }
    }

    /// The proposal is a new fact, perhaps a version of a known one: its newest, or an older one that was read late.
    fn add(&mut self, key: Key, proposal: Proposal, id: FactId, now: Timestamp) {
        let replaced = self.replaced(&key, &proposal);
        let is_late = replaced.is_some_and(|newest| self.said_before(&proposal, newest));
        let at = self.insert(key, proposal.into_fact(id, now));
        match replaced {
            Some(newest) if is_late => {
                self.places[at].fact.superseded_by = Some(self.places[newest].fact.id);
            }
            Some(newest) => self.supersede(newest, at),
            None => {}
        }
    }

    fn insert(&mut self, key: Key, fact: Fact) -> usize {
        let news = fact.evidence.as_ref().map(|evidence| evidence.turn);
        let at = self.push(key, fact, Change::New);
        self.places[at].news = news;
        at
    }

    fn get(&self, id: FactId) -> Option<&Fact> {
        self.by_id.get(&id).map(|at| &self.places[*at].fact)
    }

    /// Whether an earlier run stored this very proposal, whatever became of the fact since.
    fn was_recorded(&self, key: &Key, proposal: &Proposal) -> bool {
        self.places[..self.n_stored]
            .iter()
            .any(|place| place.says(key) && place.rests_on(&proposal.evidence))
    }

    /// The fact that the proposal repeats: a current one, or one that ended after it was said.
    fn repeated(&self, key: &Key, proposal: &Proposal) -> Option<usize> {
        let same = || (0..self.places.len()).filter(|at| self.places[*at].says(key));
        let last_proof = |at: &usize| {
            let evidence = self.places[*at].fact.evidence.as_ref();
            evidence.map(|evidence| evidence.turn)
        };
        same()
            .find(|at| self.places[*at].fact.is_current())
            .or_else(|| {
                same()
                    .filter(|at| self.ended_after(proposal, &self.places[*at].fact))
                    .max_by_key(last_proof)
            })
    }

    /// Whether a fact that is not current any more still was when the proposal was said.
    /// What the very turn says that ended it, still belongs to what it ended.
    fn ended_after(&self, proposal: &Proposal, fact: &Fact) -> bool {
        let said = proposal.evidence.turn;
        let not_after = |evidence: &Evidence| {
            evidence.turn.session == said.session && said.index <= evidence.turn.index
        };
        let successor = fact.superseded_by.and_then(|id| self.get(id));
        // A fact holds from when it was said or earlier, so before `valid_from` is before it was said.
        fact.evidence.as_ref().is_some_and(not_after)
            || successor.is_some_and(|newer| {
                proposal.said_at.unix_ms < newer.valid_from.unix_ms
                    || newer.evidence.as_ref().is_some_and(not_after)
            })
            || fact
                .stale
                .as_ref()
                .is_some_and(|stale| proposal.said_at.unix_ms < stale.at.unix_ms)
    }

    /// Which proposals only find other words for a stored fact: read from the same quote of the same
    /// turn, about the same subject, and of the same type or attribute.
    ///
    /// One fact answers for one sentence, because a quote may hold two facts; and a fact that
    /// some proposal repeats word for word answers for that one.
    fn reworded(&self, proposals: &[(Key, Proposal)]) -> Vec<bool> {
        let is_repeated = |at: &usize| proposals.iter().any(|(key, _)| self.places[*at].says(key));
        let mut free: Vec<usize> = (0..self.places.len())
            .filter(|at| !is_repeated(at))
            .collect();
        let mut reworded: Vec<bool> = Vec::with_capacity(proposals.len());
        for (n, (key, proposal)) in proposals.iter().enumerate() {
            let same = |other: &(Key, Proposal)| other.0.says(key);
            if let Some(first) = proposals[..n].iter().position(same) {
                reworded.push(reworded[first]);
                continue;
            }
            // Said in two places, or stored in these words: no mere rewording.
            let stands_alone = proposals
                .iter()
                .filter(|other| same(other))
                .all(|(_, other)| other.evidence == proposal.evidence)
                && !self.places.iter().any(|place| place.says(key));
            let found = free.iter().position(|at| {
                let place = &self.places[*at];
                place.rests_on(&proposal.evidence)
                    && place.key.subject == key.subject
                    && place.is_alike(key, proposal)
            });
            reworded.push(stands_alone && found.is_some());
            if stands_alone && let Some(found) = found {
                free.remove(found);
            }
        }
        reworded
    }

    /// The newest version of the fact that the proposal names, if the two are about one thing.
    fn replaced(&self, key: &Key, proposal: &Proposal) -> Option<usize> {
        let named = proposal.supersedes?;
        let newest = versions::newest(named, |id| self.get(id))?;
        if newest.superseded_by.is_some() {
            // Its successor is not at hand, so the link may not be overwritten.
            return None;
        }
        let at = self.by_id[&newest.id];
        let place = &self.places[at];
        let alike = if newest.id == named {
            place.is_alike(key, proposal)
        } else {
            place.key.attribute == key.attribute
        };
        (alike && place.key.subject == key.subject).then_some(at)
    }

    /// Whether the proposal is certainly older than the fact: by the clock, or by its place in one session.
    fn said_before(&self, proposal: &Proposal, at: usize) -> bool {
        let fact = &self.places[at].fact;
        let said = proposal.evidence.turn;
        proposal.said_at.unix_ms < fact.valid_from.unix_ms
            || fact.evidence.as_ref().is_some_and(|evidence| {
                evidence.turn.session == said.session && said.index < evidence.turn.index
            })
    }

    /// Whether a known fact can take the place of another one on the strength of the proposal: only if the
    /// proposal was news for it. What is read again replaces nothing.
    fn may_succeed(&self, at: usize, proposal: &Proposal) -> bool {
        let place = &self.places[at];
        place.fact.is_current() && place.news == Some(proposal.evidence.turn)
    }

    fn confirm(&mut self, at: usize, proposal: &Proposal) {
        let place = &mut self.places[at];
        let last = place.fact.evidence.as_ref().map(|evidence| evidence.turn);
        if last.is_none_or(|last| last < proposal.evidence.turn) {
            place.fact.proof_count = place.fact.proof_count.saturating_add(1);
            place.fact.evidence = Some(proposal.evidence.clone());
            place.news = Some(proposal.evidence.turn);
            place.touch();
        }
    }

    fn supersede(&mut self, old: usize, new: usize) {
        let (old_id, new_id) = (self.places[old].fact.id, self.places[new].fact.id);
        self.places[old].fact.superseded_by = Some(new_id);
        self.places[old].touch();
        if self.places[new].fact.supersedes.is_none() {
            self.places[new].fact.supersedes = Some(old_id);
            self.places[new].touch();
        }
    }

    fn into_ops(self) -> Vec<Op> {
        self.places
            .into_iter()
            .filter_map(|place| match place.change {
                Change::None => None,
                Change::New => Some(Op::Insert(Record::Fact(place.fact))),
                Change::Updated => Some(Op::Put(Record::Fact(place.fact))),
            })
            .collect()
    }
}
