//! The browser, as the tests see and disturb it.

use js_sys::{Array, Function, Promise};
use onhand::batch::{Batch, Durability, Op};
use onhand::model::{Kind, Namespace};
use onhand::store::conformance::sample;
use onhand::web::idb::schema;
use rexie::TransactionMode;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// The value of a JavaScript expression.
pub fn js(code: &str) -> JsValue {
    js_sys::eval(code).unwrap()
}

/// Calls the async function `async (name) => { code }`. It fails the test if that throws.
pub async fn run(code: &str, name: &str) -> JsValue {
    let code = format!(
        "(async () => {{
            const ended = (request) => new Promise((resolve, reject) => {{
                request.onsuccess = () => resolve(request.result);
                request.onerror = () => reject(request.error);
            }});
            {code}
        }})()"
    );
    let promise = Function::new_with_args("name", &format!("return {code}"));
    let promise = promise.call1(&JsValue::NULL, &name.into()).unwrap();
    JsFuture::from(Promise::from(promise)).await.unwrap()
}

pub fn key(namespace: &Namespace, name: &str) -> JsValue {
    Array::of3(
        &namespace.user.as_str().into(),
        &namespace.project.as_str().into(),
        &name.into(),
    )
    .into()
}

pub fn ada() -> Namespace {
    Namespace {
        user: "ada".into(),
        project: "thesis".into(),
    }
}

/// One insertion.
pub fn insertion(kind: Kind, i: u32, durability: Durability) -> Batch {
    let mut batch = Batch::new(&ada(), durability);
    batch.ops = vec![Op::Insert(sample(kind, i))];
    batch
}

/// Puts the value of a JavaScript expression in the place of a record that is there.
pub async fn put(database: &str, kind: Kind, key: &JsValue, value: &str) {
    let database = rexie::Rexie::builder(database).build().await.unwrap();
    let store = schema::store_of(kind);
    let transaction = database.transaction(&[store], TransactionMode::ReadWrite);
    let transaction = transaction.unwrap();
    let records = transaction.store(store).unwrap();
    let before = records.key_exists(key.clone()).await.unwrap();
    assert!(before, "there is nothing to damage");
    records.put(&js(value), Some(key)).await.unwrap();
    transaction.done().await.unwrap();
    database.close();
}
