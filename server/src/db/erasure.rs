//! Erasing: what stands in its way, what is emptied of a job and of a household, and what of that is over by its age.

use domain::id::{HallId, HouseholdId, JobId, UserId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, second_factors, statements};

statements! {
    COUNT_OPEN_JOBS = "select count(*) from job where household_id = $1 \
        and status in ('unassigned', 'assigned', 'set_out', 'at_door', 'working')";
    COUNT_OPEN_CASES = "select count(*) from hall_case where household_id = $1 and closed_at is null";
    COUNT_OPEN_APPLICATIONS = "select count(*) from application where ended_at is null \
        and (household_id = $1 or new_household_id = $1)";
    COUNT_APART = "select (select count(*) from quarantine q join document d on d.job_id = q.job_id \
        where d.household_id = $1 and q.released_at is null) + (select count(*) from waiting w \
        join document e on e.job_id = w.job_id where e.household_id = $1)";
    LIST_JOBS = "select job_id, household_id, hall_id from document where household_id = $1 and hall_id = $2 \
        and erased_at is null order by job_id";
    LIST_OVER_JOBS = "select d.job_id, d.household_id, d.hall_id from document d join job j on j.job_id = d.job_id \
        where d.erased_at is null and j.status not in ('unassigned', 'assigned', 'set_out', 'at_door', 'working') \
        and coalesce(j.window_end, j.created_at) < $1 and coalesce(j.status_since, j.created_at) < $1 \
        and not exists (select 1 from change c where c.job_id = d.job_id and c.received_at >= $1) \
        and not exists (select 1 from job_grant g join device h on h.user_id = g.user_id where g.job_id = d.job_id \
        and g.withdrawn_position is null and h.revoked_at is null and h.pending > 0) \
        and not exists (select 1 from quarantine q where q.job_id = d.job_id and q.released_at is null) \
        and not exists (select 1 from waiting w where w.job_id = d.job_id) \
        and not exists (select 1 from case_job cj join hall_case hc on hc.case_id = cj.case_id \
        where cj.job_id = d.job_id and hc.closed_at is null) order by j.created_at, d.job_id limit $2";
    EMPTY_CHANGES = "update change set bytes = $2, erased_at = $3 where job_id = $1 and erased_at is null";
    CLOSE_DOCUMENT = "update document set erased_at = $2 where job_id = $1";
    DELETE_SNAPSHOT = "delete from snapshot where job_id = $1";
    MARK_PHOTOS = "update photo set erased_at = $2 where erased_at is null and exists (select 1 from fact f \
        where f.job_id = $1 and f.hall_id = photo.hall_id and f.kind in ('photo_taken', 'signed', 'road_blocked') \
        and lower(coalesce(f.body ->> 'hash', f.body ->> 'photo')) = photo.hash) and not exists (select 1 from fact o \
        where o.job_id <> $1 and o.hall_id = photo.hall_id and o.kind in ('photo_taken', 'signed', 'road_blocked') \
        and lower(coalesce(o.body ->> 'hash', o.body ->> 'photo')) = photo.hash)";
    DELETE_FACTS = "delete from fact where job_id = $1";
    DELETE_LIVE = "delete from live_event where job_id = $1";
    DELETE_APART = "delete from quarantine where job_id = $1";
    DELETE_LINKS = "delete from track_link where job_id = $1";
    EMPTY_CASH = "update cash_taken set reason = '' where job_id = $1";
    EMPTY_RATING = "update rating set words = '' where job_id = $1";
    EMPTY_LEAK = "update leak set caller_phone = '' where job_id = $1";
    EMPTY_JOB_NOTICES = "update household_notice set words = '', error = null where job_id = $1";
    EMPTY_HOME_NOTICES = "update household_notice set words = '', error = null where household_id = $1";
    DELETE_DELIVERIES = "delete from webhook_delivery where hall_id = $1 and state <> 'pending' and payload like $2";
    EMPTY_HOUSEHOLD = "update household set account = $2, holder = '', address = '', phone = '', access = '', \
        latitude = null, longitude = null, erased_at = $3 where household_id = $1";
    DELETE_GROUPS = "delete from household_group where household_id = $1";
    DELETE_ENTRIES = "delete from ledger_entry where household_id = $1";
    EMPTY_PLACE = "update unregistered_place set road = null, latitude = null, longitude = null where household_id = $1";
    DELETE_REPORTERS = "delete from case_reporter where case_id in (select c.case_id from hall_case c where c.household_id = $1)";
    EMPTY_CASES = "update hall_case set caller_name = '', caller_contact = '', words = '' where household_id = $1";
    LIST_CASE_EVENTS = "select e.case_id as of_id, e.number, e.body from case_event e join hall_case c on c.case_id = e.case_id \
        where c.household_id = $1";
    SET_CASE_EVENT = "update case_event set body = $3 where case_id = $1 and number = $2";
    EMPTY_APPLICATIONS = "update application set applicant = '', contact = '', words = '', new_holder = '', \
        new_phone = '', new_address = '' where household_id = $1";
    LIST_APPLICATION_EVENTS = "select e.application_id as of_id, e.number, e.body from application_event e \
        join application a on a.application_id = e.application_id where a.household_id = $1";
    SET_APPLICATION_EVENT = "update application_event set body = $3 where application_id = $1 and number = $2";
    INSERT_ERASURE = "insert into erasure (erasure_id, hall_id, household_id, erased_by, erased_at, reason, jobs, changes, \
        photos) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    COUNT_OLD_PHOTOS = "select count(*) from photo where erased_at is null and received_at < $1";
    ERASE_OLD_PHOTOS = "update photo set erased_at = $2 where erased_at is null and received_at < $1";
    LIST_DOOMED_PHOTOS = "select hall_id, hash from photo where erased_at is not null and gone_at is null \
        order by hall_id, hash limit $1";
    NOTE_GONE = "update photo set gone_at = $3 where hall_id = $1 and hash = $2";
    LIST_OLD_ACCOUNTS = "select user_id, hall_id from user_account where disabled_at < $1 and erased_at is null order by user_id";
    EMPTY_ACCOUNT = "update user_account set login = $2, name = $3, password_hash = null, erased_at = $4 where user_id = $1";
    DELETE_CONTACT = "delete from contact where user_id = $1";
    DELETE_CARD = "delete from work_card where user_id = $1";
    EMPTY_PHONES = "update device set name = '' where user_id = $1";
}

