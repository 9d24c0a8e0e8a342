//! Where the vectors are: rows that are appended, wiped and compacted.
//!
//! A row holds the direction of its vector ([`Components`]), its 1-bit code (bit i set where component i is positive), the
//! lift of its code, its id, its labels and, where the metric asks for it, its vector's length.
//! Codes lie in blocks of 32 rows, byte j of the 32 codes side by side, as [`kernel::estimate`] reads them.
//! Components are padded with zeros to a multiple of [`LANE`]; the padding never counts.
//!
//! A removed row stays as a wiped gap, because a sealed graph and saved parts name rows, until [`Arena::compact`].

use hashbrown::HashTable;

use super::bitmap::Bitmap;
use super::kernel::{BLOCK_ROWS, LANE, Survey};
use super::labels::Labels;
use super::positives::Positives;
use super::query::Query;
use super::row::{Components, Lift, Row, Rows};
use super::{IndexConfig, Metric};

/// Rows of one allocation. Appending to one great vector would copy everything at each growth and, in wasm, whose memory
/// never shrinks, keep up to three times the size. 256 rows of 384 components are about 210 kB.
pub(crate) const CHUNK_ROWS: usize = 256;

/// Rows that are saved together: what an insert makes a host write again is at most so many.
pub(crate) const PART_ROWS: usize = 64;

struct Chunk {
    rows: Rows,
    /// Sign codes in blocks of [`BLOCK_ROWS`].
    codes: Box<[u8]>,
    /// See [`Lift`]; 0 where wiped.
    lifts: Box<[i16]>,
    /// 0 where wiped.
    ids: Box<[u32]>,
    /// Lengths of the vectors, for metrics in which they count.
    lengths: Option<Box<[f32]>>,
}

pub(crate) struct Arena {
    config: IndexConfig,
    /// Components of a row with padding.
    stride: usize,
    chunks: Vec<Chunk>,
    n_rows: usize,
    live: Bitmap,
    /// Live rows by the hash of their ids.
    rows_by_id: HashTable<u32>,
    labels: Labels,
    /// For each component, in how many live rows it is positive.
    positives: Positives,
    /// The code of the row that is being appended.
    code: Vec<u8>,
    /// Numbers of the parts of [`PART_ROWS`] rows that changed since [`Arena::take_changed`].
    changed: Bitmap,
}

impl Arena {
    pub(crate) fn new(config: &IndexConfig) -> Arena {
        Arena {
            config: config.clone(),
            stride: config.dimensions.next_multiple_of(LANE),
            chunks: Vec::new(),
            n_rows: 0,
            live: Bitmap::default(),
            rows_by_id: HashTable::new(),
            labels: Labels::default(),
            positives: Positives::new(config.dimensions),
            code: vec![0; config.dimensions.next_multiple_of(LANE) / 8],
            changed: Bitmap::default(),
        }
    }

    pub(crate) fn config(&self) -> &IndexConfig {
        &self.config
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.config.dimensions
    }

    /// Rows, wiped ones included.
    pub(crate) fn rows(&self) -> usize {
        self.n_rows
    }

    /// Rows that hold a vector.
    pub(crate) fn len(&self) -> usize {
        self.rows_by_id.len()
    }

    pub(crate) fn live(&self) -> &Bitmap {
        &self.live
    }

    pub(crate) fn labels(&self) -> &Labels {
        &self.labels
    }

    pub(crate) fn labels_mut(&mut self) -> &mut Labels {
        &mut self.labels
    }

    pub(crate) fn row_of(&self, id: u32) -> Option<u32> {
        let found = self.rows_by_id.find(hash(id), |&row| self.id(row) == id);
        found.copied()
    }

    /// Of a live row.
    pub(crate) fn id(&self, row: u32) -> u32 {
        self.chunk(row).ids[place(row)]
    }

    #[inline(always)]
    fn chunk(&self, row: u32) -> &Chunk {
        &self.chunks[row as usize / CHUNK_ROWS]
    }

    /// The row as it is stored.
    pub(crate) fn components(&self, row: u32) -> Components {
        self.chunk(row)
            .rows
            .get(place(row), self.stride, self.config.dimensions)
    }

    /// The row's direction.
    pub(crate) fn unit(&self, row: u32) -> Vec<f32> {
        self.components(row).decode()
    }

    /// Reads every vector once, which drives everything else out of the processor's cache, provided there are more vectors
    /// than it holds.
    pub(crate) fn read_all(&self) {
        let sums = self.chunks.iter().map(|chunk| chunk.rows.touch());
        std::hint::black_box(sums.fold(0u32, u32::wrapping_add));
    }

