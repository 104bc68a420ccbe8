//! Calls to the hall and how soon they were answered (B3, D7).

use domain::id::HallId;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_CALL = "insert into phone_call (call_id, hall_id, at, agent, number_given, rings, answered_as, pack_id, \
        recorded_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    LIST_CALLS = "select at, agent, number_given, answered_as from phone_call \
        where hall_id = $1 and at >= $2 and at < $3 order by at, call_id";
}

/// A call as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Its id.
    pub call_id: Uuid,
    /// When, Unix ms.
    pub at: i64,
    /// The agent's number; empty where nobody took it.
    pub agent: String,
    /// Whether the agent gave that number (D7).
    pub number_given: bool,
    /// How often it rang.
    pub rings: i64,
    /// How it was judged.
    pub answered_as: String,
    /// By which pack.
    pub pack_id: String,
    /// Who recorded it.
    pub recorded_by: Uuid,
}

/// A call that is counted.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CountedCall {
    /// When, Unix ms.
    pub at: i64,
    /// The agent's number; empty where nobody took it.
    pub agent: String,
    /// Whether the agent gave that number (D7).
    pub number_given: bool,
    /// How it was judged.
    pub answered_as: String,
}

/// Records a call.
pub async fn insert_call(c: C<'_>, hall: HallId, row: &CallRow) -> Result<()> {
    let q = c.q(INSERT_CALL).bind(row.call_id).bind(hall.0).bind(row.at).bind(&row.agent);
    let q = q.bind(row.number_given).bind(row.rings).bind(&row.answered_as);
    q.bind(&row.pack_id).bind(row.recorded_by).execute().await.map(drop)
}

/// Lists the calls of a hall in some days.
pub async fn list_calls(
    c: C<'_>,
    hall: HallId,
    (from, until): (i64, i64),
) -> Result<Vec<CountedCall>> {
    c.q(LIST_CALLS).bind(hall.0).bind(from).bind(until).all().await
}
