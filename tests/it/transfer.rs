//! Exports and imports: a memory as a file, and back.

use crate::world::*;
use onhand::batch::{Batch, Durability, Op};
use onhand::erase::Target;
use onhand::error::Error;
use onhand::memory::{Memory, RecallRequest, SpokenTurn};
use onhand::model::{Kind, Origin, Record, RecordRef, Role, SessionId, Turn, TurnId};
use onhand::recall::Level;
use onhand::store::{Range, Store};
use onhand::time::Timestamp;
use onhand::transfer::{Reason, Report, Seal, SourceFormat};
use proptest::prelude::*;
use serde_json::{Value, json};

pub fn export(memory: &Memory<TestPorts>) -> String {
    pollster::block_on(async {
        let mut export = memory.begin_export().await.unwrap();
        let mut text = String::new();
        while let Some(page) = memory.export_page(&mut export).await.unwrap() {
            assert!(page.done <= page.total);
            text.push_str(std::str::from_utf8(&page.bytes).unwrap());
        }
        text
    })
}

fn import_as(
    memory: &Memory<TestPorts>,
    text: &str,
    dry_run: bool,
    size: usize,
) -> Result<Report, Error> {
    pollster::block_on(async {
        let mut import = memory.begin_import(dry_run).await?;
        for piece in text.as_bytes().chunks(size) {
            memory.import(&mut import, piece).await?;
        }
        memory.finish_import(import).await
    })
}

fn import(memory: &Memory<TestPorts>, text: &str) -> Report {
    import_as(memory, text, false, 1_000).unwrap()
}

/// The lines of the records.
fn lines(export: &str) -> Vec<&str> {
    let lines: Vec<&str> = export.lines().collect();
    lines[1..lines.len() - 1].to_vec()
}

