//! Sheets as CSV and as workbooks.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::{Sheet, Value};

/// How text begins that a spreadsheet would run, also in the wide letters of Chinese keyboards.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The longest name of a sheet, in UTF-16 units.
const LONGEST_NAME: usize = 31;

/// The widest column, in letters.
const WIDEST: u32 = 60;

/// Writes text that spreadsheets take for UTF-8, and in which nothing is a formula.
pub fn csv(sheet: &Sheet) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(&sheet.headers)?;
    for row in &sheet.rows {
        writer.write_record(row.iter().map(said))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn said(value: &Value) -> String {
    match value {
        Value::Empty => String::new(),
        // A spreadsheet would run what begins like this.
        Value::Text(text) if text.starts_with(FORMULA) => {
            format!("'{text}")
        }
        Value::Text(text) => text.clone(),
        Value::Day(day) => day.to_string(),
        Value::Minute(at) => at.format("%Y-%m-%d %H:%M").to_string(),
        Value::Whole(number) => number.to_string(),
        Value::Share(share) => format!("{share:.4}"),
        Value::Volume(volume) => format!("{:.3}", volume.cubic_metres()),
        Value::Money(fen) => fen.to_string(),
    }
}

/// A title as spreadsheets take it for a name: short, and without the letters that their formulas use.
fn sheet_name(title: &str) -> String {
    let plain = title.chars().map(|it| if "[]:*?/\\'".contains(it) { ' ' } else { it });
    let mut units = 0;
    let short = plain.take_while(|it| {
        units += it.len_utf16();
        units <= LONGEST_NAME
    });
    short.collect()
}

/// Writes a workbook with one sheet; text is always text, and nothing is a formula.
pub fn xlsx(sheet: &Sheet) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    let formats = Formats::new();
    let page = workbook.add_worksheet();
    page.set_name(sheet_name(&sheet.title))?.set_freeze_panes(1, 0)?;
    for ((column, header), width) in (0..).zip(&sheet.headers).zip(widths(sheet)) {
        page.write_string_with_format(0, column, header, &bold)?;
        page.set_column_width(column, width)?;
    }
    for (line, row) in (1..).zip(&sheet.rows) {
        for (column, value) in (0..).zip(row) {
            write(page, (line, column), value, &formats)?;
        }
    }
    let last_line = u32::try_from(sheet.rows.len()).unwrap_or(u32::MAX);
    let last_column = u16::try_from(sheet.headers.len()).unwrap_or(u16::MAX).saturating_sub(1);
    page.autofilter(0, 0, last_line, last_column)?;
    workbook.save_to_buffer()
}

/// How numbers and times are shown.
struct Formats {
    cubic_metres: Format,
    money: Format,
    day: Format,
    minute: Format,
    share: Format,
}

impl Formats {
    fn new() -> Self {
        let format = |shown: &str| Format::new().set_num_format(shown);
        Self {
            cubic_metres: format("0.000"),
            money: format("0.00"),
            day: format("yyyy-mm-dd"),
            minute: format("yyyy-mm-dd hh:mm"),
            share: format("0.0%"),
        }
    }
}

fn write(
    page: &mut Worksheet,
    (line, column): (u32, u16),
    value: &Value,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match value {
        Value::Empty => page,
        Value::Text(text) => page.write_string(line, column, text)?,
        // Real days and times sort, group and subtract.
        Value::Day(day) => page.write_datetime_with_format(line, column, day, &formats.day)?,
        Value::Minute(at) => page.write_datetime_with_format(line, column, at, &formats.minute)?,
        Value::Whole(number) => page.write_number(line, column, whole(*number))?,
        Value::Share(share) => {
            page.write_number_with_format(line, column, *share, &formats.share)?
        }
        Value::Volume(volume) => {
            let number = volume.cubic_metres();
            page.write_number_with_format(line, column, number, &formats.cubic_metres)?
        }
        Value::Money(fen) => {
            page.write_number_with_format(line, column, whole(fen.0) / 100.0, &formats.money)?
        }
    };
    Ok(())
}

/// How wide each column has to be for what stands in it; a Chinese letter is as wide as two others.
fn widths(sheet: &Sheet) -> Vec<f64> {
    let width = |text: &str| -> u32 { text.chars().map(|it| 1 + u32::from(!it.is_ascii())).sum() };
    // The header also holds the filter's button.
    let mut widths: Vec<u32> = sheet.headers.iter().map(|header| width(header) + 3).collect();
    for row in &sheet.rows {
        for (widest, value) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(&said(value)) + 1);
        }
    }
    widths.into_iter().map(|it| f64::from(it.min(WIDEST))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a cell holds no more than 2^53 either")]
fn whole(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_43_text_that_a_spreadsheet_would_run_is_quoted() {
        for begin in FORMULA {
            let quoted = said(&Value::Text(format!("{begin}1+1")));
            assert_eq!(quoted, format!("'{begin}1+1"));
        }
        assert_eq!(said(&Value::Text("1+1=2".to_owned())), "1+1=2");
    }

    #[test]
    fn a_sheet_is_called_what_spreadsheets_take() {
        let written = |title: &str| {
            let sheet = Sheet { title: title.to_owned(), headers: vec![], rows: vec![] };
            xlsx(&sheet).map(|bytes| bytes.len())
        };

        assert_eq!(sheet_name("Days: [1/2]"), "Days   1 2 ");
        assert_eq!(sheet_name(&"𠮷".repeat(40)).encode_utf16().count(), 30);
        for title in ["'quoted'", &"x".repeat(40), &"𠮷".repeat(40), "a\\b?*"] {
            written(title).unwrap_or_else(|error| panic!("{title}: {error}"));
        }
    }
}
