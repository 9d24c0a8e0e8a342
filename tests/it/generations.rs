//! A change of embedder: the old vectors serve until the new ones are complete, whatever comes in between.

use crate::world::*;
use onhand::config::EmbedderChoice;
use onhand::embed::CALIBRATION_TEXTS;
use onhand::error::{EmbedderFault, Error};
use onhand::index::Mode;
use onhand::memory::{EmbedderState, Memory, RecallRequest, RecollectedItem, SpokenTurn};
use onhand::model::{Kind, Record, Role};
use onhand::recall::Level;
use onhand::store::{Range, Store};
use std::collections::BTreeMap;
use std::rc::Rc;

/// More than two steps of 64.
const N_TURNS: usize = 150;

/// A history in which one turn is about a boat.
fn talk(memory: &Memory<TestPorts>, n: usize) {
    let turns: Vec<SpokenTurn> = (0..n)
        .map(|i| SpokenTurn {
            role: Role::User,
            text: match i {
                7 => "we painted the boat green".into(),
                _ => format!("note{i} shelf{} drawer{}", i * 31, i * 17),
            },
        })
        .collect();
    pollster::block_on(memory.remember(None, &turns)).unwrap();
}

/// The first three that recall brings up for `query`.
fn first_three(memory: &Memory<TestPorts>, query: &str) -> Vec<RecollectedItem> {
    let request = RecallRequest {
        query: query.into(),
        limit: Some(3),
        level: Level::Loose,
        session: None,
    };
    pollster::block_on(memory.recall(&request)).unwrap().items
}

/// Their words, and by which lanes they came up.
fn recall(memory: &Memory<TestPorts>, query: &str) -> Vec<(String, Vec<&'static str>)> {
    let said = |item: &RecollectedItem| {
        let lanes = item.recalled.lanes.iter().map(|hit| hit.lane.name());
        (item.turn.as_ref().unwrap().text(), lanes.collect())
    };
    first_three(memory, query).iter().map(said).collect()
}

/// Only the tests' own embedder knows what that is.
fn finds_zorblax(memory: &Memory<TestPorts>) -> bool {
    let found = recall(memory, "zorblax");
    found.first().is_some_and(|(text, _)| text.contains("boat"))
}

/// Steps until nothing is left; gives the number of steps.
fn embed_all(memory: &Memory<TestPorts>) -> usize {
    let mut n_steps = 0;
    loop {
        n_steps += 1;
        let step = pollster::block_on(memory.embed_step()).unwrap();
        assert_eq!(step.next_in_ms, None, "{:?}", memory.status().embedder);
        if step.left == 0 {
            return n_steps;
        }
        assert!(n_steps < 1_000, "it does not end");
    }
}

fn step(memory: &Memory<TestPorts>) {
    pollster::block_on(memory.embed_step()).unwrap();
}

/// The stored vectors, counted by embedder.
fn stored(world: &World) -> BTreeMap<String, usize> {
    let (namespace, all) = (namespace(), Range::default());
    let scan = world.store.inner.scan(&namespace, Kind::Vector, &all);
    let mut counted = BTreeMap::new();
    for record in pollster::block_on(scan).unwrap().records {
        let Record::Vector(vector) = record else {
            unreachable!()
        };
        *counted.entry(vector.embedder).or_default() += 1;
    }
    counted
}

fn only(id: &str, n: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([(id.to_string(), n)])
}

/// A world with a history, whose vectors are the built-in embedder's.
fn talked(n: usize) -> World {
    let world = World::new();
    talk(&world.open(), n);
    assert_eq!(stored(&world), only(&table_id(), n));
    world
}

fn opened(world: &World, words: &Rc<Words>) -> Memory<TestPorts> {
    let memory = world.open_for(&words.id);
    memory.adopt(AnyEmbedder::Words(words.clone())).unwrap();
    memory
}

#[test]
fn the_new_generation_takes_over_when_it_is_complete_and_the_old_one_is_deleted() {
    let world = talked(N_TURNS);
    let words = Words::new("words", 64);
    let memory = opened(&world, &words);
    step(&memory);
    let status = memory.status().embedder;
    assert_eq!(status.serving, Some(table_id()));
    assert_eq!(status.chosen.as_deref(), Some("words"));
    let expected = EmbedderState::Embedding {
        done: 64,
        total: N_TURNS,
    };
    assert_eq!(status.state, expected);
    assert!(!finds_zorblax(&memory), "the old one still answers");
    let (text, lanes) = recall(&memory, "what did we paint, the boat?").remove(0);
    assert!(
        text.contains("boat") && lanes.contains(&"dense"),
        "{lanes:?}"
    );

    embed_all(&memory);
    assert_eq!(memory.status().embedder.state, EmbedderState::Ready);
    assert_eq!(memory.status().embedder.serving.as_deref(), Some("words"));
    assert!(finds_zorblax(&memory));
    assert_eq!(stored(&world), only("words", N_TURNS));
}

