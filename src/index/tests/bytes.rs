//! Saved indexes: read back, cut off, damaged.

use super::random::Random;
use crate::index::{IndexConfig, LoadError, Mode, VectorIndex};

const HEADER_BYTES: usize = 40;

const SEALED: usize = 140;
/// Three of the sealed are removed; of two newer ones one.
const LIVE: usize = SEALED - 3 + 1;

/// An index with a graph of two layers, two twins in it, and newer rows.
fn sample(mode: Mode) -> VectorIndex {
    let vectors = Random::new(61).clustered(SEALED + 2, 18, 3, 0.6);
    let dimensions = 18;
    let mut index = VectorIndex::new(IndexConfig { dimensions, mode });
    for (id, vector) in (100..).zip(&vectors[..SEALED]) {
        let vector = if id == 120 { &vectors[5] } else { vector };
        index.add(id, vector).unwrap();
    }
    index.seal();
    for id in [101, 105, 139] {
        index.remove(id);
    }
    index.add(900, &vectors[SEALED]).unwrap();
    index.add(901, &vectors[SEALED + 1]).unwrap();
    index.remove(900);
    index
}

fn answers(index: &VectorIndex) -> Vec<Vec<(u32, u32)>> {
    let mut random = Random::new(62);
    (0..10)
        .map(|_| {
            let hits = index.search_all(&random.direction(18), 7).unwrap();
            hits.iter().map(|h| (h.id, h.score.to_bits())).collect()
        })
        .collect()
}

/// The bytes with their checksums put right, so that damage gets past them.
fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() < HEADER_BYTES {
        return bytes;
    }
    let field = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as u64;
    let rows = field(16).div_ceil(8) + field(12) * (4 + 2 * field(8));
    let body = bytes.len() - HEADER_BYTES;
    if rows <= body as u64 {
        let (rows, graph) = bytes[HEADER_BYTES..].split_at(rows as usize);
        let (rows, graph) = (crc32fast::hash(rows), crc32fast::hash(graph));
        bytes[24..28].copy_from_slice(&rows.to_le_bytes());
        bytes[28..32].copy_from_slice(&graph.to_le_bytes());
    }
    let header = crc32fast::hash(&bytes[..36]);
    bytes[36..40].copy_from_slice(&header.to_le_bytes());
    bytes
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn an_index_comes_back_as_it_was() {
    for mode in [Mode::Scan, Mode::Hnsw] {
        let index = sample(mode);
        let bytes = index.save();
        let loaded = VectorIndex::load(&bytes).unwrap();
        assert_eq!(loaded.config(), index.config());
        assert_eq!(answers(&loaded), answers(&index));
        assert_eq!(loaded.save(), bytes);
        assert_eq!(signed(bytes.clone()), bytes, "the test's own checksums");
        let stats = loaded.stats();
        assert_eq!((stats.n_vectors, stats.has_lost_graph), (LIVE, false));
        let sealed = if mode == Mode::Hnsw {
            (SEALED - 3, 3)
        } else {
            (0, 0)
        };
        assert_eq!((stats.n_sealed, stats.n_gaps), sealed);
    }
    let empty = VectorIndex::new(IndexConfig::new(16));
    assert!(VectorIndex::load(&empty.save()).unwrap().is_empty());
}

