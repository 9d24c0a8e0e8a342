//! The tests that every [`Store`] must pass, written once.
//!
//! [`run_all`] goes through one list, so that no test can be left out for one store: a function
//! that is not on the list is dead code, which the build refuses.
//!
//! The browser runs these tests from binaries of their own (`tests/web`), which see the crate as
//! any other user does and not under `cfg(test)`. So the module is compiled behind the feature
//! `conformance`, which the crate turns on for its own tests only; the package never contains it.

mod audit;
mod sample;

use super::{Persistence, Range, Scan, Store};
use crate::batch::{Batch, Commit, Durability, Op, overtaken};
use crate::error::Error;
use crate::model::{Kind, Namespace, Record};
use audit::*;
use sample::Dice;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

pub use sample::{extreme, name, sample};

/// A kind of store under test.
#[allow(async_fn_in_trait, reason = "tests run on one thread")]
pub trait Subject {
    type Store: Store;

    /// Opens the store of that name, which is new when a test begins. A store on disk, opened
    /// again, has what it had; one in memory begins anew.
    async fn open(&self, name: &str) -> Self::Store;

    /// Makes a stored record unreadable, behind the store's back.
    async fn damage(&self, store: &Self::Store, namespace: &Namespace, kind: Kind, name: &str);
}

type Test<S> = for<'a> fn(&'a S) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

macro_rules! tests {
    ($($test:ident,)*) => {
        /// All tests by their names, which serve as the names of their stores too.
        pub fn tests<S: Subject>() -> Vec<(&'static str, Test<S>)> {
            vec![$((stringify!($test), |subject| Box::pin($test(subject, stringify!($test))))),*]
        }
    };
}

tests! {
    a_new_store_is_empty,
    put_writes_and_replaces,
    insert_refuses_what_exists,
    delete_removes_and_forgives,
    a_batch_applies_in_order,
    a_conflict_leaves_nothing_of_the_batch,
    a_batch_that_was_overtaken_leaves_nothing,
    commits_are_numbered_from_one,
    the_log_of_commits_tells_what_changed,
    a_log_that_does_not_reach_back_says_so,
    what_others_commit_pushes_nothing_out_of_the_log,
    a_scan_is_in_order_and_of_one_kind,
    a_scan_goes_page_by_page,
    a_prefix_is_taken_literally,
    namespaces_never_leak,
    records_are_counted_and_named,
    namespaces_are_listed,
    every_kind_is_kept_to_the_last_bit,
    turns_keep_their_json_as_it_was,
    a_large_batch_is_one_commit,
    concurrent_inserts_have_one_winner,
    concurrent_commits_have_numbers_of_their_own,
    an_unreadable_record_is_listed_and_left,
    opening_again_finds_what_was_kept,
    two_handles_see_each_other,
    any_sequence_does_what_a_map_does,
    an_audited_batch_has_one_entry_in_its_chain,
    a_refused_batch_leaves_no_entry,
    concurrent_entries_make_one_chain,
    an_erased_entry_keeps_its_place,
}

/// Runs the whole list, saying each test's name first. A test fails by a panic.
pub async fn run_all<S: Subject>(subject: &S, say: impl Fn(&str)) {
    for (name, test) in tests::<S>() {
        say(name);
        test(subject).await;
    }
}

fn namespace(user: &str, project: &str) -> Namespace {
    Namespace {
        user: user.into(),
        project: project.into(),
    }
}

fn ada() -> Namespace {
    namespace("ada", "thesis")
}

fn batch(namespace: &Namespace, ops: impl IntoIterator<Item = Op>) -> Batch {
    Batch {
        namespace: namespace.clone(),
        // Strict commits differ in nothing that can be seen from here, and take longer.
        durability: Durability::Relaxed,
        ops: ops.into_iter().collect(),
        audit: None,
        erased_audit: Vec::new(),
        only_after: None,
    }
}

fn insert(kind: Kind, i: u32) -> Op {
    Op::Insert(sample(kind, i))
}

fn put(kind: Kind, i: u32) -> Op {
    Op::Put(sample(kind, i))
}

fn delete(kind: Kind, i: u32) -> Op {
    Op::Delete {
        kind,
        name: name(kind, i),
    }
}