/// What the likest words are worth to what recall finds first.
fn likest(memory: &Memory<TestPorts>, query: &str) -> Option<f32> {
    let found = first_three(memory, query);
    let parts = found.first()?.recalled.parts.iter();
    let mut likest = parts.filter(|part| part.name == "likest");
    likest.next().map(|part| part.value)
}

#[test]
fn words_are_stored_beside_the_vector_and_go_with_it() {
    let world = talked(20);
    let words = Words::new("words", 64);
    words.gives_words.set(true);
    let memory = opened(&world, &words);
    // Rows of the built-in table until then.
    let rows = likest(&memory, "what did we paint, the boat?");
    embed_all(&memory);
    let part = likest(&memory, "what did we paint, the boat?");
    assert!(part > Some(0.0) && rows > Some(0.0), "{part:?} {rows:?}");
    assert_ne!(part, rows);
    let (namespace, all) = (namespace(), Range::default());
    let scan = world.store.inner.scan(&namespace, Kind::Vector, &all);
    for record in pollster::block_on(scan).unwrap().records {
        let Record::Vector(vector) = record else {
            unreachable!()
        };
        let bytes = vector.words.unwrap();
        assert!(bytes.len() > 3 && bytes[0] == 1, "{bytes:?}");
    }
    drop(memory);
    let memory = opened(&world, &words);
    assert_eq!(likest(&memory, "what did we paint, the boat?"), part);
    assert!(pollster::block_on(memory.check()).unwrap().is_clean());
    drop(memory);

    // Under the built-in embedder nothing is left of them.
    let memory = world.open();
    embed_all(&memory);
    assert_eq!(stored(&world), only(&table_id(), 20));
    assert_eq!(likest(&memory, "what did we paint, the boat?"), rows);
}

#[test]
fn a_reload_goes_on_where_it_was() {
    let world = talked(N_TURNS);
    let first = Words::new("words", 64);
    let memory = opened(&world, &first);
    step(&memory);
    step(&memory);
    drop(memory);

    let second = Words::new("words", 64);
    let memory = opened(&world, &second);
    let expected = EmbedderState::Embedding {
        done: 128,
        total: N_TURNS,
    };
    assert_eq!(memory.status().embedder.state, expected);
    embed_all(&memory);
    assert!(finds_zorblax(&memory));
    let asked = second.asked.borrow();
    let made: Vec<&String> = asked.iter().filter(|text| *text != "zorblax").collect();
    assert_eq!(
        made.len(),
        N_TURNS - 128,
        "nothing is made or measured twice"
    );
    assert_eq!(stored(&world), only("words", N_TURNS));

    // And from then on it serves at once.
    drop(memory);
    let third = Words::new("words", 64);
    let memory = world.open_for("words");
    let status = memory.status().embedder;
    assert_eq!(
        (status.state, status.serving),
        (EmbedderState::Loading, None)
    );
    let adopted = memory.adopt(AnyEmbedder::Words(third.clone()));
    assert_eq!(adopted, Ok(()));
    assert_eq!(memory.status().embedder.serving.as_deref(), Some("words"));
    assert!(finds_zorblax(&memory));
    assert_eq!(*third.asked.borrow(), ["zorblax"]);
}

#[test]
fn switching_back_in_the_middle_leaves_the_old_generation_whole() {
    let world = talked(N_TURNS);
    let words = Words::new("words", 64);
    let memory = opened(&world, &words);
    step(&memory);
    assert_eq!(stored(&world).len(), 2);
    drop(memory);

    let memory = world.open();
    assert_eq!(memory.status().embedder.state, EmbedderState::Ready);
    embed_all(&memory);
    assert_eq!(stored(&world), only(&table_id(), N_TURNS));
    let (_, lanes) = recall(&memory, "what did we paint, the boat?").remove(0);
    assert!(lanes.contains(&"dense"));
}

