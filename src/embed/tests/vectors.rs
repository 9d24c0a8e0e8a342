//! Vectors of texts, and what their cosines say.

use super::*;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct GoldenTable {
    id: String,
    mean: f32,
    sd: f32,
    texts: Vec<GoldenVector>,
}

#[derive(Deserialize)]
struct GoldenVector {
    text: String,
    vector: Option<Vec<f32>>,
}

#[test]
fn vectors_equal_the_reference_reader() {
    let golden: GoldenTable =
        serde_json::from_str(include_str!("../../../tests/golden/static-table.json")).unwrap();
    let table = table();
    assert_eq!(table.id(), format!("{}-words", golden.id));
    assert_eq!(
        table.calibration(),
        Calibration {
            mean: golden.mean,
            sd: golden.sd
        }
    );
    assert!(
        golden
            .texts
            .iter()
            .filter(|golden| golden.vector.is_some())
            .count()
            > 60
    );
    for GoldenVector {
        text,
        vector: expected,
    } in golden.texts
    {
        match (table.embed(&text), expected) {
            (Some(found), Some(expected)) => {
                assert_eq!(found.len(), table.dimensions());
                let cosine = cosine(&found, &expected);
                assert!(cosine >= 0.99999, "{cosine} for {text:?}");
            }
            (found, expected) => assert_eq!(found, expected, "{text:?}"),
        }
    }
}

#[test]
fn texts_without_a_known_piece_have_no_vector() {
    let table = table();
    for text in ["", "   \n", "\u{200b}\u{0}", "𓀀𓀁", &"a".repeat(101)] {
        assert_eq!(table.embed(text), None, "{text:?}");
    }
}

#[test]
fn case_accents_and_spaces_do_not_matter() {
    let table = table();
    assert_eq!(
        table.embed("A  Café in\tZürich"),
        table.embed("a cafe in zurich")
    );
}

/// An anchor, a text about the same thing in other words, and a text about something else that shares words with the anchor
/// or its form.
#[rustfmt::skip]
const TRIPLES: [[&str; 3]; 24] = [
    ["My dog needs to see the vet tomorrow.", "The puppy has an appointment at the animal clinic.", "My car needs new tyres tomorrow."],
    ["I am allergic to peanuts.", "Nuts make me seriously ill, I can't eat them.", "I am thrilled about the concert."],
    ["We chose PostgreSQL for the project.", "The team settled on a relational database.", "We chose red curtains for the bedroom."],
    ["She moved to Lisbon last spring.", "She lives in Portugal now.", "She baked bread last spring."],
    ["He plays the violin in an orchestra.", "He is a musician with the symphony.", "He plays football in the park."],
    ["The deadline is on Friday.", "We have to submit it before the weekend.", "The dog sleeps on the sofa."],
    ["How much does the flight cost?", "What is the price of the plane ticket?", "How deep is the lake?"],
    ["I prefer tea over coffee.", "My favourite hot drink is a cup of Earl Grey tea.", "I prefer trains over buses."],
    ["Our daughter was born in June.", "The baby girl arrived in summer.", "Our invoice was paid in June."],
    ["The server crashed because the disk was full.", "The machine went down when it ran out of storage.", "The waiter dropped a plate of soup."],
    ["He broke his leg while skiing.", "He had an accident on the slopes and fractured a bone.", "He broke the record for long jump."],
    ["I want to learn Spanish.", "Studying a foreign language is my goal this year.", "I want to paint the fence."],
    ["The restaurant was terribly expensive.", "Dinner there cost us a fortune.", "The theatre was pleasantly quiet."],
    ["They got married in September.", "Their wedding took place in autumn.", "They got lost in the forest."],
    ["Please write in a formal tone.", "Use polite, professional language in the letter.", "Please water the plants on the balcony."],
    ["My laptop battery dies quickly.", "The notebook computer needs charging all the time.", "My grandmother walks slowly."],
    ["It rained during the whole holiday.", "The weather was wet on our vacation.", "The speech lasted the whole evening."],
    ["The doctor prescribed antibiotics.", "She was given medicine for the infection.", "The teacher assigned homework."],
    ["We are saving money to buy a house.", "Our budget goes into a deposit for a home.", "We are training to run a marathon."],
    ["The film made me cry.", "That movie was so sad, I was in tears.", "The fire made the room warm."],
    ["Tomatoes and basil grow on my balcony.", "I keep a small vegetable and herb garden.", "Books and letters lie on my desk."],
    ["He quit his job to study medicine.", "He resigned and went to university to become a doctor.", "He closed his window to keep out noise."],
    ["The train to Paris was late.", "Our rail journey to France was delayed.", "The answer to the riddle was simple."],
    ["I usually go jogging before breakfast.", "I run early in the morning.", "I usually go shopping on Saturdays."],
];

#[test]
fn texts_about_the_same_thing_are_nearer() {
    let table = table();
    let embed = |text| table.embed(text).unwrap();
    let wrong: Vec<_> = TRIPLES
        .iter()
        .filter(|[anchor, same, other]| {
            let anchor = embed(anchor);
            cosine(&anchor, &embed(same)) <= cosine(&anchor, &embed(other))
        })
        .collect();
    // A sum of words cannot win all of them; a table with shuffled rows or a wrong sign loses about half.
    assert!(wrong.len() <= 2, "{wrong:#?}");
}

#[test]
fn calibration_describes_unrelated_texts() {
    let table = table();
    let Calibration { mean, sd } = table.calibration();
    let vectors: Vec<_> = TRIPLES
        .iter()
        .map(|triple| table.embed(triple[0]).unwrap())
        .collect();
    let mut cosines = Vec::new();
    for (i, a) in vectors.iter().enumerate() {
        cosines.extend(vectors[..i].iter().map(|b| cosine(a, b)));
    }
    // These are single sentences, which lie below the mean of whole turns, but on the same scale.
    let found = cosines.iter().sum::<f32>() / cosines.len() as f32;
    assert!(
        found < mean && found > mean - 3.0 * sd,
        "{found} for {mean} ± {sd}"
    );
}

proptest! {
    #[test]
    fn any_text_gives_a_unit_vector_or_none(text in "\\PC{0,200}|(?s).{0,200}|[a-zA-Z ,.'!?]{0,2000}") {
        thread_local!(static SHARED: StaticTable = table());
        SHARED.with(|table| {
            let Some(vector) = table.embed(&text) else { return };
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
        });
    }
}
