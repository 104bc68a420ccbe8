//! One household with everything that is known of it, and what staff write into its ledger.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{NaiveDate, TimeDelta};
use domain::calendar::city_day;
use domain::catalogue::Language;
use domain::hazard::FindingId;
use domain::household::{Group, Household};
use domain::id::{FactId, HallId, HouseholdId, JobId, VisitId};
use domain::job::{Channel, JobKind};
use domain::ledger::{Entry, Purpose, check};
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Caller, Staff};
use super::cases::AskedAt;
use super::error::ApiError;
use super::extract::Path;
use super::ledger_views::{LedgerBody, Seen, ledger_body};
use super::once::{Once, Receipt};
use super::{plans, schema};
use crate::db::ledger::{self as rows};
use crate::db::live_events;
use crate::db::{C, halls, households};
use crate::hazards;
use crate::ledger::{self, LIVE_KIND};
use crate::retry::until_won;
use crate::state::AppState;
use crate::unreached;

/// The longest telephone number.
const LONGEST_PHONE: usize = 20;

/// The longest way in, paper or version.
const LONGEST_LINE: usize = 500;

/// Shows one household of the hall with its ledger: groups and evidence, meters, hoses, hazards, visits, jobs, cases.
#[utoipa::path(
    get, path = "/api/households/{id}", tag = "households",
    params(("id" = Uuid, Path, description = "The household.")),
    responses((status = 200, description = "All that is known of it.", body = LedgerBody)),
)]
pub async fn get_household(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<HouseholdId>,
) -> Result<Json<LedgerBody>, ApiError> {
    let now = state.clock.now();
    let mut conn = state.db.read().await?;
    let (household, today) = find(conn.c(), &caller, id, now).await?;
    let seen = Seen { state: &state, hall: caller.hall, now, today };
    Ok(Json(ledger_body(conn.c(), &seen, household).await?))
}

/// A household of the register, and the day in the hall's city.
pub(super) async fn find(
    mut c: C<'_>,
    caller: &Caller,
    id: HouseholdId,
    now: Timestamp,
) -> Result<(Household, NaiveDate), ApiError> {
    let hall = halls::find_hall(c.lend(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let offset = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
    let household = households::find_household(c, caller.hall, id).await?;
    Ok((household.ok_or(ApiError::NotFound("household"))?, city_day(now, offset)))
}

/// What is written.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Telephone number and way in: `phone`, `access`.
    Contact,
    /// A paper was seen: `group`, `text` says which paper, `until` how long it holds.
    GroupShown,
    /// The household is not in a group any more: `group`, `text` says why.
    GroupWithdrawn,
    /// The household consented: `purpose`, `channel`, `text` names the version of what it was shown.
    ConsentGiven,
    /// It took its consent back: `purpose`, `channel`.
    ConsentWithdrawn,
    /// In which language it wants to be told: `language`.
    Language,
    /// A hazard is gone: `hazard`, `text` says how anybody knows. Graver ones are closed by a recheck at the door.
    HazardCleared,
    /// More time for a hazard, once: `hazard`, `until`, `text` says why.
    HazardExtended,
    /// A step about a hazard was done at the desk: `hazard`, `step`, `text` says what came of it.
    HazardStep,
    /// A step about a household that was not reached was done: `kind`, `step`, `text` says what came of it.
    LadderStep,
}

/// Something to write into a household's ledger.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToLedger {
    what: Deed,
    /// The telephone number from now on.
    #[schema(max_length = 20, pattern = "^[0-9]{5,20}$")]
    phone: Option<String>,
    /// How to get in, from now on.
    #[schema(max_length = 500)]
    access: Option<String>,
    #[schema(schema_with = schema::group)]
    group: Option<Group>,
    /// The last day on which a paper holds.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<NaiveDate>,
    #[schema(schema_with = schema::purpose)]
    purpose: Option<Purpose>,
    #[schema(schema_with = schema::channel)]
    channel: Option<Channel>,
    #[schema(schema_with = schema::language)]
    language: Option<Language>,
    /// The finding.
    hazard: Option<AskedAt>,
    /// The key of a step in the rule pack.
    #[schema(max_length = 100)]
    step: Option<String>,
    /// For which kind of job.
    #[schema(schema_with = schema::job_kind)]
    kind: Option<JobKind>,
    #[serde(default)]
    #[schema(max_length = 2000)]
    text: String,
}

