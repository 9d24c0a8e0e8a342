//! What holds for any answer.

use super::*;
use proptest::prelude::*;

/// Pieces that typography, surrogate pairs and combining marks make hard.
fn some_text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "I like tea",
        "don’t",
        "don't",
        " ",
        "\u{a0}",
        "\n\n",
        "…",
        "...",
        "🚀",
        "👩‍🚀",
        "é",
        "e\u{301}",
        "語",
        "“",
        "\"",
        "—",
        "-",
        "\u{200b}",
        "\u{fe0f}",
        "x",
        "<",
        "İ",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_panics(answer in ".*", quote in ".*", subject in ".*", day in ".*", n in any::<i64>()) {
        let turns = conversation();
        let turns: Vec<&Turn> = turns.iter().collect();
        let input = input(&turns, &[]);
        let _ = read(&answer, &input, &turns);
        let fact = with(json!({"quote": quote, "subject": subject, "valid_from": day, "turn": n}));
        let reading = read(&json!({"facts": [fact]}).to_string(), &input, &turns).unwrap();
        prop_assert_eq!(reading.proposals.len() + reading.refused.len(), 1);
    }

    #[test]
    fn the_quote_of_every_proposal_stands_in_its_turn(
        texts in prop::collection::vec((some_text(), 0..3), 1..4),
        quotes in prop::collection::vec((some_text(), 0_i64..5), 1..6),
    ) {
        let roles = [Role::User, Role::Assistant, Role::Tool];
        let turns: Vec<Turn> = (0..)
            .zip(&texts)
            .map(|(index, (text, role))| turn(index, roles[*role as usize], text))
            .collect();
        let turns: Vec<&Turn> = turns.iter().collect();
        let input = input(&turns, &[]);
        let facts: Vec<Value> = quotes
            .iter()
            .map(|(quote, n)| with(json!({"quote": quote, "turn": n})))
            .collect();
        let reading = read(&json!({"facts": facts}).to_string(), &input, &turns).unwrap();
        for proposal in &reading.proposals {
            let evidence = &proposal.evidence;
            let turn = turns[evidence.turn.index as usize];
            prop_assert_eq!(turn.role, Role::User);
            prop_assert!(!evidence.quote.is_empty());
            prop_assert_eq!(utf16_slice(&turn.text(), evidence), evidence.quote.clone());
        }
        // A quote copied exactly from the only user's turn that has it is found.
        for (index, (quote, n)) in quotes.iter().enumerate() {
            let letters = quote.chars().filter(|c| c.is_alphanumeric()).count();
            let named = input.turns.get(&(*n as u32)).map(|id| turns[id.index as usize]);
            let holds = named.is_some_and(|t| t.role == Role::User && t.text().contains(quote.trim()));
            if letters >= 2 && holds {
                prop_assert!(reading.refused.iter().all(|refusal| refusal.index != index));
            }
        }
    }
}