/// What stands in the way of erasing a household.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Jobs that somebody still has to go to.
    pub jobs: i64,
    /// Cases that are not closed.
    pub cases: i64,
    /// Applications that are not over.
    pub applications: i64,
    /// Changes in quarantine, or that wait for others.
    pub apart: i64,
}

/// A job's document and whose door it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OverRow {
    /// The job.
    pub job_id: Uuid,
    /// The household.
    pub household_id: Uuid,
    /// The hall.
    pub hall_id: Uuid,
}

/// What was emptied of one job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    /// Raw changes.
    pub changes: u64,
    /// Pictures that nothing else names.
    pub photos: u64,
}

/// An erasure that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureRow {
    /// Names it.
    pub erasure_id: Uuid,
    /// Of which household.
    pub household: HouseholdId,
    /// By whom.
    pub by: UserId,
    /// When, Unix ms.
    pub at: i64,
    /// Why, in words.
    pub reason: String,
    /// Jobs emptied.
    pub jobs: i64,
    /// Raw changes and pictures of them.
    pub emptied: Emptied,
}

/// A picture that still lies in the store.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DoomedRow {
    /// The hall.
    pub hall_id: Uuid,
    /// SHA-256 in hexadecimal.
    pub hash: String,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    of_id: Uuid,
    number: i64,
    body: Json<Value>,
}

/// Counts what stands in the way.
pub async fn count_open(mut c: C<'_>, household: HouseholdId) -> Result<Open> {
    let id = household.0;
    Ok(Open {
        jobs: c.lend().q(COUNT_OPEN_JOBS).bind(id).scalar().await?,
        cases: c.lend().q(COUNT_OPEN_CASES).bind(id).scalar().await?,
        applications: c.lend().q(COUNT_OPEN_APPLICATIONS).bind(id).scalar().await?,
        apart: c.q(COUNT_APART).bind(id).scalar().await?,
    })
}

/// Lists a household's jobs that were not erased.
pub async fn list_jobs(c: C<'_>, hall: HallId, household: HouseholdId) -> Result<Vec<OverRow>> {
    c.q(LIST_JOBS).bind(household.0).bind(hall.0).all().await
}

/// Lists jobs that are over since before an instant, in all halls, the oldest first.
pub async fn list_over_jobs(c: C<'_>, before_ms: i64, limit: i64) -> Result<Vec<OverRow>> {
    c.q(LIST_OVER_JOBS).bind(before_ms).bind(limit).all().await
}

/// Empties one job: raw changes, snapshot, facts, words, links; its row stays with kind, status and days.
pub async fn empty_job(mut c: C<'_>, hall: HallId, job: JobId, now_ms: i64) -> Result<Emptied> {
    let (id, nothing) = (job.0, Vec::<u8>::new());
    let emptied = Emptied {
        photos: c.lend().q(MARK_PHOTOS).bind(id).bind(now_ms).execute().await?,
        changes: c.lend().q(EMPTY_CHANGES).bind(id).bind(&nothing).bind(now_ms).execute().await?,
    };
    c.lend().q(CLOSE_DOCUMENT).bind(id).bind(now_ms).execute().await?;
    for statement in [
        DELETE_SNAPSHOT,
        DELETE_FACTS,
        DELETE_LIVE,
        DELETE_APART,
        DELETE_LINKS,
        EMPTY_CASH,
        EMPTY_RATING,
        EMPTY_LEAK,
        EMPTY_JOB_NOTICES,
    ] {
        c.lend().q(statement).bind(id).execute().await?;
    }
    delete_deliveries(c, hall, id).await?;
    Ok(emptied)
}

