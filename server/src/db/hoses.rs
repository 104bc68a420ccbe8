//! Hoses on the wall and the replacements a household has had.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::hose::Replacement;
use domain::household::{Hose, HoseKind};
use domain::id::{HallId, HoseId, HouseholdId, JobId};
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    UPSERT_HOSE = "insert into hose (hose_id, household_id, kind, length_mm, installed_on, is_estimated, joints) \
        values ($1, $2, $3, $4, $5, $6, $7) \
        on conflict (hose_id) do update set household_id = excluded.household_id, kind = excluded.kind, \
        length_mm = excluded.length_mm, installed_on = excluded.installed_on, is_estimated = excluded.is_estimated, \
        joints = excluded.joints";
    UPSERT_REPLACEMENT = "insert into replacement (hose_id, household_id, job_id, replaced_on, free) \
        values ($1, $2, $3, $4, $5) \
        on conflict (hose_id) do update set job_id = excluded.job_id, replaced_on = excluded.replaced_on, \
        free = excluded.free";
    LIST_HALL_HOSES = "select i.household_id, i.hose_id, i.kind, i.length_mm, i.installed_on, i.is_estimated, \
        i.joints from hose i \
        join household h on h.household_id = i.household_id where h.hall_id = $1";
    LIST_HALL_REPLACEMENTS = "select r.household_id, r.hose_id, r.job_id, r.replaced_on, r.free from replacement r \
        join household h on h.household_id = r.household_id where h.hall_id = $1";
    LIST_HOSES = "select household_id, hose_id, kind, length_mm, installed_on, is_estimated, joints from hose where household_id = $1 \
        order by installed_on, hose_id";
    LIST_REPLACEMENTS = "select hose_id, job_id, replaced_on, free from replacement where household_id = $1 \
        order by replaced_on, hose_id";
}

#[derive(sqlx::FromRow)]
struct HoseRow {
    household_id: Uuid,
    hose_id: Uuid,
    kind: String,
    length_mm: i64,
    installed_on: String,
    is_estimated: bool,
    joints: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct ReplacementRow {
    hose_id: Uuid,
    job_id: Option<Uuid>,
    replaced_on: String,
    free: bool,
}

/// Inserts hoses, or brings those that exist up to date.
pub async fn upsert_hoses(c: C<'_>, hoses: &[(HouseholdId, Hose)]) -> Result<()> {
    insert_rows(c, UPSERT_HOSE, hoses, |q, (household, hose)| {
        q.bind(hose.id.0)
            .bind(household.0)
            .bind(hose.kind.key())
            .bind(i64::from(hose.length_mm))
            .bind(hose.installed_on.to_string())
            .bind(hose.is_estimated)
            .bind(hose.joints.map(i64::from))
    })
    .await
    .map(drop)
}

/// Inserts replacements a household has had, or brings those that exist up to date.
pub async fn upsert_replacements(
    c: C<'_>,
    replacements: &[(HouseholdId, Replacement)],
) -> Result<()> {
    insert_rows(c, UPSERT_REPLACEMENT, replacements, |q, (household, replacement)| {
        q.bind(replacement.installed.0)
            .bind(household.0)
            .bind(replacement.job.map(|job| job.0))
            .bind(replacement.on.to_string())
            .bind(replacement.free)
    })
    .await
    .map(drop)
}

/// Lists the hoses that the hall's register knows at a household, oldest first.
pub async fn list_hoses(c: C<'_>, household: HouseholdId) -> Result<Vec<Hose>> {
    let rows: Vec<HoseRow> = c.q(LIST_HOSES).bind(household.0).all().await?;
    rows.iter().map(hose).collect()
}

/// Lists the replacements that the hall's register knows at a household, oldest first.
pub async fn list_replacements(c: C<'_>, household: HouseholdId) -> Result<Vec<Replacement>> {
    let rows: Vec<ReplacementRow> = c.q(LIST_REPLACEMENTS).bind(household.0).all().await?;
    rows.iter().map(replacement).collect()
}

/// Every hose of a hall with the household at which it hangs.
pub async fn list_hall_hoses(
    c: C<'_>,
    hall: HallId,
) -> Result<BTreeMap<HoseId, (HouseholdId, Hose)>> {
    let rows: Vec<HoseRow> = c.q(LIST_HALL_HOSES).bind(hall.0).all().await?;
    rows.iter()
        .map(|row| {
            let hose = hose(row)?;
            Ok((hose.id, (HouseholdId(row.household_id), hose)))
        })
        .collect()
}

/// Every replacement of a hall, by the hose that was put in, with its household.
pub async fn list_hall_replacements(
    c: C<'_>,
    hall: HallId,
) -> Result<BTreeMap<HoseId, (HouseholdId, Replacement)>> {
    let rows: Vec<(Uuid, Uuid, Option<Uuid>, String, bool)> =
        c.q(LIST_HALL_REPLACEMENTS).bind(hall.0).all().await?;
    rows.into_iter()
        .map(|(household, hose_id, job_id, replaced_on, free)| {
            let done = replacement(&ReplacementRow { hose_id, job_id, replaced_on, free })?;
            Ok((done.installed, (HouseholdId(household), done)))
        })
        .collect()
}

fn hose(row: &HoseRow) -> Result<Hose> {
    Ok(Hose {
        id: HoseId(row.hose_id),
        kind: kind_from_key(&row.kind)?,
        length_mm: u32::try_from(row.length_mm).map_err(super::decode)?,
        installed_on: row.installed_on.parse::<NaiveDate>().map_err(super::decode)?,
        is_estimated: row.is_estimated,
        joints: row.joints.map(u8::try_from).transpose().map_err(super::decode)?,
    })
}

fn replacement(row: &ReplacementRow) -> Result<Replacement> {
    Ok(Replacement {
        job: row.job_id.map(JobId),
        installed: HoseId(row.hose_id),
        on: row.replaced_on.parse::<NaiveDate>().map_err(super::decode)?,
        free: row.free,
    })
}

/// Finds the material that a stored word means.
pub fn kind_from_key(key: &str) -> Result<HoseKind> {
    HoseKind::ALL
        .into_iter()
        .find(|kind| kind.key() == key)
        .ok_or_else(|| super::decode(format!("no hose is made of `{key}`")))
}
