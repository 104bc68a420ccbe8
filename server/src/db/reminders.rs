//! Whom the hall reminded of what, and the duties of those who lead it.

use domain::id::{HallId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    LIST_WORK = "select j.job_id, j.status, j.technician_id, j.window_start, j.window_end, \
        (select count(*) from fact f where f.job_id = j.job_id and f.kind = 'phoned_ahead' and f.withdrawn = $2) \
        as phoned from job j where j.hall_id = $1 and j.technician_id is not null and j.window_end > $3 \
        and j.window_start < $4 and j.status in ('assigned', 'set_out', 'at_door', 'working') order by j.job_id";
    LIST_PHONES = "select d.device_id, d.user_id, d.pending, d.heard_at from device d \
        join user_account u on u.user_id = d.user_id where d.hall_id = $1 and d.revoked_at is null \
        and u.disabled_at is null order by d.device_id";
    LIST_KNOWN = "select reminder_id, about, subject, occasion, snoozed_until, done_at from reminder \
        where hall_id = $1 and ended_at is null order by reminder_id";
    INSERT_REMINDER = "insert into reminder (reminder_id, hall_id, about, subject, occasion, user_id, job_id, case_id, \
        household_id, device_id, outage_id, due_at, until_at, told_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing";
    END_REMINDER = "update reminder set ended_at = $1 where reminder_id = $2 and ended_at is null";
    WAKE_REMINDER = "update reminder set snoozed_until = null, told_at = $1 where reminder_id = $2 \
        and snoozed_until <= $1 and done_at is null and ended_at is null";
    SNOOZE_REMINDER = "update reminder set snoozed_until = $1 where reminder_id = $2 and done_at is null \
        and ended_at is null";
    FINISH_REMINDER = "update reminder set done_at = $1, done_by = $2 where reminder_id = $3 and done_at is null";
    FIND_REMINDER = "select about, user_id, ended_at from reminder \
        where reminder_id = $1 and hall_id = $2";
    LIST_SHOWN = "select r.reminder_id, r.about, r.subject, r.user_id, r.job_id, j.kind as job_kind, r.case_id, \
        c.number as case_number, r.household_id, h.address, r.device_id, d.name as device_name, u.name as person_name, \
        r.outage_id, o.area as outage_area, r.due_at, r.until_at, r.told_at, r.snoozed_until from reminder r \
        left join job j on j.job_id = r.job_id left join hall_case c on c.case_id = r.case_id \
        left join household h on h.household_id = coalesce(r.household_id, j.household_id) left join device d on d.device_id = r.device_id \
        left join outage o on o.outage_id = r.outage_id \
        left join user_account u on u.user_id = coalesce(r.user_id, d.user_id, c.owner_id, j.technician_id) \
        where r.hall_id = $1 and r.done_at is null and r.ended_at is null and (r.user_id = $2 or ($2 is null \
        and (r.user_id is null or (r.about = 'set_out' and r.due_at <= $3)))) order by r.due_at, r.about, r.reminder_id limit $4";
    DELETE_OVER = "delete from reminder where ended_at is not null and ended_at < $1";
    INSERT_DUTY = "insert into duty_record (hall_id, day, duty, note, done_by, done_at) values ($1, $2, $3, $4, $5, $6) \
        on conflict do nothing";
    LIST_DUTIES = "select r.day, r.duty, r.note, r.done_by, u.name as done_by_name, r.done_at from duty_record r \
        join user_account u on u.user_id = r.done_by where r.hall_id = $1 and r.day >= $2 and r.day <= $3 \
        order by r.day, r.duty";
    FIND_BEGINNING = "select min(created_at) from user_account where hall_id = $1";
    END_DUTY = "update reminder set done_at = $1, done_by = $2 where hall_id = $3 and about = 'duty' and subject = $4 \
        and occasion = $5 and done_at is null";
}

/// A job that somebody has a window for.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WorkRow {
    /// The job.
    pub job_id: Uuid,
    /// The key of its status.
    pub status: String,
    /// Who has it.
    pub technician_id: Uuid,
    /// When its window begins, Unix ms.
    pub window_start: i64,
    /// When it ends.
    pub window_end: i64,
    /// How often its household was phoned ahead.
    pub phoned: i64,
}

