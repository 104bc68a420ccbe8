//! Erasing a household at its request, and what is over by its age (PIPL 19, 47).
//!
//! Raw changes are emptied and never removed: hash, position, actor and number stay, so a phone that offers one of them
//! again is told that the hall has it, nobody takes its actor, and no cursor skips. What a phone still brings for an
//! erased job waits apart, as for a job that the hall does not have.

use domain::id::{HallId, HouseholdId, JobId, UserId};
use domain::stamp::Timestamp;
use serde_json::json;

use crate::audit::{self, By, Entry, Subject, What};
use crate::config::Config;
use crate::db::erasure::{self, Emptied, ErasureRow, Open, OverRow};
use crate::db::{C, Db, Tx, grants, halls, households};
use crate::hazards;
use crate::http::error::ApiError;
use crate::ids::fresh_uuid;
use crate::packs::Packs;
use crate::photos;
use crate::state::AppState;

const DAY_MS: i64 = 86_400_000;

/// Jobs that are emptied in one turn of upkeep, so that nobody waits long for it.
const JOBS_AT_ONCE: i64 = 100;

/// Pictures that are taken from the store in one turn.
const PHOTOS_AT_ONCE: i64 = 500;

/// What stands in the way of erasing a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EraseError {
    /// Somebody still has to go there.
    #[error("{0} jobs are open: finish or cancel them first")]
    OpenJobs(i64),
    /// Somebody still owes it an answer.
    #[error("{0} cases are open: close them first")]
    OpenCases(i64),
    /// It still waits for something.
    #[error("{0} applications are open: finish or withdraw them first")]
    OpenApplications(i64),
    /// A danger is not gone.
    #[error("{0} hazards are open: they are kept until somebody saw that they are gone")]
    OpenHazards(i64),
    /// What phones handed in waits for a word.
    #[error("{0} changes wait in quarantine or for others: release them or let them come first")]
    Apart(i64),
    /// It was erased before.
    #[error("this household was erased before")]
    Already,
}

impl EraseError {
    /// The word in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::OpenJobs(_) => "open_jobs",
            Self::OpenCases(_) => "open_cases",
            Self::OpenApplications(_) => "open_applications",
            Self::OpenHazards(_) => "open_hazards",
            Self::Apart(_) => "apart",
            Self::Already => "already",
        }
    }
}

/// What was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Jobs.
    pub jobs: usize,
    /// Raw changes and pictures of them.
    pub emptied: Emptied,
}

/// What is over by its age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Over {
    /// Jobs that ended long ago.
    pub jobs: u64,
    /// Pictures.
    pub photos: u64,
    /// People who left long ago.
    pub accounts: u64,
}

/// Erases a household of a hall: everything that names its people or was said with them.
pub async fn erase_household(
    state: &AppState,
    (hall, household): (HallId, HouseholdId),
    (by, user): (By, UserId),
    reason: &str,
) -> Result<Erased, ApiError> {
    let now = state.clock.now();
    let now_ms = now.timestamp_millis();
    let mut tx = state.db.begin().await?;
    // Holds the hall's row, so that no phone adds to what is being emptied.
    halls::take_positions(tx.c(), hall, 0).await?;
    let found = households::find_household(tx.c(), hall, household).await?;
    let found = found.ok_or(ApiError::NotFound("household"))?;
    if found.holder.is_empty() && found.account.starts_with("erased-") {
        return Err(EraseError::Already.into());
    }
    check_open(state, tx.c(), household).await?;
    let jobs = erasure::list_jobs(tx.c(), hall, household).await?;
    let mut emptied = Emptied::default();
    for row in &jobs {
        let one = empty(&mut tx, row, now_ms).await?;
        emptied.changes += one.changes;
        emptied.photos += one.photos;
    }
    erasure::empty_household(tx.c(), hall, household, now_ms).await?;
    let count = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
    let row = ErasureRow {
        erasure_id: fresh_uuid(now),
        household,
        by: user,
        at: now_ms,
        reason: reason.to_owned(),
        jobs: count,
        emptied,
    };
    erasure::insert_erasure(tx.c(), hall, &row).await?;
    let entry = Entry::new(by, What::HouseholdErased, Subject::Id("household", household.0));
    let detail = json!({"jobs": count, "changes": emptied.changes, "photos": emptied.photos});
    audit::keep(tx.c(), now, entry.with(detail)).await?;
    let end = halls::find_hall(tx.c(), hall).await?.map_or(0, |row| row.next_position - 1);
    tx.commit().await?;
    state.bell.ring(hall, end);
    Ok(Erased { jobs: jobs.len(), emptied })
}

async fn check_open(
    state: &AppState,
    mut c: C<'_>,
    household: HouseholdId,
) -> Result<(), ApiError> {
    let Open { jobs, cases, applications, apart } =
        erasure::count_open(c.lend(), household).await?;
    let home = hazards::home(&state.packs, c, household).await?;
    let hazards = i64::try_from(home.open.len()).unwrap_or(i64::MAX);
    let blockers = [
        (jobs, EraseError::OpenJobs(jobs)),
        (cases, EraseError::OpenCases(cases)),
        (applications, EraseError::OpenApplications(applications)),
        (hazards, EraseError::OpenHazards(hazards)),
        (apart, EraseError::Apart(apart)),
    ];
    match blockers.into_iter().find(|(count, _)| *count > 0) {
        Some((_, error)) => Err(error.into()),
        None => Ok(()),
    }
}

