//! Sheets as CSV and as workbooks.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::{Sheet, Value};

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
        Value::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{text}")
        }
        Value::Text(text) | Value::Local(text) => text.clone(),
        Value::Whole(number) => number.to_string(),
        Value::Volume(volume) => format!("{:.3}", volume.cubic_metres()),
    }
}

/// Writes a workbook with one sheet; text is always text, and nothing is a formula.
pub fn xlsx(sheet: &Sheet) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    let cubic_metres = Format::new().set_num_format("0.000");
    let page = workbook.add_worksheet();
    page.set_name(&sheet.title)?.set_freeze_panes(1, 0)?;
    for (column, header) in (0..).zip(&sheet.headers) {
        page.write_string_with_format(0, column, header, &bold)?;
        page.set_column_width(column, 16)?;
    }
    for (line, row) in (1..).zip(&sheet.rows) {
        for (column, value) in (0..).zip(row) {
            match value {
                Value::Empty => {}
                Value::Text(text) | Value::Local(text) => {
                    page.write_string(line, column, text)?;
                }
                Value::Whole(number) => {
                    page.write_number(line, column, whole(*number))?;
                }
                Value::Volume(volume) => {
                    let number = volume.cubic_metres();
                    page.write_number_with_format(line, column, number, &cubic_metres)?;
                }
            }
        }
    }
    workbook.save_to_buffer()
}

#[expect(clippy::cast_precision_loss, reason = "a cell holds no more than 2^53 either")]
fn whole(number: i64) -> f64 {
    number as f64
}
