//! An export that only its passphrase opens: the lines of a plain one, sealed in chunks (`docs/format-export.md`).
//!
//! [`Sealer`] takes plain bytes and gives the file's, [`Opener`] does the reverse; neither holds more than a chunk.
//! Each chunk is sealed for its number and for whether it is the last one, with a key that belongs to this file alone.
//! So a chunk that was moved, left out, repeated or taken from another file opens as nothing.

use crate::error::{Error, Result};
use crate::hex;
use crate::seal::passphrase::{self, Cost};
use crate::seal::{DataKey, NONCE_BYTES, Place, Random, random_bytes};
use serde::{Deserialize, Serialize};

/// What the first line calls the format.
pub const SEALED_FORMAT: &str = "onhand-export-sealed";
/// The version of the format that is written, and the newest that is read.
pub const SEALED_VERSION: u64 = 1;
/// Plain bytes of a chunk: what sealing adds is less than a thousandth, and a step takes a millisecond.
pub const CHUNK_BYTES: usize = 64 << 10;

const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
/// Before each chunk: whether it is the last one, and how many sealed bytes follow, in four bytes, the low one first.
const HEAD_BYTES: usize = 5;
const MORE: u8 = 0;
const LAST: u8 = 1;
const MAX_SEALED_BYTES: usize = NONCE_BYTES + CHUNK_BYTES + TAG_BYTES;

/// A file comes from anywhere: one that asks for more than this is made to take the browser down.
const MAX_MEMORY_KIB: u32 = 256 << 10;
const MAX_PASSES: u32 = 16;

/// The first line. It says nothing about whose memory it is, or what is in it.
#[derive(Serialize, Deserialize)]
struct SealedHeader {
    format: String,
    version: u64,
    /// Argon2id, as for a keyring.
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    /// Nothing, sealed with the file's key: a wrong passphrase shows before anything else is read, and is told apart
    /// from damage.
    check: String,
}

/// Seals an export as it is written.
pub struct Sealer {
    key: DataKey,
    n_chunks: u64,
    held: Vec<u8>,
}

impl Sealer {
    /// Gives the first line with it.
    ///
    /// # Errors
    /// `InvalidInput` for a passphrase that is too short.
    pub fn new(passphrase: &str, random: Random) -> Result<(Sealer, Vec<u8>)> {
        passphrase::check(passphrase)?;
        Ok(Sealer::with_cost(
            passphrase,
            (
                passphrase::MEMORY_KIB,
                passphrase::PASSES,
                passphrase::LANES,
            ),
            random,
        ))
    }

    /// With a cost of one's own: KiB of memory, passes and lanes. Cheap ones are for tests that seal a million files.
    ///
    /// # Panics
    /// With a cost that Argon2id does not know.
    pub fn with_cost(
        passphrase: &str,
        (memory_kib, passes, lanes): (u32, u32, u32),
        random: Random,
    ) -> (Sealer, Vec<u8>) {
        let salt: [u8; SALT_BYTES] = random_bytes(random);
        let cost = Cost {
            salt: &salt,
            memory_kib,
            passes,
            lanes,
        };
        let derived = passphrase::derive(passphrase, &cost).expect("the parameters are valid");
        let key = DataKey::new(derived);
        let check = key.seal(place("check"), random_bytes(random), &[]);
        let header = SealedHeader {
            format: SEALED_FORMAT.into(),
            version: SEALED_VERSION,
            salt: hex::encode(&salt),
            memory_kib,
            passes,
            lanes,
            check: hex::encode(&check),
        };
        let mut line = serde_json::to_vec(&header).expect("plain data");
        line.push(b'\n');
        let sealer = Sealer {
            key,
            n_chunks: 0,
            held: Vec::new(),
        };
        (sealer, line)
    }

    /// The chunks that these bytes complete.
    pub fn push(&mut self, plain: &[u8], random: Random) -> Vec<u8> {
        self.held.extend_from_slice(plain);
        let mut sealed = Vec::new();
        while self.held.len() > CHUNK_BYTES {
            let rest = self.held.split_off(CHUNK_BYTES);
            let chunk = std::mem::replace(&mut self.held, rest);
            self.chunk(MORE, &chunk, random, &mut sealed);
        }
        sealed
    }

    /// The last chunk.
    pub fn finish(mut self, random: Random) -> Vec<u8> {
        let mut sealed = Vec::new();
        let chunk = std::mem::take(&mut self.held);
        self.chunk(LAST, &chunk, random, &mut sealed);
        sealed
    }

