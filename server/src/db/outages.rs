//! Outages of the gas supply: what was said of each, and what of it is still to be written down for households (B13).

use domain::id::{HallId, HouseholdId, UserId};
use domain::outage::Area;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    INSERT_OUTAGE = "insert into outage (outage_id, hall_id, planned, area, reason, from_at, until_at, picks, due_at, \
        pack_id, made_by, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    REVISE_OUTAGE = "update outage set planned = $1, area = $2, reason = $3, from_at = $4, until_at = $5, picks = $6, \
        due_at = $7, pack_id = $8 where outage_id = $9";
    FIND_OUTAGE = "select outage_id, hall_id, planned, area, reason, from_at, until_at, picks, due_at, pack_id, made_by, \
        made_at, announced_at, announced_by, why, ended_at, ended_by, cancelled_at, cancelled_by, cancelled_why \
        from outage where outage_id = $1 and hall_id = $2";
    ANNOUNCE_OUTAGE = "update outage set announced_at = $1, announced_by = $2, why = $3 where outage_id = $4";
    PROLONG_OUTAGE = "update outage set until_at = $1, reason = $2 where outage_id = $3";
    END_OUTAGE = "update outage set ended_at = $1, ended_by = $2 where outage_id = $3";
    CANCEL_OUTAGE = "update outage set cancelled_at = $1, cancelled_by = $2, cancelled_why = $3 where outage_id = $4";
    FIND_COUNTED = "select o.outage_id, o.hall_id, o.planned, o.area, o.reason, o.from_at, o.until_at, o.picks, o.due_at, \
        o.pack_id, o.made_by, o.made_at, o.announced_at, o.announced_by, o.why, o.ended_at, o.ended_by, o.cancelled_at, \
        o.cancelled_by, o.cancelled_why, \
        (select count(*) from outage_household h where h.outage_id = o.outage_id) as households, \
        (select count(*) from outage_told t where t.outage_id = o.outage_id and t.phase = 'off') as told, \
        (select max(t.told_at) from outage_told t where t.outage_id = o.outage_id and t.phase = 'off') as last_told_at \
        from outage o where o.outage_id = $1 and o.hall_id = $2";
    LIST_COUNTED = "select o.outage_id, o.hall_id, o.planned, o.area, o.reason, o.from_at, o.until_at, o.picks, o.due_at, \
        o.pack_id, o.made_by, o.made_at, o.announced_at, o.announced_by, o.why, o.ended_at, o.ended_by, o.cancelled_at, \
        o.cancelled_by, o.cancelled_why, \
        (select count(*) from outage_household h where h.outage_id = o.outage_id) as households, \
        (select count(*) from outage_told t where t.outage_id = o.outage_id and t.phase = 'off') as told, \
        (select max(t.told_at) from outage_told t where t.outage_id = o.outage_id and t.phase = 'off') as last_told_at \
        from outage o where o.hall_id = $1 and (o.from_at < $2 or (o.from_at = $2 and o.outage_id < $3)) \
        and (not $4 or (o.ended_at is null and o.cancelled_at is null)) \
        order by o.from_at desc, o.outage_id desc limit $5";
    LIST_PROMISED = "select o.outage_id, o.hall_id, o.planned, o.area, o.reason, o.from_at, o.until_at, o.picks, o.due_at, \
        o.pack_id, o.made_by, o.made_at, o.announced_at, o.announced_by, o.why, o.ended_at, o.ended_by, o.cancelled_at, \
        o.cancelled_by, o.cancelled_why, \
        (select count(*) from outage_household h where h.outage_id = o.outage_id) as households, \
        (select count(*) from outage_told t where t.outage_id = o.outage_id and t.phase = 'off') as told, \
        (select max(t.told_at) from outage_told t where t.outage_id = o.outage_id and t.phase = 'off') as last_told_at \
        from outage o where o.hall_id = $1 and o.cancelled_at is null \
        and (o.ended_at is null or o.due_at >= $2 or (o.due_at >= $3 and o.due_at < $4)) order by o.due_at, o.outage_id";
    LIST_OF_HOUSEHOLD = "select o.outage_id, o.hall_id, o.planned, o.area, o.reason, o.from_at, o.until_at, o.picks, \
        o.due_at, o.pack_id, o.made_by, o.made_at, o.announced_at, o.announced_by, o.why, o.ended_at, o.ended_by, \
        o.cancelled_at, o.cancelled_by, o.cancelled_why from outage_household h \
        join outage o on o.outage_id = h.outage_id where h.household_id = $1 and o.hall_id = $2 \
        and o.announced_at is not null and o.cancelled_at is null and (o.ended_at is null or o.ended_at >= $3) \
        order by o.from_at, o.outage_id";
    LIST_CROSSING = "select o.outage_id, o.area, o.from_at, o.until_at, o.announced_at, h.household_id \
        from outage o join outage_household h on h.outage_id = o.outage_id where o.hall_id = $1 \
        and o.ended_at is null and o.cancelled_at is null and o.from_at < $3 and o.until_at > $2";
    // A place that no register knows has no pipe that anybody could name.
    LIST_DOORS = "select h.household_id, h.account, h.holder, h.address, h.phone from household h \
        left join unregistered_place p on p.household_id = h.household_id \
        where h.hall_id = $1 and p.household_id is null order by h.address, h.account";
    DELETE_HOUSEHOLDS = "delete from outage_household where outage_id = $1";
    INSERT_HOUSEHOLD = "insert into outage_household (outage_id, household_id) values ($1, $2) on conflict do nothing";
    INSERT_TELLING = "insert into outage_telling (telling_id, outage_id, hall_id, occasion, from_at, until_at, ended_at, \
        reason, made_by, made_at, number) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
        (select count(*) + 1 from outage_telling where outage_id = $2))";
    LIST_TELLINGS = "select telling_id, outage_id, hall_id, occasion, from_at, until_at, ended_at, reason, made_by, made_at, \
        written_to, written, done_at from outage_telling where outage_id = $1 order by number";
    LIST_OPEN_TELLINGS = "select telling_id, outage_id, hall_id, occasion, from_at, until_at, ended_at, reason, made_by, \
        made_at, written_to, written, done_at from outage_telling where done_at is null order by made_at, telling_id limit $1";
    CLOSE_TELLINGS = "update outage_telling set done_at = $1 where outage_id = $2 and done_at is null";
    LIST_NEXT = "select household_id from outage_household where outage_id = $1 and household_id > $2 \
        order by household_id limit $3";
    LIST_NEXT_TOLD = "select h.household_id from outage_household h where h.outage_id = $1 and h.household_id > $2 \
        and (exists (select 1 from outage_told t where t.outage_id = h.outage_id and t.phase = 'off' \
        and t.household_id = h.household_id) or exists (select 1 from household_notice n \
        where n.household_id = h.household_id and n.outage_id = h.outage_id and n.state in ('handed', 'sent'))) \
        order by h.household_id limit $3";
    ADVANCE = "update outage_telling set written_to = $1, written = written + $2, done_at = $3 \
        where telling_id = $4 and done_at is null and coalesce(written_to, $5) = $5";
}

