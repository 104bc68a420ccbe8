//! Notices to households: what they are told, when, and how that ended.

use domain::id::{HallId, HouseholdId, JobId};
use uuid::Uuid;

use super::{C, Query, Result, insert_rows, statements};

statements! {
    INSERT_NOTICE = "insert into household_notice (notice_id, hall_id, household_id, job_id, outage_id, occasion, cause, \
        language, pack_id, fresh_until, always, words, made_at, send_at, state) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
        on conflict (household_id, cause) do nothing";
    OVERTAKE = "update household_notice set state = 'overtaken', ended_at = $1 where job_id = $2 and notice_id <> $3 \
        and state = 'waiting' and occasion in ('window_agreed', 'window_announced', 'on_the_way', 'late')";
    LIST_DUE = "select notice_id, hall_id, household_id, job_id, outage_id, occasion, cause, language, pack_id, fresh_until, \
        always, words, made_at, send_at, state, handed_at, ended_at, error from household_notice \
        where state = 'waiting' and send_at <= $1 order by send_at, notice_id limit $2";
    CLAIM_NOTICE = "update household_notice set state = 'handed', handed_at = $1 where notice_id = $2 and state = 'waiting'";
    END_NOTICE = "update household_notice set state = $1, ended_at = $2, error = $3 where notice_id = $4";
    LIST_ENDED = "select n.notice_id, n.household_id, n.outage_id, n.occasion, max(d.state) as state, max(d.last_error) as last_error, \
        max(d.sent_at) as sent_at from household_notice n left join webhook_delivery d on d.notice_id = n.notice_id \
        where n.state = 'handed' group by n.notice_id, n.household_id, n.outage_id, n.occasion \
        having count(d.delivery_id) = 0 or sum(case when d.state = 'pending' then 1 else 0 end) = 0 limit $1";
    LIST_PAYLOADS = "select delivery_id, payload from webhook_delivery where notice_id = $1";
    VEIL_PAYLOAD = "update webhook_delivery set payload = $1 where delivery_id = $2 and state <> 'pending'";
    LIST_OF_JOB = "select notice_id, hall_id, household_id, job_id, outage_id, occasion, cause, language, pack_id, fresh_until, \
        always, words, made_at, send_at, state, handed_at, ended_at, \
        coalesce(error, (select max(d.last_error) from webhook_delivery d where d.notice_id = household_notice.notice_id)) \
        as error from household_notice where hall_id = $1 and job_id = $2 order by made_at desc, notice_id desc limit $3";
    LIST_OF_HOUSEHOLD = "select notice_id, hall_id, household_id, job_id, outage_id, occasion, cause, language, pack_id, \
        fresh_until, always, words, made_at, send_at, state, handed_at, ended_at, \
        coalesce(error, (select max(d.last_error) from webhook_delivery d where d.notice_id = household_notice.notice_id)) \
        as error from household_notice where hall_id = $1 and household_id = $2 order by made_at desc, notice_id desc limit $3";
}

/// A notice as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NoticeRow {
    /// Its id; the same at every try.
    pub notice_id: Uuid,
    /// The hall that tells.
    pub hall_id: Uuid,
    /// Who is told.
    pub household_id: Uuid,
    /// Of which job.
    pub job_id: Option<Uuid>,
    /// Of which outage.
    pub outage_id: Option<Uuid>,
    /// The key of the occasion.
    pub occasion: String,
    /// What happened; told once.
    pub cause: String,
    /// `zh` or `en`.
    pub language: String,
    /// The pack whose template it is.
    pub pack_id: String,
    /// From when on it would be wrong.
    pub fresh_until: Option<i64>,
    /// Whether it is sent to who wants no messages.
    pub always: bool,
    /// What is told, without the link.
    pub words: String,
    /// When it was written down.
    pub made_at: i64,
    /// When it may be sent.
    pub send_at: i64,
    /// `waiting`, `handed`, `sent`, `failed`, or why it is not sent.
    pub state: String,
    /// When the outbox had it.
    pub handed_at: Option<i64>,
    /// When that was settled.
    pub ended_at: Option<i64>,
    /// What went wrong last.
    pub error: Option<String>,
}

