use super::*;
use crate::error::Error;
use proptest::prelude::*;
use std::cell::Cell;

/// Numbers that look random and follow from a seed.
fn dice(seed: u128) -> impl Fn() -> u128 {
    let state = Cell::new(seed);
    move || {
        let next = state
            .get()
            .wrapping_mul(0xda94_2042_e4dd_58b5)
            .wrapping_add(0x9e37_79b9);
        state.set(next ^ (next >> 61));
        state.get()
    }
}

fn ring(seed: u128) -> (Keyring, DataKey, String) {
    Keyring::new("correct horse", &dice(seed)).unwrap()
}

fn passphrase(text: &str) -> Secret {
    Secret::Passphrase(text.into())
}

proptest! {
    #[test]
    fn what_is_sealed_opens_with_its_key_in_its_place_and_in_no_other_way(
        key: [u8; 32],
        other_key: [u8; 32],
        nonce: [u8; NONCE_BYTES],
        plain: Vec<u8>,
        parts in prop::array::uniform4("[a-c]{0,3}"),
        other_parts in prop::array::uniform4("[a-c]{0,3}"),
        v in 0_u64..3,
        flip: prop::sample::Index,
        bit in 0..8,
        cut: prop::sample::Index,
    ) {
        let place = |parts, v| {
            let [what, user, project, name]: &[String; 4] = parts;
            Place { what, v, user, project, name }
        };
        let (key, other_key) = (DataKey::new(key), DataKey::new(other_key));
        let here = place(&parts, v);
        let sealed = key.seal(here, nonce, &plain);
        prop_assert_eq!(key.open(here, &sealed), Some(plain.clone()));
        if plain.len() > 8 {
            prop_assert!(!sealed.windows(plain.len()).any(|window| window == plain));
        }
        if key != other_key {
            prop_assert_eq!(other_key.open(here, &sealed), None);
        }
        let there = place(&other_parts, v);
        prop_assert_eq!(key.open(there, &sealed).is_some(), here == there);
        prop_assert_eq!(key.open(place(&parts, v + 1), &sealed), None);
        let mut damaged = sealed.clone();
        damaged[flip.index(sealed.len())] ^= 1_u8 << bit;
        prop_assert_eq!(key.open(here, &damaged), None);
        prop_assert_eq!(key.open(here, &sealed[..cut.index(sealed.len())]), None);
    }

    #[test]
    fn a_recovery_code_is_read_as_it_was_written(secret: [u8; 16], at: prop::sample::Index, other: char) {
        let code = recovery::write(&secret);
        prop_assert_eq!(code.len(), 34);
        prop_assert_eq!(recovery::read(&code), Ok(secret));
        let sloppy = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        prop_assert_eq!(recovery::read(&sloppy), Ok(secret));
        // Whatever is read from a damaged code is what that code says: never a panic, never a shorter secret.
        let mut letters: Vec<char> = code.chars().collect();
        letters[at.index(34)] = other;
        let damaged = String::from_iter(letters);
        if let Ok(read) = recovery::read(&damaged) {
            prop_assert_eq!(recovery::read(&recovery::write(&read)), Ok(read));
        }
        prop_assert!(recovery::read(&code[..33]).is_err());
        let longer = format!("{code}0");
        prop_assert!(recovery::read(&longer).is_err());
    }
}

#[test]
fn nearly_every_slip_of_the_pen_is_noticed() {
    let code = recovery::write(&[0x5a; 16]);
    let (mut noticed, mut all) = (0, 0);
    for at in code.match_indices(|c| c != '-').map(|(at, _)| at) {
        for letter in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars() {
            let mut damaged = code.clone();
            damaged.replace_range(at..=at, &letter.to_string());
            if damaged != code {
                all += 1;
                noticed += usize::from(recovery::read(&damaged).is_err());
            }
        }
    }
    assert_eq!(all, 28 * 31);
    // Twelve bits of check let one in 4096 through.
    assert!(all - noticed <= 2, "{noticed} of {all}");
}

