//! Erasing: afterwards nothing holds what was erased, and nothing brings it back.

use crate::transfer::export;
use crate::world::*;
use onhand::batch::{Batch, Durability, Op};
use onhand::erase::{NEWER_ERASED, Receipt, Target};
use onhand::memory::{ChatEvent, Memory, RecallRequest};
use onhand::model::{Kind, Namespace, RecordRef, SessionId, TurnId};
use onhand::recall::Level;
use onhand::store::{Range, Store};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::rc::Rc;

fn erase(memory: &Memory<TestPorts>, target: Target) -> Receipt {
    let receipt = pollster::block_on(memory.erase(&target)).unwrap();
    assert_eq!(receipt.left, 0, "{receipt:?}");
    receipt
}

fn work(memory: &Memory<TestPorts>) -> usize {
    pollster::block_on(memory.work(&Default::default()))
        .unwrap()
        .facts
}

/// Says something, and has one fact read out of it.
fn tell(
    world: &World,
    memory: &Memory<TestPorts>,
    session: Option<SessionId>,
    text: &str,
    fact: Value,
) -> SessionId {
    world.line.0.will(says("I see."));
    let session = send(memory, session, text).0.unwrap().session;
    world.line.0.will(extracted(json!([fact])));
    work(memory);
    session
}

fn boat() -> Value {
    fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Zorblax",
        "my boat is called Zorblax",
    )
}

/// Everything that is stored, raw, as text.
fn dump(world: &World) -> String {
    let store = &world.store.inner;
    let mut text = String::new();
    for namespace in pollster::block_on(store.namespaces()).unwrap() {
        for kind in Kind::ALL {
            let scan = pollster::block_on(store.scan(&namespace, kind, &Range::default())).unwrap();
            text.push_str(&format!("{:?}\n{:?}\n", scan.records, scan.unreadable));
        }
    }
    text
}

/// Whether any way out of the memory still shows the word.
fn shows(world: &World, memory: &Memory<TestPorts>, word: &str) -> Option<&'static str> {
    let request = RecallRequest {
        query: word.into(),
        limit: Some(50),
        level: Level::Loose,
        session: None,
    };
    let sessions = pollster::block_on(memory.sessions()).unwrap();
    let turns: Vec<_> = sessions
        .iter()
        .map(|(session, _)| pollster::block_on(memory.turns(session.id)))
        .collect();
    let block = pollster::block_on(memory.block(word, None)).unwrap();
    [
        ("store", dump(world)),
        ("facts", format!("{:?}", memory.facts())),
        (
            "recall",
            format!(
                "{:?}",
                pollster::block_on(memory.recall(&request)).unwrap().items
            ),
        ),
        ("block", format!("{:?}", block.block)),
        ("sessions", format!("{sessions:?}")),
        ("turns", format!("{turns:?}")),
        ("export", export(memory)),
    ]
    .into_iter()
    .find_map(|(place, text)| text.contains(word).then_some(place))
}

#[test]
fn an_erased_fact_is_gone_from_everything_that_quoted_it() {
    let world = World::new();
    let memory = world.open();
    let text = "hello 😀, my boat is called Zorblax and my cat is called Tom";
    let first = tell(&world, &memory, None, text, boat());
    let cat = fact(
        "entity",
        "speaker",
        "cat",
        "The cat is called Tom",
        "my cat is called Tom",
    );
    tell(
        &world,
        &memory,
        None,
        "as I said, my cat is called Tom",
        cat,
    );
    // A third session whose prompt quotes both.
    world
        .line
        .0
        .will(says("Yes: the boat is called something, I will not say."));
    let third = send(&memory, None, "what is my boat called, and my cat?")
        .0
        .unwrap()
        .session;
    assert_eq!(shows(&world, &memory, "Zorblax"), Some("store"));
    let boat = memory
        .facts()
        .into_iter()
        .find(|fact| fact.statement.contains("Zorblax"))
        .unwrap();

    let receipt = erase(&memory, Target::Fact(boat.id));
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
    assert_eq!(receipt.erased[&Kind::Fact], 1);
    assert_eq!(receipt.tombstones, 1);
    assert!(
        receipt.ended.contains(&first) && receipt.ended.contains(&third),
        "{receipt:?}"
    );
    assert!(receipt.scanned > 10);
    // The rest of the words is there, at its place.
    let turn = &pollster::block_on(memory.turns(first)).unwrap()[0];
    assert_eq!(
        turn.text(),
        text.replace("my boat is called Zorblax", &"█".repeat(25))
    );
    let found = pollster::block_on(memory.block("what is my cat called?", None)).unwrap();
    assert!(found.block.unwrap().text.contains("Tom"));
    // Another tab drops it, too, and a new one never sees it.
    assert_eq!(shows(&world, &world.open(), "Zorblax"), None);
    let again = pollster::block_on(memory.erase(&Target::Fact(boat.id))).unwrap_err();
    assert_eq!(again.code(), "not_found");
}

