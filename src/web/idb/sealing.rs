//! Turning encryption on and off, on a store that is in use.
//!
//! The keyring in `meta` says what is written from now on, and every write checks it in its own
//! transaction. So turning it on is one small transaction; what was there before follows page by
//! page ([`convert`](super::convert)). Whoever is interrupted begins the pages again: what is in the new shape is passed over.

use super::failure::Exception;
use super::transaction::{Failure, Found, answered, outdated};
use super::vault::View;
use super::{IdbStore, codec, schema};
use crate::batch::Durability;
use crate::error::{Error, Result};
use crate::hex;
use crate::seal::{DataKey, Keyring, Secret, State, Wrap};
use crate::web::clock::random;
use idb::KeyRange;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::IdbTransaction;

/// How the encryption of a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealing {
    /// `None` where nothing is sealed.
    pub state: Option<State>,
    /// Whether the key is missing here.
    pub locked: bool,
    pub passkeys: Vec<Passkey>,
    /// While everything is being sealed or opened: how much of it this store has gone through.
    pub progress: Option<Progress>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub done: u32,
    pub total: u32,
    /// Among them, what could not be read and was left as it is.
    pub left: u32,
}

/// A way in by a passkey, as the browser has to be asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    pub credential: Vec<u8>,
    pub salt: Vec<u8>,
}

impl IdbStore {
    pub fn sealing(&self) -> Sealing {
        let view = self.view.borrow();
        let wraps = view.keyring.iter().flat_map(|keyring| &keyring.wraps);
        let passkey = |wrap: &Wrap| match wrap {
            Wrap::Passkey {
                credential, salt, ..
            } => Some(Passkey {
                credential: hex::decode(credential)?,
                salt: hex::decode(salt)?,
            }),
            _ => None,
        };
        let position = self.position.borrow();
        Sealing {
            state: view.state(),
            locked: view.is_locked(),
            passkeys: wraps.filter_map(passkey).collect(),
            progress: position.as_ref().map(|position| position.progress),
        }
    }

    /// Seals all that is written from now on, and gives the recovery code. What is there already is
    /// sealed by [`IdbStore::seal_page`].
    ///
    /// # Errors
    /// `InvalidInput` if the passphrase is too short, or the store has a keyring already; `Storage`.
    pub async fn encrypt(&self, passphrase: &str) -> Result<String> {
        self.look_at_keyring().await?;
        if self.view.borrow().keyring.is_some() {
            return Err(Error::InvalidInput {
                field: "encryption",
                reason: "it is on already; to change the passphrase, ask for that".into(),
            });
        }
        let (keyring, key, code) = Keyring::new(passphrase, &random)?;
        self.put_keyring(None, Some(keyring)).await?;
        self.view.borrow_mut().key = Some(Rc::new(key));
        self.position.replace(None);
        Ok(code)
    }

    /// Opens everything again: what is written from now on is plain, the rest follows page by page.
    ///
    /// # Errors
    /// `Locked`, `Storage`; `InvalidInput` if nothing is sealed.
    pub async fn decrypt(&self) -> Result<()> {
        let (keyring, _) = self.opened_keyring().await?;
        let opening = Keyring {
            state: State::Unsealing,
            ..Keyring::clone(&keyring)
        };
        self.put_keyring(Some(&keyring), Some(opening)).await?;
        self.position.replace(None);
        Ok(())
    }

    /// # Errors
    /// `WrongKey`, `Storage`; `InvalidInput` if nothing is sealed, or for a recovery code that is none.
    pub async fn unlock(&self, secret: &Secret) -> Result<()> {
        self.look_at_keyring().await?;
        let keyring = self.view.borrow().keyring.clone();
        let key = keyring.ok_or_else(not_sealed)?.unlock(secret)?;
        self.view.borrow_mut().key = Some(Rc::new(key));
        Ok(())
    }

    /// Forgets the key, here and not in other tabs.
    pub fn lock(&self) {
        self.view.borrow_mut().key = None;
        self.position.replace(None);
    }

    /// Puts another passphrase in the place of the one before. Records stay as they are.
    ///
    /// # Errors
    /// `Locked`, `Storage`; `InvalidInput` if the passphrase is too short or nothing is sealed.
    pub async fn change_passphrase(&self, passphrase: &str) -> Result<()> {
        let (before, key) = self.opened_keyring().await?;
        let mut keyring = Keyring::clone(&before);
        keyring.set_passphrase(&key, passphrase, &random)?;
        self.put_keyring(Some(&before), Some(keyring)).await
    }

