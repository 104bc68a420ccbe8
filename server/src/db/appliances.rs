//! What burns gas in a household.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::household::{Appliance, ApplianceKind};
use domain::id::{ApplianceId, HallId, HouseholdId};
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    UPSERT_APPLIANCE = "insert into appliance \
        (appliance_id, household_id, kind, brand, model, installed_on, flame_out, sold_on, is_estimated) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        on conflict (appliance_id) do update set household_id = excluded.household_id, kind = excluded.kind, \
        brand = excluded.brand, model = excluded.model, installed_on = excluded.installed_on, \
        flame_out = excluded.flame_out, sold_on = excluded.sold_on, is_estimated = excluded.is_estimated";
    LIST_HALL_APPLIANCES = "select a.household_id, a.appliance_id, a.kind, a.brand, a.model, a.installed_on, \
        a.flame_out, a.sold_on, a.is_estimated from appliance a join household h on h.household_id = a.household_id where h.hall_id = $1";
    LIST_APPLIANCES = "select household_id, appliance_id, kind, brand, model, installed_on, flame_out, sold_on, is_estimated \
        from appliance \
        where household_id = $1 order by kind, appliance_id";
}

#[derive(sqlx::FromRow)]
struct ApplianceRow {
    household_id: Uuid,
    appliance_id: Uuid,
    kind: String,
    brand: String,
    model: String,
    installed_on: Option<String>,
    flame_out: Option<bool>,
    sold_on: Option<String>,
    is_estimated: bool,
}

/// Inserts appliances, or brings those that exist up to date.
pub async fn upsert_appliances(c: C<'_>, appliances: &[(HouseholdId, Appliance)]) -> Result<()> {
    insert_rows(c, UPSERT_APPLIANCE, appliances, |q, (household, appliance)| {
        q.bind(appliance.id.0)
            .bind(household.0)
            .bind(appliance.kind.key())
            .bind(&appliance.brand)
            .bind(&appliance.model)
            .bind(appliance.installed_on.map(|day| day.to_string()))
            .bind(appliance.flame_out)
            .bind(appliance.sold_on.map(|day| day.to_string()))
            .bind(appliance.is_estimated)
    })
    .await
    .map(drop)
}

/// Every appliance of a hall with its household.
pub async fn list_hall_appliances(
    c: C<'_>,
    hall: HallId,
) -> Result<BTreeMap<ApplianceId, (HouseholdId, Appliance)>> {
    let rows: Vec<ApplianceRow> = c.q(LIST_HALL_APPLIANCES).bind(hall.0).all().await?;
    rows.into_iter()
        .map(|row| {
            let household = HouseholdId(row.household_id);
            let appliance = appliance(row)?;
            Ok((appliance.id, (household, appliance)))
        })
        .collect()
}

/// Lists the appliances of a household.
pub async fn list_appliances(c: C<'_>, household: HouseholdId) -> Result<Vec<Appliance>> {
    let rows: Vec<ApplianceRow> = c.q(LIST_APPLIANCES).bind(household.0).all().await?;
    rows.into_iter().map(appliance).collect()
}

fn appliance(row: ApplianceRow) -> Result<Appliance> {
    let day = |text: Option<String>| {
        text.map(|day| day.parse::<NaiveDate>()).transpose().map_err(super::decode)
    };
    Ok(Appliance {
        id: ApplianceId(row.appliance_id),
        kind: kind_from_key(&row.kind)?,
        brand: row.brand,
        model: row.model,
        installed_on: day(row.installed_on)?,
        sold_on: day(row.sold_on)?,
        is_estimated: row.is_estimated,
        flame_out: row.flame_out,
    })
}

fn kind_from_key(key: &str) -> Result<ApplianceKind> {
    let found = ApplianceKind::ALL.into_iter().find(|kind| kind.key() == key);
    found.ok_or_else(|| super::decode(format!("no appliance is a `{key}`")))
}
