//! Who was told of an outage, when and how, as a sheet: the record that B13 asks for.

use chrono::{FixedOffset, Offset as _, Utc};
use domain::catalogue::{self, Language};

use super::{Sheet, Value};
use crate::db::halls::HallRow;
use crate::db::outage_told::RecordRow;

/// The columns, by their keys in the catalogue.
const COLUMNS: [&str; 10] = [
    "export.column.account",
    "export.column.holder",
    "export.column.address",
    "export.column.phone",
    "outage.record.told",
    "outage.record.told_at",
    "outage.record.told_by",
    "outage.record.message",
    "outage.record.settled",
    "outage.record.error",
];

/// Lists households in the order given.
pub fn outage_record(rows: Vec<RecordRow>, hall: &HallRow, language: Language) -> Sheet {
    let say = |key: &str| catalogue::text(language, key, &[]);
    let minutes = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
    let offset = FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix());
    let row = |row: RecordRow| {
        let how = row.how.as_deref().unwrap_or("nobody");
        let state = row.state.map(|it| if it == "handed" { "sending".to_owned() } else { it });
        vec![
            Value::text(row.account),
            Value::text(row.holder),
            Value::text(row.address),
            Value::text(row.phone),
            Value::word(language, "outage.how", how),
            Value::instant(row.told_at, offset),
            Value::maybe(row.told_by_name),
            state.map_or(Value::Empty, |it| Value::word(language, "told.state", &it)),
            Value::instant(row.ended_at, offset),
            Value::maybe(row.error),
        ]
    };
    Sheet {
        title: say("outage.record"),
        headers: COLUMNS.map(say).to_vec(),
        rows: rows.into_iter().map(row).collect(),
    }
}