/// What was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct WrittenBody {
    entry: Uuid,
}

/// Writes something into a household's ledger; future jobs are briefed with it.
#[utoipa::path(
    post, path = "/api/households/{id}/entries", tag = "households", request_body = AddToLedger,
    params(("id" = Uuid, Path, description = "The household.")),
    responses(
        (status = 201, description = "It stands in the ledger.", body = WrittenBody),
        (status = 409, description = "Not with the ledger as it stands."),
    ),
)]
pub async fn add_to_ledger(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<HouseholdId>,
    Once(body, receipt): Once<AddToLedger>,
) -> Result<(StatusCode, Json<WrittenBody>), ApiError> {
    let written = until_won(|| add_once(&state, (&caller, id), (&body, &receipt))).await?;
    Ok((StatusCode::CREATED, Json(written)))
}

async fn add_once(
    state: &AppState,
    (caller, id): (&Caller, HouseholdId),
    (body, receipt): (&AddToLedger, &Receipt),
) -> Result<WrittenBody, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    // Whoever holds the hall's row sees every entry before theirs.
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let (household, today) = find(tx.c(), caller, id, now).await?;
    let before = ledger::entries(tx.c(), id).await?;
    let entry = entry(body, &household)?;
    check(&household.groups, &before, &entry, today)?;
    let also = also_cleared(state, tx.c(), (caller.hall, id), &entry).await?;
    if let Entry::ContactCorrected { phone, access, .. } = &entry {
        rows::update_contact(tx.c(), id, (phone, access)).await?;
    }
    let (author, moment) = ((caller.user, now), ledger::moment_after(&before, now));
    let written = ledger::write(tx.c(), id, author, (&entry, moment)).await?;
    for (after, entry) in (1..).zip(also) {
        let moment = moment + TimeDelta::milliseconds(after);
        ledger::write(tx.c(), id, author, (&entry, moment)).await?;
    }
    if changes_groups(&entry) {
        ledger::brief_groups(state, &mut tx, (caller.hall, caller.user), &household).await?;
    }
    live_events::insert_hint(tx.c(), caller.hall, (LIVE_KIND, id.0), (now, position)).await?;
    let written = WrittenBody { entry: written };
    receipt.keep(tx.c(), &written, now.timestamp_millis()).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(written)
}

fn entry(body: &AddToLedger, household: &Household) -> Result<Entry, ApiError> {
    let needed = |what: &str| ApiError::Unprocessable(format!("send {what} with this entry"));
    let group = || body.group.ok_or_else(|| needed("`group`"));
    let purpose = || body.purpose.ok_or_else(|| needed("`purpose`"));
    let channel = || body.channel.ok_or_else(|| needed("`channel`"));
    let text = || plans::said(body.text.trim().to_owned());
    let step = || line(body.step.clone().ok_or_else(|| needed("`step`"))?);
    Ok(match body.what {
        Deed::Contact => {
            let phone = body.phone.clone().unwrap_or_else(|| household.phone.clone());
            let access = body.access.clone().unwrap_or_else(|| household.access.clone());
            check_contact(body.phone.as_deref(), &access)?;
            if phone == household.phone && access == household.access {
                return Err(needed("a `phone` or `access` that is another than before"));
            }
            Entry::ContactCorrected {
                phone_before: household.phone.clone(),
                phone,
                access_before: household.access.clone(),
                access,
            }
        }
        Deed::GroupShown => {
            Entry::GroupShown { group: group()?, paper: line(text()?)?, until: body.until }
        }
        Deed::GroupWithdrawn => Entry::GroupWithdrawn { group: group()?, reason: text()? },
        Deed::ConsentGiven => Entry::ConsentGiven {
            purpose: purpose()?,
            version: line(text()?)?,
            channel: channel()?,
        },
        Deed::ConsentWithdrawn => {
            Entry::ConsentWithdrawn { purpose: purpose()?, channel: channel()? }
        }
        Deed::Language => {
            Entry::LanguageChosen { language: body.language.ok_or_else(|| needed("`language`"))? }
        }
        Deed::HazardCleared => {
            let it = body.hazard.ok_or_else(|| needed("`hazard`"))?;
            let (job, visit, fact) = (JobId(it.job), VisitId(it.visit), FactId(it.fact));
            Entry::HazardCleared { job, visit, fact, text: text()? }
        }
        Deed::HazardExtended => {
            let it = body.hazard.ok_or_else(|| needed("`hazard`"))?;
            let (job, visit, fact) = (JobId(it.job), VisitId(it.visit), FactId(it.fact));
            let until = body.until.ok_or_else(|| needed("`until`"))?;
            Entry::HazardExtended { job, visit, fact, until, text: text()? }
        }
        Deed::HazardStep => {
            let it = body.hazard.ok_or_else(|| needed("`hazard`"))?;
            let (job, visit, fact) = (JobId(it.job), VisitId(it.visit), FactId(it.fact));
            Entry::HazardStepDone { job, visit, fact, step: step()?, text: text()? }
        }
        Deed::LadderStep => {
            let kind = body.kind.ok_or_else(|| needed("`kind`"))?;
            Entry::LadderStepDone { kind, step: step()?, text: text()? }
        }
    })
}