/// Another version of the sample: equal in name, different in content.
fn changed(i: u32) -> Record {
    let Record::Session(mut session) = sample(Kind::Session, i) else {
        unreachable!()
    };
    session.system = "changed".into();
    Record::Session(session)
}

async fn all_of<S: Store>(store: &S, namespace: &Namespace, kind: Kind) -> Scan {
    let scan = store.scan(namespace, kind, &Range::default()).await;
    let scan = scan.unwrap();
    assert_eq!(scan.next, None, "a scan without a limit has no next page");
    scan
}

async fn names_of<S: Store>(store: &S, namespace: &Namespace, kind: Kind) -> Vec<String> {
    let scan = all_of(store, namespace, kind).await;
    assert_eq!(scan.unreadable, [""; 0]);
    scan.records.iter().map(Record::name).collect()
}

/// Waits for all at once, each polled in its turn.
async fn together<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *result = Some(value);
            }
        }
        if results.iter().all(Option::is_some) {
            Poll::Ready(results.iter_mut().filter_map(Option::take).collect())
        } else {
            Poll::Pending
        }
    })
    .await
}

async fn a_new_store_is_empty<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    for kind in Kind::ALL {
        assert_eq!(all_of(&store, &ada(), kind).await, Scan::default());
        assert_eq!(store.get(&ada(), kind, &name(kind, 1)).await, Ok(None));
    }
}

async fn put_writes_and_replaces<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    for record in [sample(Kind::Session, 1), changed(1)] {
        let ops = [Op::Put(record.clone())];
        store.apply(&batch(&ada(), ops)).await.unwrap();
        let found = store.get(&ada(), Kind::Session, &record.name()).await;
        assert_eq!(found, Ok(Some(record.clone())));
        assert_eq!(
            all_of(&store, &ada(), Kind::Session).await.records,
            [record]
        );
    }
}

async fn insert_refuses_what_exists<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    for kind in Kind::ALL {
        let first = batch(&ada(), [insert(kind, 1)]);
        store.apply(&first).await.unwrap();
        let conflict = Err(Error::Conflict { id: name(kind, 1) });
        assert_eq!(store.apply(&first).await, conflict, "{kind:?}");
    }
    let again = batch(&ada(), [Op::Insert(changed(1))]);
    store.apply(&again).await.unwrap_err();
    let found = store.get(&ada(), Kind::Session, &changed(1).name()).await;
    assert_eq!(found, Ok(Some(sample(Kind::Session, 1))));
}

async fn delete_removes_and_forgives<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    for kind in Kind::ALL {
        let ops = [insert(kind, 1), insert(kind, 2)];
        store.apply(&batch(&ada(), ops)).await.unwrap();
        let ops = [delete(kind, 1), delete(kind, 3)];
        store.apply(&batch(&ada(), ops)).await.unwrap();
        assert_eq!(store.get(&ada(), kind, &name(kind, 1)).await, Ok(None));
        assert_eq!(names_of(&store, &ada(), kind).await, [name(kind, 2)]);
    }
}

async fn a_batch_applies_in_order<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let kind = Kind::Session;
    let ops = [
        insert(kind, 1),
        delete(kind, 1),
        insert(kind, 1),
        Op::Put(changed(1)),
        put(kind, 2),
        delete(kind, 2),
    ];
    store.apply(&batch(&ada(), ops)).await.unwrap();
    assert_eq!(all_of(&store, &ada(), kind).await.records, [changed(1)]);
    let twice = [insert(kind, 3), insert(kind, 3)];
    let conflict = Err(Error::Conflict { id: name(kind, 3) });
    assert_eq!(store.apply(&batch(&ada(), twice)).await, conflict);
    let after_put = [put(kind, 3), insert(kind, 3)];
    assert_eq!(store.apply(&batch(&ada(), after_put)).await, conflict);
}

