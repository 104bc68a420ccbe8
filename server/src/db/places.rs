//! Places that no register knows, and the household that one turned out to be.

use domain::id::{HallId, HouseholdId, UserId};
use domain::place::Place;
use domain::road::{Door, Likely};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    COUNT_PLACES = "select count(*) from unregistered_place where hall_id = $1";
    INSERT_PLACE = "insert into unregistered_place (household_id, hall_id, made_at, made_by, latitude, longitude, road) \
        values ($1, $2, $3, $4, $5, $6, $7)";
    FIND_PLACE = "select made_at, made_by, road, tied_to, tied_at, tied_by from unregistered_place \
        where household_id = $1 and hall_id = $2";
    TIE_PLACE = "update unregistered_place set tied_to = $1, tied_by = $2, tied_at = $3 where household_id = $4";
    LIST_SURVEYED = "select h.address, h.latitude, h.longitude from household h \
        left join unregistered_place p on p.household_id = h.household_id \
        where h.hall_id = $1 and h.latitude is not null and h.longitude is not null and p.household_id is null \
        order by h.account";
    LIST_JOBS_AT = "select job_id from document where household_id = $1 and hall_id = $2 order by job_id";
    MOVE_DOCUMENTS = "update document set household_id = $1 where household_id = $2";
    MOVE_CASES = "update hall_case set household_id = $1 where household_id = $2";
    MOVE_APPLICATIONS = "update application set household_id = $1 where household_id = $2";
    MOVE_NOTICES = "update household_notice set household_id = $1 where household_id = $2";
}

/// A place as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PlaceRow {
    /// When it was taken down, Unix ms.
    pub made_at: i64,
    /// By whom.
    pub made_by: Uuid,
    /// What its words share with the address of a door near it.
    pub road: Option<String>,
    /// The household that it turned out to be.
    pub tied_to: Option<Uuid>,
    /// When that was said, Unix ms.
    pub tied_at: Option<i64>,
    /// By whom.
    pub tied_by: Option<Uuid>,
}

/// How many places a hall has taken down so far.
pub async fn count_places(c: C<'_>, hall: HallId) -> Result<i64> {
    c.q(COUNT_PLACES).bind(hall.0).scalar().await
}

/// Marks a household's row as a place that no register knows.
pub async fn insert_place(
    c: C<'_>,
    (hall, household): (HallId, HouseholdId),
    likely: Option<&Likely>,
    (by, now_ms): (UserId, i64),
) -> Result<()> {
    c.q(INSERT_PLACE)
        .bind(household.0)
        .bind(hall.0)
        .bind(now_ms)
        .bind(by.0)
        .bind(likely.map(|it| it.place.latitude))
        .bind(likely.map(|it| it.place.longitude))
        .bind(likely.and_then(|it| it.shared.clone()))
        .execute()
        .await
        .map(drop)
}

/// Finds a place of a hall; `None` for a household of the register.
pub async fn find_place(
    c: C<'_>,
    hall: HallId,
    household: HouseholdId,
) -> Result<Option<PlaceRow>> {
    c.q(FIND_PLACE).bind(household.0).bind(hall.0).opt().await
}

/// Ties a place to a household, and moves to it all that hangs on the place by its row alone.
pub async fn tie_place(
    mut c: C<'_>,
    (place, household): (HouseholdId, HouseholdId),
    (by, now_ms): (UserId, i64),
) -> Result<()> {
    let tie = c.lend().q(TIE_PLACE).bind(household.0).bind(by.0).bind(now_ms).bind(place.0);
    tie.execute().await?;
    for statement in [MOVE_DOCUMENTS, MOVE_CASES, MOVE_APPLICATIONS, MOVE_NOTICES] {
        c.lend().q(statement).bind(household.0).bind(place.0).execute().await?;
    }
    Ok(())
}

/// Lists the ids of a household's jobs.
pub async fn list_jobs_at(c: C<'_>, hall: HallId, household: HouseholdId) -> Result<Vec<Uuid>> {
    let rows: Vec<(Uuid,)> = c.q(LIST_JOBS_AT).bind(household.0).bind(hall.0).all().await?;
    Ok(rows.into_iter().map(|(job,)| job).collect())
}

/// Lists the doors of a hall's register whose places are known.
pub async fn list_surveyed(c: C<'_>, hall: HallId) -> Result<Vec<Door>> {
    let rows: Vec<(String, f64, f64)> = c.q(LIST_SURVEYED).bind(hall.0).all().await?;
    let door =
        |(address, latitude, longitude)| Door { address, place: Place { latitude, longitude } };
    Ok(rows.into_iter().map(door).collect())
}
