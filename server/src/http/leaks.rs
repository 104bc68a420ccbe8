//! Leaks: watched on every console until somebody is there (B2).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::callout::Answer;
use domain::id::{HallId, JobId, UserId};
use domain::job::Job;
use domain::stamp::Timestamp;
use domain::visit::{Fact, live_facts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Caller, Dispatcher, Staff};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::schema;
use crate::db::leaks::{self, UrgentRow};
use crate::db::users::{self, Filter};
use crate::db::{C, contacts, halls, live_events, notices};
use crate::jobs::plan::{load, read};
use crate::leak::{self, LIVE_KIND};
use crate::retry::until_won;
use crate::state::AppState;

/// Emergencies shown at once; a hall with more of them has another problem.
const MOST_SHOWN: i64 = 50;

/// People whose names are looked up.
const MOST_PEOPLE: i64 = 2000;

/// The emergencies that nobody has reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeaksBody {
    /// Oldest first.
    leaks: Vec<LeakBody>,
    /// The server's time, Unix milliseconds: what clocks count from.
    now: i64,
}

/// An emergency; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeakBody {
    job: Uuid,
    #[schema(schema_with = schema::status)]
    status: String,
    account: String,
    address: String,
    /// No register knows the place; `address` is what the caller said.
    unregistered: bool,
    created_at: i64,
    /// When the promise to be there is broken.
    due_at: Option<i64>,
    /// `calling`, `led`, `alarm`; `null` where nobody is called.
    state: Option<String>,
    /// The number that the caller can be reached at.
    caller_phone: Option<String>,
    /// Who was called, in their order.
    called: Vec<CalledBody>,
    /// Who has the job.
    lead: Option<PersonBody>,
    /// Who else comes.
    supports: Vec<PersonBody>,
    /// A road that is blocked, as a phone reports it.
    road_blocked: Option<BlockedBody>,
    /// Since when every console sounds; none while there is no alarm.
    alarm_at: Option<i64>,
    /// Who took the alarm on.
    taken_by: Option<PersonBody>,
    taken_at: Option<i64>,
}

/// Somebody who was called.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalledBody {
    #[serde(flatten)]
    person: PersonBody,
    at: i64,
    /// When the next person is called.
    until: i64,
    /// When a phone showed them the call, in the app or by a message that they tapped; `null` while nobody knows.
    shown_at: Option<i64>,
    /// `accepted` or `declined`; `null` while they have said nothing.
    answer: Option<&'static str>,
    /// Why they cannot come, in their words.
    reason: String,
}

/// Somebody to phone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonBody {
    id: Uuid,
    name: String,
    phone: Option<String>,
}

/// A blocked road.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockedBody {
    reason: String,
    /// The picture's name; without one it excuses nothing (B2).
    photo: Option<String>,
}

/// Lists the emergencies that nobody has reached, with who was called and what they said.
#[utoipa::path(
    get, path = "/api/leaks", tag = "leaks",
    responses((status = 200, description = "Oldest first.", body = LeaksBody)),
)]
pub async fn list_leaks(
    State(state): State<AppState>,
    Staff(caller): Staff,
) -> Result<Json<LeaksBody>, ApiError> {
    let now = state.clock.now();
    let mut conn = state.db.read().await?;
    let rows = leaks::list_urgent(conn.c(), caller.hall, MOST_SHOWN).await?;
    if rows.is_empty() {
        return Ok(Json(LeaksBody { leaks: Vec::new(), now: now.timestamp_millis() }));
    }
    let people = people(conn.c(), caller.hall).await?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        shown.push(leak_body(&state, conn.c(), (row, now), &people).await?);
    }
    Ok(Json(LeaksBody { leaks: shown, now: now.timestamp_millis() }))
}

/// An alarm that somebody takes on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeAlarm {}

