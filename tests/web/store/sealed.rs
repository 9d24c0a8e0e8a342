//! The store encrypted: what is on disk then, and turning it on and off while it is used, with
//! interruptions everywhere.

use super::browser::{ada, key, put, run};
use onhand::audit::Chain;
use onhand::batch::{Batch, Durability, Op};
use onhand::error::Error;
use onhand::model::{Action, Kind, Record, Stamp};
use onhand::seal::{Secret, State};
use onhand::store::conformance::{name, sample};
use onhand::store::{Range, Store};
use onhand::time::Timestamp;
use onhand::web::idb::IdbStore;
use wasm_bindgen_test::wasm_bindgen_test;

const PASSPHRASE: &str = "correct horse";

fn passphrase() -> Secret {
    Secret::Passphrase(PASSPHRASE.into())
}

/// Opens a store with encryption on and done.
pub async fn open(database: &str) -> IdbStore {
    let store = IdbStore::open(database).await.unwrap();
    match store.sealing().state {
        None => drop(store.encrypt(PASSPHRASE).await.unwrap()),
        Some(_) => store.unlock(&passphrase()).await.unwrap(),
    }
    while store.seal_page().await.unwrap() {}
    store
}

/// One commit with records of every kind, and as many turns as several pages hold.
fn large(first: u32) -> Batch {
    let mut batch = Batch::new(&ada(), Durability::Strict);
    let turns = (first..first + 450).map(|i| Op::Insert(sample(Kind::Turn, i)));
    let others = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Turn);
    let others = others.map(|kind| Op::Insert(sample(kind, first)));
    batch.ops = turns.chain(others).collect();
    batch.audit = Some(Stamp {
        action: Action::Remember,
        at: Timestamp::utc(1_795_000_000_000),
        salt: 7,
        surfaced: Vec::new(),
    });
    batch
}

/// Everything that is in the database, as one text; bytes as characters.
async fn dump(database: &str) -> String {
    let code = "
        const database = await ended(indexedDB.open(name));
        const found = [];
        for (const store of database.objectStoreNames) {
            const records = database.transaction(store).objectStore(store);
            const [keys, values] = [ended(records.getAllKeys()), ended(records.getAll())];
            found.push([store, await keys, await values]);
        }
        database.close();
        return JSON.stringify(found, (_, value) =>
            typeof value === 'bigint' ? `${value}`
            : value instanceof Uint8Array ? Array.from(value, (byte) => String.fromCharCode(byte)).join('')
            : value);";
    run(code, database).await.as_string().unwrap()
}

/// What the samples say, and bytes of a vector.
fn canaries() -> Vec<String> {
    let Record::Vector(vector) = sample(Kind::Vector, 0) else {
        unreachable!()
    };
    let components = vector.components[40..60].iter();
    let bytes = components.flat_map(|c| c.to_le_bytes());
    let bytes: String = bytes.map(char::from).collect();
    // As it stands inside a JSON string.
    let bytes = serde_json::to_string(&bytes).unwrap();
    let vector = bytes.trim_matches('"').to_owned();
    let said = [
        "Be brief",
        "Turn 44",
        "Moved to provider",
        "<memory>",
        "req_0",
        "remember",
    ];
    said.map(String::from).into_iter().chain([vector]).collect()
}

async fn n_canaries(database: &str) -> usize {
    let dump = dump(database).await;
    canaries()
        .iter()
        .filter(|canary| dump.contains(*canary))
        .count()
}

/// All that `large` wrote is there, and nothing is unreadable.
async fn assert_whole(store: &IdbStore, firsts: &[u32], context: &str) {
    for kind in Kind::ALL {
        let scan = store.scan(&ada(), kind, &Range::default()).await.unwrap();
        assert_eq!(scan.unreadable, [""; 0], "{context}");
        let mut expected = Vec::new();
        for &first in firsts {
            let n = if kind == Kind::Turn { 450 } else { 1 };
            expected.extend((first..first + n).map(|i| sample(kind, i)));
        }
        assert!(scan.records == expected, "{context}: {kind:?}");
    }
    let head = store.audit_head(&ada()).await.unwrap();
    let mut chain = Chain::default();
    for (number, entry) in store.audit_after(&ada(), 0, 99).await.unwrap() {
        chain.follow(number, entry.as_ref()).unwrap();
    }
    chain.end(head).unwrap();
    assert_eq!(
        (chain.n_entries() as usize, chain.n_erased()),
        (firsts.len(), 0)
    );
}