async fn a_conflict_leaves_nothing_of_the_batch<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let before = [put(Kind::Turn, 1), put(Kind::Session, 1)];
    assert_eq!(store.apply(&batch(&ada(), before)).await, Ok(1));
    let ops = [
        Op::Put(changed(1)),
        insert(Kind::Fact, 1),
        insert(Kind::Turn, 1),
        insert(Kind::Job, 1),
        delete(Kind::Session, 1),
    ];
    let conflict = Err(Error::Conflict {
        id: name(Kind::Turn, 1),
    });
    assert_eq!(store.apply(&batch(&ada(), ops)).await, conflict);
    for kind in Kind::ALL {
        let expected = match kind {
            Kind::Turn | Kind::Session => vec![sample(kind, 1)],
            _ => vec![],
        };
        assert_eq!(all_of(&store, &ada(), kind).await.records, expected);
    }
    assert_eq!(store.apply(&batch(&ada(), [])).await, Ok(2));
}

async fn a_batch_that_was_overtaken_leaves_nothing<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let after = |number, kind| Batch {
        only_after: Some(number),
        ..batch(&ada(), [insert(kind, 1)])
    };
    assert_eq!(store.apply(&after(0, Kind::Turn)).await, Ok(1));
    // A commit of another namespace is one, too.
    let elsewhere = batch(&namespace("other", ""), [insert(Kind::Turn, 1)]);
    assert_eq!(store.apply(&elsewhere).await, Ok(2));
    for number in [0, 1, 3] {
        let late = store.apply(&after(number, Kind::Segment)).await;
        assert_eq!(late, Err(overtaken(number)), "after {number}");
    }
    assert_eq!(names_of(&store, &ada(), Kind::Segment).await, [""; 0]);
    assert_eq!(store.apply(&after(2, Kind::Segment)).await, Ok(3));
    assert_eq!(store.last_commit().await, Ok(3));
}

async fn commits_are_numbered_from_one<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let other = namespace("other", "");
    for number in 1..=6 {
        let namespace = if number % 2 == 0 { &other } else { &ada() };
        let mut changes = batch(namespace, [insert(Kind::Turn, number)]);
        if number % 3 == 0 {
            changes.ops.clear();
        }
        if number % 2 == 0 {
            changes.durability = Durability::Strict;
        }
        assert_eq!(store.apply(&changes).await, Ok(u64::from(number)));
    }
}

async fn the_log_of_commits_tells_what_changed<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    assert_eq!(store.last_commit().await, Ok(0));
    assert_eq!(store.commits_after(&ada(), 0).await, Ok(Some(vec![])));
    let batches = [
        batch(&ada(), [insert(Kind::Turn, 1), insert(Kind::Fact, 1)]),
        batch(&namespace("other", ""), [put(Kind::Turn, 1)]),
        batch(&ada(), [delete(Kind::Fact, 1)]),
    ];
    for batch in &batches {
        store.apply(batch).await.unwrap();
    }
    let refused = batch(&ada(), [insert(Kind::Turn, 1)]);
    assert!(store.apply(&refused).await.is_err());
    let expected: Vec<(u64, Commit)> = (1..).zip(batches.iter().map(Commit::of)).collect();
    for number in 0..=3 {
        let commits = store.commits_after(&ada(), number as u64).await;
        assert_eq!(
            commits,
            Ok(Some(expected[number..].to_vec())),
            "after {number}"
        );
    }
    assert_eq!(store.last_commit().await, Ok(3));
}

async fn a_log_that_does_not_reach_back_says_so<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let last = crate::store::COMMITS_KEPT + 5;
    for _ in 0..last {
        store
            .apply(&batch(&ada(), [put(Kind::Job, 1)]))
            .await
            .unwrap();
    }
    assert_eq!(store.commits_after(&ada(), 0).await, Ok(None));
    assert_eq!(store.commits_after(&ada(), 4).await, Ok(None));
    let kept = store
        .commits_after(&ada(), 5)
        .await
        .unwrap()
        .map(|commits| commits.len() as u64);
    assert_eq!(kept, Some(crate::store::COMMITS_KEPT));
    assert_eq!(store.commits_after(&ada(), last).await, Ok(Some(vec![])));
}