/// A memory with a record of every kind that travels, unfinished work, versions, a stale mark and something erased.
fn lived() -> (World, SessionId) {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says("Noted: Aurora."));
    let session = send(&memory, None, "my boat is called Aurora")
        .0
        .unwrap()
        .session;
    let boat = fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Aurora",
        "my boat is called Aurora",
    );
    world.line.0.will(extracted(json!([boat])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    world.clock.pass(DAY_MS);
    world.line.0.will(says("It is Aurora."));
    send(&memory, None, "what is my boat called?").0.unwrap();
    let id = memory.facts()[0].id;
    let corrected = pollster::block_on(memory.correct(id, "The boat is called Borealis")).unwrap();
    pollster::block_on(memory.mark_stale(corrected.id, "sold", Origin::Manual)).unwrap();
    let spoken = |text: &str| SpokenTurn {
        role: Role::User,
        text: text.into(),
    };
    let (note, _) =
        pollster::block_on(memory.remember(None, &[spoken("a note to be erased")])).unwrap();
    pollster::block_on(memory.erase(&Target::Session(note))).unwrap();
    let create =
        json!({"command": "create", "path": "/memories/boat.md", "file_text": "It leaks."});
    pollster::block_on(memory.run_file_command(&create)).unwrap();
    let newest = RecordRef::Fact(corrected.id);
    pollster::block_on(memory.judge("what is my boat called?", newest, Some(true))).unwrap();
    pollster::block_on(memory.add_artifact("log", "a long one")).unwrap();
    for kind in onhand::transfer::kinds() {
        assert!(world.n_stored(kind) > 0, "{kind:?}");
    }
    (world, session)
}

#[test]
fn an_export_read_into_an_empty_memory_is_the_same_memory() {
    let (world, session) = lived();
    let memory = world.open();
    let before = export(&memory);
    for size in [1, 100_000] {
        let other = World::new();
        let copy = other.open();
        let report = import_as(&copy, &before, false, size).unwrap();
        assert_eq!(
            (report.format, report.seal),
            (Some(SourceFormat::Export), Some(Seal::Whole))
        );
        assert_eq!(
            (report.n_refused, report.n_conflicts, report.skipped),
            (0, 0, 0)
        );
        assert_eq!(lines(&export(&copy)), lines(&before));
        assert_eq!(copy.status().counts, memory.status().counts);
        assert_eq!(copy.facts(), memory.facts());
    }
    // Also after everything was erased here, and the session's prompt is the same to the byte.
    world.line.0.will(says("Hello again."));
    send(&memory, Some(session), "hello").0.unwrap();
    let before = export(&memory);
    let request = world.line.0.last_body();
    pollster::block_on(memory.erase(&Target::Project)).unwrap();
    assert_eq!(lines(&export(&memory)), [""; 0]);
    import(&memory, &before);
    assert_eq!(lines(&export(&memory)), lines(&before));
    let found = pollster::block_on(memory.recall(&RecallRequest {
        query: "what is my boat called?".into(),
        limit: None,
        level: Level::Normal,
        session: None,
    }));
    assert!(!found.unwrap().items.is_empty());
    world.line.0.will(says("Still here."));
    send(&memory, Some(session), "and now?").0.unwrap();
    let (earlier, later) = (plain(&request), plain(&world.line.0.last_body()));
    assert_eq!(earlier[..], later[..earlier.len()]);
}

/// The messages of a request, without what moves along with its end.
fn plain(request: &Value) -> Vec<String> {
    let messages = request["messages"].as_array().unwrap().iter();
    let marks = [
        r#","cache_control":{"type":"ephemeral"}"#,
        r#","cache_control":{"type":"ephemeral","ttl":"1h"}"#,
    ];
    messages
        .map(|message| {
            let text = message.to_string();
            marks.iter().fold(text, |text, mark| text.replace(mark, ""))
        })
        .collect()
}

#[test]
fn the_first_line_tells_what_comes_and_the_last_one_what_came() {
    let (world, _) = lived();
    let memory = world.open();
    let turn = format!("{}", memory_turn(&world));
    world
        .store
        .inner
        .make_unreadable(&namespace(), Kind::Turn, &turn);
    let text = export(&memory);
    let header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(header["format"], "onhand-export");
    assert_eq!(header["version"], 1);
    assert_eq!(
        (&header["user"], &header["project"]),
        (&json!("me"), &json!("default"))
    );
    let end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(end["unreadable"], json!([format!("turn:{turn}")]));
    for kind in onhand::transfer::kinds() {
        let damaged = u64::from(kind == Kind::Turn);
        let n = world.n_stored(kind) as u64;
        assert_eq!(header["counts"][kind.name()], n + damaged, "{kind:?}");
        assert_eq!(end["counts"][kind.name()], n, "{kind:?}");
        let of_kind = format!("{{\"kind\":\"{}\"", kind.name());
        let n_lines = text
            .lines()
            .filter(|line| line.starts_with(&of_kind))
            .count();
        assert_eq!(n_lines as u64, n);
    }
    assert!(!text.contains("\"vector\""));
}

fn memory_turn(world: &World) -> TurnId {
    let (owner, all) = (namespace(), Range::default());
    let scan = world.store.inner.scan(&owner, Kind::Turn, &all);
    match &pollster::block_on(scan).unwrap().records[1] {
        Record::Turn(turn) => turn.id,
        _ => unreachable!(),
    }
}

#[test]
fn a_file_read_twice_adds_nothing_and_a_part_of_it_is_completed() {
    let (world, _) = lived();
    let text = export(&world.open());
    let n_records = lines(&text).len() as u64;
    let other = World::new();
    let copy = other.open();
    let half = &text[..text.len() / 2];
    let report = import(&copy, &half[..half.rfind('\n').unwrap()]);
    assert_eq!(report.seal, Some(Seal::Cut));
    let n_before = report.n_added();
    assert!(n_before > 0 && n_before < n_records);
    let report = import(&copy, &text);
    assert_eq!(
        (report.n_added(), report.skipped),
        (n_records - n_before, n_before)
    );
    let report = import(&copy, &text);
    assert_eq!(
        (report.n_added(), report.skipped, report.n_refused),
        (0, n_records, 0)
    );
    assert_eq!(lines(&export(&copy)), lines(&text));
}

#[test]
fn what_differs_is_listed_and_kept_as_it_is() {
    let (world, _) = lived();
    let memory = world.open();
    let text = export(&memory);
    let id = memory.facts()[0].id;
    pollster::block_on(memory.restore_fact(id)).unwrap();
    let now = export(&memory);
    let report = import(&memory, &text);
    assert_eq!((report.n_added(), report.n_conflicts), (0, 1));
    assert_eq!(report.conflicts[0].record, format!("fact:{id}"));
    let line = text
        .lines()
        .nth(report.conflicts[0].line as usize - 1)
        .unwrap();
    assert!(line.contains(&format!("\"id\":\"{id}\"")));
    assert_eq!(lines(&export(&memory)), lines(&now));
}

#[test]
fn a_forged_line_is_refused() {
    let (world, _) = lived();
    let text = export(&world.open());
    let other = World::new();
    let copy = other.open();
    let forged = text.replace(
        "\"quote\":\"my boat is called Aurora\"",
        "\"quote\":\"my boat is called Nobody\"",
    );
    let report = import(&copy, &forged);
    assert_eq!(report.seal, Some(Seal::Altered));
    assert_eq!(
        report
            .refused
            .iter()
            .map(|one| one.reason)
            .collect::<Vec<_>>(),
        [Reason::NoEvidence]
    );

    let other = World::new();
    let without: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("{\"kind\":\"session\""))
        .collect();
    let report = import(&other.open(), &without.join("\n"));
    assert!(
        report
            .refused
            .iter()
            .any(|one| one.reason == Reason::NoSession)
    );
    assert_eq!(other.n_stored(Kind::Turn), 0);
}

