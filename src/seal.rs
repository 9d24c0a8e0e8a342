//! Encryption at rest: one random key seals every record, and a few ways in lead to that key.
//!
//! - [`DataKey`] seals and opens bytes for one [`Place`]: what is sealed for one record opens as no other.
//! - [`Keyring`] is what is stored in the open: the data key, wrapped once for each way in.
//! - [`Secret`] is a way in: a passphrase ([`passphrase`]), the printed recovery code
//!   ([`recovery`]), or the secret of a passkey.
//!
//! XChaCha20-Poly1305 and not AES-GCM: without a processor's AES instructions, which WebAssembly
//! can not reach, it is five times as fast (124 against 25 MB/s for records of 600 bytes, in Node
//! on the machine of `docs/benchmarks.md`) and half as large (2.8 against 5.1 kB gzip). Its nonces
//! are long enough to be drawn at random by tabs that know nothing of each other.

mod cipher;
mod keyring;
pub mod passphrase;
pub mod recovery;

pub use cipher::{DataKey, NONCE_BYTES, Place};
pub use keyring::{Keyring, Random, Secret, State, Wrap, random_bytes};

#[cfg(test)]
mod tests;