/// Empties one job and takes it from phones that still hold it.
async fn empty(tx: &mut Tx, row: &OverRow, now_ms: i64) -> Result<Emptied, sqlx::Error> {
    let (hall, job) = (HallId(row.hall_id), JobId(row.job_id));
    let held = grants::list_job_grants(tx.c(), job).await?;
    for grant in held.iter().filter(|grant| grant.withdrawn_position.is_none()) {
        let position = halls::take_positions(tx.c(), hall, 1).await?;
        grants::withdraw_grant(tx.c(), job, UserId(grant.user_id), position).await?;
    }
    erasure::empty_job(tx.c(), hall, job, now_ms).await
}

/// Erases what is over for as long as the operator set; 0 days erase nothing.
pub async fn prune(state: &AppState) -> anyhow::Result<Over> {
    let now = state.clock.now();
    // Pictures first: those of a job that goes as well are counted here.
    let over = Over {
        photos: prune_photos(state, now).await?,
        jobs: prune_jobs(state, now).await?,
        accounts: prune_accounts(state, now).await?,
    };
    take_from_store(state).await?;
    Ok(over)
}

/// Counts what the next turns would erase; changes nothing.
pub async fn preview(db: &Db, config: &Config, now: Timestamp) -> anyhow::Result<Over> {
    let mut over = Over::default();
    let packs = Packs::default();
    let mut conn = db.read().await?;
    if let Some(before) = before(now, config.job_days) {
        let rows = erasure::list_over_jobs(conn.c(), before, i64::MAX).await?;
        for row in rows {
            over.jobs += u64::from(!has_open_hazard(&packs, conn.c(), &row).await?);
        }
    }
    if let Some(before) = before(now, config.photo_days) {
        let count = erasure::count_old_photos(conn.c(), before).await?;
        over.photos = u64::try_from(count).unwrap_or(0);
    }
    if let Some(before) = before(now, config.account_days) {
        let old = erasure::list_old_accounts(conn.c(), before).await?;
        over.accounts = u64::try_from(old.len()).unwrap_or(0);
    }
    Ok(over)
}

fn before(now: Timestamp, days: u32) -> Option<i64> {
    (days > 0).then(|| now.timestamp_millis() - i64::from(days) * DAY_MS)
}

async fn prune_jobs(state: &AppState, now: Timestamp) -> anyhow::Result<u64> {
    let Some(before) = before(now, state.config.job_days) else { return Ok(0) };
    let rows = erasure::list_over_jobs(state.db.read().await?.c(), before, JOBS_AT_ONCE).await?;
    let mut count = 0;
    for row in rows {
        let mut tx = state.db.begin().await?;
        halls::take_positions(tx.c(), HallId(row.hall_id), 0).await?;
        if has_open_hazard(&state.packs, tx.c(), &row).await? {
            continue;
        }
        let emptied = empty(&mut tx, &row, now.timestamp_millis()).await?;
        let by = By { hall: Some(HallId(row.hall_id)), ..By::server() };
        let entry = Entry::new(by, What::RecordsErased, Subject::Id("job", row.job_id));
        let detail = json!({"changes": emptied.changes, "photos": emptied.photos});
        audit::keep(tx.c(), now, entry.with(detail)).await?;
        tx.commit().await?;
        count += 1;
    }
    Ok(count)
}

/// Whether one of its findings is still open (S14).
async fn has_open_hazard(packs: &Packs, c: C<'_>, row: &OverRow) -> anyhow::Result<bool> {
    let home = hazards::home(packs, c, HouseholdId(row.household_id)).await?;
    let findings = home.open.iter().flat_map(|(hazard, _)| &hazard.findings);
    Ok(findings.into_iter().any(|it| it.0.0 == row.job_id))
}

async fn prune_photos(state: &AppState, now: Timestamp) -> anyhow::Result<u64> {
    let Some(before) = before(now, state.config.photo_days) else { return Ok(0) };
    let mut tx = state.db.begin().await?;
    let count = erasure::erase_old_photos(tx.c(), before, now.timestamp_millis()).await?;
    if count > 0 {
        let entry = Entry::new(By::server(), What::RecordsErased, Subject::Nothing);
        audit::keep(tx.c(), now, entry.with(json!({"photos": count}))).await?;
    }
    tx.commit().await?;
    Ok(count)
}

async fn prune_accounts(state: &AppState, now: Timestamp) -> anyhow::Result<u64> {
    let Some(before) = before(now, state.config.account_days) else { return Ok(0) };
    let mut tx = state.db.begin().await?;
    let old = erasure::list_old_accounts(tx.c(), before).await?;
    for (user, hall) in &old {
        erasure::empty_account(tx.c(), *user, now.timestamp_millis()).await?;
        let by = By { hall: Some(*hall), ..By::server() };
        let entry = Entry::new(by, What::RecordsErased, Subject::Id("person", user.0));
        audit::keep(tx.c(), now, entry).await?;
    }
    tx.commit().await?;
    Ok(u64::try_from(old.len()).unwrap_or(u64::MAX))
}

/// Takes erased pictures from the store; what fails is tried again with the next turn.
pub async fn take_from_store(state: &AppState) -> anyhow::Result<u64> {
    let doomed = erasure::list_doomed_photos(state.db.read().await?.c(), PHOTOS_AT_ONCE).await?;
    let mut count = 0;
    for row in doomed {
        let hall = HallId(row.hall_id);
        state.photos.delete(&photos::key(hall, &row.hash)).await?;
        let mut tx = state.db.begin().await?;
        erasure::note_gone(tx.c(), hall, &row.hash, state.clock.now_ms()).await?;
        tx.commit().await?;
        count += 1;
    }
    Ok(count)
}
