//! Bringing what is stored into its new shape, page by page, once the keyring says which that is.

use super::sealing::Progress;
use super::transaction::{Answered, Failure, Found, answered, outdated};
use super::vault::{self, View};
use super::{IdbStore, audit, codec, key, schema};
use crate::batch::Durability;
use crate::error::Result;
use crate::model::{Kind, Namespace};
use crate::seal::{Keyring, State};
use js_sys::{Array, JsString};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::{IdbKeyRange, IdbObjectStore, IdbTransaction};

/// Records converted in one transaction. Other tabs' writes wait for it; some 10 ms here.
const PAGE: u32 = 200;

/// Where the next page begins.
#[derive(Clone, Default)]
pub struct Position {
    pub progress: Progress,
    /// Among [`stores`].
    store: usize,
    after: Option<JsValue>,
}

/// What a page found.
#[derive(Default)]
struct Page {
    n: u32,
    n_left: u32,
    last: Option<JsValue>,
}

/// Every object store with something to seal, and the kind of its records; `None` for the audit.
fn stores() -> impl Iterator<Item = (&'static str, Option<Kind>)> {
    let records = Kind::ALL.map(|kind| (schema::store_of(kind), Some(kind)));
    records.into_iter().chain([(schema::AUDIT, None)])
}

impl IdbStore {
    /// Converts one page of what is still in the old shape; after the last one, says in `meta` that
    /// all is done. Says whether there is more to do.
    ///
    /// # Errors
    /// `Locked`, `Storage`.
    pub async fn seal_page(&self) -> Result<bool> {
        let view = self.unlocked_view().await?;
        let Some(state @ (State::Sealing | State::Unsealing)) = view.state() else {
            self.position.replace(None);
            return Ok(false);
        };
        let begun = self.position.borrow().clone();
        let mut position = match begun {
            Some(position) => position,
            None => Position {
                progress: Progress {
                    total: self.n_sealable().await?,
                    ..Progress::default()
                },
                ..Position::default()
            },
        };
        let Some((store, kind)) = stores().nth(position.store) else {
            let keyring = view.keyring.as_deref();
            let done = keyring.filter(|_| state == State::Sealing);
            let done = done.map(|keyring| Keyring {
                state: State::Sealed,
                ..keyring.clone()
            });
            let replaced = self.replace_keyring(keyring, done).await;
            return match replaced {
                Ok(()) => {
                    self.position.replace(None);
                    Ok(false)
                }
                // Another tab was first, or has changed the passphrase: the next call looks again.
                Err(Failure::Outdated) => Ok(true),
                Err(failure) => Err(failure.error()),
            };
        };
        let after = position.after.take();
        let page = match self.convert(&view, store, kind, after).await {
            Ok(page) => page,
            Err(Failure::Outdated) => {
                // The next call begins with what there is then.
                self.position.replace(None);
                self.look_at_keyring().await?;
                return Ok(true);
            }
            Err(failure) => return Err(failure.error()),
        };
        position.progress.done += page.n;
        position.progress.left += page.n_left;
        if page.n < PAGE {
            position.store += 1;
        } else {
            position.after = page.last;
        }
        self.position.replace(Some(position));
        Ok(true)
    }

    async fn n_sealable(&self) -> Result<u32> {
        let mut n = 0;
        for (store, _) in stores() {
            n += self.count(store).await?;
        }
        Ok(n)
    }

    /// Converts the values after a key, in one transaction.
    async fn convert(
        &self,
        view: &View,
        store: &'static str,
        kind: Option<Kind>,
        after: Option<JsValue>,
    ) -> std::result::Result<Page, Failure> {
        let found_page = Rc::new(RefCell::new(Page::default()));
        let make = |transaction: &IdbTransaction, found: &Rc<RefCell<Found>>| {
            let values = transaction.object_store(store)?;
            let range = match &after {
                Some(after) => IdbKeyRange::lower_bound_with_open(after, true)?,
                // Every key is an array, and sorts after every number.
                None => IdbKeyRange::lower_bound(&JsValue::from_f64(f64::NEG_INFINITY))?,
            };
            let meta = transaction.object_store(schema::META)?;
            let keyring = meta.get(&schema::META_KEYRING.into())?;
            let expected = view.keyring.as_deref().cloned();
            let check = move |_: &mut Found, keyring: JsValue| {
                let same = codec::keyring_from_js(keyring).is_ok_and(|keyring| {
                    let name = |keyring: &Keyring| (keyring.key.clone(), keyring.state);
                    keyring.as_ref().map(name) == expected.as_ref().map(name)
                });
                if same { Ok(()) } else { Err(outdated()) }
            };
            let checked = answered(transaction, &keyring, found, check);
            let keys = values.get_all_keys_with_key_and_limit(&range, PAGE)?;
            let all = values.get_all_with_key_and_limit(&range, PAGE)?;
            let (view, page) = (view.clone(), found_page.clone());
            let rewrite = move |_: &mut Found, all: JsValue| {
                // The keys were asked for first, so they are there.
                let keys = Array::from(&keys.result()?);
                rewrite_all(&view, &values, kind, &keys, &Array::from(&all), &page)
            };
            let rewritten: Answered = answered(transaction, &all, found, rewrite);
            Ok(vec![checked, rewritten])
        };
        let stores = [store, schema::META];
        self.write(&stores, Durability::Strict, make).await?;
        Ok(found_page.take())
    }
}

fn rewrite_all(
    view: &View,
    store: &IdbObjectStore,
    kind: Option<Kind>,
    keys: &Array,
    values: &Array,
    page: &RefCell<Page>,
) -> std::result::Result<(), JsValue> {
    let mut n_left = 0;
    let seals = view.seals_with().is_some();
    for (key, value) in keys.iter().zip(values.iter()) {
        // What has no content to seal, and what has the new shape, stays.
        if vault::is_sealed(&value).is_none_or(|is_sealed| is_sealed == seals) {
            continue;
        }
        let converted = match kind {
            Some(kind) => record_in_new_shape(view, kind, &key, value),
            None => entry_in_new_shape(view, &key, &value),
        };
        match converted {
            Some(value) => drop(store.put_with_key(&value, &key)?),
            None => n_left += 1,
        }
    }
    page.replace(Page {
        n: keys.length(),
        n_left,
        last: (keys.length() > 0).then(|| keys.get(keys.length() - 1)),
    });
    Ok(())
}

fn record_in_new_shape(view: &View, kind: Kind, key: &JsValue, value: JsValue) -> Option<JsValue> {
    let namespace = namespace_in(key)?;
    let name = key::name_in(key);
    let record = view.record_from_js(kind, &namespace, &name, value).ok()?;
    view.record_to_js(&namespace, &record).ok()
}

fn entry_in_new_shape(view: &View, key: &JsValue, value: &JsValue) -> Option<JsValue> {
    let namespace = namespace_in(key)?;
    let number = audit::number_in(key);
    let entry = view.entry_from_js(&namespace, number, value)?;
    let content = entry.content.as_deref()?;
    let content = view.content_to_js(&namespace, number, content).ok()?;
    audit::entry_to_js(&entry, content).ok()
}

fn namespace_in(key: &JsValue) -> Option<Namespace> {
    let parts = Array::from(key);
    // A key that is no well-formed text is nobody's: it would be taken for another one.
    let part = |i| {
        let part = JsString::from(parts.get(i));
        part.is_valid_utf16().then(|| String::from(part))
    };
    Some(Namespace {
        user: part(0)?,
        project: part(1)?,
    })
}
