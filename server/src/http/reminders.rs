//! What somebody is reminded of, and the duties of those who lead a hall (D5).

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{NaiveDate, TimeDelta};
use domain::calendar::city_day;
use domain::reminder;
use domain::stamp::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::extract::{Body, Path, Query, read_whole};
use super::schema;
use crate::audit::{self, Entry, Subject, What};
use crate::db::halls::{self, HallRow};
use crate::db::reminders::{self as rows, DutyRow, ReminderRow, ShownRow};
use crate::db::{C, live_events};
use crate::identity::Role;
use crate::reminders::LIVE_KIND;
use crate::state::AppState;

/// The most reminders that are listed.
const MOST_SHOWN: i64 = 500;

/// The most days of duties that are listed.
const MOST_DAYS: i64 = 62;

/// Letters of what is written down about a duty.
const LONGEST_NOTE: usize = 2000;

/// What somebody is reminded of, the first due first; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemindersBody {
    reminders: Vec<ReminderBody>,
    /// For how many minutes one can be put off.
    snooze_minutes: Vec<i64>,
}

/// Something to see to; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReminderBody {
    id: Uuid,
    /// What it is about.
    #[schema(schema_with = schema::reminder_about)]
    about: String,
    /// The technician who is reminded; none for the desk.
    technician: Option<Uuid>,
    /// The job.
    job: Option<Uuid>,
    /// The key of its kind.
    kind: Option<String>,
    /// The case.
    case: Option<Uuid>,
    /// What people call it.
    case_number: Option<i64>,
    /// The household.
    household: Option<Uuid>,
    /// Its address.
    address: Option<String>,
    /// The phone.
    device: Option<Uuid>,
    /// What its user calls it.
    device_name: Option<String>,
    /// Who has the job, the case or the phone.
    person: Option<String>,
    /// The outage.
    outage: Option<Uuid>,
    /// Where it is, in words.
    outage_area: Option<String>,
    /// The duty.
    duty: Option<DutyWords>,
    /// What it counts down to.
    due_at: i64,
    /// When it ends by itself.
    until: i64,
    /// Until when it is put off.
    snoozed_until: Option<i64>,
}

/// What a duty is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DutyWords {
    /// Its key.
    id: String,
    /// Its words in Chinese.
    zh: String,
    /// Its words in English.
    en: String,
}

/// Lists what the caller is reminded of: a technician their own, staff the desk's.
#[utoipa::path(
    get, path = "/api/reminders", tag = "reminders",
    responses((status = 200, description = "What to see to.", body = RemindersBody)),
)]
pub async fn list_reminders(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<RemindersBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let now = state.clock.now();
    let technician = (caller.role == Role::Technician).then_some(caller.user);
    let asked = (technician, now.timestamp_millis());
    let shown = rows::list_shown(conn.c(), caller.hall, asked, MOST_SHOWN).await?;
    let pack = state.packs.in_force(conn.c(), now).await?;
    let rules = pack.reminders.as_ref();
    let duties = rules.map(|it| it.duties.as_slice()).unwrap_or_default();
    let words: BTreeMap<&str, DutyWords> = duties
        .iter()
        .map(|it| {
            let words = DutyWords { id: it.id.clone(), zh: it.zh.clone(), en: it.en.clone() };
            (it.id.as_str(), words)
        })
        .collect();
    let reminders = shown.into_iter().map(|row| reminder_body(row, &words)).collect();
    let snooze_minutes = rules.map(|it| it.snooze_minutes.clone()).unwrap_or_default();
    Ok(Json(RemindersBody { reminders, snooze_minutes }))
}

fn reminder_body(row: ShownRow, words: &BTreeMap<&str, DutyWords>) -> ReminderBody {
    let duty = if row.about == "duty" { words.get(row.subject.as_str()).cloned() } else { None };
    ReminderBody {
        id: row.reminder_id,
        about: row.about,
        technician: row.user_id,
        job: row.job_id,
        kind: row.job_kind,
        case: row.case_id,
        case_number: row.case_number,
        household: row.household_id,
        address: row.address,
        device: row.device_id,
        device_name: row.device_name,
        person: row.person_name,
        outage: row.outage_id,
        outage_area: row.outage_area,
        duty,
        due_at: row.due_at,
        until: row.until_at,
        snoozed_until: row.snoozed_until,
    }
}

/// For how long.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSnooze {
    /// One of the rule pack's `snooze_minutes`.
    #[schema(minimum = 1, maximum = 1440)]
    #[serde(deserialize_with = "read_whole")]
    minutes: i64,
    /// When a phone without a network was told, Unix milliseconds; the minutes run from then.
    #[schema(value_type = i64, minimum = 0, maximum = 4_102_444_800_000_i64)]
    #[serde(default, deserialize_with = "read_said_at")]
    said_at: Option<i64>,
}

fn read_said_at<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    read_whole(deserializer).map(Some)
}

