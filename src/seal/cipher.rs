//! Sealing and opening bytes.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::Zeroize;

pub const KEY_BYTES: usize = 32;
/// A nonce stands before what it was used for.
pub const NONCE_BYTES: usize = 24;

/// The key that seals records. It is never shown and is wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey([u8; KEY_BYTES]);

/// Whose bytes these are. It is authenticated with them, so that nothing sealed can be moved to
/// another record, namespace, kind or version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub what: &'a str,
    /// Version of the record's shape.
    pub v: u64,
    pub user: &'a str,
    pub project: &'a str,
    pub name: &'a str,
}

impl DataKey {
    /// A key of random bytes.
    pub fn new(random: [u8; KEY_BYTES]) -> DataKey {
        DataKey(random)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Nonce, ciphertext and tag. A nonce must never be used twice with one key; a random one will not be.
    pub fn seal(&self, place: Place, nonce: [u8; NONCE_BYTES], plain: &[u8]) -> Vec<u8> {
        let payload = Payload {
            msg: plain,
            aad: &place.bytes(),
        };
        let cipher = XChaCha20Poly1305::new((&self.0).into());
        let sealed = cipher.encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.expect("memory holds no text that is too long for the cipher");
        [&nonce[..], &sealed].concat()
    }

    /// What was sealed for this place; `None` if it was sealed with another key or for another
    /// place, or a bit of it has changed.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let payload = Payload {
            msg: sealed,
            aad: &place.bytes(),
        };
        let cipher = XChaCha20Poly1305::new((&self.0).into());
        cipher.decrypt(XNonce::from_slice(nonce), payload).ok()
    }
}

impl Drop for DataKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

impl Place<'_> {
    /// Each part with its length before it, so that no two places have the same bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.v.to_le_bytes().to_vec();
        for part in [self.what, self.user, self.project, self.name] {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}