#[test]
fn what_was_erased_here_does_not_come_back_with_a_file() {
    let (world, session) = lived();
    let memory = world.open();
    let text = export(&memory);
    pollster::block_on(memory.erase(&Target::Session(session))).unwrap();
    let now = export(&memory);
    let report = import(&memory, &text);
    assert!(
        report
            .refused
            .iter()
            .all(|one| one.reason == Reason::Erased)
    );
    // The session, its two turns, its usage and the fact that rested on it.
    assert!(report.n_refused >= 5, "{report:?}");
    assert!(!export(&memory).contains("my boat is called Aurora"));
    assert_eq!(lines(&export(&memory)), lines(&now));
}

#[test]
fn a_newer_file_and_a_full_disk_change_nothing() {
    let (world, _) = lived();
    let text = export(&world.open());
    let other = World::new();
    let copy = other.open();
    let newer = text.replacen("\"version\":1", "\"version\":2", 1);
    let error = import_as(&copy, &newer, false, 10).unwrap_err();
    assert_eq!(error.code(), "newer_format");
    let full = Error::QuotaExceeded {
        message: "full".into(),
    };
    other.store.writes_fail.replace(Some(full.clone()));
    assert_eq!(import_as(&copy, &text, false, 10), Err(full));
    other.store.writes_fail.take();
    assert_eq!(lines(&export(&copy)), [""; 0]);
    import(&copy, &text);
    assert_eq!(lines(&export(&copy)), lines(&text));
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let (world, _) = lived();
    let text = export(&world.open());
    let other = World::new();
    let copy = other.open();
    let dry = import_as(&copy, &text, true, 77).unwrap();
    assert!(dry.dry_run);
    assert_eq!(lines(&export(&copy)), [""; 0]);
    let report = import(&copy, &text);
    assert_eq!(
        Report {
            dry_run: false,
            ..dry
        },
        report
    );
}