/// Empties what a household was called and what was said of it and with it; its jobs are emptied one by one.
pub async fn empty_household(
    mut c: C<'_>,
    hall: HallId,
    household: HouseholdId,
    now_ms: i64,
) -> Result<()> {
    let id = household.0;
    let account = format!("erased-{}", id.simple());
    c.lend().q(EMPTY_HOUSEHOLD).bind(id).bind(&account).bind(now_ms).execute().await?;
    for statement in [
        DELETE_GROUPS,
        DELETE_ENTRIES,
        EMPTY_PLACE,
        DELETE_REPORTERS,
        EMPTY_CASES,
        EMPTY_APPLICATIONS,
        EMPTY_HOME_NOTICES,
    ] {
        c.lend().q(statement).bind(id).execute().await?;
    }
    for (list, set) in
        [(LIST_CASE_EVENTS, SET_CASE_EVENT), (LIST_APPLICATION_EVENTS, SET_APPLICATION_EVENT)]
    {
        let events: Vec<EventRow> = c.lend().q(list).bind(id).all().await?;
        for mut event in events {
            without_words(&mut event.body.0);
            let write = c.lend().q(set).bind(event.of_id).bind(event.number).bind(&event.body);
            write.execute().await?;
        }
    }
    delete_deliveries(c, hall, id).await
}

/// Takes words, names and digits of papers out of an event, which is still one.
fn without_words(event: &mut Value) {
    for field in ["text", "name", "digits"] {
        if let Some(said) = event.get_mut(field) {
            *said = Value::String(String::new());
        }
    }
}

/// Deletes what webhooks were told of it and is on its way no more.
async fn delete_deliveries(c: C<'_>, hall: HallId, id: Uuid) -> Result<()> {
    c.q(DELETE_DELIVERIES).bind(hall.0).bind(format!("%{id}%")).execute().await.map(drop)
}

/// Keeps that something was erased.
pub async fn insert_erasure(c: C<'_>, hall: HallId, row: &ErasureRow) -> Result<()> {
    let count = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
    let insert = c.q(INSERT_ERASURE).bind(row.erasure_id).bind(hall.0).bind(row.household.0);
    let insert = insert.bind(row.by.0).bind(row.at).bind(&row.reason).bind(row.jobs);
    let insert = insert.bind(count(row.emptied.changes)).bind(count(row.emptied.photos));
    insert.execute().await.map(drop)
}

/// How many pictures came before an instant.
pub async fn count_old_photos(c: C<'_>, before_ms: i64) -> Result<i64> {
    c.q(COUNT_OLD_PHOTOS).bind(before_ms).scalar().await
}

/// Marks pictures that came before an instant as erased; tells how many.
pub async fn erase_old_photos(c: C<'_>, before_ms: i64, now_ms: i64) -> Result<u64> {
    c.q(ERASE_OLD_PHOTOS).bind(before_ms).bind(now_ms).execute().await
}

/// Lists pictures that were erased and still lie in the store.
pub async fn list_doomed_photos(c: C<'_>, limit: i64) -> Result<Vec<DoomedRow>> {
    c.q(LIST_DOOMED_PHOTOS).bind(limit).all().await
}

/// Notes that a picture is gone from the store.
pub async fn note_gone(c: C<'_>, hall: HallId, hash: &str, now_ms: i64) -> Result<()> {
    c.q(NOTE_GONE).bind(hall.0).bind(hash).bind(now_ms).execute().await.map(drop)
}

/// People who were shut out before an instant, with their halls.
pub async fn list_old_accounts(c: C<'_>, before_ms: i64) -> Result<Vec<(UserId, HallId)>> {
    let rows: Vec<(Uuid, Uuid)> = c.q(LIST_OLD_ACCOUNTS).bind(before_ms).all().await?;
    Ok(rows.into_iter().map(|(user, hall)| (UserId(user), HallId(hall))).collect())
}

/// Takes log-in, name, number, card and the names of phones off somebody; what they did stays under their id.
pub async fn empty_account(mut c: C<'_>, user: UserId, now_ms: i64) -> Result<()> {
    let login = format!("erased-{}", user.0.simple());
    let empty = c.lend().q(EMPTY_ACCOUNT).bind(user.0).bind(&login).bind("—").bind(now_ms);
    empty.execute().await?;
    for statement in [DELETE_CONTACT, DELETE_CARD, EMPTY_PHONES] {
        c.lend().q(statement).bind(user.0).execute().await?;
    }
    second_factors::delete_second_factor(c, user).await.map(drop)
}
