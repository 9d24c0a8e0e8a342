use super::*;
use crate::transfer::{Intake, Seal, SourceFormat};
use proptest::prelude::*;
use std::cell::Cell;

const PASSPHRASE: &str = "correct horse";
/// The cheapest that Argon2id knows: a test seals thousands of files.
const CHEAP: (u32, u32, u32) = (8, 1, 1);

/// Numbers that look random and follow from a seed.
fn dice(seed: u128) -> impl Fn() -> u128 {
    let state = Cell::new(seed);
    move || {
        let next = state.get().wrapping_mul(0xda94_2042_e4dd_58b5);
        let next = next.wrapping_add(0x9e37_79b9);
        state.set(next ^ (next >> 61));
        state.get()
    }
}

/// The header line and the chunks, each with its head.
fn sealed(plain: &[u8], seed: u128) -> Vec<Vec<u8>> {
    let random = dice(seed);
    let (mut sealer, header) = Sealer::with_cost(PASSPHRASE, CHEAP, &random);
    let mut chunks = sealer.push(plain, &random);
    chunks.extend(sealer.finish(&random));
    let mut parts = vec![header];
    let mut rest = &chunks[..];
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[1..HEAD_BYTES].try_into().unwrap()) as usize;
        let (chunk, after) = rest.split_at(HEAD_BYTES + length);
        parts.push(chunk.to_vec());
        rest = after;
    }
    parts
}

fn opened_in(file: &[u8], size: usize) -> Result<Vec<u8>> {
    let end = file.iter().position(|&byte| byte == b'\n').unwrap();
    let mut opener = Opener::new(&file[..end], Some(PASSPHRASE))?;
    let mut plain = Vec::new();
    for piece in file[end + 1..].chunks(size) {
        opener.push(piece, &mut plain)?;
    }
    opener.finish()?;
    Ok(plain)
}

fn opened(parts: &[Vec<u8>]) -> Result<Vec<u8>> {
    opened_in(&parts.concat(), 1_000)
}

fn plain(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 % 251) as u8).collect()
}

#[test]
fn what_is_sealed_opens_again_at_every_length_and_however_it_is_cut() {
    for length in [
        0,
        1,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES + 5,
    ] {
        let plain = plain(length);
        let parts = sealed(&plain, 1);
        assert_eq!(parts.len(), 1 + length.div_ceil(CHUNK_BYTES).max(1));
        let file = parts.concat();
        for size in [7, 1_000, file.len()] {
            assert_eq!(opened_in(&file, size).as_ref(), Ok(&plain), "{length}");
        }
        let window = plain.get(..16);
        assert!(window.is_none_or(|window| !file.windows(16).any(|part| part == window)));
    }
}

#[test]
fn a_file_that_is_not_as_it_was_written_is_refused() {
    let plain = plain(3 * CHUNK_BYTES);
    let parts = sealed(&plain, 1);
    let other = sealed(&plain, 2);
    let [header, one, two, last] = &parts[..] else {
        panic!("{} parts", parts.len());
    };
    let mut not_last = last.clone();
    not_last[0] = MORE;
    let mut last_already = two.clone();
    last_already[0] = LAST;
    let cases: &[(&str, &[&Vec<u8>])] = &[
        ("cut after the header", &[header]),
        ("cut after a chunk", &[header, one, two]),
        ("a chunk is missing", &[header, one, last]),
        ("the first is missing", &[header, two, last]),
        ("exchanged", &[header, two, one, last]),
        ("repeated", &[header, one, one, two, last]),
        ("repeated at the end", &[header, one, two, last, last]),
        ("from another file", &[header, one, &other[2], last]),
        (
            "the end of another file",
            &[header, one, two, other.last().unwrap()],
        ),
        ("called the last one", &[header, one, &last_already]),
        ("not called the last one", &[header, one, two, &not_last]),
        ("something behind", &[header, one, two, last, &vec![0]]),
    ];
    for (what, parts) in cases {
        let file: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        for size in [13, 100_000_000] {
            let error = opened_in(&file, size).unwrap_err();
            assert_eq!(error.code(), "damaged_file", "{what}: {error}");
        }
    }
    // The header of another file leads to another key.
    let error = opened(&[other[0].clone(), one.clone(), two.clone(), last.clone()]).unwrap_err();
    assert_eq!(error.code(), "damaged_file");
    assert_eq!(opened(&parts), Ok(plain));
}

#[test]
fn a_wrong_passphrase_is_told_before_anything_is_read() {
    let [header, chunk] = &sealed(b"words", 1)[..] else {
        panic!("one chunk");
    };
    let line = header.strip_suffix(b"\n").unwrap();
    let code = |passphrase| Opener::new(line, passphrase).err().map(|e| e.code());
    assert_eq!(code(None), Some("passphrase_needed"));
    assert_eq!(code(Some("wrong horse")), Some("wrong_key"));
    assert_eq!(code(Some("")), Some("wrong_key"));
    assert_eq!(code(Some(PASSPHRASE)), None);
    // Also where the rest of the file is damaged.
    let mut intake = Intake::new().with_passphrase(Some("wrong horse".into()));
    let mut entries = Vec::new();
    let damaged = [&header[..], &chunk[3..]].concat();
    let error = intake.push(&damaged, &mut entries).unwrap_err();
    assert_eq!((error.code(), entries.len()), ("wrong_key", 0));
}

