//! Records and audit entries as stored values: in the open, or sealed.
//!
//! A [`View`] is what a store knows of the encryption at one moment. Another tab may change it at
//! any time, so reads say when they met what the view does not explain, and every write checks in
//! its own transaction that the view still holds (`transaction`).

use super::{audit, codec};
use crate::error::{Error, Result};
use crate::model::{AuditEntry, Kind, Namespace, Record};
use crate::seal::{DataKey, Keyring, NONCE_BYTES, Place, State};
use crate::store::body;
use crate::store::format::Unreadable;
use crate::web::clock::random;
use js_sys::{Object, Reflect, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};

#[derive(Clone, Default)]
pub struct View {
    pub keyring: Option<Rc<Keyring>>,
    pub key: Option<Rc<DataKey>>,
}

/// Why a stored value is no record.
pub struct Misread {
    pub unreadable: Unreadable,
    /// Whether a newer view may explain it.
    pub is_surprise: bool,
}

impl View {
    /// There is a keyring, and its key is not here.
    pub fn is_locked(&self) -> bool {
        self.keyring.is_some() && self.key.is_none()
    }

    pub fn state(&self) -> Option<State> {
        self.keyring.as_ref().map(|keyring| keyring.state)
    }

    /// The name of the key that everything written is sealed with; `None` where it is plain.
    pub fn seals_with(&self) -> Option<&str> {
        let keyring = self.keyring.as_deref()?;
        (keyring.state != State::Unsealing).then_some(&keyring.key)
    }

    /// # Errors
    /// `Locked`.
    pub fn record_to_js(&self, namespace: &Namespace, record: &Record) -> Result<JsValue> {
        let Some(key) = self.sealing_key()? else {
            return codec::record_to_js(record);
        };
        let plain = codec::record_to_js(record)?;
        let v = codec::version_of(&plain).ok_or(Error::InvalidInput {
            field: "batch",
            reason: "a record has no version".into(),
        })?;
        let place = place(namespace, record.kind().name(), v, &record.name());
        Ok(sealed_value(v, &place.seal(key, &body::encode(record))))
    }

    pub fn record_from_js(
        &self,
        kind: Kind,
        namespace: &Namespace,
        name: &str,
        value: JsValue,
    ) -> std::result::Result<Record, Misread> {
        let misread = |unreadable, is_surprise| Misread {
            unreadable,
            is_surprise,
        };
        let Some(sealed) = sealed_bytes(&value) else {
            if self.state() == Some(State::Sealed) {
                return Err(misread(Unreadable::NotSealed, true));
            }
            let record = codec::record_from_js(kind, name, value);
            return record.map_err(|unreadable| misread(unreadable, false));
        };
        let v = codec::version_of(&value);
        let v = v.ok_or_else(|| misread(Unreadable::NoVersion, false))?;
        let key = self.key.as_deref();
        let opened = key.and_then(|key| place(namespace, kind.name(), v, name).open(key, &sealed));
        let opened = opened.ok_or_else(|| misread(Unreadable::WrongSeal, true))?;
        body::decode(kind, v, name, &opened).map_err(|unreadable| misread(unreadable, false))
    }

    /// An audit entry's content as it is stored.
    ///
    /// # Errors
    /// `Locked`.
    pub fn content_to_js(
        &self,
        namespace: &Namespace,
        number: u64,
        content: &str,
    ) -> Result<JsValue> {
        Ok(match self.sealing_key()? {
            None => content.into(),
            Some(key) => {
                let place = audit_place(namespace, number);
                let sealed = place.seal(key, content.as_bytes());
                Uint8Array::from(&*sealed).into()
            }
        })
    }

    /// A stored audit entry; `None` for what is none, or does not open.
    pub fn entry_from_js(
        &self,
        namespace: &Namespace,
        number: u64,
        value: &JsValue,
    ) -> Option<AuditEntry> {
        let (mut entry, content) = audit::entry_from_js(number, value)?;
        entry.content = match content.dyn_into::<Uint8Array>() {
            Ok(sealed) => {
                let key = self.key.as_deref()?;
                let opened = audit_place(namespace, number).open(key, &sealed.to_vec())?;
                Some(String::from_utf8(opened).ok()?)
            }
            Err(content) if content.is_null() => None,
            Err(_) if self.state() == Some(State::Sealed) => return None,
            Err(content) => Some(content.as_string()?),
        };
        Some(entry)
    }

    fn sealing_key(&self) -> Result<Option<&DataKey>> {
        match (self.seals_with(), self.key.as_deref()) {
            (None, _) => Ok(None),
            (Some(_), Some(key)) => Ok(Some(key)),
            (Some(_), None) => Err(Error::Locked),
        }
    }
}

/// Whether a stored record or audit entry is sealed; `None` for an entry without content.
pub fn is_sealed(value: &JsValue) -> Option<bool> {
    if sealed_bytes(value).is_some() {
        return Some(true);
    }
    let content = Reflect::get(value, &"content".into()).ok();
    match content.filter(|_| sealed_entry(value)) {
        Some(content) if content.is_null() => None,
        Some(content) => Some(content.is_instance_of::<Uint8Array>()),
        None => Some(false),
    }
}

/// Turns have a field `content` too; entries have a link.
fn sealed_entry(value: &JsValue) -> bool {
    Reflect::has(value, &"link".into()).unwrap_or_default()
}

fn sealed_bytes(value: &JsValue) -> Option<Vec<u8>> {
    let sealed = Reflect::get(value, &"sealed".into()).ok()?;
    Some(sealed.dyn_into::<Uint8Array>().ok()?.to_vec())
}

fn sealed_value(v: u64, sealed: &[u8]) -> JsValue {
    let value = Object::new();
    let fields = [
        ("v", JsValue::from_f64(v as f64)),
        ("sealed", Uint8Array::from(sealed).into()),
    ];
    for (name, field) in fields {
        Reflect::set(&value, &name.into(), &field).expect("a new object takes any field");
    }
    value.into()
}

/// A place whose parts are its own.
struct OwnPlace<'a> {
    namespace: &'a Namespace,
    what: &'a str,
    v: u64,
    name: String,
}

fn place<'a>(namespace: &'a Namespace, what: &'a str, v: u64, name: &str) -> OwnPlace<'a> {
    OwnPlace {
        namespace,
        what,
        v,
        name: name.into(),
    }
}

fn audit_place(namespace: &Namespace, number: u64) -> OwnPlace<'_> {
    let v = AuditEntry::VERSION.into();
    place(namespace, "audit", v, &number.to_string())
}

impl OwnPlace<'_> {
    fn seal(&self, key: &DataKey, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        for chunk in nonce.chunks_mut(16) {
            let fresh = random().to_le_bytes();
            chunk.copy_from_slice(&fresh[..chunk.len()]);
        }
        key.seal(self.place(), nonce, plain)
    }

    fn open(&self, key: &DataKey, sealed: &[u8]) -> Option<Vec<u8>> {
        key.open(self.place(), sealed)
    }

    fn place(&self) -> Place<'_> {
        Place {
            what: self.what,
            v: self.v,
            user: &self.namespace.user,
            project: &self.namespace.project,
            name: &self.name,
        }
    }
}
