//! What is due, as a sheet.

use chrono::{FixedOffset, NaiveDate, Offset as _, Utc};
use domain::catalogue::{self, Language};

use super::{Sheet, Value};
use crate::db::halls::HallRow;
use crate::due::Line;

/// The columns, by their keys in the catalogue.
const COLUMNS: [&str; 13] = [
    "export.column.account",
    "export.column.holder",
    "export.column.address",
    "export.column.phone",
    "due.column.what",
    "due.column.why",
    "due.column.from",
    "due.column.by",
    "due.column.late",
    "due.column.estimated",
    "due.column.kind",
    "due.column.job",
    "due.column.window",
];

/// Lists what is due in the order given.
pub fn due(lines: Vec<Line>, hall: &HallRow, (language, today): (Language, NaiveDate)) -> Sheet {
    let say = |key: &str| catalogue::text(language, key, &[]);
    let minutes = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
    let offset = FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix());
    let yes = |is: bool| if is { Value::text(say("due.yes")) } else { Value::Empty };
    let row = |line: Line| {
        let Line { household, item, job } = line;
        let start = job.as_ref().and_then(|it| it.window_start.or(it.proposed_start));
        vec![
            Value::text(household.account),
            Value::text(household.holder),
            Value::text(household.address),
            Value::text(household.phone),
            Value::word(language, "due.what", item.what.key()),
            Value::text(item.why.say(language)),
            Value::Day(item.from),
            Value::Day(item.by),
            yes(item.by < today),
            yes(item.is_estimated),
            Value::word(language, "kind", item.kind.key()),
            job.map_or(Value::Empty, |it| Value::word(language, "status", &it.status)),
            Value::instant(start, offset),
        ]
    };
    let headers = COLUMNS.map(say).to_vec();
    Sheet { title: say("due.title"), headers, rows: lines.into_iter().map(row).collect() }
}
