//! Losing the connection, waiting in vain, and what the browser's exceptions become.

use super::browser::{ada, insertion, js, run};
use onhand::batch::{Batch, Durability, Op};
use onhand::error::Error;
use onhand::model::{Kind, Record, Segment};
use onhand::store::conformance::{name, sample};
use onhand::store::{Range, Store};
use onhand::web::idb::failure::Exception;
use onhand::web::idb::{IdbStore, Patience};
use wasm_bindgen_test::wasm_bindgen_test;

const IMPATIENT: Patience = Patience {
    open_ms: 300,
    reopen_ms: 300,
    rest_ms: 0,
    transaction_ms: 300,
};

#[wasm_bindgen_test]
fn every_exception_has_a_meaning() {
    let table = [
        ("QuotaExceededError", "quota_exceeded"),
        ("VersionError", "storage_unavailable"),
        ("SecurityError", "storage_unavailable"),
        ("NotFoundError", "storage_unavailable"),
        ("AbortError", "storage"),
        ("ConstraintError", "storage"),
        ("DataError", "storage"),
        ("DataCloneError", "storage"),
        ("InvalidStateError", "storage"),
        ("ReadOnlyError", "storage"),
        ("TimeoutError", "storage"),
        ("TransactionInactiveError", "storage"),
        ("UnknownError", "storage"),
        ("AnErrorOfTomorrow", "storage"),
    ];
    for (name, code) in table {
        let exception = Exception::new(name, "message");
        let error = exception.clone().in_use();
        assert_eq!(error.code(), code, "{name}");
        let opening = exception.while_opening();
        let (name, message) = (name.to_owned(), "message".to_owned());
        assert_eq!(opening, Error::StorageUnavailable { name, message });
    }
    let thrown = js("new DOMException('message', 'QuotaExceededError')");
    assert_eq!(
        Exception::from(thrown),
        Exception::new("QuotaExceededError", "message")
    );
    let thrown = js("new TypeError('message')");
    assert_eq!(
        Exception::from(thrown),
        Exception::new("TypeError", "message")
    );
}

#[wasm_bindgen_test]
async fn another_tabs_deletion_is_let_through_and_the_next_call_opens_again() {
    let store = IdbStore::open("deleted").await.unwrap();
    let batch = insertion(Kind::Turn, 1, Durability::Strict);
    assert_eq!(store.apply(&batch).await, Ok(1));
    run("await ended(indexedDB.deleteDatabase(name));", "deleted").await;
    assert_eq!(store.apply(&batch).await, Ok(1));
    run("await ended(indexedDB.deleteDatabase(name));", "deleted").await;
    let found = store.get(&ada(), Kind::Turn, &name(Kind::Turn, 1)).await;
    assert_eq!(found, Ok(None));
    store.close();
}

#[wasm_bindgen_test]
async fn another_tabs_upgrade_is_let_through_and_told() {
    let store = IdbStore::open("upgraded").await.unwrap();
    run(
        "(await ended(indexedDB.open(name, 2))).close();",
        "upgraded",
    )
    .await;
    let batch = insertion(Kind::Turn, 1, Durability::Strict);
    let error = store.apply(&batch).await.unwrap_err();
    let Error::StorageUnavailable { name, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(name, "VersionError");
}

#[wasm_bindgen_test]
async fn a_connection_closed_without_notice_is_opened_again() {
    js("{
        const begin = IDBDatabase.prototype.transaction;
        globalThis.connections = new Set();
        globalThis.restore = () => { IDBDatabase.prototype.transaction = begin; };
        IDBDatabase.prototype.transaction = function (...given) {
            globalThis.connections.add(this);
            return begin.apply(this, given);
        };
    }");
    let close_all =
        "globalThis.connections.forEach((c) => c.close()); globalThis.connections.clear()";
    let store = IdbStore::open("closed-under-us").await.unwrap();
    let batch = insertion(Kind::Turn, 1, Durability::Strict);
    assert_eq!(store.apply(&batch).await, Ok(1));
    assert_eq!(js("globalThis.connections.size").as_f64(), Some(2.0));
    js(close_all);
    let batch = insertion(Kind::Turn, 2, Durability::Strict);
    assert_eq!(store.apply(&batch).await, Ok(2));
    js(close_all);
    let scan = store.scan(&ada(), Kind::Turn, &Range::default()).await;
    assert_eq!(scan.unwrap().records.len(), 2);
    js("globalThis.restore()");
    store.close();
}

/// A browser that takes the database away ends the transactions under way without a reason. Nothing of them was
/// written, so they are done again over a new connection, once.
#[wasm_bindgen_test]
async fn a_transaction_that_the_browser_ended_is_done_again_once() {
    let patience = Patience {
        rest_ms: 0,
        ..Patience::default()
    };
    let store = IdbStore::open_with("taken-away", patience).await.unwrap();
    let aborting = |times: u32| {
        js(&format!(
            "{{
                const begin = IDBDatabase.prototype.transaction;
                globalThis.left = {times};
                globalThis.restore = () => {{ IDBDatabase.prototype.transaction = begin; }};
                IDBDatabase.prototype.transaction = function (...given) {{
                    const transaction = begin.apply(this, given);
                    // Not closed by the play: WebKit then tells of no abort any more. The store closes it itself.
                    if (globalThis.left-- > 0) queueMicrotask(() => transaction.abort());
                    return transaction;
                }};
            }}"
        ));
    };
    let batch = insertion(Kind::Turn, 1, Durability::Strict);
    aborting(1);
    let written = store.apply(&batch).await;
    js("globalThis.restore()");
    assert_eq!(written, Ok(1), "written once, under the first number");
    aborting(1);
    let found = store.get(&ada(), Kind::Turn, &name(Kind::Turn, 1)).await;
    js("globalThis.restore()");
    assert_eq!(found, Ok(Some(sample(Kind::Turn, 1))));
    // A browser that always does so is told of.
    let batch = insertion(Kind::Turn, 2, Durability::Strict);
    aborting(99);
    let written = store.apply(&batch).await;
    let n_tries = 99.0 - js("globalThis.left").as_f64().unwrap();
    js("globalThis.restore()");
    assert!(written.is_err() && n_tries < 8.0, "{written:?} {n_tries}");
    assert_eq!(store.apply(&batch).await, Ok(2));
    store.close();
}

