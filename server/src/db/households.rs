//! Households and the groups they belong to.

use std::collections::{BTreeMap, BTreeSet};

use domain::household::{Group, Household};
use domain::id::{HallId, HouseholdId};
use domain::place::Place;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    UPSERT_HOUSEHOLD = "insert into household \
        (household_id, hall_id, account, holder, address, phone, latitude, longitude, access) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        on conflict (household_id) do update set account = excluded.account, holder = excluded.holder, \
        address = excluded.address, phone = excluded.phone, latitude = excluded.latitude, \
        longitude = excluded.longitude, access = excluded.access, erased_at = null";
    INSERT_GROUP = "insert into household_group (household_id, member_of) values ($1, $2) on conflict do nothing";
    DELETE_GROUPS = "delete from household_group where household_id = $1";
    FIND_HOUSEHOLD = "select h.household_id, h.account, h.holder, h.address, h.phone, h.latitude, h.longitude, h.access, \
        p.made_at as unregistered_at \
        from household h left join unregistered_place p on p.household_id = h.household_id \
        where h.household_id = $1 and h.hall_id = $2";
    FIND_HOUSEHOLD_BY_ACCOUNT = "select h.household_id, h.account, h.holder, h.address, h.phone, h.latitude, h.longitude, h.access, \
        p.made_at as unregistered_at \
        from household h left join unregistered_place p on p.household_id = h.household_id \
        where h.account = $1 and h.hall_id = $2";
    LIST_HOUSEHOLDS = "select h.household_id, h.account, h.holder, h.address, h.phone, h.latitude, h.longitude, h.access, \
        p.made_at as unregistered_at \
        from household h left join unregistered_place p on p.household_id = h.household_id \
        where h.hall_id = $1 and p.household_id is null and h.erased_at is null";
    SEARCH_HOUSEHOLDS = "select h.household_id, h.account, h.holder, h.address, h.phone, h.latitude, h.longitude, h.access, \
        p.made_at as unregistered_at \
        from household h left join unregistered_place p on p.household_id = h.household_id \
        where h.hall_id = $1 and p.tied_to is null and (lower(h.account) like $2 escape '\\' \
        or lower(h.holder) like $2 escape '\\' or lower(h.address) like $2 escape '\\' or h.phone like $2 escape '\\') \
        order by h.account limit $3";
    LIST_HALL_GROUPS = "select g.household_id, g.member_of from household_group g \
        join household h on h.household_id = g.household_id where h.hall_id = $1";
    LIST_GROUPS = "select member_of from household_group where household_id = $1 order by member_of";
}

#[derive(sqlx::FromRow)]
struct HouseholdRow {
    household_id: Uuid,
    account: String,
    holder: String,
    address: String,
    phone: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    access: String,
    unregistered_at: Option<i64>,
}

/// Inserts households with their groups, or brings those that exist up to date.
pub async fn upsert_households(mut c: C<'_>, hall: HallId, households: &[Household]) -> Result<()> {
    insert_rows(c.lend(), UPSERT_HOUSEHOLD, households, |q, household| {
        q.bind(household.id.0)
            .bind(hall.0)
            .bind(&household.account)
            .bind(&household.holder)
            .bind(&household.address)
            .bind(&household.phone)
            .bind(household.place.map(|place| place.latitude))
            .bind(household.place.map(|place| place.longitude))
            .bind(&household.access)
    })
    .await?;
    for household in households {
        c.lend().q(DELETE_GROUPS).bind(household.id.0).execute().await?;
    }
    let members: Vec<_> = households
        .iter()
        .flat_map(|household| household.groups.iter().map(|group| (household.id, group.key())))
        .collect();
    insert_rows(c, INSERT_GROUP, &members, |q, (household, group)| q.bind(household.0).bind(*group))
        .await
        .map(drop)
}

/// Finds a household of a hall by its id.
pub async fn find_household(
    mut c: C<'_>,
    hall: HallId,
    household: HouseholdId,
) -> Result<Option<Household>> {
    let row = c.lend().q(FIND_HOUSEHOLD).bind(household.0).bind(hall.0).opt().await?;
    with_groups(c, row).await
}

/// Finds a household of a hall by its account number (户号).
pub async fn find_household_by_account(
    mut c: C<'_>,
    hall: HallId,
    account: &str,
) -> Result<Option<Household>> {
    let row = c.lend().q(FIND_HOUSEHOLD_BY_ACCOUNT).bind(account).bind(hall.0).opt().await?;
    with_groups(c, row).await
}

/// Every household of a hall that its registers know.
pub async fn list_households(
    mut c: C<'_>,
    hall: HallId,
) -> Result<BTreeMap<HouseholdId, Household>> {
    let rows: Vec<HouseholdRow> = c.lend().q(LIST_HOUSEHOLDS).bind(hall.0).all().await?;
    let groups: Vec<(Uuid, String)> = c.q(LIST_HALL_GROUPS).bind(hall.0).all().await?;
    let households = rows.into_iter().map(|row| household(row, BTreeSet::new()));
    let mut households: BTreeMap<_, _> = households.map(|it| (it.id, it)).collect();
    for (id, key) in groups {
        if let Some(household) = households.get_mut(&HouseholdId(id)) {
            household.groups.extend(group_from_key(&key));
        }
    }
    Ok(households)
}

/// Finds households of a hall whose account, holder, address or phone number is like a pattern in lower case.
pub async fn search_households(
    mut c: C<'_>,
    hall: HallId,
    pattern: &str,
    limit: i64,
) -> Result<Vec<Household>> {
    let search = c.lend().q(SEARCH_HOUSEHOLDS).bind(hall.0).bind(pattern).bind(limit);
    let rows: Vec<HouseholdRow> = search.all().await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.extend(with_groups(c.lend(), Some(row)).await?);
    }
    Ok(found)
}

async fn with_groups(c: C<'_>, row: Option<HouseholdRow>) -> Result<Option<Household>> {
    let Some(row) = row else { return Ok(None) };
    let groups: Vec<(String,)> = c.q(LIST_GROUPS).bind(row.household_id).all().await?;
    let groups = groups.iter().filter_map(|(key,)| group_from_key(key)).collect();
    Ok(Some(household(row, groups)))
}

fn household(row: HouseholdRow, groups: BTreeSet<Group>) -> Household {
    let place = row.latitude.zip(row.longitude);
    Household {
        id: HouseholdId(row.household_id),
        account: row.account,
        holder: row.holder,
        address: row.address,
        phone: row.phone,
        place: place.map(|(latitude, longitude)| Place { latitude, longitude }),
        groups,
        access: row.access,
        unregistered: row.unregistered_at.is_some(),
    }
}

fn group_from_key(key: &str) -> Option<Group> {
    Group::ALL.into_iter().find(|group| group.key() == key)
}
