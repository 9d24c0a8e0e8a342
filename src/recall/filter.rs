//! Which records a question is put to.

use super::corpus::Corpus;
use crate::model::{Confidence, FactType, Origin, RecordRef, SessionId};
use crate::time::Timestamp;

/// What may be recalled. The default lets everything through.
///
/// The user and the project are no filter: a corpus holds one namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Facts of these types, and neither turns nor files; empty for everything.
    pub types: Vec<FactType>,
    /// From these sources; empty for all. A turn's source is who spoke it; a file's is the assistant, whose notes they are.
    pub origins: Vec<Origin>,
    /// Facts at least so sure. Turns are what was said, and pass.
    pub least_confidence: Option<Confidence>,
    /// Said in these sessions; empty for all.
    pub sessions: Vec<SessionId>,
    /// Said at this moment or later; facts, valid from then or later.
    pub since: Option<Timestamp>,
    /// Said before this moment.
    pub until: Option<Timestamp>,
    /// As it was known at this moment: nothing that was recorded later, and no later correction of what was.
    pub known_on: Option<Timestamp>,
}

impl Filter {
    /// What [`super::Query::new`] uses.
    pub const NONE: Filter = Filter {
        types: Vec::new(),
        origins: Vec::new(),
        least_confidence: None,
        sessions: Vec::new(),
        since: None,
        until: None,
        known_on: None,
    };

    pub(super) fn is_none(&self) -> bool {
        *self == Filter::NONE
    }

    /// Whether a record may be returned.
    pub(super) fn allows(&self, corpus: &Corpus, record: RecordRef) -> bool {
        let (said_at, recorded_at, origin) = match record {
            RecordRef::Turn(id) => {
                let Some(turn) = corpus.turns.get(id) else {
                    return false;
                };
                if !self.types.is_empty() {
                    return false;
                }
                (turn.at, turn.at, turn.origin)
            }
            RecordRef::Fact(id) => {
                let Some(fact) = corpus.facts.get(&id) else {
                    return false;
                };
                let of_type = self.types.is_empty() || self.types.contains(&fact.fact_type);
                let is_sure = self
                    .least_confidence
                    .is_none_or(|least| fact.confidence >= least);
                if !of_type || !is_sure {
                    return false;
                }
                (fact.times.valid_from, fact.times.recorded_at, fact.origin)
            }
            RecordRef::File(id) => {
                let Some(file) = corpus.files.get(&id) else {
                    return false;
                };
                if !self.types.is_empty() {
                    return false;
                }
                (file.at, file.at, Origin::Assistant)
            }
        };
        let from = |known: &[SessionId]| {
            let session = corpus.session_of(record);
            session.is_some_and(|session| known.contains(&session))
        };
        (self.origins.is_empty() || self.origins.contains(&origin))
            && (self.sessions.is_empty() || from(&self.sessions))
            && self
                .since
                .is_none_or(|since| said_at.unix_ms >= since.unix_ms)
            && self
                .until
                .is_none_or(|until| said_at.unix_ms < until.unix_ms)
            && is_known(recorded_at, self.known_on)
    }
}

/// Whether what happened at a moment was known on another.
pub(super) fn is_known(at: Timestamp, on: Option<Timestamp>) -> bool {
    on.is_none_or(|on| at.unix_ms <= on.unix_ms)
}
