//! Separated text: UTF-8 or UTF-16 with or without a mark, or GB 18030 (with GBK and GB 2312 inside it).

use std::borrow::Cow;

use encoding_rs::{GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::{Caps, FileError, Grid};

/// What may stand between cells.
const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// So many lines tell which of them it is.
const LOOKED_AT: usize = 20;

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Grid, FileError> {
    let text = decode(bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator(&text))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let (mut rows, mut caps) = (Vec::new(), Caps::default());
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|_| FileError::UnknownEncoding)? {
        caps.count(rows.len() + 1, record.len())?;
        if record.iter().any(|cell| !cell.is_empty()) {
            let line = lines.of(record.position().map_or(0, csv::Position::byte));
            rows.push((line, record.iter().map(str::to_owned).collect()));
        }
    }
    Ok(Grid { name: name.to_owned(), rows })
}

/// Counts lines as an editor does; the table reader is one behind after `\r\n` and does not count empty lines.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first letter at or after this byte; called with ever later ones.
    fn of(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(letter) = self.text.get(self.at) {
            if self.at >= byte && !matches!(letter, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*letter == b'\n');
            self.at += 1;
        }
        self.line
    }
}

fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, FileError> {
    let marked = [UTF_8, UTF_16LE, UTF_16BE].into_iter().find_map(|encoding| {
        let (found, length) = encoding_rs::Encoding::for_bom(bytes)?;
        (found == encoding).then_some((encoding, length))
    });
    let decoded = match marked {
        Some((encoding, mark)) => {
            encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..])
        }
        None => UTF_8
            .decode_without_bom_handling_and_without_replacement(bytes)
            .or_else(|| GB18030.decode_without_bom_handling_and_without_replacement(bytes)),
    };
    let text = decoded.ok_or(FileError::UnknownEncoding)?;
    if text.contains('\0') { Err(FileError::NotATable) } else { Ok(text) }
}

/// The sign that stands most often in the first lines; a comma where there is none.
fn separator(text: &str) -> u8 {
    let count = |sign: u8| {
        let lines = text.lines().take(LOOKED_AT);
        lines.map(|line| line.bytes().filter(|byte| *byte == sign).count()).sum::<usize>()
    };
    // Of two that stand equally often the first is meant.
    let best = SEPARATORS.into_iter().rev().max_by_key(|sign| count(*sign));
    best.filter(|sign| count(*sign) > 0).unwrap_or(b',')
}