/// Writes a notice down unless there is one of the same cause; tells which.
pub async fn insert_notice(c: C<'_>, row: &NoticeRow) -> Result<bool> {
    Ok(bound(c.q(INSERT_NOTICE), row).execute().await? > 0)
}

/// Writes many notices down; of the same household and cause one stays alone.
pub async fn insert_notices(c: C<'_>, rows: &[NoticeRow]) -> Result<u64> {
    insert_rows(c, INSERT_NOTICE, rows, bound).await
}

fn bound<'q>(q: Query<'q>, row: &NoticeRow) -> Query<'q> {
    q.bind(row.notice_id)
        .bind(row.hall_id)
        .bind(row.household_id)
        .bind(row.job_id)
        .bind(row.outage_id)
        .bind(&row.occasion)
        .bind(&row.cause)
        .bind(&row.language)
        .bind(&row.pack_id)
        .bind(row.fresh_until)
        .bind(row.always)
        .bind(&row.words)
        .bind(row.made_at)
        .bind(row.send_at)
        .bind(&row.state)
}

/// Lets what still waits and speaks of before go, but for the news itself, where there is any.
pub async fn overtake(c: C<'_>, job: Uuid, by: Option<Uuid>, now_ms: i64) -> Result<()> {
    c.q(OVERTAKE).bind(now_ms).bind(job).bind(by.unwrap_or_default()).execute().await.map(drop)
}

/// Lists notices that may be sent.
pub async fn list_due(c: C<'_>, now_ms: i64, limit: i64) -> Result<Vec<NoticeRow>> {
    c.q(LIST_DUE).bind(now_ms).bind(limit).all().await
}

/// Takes a notice that waits; tells whether nobody else did.
pub async fn claim(c: C<'_>, notice: Uuid, now_ms: i64) -> Result<bool> {
    Ok(c.q(CLAIM_NOTICE).bind(now_ms).bind(notice).execute().await? == 1)
}

/// Notes how a notice ended: state, when, and what went wrong.
pub async fn end_notice(
    c: C<'_>,
    notice: Uuid,
    (state, at, error): (&str, i64, Option<&str>),
) -> Result<()> {
    c.q(END_NOTICE).bind(state).bind(at).bind(error).bind(notice).execute().await.map(drop)
}

/// How the messages of a handed notice ended, none of which is tried any more.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EndRow {
    /// The notice.
    pub notice_id: Uuid,
    /// Who is told.
    pub household_id: Uuid,
    /// Of which outage.
    pub outage_id: Option<Uuid>,
    /// The key of the occasion.
    pub occasion: String,
    /// `sent` when any gateway took it, `given_up` when none did, `None` when there is no message left.
    pub state: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was taken.
    pub sent_at: Option<i64>,
}

/// Lists handed notices none of whose messages is tried any more.
pub async fn list_ended(c: C<'_>, limit: i64) -> Result<Vec<EndRow>> {
    c.q(LIST_ENDED).bind(limit).all().await
}

/// The messages of a notice.
pub async fn list_payloads(c: C<'_>, notice: Uuid) -> Result<Vec<(Uuid, String)>> {
    c.q(LIST_PAYLOADS).bind(notice).all().await
}

/// Puts another text in the place of a message that is not sent any more.
pub async fn veil_payload(c: C<'_>, delivery: Uuid, payload: &str) -> Result<()> {
    c.q(VEIL_PAYLOAD).bind(payload).bind(delivery).execute().await.map(drop)
}

/// Lists what was told of a job, newest first.
pub async fn list_of_job(c: C<'_>, hall: HallId, job: JobId, most: i64) -> Result<Vec<NoticeRow>> {
    c.q(LIST_OF_JOB).bind(hall.0).bind(job.0).bind(most).all().await
}

/// Lists what a household was told, newest first.
pub async fn list_of_household(
    c: C<'_>,
    hall: HallId,
    household: HouseholdId,
    most: i64,
) -> Result<Vec<NoticeRow>> {
    c.q(LIST_OF_HOUSEHOLD).bind(hall.0).bind(household.0).bind(most).all().await
}