#[test]
fn a_session_that_showed_it_goes_on_as_a_new_one_and_says_so() {
    let world = World::new();
    let memory = world.open();
    tell(&world, &memory, None, "my boat is called Zorblax", boat());
    world.line.0.will(says("It has a name."));
    let session = send(&memory, None, "what is my boat called?")
        .0
        .unwrap()
        .session;
    let id = memory.facts()[0].id;
    let other_tab = world.open();
    world.line.0.will(says("Hello."));
    send(&other_tab, Some(session), "hello").0.unwrap();
    erase(&memory, Target::Fact(id));

    pollster::block_on(other_tab.catch_up()).unwrap();
    for tab in [&memory, &other_tab, &world.open()] {
        world.line.0.will(says("Hello."));
        let (sent, events) = send(tab, Some(session), "who are you?");
        let new = sent.unwrap().session;
        assert_ne!(new, session);
        assert_eq!(events[0], ChatEvent::Session(new));
        assert!(
            matches!(&events[1], ChatEvent::Notice(error) if error.code() == "session_ended"),
            "{:?}",
            events[1]
        );
        let body = world.line.0.last_body().to_string();
        assert!(!body.contains("Zorblax"), "{body}");
        world.line.0.will(says("Go on."));
        assert_eq!(send(tab, Some(new), "go on").0.unwrap().session, new);
    }
    let ended = &pollster::block_on(memory.turns(session)).unwrap();
    assert_eq!(ended.len(), 4, "what was said there can still be read");
}

#[test]
fn what_was_erased_is_not_read_out_of_older_turns_again() {
    let world = World::new();
    let memory = world.open();
    tell(&world, &memory, None, "my boat is called Zorblax", boat());
    world.line.0.will(says("Yes."));
    send(
        &memory,
        None,
        "remember that the boat of mine is called Zorblax",
    )
    .0
    .unwrap();
    let id = memory.facts()[0].id;
    world.clock.pass(1_000);
    erase(&memory, Target::Fact(id));

    // The job of the older turn runs now, in this tab or in the next one.
    for memory in [&memory, &world.open()] {
        if memory.jobs().is_empty() {
            continue;
        }
        let elsewhere = fact(
            "entity",
            "speaker",
            "vessel",
            "The boat is called Zorblax.",
            "the boat of mine is called Zorblax",
        );
        world.line.0.will(extracted(json!([elsewhere])));
        assert_eq!(work(memory), 0);
        assert_eq!(memory.facts(), []);
    }
    // Said again, it is known again.
    world.clock.pass(1_000);
    tell(&world, &memory, None, "my boat is called Zorblax", boat());
    assert_eq!(memory.facts().len(), 1);
    assert_eq!(world.n_stored(Kind::Tombstone), 1);
}

