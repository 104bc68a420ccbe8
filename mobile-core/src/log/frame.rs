//! The log's bytes: a header, then frames that are chained and can each stand alone.

use std::ops::Range;

/// A truncated BLAKE3 over the previous chain value and this frame.
pub type Chain = [u8; 16];

/// The length of the header.
pub const HEADER_LEN: usize = 24;
/// The version of this format.
pub const FORMAT: u16 = 1;
/// The longest payload; a length above it is damage.
pub const MAX_PAYLOAD: usize = 64 << 20;

const HEADER_MAGIC: &[u8; 8] = b"DOORLOG\n";
const FRAME_MAGIC: [u8; 3] = [0xd5, b'L', b'g'];
const FRAME_HEAD: usize = 3 + 1 + 4 + 8 + 16 + 4;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A record.
    Record,
    /// The note that records are missing here, left by an earlier repair; the payload is the
    /// first missing sequence number, the frame's own number the last.
    Gap,
}

/// One frame before it is written.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What it holds.
    pub kind: Kind,
    /// Its place in the log, counted from 1 and never reused.
    pub seq: u64,
    /// Its content.
    pub payload: &'a [u8],
}

/// One frame as found in the log's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// What it holds.
    pub kind: Kind,
    /// Its place in the log.
    pub seq: u64,
    /// Its chain value as written.
    pub chain: Chain,
    /// The whole frame.
    pub range: Range<usize>,
    /// Its content.
    pub payload: Range<usize>,
}

/// Why the header cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// It is cut or its checksum does not hold.
    Damaged,
    /// It is whole and of a later format.
    TooNew(u16),
}

/// Writes the header of a log whose first frame will have the number after `base_seq`.
pub fn header(base_seq: u64) -> (Vec<u8>, Chain) {
    let mut bytes = Vec::with_capacity(HEADER_LEN);
    bytes.extend_from_slice(HEADER_MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&base_seq.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    let chain = truncated(&blake3::hash(&bytes));
    (bytes, chain)
}

/// Reads the header: the number before its first frame's, and the chain's first value.
pub fn read_header(bytes: &[u8]) -> Result<(u64, Chain), HeaderError> {
    let Some(bytes) = bytes.get(..HEADER_LEN) else { return Err(HeaderError::Damaged) };
    let (covered, crc) = bytes.split_at(HEADER_LEN - 4);
    if !covered.starts_with(HEADER_MAGIC) || crc32c::crc32c(covered).to_le_bytes() != crc {
        return Err(HeaderError::Damaged);
    }
    let format = u16::from_le_bytes([covered[8], covered[9]]);
    if format != FORMAT {
        return Err(HeaderError::TooNew(format));
    }
    Ok((u64_at(covered, 12), truncated(&blake3::hash(bytes))))
}

impl Frame<'_> {
    /// Writes the frame after the one whose chain value is given; returns its own.
    pub fn write(&self, previous: Chain, out: &mut Vec<u8>) -> Chain {
        assert!(self.payload.len() <= MAX_PAYLOAD, "a record fits a frame");
        let chain = next_chain(previous, self.kind, self.seq, self.payload);
        let start = out.len();
        out.extend_from_slice(&FRAME_MAGIC);
        out.push(kind_byte(self.kind));
        let length = u32::try_from(self.payload.len()).expect("a payload is below 64 MiB");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&chain);
        let crc = crc32c::crc32c_append(crc32c::crc32c(&out[start..]), self.payload);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(self.payload);
        chain
    }
}

/// The chain value of a frame after the one whose chain value is given.
pub fn next_chain(previous: Chain, kind: Kind, seq: u64, payload: &[u8]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&previous).update(&[kind_byte(kind)]).update(&seq.to_le_bytes()).update(payload);
    truncated(&hasher.finalize())
}

/// Reads the frame that begins at `start`, when it is whole.
pub fn read_frame(bytes: &[u8], start: usize) -> Option<Whole> {
    let head = bytes.get(start..start.checked_add(FRAME_HEAD)?)?;
    let end = start + FRAME_HEAD + announced_payload(head)?;
    let payload = start + FRAME_HEAD..end;
    let kind = match head[3] {
        1 => Kind::Record,
        2 => Kind::Gap,
        _ => return None,
    };
    let crc =
        crc32c::crc32c_append(crc32c::crc32c(&head[..FRAME_HEAD - 4]), bytes.get(payload.clone())?);
    if crc.to_le_bytes() != head[FRAME_HEAD - 4..] {
        return None;
    }
    let chain = head[16..32].try_into().expect("16 bytes make a chain value");
    Some(Whole { kind, seq: u64_at(head, 8), chain, range: start..end, payload })
}