#[test]
fn a_short_passphrase_seals_nothing() {
    let error = Sealer::new("seven77", &dice(1)).err().unwrap();
    assert_eq!(error.code(), "invalid_input");
}

#[test]
fn a_header_that_asks_for_too_much_is_refused_unread() {
    let header = sealed(b"", 1).remove(0);
    let text = String::from_utf8(header).unwrap();
    let code = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        let line = text.trim_end().replace(from, to);
        let opened = Opener::new(line.as_bytes(), Some(PASSPHRASE));
        opened.err().map(|error| error.code())
    };
    for (from, to) in [
        ("\"memory_kib\":8", "\"memory_kib\":262145"),
        ("\"memory_kib\":8", "\"memory_kib\":4294967295"),
        ("\"memory_kib\":8", "\"memory_kib\":7"),
        ("\"passes\":1", "\"passes\":17"),
        ("\"passes\":1", "\"passes\":0"),
        ("\"lanes\":1", "\"lanes\":17"),
        ("\"salt\":\"", "\"salt\":\"00"),
        ("\"check\":\"", "\"check\":\"x"),
        ("\"version\":1", "\"version\":0"),
    ] {
        assert_eq!(code(from, to), Some("damaged_file"), "{to}");
    }
    assert_eq!(code("\"version\":1", "\"version\":2"), Some("newer_format"));
}

#[test]
fn an_export_is_read_through_its_seal() {
    let lines = "{\"format\":\"onhand-export\",\"version\":1,\"written\":{\"unix_ms\":0,\"offset_min\":0}}\n";
    let parts = sealed(lines.as_bytes(), 1);
    let read = |file: &[u8], passphrase: Option<&str>| {
        let mut intake = Intake::new().with_passphrase(passphrase.map(String::from));
        let mut entries = Vec::new();
        for piece in file.chunks(3) {
            intake.push(piece, &mut entries)?;
        }
        intake.finish(&mut entries)
    };
    let file = parts.concat();
    assert_eq!(
        read(&file, Some(PASSPHRASE)),
        Ok((SourceFormat::Export, Some(Seal::Cut))),
        "the lines themselves have no end here"
    );
    assert_eq!(read(&file, None), Err(Error::PassphraseNeeded));
    for end in [parts[0].len() - 1, parts[0].len(), file.len() - 1] {
        let error = read(&file[..end], Some(PASSPHRASE)).unwrap_err();
        assert_eq!(error.code(), "damaged_file", "cut at {end}");
    }
    // A passphrase that nobody asked for is no mistake.
    assert!(read(lines.as_bytes(), Some(PASSPHRASE)).is_ok());
}

#[test]
fn the_file_is_what_the_document_says() {
    let random = dice(1);
    let (mut sealer, header) = Sealer::new(PASSPHRASE, &random).unwrap();
    let mut file = header;
    file.extend(sealer.push(b"the first words, ", &random));
    file.extend(sealer.push(b"and the last", &random));
    file.extend(sealer.finish(&random));
    let end = file.iter().position(|&byte| byte == b'\n').unwrap();
    let text = std::str::from_utf8(&file[..end]).unwrap();
    let golden = format!("{text}\n{}\n", hex::encode(&file[end + 1..]));
    crate::golden::assert_golden("export-sealed-1.txt", &golden);
    // And is read from the golden file alone.
    let stored = include_str!("../../../tests/golden/export-sealed-1.txt");
    let (line, chunks) = stored.trim_end().split_once('\n').unwrap();
    let chunks = hex::decode(chunks).unwrap();
    let mut opener = Opener::new(line.as_bytes(), Some(PASSPHRASE)).unwrap();
    let mut plain = Vec::new();
    opener.push(&chunks, &mut plain).unwrap();
    opener.finish().unwrap();
    assert_eq!(plain, b"the first words, and the last");
    let document = include_str!("../../../docs/format-export.md");
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
    for field in header.keys() {
        assert!(document.contains(&format!("`{field}`")), "{field}");
    }
}

proptest! {
    #[test]
    fn no_changed_byte_passes(length in 0..200_usize, seed: u128, at: prop::sample::Index, to: u8) {
        let file = sealed(&plain(length), seed).concat();
        let mut damaged = file.clone();
        let at = at.index(file.len());
        prop_assume!(file[at] != to);
        damaged[at] = to;
        let mut intake = Intake::new().with_passphrase(Some(PASSPHRASE.into()));
        let mut entries = Vec::new();
        let read = intake.push(&damaged, &mut entries).and_then(|()| intake.finish(&mut entries));
        prop_assert!(read.is_err());
        prop_assert_eq!(entries, vec![]);
    }
}