#[test]
fn an_erased_turn_takes_its_answer_and_its_facts() {
    let world = World::new();
    let memory = world.open();
    let session = tell(
        &world,
        &memory,
        None,
        "I like rain very much",
        fact(
            "preference",
            "speaker",
            "weather",
            "Likes rain",
            "I like rain",
        ),
    );
    world.line.0.will(says("Zorblax, how lovely."));
    let sent = send(&memory, Some(session), "my boat is called Zorblax")
        .0
        .unwrap();
    world.line.0.will(extracted(json!([boat()])));
    work(&memory);
    world.line.0.will(says("Fine."));
    send(&memory, Some(session), "it rains").0.unwrap();

    let receipt = erase(&memory, Target::Turn(sent.turns[0]));
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
    assert_eq!(
        (receipt.erased[&Kind::Turn], receipt.erased[&Kind::Fact]),
        (2, 1)
    );
    assert_eq!(receipt.tombstones, 3);
    let indexes: Vec<u32> = pollster::block_on(memory.turns(session))
        .unwrap()
        .iter()
        .map(|turn| turn.id.index)
        .collect();
    assert_eq!(indexes, [0, 1, 4, 5]);
    assert_eq!(memory.facts().len(), 1);
    assert_eq!(
        pollster::block_on(memory.sessions()).unwrap()[0].1.n_turns,
        4
    );
    // The only exchange of a session takes the session with it.
    world.line.0.will(says("Hm."));
    let lone = send(&memory, None, "Zorblax alone").0.unwrap();
    erase(&memory, Target::Turn(lone.turns[0]));
    assert_eq!(pollster::block_on(memory.sessions()).unwrap().len(), 1);
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
}

#[test]
fn an_erased_session_leaves_nothing_but_its_tombstone() {
    let world = World::new();
    let memory = world.open();
    let session = tell(&world, &memory, None, "my boat is called Zorblax", boat());
    world.line.0.will(says("Yes, I know."));
    send(&memory, Some(session), "what is my boat called? Zorblax?")
        .0
        .unwrap();
    erase(&memory, Target::Session(session));
    for kind in Kind::ALL {
        let expected = if kind == Kind::Tombstone { 2 } else { 0 };
        assert_eq!(world.n_stored(kind), expected, "{kind:?}");
    }
    assert_eq!(memory.status().counts, Default::default());
    // A page that still has it open begins a new one.
    world.line.0.will(says("Hello."));
    let (sent, events) = send(&memory, Some(session), "hello");
    assert_ne!(sent.unwrap().session, session);
    assert!(matches!(&events[1], ChatEvent::Notice(error) if error.code() == "session_ended"));
}

#[test]
fn a_subject_goes_with_all_its_facts_and_no_others() {
    let world = World::new();
    let memory = world.open();
    for (subject, statement) in [
        ("Ines", "Ines moved to Zorblax Street"),
        ("ines", "Ines collects Zorblax stamps"),
        ("Otto", "Otto plays the violin well"),
    ] {
        tell(
            &world,
            &memory,
            None,
            &format!("you know, {statement}"),
            fact("entity", subject, "life", statement, statement),
        );
    }
    let receipt = erase(&memory, Target::Subject("INES".into()));
    assert_eq!(receipt.erased[&Kind::Fact], 2);
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
    assert!(memory.facts()[0].statement.contains("Otto"));
    for subject in ["nobody", " "] {
        assert!(pollster::block_on(memory.erase(&Target::Subject(subject.into()))).is_err());
    }
}

#[test]
fn versions_find_each_other_past_an_erased_one() {
    let world = World::new();
    let memory = world.open();
    tell(
        &world,
        &memory,
        None,
        "we run everything on AWS",
        fact(
            "decision",
            "speaker",
            "cloud",
            "Runs on AWS",
            "we run everything on AWS",
        ),
    );
    world.line.0.will(says("Oh."));
    let sent = send(&memory, None, "Zorblax cloud was the better choice")
        .0
        .unwrap();
    let old = memory.facts()[0].clone();
    let corrected = pollster::block_on(memory.correct(old.id, "Runs on Zorblax cloud")).unwrap();
    let again =
        pollster::block_on(memory.correct(corrected.id, "Runs on our own machines")).unwrap();
    assert_eq!(memory.fact_history(old.id).unwrap().len(), 3);
    // Erasing a turn takes only the versions that rest on it; erasing the fact takes all.
    let first = old.evidence.as_ref().unwrap().turn;
    erase(&memory, Target::Turn(first));
    let history = memory.fact_history(again.id).unwrap();
    assert_eq!(
        history.iter().map(|fact| fact.id).collect::<Vec<_>>(),
        [again.id, corrected.id]
    );
    assert_eq!(history[1].supersedes, None);
    erase(&memory, Target::Turn(sent.turns[0]));
    erase(&memory, Target::Fact(corrected.id));
    assert_eq!(memory.facts(), []);
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
}