async fn what_others_commit_pushes_nothing_out_of_the_log<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let other = namespace("other", "");
    let own = [1, 2, 3].map(|i| batch(&ada(), [put(Kind::Turn, i)]));
    for batch in &own[..2] {
        store.apply(batch).await.unwrap();
    }
    let n_others = crate::store::COMMITS_KEPT + 5;
    let theirs = batch(&other, [put(Kind::Job, 1)]);
    for _ in 0..n_others {
        store.apply(&theirs).await.unwrap();
    }
    let numbers = async |owner: &Namespace, number| {
        let found = store.commits_after(owner, number).await.unwrap();
        found.map(|commits| commits.iter().map(|(n, _)| *n).collect::<Vec<u64>>())
    };
    let last = 2 + n_others;
    for (number, is_there) in [(0, true), (1, true), (2, true), (last - 1, true)] {
        let found = numbers(&ada(), number).await;
        assert_eq!(found.is_some(), is_there, "after {number}");
        assert_eq!(
            found.unwrap().last(),
            Some(&last),
            "the newest, whoever made it"
        );
    }
    assert_eq!(numbers(&ada(), 0).await.unwrap()[..3], [1, 2, 8]);
    // Of theirs the oldest five went.
    assert_eq!(numbers(&other, 6).await, None);
    assert_eq!(numbers(&other, 7).await.unwrap()[0], 8);
    assert_eq!(store.apply(&own[2]).await, Ok(last + 1));
    assert_eq!(numbers(&ada(), last).await, Some(vec![last + 1]));
    // A namespace without a commit so far has nothing to hear of but what is in the log.
    assert_eq!(numbers(&namespace("nobody", ""), 0).await, None);
    assert_eq!(
        numbers(&namespace("nobody", ""), last).await,
        Some(vec![last + 1])
    );
}

async fn a_scan_is_in_order_and_of_one_kind<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let order = [10, 2, 9, 1, 300, 11];
    let ops = order
        .iter()
        .flat_map(|&i| Kind::ALL.map(|kind| insert(kind, i)));
    store.apply(&batch(&ada(), ops)).await.unwrap();
    for kind in Kind::ALL {
        let expected = [1, 2, 9, 10, 11, 300].map(|i| sample(kind, i));
        assert_eq!(all_of(&store, &ada(), kind).await.records, expected);
    }
}

async fn a_scan_goes_page_by_page<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let kind = Kind::Fact;
    store
        .apply(&batch(&ada(), (0..7).map(|i| insert(kind, i))))
        .await
        .unwrap();
    for limit in [1, 2, 3, 6, 7, 8, usize::MAX] {
        let mut range = Range {
            limit: Some(limit),
            ..Range::default()
        };
        let mut found = Vec::new();
        loop {
            let scan = store.scan(&ada(), kind, &range).await.unwrap();
            assert!(scan.records.len() <= limit);
            assert!(!scan.records.is_empty(), "no page is empty");
            found.extend(scan.records);
            let Some(next) = scan.next else { break };
            assert_eq!(
                found.len() % limit,
                0,
                "only the last page is short of {limit}"
            );
            assert_eq!(next, found[found.len() - 1].name());
            range.after = Some(next);
        }
        assert_eq!(found, Vec::from_iter((0..7).map(|i| sample(kind, i))));
    }
    let nothing = Range {
        limit: Some(0),
        ..Range::default()
    };
    let scan = store.scan(&ada(), kind, &nothing).await;
    assert_eq!(scan, Ok(Scan::default()));
    for (after, expected) in [("", 7), ("\u{ffff}", 0), (&name(kind, 6), 0)] {
        let range = Range {
            after: Some(after.into()),
            ..Range::default()
        };
        let scan = store.scan(&ada(), kind, &range).await.unwrap();
        assert_eq!(scan.records.len(), expected, "after {after:?}");
    }
}