#[test]
fn each_way_in_leads_to_the_same_key_and_nothing_else_does() {
    let (mut keyring, key, code) = ring(1);
    keyring.add_passkey(&key, b"credential", b"salt", &[7; 32], &dice(2));
    let ways = [
        passphrase("correct horse"),
        Secret::Recovery(code.to_lowercase()),
        Secret::Passkey(vec![7; 32]),
    ];
    for way in ways {
        assert!(keyring.unlock(&way) == Ok(key.clone()));
    }
    let (_, _, foreign) = ring(3);
    let wrong = [
        passphrase("correct horsf"),
        passphrase(""),
        Secret::Recovery(foreign),
        Secret::Passkey(vec![8; 32]),
        // The right secret by the wrong door.
        passphrase(&code),
    ];
    let before = keyring.clone();
    for way in wrong {
        assert_eq!(keyring.unlock(&way).err(), Some(Error::WrongKey));
    }
    assert_eq!(keyring, before, "a wrong key changes nothing");
    let mistyped = Secret::Recovery("7Q2M".into());
    let error = keyring.unlock(&mistyped).err().unwrap();
    assert_eq!(error.code(), "invalid_input");
}

#[test]
fn another_passphrase_takes_the_place_of_the_old_one() {
    let (mut keyring, key, code) = ring(1);
    keyring
        .set_passphrase(&key, "battery staple", &dice(2))
        .unwrap();
    assert!(keyring.unlock(&passphrase("battery staple")) == Ok(key.clone()));
    assert!(keyring.unlock(&Secret::Recovery(code)) == Ok(key.clone()));
    assert!(keyring.unlock(&passphrase("correct horse")).is_err());
    let before = keyring.clone();
    let error = keyring.set_passphrase(&key, "short", &dice(2)).unwrap_err();
    assert_eq!(error.code(), "invalid_input");
    assert_eq!(keyring, before);
}

#[test]
fn letters_count_as_they_look() {
    let (mut keyring, key, _) = ring(1);
    keyring
        .set_passphrase(&key, "caf\u{e9} au lait", &dice(2))
        .unwrap();
    assert!(keyring.unlock(&passphrase("cafe\u{301} au lait")) == Ok(key));
}

#[test]
fn a_wrapped_key_of_another_keyring_is_refused() {
    let (one, _, code) = ring(1);
    let (mut other, _, _) = ring(2);
    other.wraps = one.wraps.clone();
    assert_eq!(
        other.unlock(&passphrase("correct horse")).err(),
        Some(Error::WrongKey)
    );
    assert_eq!(
        other.unlock(&Secret::Recovery(code)).err(),
        Some(Error::WrongKey)
    );
}

#[test]
fn a_damaged_keyring_opens_nothing_and_hurts_nobody() {
    let (keyring, _, _) = ring(1);
    let text = serde_json::to_string(&keyring).unwrap();
    let damages = [
        ("19456", "4294967295"),
        ("19456", "0"),
        ("\"passes\":2", "\"passes\":4294967295"),
        ("\"wrapped\":\"", "\"wrapped\":\"zz"),
        ("\"salt\":\"", "\"salt\":\"f"),
    ];
    for (from, to) in damages {
        let damaged: Keyring = serde_json::from_str(&text.replace(from, to)).unwrap();
        assert_ne!(damaged, keyring, "{from}");
        let opened = damaged.unlock(&passphrase("correct horse"));
        assert_eq!(opened.err(), Some(Error::WrongKey), "{to}");
    }
}

/// Written once: what was sealed by any version has to open for ever.
#[test]
fn a_keyring_of_version_1_opens() {
    let stored = include_str!("../../tests/golden/keyring-1.json");
    let keyring: Keyring = serde_json::from_str(stored).unwrap();
    let written = serde_json::to_value(&keyring).unwrap();
    assert_eq!(
        written,
        serde_json::from_str::<serde_json::Value>(stored).unwrap()
    );
    let code = Secret::Recovery(GOLDEN_CODE.into());
    let way = Secret::Passkey(vec![7; 32]);
    for way in [passphrase("correct horse"), code, way] {
        let key = keyring.unlock(&way).unwrap();
        let place = Place {
            what: "fact",
            v: 1,
            user: "ada",
            project: "thesis",
            name: "x",
        };
        let sealed = key.seal(place, [9; NONCE_BYTES], b"Aurora");
        assert_eq!(crate::hex::encode(&sealed), GOLDEN_SEALED);
    }
}

const GOLDEN_CODE: &str = "M771-N09Q-P3BG-56VC-282Y-89ZC-HE1M";
const GOLDEN_SEALED: &str =
    "09090909090909090909090909090909090909090909090938e6f4bf1eb708c232b04b328c78e06ce32ac03da9b3";
