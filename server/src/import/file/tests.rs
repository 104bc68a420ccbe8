//! Files as halls export them, and files made to hurt.

use std::io::Write as _;

use encoding_rs::GB18030;
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use zip::write::SimpleFileOptions;

use super::*;

const TEXT: &str = "户号,户名\n1001,王桂兰\n";

fn rows(bytes: &[u8]) -> Vec<(u64, Vec<String>)> {
    read("file", bytes).unwrap().remove(0).rows
}

#[test]
fn text_is_read_in_every_encoding_and_with_every_separator() {
    let expected = rows(TEXT.as_bytes());
    assert_eq!(
        expected,
        [(1, vec!["户号".into(), "户名".into()]), (2, vec!["1001".into(), "王桂兰".into()])]
    );

    let marked = [b"\xef\xbb\xbf", TEXT.as_bytes()].concat();
    let chinese = GB18030.encode(TEXT).0.into_owned();
    let wide: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = [b"\xff\xfe".to_vec(), wide].concat();
    for bytes in [marked, chinese, wide] {
        assert_eq!(rows(&bytes), expected);
    }
    for separator in ["\t", ";", "|"] {
        assert_eq!(rows(TEXT.replace(',', separator).as_bytes()), expected, "{separator:?}");
    }
    assert_eq!(rows("户号\r\n\r\n 1001 \r\n".as_bytes())[1], (3, vec!["1001".to_owned()]));
}

#[test]
fn full_width_letters_are_made_plain() {
    assert_eq!(half_width("　３０１０－Ａ（甲）　"), "3010-A(甲)");
    assert_eq!(half_width("王桂兰"), "王桂兰");
}

#[test]
fn a_workbook_says_what_a_person_reads_in_it() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let day = Format::new().set_num_format("yyyy/m/d");
    sheet.write(0, 0, "芜湖燃气用户清单").unwrap();
    sheet.write(2, 0, 30_100_001.0).unwrap();
    sheet.write(2, 1, 8_749.638).unwrap();
    sheet.write(2, 2, true).unwrap();
    sheet
        .write_with_format(2, 3, ExcelDateTime::parse_from_str("2026-03-01").unwrap(), &day)
        .unwrap();
    sheet.write(2, 5, "　甲 ").unwrap();
    sheet.write_formula(2, 6, rust_xlsxwriter::Formula::new("=1+1").set_result("2")).unwrap();
    let bytes = workbook.save_to_buffer().unwrap();

    let found = rows(&bytes);

    assert_eq!(found[0], (1, vec!["芜湖燃气用户清单".to_owned()]));
    let expected = ["30100001", "8749.638", "是", "2026-03-01", "", "甲", "2"];
    assert_eq!(found[1], (3, expected.map(str::to_owned).to_vec()));
}

#[test]
fn sheets_are_named_where_there_are_several() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().set_name("用户").unwrap().write(0, 0, "户号").unwrap();
    workbook.add_worksheet().set_name("表具").unwrap().write(0, 0, "表号").unwrap();

    let grids = read("六月.xlsx", &workbook.save_to_buffer().unwrap()).unwrap();

    let names: Vec<_> = grids.iter().map(|grid| grid.name.as_str()).collect();
    assert_eq!(names, ["六月.xlsx [用户]", "六月.xlsx [表具]"]);
}

#[test]
fn what_is_no_table_is_told_by_its_bytes() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    for bytes in [&png[..], b"\xff\xd8\xff\xe0", b"GIF89a", b"%PDF-1.7", b"a\0b,c\n"] {
        assert_eq!(read("用户.xlsx", bytes), Err(FileError::NotATable), "{bytes:?}");
    }
    assert_eq!(read("a.xls", b"\xd0\xcf\x11\xe0\xa1"), Err(FileError::OldWorkbook));
    assert_eq!(read("a.csv", b"\xff\xff\xff"), Err(FileError::UnknownEncoding));
    assert_eq!(
        read("a.docx", &archive(&[("word/document.xml", b"<x/>")])),
        Err(FileError::NotATable)
    );
    assert!(matches!(read("a.xlsx", b"PK\x03\x04cut"), Err(FileError::Damaged(_))));
}

