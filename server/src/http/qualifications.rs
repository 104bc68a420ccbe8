//! What technicians are able to do, and where they usually work.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use domain::id::UserId;
use domain::pack::{Pack, SkillId};
use domain::qualification::Qualification;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::caller::{Manager, Staff};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::users::find_in_hall;
use crate::audit::{self, Entry, Subject, What};
use crate::db::qualifications::{find_qualification, upsert_qualification};
use crate::identity::Role;
use crate::state::AppState;

/// Words of an area; more is a list of addresses.
const MOST_WORDS: usize = 50;

/// Letters of a word.
const LONGEST_WORD: usize = 50;

/// What is recorded of a technician.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QualificationBody {
    /// The keys of their skills as the rule pack names them; `null` while nobody recorded any, which hinders nothing.
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    skills: Option<BTreeSet<SkillId>>,
    /// Words of which one stands in each address of their area, such as a street; none for everywhere.
    #[schema(value_type = Vec<String>, max_items = 50)]
    area: BTreeSet<String>,
}

/// Something that one has to have learnt before one may be sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkillBody {
    /// Its key.
    id: String,
    /// Its words in Chinese.
    zh: String,
    /// Its words in English.
    en: String,
}

/// Shows what is recorded of a technician.
#[utoipa::path(
    get, path = "/api/users/{id}/qualification", tag = "people",
    params(("id" = uuid::Uuid, Path, description = "The technician.")),
    responses((status = 200, description = "What is recorded.", body = QualificationBody)),
)]
pub async fn get_qualification(
    Staff(caller): Staff,
    State(state): State<AppState>,
    Path(user): Path<UserId>,
) -> Result<Json<QualificationBody>, ApiError> {
    let user = find_in_hall(&state, &caller, user).await?;
    let mut conn = state.db.read().await?;
    let found = find_qualification(conn.c(), user.id).await?.unwrap_or_default();
    Ok(Json(QualificationBody { skills: found.skills, area: found.area }))
}

/// Records what a technician is able to do and where they usually work, in the place of what was recorded.
#[utoipa::path(
    put, path = "/api/users/{id}/qualification", tag = "people", request_body = QualificationBody,
    params(("id" = uuid::Uuid, Path, description = "The technician.")),
    responses(
        (status = 200, description = "It is recorded.", body = QualificationBody),
        (status = 422, description = "Not a technician, no skill of the rule pack, or no word."),
    ),
)]
pub async fn put_qualification(
    Manager(caller): Manager,
    State(state): State<AppState>,
    Path(user): Path<UserId>,
    Body(body): Body<QualificationBody>,
) -> Result<Json<QualificationBody>, ApiError> {
    let user = find_in_hall(&state, &caller, user).await?;
    let refuse = |rule: String| Err(ApiError::Unprocessable(rule));
    if user.role != Role::Technician {
        return refuse("only technicians go to doors: choose one of them".to_owned());
    }
    let mut tx = state.db.begin().await?;
    let pack = state.packs.in_force(tx.c(), state.clock.now()).await?;
    let known = |skill: &SkillId| pack.skills.iter().any(|it| it.id == *skill);
    if let Some(unknown) = body.skills.iter().flatten().find(|skill| !known(skill)) {
        let skills: Vec<&str> = pack.skills.iter().map(|it| it.id.0.as_str()).collect();
        return refuse(format!("{:?} is no skill: use {}", unknown.0, skills.join(", ")));
    }
    let area: BTreeSet<String> = body.area.iter().map(|word| word.trim().to_owned()).collect();
    let is_word = |word: &String| (1..=LONGEST_WORD).contains(&word.chars().count());
    if area.len() > MOST_WORDS || !area.iter().all(is_word) {
        return refuse("an area has at most 50 words of 1 to 50 letters".to_owned());
    }
    let recorded = Qualification { skills: body.skills, area };
    let now = state.clock.now();
    upsert_qualification(tx.c(), user.id, &recorded, now.timestamp_millis()).await?;
    let entry = Entry::new(&caller, What::PersonChanged, Subject::Id("person", user.id.0));
    let detail = json!({"skills": recorded.skills, "area": recorded.area});
    audit::keep(tx.c(), now, entry.with(detail)).await?;
    tx.commit().await?;
    Ok(Json(QualificationBody { skills: recorded.skills, area: recorded.area }))
}

/// Skills with their names.
pub(super) fn named(skills: &BTreeSet<SkillId>, pack: &Pack) -> Vec<SkillBody> {
    let rules = pack.skills.iter().filter(|rule| skills.contains(&rule.id));
    rules
        .map(|rule| SkillBody { id: rule.id.0.clone(), zh: rule.zh.clone(), en: rule.en.clone() })
        .collect()
}
