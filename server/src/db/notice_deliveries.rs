//! What is to be done for a notice in each layer, and what came of it.

use domain::id::UserId;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    CLAIM_UNPLANNED = "update notice set planned_at = $1 where notice_id in (select notice_id from notice \
        where planned_at is null order by created_at limit $2) \
        returning notice_id, hall_id, user_id, job_id, kind, created_at, expires_at, replaced_at, shown_at";
    FIND_UNPLANNED = "select notice_id from notice where planned_at is null limit 1";
    HOLD_NOTICE = "update notice set not_before = $1 where notice_id = $2";
    INSERT_DELIVERY = "insert into notice_delivery (delivery_id, notice_id, layer, subscription_id, state, next_at, sent_at) \
        values ($1, $2, $3, $4, $5, $6, $7)";
    FIND_DUE = "select delivery_id from notice_delivery where state = 'pending' and next_at <= $1 \
        and (claimed_until is null or claimed_until <= $1) limit 1";
    CLAIM_DUE = "update notice_delivery set claimed_until = $2, attempts = attempts + 1 \
        where delivery_id in (select delivery_id from notice_delivery where state = 'pending' and next_at <= $1 \
        and (claimed_until is null or claimed_until <= $1) order by next_at limit $3) \
        returning delivery_id, notice_id, layer, subscription_id, attempts, shrunk";
    FIND_SENDING = "select notice_id, hall_id, user_id, job_id, kind, created_at, expires_at, replaced_at, shown_at \
        from notice where notice_id = $1";
    END_DELIVERY = "update notice_delivery set state = $1, next_at = $2, claimed_until = null, shrunk = $3, last_status = $4, \
        last_error = $5, sent_at = $6 where delivery_id = $7 and attempts = $8 and state = 'pending'";
    LIST_OUTCOMES = "select layer, state, attempts, last_status, last_error, sent_at from notice_delivery \
        where notice_id = $1 order by layer, delivery_id";
    LIST_GATEWAY_OUTCOMES = "select 'gateway' as layer, state, attempts, last_status, last_error, sent_at \
        from webhook_delivery where notice_id = $1 order by delivery_id";
    PRUNE_DELIVERIES = "delete from notice_delivery where notice_id in (select notice_id from notice where expires_at < $1)";
    PRUNE_NOTICES = "delete from notice where expires_at < $1";
    FIND_FEED_END = "select cast(coalesce(max(f.p), 0) as bigint) from (\
        select max(granted_position) as p from job_grant where user_id = $1 union all \
        select max(withdrawn_position) from job_grant where user_id = $1 union all \
        select max(c.position) from change c join job_grant g on g.job_id = c.job_id and g.user_id = $1 \
        and g.withdrawn_position is null where c.hall_id = $2 and c.position > $3 \
        and (c.device_id is null or c.device_id <> $4)) f";
}

/// [`CLAIM_UNPLANNED`] where several nodes write at once.
const CLAIM_UNPLANNED_AMONG_NODES: &str = "update notice set planned_at = $1 where notice_id in (select notice_id \
    from notice where planned_at is null order by created_at limit $2 for update skip locked) \
    returning notice_id, hall_id, user_id, job_id, kind, created_at, expires_at, replaced_at, shown_at";

/// [`CLAIM_DUE`] where several nodes write at once: a row that another one is claiming is passed over.
const CLAIM_DUE_AMONG_NODES: &str = "update notice_delivery set claimed_until = $2, attempts = attempts + 1 \
    where delivery_id in (select delivery_id from notice_delivery where state = 'pending' and next_at <= $1 \
    and (claimed_until is null or claimed_until <= $1) order by next_at limit $3 for update skip locked) \
    returning delivery_id, notice_id, layer, subscription_id, attempts, shrunk";

/// A notice as it is carried: without what is for the open app.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CarriedRow {
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
    /// When it happened.
    pub created_at: i64,
    /// When nobody needs to hear it any more.
    pub expires_at: i64,
    /// When a newer one took its place.
    pub replaced_at: Option<i64>,
    /// When a person was shown it.
    pub shown_at: Option<i64>,
}

/// Something to do in a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id.
    pub delivery_id: Uuid,
    /// The notice.
    pub notice_id: Uuid,
    /// `stream`, `push` or `gateway`.
    pub layer: &'static str,
    /// Where a push goes.
    pub subscription_id: Option<Uuid>,
    /// When it is due.
    pub next_at: i64,
    /// When it was done already.
    pub sent_at: Option<i64>,
}

/// Something that this process does now.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClaimedRow {
    /// Its id.
    pub delivery_id: Uuid,
    /// The notice.
    pub notice_id: Uuid,
    /// `push` or `gateway`.
    pub layer: String,
    /// Where a push goes.
    pub subscription_id: Option<Uuid>,
    /// Which try this is; also says whose claim it is.
    pub attempts: i64,
    /// Whether the short form goes.
    pub shrunk: i64,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// `pending`, `sent`, `given_up` or `not_needed`.
    pub state: &'static str,
    /// When the next try is.
    pub next_at: i64,
    /// Whether the short form goes from now on.
    pub shrunk: bool,
    /// The service's status.
    pub status: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
    /// When it was taken.
    pub sent_at: Option<i64>,
}

