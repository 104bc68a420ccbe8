//! Meters that visits put in and took out, and the season that registers told.

use domain::id::{HallId, HouseholdId};
use domain::meter::MeterChange;
use domain::reading::Season;
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, decode, statements};

statements! {
    LIST_CHANGES = "select body from meter_change where household_id = $1 order by changed_on, fact_id";
    LIST_SERIALS = "select m.meter_id, m.serial from meter_change m \
        join household h on h.household_id = m.household_id \
        where h.hall_id = $1 and m.meter_id is not null and m.serial is not null";
    FIND_SEASON = "select body from season where hall_id = $1 and learnt_on = $2";
    INSERT_SEASON = "insert into season (hall_id, learnt_on, body) values ($1, $2, $3) \
        on conflict (hall_id, learnt_on) do nothing";
    DELETE_SEASONS = "delete from season where hall_id = $1 and learnt_on < $2";
}

/// Lists the changes of a household's meters, oldest first.
pub async fn list_changes(c: C<'_>, household: HouseholdId) -> Result<Vec<MeterChange>> {
    let rows: Vec<(Json<Value>,)> = c.q(LIST_CHANGES).bind(household.0).all().await?;
    rows.into_iter().map(|(body,)| serde_json::from_value(body.0).map_err(decode)).collect()
}

/// Lists the numbers on the plates of the meters that visits put in.
pub async fn list_serials(c: C<'_>, hall: HallId) -> Result<Vec<(Uuid, String)>> {
    c.q(LIST_SERIALS).bind(hall.0).all().await
}

/// What was learnt of the season on a day: null when too few registers told anything, nothing before that day's first
/// question.
pub async fn find_season(c: C<'_>, hall: HallId, learnt_on: &str) -> Result<Option<Value>> {
    let row: Option<(Json<Value>,)> = c.q(FIND_SEASON).bind(hall.0).bind(learnt_on).opt().await?;
    Ok(row.map(|(body,)| body.0))
}

/// Keeps the season of a day in the place of older ones.
pub async fn insert_season(
    mut c: C<'_>,
    hall: HallId,
    learnt_on: &str,
    season: Option<&Season>,
) -> Result<()> {
    c.lend().q(DELETE_SEASONS).bind(hall.0).bind(learnt_on).execute().await?;
    let body = Json(json!(season));
    c.q(INSERT_SEASON).bind(hall.0).bind(learnt_on).bind(&body).execute().await.map(drop)
}