async fn a_prefix_is_taken_literally<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let kind = Kind::Turn;
    store
        .apply(&batch(&ada(), (0..30).map(|i| insert(kind, i))))
        .await
        .unwrap();
    let whole = name(kind, 7);
    let (session, _) = whole.split_once('.').unwrap();
    let beyond = name(kind, 29);
    let cases = [
        (session, None, 30),
        (&whole[..whole.len() - 1], None, 10),
        (&whole[..whole.len() - 1], Some(&*whole), 2),
        // Before the prefix, and behind everything that has it.
        (&whole[..whole.len() - 1], Some(""), 10),
        (&whole[..whole.len() - 1], Some(&beyond), 0),
        (&whole, None, 1),
        (&whole, Some(&whole), 0),
        ("%", None, 0),
        ("\u{ffff}", None, 0),
        ("\u{d7ff}\u{ffff}", None, 0),
        ("\u{10ffff}", Some(&whole), 0),
    ];
    for (prefix, after, expected) in cases {
        let range = Range {
            prefix: prefix.into(),
            after: after.map(Into::into),
            ..Range::default()
        };
        let scan = store.scan(&ada(), kind, &range).await.unwrap();
        assert_eq!(scan.records.len(), expected, "{prefix:?} after {after:?}");
    }
    let ends = [
        ("", None, &*beyond, 29),
        ("", Some(&*whole), &beyond, 21),
        (session, None, &whole, 7),
        // Behind everything that has the prefix, at its beginning, and the wrong way round.
        (session, Some(&*whole), "\u{ffff}", 22),
        (session, None, session, 0),
        (session, None, "", 0),
        ("", Some(&*whole), &whole, 0),
        ("", Some(&*beyond), &whole, 0),
    ];
    for (prefix, after, before, expected) in ends {
        let range = Range {
            prefix: prefix.into(),
            after: after.map(Into::into),
            before: Some(before.into()),
            limit: None,
        };
        let scan = store.scan(&ada(), kind, &range).await.unwrap();
        assert_eq!(scan.records.len(), expected, "{range:?}");
    }
}

async fn namespaces_never_leak<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    // Empty, prefixes of each other, separators, the ends of the code space, equal to the eye.
    let hostile = [
        "",
        "\0",
        "a",
        "a\0",
        "a ",
        "a,b",
        "ab",
        "a\u{ffff}",
        "a\u{ffff}\u{ffff}",
        "a\u{d7ff}",
        "a\u{e000}",
        "a\u{10ffff}",
        "\u{ffff}",
        "\u{feff}a",
        "\u{e4}",
        "a\u{308}",
    ];
    let mut owners = Vec::new();
    for user in hostile {
        for project in hostile {
            let owner = namespace(user, project);
            let Record::Session(mut session) = sample(Kind::Session, 1) else {
                unreachable!()
            };
            session.system = format!("{user:?} {project:?}");
            let ops = [Op::Insert(Record::Session(session))];
            store.apply(&batch(&owner, ops)).await.unwrap();
            owners.push(owner);
        }
    }
    let record = name(Kind::Session, 1);
    for owner in &owners {
        let scan = all_of(&store, owner, Kind::Session).await;
        let [Record::Session(session)] = &scan.records[..] else {
            panic!("{owner:?} sees {scan:?}");
        };
        let expected = format!("{:?} {:?}", owner.user, owner.project);
        assert_eq!(session.system, expected);
        let found = store.get(owner, Kind::Session, &record).await;
        assert_eq!(found, Ok(Some(scan.records[0].clone())));
    }
    let ops = [delete(Kind::Session, 1)];
    store.apply(&batch(&owners[0], ops)).await.unwrap();
    for owner in &owners {
        let n = usize::from(owner != &owners[0]);
        assert_eq!(names_of(&store, owner, Kind::Session).await.len(), n);
    }
}

async fn records_are_counted_and_named<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    for kind in Kind::ALL {
        assert_eq!(store.count(&ada(), kind).await, Ok(0));
        assert_eq!(store.names(&ada(), kind).await, Ok(vec![]));
        let ops = (0..5).map(|i| insert(kind, i));
        store.apply(&batch(&ada(), ops)).await.unwrap();
        subject.damage(&store, &ada(), kind, &name(kind, 2)).await;
        let ops = [delete(kind, 4)];
        store.apply(&batch(&ada(), ops)).await.unwrap();
        assert_eq!(store.count(&ada(), kind).await, Ok(4), "{kind:?}");
        let names = (0..4).map(|i| name(kind, i)).collect();
        assert_eq!(store.names(&ada(), kind).await, Ok(names), "{kind:?}");
        let other = namespace("ada", "thesis2");
        assert_eq!(store.count(&other, kind).await, Ok(0));
        assert_eq!(store.names(&other, kind).await, Ok(vec![]));
    }
}

