//! The figures of an evaluation.

use super::evaluation::{Figures, LabelledQuestion, evaluate};
use super::*;

#[test]
fn figures_of_a_ranking() {
    let turns: Vec<Turn> = (1..=12)
        .map(|n| turn(n, 0, &format!("remark number{n}")))
        .collect();
    let corpus = corpus_of(&turns, &[]);
    let ranked: Vec<RecordRef> = (1..=12).map(|n| turn_ref(n, 0)).collect();
    // The second and the eleventh of what is ranked, and one that is not ranked.
    let relevant = [turn_ref(2, 0), turn_ref(11, 0), turn_ref(99, 0)];
    let figures = Figures::of(&corpus, &ranked, &relevant);
    let thirds = [1, 5, 10, 20].map(|depth| (figures.recall_at(depth) * 3.0).round());
    assert_eq!(thirds, [0.0, 1.0, 1.0, 2.0]);
    assert_eq!(
        (
            figures.any_at_10,
            figures.reciprocal_rank,
            figures.session_any_at_5
        ),
        (1.0, 0.5, 1.0)
    );
    let gain = |place: f64| 1.0 / (place + 1.0).log2();
    let expected = gain(2.0) / (gain(1.0) + gain(2.0) + gain(3.0));
    assert!((figures.ndcg_at_10 - expected).abs() < 1e-9);
    // Twice in the list counts once.
    let twice: Vec<RecordRef> = ranked
        .iter()
        .flat_map(|record| [*record, *record])
        .collect();
    assert_eq!(Figures::of(&corpus, &twice, &relevant), figures);
    let nothing = Figures::of(&corpus, &[], &relevant);
    assert_eq!((nothing.recall_at(20), nothing.ndcg_at_10), (0.0, 0.0));
}

#[test]
fn a_report_tells_answered_from_unanswerable() {
    let turns = [
        turn(1, 0, "The heron fishes."),
        turn(2, 0, "The boiler leaks."),
    ];
    let corpus = corpus_of(&turns, &[]);
    let question = |text: &str, category: &str, relevant: &[RecordRef]| LabelledQuestion {
        text: text.into(),
        embedded: None,
        now: Timestamp::utc(100 * DAY_MS),
        category: category.into(),
        relevant: relevant.to_vec(),
    };
    let report = evaluate(
        &corpus,
        &[
            question("Who fishes? The heron?", "birds", &[turn_ref(1, 0)]),
            question("Does the boiler leak?", "house", &[turn_ref(2, 0)]),
            question("Is the heron a boiler?", "house", &[turn_ref(99, 0)]),
            question("Zebra migration?", "none", &[]),
        ],
    );
    assert_eq!(
        (
            report.all.n,
            report.by_category["birds"].n,
            report.by_category["house"].n
        ),
        (3, 1, 2)
    );
    assert_eq!(report.by_category["birds"].recall_at(10), 1.0);
    assert_eq!(report.by_category["house"].recall_at(10), 0.5);
    assert!(
        report
            .sweep
            .is_sorted_by(|a, b| a.threshold < b.threshold && a.answerable >= b.answerable)
    );
    assert_eq!(
        (report.sweep[0].answerable, report.sweep[0].unanswerable),
        (1.0, 1.0)
    );
    let normal = report
        .sweep
        .iter()
        .find(|row| row.threshold >= 0.2)
        .unwrap();
    assert_eq!((normal.answerable, normal.unanswerable), (1.0, 0.0));
}
