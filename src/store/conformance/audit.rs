//! The tests of the audit: one chain for each namespace, written with the batches that it tells of.

use super::{Subject, ada, batch, insert, namespace, together};
use crate::audit::Chain;
use crate::batch::Batch;
use crate::model::{Action, AuditContent, AuditEntry, AuditHead, Kind, Namespace, Stamp};
use crate::store::{Persistence, Store};
use crate::time::Timestamp;

fn stamped(mut batch: Batch, salt: u128) -> Batch {
    batch.audit = Some(Stamp {
        action: Action::Remember,
        at: Timestamp::utc(1_795_000_000_000),
        salt,
        surfaced: Vec::new(),
    });
    batch
}

/// All entries, after the chain was found to be whole.
async fn entries<S: Store>(store: &S, namespace: &Namespace) -> Vec<AuditEntry> {
    let head = store.audit_head(namespace).await.unwrap();
    let found = store.audit_after(namespace, 0, usize::MAX).await.unwrap();
    let mut chain = Chain::default();
    for (number, entry) in &found {
        chain.follow(*number, entry.as_ref()).unwrap();
    }
    chain.end(head).unwrap();
    found.into_iter().map(|(_, entry)| entry.unwrap()).collect()
}

pub async fn an_audited_batch_has_one_entry_in_its_chain<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    assert_eq!(store.audit_head(&ada()).await, Ok(AuditHead::default()));
    assert_eq!(entries(&store, &ada()).await, []);
    let other = namespace("other", "");
    for i in 0..7 {
        let owner = if i % 3 == 0 { &other } else { &ada() };
        let audited = stamped(batch(owner, [insert(Kind::Turn, i)]), i.into());
        store.apply(&audited).await.unwrap();
        // Neither of these is noted: nothing audited changes, nobody asks for it.
        let derived = stamped(batch(owner, [insert(Kind::Vector, i)]), i.into());
        store.apply(&derived).await.unwrap();
        let unstamped = batch(owner, [insert(Kind::Fact, i)]);
        store.apply(&unstamped).await.unwrap();
    }
    let (mine, theirs) = (entries(&store, &ada()).await, entries(&store, &other).await);
    assert_eq!((mine.len(), theirs.len()), (4, 3));
    let content: AuditContent = serde_json::from_str(mine[1].content.as_ref().unwrap()).unwrap();
    assert_eq!(content.changes[0].name, Some(super::name(Kind::Turn, 2)));
    for (after, limit, expected) in [(0, 2, vec![1, 2]), (2, 9, vec![3, 4]), (4, 9, vec![])] {
        let page = store.audit_after(&ada(), after, limit).await.unwrap();
        let numbers: Vec<u64> = page.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, expected, "after {after}");
    }
    if store.persistence() == Persistence::Disk {
        drop(store);
        let store = subject.open(database).await;
        let next = stamped(batch(&ada(), [insert(Kind::Turn, 90)]), 90);
        store.apply(&next).await.unwrap();
        assert_eq!(entries(&store, &ada()).await[..4], mine);
        assert_eq!(entries(&store, &ada()).await.len(), 5);
    }
}

pub async fn a_refused_batch_leaves_no_entry<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    let first = stamped(batch(&ada(), [insert(Kind::Turn, 1)]), 1);
    store.apply(&first).await.unwrap();
    let before = entries(&store, &ada()).await;
    let mut again = first.clone();
    again.erased_audit = vec![1];
    store.apply(&again).await.unwrap_err();
    assert_eq!(entries(&store, &ada()).await, before);
}

pub async fn concurrent_entries_make_one_chain<S: Subject>(subject: &S, database: &str) {
    let stores = [subject.open(database).await, subject.open(database).await];
    let shared = stores[0].persistence() == Persistence::Disk;
    let batches: Vec<Batch> = (0..16)
        .map(|i| stamped(batch(&ada(), [insert(Kind::Turn, i)]), i.into()))
        .collect();
    let commits = batches.iter().enumerate();
    let commits = commits.map(|(i, batch)| stores[i % 2].apply(batch));
    for result in together(commits).await {
        result.unwrap();
    }
    for store in &stores {
        let expected = if shared { 16 } else { 8 };
        assert_eq!(entries(store, &ada()).await.len(), expected);
    }
}

pub async fn an_erased_entry_keeps_its_place<S: Subject>(subject: &S, database: &str) {
    let store = subject.open(database).await;
    for i in 0..5 {
        let audited = stamped(batch(&ada(), [insert(Kind::Turn, i)]), i.into());
        store.apply(&audited).await.unwrap();
        let audited = stamped(batch(&namespace("other", ""), [insert(Kind::Turn, i)]), 0);
        store.apply(&audited).await.unwrap();
    }
    let before = entries(&store, &ada()).await;
    let mut erasing = stamped(batch(&ada(), [super::delete(Kind::Turn, 1)]), 9);
    erasing.audit.as_mut().unwrap().action = Action::Erase;
    erasing.erased_audit = vec![2, 5, 77];
    store.apply(&erasing).await.unwrap();
    let after = entries(&store, &ada()).await;
    assert_eq!(after.len(), 6);
    for (old, new) in before.iter().zip(&after) {
        let is_erased = [2, 5].contains(&old.number);
        assert_eq!(new.content.is_none(), is_erased, "{}", old.number);
        assert_eq!((new.digest, new.link), (old.digest, old.link));
    }
    let theirs = entries(&store, &namespace("other", "")).await;
    assert!(theirs.iter().all(|entry| entry.content.is_some()));
}