#[test]
fn switching_back_after_the_end_makes_the_old_generation_again() {
    let world = talked(N_TURNS);
    let words = Words::new("words", 64);
    embed_all(&opened(&world, &words));

    let memory = world.open();
    let state = memory.status().embedder.state;
    assert!(
        matches!(state, EmbedderState::Embedding { done: 0, .. }),
        "{state:?}"
    );
    embed_all(&memory);
    assert_eq!(stored(&world), only(&table_id(), N_TURNS));
    drop(memory);

    // The other one is measured already, but has to fill its generation anew before it serves.
    let again = Words::new("words", 64);
    let memory = opened(&world, &again);
    assert_eq!(memory.status().embedder.serving, Some(table_id()));
    embed_all(&memory);
    assert_eq!(again.asked.borrow().len(), N_TURNS);
    assert!(finds_zorblax(&memory));
}

#[test]
fn from_one_own_embedder_to_another_the_built_in_one_bridges() {
    let world = talked(N_TURNS);
    embed_all(&opened(&world, &Words::new("words", 64)));
    let others = Words::new("other words", 48);
    let memory = opened(&world, &others);
    step(&memory);
    step(&memory);
    assert_eq!(memory.status().embedder.serving, Some(table_id()));
    embed_all(&memory);
    assert!(finds_zorblax(&memory));
    assert_eq!(stored(&world), only("other words", N_TURNS));
}

#[test]
fn what_is_said_meanwhile_is_found_before_and_after() {
    let world = talked(N_TURNS);
    let words = Words::new("words", 64);
    let memory = opened(&world, &words);
    step(&memory);
    let turn = SpokenTurn {
        role: Role::User,
        text: "the alarm code of the cellar is 4471".into(),
    };
    pollster::block_on(memory.remember(None, &[turn])).unwrap();
    for serving in [table_id(), "words".into()] {
        assert_eq!(memory.status().embedder.serving, Some(serving));
        let (text, lanes) = recall(&memory, "the alarm code of the cellar").remove(0);
        assert!(
            text.contains("4471") && lanes.contains(&"dense"),
            "{lanes:?}"
        );
        embed_all(&memory);
    }
    assert_eq!(stored(&world), only("words", N_TURNS + 1));
}

#[test]
fn with_the_new_generation_serving_new_words_are_found_at_once_and_embedded_in_the_background() {
    let world = talked(20);
    let words = Words::new("words", 64);
    let memory = opened(&world, &words);
    embed_all(&memory);
    let turn = SpokenTurn {
        role: Role::User,
        text: "the alarm code of the cellar is 4471".into(),
    };
    pollster::block_on(memory.remember(None, &[turn])).unwrap();
    let (text, lanes) = recall(&memory, "alarm code of the cellar").remove(0);
    assert!(
        text.contains("4471") && !lanes.contains(&"dense"),
        "{lanes:?}"
    );
    assert_eq!(memory.status().embedder.state, EmbedderState::Ready);
    embed_all(&memory);
    let (_, lanes) = recall(&memory, "alarm code of the cellar").remove(0);
    assert!(lanes.contains(&"dense"));
    assert_eq!(stored(&world), only("words", 21));
}

#[test]
fn an_embedder_that_fails_is_shown_left_alone_and_asked_again() {
    use EmbedderFault::*;
    for fault in [Threw, TimedOut, WrongCount, WrongDimensions, NotFinite] {
        let world = talked(N_TURNS);
        let words = Words::new("words", 64);
        let memory = opened(&world, &words);
        step(&memory);
        words.fault.set(Some(fault));
        let step = pollster::block_on(memory.embed_step()).unwrap();
        assert_eq!(step.next_in_ms, Some(5_000), "{fault:?}");
        let state = memory.status().embedder.state;
        let is_shown = matches!(&state, EmbedderState::Failed(Error::EmbedderFailed { fault: shown, .. }) if *shown == fault);
        assert!(is_shown, "{fault:?}: {state:?}");

        let n_asked = words.asked.borrow().len();
        let (_, lanes) = recall(&memory, "what did we paint, the boat?").remove(0);
        assert!(lanes.contains(&"dense"), "the old generation serves on");
        world.clock.pass(4_999);
        pollster::block_on(memory.embed_step()).unwrap();
        assert_eq!(
            words.asked.borrow().len(),
            n_asked,
            "it was asked too early"
        );
        world.clock.pass(1);
        let step = pollster::block_on(memory.embed_step()).unwrap();
        assert_eq!(step.next_in_ms, Some(10_000), "{fault:?}");

        words.fault.set(None);
        world.clock.pass(10_000);
        embed_all(&memory);
        assert_eq!(memory.status().embedder.state, EmbedderState::Ready);
        assert!(finds_zorblax(&memory));
        assert_eq!(stored(&world), only("words", N_TURNS));
    }
}