/// Finds the first whole frame at or after `start` with a number above `after`.
pub fn find_frame(bytes: &[u8], start: usize, after: u64) -> Option<Whole> {
    (start..bytes.len())
        .filter(|&at| bytes[at..].starts_with(&FRAME_MAGIC))
        .find_map(|at| read_frame(bytes, at).filter(|frame| frame.seq > after))
}

/// Whether the bytes are as long as the frame head at their start announces, or longer: then
/// they were perhaps once a whole record.
pub fn has_announced_length(bytes: &[u8]) -> bool {
    let payload = bytes.get(..FRAME_HEAD).and_then(announced_payload);
    payload.is_some_and(|length| bytes.len() >= FRAME_HEAD + length)
}

fn announced_payload(head: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(head[4..8].try_into().expect("4 bytes make a length"));
    let length = usize::try_from(length).ok()?;
    (head.starts_with(&FRAME_MAGIC) && length <= MAX_PAYLOAD).then_some(length)
}

fn kind_byte(kind: Kind) -> u8 {
    match kind {
        Kind::Record => 1,
        Kind::Gap => 2,
    }
}

fn truncated(hash: &blake3::Hash) -> Chain {
    hash.as_bytes()[..16].try_into().expect("a hash has 32 bytes")
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes make a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_as_written() {
        let mut bytes = vec![7, 7, 7];

        let chain =
            Frame { kind: Kind::Record, seq: 9, payload: b"read" }.write([3; 16], &mut bytes);

        let whole = read_frame(&bytes, 3).unwrap();
        assert_eq!((whole.kind, whole.seq, whole.chain), (Kind::Record, 9, chain));
        assert_eq!(&bytes[whole.payload], b"read");
        assert_eq!(chain, next_chain([3; 16], Kind::Record, 9, b"read"));
    }

    #[test]
    fn no_flipped_bit_and_no_cut_leaves_a_frame_whole() {
        let mut bytes = Vec::new();
        Frame { kind: Kind::Record, seq: 1, payload: b"seven bytes and more" }
            .write([0; 16], &mut bytes);

        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_frame(&flipped, 0), None, "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(read_frame(&bytes[..cut], 0), None, "cut at {cut}");
        }
    }

    #[test]
    fn only_the_head_of_a_frame_announces_a_length() {
        let mut bytes = Vec::new();
        Frame { kind: Kind::Record, seq: 1, payload: b"x" }.write([0; 16], &mut bytes);
        assert!(has_announced_length(&bytes));
        assert!(!has_announced_length(&bytes[..bytes.len() - 1]));

        bytes[0] ^= 1;
        assert!(!has_announced_length(&bytes), "no frame begins so");
    }

    #[test]
    fn no_flipped_bit_leaves_a_header_whole() {
        let (bytes, chain) = header(40);
        assert_eq!(read_header(&bytes), Ok((40, chain)));

        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_header(&flipped), Err(HeaderError::Damaged), "bit {bit}");
        }
    }

    #[test]
    fn a_later_format_is_named() {
        let (mut bytes, _) = header(0);
        bytes[8] = 2;
        let crc = crc32c::crc32c(&bytes[..HEADER_LEN - 4]).to_le_bytes();
        bytes[HEADER_LEN - 4..].copy_from_slice(&crc);

        assert_eq!(read_header(&bytes), Err(HeaderError::TooNew(2)));
    }

    #[test]
    fn a_whole_frame_is_found_after_rubbish() {
        let mut bytes = b"rubbish \xd5Lg\x01 with a false beginning".to_vec();
        let start = bytes.len();
        Frame { kind: Kind::Record, seq: 5, payload: b"x" }.write([0; 16], &mut bytes);

        assert_eq!(find_frame(&bytes, 0, 0).unwrap().range.start, start);
        assert_eq!(find_frame(&bytes, 0, 5), None);
    }
}
