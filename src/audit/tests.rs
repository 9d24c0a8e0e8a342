use super::*;
use crate::batch::Durability;
use crate::model::{Namespace, RecordRef};
use crate::store::conformance::{name, sample};
use crate::time::Timestamp;

fn stamp(action: Action) -> Stamp {
    Stamp {
        action,
        at: Timestamp::utc(1_795_000_000_000),
        salt: 7,
        surfaced: Vec::new(),
    }
}

fn batch(action: Action, ops: impl IntoIterator<Item = Op>) -> Batch {
    let namespace = Namespace {
        user: "ada".into(),
        project: "thesis".into(),
    };
    let mut batch = Batch::new(&namespace, Durability::Strict);
    batch.audit = Some(stamp(action));
    batch.ops = ops.into_iter().collect();
    batch
}

fn read(content: &str) -> AuditContent {
    serde_json::from_str(content).unwrap()
}

/// A chain of `n` entries.
fn entries(n: u32) -> Vec<AuditEntry> {
    let mut head = AuditHead::default();
    let next_entry = |i| {
        let insert = Op::Insert(sample(Kind::Turn, i));
        let entry = next(head, content(&batch(Action::Chat, [insert])).unwrap());
        head = head_of(&entry);
        entry
    };
    (0..n).map(next_entry).collect()
}

fn verdict(entries: &[AuditEntry], head: AuditHead) -> Result<Chain, Break> {
    let mut chain = Chain::default();
    for entry in entries {
        chain.follow(entry.number, Some(entry))?;
    }
    chain.end(head)?;
    Ok(chain)
}

#[test]
fn an_entry_names_what_changed_and_what_was_shown_and_quotes_nothing() {
    let ops = [
        Op::Insert(sample(Kind::Session, 1)),
        Op::Insert(sample(Kind::Injection, 2)),
        Op::Put(sample(Kind::Fact, 3)),
        Op::Delete {
            kind: Kind::Fact,
            name: name(Kind::Fact, 4),
        },
        Op::Insert(sample(Kind::Vector, 5)),
        Op::Insert(sample(Kind::Job, 5)),
    ];
    let text = content(&batch(Action::Chat, ops)).unwrap();
    for said in ["Be brief", "<memory>", "Moved to provider"] {
        assert!(!text.contains(said), "{text}");
    }
    let content = read(&text);
    let changes: Vec<_> = content
        .changes
        .iter()
        .map(|change| (change.kind, change.name.clone().unwrap(), change.deleted))
        .collect();
    let expected = [
        (Kind::Session, 1, false),
        (Kind::Fact, 3, false),
        (Kind::Fact, 4, true),
        (Kind::Injection, 2, false),
    ];
    let expected = expected.map(|(kind, i, deleted)| (kind, name(kind, i), deleted));
    assert_eq!(changes, expected);
    let shown: Vec<_> = content
        .surfaced
        .iter()
        .map(|surfaced| (surfaced.request.split(':').next().unwrap(), surfaced.score))
        .collect();
    assert_eq!(
        shown,
        [("session", None), ("session", None), ("turn", Some(0.1))]
    );
    assert!(content.concerns(Kind::Fact, &name(Kind::Fact, 4)));
    assert!(content.concerns(Kind::Fact, &name(Kind::Fact, 2)), "shown");
    assert!(!content.concerns(Kind::Turn, &name(Kind::Turn, 9)));
}

#[test]
fn what_follows_from_other_records_makes_no_entry() {
    let derived = [Kind::Vector, Kind::Generation, Kind::Job];
    let ops = derived.map(|kind| Op::Put(sample(kind, 1)));
    assert_eq!(content(&batch(Action::Change, ops)), None);
    let mut unstamped = batch(Action::Chat, [Op::Put(sample(Kind::Turn, 1))]);
    unstamped.audit = None;
    assert_eq!(content(&unstamped), None);
}

