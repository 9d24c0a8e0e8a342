//! A look through the memory: silent about what is in order, and about each damage one clear finding.

use crate::world::*;
use onhand::batch::{Batch, Durability, Op};
use onhand::memory::{CheckReport, Memory, Problem};
use onhand::model::{
    Artifact, ArtifactId, Fact, Injection, Job, JobWork, Kind, Origin, Record, Session,
    StoredVector, TurnId, VectorOwner,
};
use onhand::store::{Range, Store};
use onhand::time::Timestamp;
use std::collections::BTreeSet;

/// A memory with a bit of everything: sessions, a fact in two versions, a job that waits, vectors.
fn lived_in() -> (World, Memory<TestPorts>) {
    let world = World::new();
    let memory = world.open();
    world.line.0.will(says("A fine name."));
    send(&memory, None, "my boat is called Aurora").0.unwrap();
    world.line.0.will(extracted(serde_json::json!([fact(
        "entity",
        "speaker",
        "boat",
        "The boat is called Aurora",
        "my boat is called Aurora"
    )])));
    pollster::block_on(memory.work(&Default::default())).unwrap();
    let id = memory.facts()[0].id;
    pollster::block_on(memory.correct(id, "The boat is called Borealis")).unwrap();
    world.clock.pass(1);
    world.line.0.will(says("Borealis."));
    send(&memory, None, "what is my boat called?").0.unwrap();
    (world, memory)
}

fn check(memory: &Memory<TestPorts>) -> CheckReport {
    pollster::block_on(memory.check()).unwrap()
}

fn stored(world: &World, kind: Kind) -> Vec<Record> {
    let (namespace, all) = (namespace(), Range::default());
    let found = world.store.inner.scan(&namespace, kind, &all);
    pollster::block_on(found).unwrap().records
}

fn write(world: &World, op: Op) {
    let mut batch = Batch::new(&namespace(), Durability::Strict);
    batch.ops = vec![op];
    pollster::block_on(world.store.apply(&batch)).unwrap();
}

fn delete(world: &World, record: &Record) {
    let (kind, name) = (record.kind(), record.name());
    write(world, Op::Delete { kind, name });
}

fn problems(report: &CheckReport) -> BTreeSet<Problem> {
    report
        .findings
        .iter()
        .map(|finding| finding.problem)
        .collect()
}

#[test]
fn a_memory_that_was_lived_in_is_clean_now_and_after_a_restart_and_nothing_is_changed() {
    let (world, memory) = lived_in();
    let before = pollster::block_on(world.store.last_commit()).unwrap();
    let report = check(&memory);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.commit, before);
    let counts: Vec<usize> = [Kind::Session, Kind::Turn, Kind::Fact, Kind::Job]
        .iter()
        .map(|kind| report.records[kind])
        .collect();
    assert_eq!(counts, [2, 4, 2, 1]);
    assert!(report.records[&Kind::Vector] >= 5, "{report:?}");
    assert!(report.records[&Kind::Injection] == 1 && report.records[&Kind::Usage] == 3);
    assert_eq!(check(&world.open()), report);
    assert_eq!(pollster::block_on(world.store.last_commit()), Ok(before));
    let nothing = World::new();
    assert_eq!(check(&nothing.open()), CheckReport::default());
}