#[test]
fn another_tab_that_adds_the_same_meanwhile_loses_nothing() {
    let (world, _) = lived();
    let text = export(&world.open());
    let other = World::new();
    let (one, two) = (other.open(), other.open());
    pollster::block_on(async {
        let mut import = one.begin_import(false).await.unwrap();
        let half = text.len() / 2;
        one.import(&mut import, &text.as_bytes()[..half])
            .await
            .unwrap();
        let mut twin = two.begin_import(false).await.unwrap();
        two.import(&mut twin, text.as_bytes()).await.unwrap();
        two.finish_import(twin).await.unwrap();
        one.import(&mut import, &text.as_bytes()[half..])
            .await
            .unwrap();
        one.finish_import(import).await.unwrap();
    });
    assert_eq!(lines(&export(&one)), lines(&text));
    pollster::block_on(two.catch_up()).unwrap();
    assert_eq!(one.status().counts, two.status().counts);
}

#[test]
fn lists_of_other_products_become_facts_of_their_own_origin() {
    let world = World::new();
    let memory = world.open();
    let list = "- Prefers tea\n- Has a dog called Rex\n- !!\n";
    let dry = import_as(&memory, list, true, 5).unwrap();
    assert_eq!(
        (dry.n_added(), dry.format, world.n_stored(Kind::Fact)),
        (2, Some(SourceFormat::ChatGpt), 0)
    );
    let report = import(&memory, list);
    assert_eq!(
        report
            .refused
            .iter()
            .map(|one| (one.line, one.reason))
            .collect::<Vec<_>>(),
        [(3, Reason::Empty)]
    );
    let facts = memory.facts();
    assert!(
        facts
            .iter()
            .all(|fact| fact.origin == Origin::Import && fact.evidence.is_none())
    );
    let found = pollster::block_on(memory.block("what is my dog called?", None)).unwrap();
    assert!(found.block.unwrap().text.contains("Rex"));

    let again = import(
        &memory,
        r#"[{"memory":"has a dog called rex."},{"memory":"Likes rain"}]"#,
    );
    assert_eq!(
        (again.n_added(), again.skipped, again.format),
        (1, 1, Some(SourceFormat::Mem0))
    );
    let dog = memory
        .facts()
        .into_iter()
        .find(|fact| fact.statement.contains("Rex"))
        .unwrap();
    pollster::block_on(memory.erase(&Target::Fact(dog.id))).unwrap();
    let again = import(&memory, list);
    assert_eq!(again.refused[0].reason, Reason::Erased);
    assert!(!format!("{:?}", memory.facts()).contains("Rex"));
}

