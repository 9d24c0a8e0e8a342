//! Where the vectors are: rows that are appended, wiped and compacted.
//!
//! A row holds a unit vector as i16 ([`kernel::ONE`] for 1.0) and its 1-bit code: bit i set where component i is positive.
//! Codes lie in blocks of 16 rows, byte j of the 16 codes side by side, as [`kernel::lut16`] reads them.
//! Components are padded with zeros to a multiple of [`LANE`]; the padding never counts.
//!
//! A removed row stays as a wiped gap, because a sealed graph names rows, until [`Arena::compact`].

use std::collections::HashMap;

use super::bitmap::Bitmap;
use super::kernel::{self, LANE};

/// Rows of one allocation. Appending to one great vector would copy everything at each growth and, in wasm, whose memory
/// never shrinks, keep up to three times the size. 1,024 rows of 384 components are 768 kB.
const CHUNK_ROWS: usize = 1024;

pub(crate) struct Arena {
    dimensions: usize,
    /// Components of a row with padding.
    stride: usize,
    /// Rows in chunks of [`CHUNK_ROWS`].
    chunks: Vec<Vec<i16>>,
    /// Sign codes in blocks of 16 rows.
    codes: Vec<u8>,
    /// The external id of each row; 0 where wiped.
    ids: Vec<u32>,
    live: Bitmap,
    rows_by_id: HashMap<u32, u32>,
    /// For each component, in how many live rows it is positive.
    positives: Vec<u32>,
}