fn check_contact(phone: Option<&str>, access: &str) -> Result<(), ApiError> {
    let is_phone = |phone: &str| {
        (5..=LONGEST_PHONE).contains(&phone.len()) && phone.bytes().all(|it| it.is_ascii_digit())
    };
    if phone.is_some_and(|phone| !is_phone(phone)) {
        let what = "send a telephone number of 5 to 20 digits, and nothing else in it";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    line(access.to_owned()).map(drop)
}

fn line(text: String) -> Result<String, ApiError> {
    if text.chars().count() <= LONGEST_LINE {
        return Ok(text);
    }
    Err(ApiError::Unprocessable(format!("say it in {LONGEST_LINE} letters or fewer")))
}

/// Checks what is written about a hazard or a ladder, and finds what a clearance closes beside what it names: every
/// finding of the same item that the hall knows now, and nothing that a phone still brings.
async fn also_cleared(
    state: &AppState,
    c: C<'_>,
    (hall, household): (HallId, HouseholdId),
    entry: &Entry,
) -> Result<Vec<Entry>, ApiError> {
    if let Entry::LadderStepDone { kind, step, .. } = entry {
        let (door, now) = ((hall, household), state.clock.now());
        unreached::check_step(&state.packs, c, door, (*kind, step), now).await?;
        return Ok(Vec::new());
    }
    let Some(named) = hazard_of(entry) else { return Ok(Vec::new()) };
    let home = hazards::home(&state.packs, c, household).await?;
    let found = home.open.iter().find(|(hazard, _)| hazard.findings.contains(&named));
    let (hazard, pack) = found.ok_or(ApiError::NotFound("hazard"))?;
    if let Some(care) = &pack.hazard_care {
        domain::hazard::check(hazard, entry, care)?;
    }
    let Entry::HazardCleared { text, .. } = entry else { return Ok(Vec::new()) };
    let others = hazard.findings.iter().filter(|id| **id != named);
    let cleared = others.map(|(job, visit, fact)| Entry::HazardCleared {
        job: *job,
        visit: *visit,
        fact: *fact,
        text: text.clone(),
    });
    Ok(cleared.collect())
}

/// The finding that an entry speaks of.
fn hazard_of(entry: &Entry) -> Option<FindingId> {
    if let Entry::HazardCleared { job, visit, fact, .. }
    | Entry::HazardExtended { job, visit, fact, .. }
    | Entry::HazardStepDone { job, visit, fact, .. } = entry
    {
        return Some((*job, *visit, *fact));
    }
    None
}

/// Whether phones have to hear at once of groups that are to be hidden, or may be shown again (PIPL 15, 29).
fn changes_groups(entry: &Entry) -> bool {
    match entry {
        Entry::GroupShown { .. } | Entry::GroupWithdrawn { .. } => true,
        Entry::ConsentGiven { purpose, .. } | Entry::ConsentWithdrawn { purpose, .. } => {
            *purpose == Purpose::Groups
        }
        Entry::ContactCorrected { .. }
        | Entry::LanguageChosen { .. }
        | Entry::RegisterReported { .. }
        | Entry::HolderChanged { .. }
        | Entry::AddressChanged { .. }
        | Entry::HazardCleared { .. }
        | Entry::HazardExtended { .. }
        | Entry::HazardStepDone { .. }
        | Entry::LadderStepDone { .. } => false,
    }
}