fn said(session: SessionId, index: u32, text: &str) -> Turn {
    Turn {
        v: Turn::VERSION,
        id: TurnId { session, index },
        role: if index.is_multiple_of(2) {
            Role::User
        } else {
            Role::Assistant
        },
        speaker: None,
        content: vec![json!({"type": "text", "text": text})],
        at: Timestamp::utc(START_MS),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any text in any number of turns, in pieces of any size: what comes out is what went in.
    #[test]
    fn any_memory_survives_the_way_through_a_file(
        sessions in proptest::collection::vec(proptest::collection::vec("\\PC{0,40}|[\\x00-\\x7f]{0,20}", 1..8), 1..5),
        size in 1..5_000_usize,
    ) {
        let world = World::new();
        let mut batch = Batch::new(&namespace(), Durability::Strict);
        for (n, texts) in sessions.iter().enumerate() {
            let id = SessionId::new(START_MS, n as u128);
            let Record::Session(mut session) = onhand::store::conformance::sample(Kind::Session, 1) else { unreachable!() };
            session.id = id;
            session.ended = None;
            session.snapshot = texts[0].clone();
            batch.ops.push(Op::Insert(Record::Session(session)));
            for (index, text) in (0..).zip(texts) {
                batch.ops.push(Op::Insert(Record::Turn(said(id, index, text))));
            }
        }
        pollster::block_on(world.store.apply(&batch)).unwrap();
        let text = export(&world.open());
        let other = World::new();
        let copy = other.open_with(false);
        let report = import_as(&copy, &text, false, size).unwrap();
        prop_assert_eq!(report.n_added(), batch.ops.len() as u64);
        let again = export(&copy);
        prop_assert_eq!(lines(&again), lines(&text));
        prop_assert_eq!(import(&copy, &text).skipped, batch.ops.len() as u64);
    }
}

fn sealed_export(memory: &Memory<TestPorts>, passphrase: &str) -> Vec<u8> {
    pollster::block_on(async {
        let mut export = memory.begin_sealed_export(passphrase).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(page) = memory.export_page(&mut export).await.unwrap() {
            bytes.extend(page.bytes);
        }
        bytes
    })
}

fn import_sealed(
    memory: &Memory<TestPorts>,
    bytes: &[u8],
    passphrase: Option<&str>,
) -> Result<Report, Error> {
    pollster::block_on(async {
        let import = memory.begin_import(false).await?;
        let mut import = import.with_passphrase(passphrase.map(String::from));
        for piece in bytes.chunks(10_000) {
            memory.import(&mut import, piece).await?;
        }
        memory.finish_import(import).await
    })
}

#[test]
fn a_sealed_export_is_the_same_memory_for_whoever_has_the_passphrase() {
    let (world, _) = lived();
    let memory = world.open();
    let before = export(&memory);
    let file = sealed_export(&memory, "correct horse");
    for word in ["Aurora", "Borealis", "boat", "turn"] {
        let found = file.windows(word.len()).any(|part| part == word.as_bytes());
        assert!(!found, "{word}");
    }
    let other = World::new();
    let copy = other.open();
    for (passphrase, code) in [
        (None, "passphrase_needed"),
        (Some("wrong horse"), "wrong_key"),
    ] {
        let error = import_sealed(&copy, &file, passphrase).unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(lines(&export(&copy)), [""; 0]);
    }
    let report = import_sealed(&copy, &file, Some("correct horse")).unwrap();
    assert_eq!(report.seal, Some(Seal::Whole));
    assert_eq!(lines(&export(&copy)), lines(&before));
    let again = import_sealed(&copy, &file, Some("correct horse")).unwrap();
    assert_eq!((again.n_added(), again.n_conflicts), (0, 0));
}

#[test]
fn what_came_of_a_cut_sealed_export_is_whole_records_and_another_copy_adds_the_rest() {
    let world = World::new();
    let memory = world.open();
    let spoken = |i: usize| SpokenTurn {
        role: Role::User,
        text: format!("note {i}: {}", "the boat leaks. ".repeat(20)),
    };
    let turns: Vec<SpokenTurn> = (0..1_000).map(spoken).collect();
    pollster::block_on(memory.remember(None, &turns)).unwrap();
    let before = export(&memory);
    let file = sealed_export(&memory, "correct horse");
    let other = World::new();
    let copy = other.open();
    let error = import_sealed(&copy, &file[..file.len() / 2], Some("correct horse")).unwrap_err();
    assert_eq!(error.code(), "damaged_file");
    let n_turns = copy.status().counts.turns;
    assert!((1..1_000).contains(&n_turns), "{n_turns}");
    assert!(pollster::block_on(copy.check()).unwrap().is_clean());
    import_sealed(&copy, &file, Some("correct horse")).unwrap();
    assert_eq!(copy.status().counts.turns, 1_000);
    // The job came in the rest: it reads what came with it.
    let turns_of = |export: &str| -> Vec<String> {
        let lines = lines(export).into_iter();
        lines
            .filter(|line| line.starts_with(r#"{"kind":"turn""#))
            .map(String::from)
            .collect()
    };
    assert_eq!(turns_of(&export(&copy)), turns_of(&before));
}
