//! The score of a turn: its own words and meaning, those of the turns around it, its session, who spoke and when.

use super::{Parts, Ranking, Signals};
use crate::model::RecordRef;
use crate::real;
use crate::recall::turns::{Place, TurnEntry};

/// What is said around a turn: two before it, one before, one after, two after.
fn around(place: Place<'_>) -> [Option<Place<'_>>; 4] {
    let (before, after) = (place.before(), place.after());
    [
        before.and_then(Place::before),
        before,
        after,
        after.and_then(Place::after),
    ]
}

impl Ranking<'_> {
    /// The best piece of a turn, and which one it is.
    pub(super) fn turn(&self, turn: &TurnEntry) -> (usize, Signals) {
        self.best_of(turn.docs.clone())
    }

    pub(super) fn turn_passes(&self, turn: &TurnEntry) -> bool {
        self.passes(self.turn(turn).1, self.days_bonus(Some(turn.day)))
    }

    /// The records around a turn whose share in its score is not nothing.
    pub(super) fn beside_turn(&self, place: Place) -> Vec<RecordRef> {
        let adds = |place: &Place| {
            let signals = self.turn(place.turn()).1;
            signals.coverage.max(signals.meaning().abs()) != 0.0
        };
        let adding = around(place).into_iter().flatten().filter(adds);
        adding.map(|place| RecordRef::Turn(place.id())).collect()
    }

    pub(super) fn turn_parts(&self, place: Place) -> Parts {
        let weights = self.query.weights;
        let turn = place.turn();
        let own = self.turn(turn).1;
        let signals = |place: Option<Place>| {
            let signals = place.map(|place| self.turn(place.turn()).1);
            signals.unwrap_or_default()
        };
        let asks_before = place.before().is_some_and(|before| before.turn().asks);
        let if_asked = f32::from(u8::from(asks_before));
        let [near_before, said_before, said_after, near_after] = around(place).map(signals);
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
            (
                "length",
                weights.length * real::ln(1.0 + turn.n_terms as f32),
            ),
            ("asks", if turn.asks { weights.asks } else { 0.0 }),
        ];
        let common = self.common_parts(turn.docs.clone(), turn.days(), turn.form, turn.at);
        Parts::of(parts.into_iter().chain(common))
    }
}