#[test]
fn a_version_whose_successor_is_gone_is_stale_and_says_why() {
    let world = World::new();
    let memory = world.open();
    tell(
        &world,
        &memory,
        None,
        "we run everything on AWS",
        fact(
            "decision",
            "speaker",
            "cloud",
            "Runs on AWS",
            "we run everything on AWS",
        ),
    );
    let old = memory.facts()[0].clone();
    let mut newer = fact(
        "decision",
        "speaker",
        "cloud",
        "Runs on Zorblax",
        "we moved to Zorblax cloud",
    );
    newer["supersedes"] = json!("k1");
    let session = tell(&world, &memory, None, "we moved to Zorblax cloud", newer);
    assert_eq!(
        memory.fact_history(old.id).unwrap().len(),
        2,
        "{:?}",
        memory.facts()
    );
    erase(&memory, Target::Session(session));
    let [left] = &memory.facts()[..] else {
        panic!("{:?}", memory.facts())
    };
    assert_eq!((left.id, left.superseded_by), (old.id, None));
    assert_eq!(left.stale.as_ref().unwrap().reason, NEWER_ERASED);
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
}

#[test]
fn a_project_and_everything_go_whole() {
    let world = World::new();
    let memory = world.open();
    tell(&world, &memory, None, "my boat is called Zorblax", boat());
    world.line.0.will(says("Noted."));
    send(&memory, None, "what is my boat called?").0.unwrap();
    let thesis = world.open_in(
        Namespace {
            user: "me".into(),
            project: "thesis".into(),
        },
        true,
    );
    tell(
        &world,
        &thesis,
        None,
        "my thesis is about Quuxology",
        fact(
            "entity",
            "speaker",
            "thesis",
            "The thesis is about Quuxology",
            "my thesis is about Quuxology",
        ),
    );
    let turn = pollster::block_on(memory.sessions()).unwrap()[0].0.id;
    let damaged = TurnId {
        session: turn,
        index: 0,
    }
    .to_string();
    world
        .store
        .inner
        .make_unreadable(&namespace(), Kind::Turn, &damaged);

    let receipt = erase(&memory, Target::Project);
    assert!(receipt.erased[&Kind::Turn] == 4 && receipt.erased[&Kind::Vector] > 0);
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
    assert_eq!(shows(&world, &thesis, "Quuxology"), Some("store"));
    assert_eq!(memory.status().counts, Default::default());
    world.line.0.will(says("Hello."));
    send(&memory, None, "hello").0.unwrap();

    erase(&memory, Target::All);
    assert_eq!(pollster::block_on(world.store.namespaces()), Ok(vec![]));
    pollster::block_on(thesis.catch_up()).unwrap();
    assert_eq!(shows(&world, &thesis, "Quuxology"), None);
    assert_eq!(thesis.status().counts, Default::default());
}

#[test]
fn an_answer_under_way_is_not_recorded_if_its_memory_is_erased() {
    let world = World::new();
    let memory = world.open();
    tell(&world, &memory, None, "my boat is called Zorblax", boat());
    let id = memory.facts()[0].id;
    world.line.0.will(says("Zorblax!"));
    let request = onhand::memory::Send {
        text: "what is my boat called?".into(),
        ..Default::default()
    };
    let cancel = Default::default();
    let sent = pollster::block_on(memory.send(&request, &cancel, |event| {
        if matches!(event, ChatEvent::Memory { .. }) {
            erase(&memory, Target::Fact(id));
        }
    }));
    assert_eq!(sent.unwrap_err().code(), "session_ended");
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
    world.line.0.will(says("No idea."));
    send(&memory, None, "what is my boat called?").0.unwrap();
    assert!(!world.line.0.last_body().to_string().contains("Zorblax"));
}

