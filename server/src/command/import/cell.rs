//! Reads cells: strict about what they mean, lenient about how a spreadsheet writes it.

use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeZone as _, Utc};
use domain::measure::Volume;
use domain::place::Place;
use domain::stamp::Timestamp;

use super::problem::{Problem, Reason};
use super::sheet::Row;

/// A word of the files: in Chinese, as the English key, and what it means.
pub(crate) type Word<T> = (&'static str, &'static str, T);

/// Something is wrong, and it has been noted among the problems.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted;

/// A row that is being read; what is wrong with it is collected, not returned.
pub(crate) struct Cells<'a> {
    /// The row.
    pub(crate) row: &'a Row,
    /// What is wrong so far.
    pub(crate) problems: &'a mut Vec<Problem>,
}

impl Cells<'_> {
    /// Notes that a cell cannot be loaded.
    pub(crate) fn refuse<T>(&mut self, column: &'static str, reason: Reason) -> Option<T> {
        self.problems.push(self.row.problem(column, reason));
        None
    }

    /// Whether nothing stands in a column.
    pub(crate) fn is_empty(&self, column: &str) -> bool {
        self.row.cell(column).is_empty()
    }

    /// Reads a text that has to be there.
    pub(crate) fn text(&mut self, column: &'static str) -> Option<String> {
        if self.is_empty(column) {
            return self.refuse(column, Reason::Empty);
        }
        Some(self.row.cell(column).to_owned())
    }

    /// Reads a text that may be missing.
    pub(crate) fn text_or_nothing(&self, column: &str) -> String {
        self.row.cell(column).to_owned()
    }

    /// Reads what `parse` understands; anything else is refused for `reason`.
    fn read<T>(
        &mut self,
        column: &'static str,
        reason: Reason,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(column)?;
        let parsed = parse(&text);
        if parsed.is_none() { self.refuse(column, reason) } else { parsed }
    }

    /// Reads a day that is not after the hall's day.
    pub(crate) fn past_day(&mut self, column: &'static str, today: NaiveDate) -> Option<NaiveDate> {
        let day = self.read(column, Reason::NotADay, day)?;
        if day > today { self.refuse(column, Reason::AfterTheDay) } else { Some(day) }
    }

    /// Reads an instant in the hall's own time.
    pub(crate) fn instant(
        &mut self,
        column: &'static str,
        offset: FixedOffset,
    ) -> Option<Timestamp> {
        self.read(column, Reason::NotAnInstant, |text| instant(text, offset))
    }

    /// Reads a register in cubic metres.
    pub(crate) fn register(&mut self, column: &'static str) -> Option<Volume> {
        self.read(column, Reason::NotARegister, register)
    }

    /// Reads a telephone number as digits.
    pub(crate) fn phone(&mut self, column: &'static str) -> Option<String> {
        self.read(column, Reason::NotAPhone, phone)
    }

    /// Reads a whole number between two others.
    pub(crate) fn whole(&mut self, column: &'static str, lowest: u32, highest: u32) -> Option<u32> {
        let inside = |text: &str| {
            let number: u32 = text.parse().ok()?;
            (lowest..=highest).contains(&number).then_some(number)
        };
        self.read(column, Reason::OutOfRange { lowest, highest }, inside)
    }

    /// Reads one of several words.
    pub(crate) fn word<T: Copy>(&mut self, column: &'static str, words: &[Word<T>]) -> Option<T> {
        let text = self.text(column)?;
        let found = find_word(&text, words);
        if found.is_none() {
            return self.refuse(column, Reason::NotAWord { words: list(words) });
        }
        found
    }

    /// Reads any number of words between semicolons.
    pub(crate) fn words<T: Copy>(&mut self, column: &'static str, words: &[Word<T>]) -> Vec<T> {
        let text = self.text_or_nothing(column);
        let parts = text.split([';', '；', '、']).map(str::trim).filter(|part| !part.is_empty());
        let found: Vec<Option<T>> = parts.map(|part| find_word(part, words)).collect();
        if found.iter().any(Option::is_none) {
            self.problems.push(self.row.problem(column, Reason::NotAWord { words: list(words) }));
        }
        found.into_iter().flatten().collect()
    }

    /// Reads a place; `None` when neither column is filled.
    pub(crate) fn place(
        &mut self,
        latitude: &'static str,
        longitude: &'static str,
    ) -> Result<Option<Place>, Noted> {
        if self.is_empty(latitude) && self.is_empty(longitude) {
            return Ok(None);
        }
        let north = self.read(latitude, Reason::NotAPlace, |text| degrees(text, 90.0));
        let east = self.read(longitude, Reason::NotAPlace, |text| degrees(text, 180.0));
        let (latitude, longitude) = north.zip(east).ok_or(Noted)?;
        Ok(Some(Place { latitude, longitude }))
    }
}