/// An outage as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OutageRow {
    /// The outage.
    pub outage_id: Uuid,
    /// The hall.
    pub hall_id: Uuid,
    /// Whether anybody could know of it before.
    pub planned: bool,
    /// Where, in the words that households read.
    pub area: String,
    /// Why, in the words that households read.
    pub reason: String,
    /// From when, Unix ms.
    pub from_at: i64,
    /// Until when, as was said last.
    pub until_at: i64,
    /// Where, as it was picked.
    pub picks: Json<Area>,
    /// By when households were promised to be told.
    pub due_at: i64,
    /// The pack whose clock holds.
    pub pack_id: String,
    /// Who wrote it down.
    pub made_by: Uuid,
    /// When.
    pub made_at: i64,
    /// When it was announced.
    pub announced_at: Option<i64>,
    /// Who did.
    pub announced_by: Option<Uuid>,
    /// Why the promise was broken knowingly; empty where it was not.
    pub why: String,
    /// When the gas was on again.
    pub ended_at: Option<i64>,
    /// Who said so.
    pub ended_by: Option<Uuid>,
    /// When it was called off.
    pub cancelled_at: Option<i64>,
    /// Who did.
    pub cancelled_by: Option<Uuid>,
    /// Why.
    pub cancelled_why: String,
}

/// An outage with how many of its households were told.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CountedRow {
    /// The outage.
    #[sqlx(flatten)]
    pub outage: OutageRow,
    /// Households whose gas is off.
    pub households: i64,
    /// How many of them were told that it is.
    pub told: i64,
    /// When the last of them was.
    pub last_told_at: Option<i64>,
}

