//! Reads cells: strict about what they mean, lenient about how a spreadsheet writes it.

use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeZone as _, Utc};
use domain::measure::Volume;
use domain::place::Place;
use domain::stamp::Timestamp;

use super::file::half_width;
use super::problem::{Problem, Reason};
use super::sheet::Row;

/// A word of the files: in Chinese, as the English key, and what it means; what others write has no key.
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

    /// Reads the number or name by which a thing is known.
    pub(crate) fn name(&mut self, column: &'static str) -> Option<String> {
        self.text(column).map(|text| half_width(&text).into_owned())
    }

    /// Reads what may be missing; a missing one is `Ok(None)`.
    pub(crate) fn optional<T>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Result<Option<T>, Noted> {
        if self.is_empty(column) {
            return Ok(None);
        }
        read(self, column).map(Some).ok_or(Noted)
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
        let text = half_width(&self.text(column)?).into_owned();
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
        let text = self.name(column)?;
        let found = find_word(&text, words);
        if found.is_none() {
            return self.refuse(column, Reason::NotAWord { words: list(words) });
        }
        found
    }

    /// Reads any number of words between semicolons.
    pub(crate) fn words<T: Copy>(&mut self, column: &'static str, words: &[Word<T>]) -> Vec<T> {
        let text = self.text_or_nothing(column);
        let found: Vec<Option<T>> =
            parts(&text).map(|part| find_word(&half_width(part), words)).collect();
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

/// What stands between semicolons and the like.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split([';', '；', '、', ',', '，', '/']).map(str::trim);
    parts.filter(|part| !part.is_empty())
}

fn find_word<T: Copy>(text: &str, words: &[Word<T>]) -> Option<T> {
    let is_it = |(chinese, key, _): &&Word<T>| text == *chinese || text == *key;
    words.iter().find(is_it).map(|(_, _, it)| *it)
}

fn list<T>(words: &[Word<T>]) -> String {
    let own = words.iter().filter(|(_, key, _)| !key.is_empty());
    own.map(|(chinese, key, _)| format!("{chinese} {key}")).collect::<Vec<_>>().join(", ")
}

/// Reads `2026-11-24` and what spreadsheets and programs make of it: `2026/11/24`, `2026.11.24`, `2026年11月24日`,
/// `20261124`, the same with a time behind it, and Excel's own count of days.
pub(crate) fn day(text: &str) -> Option<NaiveDate> {
    let text = text.split(' ').next().unwrap_or_default();
    let text = text.strip_suffix('日').unwrap_or(text);
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.len() {
            8 => day(&format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..])),
            5 => counted(text.parse().ok()?),
            _ => None,
        };
    }
    let mut parts = text.split(['-', '/', '.', '年', '月']);
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

/// Excel counts days from the end of 1899; it believes that 1900 was a leap year, which no day here is old enough to see.
fn counted(days: u64) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(chrono::Days::new(days))
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
        text.chars().filter(|letter| !matches!(letter, '-' | ' ' | '(' | ')' | '—')).collect();
    let digits = digits.strip_prefix("+86").map_or(digits.clone(), str::to_owned);
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
        for written in
            ["2026/3/1", "2026.3.1", "2026年3月1日", "20260301", "46082", "2026-03-01 08:30:00"]
        {
            assert_eq!(day(written), expected, "{written}");
        }
        for wrong in [
            "2026-02-29",
            "26-03-01",
            "2026-3",
            "2026-03-01-",
            "+2026-3-1",
            "",
            "3.1",
            "20260230",
            "2026",
        ] {
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
            ("+86 138 0013 8000", "13800138000"),
        ] {
            assert_eq!(phone(written).as_deref(), Some(digits));
        }
        for wrong in ["1380013800", "138001380000", "12345678901", "+86138001380", "手机", "110"]
        {
            assert_eq!(phone(wrong), None, "{wrong}");
        }
    }
}
