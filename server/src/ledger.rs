//! What the hall knows of a household: its register, what staff wrote into its ledger, and what visits found.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};
use domain::calendar::city_day;
use domain::household::{Household, Meter, PastReading};
use domain::id::{EntryId, HallId, HouseholdId, JobId, MeterId, UserId, id_ms};
use domain::job::{Author, Job};
use domain::ledger::{Consent, Entry, Purpose, Written, consent, shown_groups};
use domain::measure::Volume;
use domain::meter;
use domain::pack::Pack;
use domain::reading::{ReadingState, Season, learn};
use domain::stamp::Timestamp;
use serde_json::json;
use sqlx::types::Json;
use sync::document::{Pen, briefing_change};
use uuid::Uuid;

use crate::db::ledger::{EntryRow, ReadingRow};
use crate::db::{C, Result, Tx, changes, halls, ledger, meter_changes, meters, places};
use crate::http::error::ApiError;
use crate::ids::{fresh_uuid, moment_past};
use crate::jobs::plan::{change_row, load, read};
use crate::jobs::settle::{Happening, settle};
use crate::state::AppState;

/// What the live stream calls news of a household.
pub const LIVE_KIND: &str = "household";

/// Everything that staff wrote into a household's ledger, oldest first.
pub async fn entries(c: C<'_>, household: HouseholdId) -> Result<Vec<Written>> {
    ledger::list_entries(c, household).await?.into_iter().map(written).collect()
}

/// The same of every household of a hall that has any.
pub async fn entries_of_hall(
    c: C<'_>,
    hall: HallId,
) -> Result<BTreeMap<HouseholdId, Vec<Written>>> {
    let mut homes: BTreeMap<HouseholdId, Vec<Written>> = BTreeMap::new();
    for (id, row) in ledger::list_hall_entries(c, hall).await? {
        homes.entry(HouseholdId(id)).or_default().push(written(row)?);
    }
    Ok(homes)
}

/// An entry as it was written.
pub fn written(row: EntryRow) -> Result<Written> {
    let entry: Entry = serde_json::from_value(row.body.0).map_err(undecodable)?;
    let at = chrono::DateTime::from_timestamp_millis(row.at);
    let at = at.ok_or_else(|| sqlx::Error::Decode("an entry without a time".into()))?;
    let author = Author { by: UserId(row.author_id), at };
    Ok(Written { id: EntryId(row.entry_id), author, entry })
}

/// A moment after all entries of a ledger, for the next one's id: entries of one millisecond keep their order.
pub fn moment_after(before: &[Written], now: Timestamp) -> Timestamp {
    let newest = before.iter().filter_map(|it| id_ms(it.id.0)).max().unwrap_or(0);
    moment_past(newest, now)
}

/// Writes an entry into a household's ledger; its id is drawn at `moment`. The hall's row has to be held.
pub async fn write(
    c: C<'_>,
    household: HouseholdId,
    (by, now): (UserId, Timestamp),
    (entry, moment): (&Entry, Timestamp),
) -> Result<Uuid> {
    let row = EntryRow {
        entry_id: fresh_uuid(moment),
        author_id: by.0,
        at: now.timestamp_millis(),
        body: Json(json!(entry)),
    };
    ledger::insert_entry(c, household, &row).await?;
    Ok(row.entry_id)
}

/// A household of the register as it may be shown and briefed on a day: with the groups that hold, and that it
/// consents to.
pub async fn shown(c: C<'_>, mut household: Household, on: NaiveDate) -> Result<Household> {
    let entries = entries(c, household.id).await?;
    household.groups = shown_groups(&household.groups, &entries, on);
    Ok(household)
}

/// Takes out of a job what its household does not consent to any more: what was briefed before is not shown again.
pub async fn withhold(c: C<'_>, job: &mut Job) -> Result<()> {
    let entries = entries(c, job.briefing.household.id).await?;
    if consent(&entries, Purpose::Groups) == Some(Consent::Withdrawn) {
        job.briefing.household.groups.clear();
    }
    Ok(())
}

