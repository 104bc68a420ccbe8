//! Files that other programs exported: separated text and workbooks (checks 28 and 42).

use std::io::{Cursor, Read as _, Write as _};
use std::sync::OnceLock;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use server::import::file::{FileError, Grid, read};
use zip::write::SimpleFileOptions;

use crate::Inputs;

/// What may stand between cells; the reader takes the sign that stands most often.
const SEPARATORS: [char; 4] = [',', '\t', ';', '|'];

/// The parts of a workbook that hold what a person wrote.
const PARTS: [&str; 4] =
    ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml"];

/// Cells that a file of so many bytes may make: one that says a column far away fills the row up to it.
const CELLS_A_BYTE: usize = 256;

/// Reads separated text, writes it out and reads it again.
pub(crate) fn text(bytes: &[u8]) {
    let Some(grids) = look(bytes) else { return };
    let [grid] = &grids[..] else { return };
    let written: String = grid.rows.iter().map(|(_, cells)| line(cells)).collect();
    let count = |sign: char| written.lines().take(20).map(|it| it.matches(sign).count()).sum();
    let [commas, others @ ..]: [usize; 4] = SEPARATORS.map(count);
    if others.iter().all(|other| *other < commas) {
        let again = read("again", written.as_bytes()).expect("what was read is a table");
        assert_eq!(cells(&again[0]), cells(grid), "it reads as it was written");
    }
}

fn line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

/// Puts the bytes into a workbook as the part that the first of them names, and looks at the file that they make.
pub(crate) fn workbook(bytes: &[u8]) {
    look(bytes);
    let Some((&part, content)) = bytes.split_first() else { return };
    let part = PARTS[usize::from(part) % PARTS.len()];
    let Some(grids) = look(&packed(part, content)) else { return };
    if grids.len() == 1 {
        let again = read("again", &written(&grids[0])).expect("what was read is a table");
        assert_eq!(filled(&again[0]), filled(&grids[0]), "it reads as it was written");
    }
}

fn look(bytes: &[u8]) -> Option<Vec<Grid>> {
    let grids = match read("a file", bytes) {
        Ok(grids) => grids,
        Err(
            FileError::NotATable
            | FileError::OldWorkbook
            | FileError::UnknownEncoding
            | FileError::Damaged(_)
            | FileError::TooMuch,
        ) => return None,
    };
    assert_eq!(read("a file", bytes).as_ref(), Ok(&grids), "twice the same");
    for grid in &grids {
        let made: usize = grid.rows.iter().map(|(_, cells)| cells.len()).sum();
        assert!(made <= CELLS_A_BYTE * bytes.len(), "a file makes no more than it says");
        for (line, cells) in &grid.rows {
            assert!(*line > 0 && cells.iter().any(|cell| !cell.is_empty()), "something is there");
            assert!(cells.iter().all(|cell| cell.trim() == cell), "cells are trimmed");
        }
    }
    Some(grids)
}

fn cells(grid: &Grid) -> Vec<&Vec<String>> {
    grid.rows.iter().map(|(_, cells)| cells).collect()
}

/// The cells in which something stands, with their places.
fn filled(grid: &Grid) -> Vec<(u64, usize, &str)> {
    let places = grid.rows.iter().flat_map(|(line, cells)| {
        cells.iter().enumerate().map(|(column, cell)| (*line, column, cell.as_str()))
    });
    places.filter(|(_, _, cell)| !cell.is_empty()).collect()
}

/// A workbook in which the cells stand as words.
fn written(grid: &Grid) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (line, column, cell) in filled(grid) {
        let (row, column) = (u32::try_from(line - 1), u16::try_from(column));
        let place = row.ok().zip(column.ok()).expect("a workbook has no more");
        // What is longer than a cell of Excel may be is left as it is.
        let _ = sheet.write_string(place.0, place.1, cell);
    }
    workbook.save_to_buffer().expect("memory takes all bytes")
}

/// The workbook of the seeds with one part exchanged.
fn packed(part: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts() {
        let bytes = if name == part { content } else { bytes };
        archive.start_file(name.as_str(), SimpleFileOptions::default()).expect("a new part");
        archive.write_all(bytes).expect("memory takes all bytes");
    }
    archive.finish().expect("memory takes all bytes").into_inner()
}

/// The parts of a workbook as a hall exports it.
fn parts() -> &'static Vec<(String, Vec<u8>)> {
    static PARTS: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    PARTS.get_or_init(|| {
        let mut archive = zip::ZipArchive::new(Cursor::new(exported())).expect("a real archive");
        let count = archive.len();
        let part = |index| {
            let mut part = archive.by_index(index).expect("a real part");
            let name = part.name().expect("a real name").into_owned();
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).expect("a real part");
            (name, bytes)
        };
        (0..count).map(part).collect()
    })
}

fn exported() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let day = Format::new().set_num_format("yyyy/m/d");
    let mut write = || {
        sheet.write(0, 0, "户号")?.write(0, 1, "地址")?.write(0, 2, "上次安检")?;
        sheet.write(1, 0, 30_100_001.0)?.write(1, 1, "听江里1幢")?.write(1, 3, true)?;
        let inspected = ExcelDateTime::from_ymd(2026, 3, 1)?;
        sheet.write_with_format(1, 2, &inspected, &day).map(drop)
    };
    write().expect("cells of a new sheet");
    workbook.save_to_buffer().expect("memory takes all bytes")
}

/// Text in each encoding and with each separator.
pub(crate) fn texts() -> Inputs {
    let plain = "户号,户名,地址\n1001,王桂兰,\"听江里1幢, 2单元\"\n\n1002,李 明,\"说\"\"好\"\"\"\n";
    let mut wide = vec![0xff, 0xfe];
    wide.extend(plain.encode_utf16().flat_map(u16::to_le_bytes));
    // 户号,户名 and 1001,王桂兰 in GB 18030.
    let chinese =
        b"\xbb\xa7\xba\xc5,\xbb\xa7\xc3\xfb\r\n1001,\xcd\xf5\xb9\xf0\xc0\xbc\r\n".to_vec();
    vec![
        ("utf-8".to_owned(), plain.as_bytes().to_vec()),
        ("marked".to_owned(), [b"\xef\xbb\xbf", plain.as_bytes()].concat()),
        ("utf-16".to_owned(), wide),
        ("gb-18030".to_owned(), chinese),
        ("tabs".to_owned(), plain.replace(',', "\t").into_bytes()),
        ("semicolons".to_owned(), plain.replace(',', ";").into_bytes()),
        ("old".to_owned(), b"\xd0\xcf\x11\xe0\xa1".to_vec()),
    ]
}

/// The parts of a workbook that hold what a person wrote.
pub(crate) fn workbooks() -> Inputs {
    let found = PARTS.iter().enumerate().filter_map(|(number, part)| {
        let (_, bytes) = parts().iter().find(|(name, _)| name == part)?;
        let number = u8::try_from(number).unwrap_or(0);
        Some((format!("part-{number}"), [&[number], &bytes[..]].concat()))
    });
    found.collect()
}