#[wasm_bindgen_test]
async fn nothing_that_was_said_is_in_a_sealed_database() {
    let database = "sealed-dump";
    let store = IdbStore::open(database).await.unwrap();
    store.apply(&large(0)).await.unwrap();
    assert_eq!(
        n_canaries(database).await,
        canaries().len(),
        "they are looked for rightly"
    );
    store.encrypt(PASSPHRASE).await.unwrap();
    let mut n_pages = 0;
    while store.seal_page().await.unwrap() {
        n_pages += 1;
        assert_whole(&store, &[0], "while it is being sealed").await;
    }
    assert!(n_pages >= 11, "450 turns are three pages");
    assert_eq!(store.sealing().state, Some(State::Sealed));
    assert_eq!(n_canaries(database).await, 0);
    // What is written afterwards is sealed as well.
    store.apply(&large(1_000)).await.unwrap();
    assert_eq!(n_canaries(database).await, 0);
    let found = dump(database).await;
    assert!(!found.contains(PASSPHRASE));
    assert!(found.contains(&name(Kind::Turn, 3)), "names stay readable");

    store.decrypt().await.unwrap();
    while store.seal_page().await.unwrap() {
        assert_whole(&store, &[0, 1_000], "while it is being opened").await;
    }
    assert_eq!(store.sealing().state, None);
    assert_eq!(n_canaries(database).await, canaries().len());
    assert_whole(&store, &[0, 1_000], "opened").await;
    store.close();
}

#[wasm_bindgen_test]
async fn an_interruption_at_any_page_loses_nothing_and_the_rest_follows() {
    for n_pages in 0..13 {
        let context = format!("interrupted after {n_pages} pages");
        let database = format!("sealed-crash-{n_pages}");
        let store = IdbStore::open(&database).await.unwrap();
        store.apply(&large(0)).await.unwrap();
        store.encrypt(PASSPHRASE).await.unwrap();
        for _ in 0..n_pages {
            store.seal_page().await.unwrap();
        }
        // A page that dies holds nothing of the database any more.
        store.close();
        drop(store);

        let store = IdbStore::open(&database).await.unwrap();
        assert!(store.sealing().locked, "{context}");
        let wrong = Secret::Passphrase("wrong horse".into());
        assert_eq!(store.unlock(&wrong).await, Err(Error::WrongKey));
        assert_eq!(store.apply(&large(1_000)).await, Err(Error::Locked));
        store.unlock(&passphrase()).await.unwrap();
        assert_whole(&store, &[0], &context).await;
        store.apply(&large(1_000)).await.unwrap();
        while store.seal_page().await.unwrap() {}
        assert_eq!(store.sealing().state, Some(State::Sealed), "{context}");
        assert_eq!(n_canaries(&database).await, 0, "{context}");
        assert_whole(&store, &[0, 1_000], &context).await;

        store.decrypt().await.unwrap();
        for _ in 0..n_pages {
            store.seal_page().await.unwrap();
        }
        store.close();
        drop(store);
        let store = IdbStore::open(&database).await.unwrap();
        // Opening all was done, or it is still locked.
        if store.sealing().locked {
            assert_eq!(store.sealing().state, Some(State::Unsealing));
            store.unlock(&passphrase()).await.unwrap();
        }
        assert_whole(&store, &[0, 1_000], &context).await;
        while store.seal_page().await.unwrap() {}
        assert_eq!(store.sealing().state, None, "{context}");
        assert_whole(&store, &[0, 1_000], &context).await;
        assert_eq!(n_canaries(&database).await, canaries().len(), "{context}");
        store.close();
    }
}

#[wasm_bindgen_test]
async fn a_locked_store_answers_nothing_and_loses_nothing() {
    let database = "sealed-locked";
    let store = open(database).await;
    store.apply(&large(0)).await.unwrap();
    let before = dump(database).await;
    store.lock();
    let turn = name(Kind::Turn, 3);
    assert_eq!(
        store.get(&ada(), Kind::Turn, &turn).await,
        Err(Error::Locked)
    );
    assert_eq!(
        store.get(&ada(), Kind::Turn, "none").await,
        Err(Error::Locked)
    );
    let scan = store.scan(&ada(), Kind::Turn, &Range::default()).await;
    assert_eq!(scan, Err(Error::Locked));
    assert_eq!(store.audit_after(&ada(), 0, 9).await, Err(Error::Locked));
    assert_eq!(store.apply(&large(1_000)).await, Err(Error::Locked));
    assert_eq!(store.seal_page().await, Err(Error::Locked));
    assert_eq!(
        store.change_passphrase("another one").await,
        Err(Error::Locked)
    );
    assert_eq!(store.decrypt().await, Err(Error::Locked));
    for wrong in ["wrong horse", "", "correct horse "] {
        let wrong = Secret::Passphrase(wrong.into());
        assert_eq!(store.unlock(&wrong).await, Err(Error::WrongKey));
    }
    assert_eq!(dump(database).await, before);
    store.unlock(&passphrase()).await.unwrap();
    assert_whole(&store, &[0], "unlocked").await;
    store.close();
}