/// Something that all households of an outage are told.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TellingRow {
    /// Its id.
    pub telling_id: Uuid,
    /// Of which outage.
    pub outage_id: Uuid,
    /// The hall.
    pub hall_id: Uuid,
    /// The key of the occasion.
    pub occasion: String,
    /// From when, Unix ms.
    pub from_at: i64,
    /// Until when, as was said then.
    pub until_at: i64,
    /// When the gas was on again.
    pub ended_at: Option<i64>,
    /// Why, in the words that households read.
    pub reason: String,
    /// Who said it.
    pub made_by: Uuid,
    /// When.
    pub made_at: i64,
    /// The last household for which it was written down.
    pub written_to: Option<Uuid>,
    /// For how many it was.
    pub written: i64,
    /// When it was for all, or was not to be told any more.
    pub done_at: Option<i64>,
}

/// Writes an outage down; nobody is told.
pub async fn insert_outage(c: C<'_>, row: &OutageRow) -> Result<()> {
    let q = c.q(INSERT_OUTAGE).bind(row.outage_id).bind(row.hall_id).bind(row.planned);
    let q = q.bind(&row.area).bind(&row.reason).bind(row.from_at).bind(row.until_at);
    let q = q.bind(&row.picks).bind(row.due_at).bind(&row.pack_id);
    q.bind(row.made_by).bind(row.made_at).execute().await.map(drop)
}

/// Changes what nobody was told of yet.
pub async fn revise_outage(c: C<'_>, row: &OutageRow) -> Result<()> {
    let q = c.q(REVISE_OUTAGE).bind(row.planned).bind(&row.area).bind(&row.reason);
    let q = q.bind(row.from_at).bind(row.until_at).bind(&row.picks).bind(row.due_at);
    q.bind(&row.pack_id).bind(row.outage_id).execute().await.map(drop)
}

/// Finds an outage of a hall.
pub async fn find_outage(c: C<'_>, hall: HallId, outage: Uuid) -> Result<Option<OutageRow>> {
    c.q(FIND_OUTAGE).bind(outage).bind(hall.0).opt().await
}

/// Finds an outage of a hall with how many were told.
pub async fn find_counted(c: C<'_>, hall: HallId, outage: Uuid) -> Result<Option<CountedRow>> {
    c.q(FIND_COUNTED).bind(outage).bind(hall.0).opt().await
}

/// Lists outages of a hall behind a place of the list, the last to begin first.
pub async fn list_counted(
    c: C<'_>,
    hall: HallId,
    ((before, id), is_open): ((i64, Uuid), bool),
    limit: i64,
) -> Result<Vec<CountedRow>> {
    let q = c.q(LIST_COUNTED).bind(hall.0).bind(before).bind(id);
    q.bind(is_open).bind(limit).all().await
}

/// Lists outages whose promise may still run, and those whose promise was due in some days; the first due first.
pub async fn list_promised(
    c: C<'_>,
    hall: HallId,
    now_ms: i64,
    (from, until): (i64, i64),
) -> Result<Vec<CountedRow>> {
    c.q(LIST_PROMISED).bind(hall.0).bind(now_ms).bind(from).bind(until).all().await
}

/// Lists the announced outages of a household that are not over, or were over no earlier than an instant.
pub async fn list_of_household(
    c: C<'_>,
    (hall, household): (HallId, HouseholdId),
    since_ms: i64,
) -> Result<Vec<OutageRow>> {
    c.q(LIST_OF_HOUSEHOLD).bind(household.0).bind(hall.0).bind(since_ms).all().await
}

/// An outage that is not over, at one of its households.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CrossingRow {
    /// The outage.
    pub outage_id: Uuid,
    /// Where, in words.
    pub area: String,
    /// From when, Unix ms.
    pub from_at: i64,
    /// Until when.
    pub until_at: i64,
    /// When it was announced.
    pub announced_at: Option<i64>,
    /// The household.
    pub household_id: Uuid,
}

/// Lists outages between two instants with each of their households.
pub async fn list_crossing(
    c: C<'_>,
    hall: HallId,
    (from, until): (i64, i64),
) -> Result<Vec<CrossingRow>> {
    c.q(LIST_CROSSING).bind(hall.0).bind(from).bind(until).all().await
}