/// Tells phones which groups of a household may be shown now: its jobs are briefed anew, as an edit of the server's own.
///
/// What a withdrawn consent hides is gone from a phone at its next exchange (PIPL 15). The hall's row has to be held.
pub async fn brief_groups(
    state: &AppState,
    tx: &mut Tx,
    (hall, by): (HallId, UserId),
    household: &Household,
) -> Result<(), ApiError> {
    let now = state.clock.now();
    for job in places::list_jobs_at(tx.c(), hall, household.id).await? {
        let mut doc = load(tx.c(), JobId(job)).await?;
        let before = read(&doc)?;
        let pack = state.packs.find(tx.c(), &before.pack).await?;
        let today = city_day(now, pack.time.utc_offset_minutes);
        let groups = shown(tx.c(), household.clone(), today).await?.groups;
        let mut briefing = before.briefing;
        briefing.household.groups = groups;
        let pen = Pen { actor: state.actor.clone(), at: now };
        let change = briefing_change(&mut doc, &pen, &briefing);
        let change = change.map_err(|error| ApiError::Internal(error.into()))?;
        let Some(bytes) = change else { continue };
        let position = halls::take_positions(tx.c(), hall, 2).await?;
        let row = change_row((hall, by, JobId(job)), (position, now), bytes)?;
        changes::insert_changes(tx.c(), &[row]).await?;
        let happening = Happening { what: "planned", facts: Vec::new(), added: Vec::new() };
        settle(tx.c(), &read(&doc)?, &happening, (&pack, now, position + 1)).await?;
    }
    Ok(())
}

/// The meters that hang at a household, each with its past: the register's readings, those of visits, and what the
/// household said itself; across changes of the meter.
pub async fn meters_of(mut c: C<'_>, household: HouseholdId) -> Result<Vec<Meter>> {
    let register = meters::list_meters(c.lend(), household).await?;
    let changes = meter_changes::list_changes(c.lend(), household).await?;
    let mut read: BTreeMap<MeterId, Vec<PastReading>> = BTreeMap::new();
    let visited = ledger::list_readings(c.lend(), household).await?;
    for (meter, reading) in taken(&visited)? {
        read.entry(meter).or_default().push(reading);
    }
    for written in entries(c, household).await? {
        let Entry::RegisterReported { meter, register, on, state, .. } = written.entry else {
            continue;
        };
        read.entry(meter).or_default().push(PastReading { on, register, state });
    }
    Ok(meter::hanging(&register, &changes, &read))
}

/// The registers that visits read, without those that were corrected since; the last ones of meters that were taken
/// out come with their changes.
fn taken(rows: &[ReadingRow]) -> Result<Vec<(MeterId, PastReading)>> {
    let corrected: BTreeSet<&str> =
        rows.iter().filter_map(|row| row.body.0["corrects"].as_str()).collect();
    let mut taken = Vec::new();
    for row in rows.iter().filter(|row| row.body.0["type"] == "read") {
        let Some(litres) = row.register else { continue };
        if corrected.contains(row.fact_id.to_string().as_str()) {
            continue;
        }
        let state = row.body.0["state"].as_str().and_then(ReadingState::from_key);
        let (register, state) = (Volume(litres), state.unwrap_or_default());
        let on = row.read_on.parse().map_err(undecodable)?;
        taken.push((MeterId(row.meter_id), PastReading { on, register, state }));
    }
    Ok(taken)
}

/// The season as the hall's registers tell it, learnt once a day (A9).
pub async fn season(
    mut c: C<'_>,
    hall: HallId,
    (on, pack): (NaiveDate, &Pack),
) -> Result<Option<Season>> {
    let Some(rules) = &pack.reading.season else { return Ok(None) };
    let day = on.to_string();
    if let Some(learnt) = meter_changes::find_season(c.lend(), hall, &day).await? {
        return serde_json::from_value(learnt).map_err(undecodable);
    }
    let since = on.checked_sub_months(Months::new(rules.months + 3)).unwrap_or(on).to_string();
    let asked = (i64::from(rules.most_meters), since.as_str());
    let sample = meters::list_sample(c.lend(), hall, asked).await?;
    let season = learn(&sample, on, pack);
    meter_changes::insert_season(c, hall, &day, season.as_ref()).await?;
    Ok(season)
}

fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