#[test]
fn facts_read_while_another_tab_erases_their_turn_are_dropped() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says("I see."));
    let session = send(&memory, None, "my boat is called Zorblax")
        .0
        .unwrap()
        .session;
    let other = Rc::new(world.open());
    *world.line.0.meanwhile.borrow_mut() = Some(Box::new(move || {
        erase(&other, Target::Session(session));
    }));
    world.line.0.will(extracted(json!([boat()])));
    assert_eq!(work(&memory), 0);
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
    assert_eq!((memory.jobs().len(), world.n_stored(Kind::Job)), (0, 0));
}

#[test]
fn what_a_tab_writes_that_had_not_heard_of_it_is_taken_away() {
    let world = World::new();
    let memory = world.open();
    let session = tell(&world, &memory, None, "my boat is called Zorblax", boat());
    let store = &world.store.inner;
    let mut late = Batch::new(&namespace(), Durability::Relaxed);
    for kind in [Kind::Fact, Kind::Vector, Kind::Turn] {
        let scan = pollster::block_on(store.scan(&namespace(), kind, &Range::default())).unwrap();
        late.ops.extend(scan.records.into_iter().map(Op::Put));
    }
    erase(&memory, Target::Session(session));
    pollster::block_on(store.apply(&late)).unwrap();
    assert_eq!(shows(&world, &memory, "Zorblax"), Some("store"));
    pollster::block_on(memory.catch_up()).unwrap();
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
    assert_eq!((world.n_stored(Kind::Vector), memory.facts().len()), (0, 0));
}

#[test]
fn a_disk_that_fails_erases_all_of_it_or_nothing() {
    let world = World::new();
    let memory = world.open();
    let session = tell(&world, &memory, None, "my boat is called Zorblax", boat());
    let before = dump(&world);
    let broken = onhand::error::Error::Storage {
        name: "AbortError".into(),
        message: "no".into(),
    };
    world.store.writes_fail.replace(Some(broken.clone()));
    assert_eq!(
        pollster::block_on(memory.erase(&Target::Session(session))),
        Err(broken)
    );
    world.store.writes_fail.take();
    assert_eq!(dump(&world), before);
    erase(&memory, Target::Session(session));
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
}

#[test]
fn a_receipt_names_what_still_mentions_it_and_what_it_could_not_read() {
    let world = World::new();
    let memory = world.open();
    let mut boat = boat();
    boat["entities"] = json!(["Zorblax"]);
    tell(&world, &memory, None, "my boat is called Zorblax", boat);
    world.line.0.will(says("Noted."));
    let later = send(&memory, None, "I painted Zorblax green yesterday")
        .0
        .unwrap();
    world.line.0.will(says("Fine."));
    let damaged = send(&memory, None, "nothing to see here").0.unwrap().turns[0];
    world
        .store
        .inner
        .make_unreadable(&namespace(), Kind::Turn, &damaged.to_string());
    let receipt = erase(&memory, Target::Fact(memory.facts()[0].id));
    assert_eq!(
        (receipt.mentions, receipt.n_mentions),
        (vec![later.turns[0]], 1)
    );
    assert_eq!(receipt.unreadable, [format!("turn:{damaged}")]);
    // A turn that can not be read can be erased by its name.
    let memory = world.open();
    erase(&memory, Target::Turn(damaged));
    assert!(
        !dump(&world).contains(&format!("\"{damaged}\"]")),
        "{}",
        dump(&world)
    );
    erase(&memory, Target::Turn(later.turns[0]));
    assert_eq!(shows(&world, &memory, "Zorblax"), None);
}

/// One thing said: a canary of its own, in a session of its own or an earlier one.
#[derive(Clone, Debug)]
struct Told {
    session: usize,
    with_fact: bool,
    asks_for: Option<usize>,
}