    /// Adds a passkey beside the other ways in. `secret` is what its function made of its salt.
    ///
    /// # Errors
    /// `Locked`, `Storage`; `InvalidInput` for a secret that is too short, or if nothing is sealed.
    pub async fn add_passkey(&self, passkey: &Passkey, secret: &[u8]) -> Result<()> {
        let (before, key) = self.opened_keyring().await?;
        // WebAuthn's function gives 32 bytes; nothing shorter may stand for a key.
        if secret.len() < 32 {
            return Err(Error::InvalidInput {
                field: "passkey",
                reason: "it gave no secret".into(),
            });
        }
        let mut keyring = Keyring::clone(&before);
        let Passkey { credential, salt } = passkey;
        keyring.add_passkey(&key, credential, salt, secret, &random);
        self.put_keyring(Some(&before), Some(keyring)).await
    }

    /// Reads the keyring as it is now.
    ///
    /// # Errors
    /// `Storage`, `Corrupt`.
    pub async fn look_at_keyring(&self) -> Result<()> {
        let key = KeyRange::only(&schema::META_KEYRING.into());
        let key = key.map_err(|error| Exception::from(error).in_use())?;
        let found = self.read(schema::META, key, Some(1)).await?.pop();
        let value = found.map_or(JsValue::UNDEFINED, |(_, value)| value);
        let keyring = codec::keyring_from_js(value)?;
        self.take_keyring(keyring);
        Ok(())
    }

    /// The view of the encryption, with the key that it takes.
    pub(super) async fn unlocked_view(&self) -> Result<View> {
        if self.view.borrow().is_locked() {
            // Another tab may have opened everything meanwhile.
            self.look_at_keyring().await?;
        }
        let view = self.view.borrow().clone();
        match view.is_locked() {
            true => Err(Error::Locked),
            false => Ok(view),
        }
    }

    fn take_keyring(&self, keyring: Option<Keyring>) {
        let mut view = self.view.borrow_mut();
        let name = |keyring: &Keyring| keyring.key.clone();
        if keyring.as_ref().map(name) != view.keyring.as_deref().map(name) {
            view.key = None;
        }
        view.keyring = keyring.map(Rc::new);
    }

    async fn opened_keyring(&self) -> Result<(Rc<Keyring>, Rc<DataKey>)> {
        self.look_at_keyring().await?;
        let view = self.unlocked_view().await?;
        view.keyring.zip(view.key).ok_or_else(not_sealed)
    }

    /// Puts a keyring in the place of another, or of none.
    async fn put_keyring(&self, before: Option<&Keyring>, after: Option<Keyring>) -> Result<()> {
        let written = self.replace_keyring(before, after).await;
        written.map_err(Failure::error)
    }

    /// Fails with `Outdated` if another tab was first.
    pub(super) async fn replace_keyring(
        &self,
        before: Option<&Keyring>,
        after: Option<Keyring>,
    ) -> std::result::Result<(), Failure> {
        let value = after.as_ref().map(codec::keyring_to_js).transpose()?;
        let before = before.cloned();
        let make = |transaction: &IdbTransaction, found: &Rc<RefCell<Found>>| {
            let meta = transaction.object_store(schema::META)?;
            let name = JsValue::from_str(schema::META_KEYRING);
            let request = meta.get(&name)?;
            let (before, value) = (before.clone(), value.clone());
            let put = move |_: &mut Found, keyring: JsValue| {
                if codec::keyring_from_js(keyring).ok().as_ref() != Some(&before) {
                    return Err(outdated());
                }
                match &value {
                    Some(value) => meta.put_with_key(value, &name)?,
                    None => meta.delete(&name)?,
                };
                Ok(())
            };
            Ok(vec![answered(transaction, &request, found, put)])
        };
        let written = self.write(&[schema::META], Durability::Strict, make).await;
        if let Err(failure) = written {
            self.look_at_keyring().await?;
            return Err(failure);
        }
        self.take_keyring(after);
        Ok(())
    }
}

fn not_sealed() -> Error {
    Error::InvalidInput {
        field: "encryption",
        reason: "it is off".into(),
    }
}
