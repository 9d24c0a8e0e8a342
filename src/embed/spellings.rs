//! Strings by number, and the number of each string that a text begins with.

/// An empty slot of the hash table; there are never this many strings.
const FREE: u32 = u32::MAX;

/// Different strings, numbered from 0; an empty one is a number that no text begins with.
///
/// One block of bytes and a hash table of numbers: 250,000 strings take about 3 MB beside their bytes, and no allocation each.
#[derive(Clone)]
pub(super) struct Spellings {
    bytes: Vec<u8>,
    /// Start of each string in `bytes`; one more entry closes the last one.
    starts: Vec<u32>,
    /// Open addressing with linear probing; the length is a power of two and at least twice the number of strings.
    slots: Vec<u32>,
    /// Length in bytes of the longest string: no longer prefix needs a look-up.
    longest: usize,
}

impl Spellings {
    /// `lengths` cut `bytes` into the strings.
    pub(super) fn new(bytes: &[u8], lengths: &[u8]) -> Result<Spellings, &'static str> {
        let total: usize = lengths.iter().map(|&length| usize::from(length)).sum();
        // Offsets are 32 bits wide.
        if total != bytes.len() || total >= FREE as usize {
            return Err("the lengths of its strings are not those of its bytes");
        }
        let mut starts = Vec::with_capacity(lengths.len() + 1);
        starts.push(0u32);
        let mut end = 0;
        for &length in lengths {
            end += u32::from(length);
            starts.push(end);
        }
        let mut spellings = Spellings {
            bytes: bytes.to_vec(),
            starts,
            slots: vec![FREE; (2 * lengths.len()).next_power_of_two()],
            longest: usize::from(lengths.iter().copied().max().unwrap_or(0)),
        };
        for number in 0..lengths.len() {
            let spelling = spellings.get(number);
            if spelling.is_empty() {
                continue;
            }
            let hash = spelling
                .iter()
                .fold(HASH_SEED, |hash, &b| hash_step(hash, b));
            match spellings.probe(hash, spelling) {
                Ok(_) => return Err("a string occurs twice"),
                Err(free) => spellings.slots[free] = number as u32,
            }
        }
        Ok(spellings)
    }

    /// The string of a number.
    pub(super) fn get(&self, number: usize) -> &[u8] {
        &self.bytes[self.starts[number] as usize..self.starts[number + 1] as usize]
    }

    /// Number and length of every string that `text` begins with, the shortest first.
    ///
    /// The hash of every prefix comes from one pass over the bytes. Prefixes are not cut at character boundaries: the strings
    /// are whole characters, so only a whole number of characters can be equal to one.
    pub(super) fn prefixes<'a>(
        &'a self,
        text: &'a [u8],
    ) -> impl Iterator<Item = (usize, usize)> + 'a {
        let mut hash = HASH_SEED;
        let text = &text[..text.len().min(self.longest)];
        (1..=text.len()).filter_map(move |length| {
            hash = hash_step(hash, text[length - 1]);
            let number = self.probe(hash, &text[..length]).ok()?;
            Some((number as usize, length))
        })
    }

    /// The number of the string with this hash, or the free slot where it would be.
    fn probe(&self, hash: u32, spelling: &[u8]) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        // The low bits of FNV depend on few bits of the last bytes alone; the high ones are folded in.
        let mut slot = (hash ^ hash >> 15) as usize & mask;
        loop {
            match self.slots[slot] {
                FREE => return Err(slot),
                number if self.get(number as usize) == spelling => return Ok(number),
                _ => slot = (slot + 1) & mask,
            }
        }
    }
}

/// FNV-1a, 32 bits.
const HASH_SEED: u32 = 0x811c_9dc5;

fn hash_step(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_prefixes_are_found_the_shortest_first() {
        // a, abé, nothing, abéc, b
        let spellings = Spellings::new("aabéabécb".as_bytes(), &[1, 4, 0, 5, 1]).unwrap();
        let prefixes = |text: &str| spellings.prefixes(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(prefixes("abécd"), [(0, 1), (1, 4), (3, 5)]);
        assert_eq!(prefixes("abê"), [(0, 1)]);
        assert_eq!(prefixes("b"), [(4, 1)]);
        assert_eq!(prefixes(""), []);
        assert_eq!(prefixes("éa"), []);
        assert_eq!(spellings.get(3), "abéc".as_bytes());
    }

    #[test]
    fn strings_that_cannot_be_told_apart_are_refused() {
        assert!(Spellings::new(b"abab", &[2, 2]).is_err());
        assert!(Spellings::new(b"abc", &[2]).is_err());
        assert!(Spellings::new(b"a", &[2]).is_err());
        assert!(Spellings::new(b"", &[]).is_ok());
    }
}