/// Each damage is done to the store before the memory is opened, so that it is in the rebuild, too.
#[test]
fn each_damage_is_found_and_named() {
    type Damage = fn(&World) -> String;
    let table: [(Problem, Damage); 10] = [
        (Problem::Unreadable, |world| {
            let usage = &stored(world, Kind::Usage)[0];
            let inner = &world.store.inner;
            inner.make_unreadable(&namespace(), Kind::Usage, &usage.name());
            format!("usage:{}", usage.name())
        }),
        (Problem::SessionMissing, |world| {
            let session = &stored(world, Kind::Session)[0];
            delete(world, session);
            format!("session:{}", session.name())
        }),
        (Problem::TurnMissing, |world| {
            // Nothing but its neighbour speaks of the assistant's turn in the second session.
            let second = stored(world, Kind::Session).pop().unwrap();
            let Record::Session(Session { id: session, .. }) = second else {
                unreachable!()
            };
            let mut later = stored(world, Kind::Turn).pop().unwrap();
            let Record::Turn(turn) = &mut later else {
                unreachable!()
            };
            turn.id.index = 3;
            write(world, Op::Insert(later));
            format!("turn:{}", TurnId { session, index: 2 })
        }),
        (Problem::VersionMissing, |world| {
            let facts = stored(world, Kind::Fact);
            let Record::Fact(old) = &facts[0] else {
                unreachable!()
            };
            let gone = onhand::model::FactId::new(1, 1);
            write(
                world,
                Op::Put(Record::Fact(Fact {
                    supersedes: Some(gone),
                    ..old.clone()
                })),
            );
            format!("fact:{gone}")
        }),
        (Problem::JobWithoutTurn, |world| {
            let Record::Job(job) = stored(world, Kind::Job).remove(0) else {
                unreachable!()
            };
            let JobWork::Extract { session, first, .. } = job.work;
            let work = JobWork::Extract {
                session,
                first,
                last: 9,
            };
            write(
                world,
                Op::Put(Record::Job(Job {
                    work,
                    ..job.clone()
                })),
            );
            format!("job:{}", job.id)
        }),
        (Problem::InjectionWithoutTurn, |world| {
            let Record::Injection(injection) = stored(world, Kind::Injection).remove(0) else {
                unreachable!()
            };
            let turn = TurnId {
                index: 7,
                ..injection.turn
            };
            write(
                world,
                Op::Insert(Record::Injection(Injection { turn, ..injection })),
            );
            format!("injection:{turn}")
        }),
        (Problem::ArtifactWithoutTurn, |world| {
            let Record::Injection(injection) = stored(world, Kind::Injection).remove(0) else {
                unreachable!()
            };
            let artifact = Artifact {
                v: Artifact::VERSION,
                id: ArtifactId::new(1, 1),
                turn: Some(TurnId {
                    index: 7,
                    ..injection.turn
                }),
                name: "log".into(),
                text: "a line".into(),
                at: Timestamp::utc(START_MS),
            };
            write(world, Op::Insert(Record::Artifact(artifact.clone())));
            format!("artifact:{}", artifact.id)
        }),
        (Problem::VectorWithoutOwner, |world| {
            let Record::Vector(vector) = stored(world, Kind::Vector).remove(0) else {
                unreachable!()
            };
            let owner = VectorOwner {
                piece: 5,
                ..vector.owner
            };
            let record = Record::Vector(StoredVector { owner, ..vector });
            let name = record.name();
            write(world, Op::Insert(record));
            format!("vector:{name}")
        }),
        (Problem::VectorMisshapen, |world| {
            let Record::Vector(mut vector) = stored(world, Kind::Vector).remove(0) else {
                unreachable!()
            };
            vector.components.pop();
            let record = Record::Vector(vector);
            let name = record.name();
            write(world, Op::Put(record));
            format!("vector:{name}")
        }),
        (Problem::CommitMissing, |world| {
            world.store.lost_commit.set(Some(3));
            "3".into()
        }),
    ];
    for (problem, damage) in table {
        let (world, _) = lived_in();
        let record = damage(&world);
        let report = check(&world.open());
        let found: Vec<(Problem, &str)> = report
            .findings
            .iter()
            .map(|finding| (finding.problem, finding.record.as_str()))
            .collect();
        assert_eq!(found, [(problem, record.as_str())]);
    }
}

#[test]
fn what_is_held_in_memory_is_compared_with_what_a_new_start_would_read() {
    // A record that goes bad under a memory that has read it. Of sessions it holds what their turns tell as well.
    for kind in [Kind::Turn, Kind::Fact, Kind::Job] {
        let (world, memory) = lived_in();
        assert!(check(&memory).is_clean());
        let record = &stored(&world, kind)[0];
        let inner = &world.store.inner;
        inner.make_unreadable(&namespace(), kind, &record.name());
        let report = check(&memory);
        let expected = BTreeSet::from([Problem::Unreadable, Problem::IndexDiffers]);
        assert_eq!(problems(&report), expected, "{report:?}");
        // Who reads it anew knows no better than the store.
        let report = check(&world.open());
        let expected = BTreeSet::from([Problem::Unreadable]);
        assert_eq!(problems(&report), expected, "{report:?}");
    }
    // A vector that another program put in the place of a good one, behind the log's back.
    let (world, memory) = lived_in();
    let Record::Vector(vector) = stored(&world, Kind::Vector).remove(0) else {
        unreachable!()
    };
    let turned = vector.components.iter().map(|&x| -x).collect();
    let name = format!("vector:{}", Record::Vector(vector.clone()).name());
    world.store.behind_the_log(Record::Vector(StoredVector {
        components: turned,
        ..vector
    }));
    let report = check(&memory);
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(report.findings[0].problem, Problem::IndexDiffers);
    assert_eq!(report.findings[0].record, name);
}

#[test]
fn a_check_sees_what_other_tabs_wrote() {
    let (world, memory) = lived_in();
    let other = world.open();
    let id = other.facts()[0].id;
    pollster::block_on(other.mark_stale(id, "sold it", Origin::Manual)).unwrap();
    let report = check(&memory);
    assert!(report.is_clean(), "{report:?}");
    assert!(memory.facts()[0].stale.is_some());
}

#[test]
fn problems_have_the_same_names_in_the_package() {
    let types = include_str!("../../pkg/src/types.ts");
    let (_, union) = types.split_once("export type Problem =").unwrap();
    let union = union.split(';').next().unwrap();
    let theirs: Vec<&str> = union.split('"').skip(1).step_by(2).collect();
    let ours: Vec<&str> = Problem::ALL.iter().map(|problem| problem.name()).collect();
    assert_eq!(ours, theirs);
}
