//! Meters and what they showed before.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::household::{Meter, PastReading};
use domain::id::{HallId, HouseholdId, MeterId};
use domain::measure::Volume;
use domain::reading::ReadingState;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    UPSERT_METER = "insert into meter (meter_id, household_id, serial, size, digits) values ($1, $2, $3, $4, $5) \
        on conflict (meter_id) do update set household_id = excluded.household_id, serial = excluded.serial, \
        size = excluded.size, digits = excluded.digits";
    UPSERT_PAST_READING = "insert into past_reading (meter_id, read_on, register) values ($1, $2, $3) \
        on conflict (meter_id, read_on) do update set register = excluded.register";
    LIST_HALL_METERS = "select m.household_id, m.meter_id, m.serial, m.size, m.digits from meter m \
        join household h on h.household_id = m.household_id where h.hall_id = $1";
    LIST_HALL_READINGS = "select r.meter_id, r.read_on, r.register from past_reading r \
        join meter m on m.meter_id = r.meter_id join household h on h.household_id = m.household_id \
        where h.hall_id = $1";
    LIST_SAMPLE = "select m.household_id, m.meter_id, m.serial, m.size, m.digits from meter m \
        join household h on h.household_id = m.household_id where h.hall_id = $1 order by m.meter_id limit $2";
    LIST_SAMPLE_READINGS = "select r.meter_id, r.read_on, r.register from past_reading r join meter m \
        on m.meter_id = r.meter_id join household h on h.household_id = m.household_id \
        where h.hall_id = $1 and r.read_on >= $2 and r.meter_id <= $3 order by r.meter_id, r.read_on";
    LIST_SAMPLE_VISITS = "select r.meter_id, r.read_on, r.register from reading r join meter m \
        on m.meter_id = r.meter_id join household h on h.household_id = m.household_id \
        where h.hall_id = $1 and r.read_on >= $2 and r.meter_id <= $3 and r.register is not null \
        and r.finding in ('normal', 'high', 'low') order by r.meter_id, r.read_on";
    LIST_METERS = "select meter_id, serial, size, digits from meter where household_id = $1 order by serial, meter_id";
    LIST_PAST_READINGS = "select meter_id, read_on, register from past_reading where meter_id in \
        (select meter_id from meter where household_id = $1) order by meter_id, read_on";
}

#[derive(sqlx::FromRow)]
struct MeterRow {
    meter_id: Uuid,
    serial: String,
    size: String,
    digits: i64,
}

#[derive(sqlx::FromRow)]
struct PastReadingRow {
    meter_id: Uuid,
    read_on: String,
    register: i64,
}

/// Inserts meters with their past readings, or brings those that exist up to date.
pub async fn upsert_meters(mut c: C<'_>, meters: &[(HouseholdId, Meter)]) -> Result<()> {
    insert_rows(c.lend(), UPSERT_METER, meters, |q, (household, meter)| {
        q.bind(meter.id.0)
            .bind(household.0)
            .bind(&meter.serial)
            .bind(&meter.size)
            .bind(i64::from(meter.digits))
    })
    .await?;
    let readings: Vec<_> = meters
        .iter()
        .flat_map(|(_, meter)| meter.readings.iter().map(|reading| (meter.id, *reading)))
        .collect();
    upsert_past_readings(c, &readings).await
}

/// Inserts past readings, one a meter and day; the last word on a day holds.
pub async fn upsert_past_readings(c: C<'_>, readings: &[(MeterId, PastReading)]) -> Result<()> {
    insert_rows(c, UPSERT_PAST_READING, readings, |q, (meter, reading)| {
        q.bind(meter.0).bind(reading.on.to_string()).bind(reading.register.0)
    })
    .await
    .map(drop)
}

