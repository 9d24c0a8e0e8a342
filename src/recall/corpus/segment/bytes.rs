//! Numbers and texts as bytes: small numbers take one.

use super::SegmentError;

/// Gathers bytes.
#[derive(Default)]
pub(in crate::recall) struct Writer(pub Vec<u8>);

impl Writer {
    /// Seven bits a byte, the low ones first; the highest bit says that more follow.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub fn count(&mut self, n: usize) {
        self.number(n as u64);
    }

    /// Zigzag: small numbers of either sign are short.
    pub fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes(text.as_bytes());
    }
}

/// Takes bytes from the front. Nothing that it gives takes more memory than the bytes themselves would justify.
#[derive(Clone)]
pub(in crate::recall) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub fn number(&mut self) -> Result<u64, SegmentError> {
        let mut number = 0;
        for (i, &byte) in self.0.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if i == 9 && bits > 1 {
                break;
            }
            number |= bits << (7 * i);
            if byte < 0x80 {
                self.0 = &self.0[i + 1..];
                return Ok(number);
            }
        }
        Err(SegmentError::Damaged)
    }

    #[inline]
    pub fn small(&mut self) -> Result<u32, SegmentError> {
        u32::try_from(self.number()?).map_err(|_| SegmentError::Damaged)
    }

    /// A number of things, each of which takes at least one of the bytes left.
    pub fn count(&mut self) -> Result<usize, SegmentError> {
        let n = self.number()?;
        match usize::try_from(n) {
            Ok(n) if n <= self.0.len() => Ok(n),
            _ => Err(SegmentError::Damaged),
        }
    }

    pub fn signed(&mut self) -> Result<i64, SegmentError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub fn byte(&mut self) -> Result<u8, SegmentError> {
        Ok(self.take(1)?[0])
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8], SegmentError> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or(SegmentError::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], SegmentError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(SegmentError::Damaged)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn text(&mut self) -> Result<&'a str, SegmentError> {
        let n = self.count()?;
        std::str::from_utf8(self.take(n)?).map_err(|_| SegmentError::Damaged)
    }

    /// So many things.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Reader<'a>) -> Result<T, SegmentError>,
    ) -> Result<Vec<T>, SegmentError> {
        let n = self.count()?;
        (0..n).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_read_back(numbers in prop::collection::vec(any::<u64>(), 0..20), shift in 0u32..64) {
            let mut writer = Writer::default();
            for number in &numbers {
                writer.number(number >> shift);
                writer.signed(*number as i64 >> shift);
            }
            let mut reader = Reader(&writer.0);
            for number in &numbers {
                prop_assert_eq!(reader.number(), Ok(number >> shift));
                prop_assert_eq!(reader.signed(), Ok(*number as i64 >> shift));
            }
            prop_assert!(reader.0.is_empty());
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_and_one_that_is_cut_off_are_refused() {
        assert_eq!(Reader(&[0xff; 10]).number(), Err(SegmentError::Damaged));
        assert_eq!(Reader(&[0x80; 11]).number(), Err(SegmentError::Damaged));
        assert_eq!(Reader(&[0x80]).number(), Err(SegmentError::Damaged));
        let longest = [&[0xff; 9][..], &[1]].concat();
        assert_eq!(Reader(&longest).number(), Ok(u64::MAX));
    }

    #[test]
    fn a_count_beyond_the_bytes_that_are_left_is_refused() {
        assert_eq!(Reader(&[3, 0, 0]).count(), Err(SegmentError::Damaged));
        assert_eq!(Reader(&[2, 0, 0]).count(), Ok(2));
    }
}