    fn chunk(&mut self, flag: u8, plain: &[u8], random: Random, sealed: &mut Vec<u8>) {
        let name = chunk_name(self.n_chunks, flag);
        let chunk = self.key.seal(place(&name), random_bytes(random), plain);
        sealed.push(flag);
        sealed.extend((chunk.len() as u32).to_le_bytes());
        sealed.extend(chunk);
        self.n_chunks += 1;
    }
}

/// Opens a sealed export as it is read.
pub struct Opener {
    key: DataKey,
    n_chunks: u64,
    held: Vec<u8>,
    is_over: bool,
}

impl Opener {
    /// From the first line, without its line feed.
    ///
    /// # Errors
    /// `PassphraseNeeded`, `WrongKey`; `DamagedFile` if the line is not one of this format, `NewerFormat`.
    pub fn new(line: &[u8], passphrase: Option<&str>) -> Result<Opener> {
        let damaged = || damaged("its first line is not as it was written");
        let version = |value: &serde_json::Value| value.get("version")?.as_u64();
        let value = serde_json::from_slice(line).map_err(|_| damaged())?;
        match version(&value) {
            None | Some(0) => return Err(damaged()),
            Some(version) if version > SEALED_VERSION => {
                return Err(Error::NewerFormat {
                    version,
                    known: SEALED_VERSION,
                });
            }
            Some(_) => {}
        }
        let header: SealedHeader = serde_json::from_value(value).map_err(|_| damaged())?;
        let is_sane = header.memory_kib <= MAX_MEMORY_KIB && header.passes <= MAX_PASSES;
        let salt = hex::decode(&header.salt).filter(|salt| is_sane && salt.len() == SALT_BYTES);
        let cost = Cost {
            salt: &salt.ok_or_else(damaged)?,
            memory_kib: header.memory_kib,
            passes: header.passes,
            lanes: header.lanes,
        };
        let check = hex::decode(&header.check).ok_or_else(damaged)?;
        let passphrase = passphrase.ok_or(Error::PassphraseNeeded)?;
        let key = DataKey::new(passphrase::derive(passphrase, &cost).ok_or_else(damaged)?);
        match key.open(place("check"), &check) {
            Some(plain) if plain.is_empty() => {}
            Some(_) => return Err(damaged()),
            None => return Err(Error::WrongKey),
        }
        Ok(Opener {
            key,
            n_chunks: 0,
            held: Vec::new(),
            is_over: false,
        })
    }

    /// Takes the next bytes, wherever they are cut, and adds what they complete to `plain`.
    ///
    /// # Errors
    /// `DamagedFile`: what was added before is what was written.
    pub fn push(&mut self, bytes: &[u8], plain: &mut Vec<u8>) -> Result<()> {
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        let mut rest = &held[..];
        while let Some((head, after)) = rest.split_first_chunk::<HEAD_BYTES>() {
            if self.is_over {
                break;
            }
            let [flag, length @ ..] = *head;
            let length = u32::from_le_bytes(length) as usize;
            if flag > LAST || length > MAX_SEALED_BYTES {
                return Err(damaged("a part of it was changed"));
            }
            let Some((sealed, after)) = after.split_at_checked(length) else {
                break;
            };
            let name = chunk_name(self.n_chunks, flag);
            let Some(chunk) = self.key.open(place(&name), sealed) else {
                return Err(damaged("a part of it was changed, moved or left out"));
            };
            plain.extend(chunk);
            self.n_chunks += 1;
            self.is_over = flag == LAST;
            rest = after;
        }
        if self.is_over && !rest.is_empty() {
            return Err(damaged("something was added after its end"));
        }
        self.held = rest.to_vec();
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// `DamagedFile` if it was cut.
    pub fn finish(&self) -> Result<()> {
        match self.is_over {
            true => Ok(()),
            false => Err(cut()),
        }
    }
}

/// It ends before its end.
pub(super) fn cut() -> Error {
    damaged("it ends too early")
}

fn damaged(reason: &'static str) -> Error {
    Error::DamagedFile { reason }
}

fn place(name: &str) -> Place<'_> {
    Place {
        what: SEALED_FORMAT,
        v: SEALED_VERSION,
        user: "",
        project: "",
        name,
    }
}

fn chunk_name(number: u64, flag: u8) -> String {
    match flag {
        LAST => format!("{number} last"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests;