/// A household of the register as an area is picked from it.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DoorRow {
    /// The household.
    pub household_id: Uuid,
    /// Its account number.
    pub account: String,
    /// Its holder.
    pub holder: String,
    /// Its address.
    pub address: String,
    /// Its telephone number; empty where none is known.
    pub phone: String,
}

impl std::fmt::Debug for DoorRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DoorRow").field("household_id", &self.household_id).finish_non_exhaustive()
    }
}

/// Lists every door of a hall by address.
pub async fn list_doors(c: C<'_>, hall: HallId) -> Result<Vec<DoorRow>> {
    c.q(LIST_DOORS).bind(hall.0).all().await
}

/// Says whose gas is off, in the place of what was said before.
pub async fn set_households(mut c: C<'_>, outage: Uuid, households: &[Uuid]) -> Result<()> {
    c.lend().q(DELETE_HOUSEHOLDS).bind(outage).execute().await?;
    insert_rows(c, INSERT_HOUSEHOLD, households, |q, household| q.bind(outage).bind(*household))
        .await
        .map(drop)
}

/// Notes that households are told of it: who did, when, and why the promise was broken knowingly.
pub async fn announce_outage(
    c: C<'_>,
    outage: Uuid,
    (by, now_ms, why): (UserId, i64, &str),
) -> Result<()> {
    let q = c.q(ANNOUNCE_OUTAGE).bind(now_ms).bind(by.0).bind(why);
    q.bind(outage).execute().await.map(drop)
}

/// Lets it end later, for a reason.
pub async fn prolong_outage(c: C<'_>, outage: Uuid, (until, reason): (i64, &str)) -> Result<()> {
    c.q(PROLONG_OUTAGE).bind(until).bind(reason).bind(outage).execute().await.map(drop)
}

/// Ends it: since when, and who says so.
pub async fn end_outage(c: C<'_>, outage: Uuid, (at, by): (i64, UserId)) -> Result<()> {
    c.q(END_OUTAGE).bind(at).bind(by.0).bind(outage).execute().await.map(drop)
}

/// Calls it off.
pub async fn cancel_outage(
    c: C<'_>,
    outage: Uuid,
    (by, now_ms, why): (UserId, i64, &str),
) -> Result<()> {
    let q = c.q(CANCEL_OUTAGE).bind(now_ms).bind(by.0).bind(why);
    q.bind(outage).execute().await.map(drop)
}

/// Begins to tell all households something; what was still to be written down of before is left out.
pub async fn insert_telling(mut c: C<'_>, row: &TellingRow) -> Result<()> {
    c.lend().q(CLOSE_TELLINGS).bind(row.made_at).bind(row.outage_id).execute().await?;
    let q = c.q(INSERT_TELLING).bind(row.telling_id).bind(row.outage_id).bind(row.hall_id);
    let q = q.bind(&row.occasion).bind(row.from_at).bind(row.until_at).bind(row.ended_at);
    q.bind(&row.reason).bind(row.made_by).bind(row.made_at).execute().await.map(drop)
}

/// Lists what an outage's households were told, oldest first.
pub async fn list_tellings(c: C<'_>, outage: Uuid) -> Result<Vec<TellingRow>> {
    c.q(LIST_TELLINGS).bind(outage).all().await
}

/// Lists what is still to be written down.
pub async fn list_open_tellings(c: C<'_>, limit: i64) -> Result<Vec<TellingRow>> {
    c.q(LIST_OPEN_TELLINGS).bind(limit).all().await
}

/// Lists the next households of a telling; with `only_told` those that believe that the gas goes off.
pub async fn list_next(
    c: C<'_>,
    telling: &TellingRow,
    (only_told, limit): (bool, i64),
) -> Result<Vec<Uuid>> {
    let sql = if only_told { LIST_NEXT_TOLD } else { LIST_NEXT };
    let after = telling.written_to.unwrap_or_default();
    let rows: Vec<(Uuid,)> = c.q(sql).bind(telling.outage_id).bind(after).bind(limit).all().await?;
    Ok(rows.into_iter().map(|(household,)| household).collect())
}

/// Notes how far a telling was written down; tells whether nobody else was faster.
pub async fn advance(
    c: C<'_>,
    telling: &TellingRow,
    (to, count, done_at): (Uuid, i64, Option<i64>),
) -> Result<bool> {
    let before = telling.written_to.unwrap_or_default();
    let q = c.q(ADVANCE).bind(to).bind(count).bind(done_at).bind(telling.telling_id);
    Ok(q.bind(before).execute().await? == 1)
}
