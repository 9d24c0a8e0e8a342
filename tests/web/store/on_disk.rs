//! What is in the database, read without the store.

use super::browser::{ada, insertion, js, run};
use onhand::batch::{Batch, Durability, Op};
use onhand::model::{Action, Kind, Stamp};
use onhand::store::conformance::{name, sample};
use onhand::store::{Range, Store};
use onhand::time::Timestamp;
use onhand::web::idb::{IdbStore, schema};
use rexie::{ObjectStore, Rexie};
use wasm_bindgen_test::wasm_bindgen_test;

/// The object stores of version 1, written once: later versions may add to the list, and never take away.
const STORES_OF_VERSION_1: [&str; 14] = [
    "audit",
    "commits",
    "facts",
    "files",
    "generations",
    "injections",
    "jobs",
    "judgements",
    "meta",
    "sessions",
    "tombstones",
    "turns",
    "usage",
    "vectors",
];

/// Reads a value with the browser's own means and prints it with the types that matter.
const SHOW: &str = "
    const show = (value) =>
        typeof value === 'bigint' ? `${value}n`
        : value instanceof Uint8Array ? `bytes(${value})`
        : Array.isArray(value) ? `[${value.map(show)}]`
        : value !== null && Object.getPrototypeOf(value) === Object.prototype
            ? `{${Object.entries(value).map(([key, value]) => `${key}:${show(value)}`)}}`
        : JSON.stringify(value);
    const database = await ended(indexedDB.open(name));
    const all = async (store) => {
        const records = database.transaction(store).objectStore(store);
        const [keys, values] = [ended(records.getAllKeys()), ended(records.getAll())];
        return [await keys, await values];
    };";

async fn shown(store: &str, database: &str) -> String {
    let code =
        format!("{SHOW} const found = await all('{store}'); database.close(); return show(found);");
    run(&code, database).await.as_string().unwrap()
}

#[wasm_bindgen_test]
async fn records_are_plain_objects_under_their_namespace() {
    let database = "plain";
    let store = IdbStore::open(database).await.unwrap();
    let mut batch = Batch::new(&ada(), Durability::Strict);
    let kinds = [Kind::Turn, Kind::Job];
    batch.ops = kinds.map(|kind| Op::Put(sample(kind, 1))).into();
    let mut vector = sample(Kind::Vector, 1);
    if let onhand::model::Record::Vector(vector) = &mut vector {
        vector.components = vec![1, -2];
        vector.words = Some(vec![2, 0x1f, 0x18]);
    }
    batch.ops.push(Op::Insert(vector));
    store.apply(&batch).await.unwrap();

    let turn = name(Kind::Turn, 1);
    assert_eq!(
        shown("turns", database).await,
        format!(
            r#"[[["ada","thesis","{turn}"]],[{{v:1,id:"{turn}",role:"user",speaker:"Ines",content:"[{{\"type\":\"text\",\"text\":\"Turn 1\"}}]",at:{{unix_ms:1795000000001n,offset_min:60}}}}]]"#
        )
    );
    let vector = name(Kind::Vector, 1);
    assert_eq!(
        shown("vectors", database).await,
        format!(
            r#"[[["ada","thesis","{vector}"]],[{{v:1,owner:{{record:"turn:{turn}",piece:0}},embedder:"sample",components:bytes(1,0,254,255),words:bytes(2,31,24)}}]]"#
        )
    );
    let (job, session) = (name(Kind::Job, 1), &turn[..26]);
    assert_eq!(
        shown("jobs", database).await,
        format!(
            r#"[[["ada","thesis","{job}"]],[{{v:1,id:"{job}",work:{{kind:"extract",session:"{session}",first:0,last:1}},state:{{state:"waiting",until_ms:1795000000001n}},attempts:1,last_error:null}}]]"#
        )
    );
    let meta = shown("meta", database).await;
    let begins = r#"[["commit","format","store",["commits","ada","thesis"]],[1,1,""#;
    assert!(meta.starts_with(begins), "{meta}");
    assert_eq!(
        shown("commits", database).await,
        format!(
            r#"[[1],[{{v:1,namespace:{{user:"ada",project:"thesis"}},changes:[{{kind:"turn",name:"{turn}",deleted:false}},{{kind:"vector",name:"{vector}",deleted:false}},{{kind:"job",name:"{job}",deleted:false}}]}}]]"#
        )
    );
    store.close();
}

