//! Reads a hall's folder as a whole: what every row means, or what is wrong with each.

mod bookings;
mod homes;
mod staff;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{FixedOffset, NaiveDate};

use super::content::{Content, Hall, hall_id};
use super::problem::{Problem, Reason};
use super::sheet::{self, Row};

/// The hall's own file.
const SETTINGS: &str = "hall.toml";

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: String,
    city: String,
    utc_offset_minutes: i32,
    day: String,
}

/// Reads the folder; its jobs are moved to `day` when one is given.
///
/// # Errors
///
/// Every problem found, in the order of files and lines.
pub(crate) fn read(folder: &Path, day: Option<NaiveDate>) -> Result<Content, Vec<Problem>> {
    let hall = settings(folder).map_err(|reason| {
        vec![Problem { file: SETTINGS, line: 1, column: None, value: String::new(), reason }]
    })?;
    let mut problems = Vec::new();
    let (staff, logins) = staff::read(folder, &hall, &mut problems);
    let (homes, accounts) = homes::read(folder, &hall, &mut problems);
    let names = bookings::Names { hall: &hall, staff: &staff, logins, homes: &homes, accounts };
    let day = day.unwrap_or(hall.day);
    let bookings = bookings::read(folder, &names, day, &mut problems);
    if problems.is_empty() {
        Ok(Content { hall, day, staff, homes, bookings })
    } else {
        Err(problems)
    }
}

fn settings(folder: &Path) -> Result<Hall, Reason> {
    let text = sheet::text(folder, SETTINGS)?;
    let bad = |cause: String| Reason::BadSettings(cause);
    let settings: Settings = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
    if settings.name.trim().is_empty() || settings.city.trim().is_empty() {
        return Err(bad("name, city: empty".to_owned()));
    }
    let offset = settings
        .utc_offset_minutes
        .checked_mul(60)
        .and_then(FixedOffset::east_opt)
        .ok_or_else(|| bad(format!("utc_offset_minutes: {}", settings.utc_offset_minutes)))?;
    let day =
        super::cell::day(&settings.day).ok_or_else(|| bad(format!("day: {}", settings.day)))?;
    Ok(Hall { id: hall_id(&settings.city, &settings.name), name: settings.name, offset, day })
}

/// Remembers on which line each name stood, also the name of a row that is wrong otherwise:
/// a second complaint about every row that uses the name would hide the first.
#[derive(Default)]
struct Seen(BTreeMap<String, u64>);

impl Seen {
    /// Whether a name stood anywhere.
    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Notes a name; on its second line it is a problem, and the answer is no.
    fn note(
        &mut self,
        row: &Row,
        column: &'static str,
        name: &str,
        problems: &mut Vec<Problem>,
    ) -> bool {
        if name.is_empty() {
            // What is missing is a problem of its own.
            return true;
        }
        if let Some(&line) = self.0.get(name) {
            problems.push(row.problem(column, Reason::Twice { line }));
            return false;
        }
        self.0.insert(name.to_owned(), row.line);
        true
    }
}