#[test]
fn a_request_without_a_record_is_an_entry_too() {
    let mut empty = batch(Action::ChatFailed, []);
    let Record::Fact(fact) = sample(Kind::Fact, 1) else {
        unreachable!()
    };
    empty.audit.as_mut().unwrap().surfaced = vec![AuditSurfaced {
        request: "turn:x".into(),
        record: RecordRef::Fact(fact.id),
        score: None,
    }];
    assert_eq!(read(&content(&empty).unwrap()).surfaced.len(), 1);
}

#[test]
fn what_was_erased_is_not_named() {
    let delete = |kind| Op::Delete {
        kind,
        name: name(kind, 1),
    };
    let text = content(&batch(Action::Erase, [delete(Kind::Turn)])).unwrap();
    assert!(!text.contains(&name(Kind::Turn, 1)), "{text}");
    assert_eq!(read(&text).changes.len(), 1);
}

#[test]
fn the_salt_is_in_every_digest() {
    let mut one = batch(Action::Chat, [Op::Put(sample(Kind::Fact, 1))]);
    let digest = |batch: &Batch| read(&content(batch).unwrap()).changes[0].digest.clone();
    let before = digest(&one);
    one.audit.as_mut().unwrap().salt = 8;
    assert_ne!(digest(&one), before);
}

#[test]
fn a_whole_chain_verifies_also_where_content_was_erased() {
    let mut chain = entries(5);
    let head = head_of(&chain[4]);
    chain[1].content = None;
    chain[4].content = None;
    let verdict = verdict(&chain, head).unwrap();
    assert_eq!((verdict.n_entries(), verdict.n_erased()), (5, 2));
}

#[test]
fn every_tampering_breaks_the_chain_at_its_place() {
    type Tamper = fn(&mut Vec<AuditEntry>);
    let cases: [(&str, Tamper, u64, Fault); 8] = [
        (
            "a word",
            |chain| chain[2].content.as_mut().unwrap().push(' '),
            3,
            Fault::WrongContent,
        ),
        (
            "a digest",
            |chain| chain[2].digest[0] ^= 1,
            3,
            Fault::WrongContent,
        ),
        (
            "a digest without content",
            |chain| {
                chain[2].content = None;
                chain[2].digest[31] ^= 128;
            },
            3,
            Fault::WrongLink,
        ),
        ("a link", |chain| chain[2].link[5] ^= 1, 3, Fault::WrongLink),
        (
            "one left out",
            |chain| drop(chain.remove(2)),
            3,
            Fault::Missing,
        ),
        (
            "two exchanged",
            |chain| {
                let (a, b) = (chain[1].clone(), chain[2].clone());
                chain[1] = AuditEntry { number: 2, ..b };
                chain[2] = AuditEntry { number: 3, ..a };
            },
            2,
            Fault::WrongLink,
        ),
        ("the last one", |chain| drop(chain.pop()), 5, Fault::Missing),
        (
            "another one with a link of its own",
            |chain| {
                let forged = next(head_of(&chain[1]), "{}".into());
                chain[2] = forged;
            },
            4,
            Fault::WrongLink,
        ),
    ];
    for (what, tamper, number, fault) in cases {
        let mut chain = entries(5);
        let head = head_of(&chain[4]);
        tamper(&mut chain);
        let expected = Break { number, fault };
        assert_eq!(verdict(&chain, head).err(), Some(expected), "{what}");
    }
    let mut chain = Chain::default();
    let unreadable = chain.follow(1, None).unwrap_err();
    assert_eq!(unreadable.fault, Fault::Unreadable);
}

#[test]
fn the_chain_is_as_the_document_says() {
    let entry = next(AuditHead::default(), "x".into());
    // printf x | sha256sum, and of 32 zero bytes followed by that.
    assert_eq!(
        hex::encode(&entry.digest),
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    );
    assert_eq!(
        hex::encode(&entry.link),
        "7f85193790de75e46b70bfec3614098f47332a6993dabac6e38ad35f47df5da4"
    );
}