fn find_word<T: Copy>(text: &str, words: &[Word<T>]) -> Option<T> {
    words.iter().find(|(chinese, key, _)| text == *chinese || text == *key).map(|(_, _, it)| *it)
}

fn list<T>(words: &[Word<T>]) -> String {
    words.iter().map(|(chinese, key, _)| format!("{chinese} {key}")).collect::<Vec<_>>().join(", ")
}

/// Reads `2026-11-24` and what a spreadsheet makes of it, `2026/11/24`.
pub(crate) fn day(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split(['-', '/']);
    let mut next = |widest: usize| {
        let part = parts.next()?;
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && part.len() <= widest { part.parse::<u32>().ok() } else { None }
    };
    let (year, month, day) = (next(4)?, next(2)?, next(2)?);
    if parts.next().is_some() || year < 1_900 {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn instant(text: &str, offset: FixedOffset) -> Option<Timestamp> {
    let (date, time) = text.split_once(' ')?;
    let time = time.trim();
    let time = NaiveTime::parse_from_str(time, "%H:%M")
        .or_else(|_| NaiveTime::parse_from_str(time, "%H:%M:%S"))
        .ok()?;
    let local = offset.from_local_datetime(&day(date)?.and_time(time)).single()?;
    Some(local.with_timezone(&Utc))
}

/// Reads cubic metres with at most three decimals.
pub(crate) fn register(text: &str) -> Option<Volume> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || whole.len() > 9 || decimals.len() > 3 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let litres: i64 = format!("{decimals:0<3}").parse().ok()?;
    Some(Volume(whole * 1_000 + litres))
}

/// Reads a Chinese telephone number: mobile, with an area code, local, or a service line.
fn phone(text: &str) -> Option<String> {
    let digits: String =
        text.chars().filter(|letter| !matches!(letter, '-' | ' ' | '(' | ')')).collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let is_phone = matches!(
        (digits.as_bytes(), digits.len()),
        ([b'1', b'3'..=b'9', ..], 11)
            | ([b'4' | b'8', b'0', b'0', ..], 10)
            | ([b'0', b'1'..=b'9', ..], 10..=12)
            | ([b'2'..=b'9', ..], 7 | 8)
    );
    is_phone.then_some(digits)
}

fn degrees(text: &str, most: f64) -> Option<f64> {
    let degrees: f64 = text.parse().ok()?;
    (degrees.is_finite() && degrees.abs() <= most).then_some(degrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_written_and_as_a_spreadsheet_writes_it() {
        let expected = NaiveDate::from_ymd_opt(2026, 3, 1);

        assert_eq!(day("2026-03-01"), expected);
        assert_eq!(day("2026/3/1"), expected);
        for wrong in ["2026-02-29", "26-03-01", "2026-3", "2026-03-01-", "+2026-3-1", "", "3.1"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_instant_is_the_halls_own_time() {
        let offset = FixedOffset::east_opt(8 * 3_600).unwrap();

        let read = instant("2026/11/24 8:00", offset).unwrap();

        assert_eq!(read.to_rfc3339(), "2026-11-24T00:00:00+00:00");
        for wrong in ["2026-11-24", "2026-11-24 24:00", "2026-11-24 8", "8:00"] {
            assert_eq!(instant(wrong, offset), None, "{wrong}");
        }
    }

    #[test]
    fn a_register_keeps_each_litre() {
        assert_eq!(register("8749.638"), Some(Volume(8_749_638)));
        assert_eq!(register("12.5"), Some(Volume(12_500)));
        assert_eq!(register("0"), Some(Volume(0)));
        for wrong in ["-1", "1.2345", "1,5", "1e3", ".5", "5.", "", "9999999999"] {
            assert_eq!(register(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_phone_number_has_a_form_that_is_given_out() {
        for (written, digits) in [
            ("0553-0200000", "05530200000"),
            ("138 0013 8000", "13800138000"),
            ("3812345", "3812345"),
            ("400-800-1234", "4008001234"),
        ] {
            assert_eq!(phone(written).as_deref(), Some(digits));
        }
        for wrong in ["1380013800", "138001380000", "12345678901", "+8613800138000", "手机", "110"]
        {
            assert_eq!(phone(wrong), None, "{wrong}");
        }
    }
}
