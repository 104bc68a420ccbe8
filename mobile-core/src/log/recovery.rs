//! What opening a log found: which records are whole, and what is done about the rest.

use std::ops::Range;

use super::frame::{self, Chain, Frame, HEADER_LEN, HeaderError, Kind, Whole};
use super::{Aside, OpenLogError, StoreError};

/// How a log began this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// There was none; this phone is new.
    New,
    /// There had been one and it is gone: evicted by the system or deleted.
    Gone,
    /// It was there.
    Resumed,
}

/// Bytes at the end that were no whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutTail {
    /// How many were cut; they are kept beside the log.
    pub bytes: usize,
    /// Whether they were as long as a record, so that they may once have been a saved one.
    pub may_have_been_saved: bool,
}

/// Bytes in the middle that were no whole record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where they began.
    pub offset: usize,
    /// How many they were; they are kept beside the log.
    pub bytes: usize,
    /// How many records are missing for it; `None` when the header went too and nobody knows.
    pub missing: Option<u64>,
}

/// The report of opening a log. Nothing it names was thrown away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// How it began.
    pub beginning: Beginning,
    /// How many whole records were read.
    pub records: u64,
    /// What was cut at the end.
    pub cut_tail: Option<CutTail>,
    /// What was damaged before the end.
    pub damages: Vec<Damage>,
    /// Whether the header was damaged.
    pub header_damaged: bool,
    /// How many records follow one that is not the one they were written after.
    pub chain_breaks: u64,
    /// How many records an earlier opening had already reported missing.
    pub missing_before: u64,
    /// Why the repair has to wait; the next append tries it again.
    pub repair_failed: Option<StoreError>,
}

impl Recovery {
    /// Whether everything was as it should be.
    pub fn is_clean(&self) -> bool {
        self.beginning != Beginning::Gone
            && self.cut_tail.is_none()
            && self.damages.is_empty()
            && !self.header_damaged
            && self.chain_breaks == 0
            && self.repair_failed.is_none()
    }

    /// How many records are known to be missing since the last opening.
    pub fn missing(&self) -> u64 {
        self.damages.iter().filter_map(|damage| damage.missing).sum()
    }
}

/// What has to be done to the store before anything is appended.
#[derive(Clone, Debug, Default)]
pub(super) struct Repair {
    pub(super) asides: Vec<Part>,
    pub(super) rewrite: Option<Vec<u8>>,
    pub(super) keep_bytes: u64,
}

/// Bytes to set aside.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) why: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl Repair {
    pub(super) fn create() -> Self {
        Self { rewrite: Some(frame::header(0).0), ..Self::default() }
    }

    pub(super) fn not_yet_aside(&self) -> impl Iterator<Item = Aside> {
        self.asides
            .iter()
            .map(|part| Aside { name: part.why.to_owned(), bytes: part.bytes.clone() })
    }
}

/// What the bytes of a log say.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) payloads: Vec<Range<usize>>,
    pub(super) next_seq: u64,
    pub(super) chain: Chain,
    pub(super) recovery: Recovery,
    pub(super) repair: Option<Repair>,
}

/// Reads a log's bytes: pure, so that each byte of damage can be tried.
pub(super) fn examine(bytes: &[u8], beginning: Beginning) -> Result<Examined, OpenLogError> {
    let mut walk = Walk::new(beginning);
    if beginning != Beginning::Resumed {
        return Ok(walk.finish(Some(Repair::create())));
    }
    match frame::read_header(bytes) {
        Ok((base, chain)) => {
            walk.at = HEADER_LEN;
            walk.last_seq = base;
            (walk.chain, walk.last_chain) = (Some(chain), chain);
            walk.rewrite = bytes[..HEADER_LEN].to_vec();
        }
        Err(HeaderError::TooNew(format)) => return Err(OpenLogError::TooNew(format)),
        Err(HeaderError::Damaged) => walk.pass_damaged_header(bytes)?,
    }
    while walk.at < bytes.len() {
        let Some(whole) = walk.next_whole(bytes) else {
            walk.cut_tail(bytes);
            break;
        };
        walk.take(bytes, &whole);
    }
    let repair = walk.repair();
    Ok(walk.finish(repair))
}