#[wasm_bindgen_test]
async fn the_audit_is_a_chain_of_entries_under_their_namespace() {
    let database = "audit-plain";
    let store = IdbStore::open(database).await.unwrap();
    for i in 1..=2 {
        let mut batch = insertion(Kind::Turn, i, Durability::Strict);
        batch.audit = Some(Stamp {
            action: Action::Remember,
            at: Timestamp::utc(1_795_000_000_000),
            salt: i.into(),
            surfaced: Vec::new(),
        });
        batch.erased_audit = vec![u64::from(i) - 1];
        store.apply(&batch).await.unwrap();
    }
    // The chain as docs/format.md describes it, with the browser's own SHA-256.
    let code = "
        const database = await ended(indexedDB.open(name));
        const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
        const entries = database.transaction('audit').objectStore('audit');
        const [keys, [one, two]] = await Promise.all([ended(entries.getAllKeys()), ended(entries.getAll())]);
        const head = await ended(database.transaction('meta').objectStore('meta').get(['audit', 'ada', 'thesis']));
        database.close();
        const digest = await sha256(new TextEncoder().encode(two.content));
        const first = await sha256(new Uint8Array([...new Uint8Array(32), ...one.digest]));
        const second = await sha256(new Uint8Array([...first, ...digest]));
        return JSON.stringify([
            keys, one.content, JSON.parse(two.content).action,
            String(digest) === String(two.digest), String(first) === String(one.link), String(second) === String(two.link),
            head.number, String(head.link) === String(two.link),
        ]);";
    assert_eq!(
        run(code, database).await.as_string().unwrap(),
        r#"[[["ada","thesis",1],["ada","thesis",2]],null,"remember",true,true,true,2,true]"#
    );
    let put = "
        const database = await ended(indexedDB.open(name));
        const entries = database.transaction('audit', 'readwrite').objectStore('audit');
        await ended(entries.put({v: 1, digest: 'x'}, ['ada', 'thesis', 2]));
        database.close();";
    run(put, database).await;
    let found = store.audit_after(&ada(), 0, 9).await.unwrap();
    assert!(found[0].1.is_some() && found[1] == (2, None), "{found:?}");
    store.close();
}

#[wasm_bindgen_test]
async fn the_newest_thousand_commits_are_kept() {
    let database = "commits";
    let store = IdbStore::open(database).await.unwrap();
    let first = insertion(Kind::Turn, 1, Durability::Relaxed);
    assert_eq!(store.apply(&first).await, Ok(1));
    // As if a thousand commits had been made: the next one has to drop the oldest.
    let code = "
        const database = await ended(indexedDB.open(name));
        const transaction = database.transaction(['meta', 'commits'], 'readwrite');
        const [meta, commits] = ['meta', 'commits'].map((store) => transaction.objectStore(store));
        const numbers = Float64Array.from({length: 1000}, (_, n) => n + 1);
        for (let n = 2; n <= 1000; n++) commits.put({v: 1}, n);
        meta.put({forgotten: 0, numbers}, ['commits', 'ada', 'thesis']);
        await ended(meta.put(1000, 'commit'));
        database.close();";
    run(code, database).await;
    let second = insertion(Kind::Turn, 2, Durability::Relaxed);
    assert_eq!(store.apply(&second).await, Ok(1_001));
    let code = format!(
        "{SHOW} const [keys] = await all('commits'); database.close(); return show([keys.length, keys[0], keys.at(-1)]);"
    );
    let kept = run(&code, database).await.as_string();
    assert_eq!(kept.as_deref(), Some("[1000,2,1001]"));
    store.close();
}

#[wasm_bindgen_test]
async fn a_failed_batch_leaves_no_trace_in_the_log() {
    let database = "no-trace";
    let store = IdbStore::open(database).await.unwrap();
    let batch = insertion(Kind::Turn, 1, Durability::Strict);
    store.apply(&batch).await.unwrap();
    store.apply(&batch).await.unwrap_err();
    let meta = shown("meta", database).await;
    let begins = r#"[["commit","format","store",["commits","ada","thesis"]],[1,1,""#;
    assert!(meta.starts_with(begins), "{meta}");
    assert!(shown("commits", database).await.starts_with("[[1],"));
    store.close();
}

#[wasm_bindgen_test]
async fn strict_and_relaxed_reach_the_browser() {
    js("{
        const begin = IDBDatabase.prototype.transaction;
        globalThis.begun = [];
        globalThis.restore = () => { IDBDatabase.prototype.transaction = begin; };
        IDBDatabase.prototype.transaction = function (...given) {
            const transaction = begin.apply(this, given);
            globalThis.begun.push(`${transaction.mode} ${transaction.durability}`);
            return transaction;
        };
    }");
    let store = IdbStore::open("durability").await.unwrap();
    js("globalThis.begun.length = 0");
    for (i, durability) in [(1, Durability::Strict), (2, Durability::Relaxed)] {
        let batch = insertion(Kind::Turn, i, durability);
        store.apply(&batch).await.unwrap();
    }
    js("globalThis.restore()");
    let begun = js("globalThis.begun.join()").as_string();
    assert_eq!(begun.as_deref(), Some("readwrite strict,readwrite relaxed"));
    store.close();
}