/// Lists open jobs whose window lies between two instants, also in part.
pub async fn list_work(c: C<'_>, hall: HallId, (from, until): (i64, i64)) -> Result<Vec<WorkRow>> {
    c.q(LIST_WORK).bind(hall.0).bind(false).bind(from).bind(until).all().await
}

/// A phone with what it last said of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PhoneRow {
    /// The phone.
    pub device_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// How many changes it said it still holds alone.
    pub pending: i64,
    /// When that was.
    pub heard_at: Option<i64>,
}

/// Lists the phones that work for a hall.
pub async fn list_phones(c: C<'_>, hall: HallId) -> Result<Vec<PhoneRow>> {
    c.q(LIST_PHONES).bind(hall.0).all().await
}

/// A reminder that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownRow {
    /// The reminder.
    pub reminder_id: Uuid,
    /// The key of what it is about.
    pub about: String,
    /// What it is about.
    pub subject: String,
    /// Which time.
    pub occasion: String,
    /// Until when it is put off.
    pub snoozed_until: Option<i64>,
    /// When somebody said that it is seen to.
    pub done_at: Option<i64>,
}

/// Lists the reminders of a hall that have not ended.
pub async fn list_known(c: C<'_>, hall: HallId) -> Result<Vec<KnownRow>> {
    c.q(LIST_KNOWN).bind(hall.0).all().await
}

/// A reminder that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReminder {
    /// Its id.
    pub reminder_id: Uuid,
    /// The key of what it is about.
    pub about: &'static str,
    /// What it is about.
    pub subject: String,
    /// Which time.
    pub occasion: String,
    /// The technician; `None` for the desk.
    pub user: Option<Uuid>,
    /// The job.
    pub job: Option<Uuid>,
    /// The case.
    pub case: Option<Uuid>,
    /// The household.
    pub household: Option<Uuid>,
    /// The phone.
    pub device: Option<Uuid>,
    /// The outage.
    pub outage: Option<Uuid>,
    /// What it counts down to.
    pub due_at: i64,
    /// When it ends by itself.
    pub until_at: i64,
}

/// Begins a reminder; tells whether nobody had begun it before.
pub async fn insert_reminder(
    c: C<'_>,
    hall: HallId,
    new: &NewReminder,
    now_ms: i64,
) -> Result<bool> {
    let q = c.q(INSERT_REMINDER).bind(new.reminder_id).bind(hall.0).bind(new.about);
    let q = q.bind(&new.subject).bind(&new.occasion).bind(new.user).bind(new.job);
    let q = q.bind(new.case).bind(new.household).bind(new.device).bind(new.outage);
    let done = q.bind(new.due_at).bind(new.until_at).bind(now_ms).execute().await?;
    Ok(done > 0)
}

/// Ends a reminder.
pub async fn end_reminder(c: C<'_>, reminder: Uuid, now_ms: i64) -> Result<bool> {
    Ok(c.q(END_REMINDER).bind(now_ms).bind(reminder).execute().await? > 0)
}

/// Tells a reminder again whose pause is over; tells whether nobody else did.
pub async fn wake_reminder(c: C<'_>, reminder: Uuid, now_ms: i64) -> Result<bool> {
    Ok(c.q(WAKE_REMINDER).bind(now_ms).bind(reminder).execute().await? > 0)
}

/// Puts a reminder off until an instant.
pub async fn snooze_reminder(c: C<'_>, reminder: Uuid, until: i64) -> Result<bool> {
    Ok(c.q(SNOOZE_REMINDER).bind(until).bind(reminder).execute().await? > 0)
}

/// Notes that somebody saw to what a reminder is about.
pub async fn finish_reminder(
    c: C<'_>,
    reminder: Uuid,
    (by, now_ms): (UserId, i64),
) -> Result<bool> {
    Ok(c.q(FINISH_REMINDER).bind(now_ms).bind(by.0).bind(reminder).execute().await? > 0)
}