/// Pinned: other versions of this code must go on reading it.
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn the_bytes_of_version_1() {
    let mut index = VectorIndex::new(IndexConfig::new(16));
    let mut vector = [0.0; 16];
    vector[0] = -2.0;
    index.add(0x0102_0304, &vector).unwrap();
    let mut expected = b"onvx\x01\x00\x00\x00".to_vec();
    // The checksums were computed by another program's CRC-32.
    for field in [16u32, 1, 0, 0, 0x4929_92ea, 0, 0, 0xb744_87ca] {
        expected.extend(field.to_le_bytes());
    }
    expected.extend([4, 3, 2, 1, 0x01, 0x80]);
    expected.extend([0; 30]);
    assert_eq!(index.save(), expected);
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn removed_vectors_are_not_in_the_bytes() {
    let mut index = sample(Mode::Hnsw);
    let vector = Random::new(63).direction(18);
    index.add(300, &vector).unwrap();
    index.seal();
    let stored: Vec<u8> = vector
        .iter()
        .flat_map(|x| ((x * 32_767.0).round() as i16).to_le_bytes())
        .collect();
    let holds = |bytes: &[u8]| bytes.windows(stored.len()).any(|w| w == stored);
    assert!(holds(&index.save()));
    index.remove(300);
    assert!(index.stats().n_sealed_gaps > 0);
    assert!(!holds(&index.save()));
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn a_lost_graph_costs_the_graph_only() {
    let index = sample(Mode::Hnsw);
    let bytes = index.save();
    let graph_bytes = u32::from_le_bytes(bytes[20..24].try_into().unwrap()) as usize;
    let rows_end = bytes.len() - graph_bytes;
    assert!(graph_bytes > 1_000, "{graph_bytes}");
    let mut scanned = sample(Mode::Hnsw);
    scanned.compact();
    assert_eq!(scanned.stats().n_sealed, 0);
    let expected = answers(&scanned);
    let check = |bytes: &[u8]| {
        let mut loaded = VectorIndex::load(bytes).unwrap();
        let stats = loaded.stats();
        assert!(stats.has_lost_graph);
        assert_eq!((stats.n_sealed, stats.n_gaps, loaded.len()), (0, 0, LIVE));
        assert_eq!(answers(&loaded), expected);
        assert_eq!(loaded.seal(), LIVE);
        assert!(!loaded.stats().has_lost_graph);
    };
    for cut in [rows_end, rows_end + 1, bytes.len() - 1] {
        check(&bytes[..cut]);
    }
    for at in (rows_end..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        check(&damaged);
    }
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn cut_bytes_are_errors() {
    for mode in [Mode::Scan, Mode::Hnsw] {
        let bytes = sample(mode).save();
        let graph_bytes = u32::from_le_bytes(bytes[20..24].try_into().unwrap()) as usize;
        for cut in 0..bytes.len() - graph_bytes {
            let error = VectorIndex::load(&bytes[..cut]).err().unwrap();
            match error {
                LoadError::NotAnIndex => assert!(cut < 4),
                LoadError::WrongLength { found, .. } => assert_eq!(found, cut as u64),
                other => panic!("{cut}: {other:?}"),
            }
        }
        let mut longer = bytes.clone();
        longer.push(0);
        let (expected, found) = (bytes.len() as u64, bytes.len() as u64 + 1);
        let wrong = LoadError::WrongLength { expected, found };
        assert_eq!(VectorIndex::load(&longer).err(), Some(wrong));
    }
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn every_flipped_bit_is_noticed() {
    let index = sample(Mode::Hnsw);
    let bytes = index.save();
    let graph_bytes = u32::from_le_bytes(bytes[20..24].try_into().unwrap()) as usize;
    for at in 0..bytes.len() - graph_bytes {
        // All bits of the header and the gaps, one of each byte of the rows.
        let bits = if at < 100 { 0..8 } else { at % 8..at % 8 + 1 };
        for bit in bits {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let error = VectorIndex::load(&damaged).err().unwrap();
            match at {
                0..4 => assert_eq!(error, LoadError::NotAnIndex),
                4..6 => assert!(matches!(error, LoadError::UnsupportedVersion(_))),
                6..HEADER_BYTES => assert_eq!(error, LoadError::CorruptHeader),
                _ => assert_eq!(error, LoadError::CorruptRows),
            }
        }
    }
}

/// Damage behind right checksums: whatever loads can be searched, saved and sealed without a panic.
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn forged_bytes_never_panic() {
    let mut random = Random::new(64);
    let bytes = sample(Mode::Hnsw).save();
    let graph_bytes = u32::from_le_bytes(bytes[20..24].try_into().unwrap()) as usize;
    let rows_end = bytes.len() - graph_bytes;
    let (mut n_refused, mut n_lost, mut n_walked) = (0, 0, 0);
    for round in 0..6_000 {
        let mut forged = bytes.clone();
        let range = match round % 3 {
            0 => 6..HEADER_BYTES,
            1 => HEADER_BYTES..rows_end,
            _ => rows_end..bytes.len(),
        };
        for _ in 0..1 + random.below(3) {
            let at = range.start + random.below(range.len());
            forged[at] = match random.below(4) {
                0 => 0,
                1 => 0xff,
                2 => forged[at] ^ 1 << random.below(8),
                _ => random.next() as u8,
            };
        }
        if random.below(8) == 0 {
            forged.truncate(random.below(bytes.len()));
        }
        match VectorIndex::load(&signed(forged)) {
            Err(_) => n_refused += 1,
            Ok(mut index) => {
                if index.stats().has_lost_graph {
                    n_lost += 1;
                } else {
                    n_walked += 1;
                }
                let query = vec![1.0; index.config().dimensions];
                assert!(index.search_all(&query, 7).unwrap().len() <= 7);
                assert!(VectorIndex::load(&index.save()).is_ok());
                if round % 50 == 0 {
                    index.seal();
                    index.search_all(&query, 7).unwrap();
                }
            }
        }
    }
    assert!(
        n_refused > 500 && n_lost > 100 && n_walked > 100,
        "the forgeries no longer reach every part: {n_refused} {n_lost} {n_walked}"
    );
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn forged_rows_are_refused() {
    let bytes = sample(Mode::Hnsw).save();
    let ids = HEADER_BYTES + SEALED.div_ceil(8);
    let vectors = ids + 4 * LIVE;
    let forge = |at: usize, bytes_there: &[u8]| {
        let mut forged = bytes.clone();
        forged[at..at + bytes_there.len()].copy_from_slice(bytes_there);
        VectorIndex::load(&signed(forged)).err()
    };
    let corrupt = Some(LoadError::CorruptRows);
    // Not of unit length: too long, for which inner products could overflow, and zero.
    assert_eq!(forge(vectors, &[0x00, 0x80].repeat(18)), corrupt);
    assert_eq!(forge(vectors + 36, &[0; 36]), corrupt);
    // An id twice.
    assert_eq!(forge(ids, &bytes[ids + 4..ids + 8]), corrupt);
    // More gaps than rows.
    assert_eq!(forge(HEADER_BYTES, &vec![0; SEALED.div_ceil(8)]), corrupt);
    // More live among the sealed than at all.
    assert!(forge(12, &100u32.to_le_bytes()).is_some());
}

/// A search enters each layer with the points of the one above; one that lacks them would be read beyond its end.
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn forged_layers_are_refused() {
    let bytes = sample(Mode::Hnsw).save();
    let graph_bytes = u32::from_le_bytes(bytes[20..24].try_into().unwrap()) as usize;
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut at = bytes.len() - graph_bytes;
    let n_points = number(at);
    at += 4 + 4 * n_points as usize;
    assert_eq!(number(at), n_points);
    at += 4;
    for _ in 0..n_points {
        at += 1 + 4 * usize::from(bytes[at]);
    }
    assert_eq!(number(at), 1, "one layer above the lowest");
    let n_nodes = number(at + 4);
    assert!((1..n_points).contains(&n_nodes));
    for length in [0, n_points + 1, n_nodes + 1, n_nodes - 1, u32::MAX] {
        let mut forged = bytes.clone();
        forged[at + 4..at + 8].copy_from_slice(&length.to_le_bytes());
        let loaded = VectorIndex::load(&signed(forged)).unwrap();
        assert!(loaded.stats().has_lost_graph, "{length}");
    }
    // An empty layer in place of the last, with nothing left over.
    let mut forged = bytes[..at + 4].to_vec();
    let mut end = at + 8;
    for _ in 0..n_nodes {
        end += 1 + 4 * usize::from(bytes[end]);
    }
    forged.extend([0; 4]);
    forged.extend(&bytes[end..]);
    let n_graph_bytes = (graph_bytes - (bytes.len() - forged.len())) as u32;
    forged[20..24].copy_from_slice(&n_graph_bytes.to_le_bytes());
    let loaded = VectorIndex::load(&signed(forged)).unwrap();
    assert!(loaded.stats().has_lost_graph);
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn forged_sizes_reserve_nothing() {
    let bytes = sample(Mode::Hnsw).save();
    // Live rows, sealed rows, bytes of the graph: far more than there are.
    for at in [12, 16, 20] {
        for value in [u32::MAX, 1 << 31, 1 << 24] {
            let mut forged = bytes.clone();
            forged[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let loaded = VectorIndex::load(&signed(forged));
            match loaded {
                Err(error) => assert!(matches!(
                    error,
                    LoadError::WrongLength { .. } | LoadError::CorruptHeader
                )),
                // A graph that claims to go on where the bytes end.
                Ok(index) => assert!(at == 20 && index.len() == LIVE),
            }
        }
    }
}
