//! What happened in a hall, in the order of its positions: the rows that live streams read.

use domain::id::HallId;
use domain::stamp::Timestamp;
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    INSERT_EVENT = "insert into live_event (hall_id, position, kind, job_id, at, body) values ($1, $2, $3, $4, $5, $6)";
    LIST_EVENTS = "select hall_id, position, kind, job_id, at, body from live_event \
        where hall_id = $1 and position > $2 order by position limit $3";
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct LiveEventRow {
    /// The hall.
    pub hall_id: Uuid,
    /// Its place in the feed.
    pub position: i64,
    /// What it was.
    pub kind: String,
    /// The job it was about.
    pub job_id: Option<Uuid>,
    /// When, Unix ms.
    pub at: i64,
    /// All that a board needs.
    pub body: Json<Value>,
}

/// Adds events.
pub async fn insert_events(c: C<'_>, events: &[LiveEventRow]) -> Result<()> {
    insert_rows(c, INSERT_EVENT, events, |q, event| {
        let q = q.bind(event.hall_id).bind(event.position).bind(&event.kind);
        q.bind(event.job_id).bind(event.at).bind(&event.body)
    })
    .await
    .map(drop)
}

/// Adds that something changed: its kind and id, and nothing of what it says.
pub async fn insert_hint(
    c: C<'_>,
    hall: HallId,
    (kind, id): (&str, Uuid),
    (at, position): (Timestamp, i64),
) -> Result<()> {
    let event = LiveEventRow {
        hall_id: hall.0,
        position,
        kind: kind.to_owned(),
        job_id: None,
        at: at.timestamp_millis(),
        body: Json(json!({"what": kind, kind: id})),
    };
    insert_events(c, &[event]).await
}

/// Lists what happened after a position.
pub async fn list_events(
    c: C<'_>,
    hall: HallId,
    after: i64,
    limit: i64,
) -> Result<Vec<LiveEventRow>> {
    c.q(LIST_EVENTS).bind(hall.0).bind(after).bind(limit).all().await
}