/// What decides who may see to a reminder.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ReminderRow {
    /// The key of what it is about.
    pub about: String,
    /// The technician; `None` for the desk.
    pub user_id: Option<Uuid>,
    /// When it ended.
    pub ended_at: Option<i64>,
}

/// Finds a reminder of a hall.
pub async fn find_reminder(c: C<'_>, hall: HallId, reminder: Uuid) -> Result<Option<ReminderRow>> {
    c.q(FIND_REMINDER).bind(reminder).bind(hall.0).opt().await
}

/// A reminder as people see it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ShownRow {
    /// The reminder.
    pub reminder_id: Uuid,
    /// The key of what it is about.
    pub about: String,
    /// What it is about.
    pub subject: String,
    /// The technician; `None` for the desk.
    pub user_id: Option<Uuid>,
    /// The job.
    pub job_id: Option<Uuid>,
    /// The key of its kind.
    pub job_kind: Option<String>,
    /// The case.
    pub case_id: Option<Uuid>,
    /// What people call it.
    pub case_number: Option<i64>,
    /// The household.
    pub household_id: Option<Uuid>,
    /// Its address.
    pub address: Option<String>,
    /// The phone.
    pub device_id: Option<Uuid>,
    /// What its user calls it.
    pub device_name: Option<String>,
    /// Who has the job, the phone or the case.
    pub person_name: Option<String>,
    /// The outage.
    pub outage_id: Option<Uuid>,
    /// Where it is, in words.
    pub outage_area: Option<String>,
    /// What it counts down to.
    pub due_at: i64,
    /// When it ends by itself.
    pub until_at: i64,
    /// When it was last told.
    pub told_at: i64,
    /// Until when it is put off.
    pub snoozed_until: Option<i64>,
}

/// Lists what a technician, or with nobody the desk, is reminded of; the desk also sees who should be on the way.
pub async fn list_shown(
    c: C<'_>,
    hall: HallId,
    (technician, now_ms): (Option<UserId>, i64),
    limit: i64,
) -> Result<Vec<ShownRow>> {
    let technician = technician.map(|it| it.0);
    c.q(LIST_SHOWN).bind(hall.0).bind(technician).bind(now_ms).bind(limit).all().await
}

/// Deletes reminders that ended before an instant.
pub async fn delete_over(c: C<'_>, before_ms: i64) -> Result<u64> {
    c.q(DELETE_OVER).bind(before_ms).execute().await
}

/// A duty that somebody did.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DutyRow {
    /// The day of the hall's city.
    pub day: String,
    /// The duty's key.
    pub duty: String,
    /// What they wrote down.
    pub note: String,
    /// Who.
    pub done_by: Uuid,
    /// What they are called.
    pub done_by_name: String,
    /// When they said so.
    pub done_at: i64,
}

/// Records a duty as done; the first record stands. Tells whether this is it.
pub async fn insert_duty(
    mut c: C<'_>,
    hall: HallId,
    (day, duty, note): (&str, &str, &str),
    (by, now_ms): (UserId, i64),
) -> Result<bool> {
    let q = c.lend().q(INSERT_DUTY).bind(hall.0).bind(day).bind(duty).bind(note);
    let is_first = q.bind(by.0).bind(now_ms).execute().await? > 0;
    let ending = c.q(END_DUTY).bind(now_ms).bind(by.0).bind(hall.0).bind(duty).bind(day);
    ending.execute().await?;
    Ok(is_first)
}

/// When the first person of a hall was entered: nobody had duties before.
pub async fn find_beginning(c: C<'_>, hall: HallId) -> Result<Option<i64>> {
    c.q(FIND_BEGINNING).bind(hall.0).scalar().await
}

/// Lists the duties that were done on some days.
pub async fn list_duties(
    c: C<'_>,
    hall: HallId,
    (from, until): (&str, &str),
) -> Result<Vec<DutyRow>> {
    c.q(LIST_DUTIES).bind(hall.0).bind(from).bind(until).all().await
}