    /// The length of the row's vector; 1 where lengths do not count.
    pub(crate) fn length(&self, row: u32) -> f32 {
        match &self.chunk(row).lengths {
            Some(lengths) => lengths[place(row)],
            None => 1.0,
        }
    }

    /// Codes and lifts of rows `BLOCK_ROWS * block..BLOCK_ROWS * (block + 1)`; those past the end are 0.
    #[inline(always)]
    pub(crate) fn code_block(&self, block: usize) -> (&[u8], &[i16; BLOCK_ROWS]) {
        const BLOCKS: usize = CHUNK_ROWS / BLOCK_ROWS;
        let chunk = &self.chunks[block / BLOCKS];
        let size = BLOCK_ROWS * self.stride / 8;
        let codes = &chunk.codes[block % BLOCKS * size..][..size];
        (codes, &chunk.lifts.as_chunks().0[block % BLOCKS])
    }

    /// The cosine of a row with the query.
    #[inline(always)]
    pub(crate) fn cosine(&self, row: u32, query: &Query) -> f32 {
        let rows = &self.chunk(row).rows;
        rows.cosine(place(row), query)
    }

    /// How near a row is to the query, greater being nearer: [`Metric`].
    #[inline(always)]
    pub(crate) fn score(&self, row: u32, query: &Query) -> f32 {
        let cosine = self.cosine(row, query);
        match self.config.metric {
            Metric::Cosine => cosine,
            metric => metric.score(cosine, self.length(row), query.length),
        }
    }

    /// How near two rows are to each other.
    #[inline(always)]
    pub(crate) fn score_between(&self, a: u32, b: u32) -> f32 {
        let (one, other) = (&self.chunk(a).rows, &self.chunk(b).rows);
        let cosine = one.cosine_between(place(a), other, place(b), self.stride);
        match self.config.metric {
            Metric::Cosine => cosine,
            metric => metric.score(cosine, self.length(a), self.length(b)),
        }
    }

    /// How many bits of a code tell rows apart: Σ 4·p·(1 − p) over the components, p being the share of live rows where it
    /// is positive. A component that always has the same sign counts 0, one of even chances 1.
    pub(crate) fn telling_bits(&self) -> f32 {
        let n_rows = self.len().max(1) as f32;
        let counts = self.positives.counts();
        let share = counts.map(|count| count as f32 / n_rows);
        share.map(|p| 4.0 * p * (1.0 - p)).sum()
    }

    /// Bytes held for vectors, codes, ids and labels.
    pub(crate) fn bytes(&self) -> usize {
        let chunk = |chunk: &Chunk| {
            let lengths = chunk.lengths.as_ref().map_or(0, |l| l.len() * 4);
            chunk.rows.bytes() + chunk.codes.len() + CHUNK_ROWS * 6 + lengths
        };
        let chunks: usize = self.chunks.iter().map(chunk).sum();
        chunks + self.rows_by_id.allocation_size() + self.labels.bytes() + self.live.bytes()
    }

    /// Appends a row; `id` is not in use.
    pub(crate) fn push(&mut self, id: u32, components: &Components, length: f32) -> u32 {
        let row = self.push_gap();
        self.fill(row, id, components, length);
        row
    }

    /// Appends a row as it is kept; `id` is not in use. `None`, and nothing is appended, where no vector has such a row.
    #[cfg(feature = "engine")]
    pub(crate) fn push_kept(&mut self, id: u32, kept: Row) -> Option<u32> {
        let survey = kept.survey(&mut self.code);
        if !kept.is_sound(survey) {
            return None;
        }
        let row = self.push_gap();
        self.fill_surveyed(row, id, kept, survey, 1.0);
        Some(row)
    }

    /// Makes room for so many rows more.
    #[cfg(feature = "engine")]
    pub(crate) fn reserve(&mut self, n_rows: usize) {
        let chunks = &self.chunks;
        let hash_of = |&row: &u32| hash(chunks[row as usize / CHUNK_ROWS].ids[place(row)]);
        self.rows_by_id.reserve(n_rows, hash_of);
    }

    /// Appends a wiped row.
    pub(crate) fn push_gap(&mut self) -> u32 {
        let row = self.n_rows;
        if row.is_multiple_of(CHUNK_ROWS) {
            let has_lengths = self.config.metric.needs_lengths();
            self.chunks.push(Chunk {
                rows: Rows::zeroed(self.config.precision, CHUNK_ROWS, self.stride),
                codes: vec![0; CHUNK_ROWS * self.stride / 8].into(),
                lifts: vec![0; CHUNK_ROWS].into(),
                ids: vec![0; CHUNK_ROWS].into(),
                lengths: has_lengths.then(|| vec![0.0; CHUNK_ROWS].into()),
            });
        }
        self.n_rows += 1;
        self.live.grow(self.n_rows);
        self.touch(row as u32);
        row as u32
    }

