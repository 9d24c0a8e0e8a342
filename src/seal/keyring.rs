//! The keyring: the data key, wrapped for every way in. It holds nothing secret in the open.

use super::cipher::{DataKey, KEY_BYTES, NONCE_BYTES, Place};
use super::passphrase::{self, Cost};
use super::recovery;
use crate::error::{Error, Result};
use crate::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A source of unpredictable bits; keys are drawn from it.
pub type Random<'a> = &'a dyn Fn() -> u128;

/// What a store keeps of its encryption, in the open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyring {
    pub v: u8,
    /// A random name of the data key: whoever holds another one knows that it does not fit.
    pub key: String,
    pub state: State,
    pub wraps: Vec<Wrap>,
}

/// How far a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// What is written is sealed; what was there before is being sealed.
    Sealing,
    Sealed,
    /// What is written is plain; what was there before is being opened.
    Unsealing,
}

/// The data key as one way in finds it. Bytes are written as hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", try_from = "StoredWrap")]
pub enum Wrap {
    Passphrase {
        salt: String,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
        wrapped: String,
    },
    Recovery {
        wrapped: String,
    },
    Passkey {
        /// The credential's id, as WebAuthn gave it.
        credential: String,
        /// What the passkey's pseudo-random function is asked for.
        salt: String,
        wrapped: String,
    },
}

/// [`Wrap`] with the fields of all kinds side by side: read so, serde needs no copy of the object to look for the kind first.
#[derive(Deserialize)]
struct StoredWrap {
    kind: WrapName,
    salt: Option<String>,
    memory_kib: Option<u32>,
    passes: Option<u32>,
    lanes: Option<u32>,
    credential: Option<String>,
    wrapped: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrapName {
    Passphrase,
    Recovery,
    Passkey,
}

impl TryFrom<StoredWrap> for Wrap {
    type Error = &'static str;

    fn try_from(stored: StoredWrap) -> std::result::Result<Wrap, &'static str> {
        let wrapped = stored.wrapped;
        let wrap = match stored.kind {
            WrapName::Recovery => Some(Wrap::Recovery { wrapped }),
            WrapName::Passphrase => (|| {
                Some(Wrap::Passphrase {
                    salt: stored.salt?,
                    memory_kib: stored.memory_kib?,
                    passes: stored.passes?,
                    lanes: stored.lanes?,
                    wrapped,
                })
            })(),
            WrapName::Passkey => (|| {
                Some(Wrap::Passkey {
                    credential: stored.credential?,
                    salt: stored.salt?,
                    wrapped,
                })
            })(),
        };
        wrap.ok_or("a field of this kind is missing")
    }
}

/// A way in.
pub enum Secret {
    Passphrase(String),
    /// The recovery code as it was typed.
    Recovery(String),
    /// What the pseudo-random function of a passkey answered.
    Passkey(Vec<u8>),
}

impl Keyring {
    pub const VERSION: u8 = 1;

    /// A new data key with its keyring and the recovery code, which is shown once and kept nowhere.
    ///
    /// # Errors
    /// `InvalidInput` for a passphrase that is too short.
    pub fn new(passphrase: &str, random: Random) -> Result<(Keyring, DataKey, String)> {
        passphrase::check(passphrase)?;
        let key = DataKey::new(random_bytes(random));
        let mut keyring = Keyring {
            v: Keyring::VERSION,
            key: hex::encode(&random_bytes::<16>(random)),
            state: State::Sealing,
            wraps: Vec::new(),
        };
        let secret: recovery::Secret = random_bytes(random);
        let wrapped = keyring.wrap(&key, "recovery", from_recovery(&secret), random);
        keyring.wraps.push(Wrap::Recovery { wrapped });
        keyring.set_passphrase(&key, passphrase, random)?;
        Ok((keyring, key, recovery::write(&secret)))
    }

