//! Saved indexes: read back, cut off, damaged. `format_parts` is the same by parts.

use super::random::Random;
use crate::index::{IndexConfig, LoadError, Metric, Mode, Part, Precision, VectorIndex};

const SEALED: usize = 140;
/// Three of the sealed are removed; of two newer ones one.
const LIVE: usize = SEALED - 3 + 1;
/// Parts of rows: 142 rows, 64 a part.
const N_PARTS: usize = 3;

/// An index with a graph of two layers, two twins in it, newer rows and labels.
fn sample(mode: Mode) -> VectorIndex {
    let vectors = Random::new(61).clustered(SEALED + 2, 18, 3, 0.6);
    let mut index = VectorIndex::new(IndexConfig {
        mode,
        ..IndexConfig::new(18)
    });
    for (id, vector) in (100..).zip(&vectors[..SEALED]) {
        let vector = if id == 120 { &vectors[5] } else { vector };
        index.add_labelled(id, vector, &[id % 3, 70]).unwrap();
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

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Where each part of a file begins and ends, as its lengths say: the head, the rows, the graph.
fn places(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while at + 4 <= bytes.len() {
        let length = number(bytes, at);
        // Compared this way round, because a forged length may be near the end of 32 bits.
        if length > bytes.len() - at - 4 {
            break;
        }
        let end = at + 4 + length;
        places.push(at + 4..end);
        at = end;
    }
    places
}

const GRAPH_CRC: usize = 28;
const ROWS_CRC: usize = 32;

/// The bytes with their checksums put right, so that damage gets past them.
fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
    let places = places(&bytes);
    let Some(head) = places.first().filter(|head| head.len() > ROWS_CRC + 4) else {
        return bytes;
    };
    let n_parts = (head.len() - ROWS_CRC - 4) / 4;
    let crcs: Vec<u32> = places
        .iter()
        .map(|p| crc32fast::hash(&bytes[p.clone()]))
        .collect();
    let mut put = |at: usize, crc: u32| {
        bytes[head.start + at..][..4].copy_from_slice(&crc.to_le_bytes());
    };
    for (n, crc) in crcs[1..].iter().take(n_parts).enumerate() {
        put(ROWS_CRC + 4 * n, *crc);
    }
    if let Some(crc) = crcs.get(1 + n_parts) {
        put(GRAPH_CRC, *crc);
    }
    let head_crc = crc32fast::hash(&bytes[head.start..head.end - 4]);
    bytes[head.end - 4..head.end].copy_from_slice(&head_crc.to_le_bytes());
    bytes
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn an_index_comes_back_as_it_was() {
    for mode in [Mode::Scan, Mode::Hnsw] {
        let mut index = sample(mode);
        let bytes = index.save();
        let mut loaded = VectorIndex::load(&bytes).unwrap();
        assert_eq!(loaded.config(), index.config());
        assert_eq!(answers(&loaded), answers(&index));
        assert_eq!(loaded.save(), bytes);
        assert_eq!(signed(bytes.clone()), bytes, "the test's own checksums");
        let stats = loaded.stats();
        assert_eq!((stats.n_vectors, stats.has_lost_graph), (LIVE, false));
        assert_eq!(stats.n_gaps, 4);
        assert_eq!(
            stats.n_sealed,
            if mode == Mode::Hnsw { SEALED - 3 } else { 0 }
        );
    }
    let mut empty = VectorIndex::new(IndexConfig::new(16));
    assert!(VectorIndex::load(&empty.save()).unwrap().is_empty());
}

/// Pinned: other versions of this code must go on reading it.
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn the_bytes_of_version_2() {
    let mut index = VectorIndex::new(IndexConfig {
        metric: Metric::Euclidean,
        precision: Precision::Compact,
        ..IndexConfig::new(16)
    });
    let mut vector = [0.0; 16];
    vector[0] = -2.0;
    vector[15] = 0.5;
    index.add_labelled(0x0102_0304, &vector, &[9, 7]).unwrap();
    let mut rows = vec![1, 0, 0, 0, 0, 0, 0, 0];
    rows.extend([4, 3, 2, 1]);
    rows.extend(4.25f32.sqrt().to_le_bytes());
    rows.extend([2, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0]);
    rows.extend([0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32]);
    let mut head = b"onvx\x02\x00\x00\x02\x01\x00\x00\x00".to_vec();
    // The checksums were computed by another program's CRC-32.
    for field in [16u32, 1, 0, 0, 0, 0xd40281f7, 0x93f92510] {
        head.extend(field.to_le_bytes());
    }
    let mut expected = (head.len() as u32).to_le_bytes().to_vec();
    expected.extend(head);
    expected.extend((rows.len() as u32).to_le_bytes());
    expected.extend(rows);
    assert_eq!(index.save(), expected);
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn removed_vectors_are_not_in_the_bytes() {
    let mut index = sample(Mode::Hnsw);
    let vector = Random::new(63).direction(18);
    index.add(300, &vector).unwrap();
    index.seal();
    let greatest = vector.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let stored: Vec<u8> = vector
        .iter()
        .flat_map(|x| ((x * (32_767.0 / greatest)).round() as i16).to_le_bytes())
        .collect();
    let holds = |bytes: &[u8]| bytes.windows(stored.len()).any(|w| w == stored);
    assert!(holds(&index.save()));
    index.take_changes();
    index.remove(300);
    assert!(index.stats().n_sealed_gaps > 0);
    assert!(!holds(&index.save()));
    // And the part that holds it is written anew.
    let changes = index.take_changes();
    let keys: Vec<&str> = changes.iter().map(|part| part.key.as_str()).collect();
    assert_eq!(keys, ["rows-00000002", "head"]);
    assert!(
        changes
            .iter()
            .all(|part| !holds(part.bytes.as_ref().unwrap()))
    );
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn a_lost_graph_costs_the_graph_only() {
    let mut index = sample(Mode::Hnsw);
    let bytes = index.save();
    let graph = places(&bytes).pop().unwrap();
    assert!(graph.len() > 1_000, "{graph:?}");
    let expected = answers(&index);
    let check = |bytes: &[u8]| {
        let mut loaded = VectorIndex::load(bytes).unwrap();
        let stats = loaded.stats();
        assert!(stats.has_lost_graph);
        assert_eq!((stats.n_sealed, loaded.len()), (0, LIVE));
        assert_eq!(answers(&loaded), expected);
        assert_eq!(loaded.seal(), LIVE);
        assert!(!loaded.stats().has_lost_graph);
    };
    for cut in [
        graph.start - 4,
        graph.start - 1,
        graph.start,
        bytes.len() - 1,
    ] {
        check(&bytes[..cut]);
    }
    for at in graph.step_by(97) {
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
        let end = places(&bytes)[N_PARTS].end;
        for cut in 0..end {
            let error = VectorIndex::load(&bytes[..cut]).err().unwrap();
            let is_length =
                matches!(error, LoadError::WrongLength { found, .. } if found == cut as u64);
            assert!(is_length, "{cut}: {error:?}");
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
    let bytes = sample(Mode::Hnsw).save();
    let places = places(&bytes);
    for at in 0..places[N_PARTS].end {
        // All bits of the head, one of each byte of the rows.
        let in_head = at < places[0].end;
        for bit in if in_head { 0..8 } else { at % 8..at % 8 + 1 } {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let error = VectorIndex::load(&damaged).err().unwrap();
            let is_length = !places.iter().any(|place| place.contains(&at));
            match at {
                _ if is_length => {}
                4..8 => assert_eq!(error, LoadError::NotAnIndex),
                8..10 => assert!(matches!(error, LoadError::UnsupportedVersion(_))),
                _ if in_head => assert_eq!(error, LoadError::CorruptHead),
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
    let places = places(&bytes);
    let (mut n_refused, mut n_lost, mut n_walked) = (0, 0, 0);
    for round in 0..6_000 {
        let mut forged = bytes.clone();
        let place = places[round % places.len()].clone();
        for _ in 0..1 + random.below(3) {
            let at = place.start + random.below(place.len());
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
    let rows = places(&bytes)[1].clone();
    // Three of the first 64 rows are gaps.
    let n_live = 61;
    let ids = rows.start + 8;
    let vectors = rows.end - n_live * 36;
    let forge = |at: usize, bytes_there: &[u8]| {
        let mut forged = bytes.clone();
        forged[at..at + bytes_there.len()].copy_from_slice(bytes_there);
        VectorIndex::load(&signed(forged)).err()
    };
    let corrupt = Some(LoadError::CorruptRows);
    // Not scaled: a component of -32,768, with which inner products could overflow, and zero.
    assert_eq!(forge(vectors, &[0x00, 0x80].repeat(18)), corrupt);
    assert_eq!(forge(vectors + 36, &[0; 36]), corrupt);
    // An id twice.
    assert_eq!(forge(ids, &bytes[ids + 4..ids + 8]), corrupt);
    // More live rows than there are vectors for.
    assert_eq!(forge(rows.start, &[0xff; 8]), corrupt);
    // A label twice.
    let labels = ids + 4 * n_live;
    assert_eq!(number(&bytes, labels), 2);
    assert_eq!(forge(labels + 4, &70u32.to_le_bytes()), corrupt);
}

/// A search enters each layer with the points of the one above; one that lacks them would be read beyond its end.
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn forged_layers_are_refused() {
    let bytes = sample(Mode::Hnsw).save();
    let graph = places(&bytes).pop().unwrap();
    let mut at = graph.start;
    let n_points = number(&bytes, at);
    at += 4 + 4 * n_points;
    assert_eq!(number(&bytes, at), n_points);
    at += 4;
    for _ in 0..n_points {
        at += 1 + 4 * usize::from(bytes[at]);
    }
    assert_eq!(number(&bytes, at), 1, "one layer above the lowest");
    let n_nodes = number(&bytes, at + 4);
    assert!((1..n_points).contains(&n_nodes));
    for length in [0, n_points + 1, n_nodes + 1, n_nodes - 1, u32::MAX as usize] {
        let mut forged = bytes.clone();
        forged[at + 4..at + 8].copy_from_slice(&(length as u32).to_le_bytes());
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
    let n_graph_bytes = (forged.len() - graph.start) as u32;
    forged[graph.start - 4..graph.start].copy_from_slice(&n_graph_bytes.to_le_bytes());
    let loaded = VectorIndex::load(&signed(forged)).unwrap();
    assert!(loaded.stats().has_lost_graph);
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn forged_sizes_reserve_nothing() {
    let bytes = sample(Mode::Hnsw).save();
    // Rows, sealed rows, the length of the second part.
    let second = places(&bytes)[0].end;
    for at in [4 + 16, 4 + 24, second] {
        for value in [u32::MAX, 1 << 31, 1 << 24] {
            let mut forged = bytes.clone();
            forged[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let error = VectorIndex::load(&signed(forged)).err().unwrap();
            let is_typed = matches!(
                error,
                LoadError::WrongLength { .. } | LoadError::CorruptHead
            );
            assert!(is_typed, "{at}: {error:?}");
        }
    }
}

#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn only_what_changed_is_written() {
    let vectors = Random::new(65).clustered(300, 18, 3, 0.6);
    let mut index = sample(Mode::Hnsw);
    let keys = |parts: &[Part]| -> Vec<String> {
        let name = |part: &Part| match part.bytes {
            Some(_) => part.key.clone(),
            None => format!("-{}", part.key),
        };
        parts.iter().map(name).collect()
    };
    let all = index.take_changes();
    let rows = ["rows-00000000", "rows-00000001", "rows-00000002"];
    assert_eq!(keys(&all), [&rows[..], &["graph", "head"]].concat());
    assert_eq!(keys(&index.take_changes()), [""; 0]);
    index.add(3_000, &vectors[0]).unwrap();
    assert_eq!(keys(&index.take_changes()), ["rows-00000002", "head"]);
    index.remove(110);
    assert_eq!(keys(&index.take_changes()), ["rows-00000000", "head"]);
    for (id, vector) in (4_000..).zip(&vectors) {
        index.add(id, vector).unwrap();
    }
    index.take_changes();
    (4_000..4_300).for_each(|id| assert!(index.remove(id)));
    index.compact();
    let gone = [
        "-rows-00000003",
        "-rows-00000004",
        "-rows-00000005",
        "-rows-00000006",
    ];
    let changes = keys(&index.take_changes());
    assert_eq!(changes, [&gone[..], &rows, &["-graph", "head"]].concat());
}

/// Parts that do not belong together: an older one, one that is missing, another index's.
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn parts_of_different_times_are_refused() {
    let mut index = sample(Mode::Hnsw);
    let old = index.take_changes();
    assert!(VectorIndex::from_parts(&old).is_ok());
    index.remove(110);
    let mut mixed = old.clone();
    // The new head without the new rows.
    mixed.push(index.take_changes().pop().unwrap());
    assert_eq!(
        VectorIndex::from_parts(&mixed).err(),
        Some(LoadError::CorruptRows)
    );
    for missing in 0..old.len() {
        let mut parts = old.clone();
        let gone = parts.remove(missing);
        let loaded = VectorIndex::from_parts(&parts);
        match gone.key.as_str() {
            "head" => assert_eq!(loaded.err(), Some(LoadError::NotAnIndex)),
            "graph" => {
                let mut loaded = loaded.unwrap();
                assert!(loaded.stats().has_lost_graph);
                // The next time it is written as an index without a graph.
                let keys: Vec<_> = loaded.take_changes().into_iter().map(|p| p.key).collect();
                assert_eq!(keys, ["graph", "head"]);
            }
            _ => assert_eq!(loaded.err(), Some(LoadError::CorruptRows)),
        }
    }
}

/// The gaps of a saved index are bounded by its rows.
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_family = "wasm"), test)]
fn an_index_that_is_nearly_all_gaps_is_compacted_when_saved() {
    let vectors = Random::new(66).clustered(1_500, 18, 3, 0.6);
    let mut index = VectorIndex::new(IndexConfig::new(18));
    for (id, vector) in (0..).zip(&vectors) {
        index.add(id, vector).unwrap();
    }
    index.take_changes();
    (10..1_500).for_each(|id| assert!(index.remove(id)));
    let parts = index.take_changes();
    assert_eq!(index.stats().n_gaps, 0);
    let gone = parts.iter().filter(|part| part.bytes.is_none()).count();
    assert_eq!((gone, index.len()), (1_500usize.div_ceil(64) - 1, 10));
}