    /// Makes a gap a row.
    fn fill(&mut self, row: u32, id: u32, components: &Components, length: f32) {
        let survey = components.row().survey(&mut self.code);
        self.fill_surveyed(row, id, components.row(), survey, length);
    }

    /// Likewise, with its code at hand.
    fn fill_surveyed(&mut self, row: u32, id: u32, filling: Row, survey: Survey, length: f32) {
        debug_assert!(!self.live.contains(row) && self.row_of(id).is_none());
        let chunk = &mut self.chunks[row as usize / CHUNK_ROWS];
        chunk.ids[place(row)] = id;
        if let Some(lengths) = &mut chunk.lengths {
            lengths[place(row)] = length;
        }
        chunk.lifts[place(row)] = Lift::of(survey, filling.dimensions()).0;
        chunk.rows.set(place(row), self.stride, filling, survey);
        let code = std::mem::take(&mut self.code);
        self.write_code(row, &code);
        self.positives.add(&code);
        self.code = code;
        self.live.insert(row);
        let chunks = &self.chunks;
        self.rows_by_id.insert_unique(hash(id), row, |&other| {
            hash(chunks[other as usize / CHUNK_ROWS].ids[place(other)])
        });
        self.touch(row);
    }

    /// Wipes a live row: nothing of its vector, code, id and labels is left.
    pub(crate) fn wipe(&mut self, row: u32) {
        debug_assert!(self.live.contains(row));
        let mut code = std::mem::take(&mut self.code);
        self.components(row).row().survey(&mut code);
        self.positives.remove(&code);
        code.fill(0);
        self.write_code(row, &code);
        self.code = code;
        let id = self.id(row);
        let chunks = &self.chunks;
        let is_it = |&other: &u32| chunks[other as usize / CHUNK_ROWS].ids[place(other)] == id;
        if let Ok(entry) = self.rows_by_id.find_entry(hash(id), is_it) {
            entry.remove();
        }
        self.live.remove(row);
        self.labels.wipe(row);
        let chunk = &mut self.chunks[row as usize / CHUNK_ROWS];
        chunk.rows.wipe(place(row), self.stride);
        chunk.ids[place(row)] = 0;
        chunk.lifts[place(row)] = 0;
        if let Some(lengths) = &mut chunk.lengths {
            lengths[place(row)] = 0.0;
        }
        self.touch(row);
    }

    /// Moves a live row, with its id and labels, into a gap.
    pub(crate) fn relocate(&mut self, from: u32, gap: u32) {
        let (id, components, length) = (self.id(from), self.components(from), self.length(from));
        let labels = self.labels.of(from);
        self.wipe(from);
        self.fill(gap, id, &components, length);
        labels
            .iter()
            .for_each(|&label| self.labels.insert(label, gap));
    }

    /// Drops the wiped rows; the others keep ids and order, and get new row numbers. Returns whether there was any.
    pub(crate) fn compact(&mut self) -> bool {
        if self.len() == self.n_rows {
            return false;
        }
        let live: Vec<u32> = self.live.iter().collect();
        for (to, &from) in (0u32..).zip(&live) {
            if to != from {
                self.relocate(from, to);
            }
        }
        self.n_rows = live.len();
        self.live.truncate(self.n_rows);
        self.labels.truncate(self.n_rows);
        self.chunks.truncate(self.n_rows.div_ceil(CHUNK_ROWS));
        self.changed.truncate(self.n_parts());
        true
    }

    /// Parts of [`PART_ROWS`] rows.
    pub(crate) fn n_parts(&self) -> usize {
        self.n_rows.div_ceil(PART_ROWS)
    }

    /// The numbers of the parts that changed since the last call, ascending.
    pub(crate) fn take_changed(&mut self) -> Vec<u32> {
        let changed = std::mem::take(&mut self.changed);
        changed.iter().collect()
    }

    fn touch(&mut self, row: u32) {
        self.changed.grow(self.n_parts());
        self.changed.insert(row / PART_ROWS as u32);
    }

    fn write_code(&mut self, row: u32, code: &[u8]) {
        let chunk = &mut self.chunks[row as usize / CHUNK_ROWS];
        let (block, lane) = (place(row) / BLOCK_ROWS, place(row) % BLOCK_ROWS);
        let codes = &mut chunk.codes[block * BLOCK_ROWS * self.stride / 8..];
        for (column, &bits) in codes.as_chunks_mut::<BLOCK_ROWS>().0.iter_mut().zip(code) {
            column[lane] = bits;
        }
    }
}

/// The place of a row in its chunk.
#[inline(always)]
fn place(row: u32) -> usize {
    row as usize % CHUNK_ROWS
}