async fn namespaces_are_listed<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    assert_eq!(store.namespaces().await, Ok(vec![]));
    let owners = [
        ("", ""),
        ("", "b"),
        ("a", "\0"),
        ("a", "b"),
        ("a\u{ffff}", ""),
    ];
    let owners = owners.map(|(user, project)| namespace(user, project));
    for (i, owner) in (0..).zip(&owners) {
        // Of whatever kind, and one that can not be read.
        let kind = Kind::ALL[i % Kind::ALL.len()];
        let ops = (0..3).map(|i| insert(kind, i));
        store.apply(&batch(owner, ops)).await.unwrap();
        subject.damage(&store, owner, kind, &name(kind, 0)).await;
    }
    assert_eq!(store.namespaces().await, Ok(owners.to_vec()));
    let kind = Kind::ALL[3];
    let ops = (0..3).map(|i| delete(kind, i));
    store.apply(&batch(&owners[3], ops)).await.unwrap();
    let left = [0, 1, 2, 4].map(|i| owners[i].clone());
    assert_eq!(store.namespaces().await, Ok(left.to_vec()));
}

async fn every_kind_is_kept_to_the_last_bit<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    for record in extreme() {
        let ops = [Op::Put(record.clone())];
        store.apply(&batch(&ada(), ops)).await.unwrap();
        let found = store.get(&ada(), record.kind(), &record.name()).await;
        let found = found.unwrap().unwrap();
        // Equality takes -0 for 0, and JSON knows no infinity; the printed form tells all apart.
        assert_eq!(format!("{found:?}"), format!("{record:?}"));
        let json = |record: &Record| serde_json::to_string(record).unwrap();
        assert_eq!(json(&found), json(&record));
        let scan = all_of(&store, &ada(), record.kind()).await;
        assert!(scan.records.contains(&record), "{record:?}");
    }
}

async fn turns_keep_their_json_as_it_was<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let contents = [
        r#"[]"#,
        r#"[{"type":"x","2":"two","1":"one","10":"ten","a":{"1":1,"0":0}}]"#,
        r#"[{"n":[9007199254740993,-9007199254740993,18446744073709551615,-9223372036854775808]}]"#,
        r#"[{"n":[0.1,1.0,-0.0,1e-7,1.7976931348623157e+308,5e-324,0.30000000000000004]}]"#,
        r#"[{"__proto__":{"a":1},"constructor":null,"toString":"x","":[]}]"#,
        r#"[{"t":"\u0000\u0001\ttab \"quote\" \\ / é é 👩‍👩‍👧   ﻿ ￿"}]"#,
        r#"["text",null,true,[[[[[[[[]]]]]]]]]"#,
    ];
    for (i, text) in (0..).zip(contents) {
        let Record::Turn(mut turn) = sample(Kind::Turn, i) else {
            unreachable!()
        };
        turn.content = serde_json::from_str(text).unwrap();
        let ops = [Op::Insert(Record::Turn(turn))];
        store.apply(&batch(&ada(), ops)).await.unwrap();
        let found = store.get(&ada(), Kind::Turn, &name(Kind::Turn, i)).await;
        let Ok(Some(Record::Turn(turn))) = found else {
            panic!("{found:?}");
        };
        assert_eq!(serde_json::to_string(&turn.content).unwrap(), text);
    }
}

async fn a_large_batch_is_one_commit<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let kinds = [Kind::Turn, Kind::Vector];
    let ops = (0..1_000).flat_map(|i| kinds.map(|kind| insert(kind, i)));
    let mut large = batch(&ada(), ops);
    large.durability = Durability::Strict;
    assert_eq!(large.ops.len(), 2_000);
    assert_eq!(store.apply(&large).await, Ok(1));
    for kind in kinds {
        let expected = Vec::from_iter((0..1_000).map(|i| sample(kind, i)));
        assert!(all_of(&store, &ada(), kind).await.records == expected);
    }
    large.ops.rotate_left(1);
    let conflict = store.apply(&large).await;
    assert_eq!(
        conflict,
        Err(Error::Conflict {
            id: large_first(&large)
        })
    );
    assert_eq!(store.apply(&batch(&ada(), [])).await, Ok(2));
}