#[wasm_bindgen_test]
async fn a_closed_store_says_so() {
    let store = IdbStore::open("closed").await.unwrap();
    store.close();
    let batch = insertion(Kind::Turn, 1, Durability::Strict);
    assert_eq!(store.apply(&batch).await, Err(Error::Closed));
    let scan = store.scan(&ada(), Kind::Turn, &Range::default()).await;
    assert_eq!(scan, Err(Error::Closed));
    // Nothing is held: a deletion is not kept waiting.
    run("await ended(indexedDB.deleteDatabase(name));", "closed").await;
}

#[wasm_bindgen_test]
async fn a_page_without_a_database_is_told() {
    js("{
        // A page has the property itself, a worker inherits it.
        const own = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB');
        globalThis.restore = () => own
            ? Object.defineProperty(globalThis, 'indexedDB', own)
            : delete globalThis.indexedDB;
        Object.defineProperty(globalThis, 'indexedDB', { value: undefined, configurable: true });
    }");
    let result = IdbStore::open("missing").await;
    js("globalThis.restore()");
    let error = result.err().unwrap();
    let Error::StorageUnavailable { name, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(name, "NotSupportedError");
}

#[wasm_bindgen_test]
async fn a_blocked_opening_ends_and_holds_nothing() {
    // A deletion waits for a tab that does not let go, and the opening waits for the deletion.
    let code = "
        globalThis.holder = await ended(indexedDB.open(name, 1));
        globalThis.deletion = ended(indexedDB.deleteDatabase(name));";
    run(code, "blocked").await;
    let error = IdbStore::open_with("blocked", IMPATIENT)
        .await
        .err()
        .unwrap();
    let Error::StorageUnavailable { name, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(name, "TimeoutError");
    // The opening comes to its end after all; its connections must not stay.
    let code = "
        globalThis.holder.close();
        await globalThis.deletion;
        await ended(indexedDB.deleteDatabase(name));";
    run(code, "blocked").await;
}

#[wasm_bindgen_test]
async fn a_transaction_that_never_ends_is_given_up_and_leaves_nothing() {
    let store = IdbStore::open_with("stuck", IMPATIENT).await.unwrap();
    let first = insertion(Kind::Turn, 1, Durability::Strict);
    store.apply(&first).await.unwrap();
    // Another tab keeps the object store to itself.
    let code = "
        globalThis.holder = await ended(indexedDB.open(name));
        const turns = globalThis.holder.transaction('turns', 'readwrite').objectStore('turns');
        globalThis.hold = true;
        const again = () => { if (globalThis.hold) turns.count().onsuccess = again; };
        again();";
    run(code, "stuck").await;
    let second = insertion(Kind::Turn, 2, Durability::Strict);
    let range = Range::default();
    let errors = [
        store.apply(&second).await.unwrap_err(),
        store.scan(&ada(), Kind::Turn, &range).await.unwrap_err(),
    ];
    for error in errors {
        // Firefox keeps even an opening waiting for the transaction of another tab, so that the second
        // call, which opens anew, fails there while opening.
        let (Error::Storage { name, .. } | Error::StorageUnavailable { name, .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(name, "TimeoutError");
    }
    js("globalThis.hold = false; globalThis.holder.close()");
    let scan = store.scan(&ada(), Kind::Turn, &range).await.unwrap();
    assert_eq!(scan.records, [sample(Kind::Turn, 1)]);
    assert_eq!(store.apply(&second).await, Ok(2));
    store.close();
}

/// Chromium can tell a request with a large value of its failure after it told the transaction of its abort. Nobody
/// waits any more then, and nothing may be called: an error that nobody catches stops the engine.
#[wasm_bindgen_test]
async fn what_a_browser_tells_after_the_end_reaches_nobody() {
    js("{
        const { put } = IDBObjectStore.prototype;
        const { abort } = IDBTransaction.prototype;
        globalThis.told = [];
        globalThis.uncaught = [];
        const onError = (event) => {
            globalThis.uncaught.push(event.message);
            event.preventDefault();
        };
        addEventListener('error', onError);
        globalThis.restore = () => {
            removeEventListener('error', onError);
            IDBObjectStore.prototype.put = put;
            IDBTransaction.prototype.abort = abort;
        };
        IDBObjectStore.prototype.put = function (...given) {
            const request = put.apply(this, given);
            const { promise, resolve } = Promise.withResolvers();
            globalThis.told.push(promise);
            request.addEventListener('success', resolve);
            request.addEventListener('error', resolve);
            return request;
        };
        // A thread that is busy for a moment gets both at once.
        IDBTransaction.prototype.abort = function () {
            abort.call(this);
            const until = performance.now() + 20;
            while (performance.now() < until);
        };
    }");
    let store = IdbStore::open("late-errors").await.unwrap();
    let first = insertion(Kind::Turn, 1, Durability::Strict);
    assert_eq!(store.apply(&first).await, Ok(1));
    let mut late = Batch::new(&ada(), Durability::Relaxed);
    late.only_after = Some(0);
    late.ops = vec![Op::Put(Record::Segment(Segment {
        v: Segment::VERSION,
        name: "large".into(),
        seen: 0,
        bytes: vec![7; 4 << 20],
    }))];
    for _ in 0..5 {
        let overtaken = store.apply(&late).await;
        assert!(
            matches!(overtaken, Err(Error::Conflict { .. })),
            "{overtaken:?}"
        );
        // The listeners of the transaction come after those of the request, within the same task.
        let told =
            "await Promise.all(globalThis.told); await new Promise((then) => setTimeout(then));";
        run(told, "late-errors").await;
    }
    js("globalThis.restore()");
    assert_eq!(js("globalThis.uncaught.join()").as_string().unwrap(), "");
    late.only_after = Some(1);
    assert_eq!(store.apply(&late).await, Ok(2));
    store.close();
}

/// A page can not fill the disk on purpose, so the browser's two ways of saying that it is full
/// are played: an exception from the request, and an aborted transaction with that error.
#[wasm_bindgen_test]
async fn a_full_disk_as_played_is_told_and_leaves_nothing() {
    let store = IdbStore::open("full").await.unwrap();
    let mut batch = Batch::new(&ada(), Durability::Strict);
    batch.ops = vec![
        Op::Insert(sample(Kind::Session, 1)),
        Op::Put(sample(Kind::Turn, 1)),
    ];
    let full = "new DOMException('full', 'QuotaExceededError')";
    let thrown = format!("throw {full};");
    let aborted = format!(
        "const request = put.apply(this, given);
         Object.defineProperty(this.transaction, 'error', {{ get: () => {full} }});
         this.transaction.abort();
         return request;"
    );
    for way in [thrown, aborted] {
        js(&format!(
            "{{
                const put = IDBObjectStore.prototype.put;
                globalThis.restore = () => {{ IDBObjectStore.prototype.put = put; }};
                IDBObjectStore.prototype.put = function (...given) {{ {way} }};
            }}"
        ));
        let result = store.apply(&batch).await;
        js("globalThis.restore()");
        let message = "full".to_owned();
        assert_eq!(result, Err(Error::QuotaExceeded { message }));
        for kind in [Kind::Session, Kind::Turn] {
            let scan = store.scan(&ada(), kind, &Range::default()).await;
            assert_eq!(scan.unwrap().records, []);
        }
    }
    assert_eq!(store.apply(&batch).await, Ok(1));
    store.close();
}

/// What WebKitGTK lacks is nothing that the store needs: where there is no `navigator.storage`, and so no
/// word about quota and persistence and no private file system, what is saved is saved all the same.
#[wasm_bindgen_test]
async fn the_store_needs_no_storage_manager() {
    let engine = js("navigator.userAgent").as_string().unwrap();
    let is_webkit_gtk = engine.contains("AppleWebKit") && !engine.contains("Chrome");
    let has_manager = js("'storage' in navigator") == true;
    assert_eq!(has_manager, !is_webkit_gtk, "{engine}");
    if has_manager {
        js("{
            const prototype = Object.getPrototypeOf(navigator);
            const own = Object.getOwnPropertyDescriptor(prototype, 'storage');
            globalThis.restore = () => Object.defineProperty(prototype, 'storage', own);
            delete prototype.storage;
        }");
    }
    assert_eq!(
        js("typeof navigator.storage").as_string().unwrap(),
        "undefined"
    );
    let store = IdbStore::open("no-manager").await.unwrap();
    let batch = insertion(Kind::Turn, 1, Durability::Strict);
    assert_eq!(store.apply(&batch).await, Ok(1));
    store.close();
    let store = IdbStore::open("no-manager").await.unwrap();
    let scan = store.scan(&ada(), Kind::Turn, &Range::default()).await;
    assert_eq!(scan.unwrap().records, [sample(Kind::Turn, 1)]);
    store.close();
    if has_manager {
        js("globalThis.restore()");
    }
}
