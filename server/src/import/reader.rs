//! Reads a hall's tables as a whole: what every row means, or what is wrong with each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{FixedOffset, NaiveDate};

use super::content::{Content, Hall, Known, hall_id};
use super::problem::{Problem, Reason};
use super::sheet::{self, Row};
use super::tables::{Tables, whole_file};
use super::{bookings, homes, staff};

/// The hall's own file.
const SETTINGS: &str = "hall.toml";

/// Leaving a row out may leave another without what it names, and so on; nothing goes deeper than job, meter, household.
const ROUNDS: usize = 5;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: String,
    city: String,
    utc_offset_minutes: i32,
    day: String,
}

/// Reads every table; its jobs are moved to `day`.
pub(crate) fn read(
    tables: &Tables,
    hall: &Hall,
    known: &Known,
    day: NaiveDate,
    problems: &mut Vec<Problem>,
) -> Content {
    let (staff, logins) = staff::read(tables.of(&sheet::STAFF), hall, known, problems);
    let (homes, accounts) = homes::read(tables, hall, known, problems);
    let names = bookings::Names { hall, staff: &staff, logins, homes: &homes, accounts, known };
    let bookings = bookings::read(tables.of(&sheet::JOBS), &names, day, problems);
    Content { hall: hall.clone(), day, staff, homes, bookings }
}

/// Reads what can be loaded without the rows that cannot, and everything that is wrong with those.
pub(crate) fn read_good(
    tables: &mut Tables,
    hall: &Hall,
    known: &Known,
    day: NaiveDate,
    problems: &mut Vec<Problem>,
) -> Content {
    for _ in 0..ROUNDS {
        let mut found = Vec::new();
        let content = read(tables, hall, known, day, &mut found);
        if found.is_empty() {
            return content;
        }
        let bad: BTreeSet<_> = found.iter().map(|it| (it.file.clone(), it.line)).collect();
        tables.leave_out(&bad);
        problems.append(&mut found);
    }
    read(&Tables::default(), hall, known, day, problems)
}

/// Reads the settings of a hall's folder.
pub(crate) fn settings(folder: &Path) -> Result<Hall, Problem> {
    read_settings(folder).map_err(|reason| whole_file(SETTINGS, reason))
}

fn read_settings(folder: &Path) -> Result<Hall, Reason> {
    let text = std::fs::read_to_string(folder.join(SETTINGS))
        .map_err(|error| Reason::Unreadable(error.kind().to_string()))?;
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
pub(crate) struct Seen(BTreeMap<String, u64>);

impl Seen {
    /// Whether a name stood anywhere.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Notes a name; on its second line it is a problem, and the answer is no.
    pub(crate) fn note(
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