#[test]
fn an_embedder_that_fails_on_questions_leaves_recall_to_the_words() {
    let world = talked(20);
    let words = Words::new("words", 64);
    let memory = opened(&world, &words);
    embed_all(&memory);
    words.fault.set(Some(EmbedderFault::NotFinite));
    let (text, lanes) = recall(&memory, "the boat we painted").remove(0);
    assert!(
        text.contains("boat") && !lanes.contains(&"dense"),
        "{lanes:?}"
    );
    let status = memory.status().embedder;
    assert!(matches!(status.state, EmbedderState::Failed(_)));
    assert_eq!(
        status.serving, None,
        "its vectors are here, but nothing answers"
    );
    // The next question does not wait for it again.
    let n_asked = words.asked.borrow().len();
    recall(&memory, "the boat we painted");
    assert_eq!(words.asked.borrow().len(), n_asked);
    words.fault.set(None);
    world.clock.pass(5_000);
    assert!(finds_zorblax(&memory));
    assert_eq!(memory.status().embedder.state, EmbedderState::Ready);
}

#[test]
fn an_embedder_that_can_not_tell_texts_apart_is_refused() {
    let world = talked(20);
    let words = Words::new("words", 64);
    words.fault.set(Some(EmbedderFault::Uniform));
    let memory = opened(&world, &words);
    step(&memory);
    let state = memory.status().embedder.state;
    assert!(
        matches!(
            state,
            EmbedderState::Failed(Error::EmbedderFailed {
                fault: EmbedderFault::Uniform,
                ..
            })
        ),
        "{state:?}"
    );
    assert_eq!(memory.status().embedder.serving, Some(table_id()));
}

#[test]
fn an_embedder_that_never_comes_changes_nothing_but_the_status() {
    let world = talked(20);
    let memory = world.open_for("words");
    assert_eq!(memory.status().embedder.state, EmbedderState::Loading);
    let gone = Error::EmbedderUnavailable {
        message: "offline".into(),
    };
    memory.embedder_failed(gone.clone());
    step(&memory);
    let status = memory.status().embedder;
    assert_eq!(status.state, EmbedderState::Failed(gone));
    assert_eq!(status.serving, Some(table_id()));
    let (_, lanes) = recall(&memory, "what did we paint, the boat?").remove(0);
    assert!(lanes.contains(&"dense"));
    // It came after all.
    memory
        .adopt(AnyEmbedder::Words(Words::new("words", 64)))
        .unwrap();
    embed_all(&memory);
    assert!(finds_zorblax(&memory));
}

#[test]
fn while_one_own_embedder_fails_the_built_in_one_takes_over_from_another() {
    let world = talked(N_TURNS);
    embed_all(&opened(&world, &Words::new("words", 64)));
    let memory = world.open_for("other words");
    memory.embedder_failed(Error::EmbedderUnavailable {
        message: "offline".into(),
    });
    for _ in 0..3 {
        step(&memory);
    }
    let (_, lanes) = recall(&memory, "what did we paint, the boat?").remove(0);
    assert!(lanes.contains(&"dense"));
    assert_eq!(memory.status().embedder.serving, Some(table_id()));
    assert!(matches!(
        memory.status().embedder.state,
        EmbedderState::Failed(_)
    ));
    assert_eq!(
        stored(&world)["words"],
        N_TURNS,
        "nothing is thrown away before the new one is whole"
    );
}

#[test]
fn another_embedder_than_the_chosen_one_is_not_taken() {
    let world = World::new();
    let stranger = || AnyEmbedder::Words(Words::new("stranger", 64));
    for memory in [world.open_for("words"), world.open()] {
        let refused = memory.adopt(stranger());
        assert!(matches!(
            refused,
            Err(Error::InvalidInput {
                field: "embedder",
                ..
            })
        ));
    }
    let impostor = AnyEmbedder::Words(Words::new(&table_id(), 64));
    let refused = world.open_for(&table_id()).adopt(impostor);
    assert!(matches!(
        refused,
        Err(Error::InvalidInput {
            field: "embedder",
            ..
        })
    ));
}

