//! Two stories that the whole product is measured by.

use super::vectors::{embed_all, stand_in_spec, stand_in_vector};
use super::*;

const UNRELATED_TURNS: &[&str] = &[
    "Can you help me write a cover letter?",
    "Sure. Tell me about the position and your experience.",
    "It is a data engineering role at a logistics company.",
    "Here is a draft that stresses your work on pipelines.",
    "How do I remove a background process in Linux?",
    "Find its number with ps and end it with kill.",
    "What is the difference between a mutex and a semaphore?",
    "A mutex has one owner, a semaphore counts permits.",
    "My bike makes a clicking noise when I pedal hard.",
    "Check the bottom bracket and the chainring bolts first.",
    "I want to read more history this year.",
    "You could start with a short book on the Hanse.",
    "Translate this sentence into Portuguese for me.",
    "Of course, which sentence is it?",
    "The train to Lyon leaves at seven in the morning.",
    "Then plan to be at the station twenty minutes earlier.",
];

const UNRELATED_FACTS: &[(&str, &str)] = &[
    ("editor", "Uses Helix as the editor"),
    ("language", "Writes most code in Rust"),
    ("home", "Lives in Ghent"),
    ("commute", "Rides a bike to the office"),
    ("sport", "Climbs twice a week"),
    ("coffee", "Drinks espresso without sugar"),
    ("meeting time", "Prefers meetings before noon"),
    ("sister", "Sister studies medicine in Porto"),
    ("lease", "The lease of the flat ends in June"),
    ("instrument", "Plays the cello badly"),
    ("reading", "Reads history on paper"),
    ("tests", "Wants property tests for parsers"),
    ("budget", "Keeps the hosting budget under $500"),
    ("deadline", "Quarterly report is due on the 14th"),
    ("phone", "Has an old Pixel"),
];

/// The corpus of the first story, and of the second.
fn chats() -> (Vec<Turn>, Vec<Fact>) {
    let mut turns = vec![
        turn(1, 0, "I'm allergic to peanuts; my kid loves blue"),
        turn(1, 1, "Noted, I will keep both in mind."),
        turn(1, 2, "We run everything on AWS"),
        turn(1, 3, "Good to know, that makes the set-up simple."),
    ];
    let mut facts = vec![
        said_in(
            fact(1, "allergy", "Allergic to peanuts"),
            &turns[0],
            "I'm allergic to peanuts",
        ),
        said_in(
            fact(2, "favourite colour", "My kid loves blue"),
            &turns[0],
            "my kid loves blue",
        ),
        said_in(
            fact(3, "cloud provider", "Runs everything on AWS"),
            &turns[2],
            "We run everything on AWS",
        ),
    ];
    facts[0].fact_type = FactType::Constraint;
    facts[1].subject = "kid".into();
    facts[2].entities = vec!["AWS".into()];
    for (number, (attribute, statement)) in UNRELATED_FACTS.iter().enumerate() {
        facts.push(fact(10 + number as u32, attribute, statement));
    }
    for (index, text) in UNRELATED_TURNS.iter().enumerate() {
        turns.push(turn(2, index as u32, text));
    }
    (turns, facts)
}

fn move_to_gcp(turns: &mut Vec<Turn>, facts: &mut Vec<Fact>) {
    let moved = turn(3, 0, "We moved to GCP last month");
    let mut gcp = said_in(
        fact(50, "cloud provider", "Moved to GCP last month"),
        &moved,
        "We moved to GCP last month",
    );
    gcp.entities = vec!["GCP".into()];
    gcp.supersedes = Some(fact_id(3));
    facts[2].superseded_by = Some(gcp.id);
    turns.push(moved);
    facts.push(gcp);
}

/// The same chats without an embedder and with one.
fn corpora(turns: &[Turn], facts: &[Fact]) -> [(Corpus, bool); 2] {
    let mut embedded = Corpus::new(Some(stand_in_spec()));
    turns.iter().for_each(|turn| drop(embedded.add_turn(turn)));
    facts.iter().for_each(|fact| drop(embedded.add_fact(fact)));
    embed_all(&mut embedded);
    [(corpus_of(turns, facts), false), (embedded, true)]
}

fn recall(corpus: &Corpus, text: &str, with_vector: bool) -> Recollection {
    let vector = stand_in_vector(text);
    corpus.recall(&Query {
        vector: with_vector.then_some(&vector[..]),
        ..ask(text)
    })
}

#[test]
fn a_cake_for_the_kid_brings_the_allergy_said_in_the_same_breath() {
    let (turns, facts) = chats();
    for (corpus, with_vector) in corpora(&turns, &facts) {
        let found = recall(
            &corpus,
            "birthday cake ideas for my kid on Saturday?",
            with_vector,
        );
        let records = records(&found);
        assert_eq!(
            records[..2].iter().copied().collect::<HashSet<_>>(),
            [fact_ref(1), fact_ref(2)].into()
        );
        assert!(
            !records.contains(&turn_ref(1, 0)),
            "the facts say all of their turn"
        );
        assert!(!records.contains(&fact_ref(3)), "{records:?}");
    }
}

#[test]
fn the_present_cloud_comes_first_and_carries_the_former_one() {
    let (mut turns, mut facts) = chats();
    move_to_gcp(&mut turns, &mut facts);
    for (corpus, with_vector) in corpora(&turns, &facts) {
        // "Where do we deploy?" has one word, and only meaning connects it with a cloud.
        let questions: &[&str] = if with_vector {
            &["where do we deploy?", "which cloud are we on?"]
        } else {
            &["which cloud are we on?", "do we still run things on AWS?"]
        };
        for question in questions {
            let found = recall(&corpus, question, with_vector);
            let first = &found.items[0];
            assert_eq!(first.record, fact_ref(50), "{question} {found:#?}");
            assert_eq!(first.older, [fact_id(3)]);
            let records = records(&found);
            assert!(
                !records.contains(&fact_ref(3)) && !records.contains(&turn_ref(1, 2)),
                "{question} {records:?}"
            );
        }
    }
}

#[test]
fn what_has_nothing_to_do_with_anything_brings_up_nothing() {
    let (turns, facts) = chats();
    for (corpus, with_vector) in corpora(&turns, &facts) {
        for level in [Level::Normal, Level::Strict] {
            let text = "zebra migration patterns";
            let vector = stand_in_vector(text);
            let found = corpus.recall(&Query {
                vector: with_vector.then_some(&vector[..]),
                level,
                ..ask(text)
            });
            assert_eq!(found.items, [], "{level:?}");
        }
    }
}
