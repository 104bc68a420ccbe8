//! What the hall knows of a household: its register, what staff wrote into its ledger, and what visits found.

use chrono::NaiveDate;
use domain::household::Household;
use domain::id::{EntryId, HouseholdId, UserId};
use domain::job::{Author, Job};
use domain::ledger::{Consent, Entry, Purpose, Written, consent, shown_groups};

use crate::db::ledger::EntryRow;
use crate::db::{C, Result, ledger};

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
