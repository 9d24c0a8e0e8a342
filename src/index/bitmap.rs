//! A set of row numbers: live rows, allowed rows, visited rows.

/// One bit a row; rows past the end are not in the set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    /// An empty set with room for rows `0..rows`.
    pub(crate) fn with_rows(rows: usize) -> Bitmap {
        Bitmap {
            words: vec![0; rows.div_ceil(64)],
        }
    }

    /// Makes room for rows `0..rows`; the new ones are not in the set.
    pub(crate) fn grow(&mut self, rows: usize) {
        if self.words.len() < rows.div_ceil(64) {
            self.words.resize(rows.div_ceil(64), 0);
        }
    }

    pub(crate) fn contains(&self, row: u32) -> bool {
        match self.words.get(row as usize / 64) {
            Some(word) => word >> (row % 64) & 1 == 1,
            None => false,
        }
    }

    /// Whether the row is new in the set. The row must be within the room made for it.
    pub(crate) fn insert(&mut self, row: u32) -> bool {
        let word = &mut self.words[row as usize / 64];
        let bit = 1 << (row % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub(crate) fn remove(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Drops every row from `rows` on, and the room for them.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.words.truncate(rows.div_ceil(64));
        if let (Some(last), false) = (self.words.get_mut(rows / 64), rows.is_multiple_of(64)) {
            *last &= (1 << (rows % 64)) - 1;
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// How many rows below `end` are in the set.
    pub(crate) fn count_below(&self, end: u32) -> usize {
        let whole = (end as usize / 64).min(self.words.len());
        let full: usize = self.words[..whole]
            .iter()
            .map(|w| w.count_ones() as usize)
            .sum();
        let rest = match self.words.get(whole) {
            Some(word) => (word & ((1 << (end % 64)) - 1)).count_ones() as usize,
            None => 0,
        };
        full + rest
    }

    /// The same set without the rows below `start`.
    pub(crate) fn starting_at(&self, start: u32) -> Bitmap {
        let mut words = self.words.clone();
        let whole = (start as usize / 64).min(words.len());
        words[..whole].fill(0);
        if let Some(word) = words.get_mut(whole) {
            *word &= !((1 << (start % 64)) - 1);
        }
        Bitmap { words }
    }

    /// Bits of rows `32 * block..32 * block + 32`, the first row lowest.
    #[inline(always)]
    pub(crate) fn block(&self, block: usize) -> u32 {
        match self.words.get(block / 2) {
            Some(word) => (word >> (32 * (block % 2))) as u32,
            None => 0,
        }
    }

    /// Adds the rows of another set.
    pub(crate) fn add(&mut self, other: &Bitmap) {
        self.grow(other.words.len() * 64);
        for (word, added) in self.words.iter_mut().zip(&other.words) {
            *word |= added;
        }
    }

    /// Drops what is not in the other set.
    pub(crate) fn keep(&mut self, other: &Bitmap) {
        for (at, word) in self.words.iter_mut().enumerate() {
            *word &= other.words.get(at).copied().unwrap_or(0);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.words.capacity() * 8
    }

    /// The rows, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                if left == 0 {
                    return None;
                }
                let bit = left.trailing_zeros();
                left &= left - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_list_of_rows() {
        let rows = [0u32, 1, 15, 16, 63, 64, 100, 127, 128, 190];
        let mut set = Bitmap::with_rows(191);
        for &row in &rows {
            assert!(set.insert(row) && !set.insert(row));
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), rows);
        for start in 0..300 {
            let from: Vec<u32> = rows.iter().copied().filter(|r| *r >= start).collect();
            assert_eq!(set.starting_at(start).iter().collect::<Vec<_>>(), from);
            assert_eq!(set.count_below(start), rows.len() - from.len());
            let mut cut = set.clone();
            cut.truncate(start as usize);
            assert_eq!(cut.count(), rows.len() - from.len());
        }
        for block in 0..20 {
            let expected = (0..32).filter(|i| rows.contains(&(block * 32 + i)));
            let bits = expected.fold(0u32, |bits, i| bits | 1 << i);
            assert_eq!(set.block(block as usize), bits);
        }
        let mut odd = Bitmap::with_rows(300);
        (1..300).step_by(2).for_each(|row| assert!(odd.insert(row)));
        let mut both = set.clone();
        both.keep(&odd);
        assert_eq!(both.iter().collect::<Vec<_>>(), [1, 15, 63, 127]);
        both.add(&set);
        assert_eq!(both, set);
        both.add(&odd);
        assert_eq!(both.count(), rows.len() + 150 - 4);
        set.remove(64);
        assert!(!set.contains(64) && set.contains(63) && !set.contains(5_000));
    }
}
