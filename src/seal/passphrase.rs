//! From a passphrase to a key, slowly: whoever tries passphrases out pays this price for each.

use crate::error::{Error, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;

/// Argon2id with 19 MiB, two passes and one lane: what OWASP's Password Storage Cheat Sheet asks
/// for at least (2025). 40 ms in Node's WebAssembly. More memory would stay with the engine for as
/// long as it lives, since WebAssembly gives none back, and phones have little to give.
pub const MEMORY_KIB: u32 = 19_456;
pub const PASSES: u32 = 2;
pub const LANES: u32 = 1;

/// A stored keyring that asks for more than this is damaged: it would take the browser down.
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_PASSES: u32 = 64;
const MAX_LANES: u32 = 16;

/// NIST SP 800-63B allows no shorter ones.
pub const MIN_CHARACTERS: usize = 8;

/// What the key is derived with, besides the passphrase.
pub struct Cost<'a> {
    pub salt: &'a [u8],
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

/// # Errors
/// `InvalidInput` for a passphrase that is too short to be worth anything.
pub fn check(passphrase: &str) -> Result<()> {
    if passphrase.chars().count() < MIN_CHARACTERS {
        return Err(Error::InvalidInput {
            field: "passphrase",
            reason: format!("it needs at least {MIN_CHARACTERS} characters"),
        });
    }
    Ok(())
}

/// The key of a passphrase; `None` if the cost makes no sense.
pub fn derive(passphrase: &str, cost: &Cost) -> Option<[u8; 32]> {
    let sane =
        cost.memory_kib <= MAX_MEMORY_KIB && cost.passes <= MAX_PASSES && cost.lanes <= MAX_LANES;
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok();
    let argon2 = Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        params.filter(|_| sane)?,
    );
    // Keyboards compose letters in different ways; to their owner they are the same.
    let composed: String = passphrase.nfc().collect();
    let mut key = [0; 32];
    let derived = argon2.hash_password_into(composed.as_bytes(), cost.salt, &mut key);
    derived.ok().map(|()| key)
}