#[test]
fn a_bomb_is_refused_before_it_is_understood() {
    let zeros = vec![b'0'; 300 << 20];
    let bomb = archive(&[("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", &zeros)]);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    assert_eq!(read("a.xlsx", &bomb), Err(FileError::TooMuch));

    let empty_texts = [&b"<sst>"[..], &b"<si/>".repeat(9_000_000), b"</sst>"].concat();
    let texts =
        archive(&[("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", &empty_texts)]);
    assert_eq!(read("a.xlsx", &texts), Err(FileError::TooMuch));

    let mut far = Workbook::new();
    far.add_worksheet().write(0, 16_000, "远").unwrap();
    assert_eq!(read("a.xlsx", &far.save_to_buffer().unwrap()), Err(FileError::TooMuch));
    let wide = ",".repeat(1_000_000);
    assert_eq!(read("a.csv", wide.as_bytes()), Err(FileError::TooMuch));
}

#[test]
fn days_are_told_right_in_a_workbook_that_counts_from_1904() {
    let mut workbook = Workbook::new();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    workbook.add_worksheet().write_with_format(0, 0, 44_620.0, &day).unwrap();
    let plain = workbook.save_to_buffer().unwrap();
    let from_1904 = replaced(&plain, "xl/workbook.xml", |part| {
        part.replacen("<workbookPr", "<workbookPr date1904=\"1\"", 1)
    });

    assert_eq!(rows(&plain)[0].1, ["2022-02-28"]);
    assert_eq!(rows(&from_1904)[0].1, ["2026-03-01"]);
}

#[test]
fn a_sheet_that_cannot_be_read_is_told_and_a_chart_is_passed_over() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().set_name("用户").unwrap().write(0, 0, "户号").unwrap();
    let mut chart = rust_xlsxwriter::Chart::new_column();
    chart.add_series().set_values("用户!$A$1:$A$1");
    workbook.add_chartsheet().insert_chart(0, 0, &chart).unwrap();
    let bytes = workbook.save_to_buffer().unwrap();
    assert_eq!(read("a.xlsx", &bytes).unwrap().len(), 1);

    let damaged = replaced(&bytes, "xl/worksheets/sheet1.xml", |_| "<worksheet>".to_owned());
    assert!(matches!(read("a.xlsx", &damaged), Err(FileError::Damaged(_))));
}

#[test]
fn a_cut_workbook_is_damaged_wherever_it_is_cut() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write(0, 0, "户号").unwrap();
    let bytes = workbook.save_to_buffer().unwrap();

    for end in (4..bytes.len()).step_by(37) {
        assert!(read("a.xlsx", &bytes[..end]).is_err(), "cut at {end}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _whatever = read("a", &bytes);
    }

    #[test]
    fn no_flipped_byte_of_a_workbook_makes_the_reader_panic(at in 0..4_000_usize, to in any::<u8>()) {
        let mut workbook = Workbook::new();
        workbook.add_worksheet().write(0, 0, "户号").unwrap();
        let mut bytes = workbook.save_to_buffer().unwrap();
        let at = at % bytes.len();
        bytes[at] = to;
        let _whatever = read("a", &bytes);
    }
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The same workbook with one part rewritten.
fn replaced(workbook: &[u8], name: &str, rewrite: impl Fn(String) -> String) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(std::io::Cursor::new(workbook)).unwrap();
    let mut parts = Vec::new();
    for index in 0..from.len() {
        let mut part = from.by_index(index).unwrap();
        let (mut text, at) = (String::new(), part.name().unwrap().into_owned());
        std::io::Read::read_to_string(&mut part, &mut text).unwrap();
        parts.push((at.clone(), if at == name { rewrite(text) } else { text }));
    }
    let parts: Vec<_> = parts.iter().map(|(name, text)| (&**name, text.as_bytes())).collect();
    archive(&parts)
}
