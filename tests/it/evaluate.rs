//! The person's own judgements, and what an evaluation makes of them and of questions with known answers.

use crate::world::*;
use onhand::error::Error;
use onhand::memory::{Cancel, Evaluation, Memory, SpokenTurn};
use onhand::model::{Kind, RecordRef, Role, TurnId};
use onhand::recall::Level;
use onhand::recall::evaluation::Fault;
use serde_json::json;

const NOTES: [&str; 6] = [
    "The boat is called Aurora and lies in Rostock.",
    "My sister Ines studies medicine in Porto.",
    "The budget for the new kitchen is 5,000 euros.",
    "I am allergic to peanuts.",
    "We take the train to Vienna in March.",
    "The dentist moved my appointment.",
];

/// Each note in a session of its own.
fn noted(world: &World) -> (Memory<TestPorts>, Vec<RecordRef>) {
    let memory = world.open();
    let turns = NOTES.map(|text| {
        let turn = SpokenTurn {
            role: Role::User,
            text: text.into(),
        };
        let (_, turns) = pollster::block_on(memory.remember(None, &[turn])).unwrap();
        RecordRef::Turn(turns[0])
    });
    (memory, turns.into())
}

fn judge(memory: &Memory<TestPorts>, query: &str, record: RecordRef, good: Option<bool>) {
    pollster::block_on(memory.judge(query, record, good)).unwrap();
}

fn evaluate(memory: &Memory<TestPorts>, questions: Option<&str>) -> Evaluation {
    pollster::block_on(memory.evaluate(questions, &Cancel::default(), |_, _| {})).unwrap()
}

#[test]
fn judgements_are_kept_replaced_and_taken_back() {
    let world = World::new();
    let (memory, notes) = noted(&world);
    judge(&memory, "boat?", notes[0], Some(false));
    world.clock.pass(1_000);
    judge(&memory, "boat?", notes[0], Some(true));
    world.clock.pass(1_000);
    judge(&memory, "boat?", notes[1], Some(false));
    judge(&memory, "kitchen?", notes[2], Some(true));
    judge(&memory, "kitchen?", notes[2], None);
    judge(&memory, "never judged", notes[2], None);
    // As another page finds them.
    let found = pollster::block_on(world.open().judgements()).unwrap();
    let said: Vec<_> = found
        .iter()
        .map(|j| (j.query.as_str(), j.record, j.good))
        .collect();
    assert_eq!(
        said,
        [("boat?", notes[0], true), ("boat?", notes[1], false)]
    );
    assert_eq!(found[0].at.unix_ms, START_MS + 1_000);
}

#[test]
fn what_can_not_be_judged_is_refused_and_nothing_is_written() {
    let world = World::new();
    let (memory, notes) = noted(&world);
    let judge = |query, record| pollster::block_on(memory.judge(query, record, Some(true)));
    assert!(matches!(
        judge(" ", notes[0]),
        Err(Error::InvalidInput { field: "query", .. })
    ));
    let RecordRef::Turn(id) = notes[0] else {
        unreachable!()
    };
    let nowhere = RecordRef::Turn(TurnId { index: 7, ..id });
    assert!(matches!(
        judge("boat?", nowhere),
        Err(Error::NotFound { .. })
    ));
    *world.store.writes_fail.borrow_mut() = Some(Error::QuotaExceeded {
        message: "full".into(),
    });
    assert!(matches!(
        judge("boat?", notes[0]),
        Err(Error::QuotaExceeded { .. })
    ));
    assert_eq!(world.n_stored(Kind::Judgement), 0);
}

#[test]
fn thumbs_become_figures() {
    let world = World::new();
    let (memory, notes) = noted(&world);
    judge(&memory, "What is our boat called?", notes[0], Some(true));
    judge(&memory, "What is our boat called?", notes[4], Some(false));
    judge(&memory, "Where does Ines study?", notes[1], Some(true));
    // Only a thumb down: it is not known what would have been right.
    judge(&memory, "zebra crossing", notes[5], Some(false));
    let found = evaluate(&memory, None);
    assert_eq!(found.problems, []);
    assert_eq!(found.embedder, Some(table_id()));
    let figures = &found.report.by_category["judged"];
    assert_eq!(figures.n, 2);
    assert_eq!(
        (
            figures.recall_at(1),
            figures.reciprocal_rank,
            figures.ndcg_at_10
        ),
        (1.0, 1.0, 1.0)
    );
    let share = found.thresholds.sweep()[0].share;
    assert_eq!((share.n_right, share.n_wanted), (2, 2));
    assert!(
        share.n_wrong <= 2,
        "what nobody judged is not wrong: {share:?}"
    );
    assert_eq!(found.thresholds.levels()[0].raised, None);
}