/// What came of a notice in one layer.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OutcomeRow {
    /// `stream`, `push` or `gateway`.
    pub layer: String,
    /// `pending`, `sent`, `given_up` or `not_needed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// The last status.
    pub last_status: Option<i64>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was taken.
    pub sent_at: Option<i64>,
}

/// Claims notices whose layers nobody set to work yet.
pub async fn claim_unplanned(c: C<'_>, now_ms: i64, limit: i64) -> Result<Vec<CarriedRow>> {
    let sql = match &c {
        C::Sqlite(_) => CLAIM_UNPLANNED,
        C::Pg(..) => CLAIM_UNPLANNED_AMONG_NODES,
    };
    c.q(sql).bind(now_ms).bind(limit).all().await
}

/// Holds a notice back until an instant.
pub async fn hold_notice(c: C<'_>, notice: Uuid, until: i64) -> Result<()> {
    c.q(HOLD_NOTICE).bind(until).bind(notice).execute().await.map(drop)
}

/// Sets layers to work.
pub async fn insert_deliveries(c: C<'_>, rows: &[NewDelivery]) -> Result<()> {
    insert_rows(c, INSERT_DELIVERY, rows, |q, row| {
        q.bind(row.delivery_id)
            .bind(row.notice_id)
            .bind(row.layer)
            .bind(row.subscription_id)
            .bind(if row.sent_at.is_some() { "sent" } else { "pending" })
            .bind(row.next_at)
            .bind(row.sent_at)
    })
    .await
    .map(drop)
}

/// Whether anything is to be planned or done.
pub async fn is_any_due(mut c: C<'_>, now_ms: i64) -> Result<bool> {
    let unplanned: Option<(Uuid,)> = c.lend().q(FIND_UNPLANNED).opt().await?;
    if unplanned.is_some() {
        return Ok(true);
    }
    let due: Option<(Uuid,)> = c.q(FIND_DUE).bind(now_ms).opt().await?;
    Ok(due.is_some())
}

/// Claims what is due, until an instant; nobody else gets it before.
pub async fn claim_due(
    c: C<'_>,
    (now_ms, until): (i64, i64),
    limit: i64,
) -> Result<Vec<ClaimedRow>> {
    let sql = match &c {
        C::Sqlite(_) => CLAIM_DUE,
        C::Pg(..) => CLAIM_DUE_AMONG_NODES,
    };
    c.q(sql).bind(now_ms).bind(until).bind(limit).all().await
}

/// Finds a notice as it is carried.
pub async fn find_carried(c: C<'_>, notice: Uuid) -> Result<Option<CarriedRow>> {
    c.q(FIND_SENDING).bind(notice).opt().await
}

/// Notes how a try ended, unless somebody else claimed it meanwhile.
pub async fn end_delivery(c: C<'_>, claimed: &ClaimedRow, ended: &Ended) -> Result<()> {
    c.q(END_DELIVERY)
        .bind(ended.state)
        .bind(ended.next_at)
        .bind(i64::from(ended.shrunk))
        .bind(ended.status)
        .bind(&ended.error)
        .bind(ended.sent_at)
        .bind(claimed.delivery_id)
        .bind(claimed.attempts)
        .execute()
        .await
        .map(drop)
}

/// Lists what came of a notice, layer by layer; of a gateway what its webhooks answered, once it was told.
pub async fn list_outcomes(mut c: C<'_>, notice: Uuid) -> Result<Vec<OutcomeRow>> {
    let mut rows: Vec<OutcomeRow> = c.lend().q(LIST_OUTCOMES).bind(notice).all().await?;
    let told: Vec<OutcomeRow> = c.q(LIST_GATEWAY_OUTCOMES).bind(notice).all().await?;
    if !told.is_empty() {
        rows.retain(|row| row.layer != "gateway");
        rows.extend(told);
    }
    Ok(rows)
}

/// Deletes what nobody needed to hear any more before an instant.
pub async fn prune(mut c: C<'_>, before_ms: i64) -> Result<u64> {
    c.lend().q(PRUNE_DELIVERIES).bind(before_ms).execute().await?;
    c.q(PRUNE_NOTICES).bind(before_ms).execute().await
}

/// How far what others wrote for a person's phone has come.
pub async fn find_feed_end(
    c: C<'_>,
    (hall, user, device): (Uuid, UserId, Uuid),
    after: i64,
) -> Result<i64> {
    c.q(FIND_FEED_END).bind(user.0).bind(hall).bind(after).bind(device).scalar().await
}
