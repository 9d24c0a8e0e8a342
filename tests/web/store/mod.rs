//! Both stores against the one list, and what only a browser can show of the store in IndexedDB.

mod browser;
mod connections;
mod on_disk;
mod sealed;

use onhand::model::{Kind, Namespace};
use onhand::store::conformance::{Subject, run_all};
use onhand::store::ram::RamStore;
use onhand::web::idb::IdbStore;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

struct Ram;

impl Subject for Ram {
    type Store = RamStore;

    async fn open(&self, _name: &str) -> RamStore {
        RamStore::new()
    }
    async fn damage(&self, store: &RamStore, namespace: &Namespace, kind: Kind, name: &str) {
        store.make_unreadable(namespace, kind, name);
    }
}

struct Idb;

impl Subject for Idb {
    type Store = IdbStore;

    async fn open(&self, name: &str) -> IdbStore {
        IdbStore::open(&format!("conformance-{name}"))
            .await
            .unwrap()
    }
    async fn damage(&self, store: &IdbStore, namespace: &Namespace, kind: Kind, name: &str) {
        let key = browser::key(namespace, name);
        // Each kind in another way: no object, no version, a version to come, fields of another kind.
        let broken = match kind {
            Kind::Session => "null",
            Kind::Turn => "'text'",
            Kind::Fact => "({})",
            Kind::Vector => "({v: 1, components: new Uint8Array(3)})",
            Kind::Job => "({v: 2})",
            Kind::Injection => "({v: 0.5})",
            Kind::Usage => "[1n, new Date(), new Map([['v', 1]])]",
            Kind::Generation => "({v: 1, embedder: 7})",
            Kind::File => "({v: 1, path: '/memories/a'})",
            Kind::Judgement => "({v: 1, good: 1})",
            Kind::Tombstone => "({v: 1, marks: 7})",
            Kind::Segment => "({v: 1, bytes: 'text'})",
            Kind::Artifact => "({v: 1, text: 7})",
        };
        browser::put(store.database_name(), kind, &key, broken).await;
    }
}

/// The same store with everything in it encrypted.
struct Sealed;

impl Subject for Sealed {
    type Store = IdbStore;

    async fn open(&self, name: &str) -> IdbStore {
        sealed::open(&format!("conformance-sealed-{name}")).await
    }
    async fn damage(&self, store: &IdbStore, namespace: &Namespace, kind: Kind, name: &str) {
        let key = browser::key(namespace, name);
        // No object, a record in the open, bytes that no key has sealed, too few of them.
        let broken = match kind {
            Kind::Session => "null",
            Kind::Fact => "({v: 1})",
            Kind::Turn => "({v: 1, sealed: new Uint8Array(3)})",
            _ => "({v: 1, sealed: new Uint8Array(60)})",
        };
        browser::put(store.database_name(), kind, &key, broken).await;
    }
}
#[wasm_bindgen_test]
async fn ram_passes_the_tests_of_every_store() {
    run_all(&Ram, |name| console_log!("ram: {name}")).await;
}

#[wasm_bindgen_test]
async fn indexed_db_passes_the_tests_of_every_store() {
    run_all(&Idb, |name| console_log!("indexed_db: {name}")).await;
}

#[wasm_bindgen_test]
async fn sealed_passes_the_tests_of_every_store() {
    run_all(&Sealed, |name| console_log!("sealed: {name}")).await;
}