fn large_first(batch: &Batch) -> String {
    match &batch.ops[0] {
        Op::Insert(record) | Op::Put(record) => record.name(),
        Op::Delete { name, .. } => name.clone(),
    }
}

async fn concurrent_inserts_have_one_winner<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let attempts: Vec<Batch> = (0..8)
        .map(|i| batch(&ada(), [insert(Kind::Fact, i), insert(Kind::Session, 1)]))
        .collect();
    let results = together(attempts.iter().map(|batch| store.apply(batch))).await;
    let winners = (0..).zip(&results).filter(|(_, result)| result.is_ok());
    let winners: Vec<u32> = winners.map(|(i, _)| i).collect();
    let [winner] = winners[..] else {
        panic!("{results:?}");
    };
    let facts = names_of(&store, &ada(), Kind::Fact).await;
    assert_eq!(facts, [name(Kind::Fact, winner)]);
}

async fn concurrent_commits_have_numbers_of_their_own<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let commits: Vec<Batch> = (0..8)
        .map(|i| batch(&ada(), [insert(Kind::ALL[i as usize % Kind::ALL.len()], i)]))
        .collect();
    let results = together(commits.iter().map(|batch| store.apply(batch))).await;
    let mut numbers: Vec<u64> = results.into_iter().map(Result::unwrap).collect();
    numbers.sort();
    assert_eq!(numbers, Vec::from_iter(1..=8));
}

async fn an_unreadable_record_is_listed_and_left<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    for kind in Kind::ALL {
        let ops = (0..4).map(|i| insert(kind, i));
        store.apply(&batch(&ada(), ops)).await.unwrap();
        let bad = name(kind, 1);
        subject.damage(&store, &ada(), kind, &bad).await;

        let error = store.get(&ada(), kind, &bad).await.unwrap_err();
        assert!(
            matches!(&error, Error::Corrupt { what, .. } if what.contains(&bad)),
            "{error:?}"
        );
        let scan = all_of(&store, &ada(), kind).await;
        assert_eq!(scan.unreadable, [&*bad]);
        assert_eq!(scan.records, [0, 2, 3].map(|i| sample(kind, i)));

        // It has its place in the pages, and keeps it.
        let range = Range {
            limit: Some(2),
            ..Range::default()
        };
        let scan = store.scan(&ada(), kind, &range).await.unwrap();
        assert_eq!(scan.unreadable, [&*bad]);
        assert_eq!(scan.records, [sample(kind, 0)]);
        assert_eq!(scan.next.as_ref(), Some(&bad));
        let conflict = Err(Error::Conflict { id: bad.clone() });
        let again = batch(&ada(), [insert(kind, 1)]);
        assert_eq!(store.apply(&again).await, conflict);

        let mend = batch(&ada(), [put(kind, 1)]);
        store.apply(&mend).await.unwrap();
        assert_eq!(names_of(&store, &ada(), kind).await.len(), 4);
    }
}

async fn opening_again_finds_what_was_kept<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let ops = Kind::ALL.map(|kind| insert(kind, 1));
    assert_eq!(store.apply(&batch(&ada(), ops)).await, Ok(1));
    let persistence = store.persistence();
    drop(store);
    let store = subject.open(database).await;
    for kind in Kind::ALL {
        let expected = match persistence {
            Persistence::Disk => vec![sample(kind, 1)],
            Persistence::Memory => vec![],
        };
        assert_eq!(all_of(&store, &ada(), kind).await.records, expected);
    }
    let next = match persistence {
        Persistence::Disk => 2,
        Persistence::Memory => 1,
    };
    assert_eq!(store.apply(&batch(&ada(), [])).await, Ok(next));
}

async fn two_handles_see_each_other<S: Subject>(subject: &S, database: &str) {
    let stores = [subject.open(database).await, subject.open(database).await];
    let shared = stores[0].persistence() == Persistence::Disk;
    let mut numbers = Vec::new();
    for i in 0..4 {
        let ops = [insert(Kind::Turn, i)];
        let number = stores[i as usize % 2].apply(&batch(&ada(), ops)).await;
        numbers.push(number.unwrap());
    }
    assert_eq!(numbers, if shared { [1, 2, 3, 4] } else { [1, 1, 2, 2] });
    for (store, own) in stores.iter().zip([[0, 2], [1, 3]]) {
        let seen = if shared {
            vec![0, 1, 2, 3]
        } else {
            own.to_vec()
        };
        let expected = Vec::from_iter(seen.iter().map(|&i| name(Kind::Turn, i)));
        assert_eq!(names_of(store, &ada(), Kind::Turn).await, expected);
    }
}