fn told() -> impl Strategy<Value = Told> {
    (0..4_usize, any::<bool>(), proptest::option::of(0..8_usize)).prop_map(
        |(session, with_fact, asks_for)| Told {
            session,
            with_fact,
            asks_for,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn after_an_erasure_nothing_shows_the_canary(
        tellings in proptest::collection::vec(told(), 1..8),
        erased in any::<prop::sample::Index>(),
        how in 0..4_usize,
    ) {
        let world = World::new();
        let memory = world.open();
        let mut sessions: Vec<Option<SessionId>> = vec![None; 4];
        let mut turns = Vec::new();
        for (n, one) in tellings.iter().enumerate() {
            let words = format!("my gadget number {n} is a canary{n}x");
            let question = one.asks_for.map(|n| format!("what is gadget number {n}? ")).unwrap_or_default();
            world.line.0.will(says("I see what you mean."));
            let sent = send(&memory, sessions[one.session], &format!("{question}{words}")).0.unwrap();
            sessions[one.session] = Some(sent.session);
            let facts = match one.with_fact {
                true => json!([fact("entity", "speaker", &format!("gadget {n}"), &format!("Gadget number {n} is a canary{n}x"), &words)]),
                false => json!([]),
            };
            world.line.0.will(extracted(facts));
            work(&memory);
            turns.push(sent.turns[0]);
            world.clock.pass(60_000);
        }
        let n = erased.index(turns.len());
        let canary = format!("canary{n}x");
        let fact = memory.facts().into_iter().find(|fact| fact.statement.contains(&canary));
        // What else goes: everything in the same session, or everything.
        let mut gone = vec![n];
        match (how, fact) {
            (0, Some(fact)) => drop(erase(&memory, Target::Fact(fact.id))),
            (0 | 1, _) => drop(erase(&memory, Target::Turn(turns[n]))),
            (2, _) => {
                erase(&memory, Target::Session(turns[n].session));
                gone = (0..turns.len()).filter(|i| turns[*i].session == turns[n].session).collect();
            }
            _ => {
                erase(&memory, Target::All);
                gone = (0..turns.len()).collect();
            }
        }
        for tab in [&memory, &world.open()] {
            for n in 0..turns.len() {
                let canary = format!("canary{n}x");
                let place = shows(&world, tab, &canary);
                prop_assert_eq!(place.is_none(), gone.contains(&n), "{} in {:?}", canary, place);
            }
        }
    }
}

#[test]
fn an_erased_fact_leaves_the_audit_the_memory_files_and_the_judgements() {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says("Noted."));
    send(&memory, None, "my boat is called Aurora").0.unwrap();
    let boat = fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Aurora",
        "my boat is called Aurora",
    );
    world.line.0.will(extracted(json!([boat])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let id = memory.facts()[0].id;
    let record = RecordRef::Fact(id);
    pollster::block_on(memory.judge("what is my boat called?", record, Some(true))).unwrap();
    let text = "Remember:\nThe boat is called Aurora\nIt leaks.";
    pollster::block_on(memory.write_file("/memories/boat.md", text)).unwrap();
    let concerning = [(Kind::Fact, id.to_string())];
    let tell_of_it = || pollster::block_on(memory.audit_concerning(&concerning)).unwrap();
    let told = tell_of_it();
    assert!(!told.is_empty(), "the audit told of the fact");

    pollster::block_on(memory.erase(&Target::Fact(id))).unwrap();
    assert_eq!(tell_of_it(), [0; 0]);
    let entries = pollster::block_on(memory.audit(0, 1_000)).unwrap();
    for number in told {
        let entry = entries.iter().find(|item| item.entry.number == number);
        assert_eq!(entry.expect("the entry stays").entry.content, None);
    }
    let report = pollster::block_on(memory.verify_audit()).unwrap();
    assert!(report.broken.is_none() && report.erased > 0, "{report:?}");
    assert_eq!(world.n_stored(Kind::Judgement), 0);
    let file = memory.read_file("/memories/boat.md").unwrap();
    assert!(!file.text.contains("Aurora"), "{}", file.text);
    assert!(file.text.contains("It leaks."), "{}", file.text);

    pollster::block_on(memory.erase(&Target::Project)).unwrap();
    let entries = pollster::block_on(memory.audit(0, 1_000)).unwrap();
    assert!(entries.iter().all(|item| item.entry.content.is_none()));
    let report = pollster::block_on(memory.verify_audit()).unwrap();
    assert!(report.broken.is_none() && report.entries > 0, "{report:?}");
}