/// Ids are often counted up from 0; the multiplication spreads them over all bits (Knuth's multiplicative hashing).
fn hash(id: u32) -> u64 {
    u64::from(id)
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Precision;
    use crate::index::tests::random::Random;

    type Expected = Vec<(u32, Components, f32, Vec<u32>)>;

    fn check(arena: &Arena, expected: &Expected) {
        assert_eq!(arena.len(), expected.len());
        assert_eq!(arena.live().count(), expected.len());
        for (id, components, length, labels) in expected {
            let row = arena.row_of(*id).unwrap();
            assert_eq!(arena.id(row), *id);
            assert_eq!(arena.components(row), *components);
            assert_eq!(arena.length(row), *length);
            assert_eq!(arena.labels().of(row), *labels);
        }
        let mut positives = vec![0; arena.dimensions()];
        for row in 0..(arena.chunks.len() * CHUNK_ROWS) as u32 {
            let is_live = arena.live().contains(row);
            let (codes, lifts) = arena.code_block(row as usize / BLOCK_ROWS);
            let lane = row as usize % BLOCK_ROWS;
            let components = arena.components(row);
            for i in 0..arena.stride {
                let bit = codes[BLOCK_ROWS * (i / 8) + lane] >> (i % 8) & 1;
                assert_eq!(bit == 1, components.is_positive(i));
                if i < arena.dimensions() {
                    positives[i] += u32::from(bit);
                }
            }
            if !is_live {
                assert!(components.is_zero() && lifts[lane] == 0, "data in a gap");
                assert!(arena.labels().of(row).is_empty());
            }
        }
        assert!(arena.positives.counts().eq(positives));
    }

    #[test]
    fn rows_survive_wiping_and_compaction() {
        for (precision, metric) in [
            (Precision::Full, Metric::Cosine),
            (Precision::Compact, Metric::Dot),
        ] {
            let mut random = Random::new(21);
            let config = IndexConfig {
                precision,
                metric,
                ..IndexConfig::new(20)
            };
            let mut arena = Arena::new(&config);
            let mut expected: Expected = Vec::new();
            let push =
                |arena: &mut Arena, expected: &mut Expected, id: u32, random: &mut Random| {
                    let components = Components::encode(&random.direction(20), precision);
                    let length = if metric == Metric::Dot {
                        id as f32
                    } else {
                        1.0
                    };
                    let row = arena.push(id, &components, length);
                    let labels: Vec<u32> = (0..5).filter(|_| random.below(3) == 0).collect();
                    labels
                        .iter()
                        .for_each(|&label| arena.labels_mut().insert(label, row));
                    expected.push((id, components, length, labels));
                };
            for id in 0..1_300u32 {
                push(&mut arena, &mut expected, id * 7, &mut random);
            }
            check(&arena, &expected);
            let mut wiped = 0;
            expected.retain(|(id, ..)| {
                let goes = random.below(3) == 0;
                if goes {
                    arena.wipe(arena.row_of(*id).unwrap());
                    wiped += 1;
                }
                !goes
            });
            assert!(wiped > 300);
            check(&arena, &expected);
            assert_eq!(arena.rows(), 1_300);
            assert!(arena.compact());
            check(&arena, &expected);
            assert_eq!(arena.rows(), 1_300 - wiped);
            assert!(!arena.compact());
            for id in 0..100u32 {
                push(&mut arena, &mut expected, 1_000_000 + id, &mut random);
            }
            check(&arena, &expected);
        }
    }

    #[test]
    fn what_changed_is_told_once_by_parts() {
        let mut arena = Arena::new(&IndexConfig::new(16));
        let components = Components::encode(&[0.25; 16], Precision::Full);
        for id in 0..200 {
            arena.push(id, &components, 1.0);
        }
        assert_eq!(arena.take_changed(), [0, 1, 2, 3]);
        assert!(arena.take_changed().is_empty());
        arena.wipe(70);
        arena.push(900, &components, 1.0);
        assert_eq!(arena.take_changed(), [1, 3]);
        arena.compact();
        assert_eq!(arena.take_changed(), [1, 2, 3]);
    }

    #[test]
    fn telling_bits_count_components_of_both_signs() {
        let mut arena = Arena::new(&IndexConfig::new(16));
        for id in 0..8u32 {
            let mut vector = vec![0.25f32; 16];
            vector[0] = if id.is_multiple_of(2) { 0.25 } else { -0.25 };
            vector[1] = if id.is_multiple_of(4) { 0.25 } else { -0.25 };
            arena.push(id, &Components::encode(&vector, Precision::Full), 1.0);
        }
        // 1 for even chances, 4 · ¼ · ¾ for one in four, nothing for the rest.
        assert!((arena.telling_bits() - 1.75).abs() < 1e-6);
    }
}