/// Takes on an alarm in one's own name: the sound ends on every console, and one's name stands there.
#[utoipa::path(
    post, path = "/api/leaks/{id}/alarm", tag = "leaks", request_body = TakeAlarm,
    params(("id" = Uuid, Path, description = "The leak's job.")),
    responses(
        (status = 204, description = "It is in the caller's name, or was in somebody's already."),
        (status = 404, description = "No such leak, or no alarm."),
    ),
)]
pub async fn take_alarm(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Path(job): Path<JobId>,
    Body(TakeAlarm {}): Body<TakeAlarm>,
) -> Result<StatusCode, ApiError> {
    until_won(|| take(&state, &caller, job)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn take(state: &AppState, caller: &Caller, job: JobId) -> Result<(), ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let row = leaks::find_leak(tx.c(), job).await?;
    let row = row.filter(|it| it.hall_id == caller.hall.0 && it.state == "alarm");
    let mut row = row.ok_or(ApiError::NotFound("alarm"))?;
    if row.taken_by.is_some() {
        // Whoever was first has it; both are shown the name.
        return Ok(());
    }
    row.taken_by = Some(caller.user.0);
    row.taken_at = Some(now.timestamp_millis());
    leaks::update_leak(tx.c(), &row).await?;
    live_events::insert_hint(tx.c(), caller.hall, (LIVE_KIND, job.0), (now, position)).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(())
}

/// Names and numbers of everybody of a hall.
async fn people(mut c: C<'_>, hall: HallId) -> Result<BTreeMap<Uuid, PersonBody>, ApiError> {
    let numbers = contacts::list_contacts(c.lend(), hall).await?;
    let mut numbers: BTreeMap<Uuid, Option<String>> =
        numbers.into_iter().map(|it| (it.user_id, it.phone)).collect();
    let filter = Filter { role: None, disabled: None, pattern: None };
    let rows = users::list_users(c, hall, &filter, (String::new(), MOST_PEOPLE)).await?;
    let person = |row: users::UserRow| {
        let phone = numbers.remove(&row.user_id).flatten();
        (row.user_id, PersonBody { id: row.user_id, name: row.name, phone })
    };
    Ok(rows.into_iter().map(person).collect())
}

async fn leak_body(
    state: &AppState,
    mut c: C<'_>,
    (row, now): (UrgentRow, Timestamp),
    people: &BTreeMap<Uuid, PersonBody>,
) -> Result<LeakBody, ApiError> {
    let job = read(&load(c.lend(), JobId(row.job_id)).await?)?;
    let pack = state.packs.find(c.lend(), &job.pack).await?;
    let shown = notices::list_shown_calls(c.lend(), job.id).await?;
    let found = leak::callout(c, &job, (&pack, now)).await?;
    let person = |id: UserId, name: &str| {
        let unknown = || PersonBody { id: id.0, name: name.to_owned(), phone: None };
        people.get(&id.0).cloned().unwrap_or_else(unknown)
    };
    let called = found.called.iter().map(|it| CalledBody {
        shown_at: shown.get(&it.technician.0).copied(),
        person: person(it.technician, &it.name),
        at: it.at.timestamp_millis(),
        until: it.until.timestamp_millis(),
        answer: it.answer.as_ref().map(|answer| match answer {
            Answer::Accepted => "accepted",
            Answer::Declined { .. } => "declined",
        }),
        reason: match &it.answer {
            Some(Answer::Declined { reason }) => reason.clone(),
            Some(Answer::Accepted) | None => String::new(),
        },
    });
    let lead = row.technician_id.map(UserId);
    let coming = found.lead.iter().chain(&found.supports).filter(|it| Some(**it) != lead);
    Ok(LeakBody {
        called: called.collect(),
        lead: lead.map(|it| person(it, "")),
        supports: coming.map(|it| person(*it, "")).collect(),
        road_blocked: blocked(&job),
        job: row.job_id,
        status: row.status,
        account: row.account,
        address: row.address,
        unregistered: row.unregistered_at.is_some(),
        created_at: row.created_at,
        due_at: row.promise_due_at,
        state: row.state,
        caller_phone: row.caller_phone,
        alarm_at: row.alarm_at,
        taken_by: row.taken_by.map(|it| person(UserId(it), "")),
        taken_at: row.taken_at,
    })
}

/// The last blocked road that was reported; one with a picture before one without.
fn blocked(job: &Job) -> Option<BlockedBody> {
    let facts = job.visits.values().flat_map(live_facts);
    let reported = facts.filter_map(|(id, recorded)| {
        let Fact::RoadBlocked { reason, photo } = &recorded.fact else { return None };
        Some((photo.is_some(), id, BlockedBody { reason: reason.clone(), photo: photo.clone() }))
    });
    reported.max_by_key(|(has_photo, id, _)| (*has_photo, *id)).map(|(_, _, body)| body)
}
