//! What people are to be told.

use std::collections::BTreeMap;

use domain::id::{HallId, JobId, UserId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    INSERT_NOTICE = "insert into notice (notice_id, hall_id, user_id, job_id, kind, data, created_at, expires_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    FIND_NOTICE = "select notice_id, hall_id, user_id, job_id, kind, data, created_at, expires_at, not_before, \
        replaced_at, shown_at, shown_by from notice where notice_id = $1 and user_id = $2";
    REPLACE_NOTICES = "update notice set replaced_at = $1 where user_id = $2 and job_id = $3 and notice_id <> $4 \
        and shown_at is null and replaced_at is null and (kind <> 'leak_call' or $5)";
    DROP_REPLACED = "update notice_delivery set state = 'not_needed' where state = 'pending' and notice_id in \
        (select notice_id from notice where user_id = $1 and job_id = $2 and replaced_at = $3)";
    LIST_WAITING = "select notice_id, hall_id, user_id, job_id, kind, data, created_at, expires_at, not_before, \
        replaced_at, shown_at, shown_by from notice where user_id = $1 and shown_at is null and replaced_at is null \
        and expires_at > $2 and planned_at is not null and (not_before is null or not_before <= $2) \
        order by created_at, notice_id limit $3";
    SHOW_NOTICE = "update notice set shown_at = $1, shown_by = $2 where notice_id = $3 and user_id = $4 and shown_at is null";
    LIST_SHOWN_CALLS = "select user_id, max(shown_at) as shown_at from notice where job_id = $1 and kind = 'leak_call' \
        and shown_at is not null group by user_id";
    DROP_SHOWN = "update notice_delivery set state = 'not_needed' where notice_id = $1 and state = 'pending'";
}

/// Something that a person is to be told.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NoticeRow {
    /// Its id.
    pub notice_id: Uuid,
    /// The hall.
    pub hall_id: Uuid,
    /// Who is told.
    pub user_id: Uuid,
    /// The job it is about.
    pub job_id: Option<Uuid>,
    /// What kind of news it is.
    pub kind: String,
    /// For the open app.
    pub data: Json<Value>,
    /// When it happened.
    pub created_at: i64,
    /// When nobody needs to hear it any more.
    pub expires_at: i64,
    /// When it may be told: night holds some back.
    pub not_before: Option<i64>,
    /// When a newer one took its place.
    pub replaced_at: Option<i64>,
    /// When a person was shown it.
    pub shown_at: Option<i64>,
    /// Through which layer.
    pub shown_by: Option<String>,
}

/// Writes what people are to be told.
pub async fn insert_notices(c: C<'_>, rows: &[NoticeRow]) -> Result<()> {
    insert_rows(c, INSERT_NOTICE, rows, |q, row| {
        q.bind(row.notice_id)
            .bind(row.hall_id)
            .bind(row.user_id)
            .bind(row.job_id)
            .bind(&row.kind)
            .bind(&row.data)
            .bind(row.created_at)
            .bind(row.expires_at)
    })
    .await
    .map(drop)
}

/// Finds what somebody was to be told.
pub async fn find_notice(c: C<'_>, notice: Uuid, user: UserId) -> Result<Option<NoticeRow>> {
    c.q(FIND_NOTICE).bind(notice).bind(user.0).opt().await
}

/// Lets a new notice take the place of those about the same job that nobody was shown yet.
pub async fn replace_notices(
    mut c: C<'_>,
    (user, job): (UserId, JobId),
    (by, leak_calls_too): (Uuid, bool),
    now_ms: i64,
) -> Result<()> {
    let replace = c.lend().q(REPLACE_NOTICES).bind(now_ms).bind(user.0).bind(job.0);
    if replace.bind(by).bind(leak_calls_too).execute().await? > 0 {
        c.q(DROP_REPLACED).bind(user.0).bind(job.0).bind(now_ms).execute().await?;
    }
    Ok(())
}

/// Lists what somebody was not shown yet, oldest first.
pub async fn list_waiting(
    c: C<'_>,
    user: UserId,
    (now_ms, limit): (i64, i64),
) -> Result<Vec<NoticeRow>> {
    c.q(LIST_WAITING).bind(user.0).bind(now_ms).bind(limit).all().await
}

/// Who was shown a call to a leak, and when last, Unix ms.
pub async fn list_shown_calls(c: C<'_>, job: JobId) -> Result<BTreeMap<Uuid, i64>> {
    let rows: Vec<(Uuid, i64)> = c.q(LIST_SHOWN_CALLS).bind(job.0).all().await?;
    Ok(rows.into_iter().collect())
}

/// Notes that a person was shown a notice; what still waits in other layers is not needed any more.
///
/// Says whether it was news.
pub async fn show_notice(
    mut c: C<'_>,
    (notice, user): (Uuid, UserId),
    by: &str,
    now_ms: i64,
) -> Result<bool> {
    let show = c.lend().q(SHOW_NOTICE).bind(now_ms).bind(by).bind(notice).bind(user.0);
    let is_news = show.execute().await? > 0;
    if is_news {
        c.q(DROP_SHOWN).bind(notice).execute().await?;
    }
    Ok(is_news)
}

impl NoticeRow {
    /// The hall where it happened.
    pub fn hall(&self) -> HallId {
        HallId(self.hall_id)
    }
}
