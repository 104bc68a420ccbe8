//! Foreign files turned into grids of text: workbooks (XLSX) and separated text in the encodings that halls export.

mod text;
mod workbook;

use std::borrow::Cow;

/// The most bytes that a workbook may hold when it is unpacked.
const MOST_UNPACKED: u64 = 256 << 20;

/// The most rows of one table.
const MOST_ROWS: usize = 400_000;

/// The most columns of one table.
const MOST_COLUMNS: usize = 256;

/// The most cells of one file; a cell costs memory even when nothing stands in it.
const MOST_CELLS: usize = 8_000_000;

/// A table as it stands in a file, before anybody knows what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The file's name, with the sheet's where there are several.
    pub name: String,
    /// The rows in which anything stands, each with its line; cells are trimmed.
    pub rows: Vec<(u64, Vec<String>)>,
}

/// Why a file is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is a picture, a document, a program: anything but a table.
    #[error("is no table")]
    NotATable,
    /// A workbook of Excel 97 to 2003.
    #[error("is an old workbook")]
    OldWorkbook,
    /// It is text in none of the encodings known.
    #[error("is text in an unknown encoding")]
    UnknownEncoding,
    /// A workbook that its reader does not understand.
    #[error("is a damaged workbook: {0}")]
    Damaged(String),
    /// It is more than anybody exports, or made to look small.
    #[error("is too much at once")]
    TooMuch,
}

/// Reads every table of a file. What it is, is told by its bytes and not by its name.
pub fn read(name: &str, bytes: &[u8]) -> Result<Vec<Grid>, FileError> {
    match bytes {
        [b'P', b'K', 3, 4, ..] => workbook::read(name, bytes),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(FileError::OldWorkbook),
        _ if is_something_else(bytes) => Err(FileError::NotATable),
        _ => text::read(name, bytes).map(|grid| vec![grid]),
    }
}

/// Pictures, documents and archives by their first bytes.
fn is_something_else(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 9] = [
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"GIF8",
        b"%PDF",
        b"RIFF",
        b"\x1f\x8b",
        b"Rar!",
        b"7z\xbc\xaf",
        b"\x7fELF",
    ];
    marks.iter().any(|mark| bytes.starts_with(mark))
}

/// Keeps a grid within what a person exports.
#[derive(Default)]
struct Caps {
    cells: usize,
}

impl Caps {
    /// Counts a row with so many cells; an error when there are too many by now.
    fn count(&mut self, rows: usize, columns: usize) -> Result<(), FileError> {
        self.cells += columns;
        if rows > MOST_ROWS || columns > MOST_COLUMNS || self.cells > MOST_CELLS {
            return Err(FileError::TooMuch);
        }
        Ok(())
    }
}

/// Full-width letters, digits and signs as their usual forms, without blanks around: what numbers, days and headers are
/// compared in.
pub(crate) fn half_width(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let wide = |letter: char| matches!(letter, '\u{ff01}'..='\u{ff5e}' | '\u{3000}' | '\u{a0}');
    if !text.contains(wide) {
        return Cow::Borrowed(text);
    }
    let narrow = text.chars().map(|letter| match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{3000}' | '\u{a0}' => ' ',
        other => other,
    });
    Cow::Owned(narrow.collect::<String>().trim().to_owned())
}

#[cfg(test)]
mod tests;
