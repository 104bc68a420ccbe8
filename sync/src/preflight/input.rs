//! A cursor over foreign bytes that never reads past their end.

use super::PreflightError;

#[derive(Clone)]
pub(super) struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], PreflightError> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(PreflightError::WrongLength)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, PreflightError> {
        Ok(self.take(1)?[0])
    }

    /// Reads a count and refuses more than `limit` before anything is done with it.
    pub(super) fn count(
        &mut self,
        limit: usize,
        what: &'static str,
    ) -> Result<usize, PreflightError> {
        let count = self.unsigned()?;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= limit)
            .ok_or(PreflightError::TooMany(what))
    }

    /// Reads an unsigned LEB128 number of at most 63 bits, written as short as it can be.
    pub(super) fn unsigned(&mut self) -> Result<u64, PreflightError> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let is_padded = byte == 0 && shift > 0;
                return if is_padded { Err(PreflightError::BadNumber) } else { Ok(value) };
            }
        }
        Err(PreflightError::BadNumber)
    }

    /// Reads a signed LEB128 number of at most 63 bits; the rewriting finds padded ones.
    pub(super) fn signed(&mut self) -> Result<i64, PreflightError> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let sign = if byte & 0x40 == 0 { 0 } else { -1 << (shift + 7) };
                return Ok(value | sign);
            }
        }
        Err(PreflightError::BadNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_they_are_written() {
        let unsigned = |bytes: &[u8]| Input::new(bytes).unsigned().ok();
        let signed = |bytes: &[u8]| Input::new(bytes).signed().ok();

        assert_eq!(unsigned(&[0x7f]), Some(127));
        assert_eq!(unsigned(&[0x80, 0x01]), Some(128));
        assert_eq!(unsigned(&[0x80, 0x00]), None, "padded");
        assert_eq!(unsigned(&[0x80]), None, "cut");
        assert_eq!(unsigned(&[0xff; 12]), None, "endless");
        assert_eq!(signed(&[0x7f]), Some(-1));
        assert_eq!(signed(&[0x40]), Some(-64));
        assert_eq!(signed(&[0xc0, 0x00]), Some(64));
        assert_eq!(signed(&[0xff; 12]), None, "endless");
        let mut widest = [0xff; 9];
        widest[8] = 0x3f;
        assert_eq!(signed(&widest), Some(i64::MAX >> 1));
    }
}