#[test]
fn another_length_under_the_same_id_is_another_generation() {
    let world = talked(20);
    embed_all(&opened(&world, &Words::new("words", 64)));
    let mut longer = Rc::into_inner(Words::new("words", 80)).unwrap();
    longer.tells_dimensions = true;
    let memory = opened(&world, &Rc::new(longer));
    embed_all(&memory);
    assert!(finds_zorblax(&memory));
    assert_eq!(stored(&world), only("words", 20));
}

#[test]
fn a_second_tab_follows_without_making_anything_itself() {
    let world = talked(N_TURNS);
    let (first, second) = (Words::new("words", 64), Words::new("words", 64));
    let (one, other) = (opened(&world, &first), opened(&world, &second));
    step(&one);
    // The lock is the first tab's until it has finished.
    pollster::block_on(other.catch_up()).unwrap();
    assert_eq!(other.status().embedder.serving, Some(table_id()));
    assert!(!finds_zorblax(&other));
    embed_all(&one);
    pollster::block_on(other.catch_up()).unwrap();
    embed_all(&other);
    assert!(finds_zorblax(&other));
    assert_eq!(*second.asked.borrow(), ["zorblax"]);
    assert_eq!(other.status().embedder.state, EmbedderState::Ready);
    assert_eq!(stored(&world), only("words", N_TURNS));
}

#[test]
fn a_tab_of_yesterday_does_not_undo_the_change() {
    let world = talked(N_TURNS);
    let old = world.open();
    embed_all(&opened(&world, &Words::new("words", 64)));
    pollster::block_on(old.catch_up()).unwrap();
    embed_all(&old);
    assert_eq!(stored(&world), only("words", N_TURNS));
    let (_, lanes) = recall(&old, "what did we paint, the boat?").remove(0);
    assert!(lanes.contains(&"dense"), "it recalls by what it holds");
}

#[test]
fn an_embedder_is_measured_by_what_was_said_and_only_once() {
    let measured = |n_turns| {
        let world = talked(n_turns);
        let words = Words::new("words", 64);
        let memory = opened(&world, &words);
        step(&memory);
        let n = words.asked.borrow().len() - n_turns.min(64);
        let texts = words.asked.borrow()[..n].to_vec();
        let namespace = namespace();
        let found = world.store.inner.get(&namespace, Kind::Generation, "words");
        let Ok(Some(Record::Generation(generation))) = pollster::block_on(found) else {
            panic!("the measure is stored");
        };
        assert_eq!(generation.dimensions, 64);
        assert!(
            generation.sd > 0.01 && generation.mean.abs() < 0.1,
            "{generation:?}"
        );
        (texts, generation)
    };
    let (texts, generation) = measured(N_TURNS);
    assert!(
        texts
            .iter()
            .all(|text| text.starts_with("note") || text.contains("boat"))
    );
    let (again, same) = measured(N_TURNS);
    assert_eq!(
        (again, same),
        (texts, generation),
        "the same texts measure the same"
    );
    let (texts, _) = measured(20);
    assert_eq!(texts.len(), CALIBRATION_TEXTS.len());
    assert!(
        texts
            .iter()
            .all(|text| CALIBRATION_TEXTS.contains(&text.as_str()))
    );
}

#[test]
fn with_no_embedder_nothing_is_made_and_words_are_found() {
    let world = World::new();
    let memory = world.open_choosing(true, Mode::Scan, EmbedderChoice::None);
    talk(&memory, 20);
    embed_all(&memory);
    assert_eq!(stored(&world), BTreeMap::new());
    assert_eq!(memory.status().embedder.state, EmbedderState::Off);
    assert_eq!(memory.status().embedder.serving, None);
    let (text, lanes) = recall(&memory, "the boat we painted").remove(0);
    assert!(
        text.contains("boat") && !lanes.contains(&"dense"),
        "{lanes:?}"
    );
}

#[test]
fn a_full_disk_does_not_keep_the_new_generation_from_serving() {
    let world = talked(20);
    let words = Words::new("words", 64);
    let memory = opened(&world, &words);
    let full = Error::QuotaExceeded {
        message: "full".into(),
    };
    world.store.writes_fail.replace(Some(full));
    embed_all(&memory);
    assert!(finds_zorblax(&memory));
    assert_eq!(stored(&world), only(&table_id(), 20));
}
