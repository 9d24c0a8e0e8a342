//! The score of a turn: its own words and meaning, those of the turns around it, its session, who spoke and when.

use super::{Ranking, Scored, Signals, adding};
use crate::model::{RecordRef, TurnId};

impl Ranking<'_> {
    /// The best piece of a turn, and which one it is.
    pub(super) fn turn(&self, id: TurnId) -> (usize, Signals) {
        let weights = self.query.weights;
        let docs = self.corpus.documents_of(RecordRef::Turn(id));
        let pieces = docs.map(|doc| self.document(doc)).enumerate();
        let better = |best: (usize, Signals), piece: (usize, Signals)| {
            if piece.1.strength(weights) > best.1.strength(weights) {
                piece
            } else {
                best
            }
        };
        pieces.reduce(better).unwrap_or_default()
    }

    pub(super) fn turn_passes(&self, id: TurnId) -> bool {
        // The turn of a fact's quote may be gone.
        let turn = self.corpus.turns.get(&id);
        turn.is_some_and(|turn| self.passes(self.turn(id).1, self.days_bonus(&turn.days[..1])))
    }

    pub(super) fn turn_parts(&self, id: TurnId, own: Signals) -> Scored {
        let weights = self.query.weights;
        let turn = &self.corpus.turns[&id];
        let signals = |id: Option<TurnId>| id.map(|id| self.turn(id).1).unwrap_or_default();
        let (before, after) = (self.corpus.before(id), self.corpus.after(id));
        let earlier = before.and_then(|id| self.corpus.before(id));
        let later = after.and_then(|id| self.corpus.after(id));
        let asks_before = before.is_some_and(|id| self.corpus.turns[&id].asks);
        let if_asked = f32::from(u8::from(asks_before));
        let [near_before, said_before, said_after, near_after] =
            [earlier, before, after, later].map(signals);
        let coverage_near = |signals: Signals| weights.coverage_near * signals.coverage;
        let parts = [
            ("coverage", weights.coverage * own.coverage),
            (
                "coverage_before",
                weights.coverage_before * said_before.coverage,
            ),
            (
                "coverage_asked",
                weights.coverage_asked * said_before.coverage * if_asked,
            ),
            (
                "coverage_after",
                weights.coverage_after * said_after.coverage,
            ),
            (
                "coverage_near",
                coverage_near(near_before) + coverage_near(near_after),
            ),
            ("meaning", weights.meaning * own.meaning()),
            (
                "meaning_before",
                weights.meaning_before * said_before.meaning(),
            ),
            (
                "meaning_asked",
                weights.meaning_asked * said_before.meaning() * if_asked,
            ),
            (
                "meaning_after",
                weights.meaning_after * said_after.meaning(),
            ),
            (
                "meaning_near",
                weights.meaning_near * (near_before.meaning() + near_after.meaning()),
            ),
            (
                "session",
                weights.session * self.matches.session(turn.session),
            ),
            (
                "speaker",
                if self.question.meant.named == Some(turn.voice) {
                    weights.speaker
                } else {
                    0.0
                },
            ),
            (
                "asker",
                if self.question.meant.implied == Some(turn.voice) {
                    weights.asker
                } else {
                    0.0
                },
            ),
            ("length", weights.length * (1.0 + turn.n_terms as f32).ln()),
            ("asks", if turn.asks { weights.asks } else { 0.0 }),
        ];
        let share = |signals: Signals| signals.coverage.max(signals.meaning().abs());
        let beside = adding([
            (earlier, share(near_before)),
            (before, share(said_before)),
            (after, share(said_after)),
            (later, share(near_after)),
        ]);
        let common = self.common_parts(RecordRef::Turn(id), &turn.days, turn.form, turn.at);
        (parts.into_iter().chain(common).collect(), beside)
    }
}
