//! The recovery code: 128 random bits on paper, for the day when the passphrase is forgotten.
//!
//! Twenty-eight letters and digits in groups of four, such as `7Q2M-…`. The alphabet is Crockford's
//! base 32: it has no letters that pass for digits, and reads those as the digits they look like.
//! The last twelve bits are a check, so that most slips of the pen are told apart from a wrong code.

use crate::error::{Error, Result};
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SECRET_BYTES: usize = 16;
const GROUP: usize = 4;
/// 128 bits of secret and 12 of check, 5 to a letter.
const LETTERS: usize = 28;
const CHECK_BITS: usize = 12;

pub type Secret = [u8; SECRET_BYTES];

/// The code as it is shown and printed.
pub fn write(secret: &Secret) -> String {
    let bits = bits_of(secret).chain(check_of(secret));
    let bits: Vec<u8> = bits.collect();
    let letter = |five: &[u8]| {
        let value = five
            .iter()
            .fold(0, |value, bit| value << 1 | usize::from(*bit));
        char::from(ALPHABET[value])
    };
    let letters: Vec<char> = bits.chunks(5).map(letter).collect();
    let groups = letters.chunks(GROUP).map(String::from_iter);
    groups.collect::<Vec<_>>().join("-")
}

/// The secret in a code as a person typed it.
///
/// # Errors
/// `InvalidInput` if a letter is missing or mistyped.
pub fn read(code: &str) -> Result<Secret> {
    let invalid = |reason: &str| Error::InvalidInput {
        field: "recoveryCode",
        reason: reason.into(),
    };
    let mut bits = Vec::with_capacity(LETTERS * 5);
    for letter in code.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let value =
            value_of(letter).ok_or_else(|| invalid("it has a character that no code has"))?;
        bits.extend((0..5).rev().map(|i| value >> i & 1));
    }
    if bits.len() != LETTERS * 5 {
        return Err(invalid("it has 28 letters and digits"));
    }
    let (secret_bits, check) = bits.split_at(SECRET_BYTES * 8);
    let mut secret = [0; SECRET_BYTES];
    for (byte, eight) in secret.iter_mut().zip(secret_bits.chunks(8)) {
        *byte = eight.iter().fold(0, |byte, bit| byte << 1 | bit);
    }
    match check_of(&secret).eq(check.iter().copied()) {
        true => Ok(secret),
        false => Err(invalid("a letter or digit of it is mistyped")),
    }
}

fn value_of(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let position = ALPHABET
        .iter()
        .position(|known| char::from(*known) == letter);
    position.map(|value| value as u8)
}

fn bits_of(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1))
}

fn check_of(secret: &Secret) -> impl Iterator<Item = u8> + use<> {
    let hash = Sha256::new()
        .chain_update("onhand recovery code 1")
        .chain_update(secret);
    let hash: [u8; 32] = hash.finalize().into();
    let bits: Vec<u8> = bits_of(&hash).take(CHECK_BITS).collect();
    bits.into_iter()
}