/// Puts a reminder off; it comes again unless its cause is gone by then.
#[utoipa::path(
    post, path = "/api/reminders/{id}/snooze", tag = "reminders", request_body = AskSnooze,
    params(("id" = Uuid, Path, description = "The reminder.")),
    responses(
        (status = 204, description = "It is put off."),
        (status = 404, description = "Nobody is reminded of that, or not the caller."),
        (status = 422, description = "Not for so long."),
    ),
)]
pub async fn snooze_reminder(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(asked): Body<AskSnooze>,
) -> Result<StatusCode, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let pack = state.packs.in_force(tx.c(), now).await?;
    let allowed = pack.reminders.as_ref().map(|it| it.snooze_minutes.as_slice());
    let allowed = allowed.unwrap_or_default();
    if !allowed.contains(&asked.minutes) {
        let minutes: Vec<String> = allowed.iter().map(i64::to_string).collect();
        let rule = format!("a reminder is put off by one of {} minutes", minutes.join(", "));
        return Err(ApiError::Unprocessable(rule));
    }
    find_own(tx.c(), &caller, id).await?;
    let said_at = asked.said_at.unwrap_or(i64::MAX).min(now.timestamp_millis());
    let until = said_at.saturating_add(asked.minutes * 60_000);
    // What came too late is over, and nobody is told twice of it.
    if until <= now.timestamp_millis() {
        return Ok(StatusCode::NO_CONTENT);
    }
    rows::snooze_reminder(tx.c(), id, until).await?;
    live_events::insert_hint(tx.c(), caller.hall, (LIVE_KIND, id), (now, position)).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(StatusCode::NO_CONTENT)
}

/// Says that a reminder is seen to: it does not come again for this occasion.
#[utoipa::path(
    post, path = "/api/reminders/{id}/done", tag = "reminders",
    params(("id" = Uuid, Path, description = "The reminder.")),
    responses(
        (status = 204, description = "It is seen to."),
        (status = 404, description = "Nobody is reminded of that, or not the caller."),
        (status = 422, description = "A duty, which is recorded with what was done."),
    ),
)]
pub async fn finish_reminder(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let row = find_own(tx.c(), &caller, id).await?;
    if row.about == "duty" {
        let rule = "record the duty itself: PUT /api/duties/{day}/{duty}";
        return Err(ApiError::Unprocessable(rule.to_owned()));
    }
    rows::finish_reminder(tx.c(), id, (caller.user, now.timestamp_millis())).await?;
    live_events::insert_hint(tx.c(), caller.hall, (LIVE_KIND, id), (now, position)).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(StatusCode::NO_CONTENT)
}

/// A reminder that has not ended and that the caller may see to.
async fn find_own(c: C<'_>, caller: &Caller, id: Uuid) -> Result<ReminderRow, ApiError> {
    let found = rows::find_reminder(c, caller.hall, id).await?;
    let is_desk = caller.role != Role::Technician;
    let is_own = |row: &ReminderRow| is_desk || row.user_id == Some(caller.user.0);
    found.filter(|row| row.ended_at.is_none() && is_own(row)).ok_or(ApiError::NotFound("reminder"))
}

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskDuties {
    /// The first day in the hall's city, like 2026-03-02.
    #[param(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day, no earlier, at most 61 days later.
    #[param(value_type = String, format = Date)]
    to: NaiveDate,
}

/// The duties of some days.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutiesBody {
    duties: Vec<DutyBody>,
}

/// A duty on a day; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutyBody {
    /// The day of the hall's city.
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
    duty: DutyWords,
    /// From when on it should be done.
    from: i64,
    /// From then on it is missed.
    until: i64,
    /// `coming`, `open`, `done`, `late` or `missed`.
    #[schema(schema_with = schema::duty_state)]
    state: &'static str,
    /// Who did it.
    done_by: Option<Uuid>,
    /// What they are called.
    done_by_name: Option<String>,
    /// When they said so.
    done_at: Option<i64>,
    /// What they wrote down.
    note: String,
}

/// Lists the duties of some days with who did them and what was missed (D5).
#[utoipa::path(
    get, path = "/api/duties", tag = "reminders", params(AskDuties),
    responses(
        (status = 200, description = "The duties, by day.", body = DutiesBody),
        (status = 422, description = "The days do not follow each other, or are too many."),
    ),
)]
pub async fn list_duties(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskDuties>,
) -> Result<Json<DutiesBody>, ApiError> {
    let days = (asked.to - asked.from).num_days();
    if !(0..MOST_DAYS).contains(&days) {
        let rule = format!("ask for 1 to {MOST_DAYS} days, the first one first");
        return Err(ApiError::Unprocessable(rule));
    }
    let mut conn = state.db.read().await?;
    let hall = find_hall(conn.c(), &caller).await?;
    let (first, last) = (asked.from.to_string(), asked.to.to_string());
    let done = rows::list_duties(conn.c(), caller.hall, (&first, &last)).await?;
    let done: BTreeMap<(String, String), DutyRow> =
        done.into_iter().map(|row| ((row.day.clone(), row.duty.clone()), row)).collect();
    let began = rows::find_beginning(conn.c(), caller.hall).await?.unwrap_or_default();
    let began =
        city_day(Timestamp::from_timestamp_millis(began).unwrap_or_default(), offset(&hall));
    let mut duties = Vec::new();
    for day in asked.from.iter_days().take(usize::try_from(days + 1).unwrap_or(1)) {
        if day < began {
            continue;
        }
        duties.extend(on_day(&state, conn.c(), (&hall, day), &done).await?);
    }
    Ok(Json(DutiesBody { duties }))
}

