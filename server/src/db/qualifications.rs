//! What people are able to do, and where they usually work.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{HallId, UserId};
use domain::pack::SkillId;
use domain::qualification::Qualification;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    UPSERT_QUALIFICATION = "insert into qualification (user_id, skills, area, changed_at) values ($1, $2, $3, $4) \
        on conflict (user_id) do update set skills = excluded.skills, area = excluded.area, \
        changed_at = excluded.changed_at";
    FIND_QUALIFICATION = "select user_id, skills, area from qualification where user_id = $1";
    LIST_QUALIFICATIONS = "select q.user_id, q.skills, q.area from qualification q \
        join user_account u on u.user_id = q.user_id where u.hall_id = $1";
}

#[derive(sqlx::FromRow)]
struct QualificationRow {
    user_id: Uuid,
    skills: Option<Json<BTreeSet<SkillId>>>,
    area: Json<BTreeSet<String>>,
}

impl From<QualificationRow> for Qualification {
    fn from(row: QualificationRow) -> Self {
        Self { skills: row.skills.map(|skills| skills.0), area: row.area.0 }
    }
}

/// Records what somebody is able to do, in the place of what was recorded before.
pub async fn upsert_qualification(
    c: C<'_>,
    user: UserId,
    qualification: &Qualification,
    now_ms: i64,
) -> Result<()> {
    c.q(UPSERT_QUALIFICATION)
        .bind(user.0)
        .bind(qualification.skills.as_ref().map(Json))
        .bind(Json(&qualification.area))
        .bind(now_ms)
        .execute()
        .await
        .map(drop)
}

/// Finds what is recorded of somebody.
pub async fn find_qualification(c: C<'_>, user: UserId) -> Result<Option<Qualification>> {
    let row: Option<QualificationRow> = c.q(FIND_QUALIFICATION).bind(user.0).opt().await?;
    Ok(row.map(Qualification::from))
}

/// Lists what is recorded of the people of a hall; whoever is not in it has nothing recorded.
pub async fn list_qualifications(
    c: C<'_>,
    hall: HallId,
) -> Result<BTreeMap<UserId, Qualification>> {
    let rows: Vec<QualificationRow> = c.q(LIST_QUALIFICATIONS).bind(hall.0).all().await?;
    Ok(rows.into_iter().map(|row| (UserId(row.user_id), row.into())).collect())
}
