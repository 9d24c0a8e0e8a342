//! Sealed values, keyrings and sealed exports, damaged: each opens as what was sealed or not at all.

use super::Target;
use super::random::Random;
use onhand::hex;
use onhand::seal::passphrase::{self, Cost};
use onhand::seal::{DataKey, Keyring, NONCE_BYTES, Place, Secret, Wrap, recovery};
use onhand::transfer::{CHUNK_BYTES, Opener, Sealer};
use sha2::{Digest, Sha256};
use std::cell::Cell;

const KEY: [u8; 32] = [7; 32];
const PASSPHRASE: &str = "correct horse";
const RECOVERY: [u8; 16] = [9; 16];
const PASSKEY: [u8; 32] = [11; 32];
/// The cheapest that Argon2id knows, and the dearest that is tried: a target runs a million times.
const CHEAP: (u32, u32, u32) = (8, 1, 1);
const MAX_TRIED_KIB: u32 = 64;
const PLAIN: &[u8] = b"what was said in the boat house";

pub struct SealedBytes {
    sealed: Vec<u8>,
    keyring: String,
    /// Each with what is in it.
    exports: Vec<(Vec<u8>, Vec<u8>)>,
    n_opened: u64,
    n_unlocked: u64,
    n_exports: u64,
    n_refused: u64,
}

impl Target for SealedBytes {
    const NAME: &'static str = "sealed_bytes";
    const KEPT: &'static [&'static [u8]] = &[
        b"",
        b"\x00",
        b"\x01{}",
        b"\x02{\"format\":\"onhand-export-sealed\",\"version\":1}\n",
        b"\x02\n\x01\xff\xff\xff\xff",
    ];

    fn new() -> SealedBytes {
        let export = |length: usize, seed: u64| {
            let state = Cell::new(seed);
            let random = || {
                let mut random = Random::new(state.get());
                state.set(random.next());
                u128::from(random.next()) << 64 | u128::from(random.next())
            };
            let plain: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let (mut sealer, mut file) = Sealer::with_cost(PASSPHRASE, CHEAP, &random);
            file.extend(sealer.push(&plain, &random));
            file.extend(sealer.finish(&random));
            (file, plain)
        };
        SealedBytes {
            sealed: DataKey::new(KEY).seal(place(), [3; NONCE_BYTES], PLAIN),
            keyring: serde_json::to_string(&keyring()).unwrap(),
            exports: vec![export(0, 1), export(300, 2), export(2 * CHUNK_BYTES + 9, 3)],
            n_opened: 0,
            n_unlocked: 0,
            n_exports: 0,
            n_refused: 0,
        }
    }

    /// What it is, and the bytes.
    fn input(&self, random: &mut Random) -> Vec<u8> {
        // The long export is dear, so it is rare.
        let (what, mut bytes) = match random.below(64) {
            0..21 => (0, self.sealed.clone()),
            21..42 => (1, self.keyring.clone().into_bytes()),
            42 => (2, self.exports[2].0.clone()),
            n => (2, self.exports[n % 2].0.clone()),
        };
        for _ in 0..random.below(4) {
            let (at, end) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
            let (at, end) = (at.min(end), at.max(end));
            match random.below(7) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let copied = bytes[at..end].to_vec();
                    bytes.splice(at..at, copied);
                }
                3 => {
                    let other = &self.exports[random.below(2)].0;
                    let from = random.below(other.len());
                    bytes.splice(at..end, other[from..].iter().copied());
                }
                4 => {
                    const TOKENS: [&str; 8] = [
                        "\"",
                        "00",
                        "null",
                        "0",
                        "4294967295",
                        "{",
                        "[]",
                        "passphrase",
                    ];
                    let token = TOKENS[random.below(TOKENS.len())];
                    bytes.splice(at..at, token.bytes());
                }
                _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
                _ => bytes.push(random.next() as u8),
            }
        }
        bytes.insert(0, what);
        bytes
    }

    fn run(&mut self, input: &[u8]) {
        let Some((what, bytes)) = input.split_first() else {
            return;
        };
        let is_opened = match what {
            0 => self.open(bytes),
            1 => self.unlock(bytes),
            _ => self.read_export(bytes),
        };
        self.n_refused += u64::from(!is_opened);
    }

    fn summary(&self) -> String {
        format!(
            r#""opened":{},"unlocked":{},"exports":{},"refused":{}"#,
            self.n_opened, self.n_unlocked, self.n_exports, self.n_refused
        )
    }
}

