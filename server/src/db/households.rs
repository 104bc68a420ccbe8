//! Households and the groups they belong to.

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
        longitude = excluded.longitude, access = excluded.access";
    INSERT_GROUP = "insert into household_group (household_id, member_of) values ($1, $2) on conflict do nothing";
    DELETE_GROUPS = "delete from household_group where household_id = $1";
    FIND_HOUSEHOLD = "select household_id, account, holder, address, phone, latitude, longitude, access \
        from household where household_id = $1 and hall_id = $2";
    FIND_HOUSEHOLD_BY_ACCOUNT = "select household_id, account, holder, address, phone, latitude, longitude, access \
        from household where account = $1 and hall_id = $2";
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
        .flat_map(|household| {
            household.groups.iter().map(|group| (household.id, group_key(*group)))
        })
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

async fn with_groups(c: C<'_>, row: Option<HouseholdRow>) -> Result<Option<Household>> {
    let Some(row) = row else { return Ok(None) };
    let groups: Vec<(String,)> = c.q(LIST_GROUPS).bind(row.household_id).all().await?;
    let place = row.latitude.zip(row.longitude);
    Ok(Some(Household {
        id: HouseholdId(row.household_id),
        account: row.account,
        holder: row.holder,
        address: row.address,
        phone: row.phone,
        place: place.map(|(latitude, longitude)| Place { latitude, longitude }),
        groups: groups.iter().filter_map(|(key,)| group_from_key(key)).collect(),
        access: row.access,
    }))
}

fn group_key(group: Group) -> &'static str {
    match group {
        Group::Elderly => "elderly",
        Group::Disabled => "disabled",
        Group::MartyrFamily => "martyr_family",
        Group::SoldierFamily => "soldier_family",
    }
}

fn group_from_key(key: &str) -> Option<Group> {
    [Group::Elderly, Group::Disabled, Group::MartyrFamily, Group::SoldierFamily]
        .into_iter()
        .find(|group| group_key(*group) == key)
}