impl Arena {
    pub(crate) fn new(dimensions: usize) -> Arena {
        Arena {
            dimensions,
            stride: dimensions.next_multiple_of(LANE),
            chunks: Vec::new(),
            codes: Vec::new(),
            ids: Vec::new(),
            live: Bitmap::default(),
            rows_by_id: HashMap::new(),
            positives: vec![0; dimensions],
        }
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Components of a row with padding.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Rows, wiped ones included.
    pub(crate) fn rows(&self) -> usize {
        self.ids.len()
    }

    /// Rows that hold a vector.
    pub(crate) fn len(&self) -> usize {
        self.rows_by_id.len()
    }

    pub(crate) fn live(&self) -> &Bitmap {
        &self.live
    }

    pub(crate) fn row_of(&self, id: u32) -> Option<u32> {
        self.rows_by_id.get(&id).copied()
    }

    /// Of a live row.
    pub(crate) fn id(&self, row: u32) -> u32 {
        self.ids[row as usize]
    }

    #[inline(always)]
    pub(crate) fn vector(&self, row: u32) -> &[i16] {
        let row = row as usize;
        let start = row % CHUNK_ROWS * self.stride;
        &self.chunks[row / CHUNK_ROWS][start..start + self.stride]
    }

    fn vector_mut(&mut self, row: u32) -> &mut [i16] {
        let row = row as usize;
        let start = row % CHUNK_ROWS * self.stride;
        &mut self.chunks[row / CHUNK_ROWS][start..start + self.stride]
    }

    fn code_bytes(&self) -> usize {
        self.stride / 8
    }

    /// The codes of rows `16 * block..16 * block + 16`.
    #[inline(always)]
    pub(crate) fn code_block(&self, block: usize) -> &[u8] {
        let size = 16 * self.code_bytes();
        &self.codes[block * size..][..size]
    }

    /// How many bits of a code tell rows apart: Σ 4·p·(1 − p) over the components, p being the share of live rows where it
    /// is positive. A component that always has the same sign counts 0, one of even chances 1.
    pub(crate) fn telling_bits(&self) -> f32 {
        let n_rows = self.len().max(1) as f32;
        let share = self.positives.iter().map(|&count| count as f32 / n_rows);
        share.map(|p| 4.0 * p * (1.0 - p)).sum()
    }

    /// Bytes held for vectors, codes and the maps of ids.
    pub(crate) fn bytes(&self) -> usize {
        let vectors: usize = self.chunks.iter().map(|chunk| chunk.capacity() * 2).sum();
        // An entry of the map is two u32 and a control byte.
        vectors + self.codes.capacity() + self.ids.capacity() * 4 + self.rows_by_id.capacity() * 9
    }

    /// Appends a row. `unit` has the padded length and unit length; `id` is not in use.
    pub(crate) fn push(&mut self, id: u32, unit: &[i16]) {
        debug_assert_eq!(unit.len(), self.stride);
        debug_assert!(!self.rows_by_id.contains_key(&id));
        let row = self.push_gap();
        self.ids[row as usize] = id;
        self.live.insert(row);
        self.rows_by_id.insert(id, row);
        self.write(row, unit);
        self.count_signs(row, |count| *count += 1);
    }

    /// Appends a wiped row: what a removed row of a sealed graph is read back as.
    pub(crate) fn push_gap(&mut self) -> u32 {
        let row = self.rows();
        if row.is_multiple_of(CHUNK_ROWS) {
            let capacity = if row == 0 {
                0
            } else {
                CHUNK_ROWS * self.stride
            };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        let chunk = &mut self.chunks[row / CHUNK_ROWS];
        chunk.resize(chunk.len() + self.stride, 0);
        if row.is_multiple_of(16) {
            self.codes
                .resize(self.codes.len() + 16 * self.stride / 8, 0);
        }
        self.ids.push(0);
        self.live.grow(row + 1);
        row as u32
    }

    /// Wipes a live row: nothing of its vector, code and id is left.
    pub(crate) fn wipe(&mut self, row: u32) {
        debug_assert!(self.live.contains(row));
        self.count_signs(row, |count| *count -= 1);
        let id = std::mem::take(&mut self.ids[row as usize]);
        self.rows_by_id.remove(&id);
        self.live.remove(row);
        let stride = self.stride;
        self.write(row, &vec![0; stride]);
    }

    /// Exchanges the ids of two live rows.
    pub(crate) fn exchange_ids(&mut self, a: u32, b: u32) {
        self.ids.swap(a as usize, b as usize);
        for row in [a, b] {
            self.rows_by_id.insert(self.ids[row as usize], row);
        }
    }

    /// Drops the wiped rows; the others keep ids and order, and get new row numbers.
    pub(crate) fn compact(&mut self) {
        let live: Vec<u32> = self.live.iter().collect();
        let mut vector = vec![0; self.stride];
        for (to, &from) in (0u32..).zip(&live) {
            if to != from {
                vector.copy_from_slice(self.vector(from));
                self.write(to, &vector);
                let id = self.ids[from as usize];
                self.ids[to as usize] = id;
                self.rows_by_id.insert(id, to);
                self.live.insert(to);
            }
        }
        self.truncate(live.len());
    }

    fn truncate(&mut self, rows: usize) {
        // What is cut off is wiped as well: a chunk or a block may go on to be used.
        for row in rows..self.rows() {
            let stride = self.stride;
            self.write(row as u32, &vec![0; stride]);
        }
        self.ids.truncate(rows);
        self.live.truncate(rows);
        self.chunks.truncate(rows.div_ceil(CHUNK_ROWS));
        if let (Some(last), false) = (self.chunks.last_mut(), rows.is_multiple_of(CHUNK_ROWS)) {
            last.truncate(rows % CHUNK_ROWS * self.stride);
        }
        self.codes
            .truncate(rows.div_ceil(16) * 16 * self.code_bytes());
    }

    fn write(&mut self, row: u32, vector: &[i16]) {
        self.vector_mut(row).copy_from_slice(vector);
        let code_bytes = self.code_bytes();
        let start = row as usize / 16 * 16 * code_bytes + row as usize % 16;
        for (j, eight) in vector.chunks_exact(8).enumerate() {
            let bit = |(i, &x): (usize, &i16)| u8::from(x > 0) << i;
            self.codes[start + 16 * j] = eight.iter().enumerate().map(bit).sum();
        }
    }

    fn count_signs(&mut self, row: u32, change: impl Fn(&mut u32)) {
        let row = row as usize;
        let start = row % CHUNK_ROWS * self.stride;
        let vector = &self.chunks[row / CHUNK_ROWS][start..];
        for (count, &x) in self.positives.iter_mut().zip(vector) {
            if x > 0 {
                change(count);
            }
        }
    }
}

/// The stored form of a unit vector, padded.
pub(crate) fn to_row(unit: &[f32]) -> Vec<i16> {
    let mut row: Vec<i16> = unit
        .iter()
        .map(|x| (x * kernel::ONE).round() as i16)
        .collect();
    row.resize(unit.len().next_multiple_of(LANE), 0);
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::random::Random;

    fn check(arena: &Arena, expected: &[(u32, Vec<i16>)]) {
        assert_eq!(arena.len(), expected.len());
        assert_eq!(arena.live().count(), expected.len());
        for (id, vector) in expected {
            let row = arena.row_of(*id).unwrap();
            assert_eq!(arena.id(row), *id);
            assert_eq!(arena.vector(row), vector);
        }
        let mut positives = vec![0; arena.dimensions];
        for row in 0..arena.rows() as u32 {
            let block = arena.code_block(row as usize / 16);
            for (i, &x) in arena.vector(row).iter().enumerate() {
                let bit = block[16 * (i / 8) + row as usize % 16] >> (i % 8) & 1;
                assert_eq!(bit == 1, x > 0);
                assert!(
                    x == 0 || arena.live().contains(row),
                    "a wiped row holds data"
                );
                if x > 0 {
                    positives[i] += 1;
                }
            }
        }
        assert_eq!(arena.positives, positives);
    }

    #[test]
    fn rows_survive_wiping_and_compaction() {
        let mut random = Random::new(21);
        let mut arena = Arena::new(20);
        let mut expected: Vec<(u32, Vec<i16>)> = Vec::new();
        for id in 0..2_500u32 {
            let row = to_row(&random.direction(20));
            assert_eq!(row.len(), 32);
            arena.push(id * 7, &row);
            expected.push((id * 7, row));
        }
        check(&arena, &expected);
        let mut wiped = 0;
        expected.retain(|(id, _)| {
            let goes = random.below(3) == 0;
            if goes {
                arena.wipe(arena.row_of(*id).unwrap());
                wiped += 1;
            }
            !goes
        });
        assert!(wiped > 500);
        check(&arena, &expected);
        assert_eq!(arena.rows(), 2_500);
        arena.compact();
        check(&arena, &expected);
        assert_eq!(arena.rows(), 2_500 - wiped);
        for id in 0..100u32 {
            let row = to_row(&random.direction(20));
            arena.push(1_000_000 + id, &row);
            expected.push((1_000_000 + id, row));
        }
        check(&arena, &expected);
    }

    #[test]
    fn telling_bits_count_components_of_both_signs() {
        let mut arena = Arena::new(16);
        for id in 0..8u32 {
            let mut vector = vec![0.25f32; 16];
            vector[0] = if id.is_multiple_of(2) { 0.25 } else { -0.25 };
            vector[1] = if id.is_multiple_of(4) { 0.25 } else { -0.25 };
            arena.push(id, &to_row(&vector));
        }
        // 1 for even chances, 4 · ¼ · ¾ for one in four, nothing for the rest.
        assert!((arena.telling_bits() - 1.75).abs() < 1e-6);
    }
}
