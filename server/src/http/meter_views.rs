//! What the page of a household shows of its meters: their readings, their lives, and what hung there before.

use chrono::NaiveDate;
use domain::household::{FormerMeter, Meter, PastReading};
use domain::meter::{ends_on, is_overdue};
use domain::pack::Pack;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::ledger::ReadingRow;

/// A meter with its readings.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeterBody {
    id: Uuid,
    serial: String,
    size: String,
    digits: u8,
    /// The day it was put in, where that is known.
    #[schema(value_type = Option<String>, format = Date)]
    installed_on: Option<NaiveDate>,
    /// The last day of its life.
    #[schema(value_type = Option<String>, format = Date)]
    ends_on: Option<NaiveDate>,
    is_overdue: bool,
    /// Oldest first.
    readings: Vec<ReadingBody>,
    /// The meters that hung in its place before, oldest first.
    before: Vec<FormerMeterBody>,
}

/// A meter that was taken out.
#[derive(Debug, Serialize, ToSchema)]
struct FormerMeterBody {
    serial: String,
    size: String,
    #[schema(value_type = String, format = Date)]
    removed_on: NaiveDate,
    /// Its last register, in litres, where it could be read.
    register: Option<i64>,
}

/// A register read.
#[derive(Debug, Serialize, ToSchema)]
struct ReadingBody {
    #[schema(value_type = String, format = Date)]
    on: NaiveDate,
    /// Litres; null when it could not be read.
    register: Option<i64>,
    /// The key of how anybody knows, or why nobody does.
    state: String,
    /// The key of the finding, where a visit took it.
    finding: Option<String>,
    job: Option<Uuid>,
}

/// A meter as it hangs; `read` are the readings of visits, of which those that were corrected are not shown.
pub(super) fn meter_body(
    meter: &Meter,
    read: &[ReadingRow],
    (today, pack): (NaiveDate, &Pack),
) -> anyhow::Result<MeterBody> {
    let own: Vec<&ReadingRow> = read.iter().filter(|row| row.meter_id == meter.id.0).collect();
    let mut readings: Vec<ReadingBody> =
        meter.readings.iter().map(|it| reading_body(it, &own)).collect();
    for row in own.iter().filter(|row| row.register.is_none()) {
        if is_corrected(row, read) {
            continue;
        }
        readings.push(ReadingBody {
            on: row.read_on.parse()?,
            register: None,
            state: row.body.0["state"].as_str().unwrap_or("other").to_owned(),
            finding: Some(row.finding.clone()),
            job: Some(row.job_id),
        });
    }
    readings.sort_by_key(|it| it.on);
    Ok(MeterBody {
        id: meter.id.0,
        serial: meter.serial.clone(),
        size: meter.size.clone(),
        digits: meter.digits,
        installed_on: meter.installed_on,
        ends_on: ends_on(meter, pack),
        is_overdue: is_overdue(meter, today, pack),
        readings,
        before: meter.before.iter().map(former_body).collect(),
    })
}

/// A reading with what a visit made of it, where it is a visit's.
fn reading_body(it: &PastReading, own: &[&ReadingRow]) -> ReadingBody {
    let day = it.on.to_string();
    let same = |row: &&&ReadingRow| row.read_on == day && row.register == Some(it.register.0);
    let row = own.iter().rev().find(same);
    ReadingBody {
        on: it.on,
        register: Some(it.register.0),
        state: it.state.key().to_owned(),
        finding: row.map(|row| row.finding.clone()),
        job: row.map(|row| row.job_id),
    }
}

fn is_corrected(row: &ReadingRow, read: &[ReadingRow]) -> bool {
    let id = row.fact_id.to_string();
    read.iter().any(|it| it.body.0["corrects"].as_str() == Some(id.as_str()))
}

fn former_body(meter: &FormerMeter) -> FormerMeterBody {
    let last = meter.readings.last().filter(|last| last.on == meter.removed_on);
    FormerMeterBody {
        serial: meter.serial.clone(),
        size: meter.size.clone(),
        removed_on: meter.removed_on,
        register: last.map(|it| it.register.0),
    }
}
