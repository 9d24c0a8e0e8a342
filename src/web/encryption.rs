//! Encryption as the page asks for it.

use super::engine::{Inner, give};
use super::idb::{IdbStore, Passkey, Sealing};
use crate::error::{Error, Result};
use crate::hex;
use crate::seal::{Secret, State};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

/// Bytes are written as hexadecimal digits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EncryptionRequest {
    Status,
    Enable {
        passphrase: String,
    },
    Unlock {
        passphrase: Option<String>,
        recovery_code: Option<String>,
        /// What the passkey answered.
        secret: Option<String>,
    },
    Lock,
    ChangePassphrase {
        passphrase: String,
    },
    AddPasskey {
        credential: String,
        salt: String,
        secret: String,
    },
    Disable,
    /// One page of sealing or opening everything.
    Step,
    /// Another tab has changed the encryption.
    LookAgain,
}

#[derive(Serialize)]
struct EnabledView {
    #[serde(rename = "recoveryCode")]
    recovery_code: String,
}

#[derive(Serialize)]
pub struct EncryptionView {
    state: &'static str,
    locked: bool,
    passkeys: Vec<PasskeyView>,
    progress: Option<ProgressView>,
}

#[derive(Serialize)]
struct PasskeyView {
    credential: String,
    salt: String,
}

#[derive(Serialize)]
struct ProgressView {
    done: u32,
    total: u32,
    left: u32,
}

impl From<Sealing> for EncryptionView {
    fn from(sealing: Sealing) -> EncryptionView {
        let passkeys = sealing.passkeys.iter();
        EncryptionView {
            state: match sealing.state {
                None => "off",
                Some(State::Sealing) => "sealing",
                Some(State::Sealed) => "sealed",
                Some(State::Unsealing) => "unsealing",
            },
            locked: sealing.locked,
            passkeys: passkeys
                .map(|passkey| PasskeyView {
                    credential: hex::encode(&passkey.credential),
                    salt: hex::encode(&passkey.salt),
                })
                .collect(),
            progress: sealing.progress.map(|progress| ProgressView {
                done: progress.done,
                total: progress.total,
                left: progress.left,
            }),
        }
    }
}

impl Inner {
    pub(super) async fn encryption(&self, ask: EncryptionRequest) -> Result<JsValue> {
        let Some(store) = self.disk() else {
            return match ask {
                EncryptionRequest::Status | EncryptionRequest::LookAgain => give(&NOTHING),
                _ => Err(Error::StorageUnavailable {
                    name: "NotSupportedError".into(),
                    message: "there is no database here, so there is nothing to encrypt".into(),
                }),
            };
        };
        match ask {
            EncryptionRequest::Status => {}
            EncryptionRequest::Enable { passphrase } => {
                let recovery_code = store.encrypt(&passphrase).await?;
                return give(&EnabledView { recovery_code });
            }
            EncryptionRequest::Unlock {
                passphrase,
                recovery_code,
                secret,
            } => {
                store
                    .unlock(&one_secret(passphrase, recovery_code, secret)?)
                    .await?;
                self.memory.unlocked().await?;
            }
            EncryptionRequest::Lock => {
                store.lock();
                if store.sealing().locked {
                    self.memory.lock();
                }
            }
            EncryptionRequest::ChangePassphrase { passphrase } => {
                store.change_passphrase(&passphrase).await?;
            }
            EncryptionRequest::AddPasskey {
                credential,
                salt,
                secret,
            } => {
                let passkey = Passkey {
                    credential: bytes("credential", &credential)?,
                    salt: bytes("salt", &salt)?,
                };
                let secret = bytes("secret", &secret)?;
                store.add_passkey(&passkey, &secret).await?;
            }
            EncryptionRequest::Disable => store.decrypt().await?,
            EncryptionRequest::Step => {
                store.seal_page().await?;
            }
            EncryptionRequest::LookAgain => self.look_again(store).await?,
        }
        give(&EncryptionView::from(store.sealing()))
    }

    async fn look_again(&self, store: &IdbStore) -> Result<()> {
        store.look_at_keyring().await?;
        match (store.sealing().locked, self.memory.is_locked()) {
            (true, false) => self.memory.lock(),
            (false, true) => self.memory.unlocked().await?,
            _ => {}
        }
        Ok(())
    }
}

const NOTHING: EncryptionView = EncryptionView {
    state: "off",
    locked: false,
    passkeys: Vec::new(),
    progress: None,
};

fn one_secret(
    passphrase: Option<String>,
    recovery_code: Option<String>,
    secret: Option<String>,
) -> Result<Secret> {
    match (passphrase, recovery_code, secret) {
        (Some(passphrase), None, None) => Ok(Secret::Passphrase(passphrase)),
        (None, Some(code), None) => Ok(Secret::Recovery(code)),
        (None, None, Some(secret)) => Ok(Secret::Passkey(bytes("secret", &secret)?)),
        _ => Err(Error::InvalidInput {
            field: "secret",
            reason: "expected a passphrase, a recovery code or a passkey".into(),
        }),
    }
}

fn bytes(field: &'static str, text: &str) -> Result<Vec<u8>> {
    hex::decode(text).ok_or(Error::InvalidInput {
        field,
        reason: "expected hexadecimal digits".into(),
    })
}
