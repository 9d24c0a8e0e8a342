//! The sign of the code that makes segments.

/// A number that changes with how texts are cut into pieces and words, how their days and forms are read, how they are hashed, and
/// how all that is written: segments of another number are of no use.
///
/// It is the checksum of a segment of made-up records. A test makes that segment and says which number it has now; a start has better
/// things to do. A change that shows in none of the records is told by the version of the program.
pub const SEGMENT_MAKER: u32 = 0xd2f6_2c9e;

#[cfg(test)]
mod tests {
    use super::SEGMENT_MAKER;
    use crate::model::{
        Confidence, Evidence, Fact, FactId, FactType, Origin, Role, SessionId, Turn, TurnId,
    };
    use crate::recall::{Corpus, Draft};
    use crate::time::Timestamp;

    /// What is said in the sample: words with endings, a name, numbers, days, a question, and scripts without spaces.
    const SAID: &str = "Yesterday we were running late for Dr. Müller's appointments, 3.5 km away! Who called on 12 March? \
Die Häuser stehen seit 2019 leer. 昨日、東京で会議がありました。 다음 주 월요일에 만나요.";

    fn make() -> u32 {
        let at = Timestamp {
            unix_ms: 1_795_165_200_000,
            offset_min: 60,
        };
        let turn = Turn {
            v: Turn::VERSION,
            id: TurnId {
                session: SessionId::new(1, 2),
                index: 3,
            },
            role: Role::User,
            speaker: Some("Ines".into()),
            content: vec![serde_json::json!({ "type": "text", "text": SAID.repeat(20) })],
            at,
        };
        let fact = Fact {
            v: Fact::VERSION,
            id: FactId::new(4, 5),
            fact_type: FactType::Decision,
            subject: "Ines Müller".into(),
            attribute: "favourite places".into(),
            statement: SAID.into(),
            entities: vec!["Tokyo".into(), "the house".into()],
            numbers: vec!["3.5 km".into()],
            evidence: Some(Evidence {
                turn: turn.id,
                start: 0,
                end: 9,
                quote: "Yesterday".into(),
            }),
            origin: Origin::User,
            confidence: Confidence::High,
            valid_from: at,
            recorded_at: at,
            supersedes: None,
            superseded_by: None,
            stale: None,
            proof_count: 1,
        };
        let mut corpus = Corpus::new(None);
        corpus.add_turn(&turn);
        corpus.add_fact(&fact);
        let mut draft = Draft::default();
        draft.turns.insert(turn.id, at.unix_ms);
        draft.facts.push(&fact);
        crc32fast::hash(&corpus.write_segment(&draft))
    }

    #[test]
    fn segments_of_another_making_are_told_by_their_number() {
        let number = make();
        assert_eq!(
            SEGMENT_MAKER, number,
            "how segments are made has changed: SEGMENT_MAKER is {number:#010x} now"
        );
    }
}