async fn on_day(
    state: &AppState,
    c: C<'_>,
    (hall, day): (&HallRow, NaiveDate),
    done: &BTreeMap<(String, String), DutyRow>,
) -> Result<Vec<DutyBody>, ApiError> {
    let (now, offset) = (state.clock.now(), offset(hall));
    // Each day by the rules of its own time.
    let pack = state.packs.in_force(c, noon(day, offset)).await?;
    let Some(rules) = &pack.reminders else { return Ok(Vec::new()) };
    let duties = reminder::duties(day, offset, rules).map(|(duty, reminder)| {
        let row = done.get(&(day.to_string(), duty.id.clone()));
        let until = reminder.until.timestamp_millis();
        let state = match row {
            Some(row) if row.done_at < until => "done",
            Some(_) => "late",
            None if now < reminder.from => "coming",
            None if now < reminder.until => "open",
            None => "missed",
        };
        let words = DutyWords { id: duty.id.clone(), zh: duty.zh.clone(), en: duty.en.clone() };
        DutyBody {
            day,
            duty: words,
            from: reminder.from.timestamp_millis(),
            until,
            state,
            done_by: row.map(|it| it.done_by),
            done_by_name: row.map(|it| it.done_by_name.clone()),
            done_at: row.map(|it| it.done_at),
            note: row.map(|it| it.note.clone()).unwrap_or_default(),
        }
    });
    Ok(duties.collect())
}

/// What was done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDuty {
    /// Findings, minutes, what was handed over; empty when there is nothing to say.
    #[serde(default)]
    #[schema(max_length = 2000)]
    note: String,
}

/// Records a duty of a day as done (D5); on its day from its time on, or late on the day after. The first record stands.
#[utoipa::path(
    put, path = "/api/duties/{day}/{duty}", tag = "reminders", request_body = RecordDuty,
    params(
        ("day" = String, Path, description = "The day of the hall's city, like 2026-03-02.", format = Date),
        ("duty" = String, Path, description = "The duty's key.", max_length = 100),
    ),
    responses(
        (status = 204, description = "It is recorded."),
        (status = 404, description = "No such duty on that day."),
        (status = 409, description = "Somebody has recorded it already."),
        (status = 422, description = "Too early, too late, or too long."),
    ),
)]
pub async fn record_duty(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path((day, id)): Path<(NaiveDate, String)>,
    Body(asked): Body<RecordDuty>,
) -> Result<StatusCode, ApiError> {
    let refuse = |rule: &str| Err(ApiError::Unprocessable(rule.to_owned()));
    if asked.note.chars().count() > LONGEST_NOTE {
        return refuse("write at most 2000 letters");
    }
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let hall = find_hall(tx.c(), &caller).await?;
    let offset = offset(&hall);
    let pack = state.packs.in_force(tx.c(), noon(day, offset)).await?;
    let rules = pack.reminders.as_ref().ok_or(ApiError::NotFound("duty"))?;
    let found = reminder::duties(day, offset, rules).find(|(duty, _)| duty.id == id);
    let (_, reminder) = found.ok_or(ApiError::NotFound("duty"))?;
    if now < reminder.from {
        return refuse("its time has not come: record it when it is done");
    }
    if city_day(now, offset) > day + TimeDelta::days(1) {
        return refuse("a duty is recorded on its day or on the day after");
    }
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let named = day.to_string();
    let by = (caller.user, now.timestamp_millis());
    let is_first =
        rows::insert_duty(tx.c(), caller.hall, (&named, &id, asked.note.trim()), by).await?;
    if !is_first {
        let rule = "somebody has recorded this duty already: read what they wrote";
        return Err(ApiError::Conflict(rule.to_owned()));
    }
    let subject = Subject::Name("duty", format!("{named} {id}"));
    let entry = Entry::new(&caller, What::DutyRecorded, subject);
    audit::keep(tx.c(), now, entry.with(json!({"day": named}))).await?;
    live_events::insert_hint(tx.c(), caller.hall, (LIVE_KIND, caller.hall.0), (now, position))
        .await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(StatusCode::NO_CONTENT)
}

async fn find_hall(c: C<'_>, caller: &Caller) -> Result<HallRow, ApiError> {
    halls::find_hall(c, caller.hall).await?.ok_or(ApiError::NotFound("hall"))
}

fn offset(hall: &HallRow) -> i32 {
    i32::try_from(hall.utc_offset_minutes).unwrap_or(0)
}

/// Noon of a day of the city, an instant that is surely in it.
fn noon(day: NaiveDate, offset: i32) -> Timestamp {
    let noon = day.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::hours(12);
    noon - TimeDelta::minutes(i64::from(offset))
}