struct Walk {
    at: usize,
    last_seq: u64,
    /// The last chain value; `None` when the next frame cannot be checked against it.
    chain: Option<Chain>,
    last_chain: Chain,
    payloads: Vec<Range<usize>>,
    recovery: Recovery,
    asides: Vec<Part>,
    rewrite: Vec<u8>,
    whole_until: usize,
    /// Whether frames have to be chained anew, so that a break is told once as other damage is.
    chains_anew: bool,
}

impl Walk {
    fn new(beginning: Beginning) -> Self {
        let (_, chain) = frame::header(0);
        Self {
            at: 0,
            last_seq: 0,
            chain: Some(chain),
            last_chain: chain,
            payloads: Vec::new(),
            recovery: Recovery {
                beginning,
                records: 0,
                cut_tail: None,
                damages: Vec::new(),
                header_damaged: false,
                chain_breaks: 0,
                missing_before: 0,
                repair_failed: None,
            },
            asides: Vec::new(),
            rewrite: Vec::new(),
            whole_until: HEADER_LEN,
            chains_anew: false,
        }
    }

    /// Goes on at the first whole frame; without the header nobody knows which was the first.
    fn pass_damaged_header(&mut self, bytes: &[u8]) -> Result<(), OpenLogError> {
        let Some(first) = frame::find_frame(bytes, 0, 0) else {
            return Err(OpenLogError::NotALog { size_bytes: bytes.len() });
        };
        self.recovery.header_damaged = true;
        let start = first.range.start;
        self.asides.push(Part { why: "header", bytes: bytes[..start].to_vec() });
        (self.at, self.last_seq) = (start, first.seq - 1);
        if start == HEADER_LEN || first.seq == 1 {
            let (header, chain) = frame::header(self.last_seq);
            (self.rewrite, self.chain, self.last_chain) = (header, Some(chain), chain);
        } else {
            let (header, chain) = frame::header(self.last_seq - 1);
            (self.rewrite, self.last_chain) = (header, chain);
            self.note_gap(self.last_seq + 1, self.last_seq);
        }
        if start != HEADER_LEN {
            self.recovery.damages.push(Damage { offset: 0, bytes: start, missing: None });
        }
        Ok(())
    }

    /// Finds the next whole frame, noting the bytes passed over as damaged.
    fn next_whole(&mut self, bytes: &[u8]) -> Option<Whole> {
        let whole = frame::find_frame(bytes, self.at, self.last_seq)?;
        let passed = self.at..whole.range.start;
        let missing = match whole.kind {
            Kind::Record => whole.seq - self.last_seq - 1,
            Kind::Gap => gap_start(bytes, &whole).min(whole.seq).saturating_sub(self.last_seq + 1),
        };
        if !passed.is_empty() {
            self.asides.push(Part { why: "damaged", bytes: bytes[passed.clone()].to_vec() });
        }
        if !passed.is_empty() || missing > 0 {
            let offset = passed.start;
            let damage = Damage { offset, bytes: passed.len(), missing: Some(missing) };
            self.recovery.damages.push(damage);
        }
        if missing > 0 {
            self.note_gap(self.last_seq + 1, self.last_seq + missing);
        }
        Some(whole)
    }

    /// Writes down that these numbers are missing; `first` above `last` says that nobody knows
    /// how many.
    fn note_gap(&mut self, first: u64, last: u64) {
        let gap = Frame { kind: Kind::Gap, seq: last, payload: &first.to_le_bytes() };
        gap.write(self.last_chain, &mut self.rewrite);
        self.chain = None;
    }

    fn take(&mut self, bytes: &[u8], whole: &Whole) {
        let payload = &bytes[whole.payload.clone()];
        if let Some(previous) = self.chain
            && frame::next_chain(previous, whole.kind, whole.seq, payload) != whole.chain
        {
            self.recovery.chain_breaks += 1;
            self.chains_anew = true;
        }
        match whole.kind {
            Kind::Record => {
                self.payloads.push(whole.payload.clone());
                self.recovery.records += 1;
                self.chain = Some(whole.chain);
            }
            Kind::Gap => {
                let first = gap_start(bytes, whole);
                self.recovery.missing_before += (whole.seq + 1).saturating_sub(first);
                self.chain = None;
            }
        }
        self.last_chain = if self.chains_anew {
            let frame = Frame { kind: whole.kind, seq: whole.seq, payload };
            frame.write(self.last_chain, &mut self.rewrite)
        } else {
            self.rewrite.extend_from_slice(&bytes[whole.range.clone()]);
            whole.chain
        };
        self.last_seq = whole.seq;
        self.at = whole.range.end;
        self.whole_until = whole.range.end;
    }