/// The naive twin: a map, copied before every batch.
#[derive(Clone, Default)]
struct Model {
    n_commits: u64,
    records: BTreeMap<(Namespace, Kind, String), Record>,
}

impl Model {
    fn apply(&mut self, batch: &Batch) -> Result<u64, Error> {
        let mut after = self.clone();
        let place = |kind, name| (batch.namespace.clone(), kind, name);
        for op in &batch.ops {
            match op {
                Op::Insert(record) => {
                    let key = place(record.kind(), record.name());
                    if after.records.insert(key, record.clone()).is_some() {
                        return Err(Error::Conflict { id: record.name() });
                    }
                }
                Op::Put(record) => {
                    let key = place(record.kind(), record.name());
                    after.records.insert(key, record.clone());
                }
                Op::Delete { kind, name } => {
                    after.records.remove(&place(*kind, name.clone()));
                }
            }
        }
        after.n_commits += 1;
        *self = after;
        Ok(self.n_commits)
    }

    fn scan(&self, namespace: &Namespace, kind: Kind, range: &Range) -> Scan {
        let all = self.records.iter();
        let matching = all.filter(|((owner, of_kind, name), _)| {
            owner == namespace
                && *of_kind == kind
                && name.starts_with(&range.prefix)
                && range.after.as_ref().is_none_or(|after| name > after)
                && range.before.as_ref().is_none_or(|before| name < before)
        });
        let mut records: Vec<Record> = matching.map(|(_, record)| record.clone()).collect();
        let limit = range.limit.unwrap_or(usize::MAX);
        let more = records.len() > limit;
        records.truncate(limit);
        let last = records.last().map(Record::name);
        Scan {
            next: last.filter(|_| more),
            records,
            unreadable: Vec::new(),
        }
    }
}

async fn any_sequence_does_what_a_map_does<S: Subject>(subject: &S, database: &str) {
    for seed in [1, 20_261_121, u64::MAX] {
        let store = subject.open(&format!("{database}-{seed}")).await;
        let mut dice = Dice::new(seed);
        let mut model = Model::default();
        let owners = [ada(), namespace("ada", ""), namespace("", "thesis")];
        let kinds = [Kind::Session, Kind::Turn, Kind::Vector];
        for step in 0..60 {
            let context = format!("seed {seed}, step {step}");
            let owner = &owners[dice.below(3)];
            let ops = (0..dice.below(5)).map(|_| {
                let (kind, i) = (kinds[dice.below(3)], dice.below(12) as u32);
                match dice.below(4) {
                    0 => insert(kind, i),
                    1 => put(kind, i),
                    2 => Op::Put(changed(i)),
                    _ => delete(kind, i),
                }
            });
            let ops: Vec<Op> = ops.collect();
            let changes = batch(owner, ops);
            let expected = model.apply(&changes);
            assert_eq!(store.apply(&changes).await, expected, "{context}");

            let (owner, kind) = (&owners[dice.below(3)], kinds[dice.below(3)]);
            let some_name = name(kind, dice.below(12) as u32);
            let found = store.get(owner, kind, &some_name).await;
            let key = (owner.clone(), kind, some_name.clone());
            assert_eq!(found, Ok(model.records.get(&key).cloned()), "{context}");
            let range = Range {
                prefix: some_name[..dice.below(some_name.len() + 1)].into(),
                after: (dice.below(2) == 0).then(|| name(kind, dice.below(12) as u32)),
                before: (dice.below(2) == 0).then(|| name(kind, dice.below(12) as u32)),
                limit: (dice.below(2) == 0).then(|| dice.below(6)),
            };
            let scan = store.scan(owner, kind, &range).await;
            let expected = model.scan(owner, kind, &range);
            assert_eq!(scan, Ok(expected), "{context}, {range:?}");
        }
    }
}
