//! Meters and what they showed before.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::household::{Meter, PastReading};
use domain::id::{HallId, HouseholdId, MeterId};
use domain::measure::Volume;
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
        listed.push(Meter {
            id: MeterId(meter.meter_id),
            serial: meter.serial,
            size: meter.size,
            digits: u8::try_from(meter.digits).map_err(super::decode)?,
            readings: of_meter.map(past_reading).collect::<Result<_>>()?,
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
            let meter = Meter { id, serial, size, digits, readings: Vec::new() };
            Ok((id, (HouseholdId(household), meter)))
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

fn past_reading(row: &PastReadingRow) -> Result<PastReading> {
    let on = row.read_on.parse::<NaiveDate>().map_err(super::decode)?;
    Ok(PastReading { on, register: Volume(row.register) })
}
