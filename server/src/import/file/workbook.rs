//! Workbooks: measured before they are understood, then read cell by cell.

use std::io::{Cursor, Read as _, Write};

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, Xlsx, XlsxError};

use super::{Caps, FileError, Grid, MOST_COLUMNS, MOST_ROWS, MOST_UNPACKED};

/// A workbook has some dozens of parts.
const MOST_PARTS: usize = 2_000;

/// The most XML tags of a list that is held in memory whole; each text of a workbook has four.
const MOST_LISTED_TAGS: usize = 8_000_000;

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<Grid>, FileError> {
    measure(bytes)?;
    let damaged = |error: XlsxError| FileError::Damaged(error.to_string());
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let sheets: Vec<String> = workbook
        .sheets_metadata()
        .iter()
        .filter(|it| it.typ == SheetType::WorkSheet)
        .map(|it| it.name.clone())
        .collect();
    let (mut grids, mut caps) = (Vec::new(), Caps::default());
    for sheet in &sheets {
        let mut cells = workbook.worksheet_cells_reader(sheet).map_err(damaged)?;
        let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
        while let Some(cell) = cells.next_cell().map_err(damaged)? {
            let (row, column) = cell.get_position();
            let text = said(cell.get_value());
            if text.is_empty() {
                continue;
            }
            let (line, column) = (u64::from(row) + 1, column as usize);
            if column >= MOST_COLUMNS || rows.len() >= MOST_ROWS {
                return Err(FileError::TooMuch);
            }
            if rows.last().is_none_or(|(last, _)| *last != line) {
                rows.push((line, Vec::new()));
            }
            let Some((_, cells)) = rows.last_mut() else { continue };
            let missing = (column + 1).saturating_sub(cells.len());
            caps.count(0, missing)?;
            cells.resize(cells.len() + missing, String::new());
            cells[column] = text;
        }
        let name = if sheets.len() > 1 { format!("{name} [{sheet}]") } else { name.to_owned() };
        grids.push(Grid { name, rows });
    }
    Ok(grids)
}

/// Unpacks everything into nothing and counts: what a part says of its own size is not believed.
fn measure(bytes: &[u8]) -> Result<(), FileError> {
    let damaged = |error: zip::result::ZipError| FileError::Damaged(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > MOST_PARTS {
        return Err(FileError::TooMuch);
    }
    if archive.index_for_name("xl/workbook.xml").is_none() {
        return Err(FileError::NotATable);
    }
    let mut left = MOST_UNPACKED;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(damaged)?;
        let name = part.name().map_err(damaged)?.to_ascii_lowercase();
        let is_held_whole = ["sharedstrings.xml", "styles.xml"].iter().any(|it| name.ends_with(it));
        let mut tags = Tags(0);
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut tags);
        let unpacked = unpacked.map_err(|error| FileError::Damaged(error.to_string()))?;
        left = left.checked_sub(unpacked).ok_or(FileError::TooMuch)?;
        if is_held_whole && tags.0 > MOST_LISTED_TAGS {
            return Err(FileError::TooMuch);
        }
    }
    Ok(())
}

/// Counts the tags of what is written to it.
struct Tags(usize);

impl Write for Tags {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for byte in bytes {
            self.0 += usize::from(*byte == b'<');
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a cell says, as a person reads it.
fn said(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        // The shortest text that is this number; whole ones without a point.
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Bool(true) => "是".to_owned(),
        DataRef::Bool(false) => "否".to_owned(),
        DataRef::DateTime(at) => instant(at),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.replace('T', " "),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

fn instant(at: &ExcelDateTime) -> String {
    let Some(read) = at.as_datetime() else { return at.as_f64().to_string() };
    let has_time = read.time() != chrono::NaiveTime::MIN;
    read.format(if has_time { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d" }).to_string()
}