impl SealedBytes {
    fn open(&mut self, bytes: &[u8]) -> bool {
        let opened = DataKey::new(KEY).open(place(), bytes);
        assert_eq!(opened.is_some(), bytes == self.sealed);
        self.n_opened += u64::from(opened.is_some());
        opened.is_none_or(|plain| plain == PLAIN)
    }

    fn unlock(&mut self, bytes: &[u8]) -> bool {
        let Ok(keyring) = serde_json::from_slice::<Keyring>(bytes) else {
            return false;
        };
        let is_dear = keyring.wraps.iter().any(|wrap| match wrap {
            Wrap::Passphrase {
                memory_kib, passes, ..
            } => *memory_kib > MAX_TRIED_KIB || *passes > 2,
            _ => false,
        });
        let mut n_unlocked = 0;
        for secret in [
            Secret::Passphrase(PASSPHRASE.into()),
            Secret::Recovery(recovery::write(&RECOVERY)),
            Secret::Passkey(PASSKEY.into()),
        ] {
            if is_dear && matches!(secret, Secret::Passphrase(_)) {
                continue;
            }
            if let Ok(key) = keyring.unlock(&secret) {
                assert_eq!(key, DataKey::new(KEY), "a damaged keyring gave another key");
                n_unlocked += 1;
            }
        }
        self.n_unlocked += n_unlocked;
        n_unlocked > 0
    }

    fn read_export(&mut self, bytes: &[u8]) -> bool {
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            return false;
        };
        let (line, chunks) = (&bytes[..end], &bytes[end + 1..]);
        let header = serde_json::from_slice::<serde_json::Value>(line).unwrap_or_default();
        let at_most = |field: &str, most: u32| {
            let number = header.get(field).and_then(serde_json::Value::as_u64);
            number.is_none_or(|number| number <= u64::from(most))
        };
        if !at_most("memory_kib", MAX_TRIED_KIB) || !at_most("passes", 2) {
            return false;
        }
        let Ok(mut opener) = Opener::new(line, Some(PASSPHRASE)) else {
            return false;
        };
        let mut plain = Vec::new();
        // In pieces that belong to the bytes.
        let size = 1 + chunks.len() % 4_099;
        let mut pieces = chunks.chunks(size);
        let read = pieces.try_for_each(|piece| opener.push(piece, &mut plain));
        let is_whole = read.and_then(|()| opener.finish()).is_ok();
        let is_theirs = |(_, whole): &(Vec<u8>, Vec<u8>)| match is_whole {
            true => plain == *whole,
            false => whole.starts_with(&plain),
        };
        assert!(self.exports.iter().any(is_theirs), "other words came out");
        self.n_exports += u64::from(is_whole);
        is_whole
    }
}

fn place() -> Place<'static> {
    Place {
        what: "turn",
        v: 1,
        user: "ada",
        project: "work",
        name: "1",
    }
}

/// All three ways in, made from `docs/format.md` and not from the code that reads them.
fn keyring() -> Keyring {
    let name = hex::encode(&[5; 16]);
    let digest = |label: &str, secret: &[u8]| -> [u8; 32] {
        let digest = Sha256::new().chain_update(label);
        digest.chain_update(secret).finalize().into()
    };
    let wrap = |with: [u8; 32], way: &str| {
        let place = Place {
            what: "keyring",
            v: 1,
            user: "",
            project: &name,
            name: way,
        };
        hex::encode(&DataKey::new(with).seal(place, [1; NONCE_BYTES], &KEY))
    };
    let (memory_kib, passes, lanes) = CHEAP;
    let cost = Cost {
        salt: &[2; 16],
        memory_kib,
        passes,
        lanes,
    };
    let from_passphrase = passphrase::derive(PASSPHRASE, &cost).unwrap();
    Keyring {
        v: 1,
        key: name.clone(),
        state: onhand::seal::State::Sealed,
        wraps: vec![
            Wrap::Passphrase {
                salt: hex::encode(cost.salt),
                memory_kib,
                passes,
                lanes,
                wrapped: wrap(from_passphrase, "passphrase"),
            },
            Wrap::Recovery {
                wrapped: wrap(digest("onhand recovery key 1", &RECOVERY), "recovery"),
            },
            Wrap::Passkey {
                credential: "00".into(),
                salt: "00".into(),
                wrapped: wrap(digest("onhand passkey key 1", &PASSKEY), "passkey"),
            },
        ],
    }
}
