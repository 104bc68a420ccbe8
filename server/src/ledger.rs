//! What the hall knows of a household: its register, what staff wrote into its ledger, and what visits found.

use chrono::NaiveDate;
use domain::calendar::city_day;
use domain::household::Household;
use domain::id::{EntryId, HallId, HouseholdId, JobId, UserId};
use domain::job::{Author, Job};
use domain::ledger::{Consent, Entry, Purpose, Written, consent, shown_groups};
use sync::document::{Pen, briefing_change};

use crate::db::ledger::EntryRow;
use crate::db::{C, Result, Tx, changes, halls, ledger, places};
use crate::http::error::ApiError;
use crate::jobs::plan::{change_row, load, read};
use crate::jobs::settle::{Happening, settle};
use crate::state::AppState;

/// What the live stream calls news of a household.
pub const LIVE_KIND: &str = "household";

/// Everything that staff wrote into a household's ledger, oldest first.
pub async fn entries(c: C<'_>, household: HouseholdId) -> Result<Vec<Written>> {
    ledger::list_entries(c, household).await?.into_iter().map(written).collect()
}

/// An entry as it was written.
pub fn written(row: EntryRow) -> Result<Written> {
    let decode = |error: serde_json::Error| sqlx::Error::Decode(error.into());
    let entry: Entry = serde_json::from_value(row.body.0).map_err(decode)?;
    let at = chrono::DateTime::from_timestamp_millis(row.at);
    let at = at.ok_or_else(|| sqlx::Error::Decode("an entry without a time".into()))?;
    let author = Author { by: UserId(row.author_id), at };
    Ok(Written { id: EntryId(row.entry_id), author, entry })
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
