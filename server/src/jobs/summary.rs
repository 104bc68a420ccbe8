//! What lists, boards and the live stream show of a job.

use std::collections::BTreeMap;

use domain::household::Household;
use domain::id::{HallId, HouseholdId, JobId, UserId};
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::jobs::{self, Filter, JobRow, ListedRow};
use crate::db::{C, Result, devices};
use crate::reports;

/// A job in a list; instants are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobSummary {
    /// The job.
    #[schema(value_type = Uuid)]
    pub id: JobId,
    /// The key of its kind.
    pub kind: String,
    /// The key of its status.
    pub status: String,
    /// Since when it stands so, at the latest that this can have been.
    pub status_since: Option<i64>,
    /// Whose door it is.
    pub household: Door,
    /// Who has it by the plan.
    #[schema(value_type = Option<Uuid>)]
    pub technician: Option<UserId>,
    /// The window that holds.
    pub window: Option<WindowBody>,
    /// What was promised.
    pub promise: Option<PromiseBody>,
    /// What clashes, until a ruling.
    #[schema(schema_with = crate::http::schema::clashes)]
    pub clashes: Value,
    /// When the hall took it on.
    pub created_at: i64,
    /// Where in the hall's feed it changed last.
    pub position: i64,
    /// When a phone of its technician was heard last.
    pub heard_at: Option<i64>,
}

/// What decides the verdicts that time alone decides.
#[derive(Clone, Debug)]
pub struct Known {
    /// The server's time.
    pub now: Timestamp,
    /// Up to when the hall has what each technician's phone recorded, Unix milliseconds.
    pub heard_until: BTreeMap<UserId, i64>,
}

impl Known {
    /// Asks up to when each phone of the hall was heard.
    pub async fn load(c: C<'_>, hall: HallId, now: Timestamp) -> Result<Self> {
        Ok(Self { now, heard_until: devices::list_heard_until(c, hall).await? })
    }

    /// Asks only where time has something to decide.
    pub async fn for_row(c: C<'_>, row: &JobRow, now: Timestamp) -> Result<Self> {
        if row.promise_due_at.is_some_and(|due_at| due_at < now.timestamp_millis()) {
            return Self::load(c, HallId(row.hall_id), now).await;
        }
        Ok(Self { now, heard_until: BTreeMap::new() })
    }
}

/// Whose door it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Door {
    /// The household.
    #[schema(value_type = Uuid)]
    pub id: HouseholdId,
    /// Its account number.
    pub account: String,
    /// The holder's name.
    pub holder: String,
    /// The address.
    pub address: String,
}

impl Door {
    /// The door of a household.
    pub fn of(household: &Household) -> Self {
        Self {
            id: household.id,
            account: household.account.clone(),
            holder: household.holder.clone(),
            address: household.address.clone(),
        }
    }
}

/// A window, Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WindowBody {
    /// Nobody comes before this.
    pub start: i64,
    /// Nobody comes after this.
    pub end: i64,
}

/// A promise with its state as of now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PromiseBody {
    /// The rule of the rulebook.
    pub rule: String,
    /// When it is broken, Unix milliseconds.
    pub due_at: i64,
    /// The key of its state.
    pub state: String,
}

impl JobSummary {
    /// Puts a job's row and its household together.
    pub fn new(row: JobRow, household: &Household, heard_at: Option<i64>, known: &Known) -> Self {
        Self::with_door(row, Door::of(household), heard_at, known)
    }

    fn with_door(row: JobRow, household: Door, heard_at: Option<i64>, known: &Known) -> Self {
        let window = row.window_start.zip(row.window_end);
        let promise = row.promise_rule.zip(row.promise_due_at).zip(row.promise_state);
        let Json(clashes) = row.clashes;
        Self {
            id: JobId(row.job_id),
            kind: row.kind,
            status: row.status,
            status_since: row.status_since,
            household,
            technician: row.technician_id.map(UserId),
            window: window.map(|(start, end)| WindowBody { start, end }),
            promise: promise.map(|((rule, due_at), state)| {
                let due = (due_at, row.promise_user_id);
                let state = reports::promise_state(state, due, known.now, &known.heard_until);
                PromiseBody { rule, due_at, state }
            }),
            clashes,
            created_at: row.created_at,
            position: row.updated_position,
            heard_at,
        }
    }

    fn listed(row: ListedRow, known: &Known) -> Self {
        let door = Door {
            id: HouseholdId(row.job.household_id),
            account: row.account,
            holder: row.holder,
            address: row.address,
        };
        Self::with_door(row.job, door, row.heard_at, known)
    }
}

/// Lists one page of a hall's jobs after an id, in the order of ids.
pub async fn list_page(
    mut c: C<'_>,
    hall: HallId,
    filter: &Filter,
    (after, limit): (Uuid, i64),
    now: Timestamp,
) -> Result<Vec<JobSummary>> {
    let known = Known::load(c.lend(), hall, now).await?;
    let rows = jobs::list_jobs(c, hall, filter, (after, limit)).await?;
    Ok(rows.into_iter().map(|row| JobSummary::listed(row, &known)).collect())
}

/// Lists the jobs of a hall: every one, or besides the open ones only those from an instant on.
pub async fn list_recent(
    c: C<'_>,
    hall: HallId,
    recent: Option<i64>,
    now: Timestamp,
) -> Result<Vec<JobSummary>> {
    let filter = Filter { recent, ..Filter::default() };
    list_page(c, hall, &filter, (Uuid::nil(), i64::MAX), now).await
}

/// Finds one job of a hall.
pub async fn find(
    c: C<'_>,
    hall: HallId,
    job: JobId,
    now: Timestamp,
) -> Result<Option<JobSummary>> {
    let filter = Filter { job: Some(job.0), ..Filter::default() };
    Ok(list_page(c, hall, &filter, (Uuid::nil(), 1), now).await?.pop())
}