#[test]
fn a_query_is_asked_as_of_its_judgement() {
    let world = World::new();
    let memory = world.open();
    let mut said = Vec::new();
    // A walk every day: nothing but the day tells them apart.
    for day in 0..6 {
        let text = format!(
            "We walked to the {}.",
            ["mill", "lake", "tower", "market", "bridge", "harbour"][day]
        );
        let turn = SpokenTurn {
            role: Role::User,
            text,
        };
        let (_, turns) = pollster::block_on(memory.remember(None, &[turn])).unwrap();
        said.push(RecordRef::Turn(turns[0]));
        world.clock.pass(DAY_MS);
    }
    // Said on the seventh day: yesterday was the sixth.
    judge(&memory, "Where did we walk yesterday?", said[5], Some(true));
    world.clock.pass(100 * DAY_MS);
    assert_eq!(evaluate(&memory, None).report.all.recall_at(1), 1.0);
}

#[test]
fn questions_are_asked_and_every_bad_line_is_listed() {
    let world = World::new();
    let (memory, notes) = noted(&world);
    let unknown = notes[0].to_string().replace("00000000", "00000009");
    let line = |value: serde_json::Value| value.to_string();
    let text = [
        line(json!({"query": "What is our boat called?", "evidence": [notes[0]], "category": "names"})),
        "{oops".into(),
        String::new(),
        line(json!({"query": "How much may the kitchen cost?", "evidence": [notes[2]], "category": "numbers"})),
        line(json!({"query": "Gone?", "evidence": [notes[1], unknown]})),
        line(json!({"query": "Xylophone?", "evidence": []})),
    ]
    .join("\n");
    let found = evaluate(&memory, Some(&text));
    let faults: Vec<_> = found
        .problems
        .iter()
        .map(|p| (p.line, p.fault.name()))
        .collect();
    assert_eq!(faults, [(2, "not_json"), (5, "unknown_record")]);
    assert!(
        matches!(&found.problems[1].fault, Fault::UnknownRecord(record) if record.to_string() == unknown)
    );
    let by_category: Vec<_> = found.report.by_category.iter().collect();
    assert_eq!(by_category.len(), 2, "{by_category:?}");
    assert_eq!(found.report.all.recall_at(5), 1.0);
    let raised = found.thresholds.levels();
    assert_eq!(raised[0].level, Level::Loose);
    assert_eq!(raised[2].raised, Some(0.0), "nobody spoke of a xylophone");
    assert_eq!(world.n_stored(Kind::Judgement), 0, "nothing is written");
}

#[test]
fn a_turn_whose_fact_came_up_is_found() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says("Noted."));
    let sent = send(&memory, None, "my boat is called Aurora").0.unwrap();
    world.line.0.will(extracted(json!([fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Aurora",
        "my boat is called Aurora"
    )])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let turn = RecordRef::Turn(sent.turns[0]);
    let fact = RecordRef::Fact(memory.facts()[0].id);
    let text = json!({"query": "What is my boat called?", "evidence": [turn, fact]}).to_string();
    let figures = evaluate(&memory, Some(&text)).report.all;
    assert_eq!((figures.recall_at(1), figures.ndcg_at_10), (1.0, 1.0));
}

#[test]
fn others_get_their_turn_and_it_can_be_cancelled() {
    let world = World::new();
    let (memory, notes) = noted(&world);
    let line = json!({"query": "What is our boat called?", "evidence": [notes[0]]}).to_string();
    let text = vec![line; 40].join("\n");
    let mut told = Vec::new();
    let cancel = Cancel::default();
    let run = memory.evaluate(Some(&text), &cancel, |done, total| told.push((done, total)));
    assert_eq!(pollster::block_on(run).unwrap().report.all.n, 40);
    assert_eq!(told, [(0, 40), (16, 40), (32, 40), (40, 40)]);
    assert_eq!(*world.clock.0.slept.borrow(), [0, 0]);

    let run = memory.evaluate(Some(&text), &cancel, |done, _| {
        if done == 16 {
            cancel.cancel();
        }
    });
    assert_eq!(pollster::block_on(run), Err(Error::Cancelled));
    memory.close();
    let cancel = Cancel::default();
    let run = memory.evaluate(None, &cancel, |_, _| {});
    assert_eq!(pollster::block_on(run), Err(Error::Closed));
}

#[test]
fn without_an_embedder_it_says_so() {
    let world = World::new();
    let (_, notes) = noted(&world);
    let text = json!({"query": "What is our boat called?", "evidence": [notes[0]]}).to_string();
    let found = evaluate(&world.open_with(false), Some(&text));
    assert_eq!((found.embedder, found.n_by_words), (None, 1));
    assert_eq!(found.report.all.recall_at(1), 1.0);
}