#[wasm_bindgen_test]
async fn an_upgrade_deletes_what_is_not_listed() {
    // The trap that the list of object stores is there for, set off on purpose.
    let database = "trap";
    let code = "
        const request = indexedDB.open(name, 1);
        request.onupgradeneeded = () => {
            request.result.createObjectStore('turns').put('kept', 1);
            request.result.createObjectStore('foreign').put('lost', 1);
        };
        (await ended(request)).close();";
    run(code, database).await;
    let listed = Rexie::builder(database).version(2);
    let listed = listed.add_object_store(ObjectStore::new("turns"));
    let upgraded = listed.build().await.unwrap();
    assert_eq!(upgraded.store_names(), ["turns"]);
    upgraded.close();
    assert_eq!(shown("turns", database).await, r#"[[1],["kept"]]"#);
}

#[wasm_bindgen_test]
async fn an_upgrade_with_the_list_keeps_every_record() {
    let database = "upgrade";
    for store in STORES_OF_VERSION_1 {
        assert!(schema::STORES.contains(&store), "{store} is lost");
    }
    let store = IdbStore::open(database).await.unwrap();
    let mut batch = Batch::new(&ada(), Durability::Strict);
    batch.ops = Kind::ALL.map(|kind| Op::Insert(sample(kind, 1))).into();
    store.apply(&batch).await.unwrap();
    store.close();
    let next = schema::builder(database, schema::VERSION + 1);
    let upgraded = next
        .add_object_store(ObjectStore::new("foreign"))
        .build()
        .await
        .unwrap();
    let mut stores = schema::STORES.to_vec();
    stores.push("foreign");
    stores.sort();
    assert_eq!(upgraded.store_names(), stores);
    upgraded.close();
    for kind in Kind::ALL {
        let found = shown(schema::store_of(kind), database).await;
        assert!(found.contains(&name(kind, 1)), "{found}");
    }
}

#[wasm_bindgen_test]
async fn another_programs_database_is_left_alone() {
    let database = "foreign";
    let code = "
        const request = indexedDB.open(name, 1);
        request.onupgradeneeded = () => request.result.createObjectStore('theirs').put('x', 1);
        (await ended(request)).close();";
    run(code, database).await;
    let error = IdbStore::open(database).await.err().unwrap();
    assert_eq!(error.code(), "storage_unavailable");
    assert_eq!(shown("theirs", database).await, r#"[[1],["x"]]"#);
}

#[wasm_bindgen_test]
async fn a_newer_format_is_refused() {
    let database = "newer";
    let store = IdbStore::open(database).await.unwrap();
    store.close();
    let code = "
        const database = await ended(indexedDB.open(name));
        await ended(database.transaction('meta', 'readwrite').objectStore('meta').put(2, 'format'));
        database.close();";
    run(code, database).await;
    let error = IdbStore::open(database).await.err().unwrap();
    assert_eq!(error.code(), "storage_unavailable");
}

#[wasm_bindgen_test]
async fn a_damaged_commit_number_stops_writing_until_the_next_opening_mends_it() {
    let database = "damaged-number";
    let store = IdbStore::open(database).await.unwrap();
    for i in 1..=3 {
        let batch = insertion(Kind::Turn, i, Durability::Strict);
        store.apply(&batch).await.unwrap();
    }
    let code = "
        const database = await ended(indexedDB.open(name));
        await ended(database.transaction('meta', 'readwrite').objectStore('meta').put('x', 'commit'));
        database.close();";
    run(code, database).await;
    let batch = insertion(Kind::Turn, 4, Durability::Strict);
    let error = store.apply(&batch).await.unwrap_err();
    assert_eq!(error.code(), "storage");
    assert_eq!(store.last_commit().await, Ok(3), "the log knows it, too");
    let scan = store.scan(&ada(), Kind::Turn, &Range::default()).await;
    assert_eq!(scan.unwrap().records.len(), 3);
    store.close();
    let store = IdbStore::open(database).await.unwrap();
    assert_eq!(store.apply(&batch).await, Ok(4));
    assert_eq!(store.last_commit().await, Ok(4));
    store.close();
}

#[wasm_bindgen_test]
async fn a_damaged_entry_in_the_log_is_taken_for_a_missing_one() {
    let database = "damaged-entry";
    let store = IdbStore::open(database).await.unwrap();
    for i in 1..=3 {
        let batch = insertion(Kind::Turn, i, Durability::Relaxed);
        store.apply(&batch).await.unwrap();
    }
    let code = "
        const database = await ended(indexedDB.open(name));
        await ended(database.transaction('commits', 'readwrite').objectStore('commits').put({v: 9}, 2));
        database.close();";
    run(code, database).await;
    assert_eq!(store.commits_after(&ada(), 0).await, Ok(None));
    assert_eq!(store.commits_after(&ada(), 1).await, Ok(None));
    let numbers = |found: Option<Vec<(u64, _)>>| -> Vec<u64> {
        found
            .unwrap()
            .into_iter()
            .map(|(number, _)| number)
            .collect()
    };
    assert_eq!(numbers(store.commits_after(&ada(), 2).await.unwrap()), [3]);
    assert_eq!(
        numbers(store.commits_after(&ada(), 3).await.unwrap()),
        [0; 0]
    );
    store.close();
}