/// Lists a household's meters with their past readings, oldest first.
pub async fn list_meters(mut c: C<'_>, household: HouseholdId) -> Result<Vec<Meter>> {
    let meters: Vec<MeterRow> = c.lend().q(LIST_METERS).bind(household.0).all().await?;
    let readings: Vec<PastReadingRow> = c.q(LIST_PAST_READINGS).bind(household.0).all().await?;
    let mut listed = Vec::with_capacity(meters.len());
    for meter in meters {
        let of_meter = readings.iter().filter(|reading| reading.meter_id == meter.meter_id);
        let digits = u8::try_from(meter.digits).map_err(super::decode)?;
        listed.push(Meter {
            readings: of_meter.map(past_reading).collect::<Result<_>>()?,
            ..Meter::new(MeterId(meter.meter_id), &meter.serial, &meter.size, digits)
        });
    }
    Ok(listed)
}

/// Every meter of a hall with the household at which it hangs, without readings.
pub async fn list_hall_meters(
    c: C<'_>,
    hall: HallId,
) -> Result<BTreeMap<MeterId, (HouseholdId, Meter)>> {
    let rows: Vec<(Uuid, Uuid, String, String, i64)> =
        c.q(LIST_HALL_METERS).bind(hall.0).all().await?;
    rows.into_iter()
        .map(|(household, id, serial, size, digits)| {
            let (id, digits) = (MeterId(id), u8::try_from(digits).map_err(super::decode)?);
            Ok((id, (HouseholdId(household), Meter::new(id, &serial, &size, digits))))
        })
        .collect()
}

/// Every past reading of a hall by meter and day.
pub async fn list_hall_readings(
    c: C<'_>,
    hall: HallId,
) -> Result<BTreeMap<(MeterId, NaiveDate), Volume>> {
    let rows: Vec<PastReadingRow> = c.q(LIST_HALL_READINGS).bind(hall.0).all().await?;
    let read = |row: &PastReadingRow| {
        let reading = past_reading(row)?;
        Ok(((MeterId(row.meter_id), reading.on), reading.register))
    };
    rows.iter().map(read).collect()
}

/// Some meters of a hall, the same each time, with what they showed since a day, whoever read them.
///
/// Ids of meters are derived from their numbers, so the first of them lie all over the hall.
pub async fn list_sample(
    mut c: C<'_>,
    hall: HallId,
    (most, since): (i64, &str),
) -> Result<Vec<Meter>> {
    let rows: Vec<(Uuid, Uuid, String, String, i64)> =
        c.lend().q(LIST_SAMPLE).bind(hall.0).bind(most).all().await?;
    let Some(last) = rows.last().map(|row| row.1) else { return Ok(Vec::new()) };
    let mut by_day: BTreeMap<(Uuid, String), i64> = BTreeMap::new();
    for statement in [LIST_SAMPLE_READINGS, LIST_SAMPLE_VISITS] {
        let read = c.lend().q(statement).bind(hall.0).bind(since).bind(last);
        let read: Vec<PastReadingRow> = read.all().await?;
        by_day.extend(read.into_iter().map(|row| ((row.meter_id, row.read_on), row.register)));
    }
    let mut readings: BTreeMap<Uuid, Vec<PastReading>> = BTreeMap::new();
    for ((meter_id, read_on), register) in by_day {
        let reading = past_reading(&PastReadingRow { meter_id, read_on, register })?;
        readings.entry(meter_id).or_default().push(reading);
    }
    let meter = |(_, id, serial, size, digits): (Uuid, Uuid, String, String, i64)| {
        let digits = u8::try_from(digits).map_err(super::decode)?;
        let readings = readings.remove(&id).unwrap_or_default();
        Ok(Meter { readings, ..Meter::new(MeterId(id), &serial, &size, digits) })
    };
    rows.into_iter().map(meter).collect()
}

fn past_reading(row: &PastReadingRow) -> Result<PastReading> {
    let on = row.read_on.parse::<NaiveDate>().map_err(super::decode)?;
    let (register, state) = (Volume(row.register), ReadingState::Seen);
    Ok(PastReading { on, register, state })
}