    /// The data key, by any of the ways in.
    ///
    /// # Errors
    /// `WrongKey` if the secret opens nothing here; `InvalidInput` for a recovery code that is none.
    pub fn unlock(&self, secret: &Secret) -> Result<DataKey> {
        let opened = match secret {
            Secret::Passphrase(text) => self.wraps.iter().find_map(|wrap| match wrap {
                Wrap::Passphrase {
                    salt,
                    memory_kib,
                    passes,
                    lanes,
                    wrapped,
                } => {
                    let cost = Cost {
                        salt: &hex::decode(salt)?,
                        memory_kib: *memory_kib,
                        passes: *passes,
                        lanes: *lanes,
                    };
                    self.unwrap("passphrase", passphrase::derive(text, &cost)?, wrapped)
                }
                _ => None,
            }),
            Secret::Recovery(code) => {
                let secret = recovery::read(code)?;
                self.wraps.iter().find_map(|wrap| match wrap {
                    Wrap::Recovery { wrapped } => {
                        self.unwrap("recovery", from_recovery(&secret), wrapped)
                    }
                    _ => None,
                })
            }
            Secret::Passkey(secret) => self.wraps.iter().find_map(|wrap| match wrap {
                Wrap::Passkey { wrapped, .. } => {
                    self.unwrap("passkey", from_passkey(secret), wrapped)
                }
                _ => None,
            }),
        };
        opened.ok_or(Error::WrongKey)
    }

    /// Another passphrase in the place of the one before. Records stay as they are.
    ///
    /// # Errors
    /// `InvalidInput` for a passphrase that is too short.
    pub fn set_passphrase(
        &mut self,
        key: &DataKey,
        passphrase: &str,
        random: Random,
    ) -> Result<()> {
        passphrase::check(passphrase)?;
        let salt: [u8; 16] = random_bytes(random);
        let cost = Cost {
            salt: &salt,
            memory_kib: passphrase::MEMORY_KIB,
            passes: passphrase::PASSES,
            lanes: passphrase::LANES,
        };
        let derived = passphrase::derive(passphrase, &cost).expect("the own parameters are valid");
        let wrapped = self.wrap(key, "passphrase", derived, random);
        self.wraps
            .retain(|wrap| !matches!(wrap, Wrap::Passphrase { .. }));
        self.wraps.push(Wrap::Passphrase {
            salt: hex::encode(&salt),
            memory_kib: passphrase::MEMORY_KIB,
            passes: passphrase::PASSES,
            lanes: passphrase::LANES,
            wrapped,
        });
        Ok(())
    }

    /// A passkey beside the other ways in. `salt` is what its function was asked for, `secret` what it answered.
    pub fn add_passkey(
        &mut self,
        key: &DataKey,
        credential: &[u8],
        salt: &[u8],
        secret: &[u8],
        random: Random,
    ) {
        let wrapped = self.wrap(key, "passkey", from_passkey(secret), random);
        let (credential, salt) = (hex::encode(credential), hex::encode(salt));
        self.wraps.retain(
            |wrap| !matches!(wrap, Wrap::Passkey { credential: known, .. } if *known == credential),
        );
        self.wraps.push(Wrap::Passkey {
            credential,
            salt,
            wrapped,
        });
    }

    fn wrap(&self, key: &DataKey, way: &str, with: [u8; 32], random: Random) -> String {
        let nonce: [u8; NONCE_BYTES] = random_bytes(random);
        hex::encode(&DataKey::new(with).seal(self.place(way), nonce, key.bytes()))
    }

    fn unwrap(&self, way: &str, with: [u8; 32], wrapped: &str) -> Option<DataKey> {
        let opened = DataKey::new(with).open(self.place(way), &hex::decode(wrapped)?)?;
        let key: [u8; KEY_BYTES] = opened.try_into().ok()?;
        Some(DataKey::new(key))
    }

    /// A wrapped key belongs to one way in of one keyring.
    fn place<'a>(&'a self, way: &'a str) -> Place<'a> {
        Place {
            what: "keyring",
            v: self.v.into(),
            user: "",
            project: &self.key,
            name: way,
        }
    }
}

/// These secrets are as random as a key; a plain digest will do.
fn from_recovery(secret: &recovery::Secret) -> [u8; 32] {
    let digest = Sha256::new().chain_update("onhand recovery key 1");
    digest.chain_update(secret).finalize().into()
}

fn from_passkey(secret: &[u8]) -> [u8; 32] {
    let digest = Sha256::new().chain_update("onhand passkey key 1");
    digest.chain_update(secret).finalize().into()
}

/// As many bytes as are asked for.
pub fn random_bytes<const N: usize>(random: Random) -> [u8; N] {
    let mut bytes = [0; N];
    for chunk in bytes.chunks_mut(16) {
        let fresh = random().to_le_bytes();
        chunk.copy_from_slice(&fresh[..chunk.len()]);
    }
    bytes
}