    fn cut_tail(&mut self, bytes: &[u8]) {
        let tail = &bytes[self.at..];
        self.recovery.cut_tail = Some(CutTail {
            bytes: tail.len(),
            may_have_been_saved: frame::has_announced_length(tail),
        });
        self.asides.push(Part { why: "tail", bytes: tail.to_vec() });
    }

    fn repair(&mut self) -> Option<Repair> {
        let asides = std::mem::take(&mut self.asides);
        let rewrite = std::mem::take(&mut self.rewrite);
        let is_damaged = self.recovery.header_damaged || !self.recovery.damages.is_empty();
        if is_damaged || self.chains_anew {
            return Some(Repair { asides, rewrite: Some(rewrite), keep_bytes: 0 });
        }
        self.recovery.cut_tail.map(|_| Repair {
            asides,
            rewrite: None,
            keep_bytes: self.whole_until as u64,
        })
    }

    fn finish(self, repair: Option<Repair>) -> Examined {
        Examined {
            payloads: self.payloads,
            next_seq: self.last_seq + 1,
            chain: self.last_chain,
            recovery: self.recovery,
            repair,
        }
    }
}

fn gap_start(bytes: &[u8], gap: &Whole) -> u64 {
    bytes[gap.payload.clone()].try_into().map_or(gap.seq, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_a_lost_header_is_written_anew_before_a_first_record_of_any_number() {
        for base in [0, 40] {
            let (whole, _) = log(base, 3);
            let mut bytes = whole.clone();
            bytes[3] ^= 1;

            let examined = resumed(&bytes);

            assert_eq!((examined.recovery.chain_breaks, examined.recovery.damages.len()), (0, 0));
            assert_eq!(examined.repair.and_then(|it| it.rewrite), Some(whole), "base {base}");
        }
    }

    #[test]
    fn s1_rubbish_in_place_of_the_header_costs_no_record() {
        let (whole, _) = log(0, 2);
        let bytes = [b"longer than any header that there is", &whole[HEADER_LEN..]].concat();

        let examined = resumed(&bytes);

        assert_eq!(examined.recovery.chain_breaks, 0);
        assert_eq!(examined.repair.and_then(|it| it.rewrite), Some(whole));
    }

    #[test]
    fn s1_what_went_with_the_header_is_not_counted_and_breaks_no_chain() {
        let (mut bytes, ends) = log(40, 3);
        bytes[3] ^= 1;
        bytes[ends[0] - 1] ^= 1;

        let examined = resumed(&bytes);
        let mended = examined.repair.and_then(|it| it.rewrite).unwrap();
        let again = resumed(&mended);

        assert_eq!((examined.recovery.chain_breaks, examined.recovery.missing()), (0, 0));
        assert!(again.recovery.is_clean(), "{:?}", again.recovery);
        assert_eq!((again.recovery.missing_before, again.recovery.records), (0, 2));
        assert_eq!(again.next_seq, 44);
    }

    #[test]
    fn s1_records_that_are_missing_without_a_trace_are_told() {
        let (bytes, ends) = log(0, 4);
        let bytes = [&bytes[..ends[0]], &bytes[ends[2]..]].concat();

        let recovery = resumed(&bytes).recovery;

        assert_eq!(recovery.damages, [Damage { offset: ends[0], bytes: 0, missing: Some(2) }]);
        assert_eq!(recovery.missing(), 2);
    }

    #[test]
    fn s1_rubbish_between_records_is_told_though_nothing_is_missing() {
        let (bytes, ends) = log(0, 2);
        let bytes = [&bytes[..ends[0]], b"rubbish", &bytes[ends[0]..]].concat();

        let recovery = resumed(&bytes).recovery;

        assert_eq!(recovery.damages, [Damage { offset: ends[0], bytes: 7, missing: Some(0) }]);
    }

    /// A log of so many records after a number, with the end of each.
    fn log(base: u64, records: u64) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut chain) = frame::header(base);
        let mut ends = Vec::new();
        for seq in base + 1..=base + records {
            chain = Frame { kind: Kind::Record, seq, payload: b"read" }.write(chain, &mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn resumed(bytes: &[u8]) -> Examined {
        examine(bytes, Beginning::Resumed).unwrap()
    }
}