#[wasm_bindgen_test]
async fn every_way_in_opens_and_a_new_passphrase_rewraps_only() {
    let database = "sealed-ways";
    let store = IdbStore::open(database).await.unwrap();
    let error = store.encrypt("short").await.unwrap_err();
    assert_eq!(error.code(), "invalid_input");
    assert_eq!(store.sealing().state, None);
    let code = store.encrypt(PASSPHRASE).await.unwrap();
    while store.seal_page().await.unwrap() {}
    assert_eq!(
        store.encrypt(PASSPHRASE).await.unwrap_err().code(),
        "invalid_input"
    );
    store.apply(&large(0)).await.unwrap();
    let turns = "
        const database = await ended(indexedDB.open(name));
        const turns = await ended(database.transaction('turns').objectStore('turns').getAll());
        database.close();
        return turns.map(({sealed}) => String(sealed)).join();";
    let before = run(turns, database).await.as_string();
    store.change_passphrase("battery staple").await.unwrap();
    assert_eq!(run(turns, database).await.as_string(), before);
    let passkey = onhand::web::idb::Passkey {
        credential: vec![1, 2],
        salt: vec![3, 4],
    };
    store.add_passkey(&passkey, &[7; 32]).await.unwrap();
    assert_eq!(
        store
            .add_passkey(&passkey, &[7; 31])
            .await
            .unwrap_err()
            .code(),
        "invalid_input"
    );
    store.close();

    let store = IdbStore::open(database).await.unwrap();
    assert_eq!(store.unlock(&passphrase()).await, Err(Error::WrongKey));
    assert_eq!(store.sealing().passkeys, [passkey]);
    let ways = [
        Secret::Passphrase("battery staple".into()),
        Secret::Recovery(code),
        Secret::Passkey(vec![7; 32]),
    ];
    for way in ways {
        store.lock();
        store.unlock(&way).await.unwrap();
        assert_whole(&store, &[0], "unlocked").await;
    }
    store.close();
}

#[wasm_bindgen_test]
async fn another_tab_never_writes_in_the_old_shape() {
    let database = "sealed-tabs";
    let one = IdbStore::open(database).await.unwrap();
    let other = IdbStore::open(database).await.unwrap();
    one.apply(&large(0)).await.unwrap();
    one.encrypt(PASSPHRASE).await.unwrap();
    // It has not heard of it: its write is refused by the keyring that it finds.
    assert_eq!(other.apply(&large(1_000)).await, Err(Error::Locked));
    assert!(other.sealing().locked);
    let third = IdbStore::open(database).await.unwrap();
    assert!(third.sealing().locked);
    while one.seal_page().await.unwrap() {}
    assert_whole(&one, &[0], "refused").await;

    other.unlock(&passphrase()).await.unwrap();
    one.decrypt().await.unwrap();
    // Its view is of before; the write is prepared again and goes through, in the open.
    other.apply(&large(1_000)).await.unwrap();
    assert_whole(&one, &[0, 1_000], "both").await;
    while one.seal_page().await.unwrap() {}
    assert_eq!(n_canaries(database).await, canaries().len());
    assert_whole(&other, &[0, 1_000], "the other tab").await;
    // A tab that never had a key reads what is open now.
    assert_whole(&third, &[0, 1_000], "the locked tab").await;

    // A new key: who holds the old one is locked, and what it sealed is not mistaken for damage.
    one.encrypt("another horse").await.unwrap();
    while one.seal_page().await.unwrap() {}
    let read = other.get(&ada(), Kind::Turn, &name(Kind::Turn, 3)).await;
    assert_eq!(read, Err(Error::Locked));
    for store in [one, other, third] {
        store.close();
    }
}

#[wasm_bindgen_test]
async fn two_tabs_that_convert_at_once_do_no_harm() {
    let database = "sealed-both";
    let one = IdbStore::open(database).await.unwrap();
    one.apply(&large(0)).await.unwrap();
    one.encrypt(PASSPHRASE).await.unwrap();
    let other = IdbStore::open(database).await.unwrap();
    other.unlock(&passphrase()).await.unwrap();
    for _ in 0..40 {
        let _ = one.seal_page().await;
        let _ = other.seal_page().await;
    }
    assert_eq!(n_canaries(database).await, 0);
    for store in [&one, &other] {
        assert_eq!(store.sealing().state, Some(State::Sealed));
        assert_whole(store, &[0], "sealed by two").await;
    }
    one.close();
    other.close();
}

#[wasm_bindgen_test]
async fn what_is_moved_or_planted_is_refused() {
    let database = "sealed-moved";
    let store = open(database).await;
    store.apply(&large(0)).await.unwrap();
    let code = "
        const database = await ended(indexedDB.open(name));
        const turns = database.transaction('turns', 'readwrite').objectStore('turns');
        const [keys, values] = [await ended(turns.getAllKeys()), await ended(turns.getAll())];
        await ended(turns.put(values[1], keys[0]));
        await ended(turns.put(values[2], ['eve', 'thesis', keys[2][2]]));
        database.close();";
    run(code, database).await;
    let planted =
        "({v: 1, id: 'x', role: 'user', content: '[]', at: {unix_ms: 1n, offset_min: 0}})";
    put(
        database,
        Kind::Turn,
        &key(&ada(), &name(Kind::Turn, 5)),
        planted,
    )
    .await;
    let scan = store
        .scan(&ada(), Kind::Turn, &Range::default())
        .await
        .unwrap();
    assert_eq!(scan.unreadable, [name(Kind::Turn, 0), name(Kind::Turn, 5)]);
    let mut eve = ada();
    eve.user = "eve".into();
    let scan = store
        .scan(&eve, Kind::Turn, &Range::default())
        .await
        .unwrap();
    assert_eq!((scan.records.len(), scan.unreadable.len()), (0, 1));
    store.close();
}
