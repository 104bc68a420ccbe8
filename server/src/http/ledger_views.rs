//! What the page of a household shows, put together from register, ledger and projections.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::calendar::city_day;
use domain::catalogue::Language;
use domain::hazard::Hazard;
use domain::hose::entitlement;
use domain::household::{Group, Household};
use domain::id::{FactId, HallId, HouseholdId, JobId, VisitId};
use domain::job::{Author, Channel};
use domain::ledger::{
    Consent, Entry, Evidence, Purpose, Written, clearance, consent, evidence, language,
    shown_groups,
};
use domain::pack::{HazardStep, ItemName, LadderStep, Pack, PackId};
use domain::stamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::application_views::ApplicationSummary;
use super::case_views::CaseSummary;
use super::error::ApiError;
use super::item_views::{ApplianceBody, HomeDue, HoseBody, appliance_body, home_due, hose_body};
use super::meter_views::{MeterBody, meter_body};
use super::outage_views::{HomeOutage, find_home_outages};
use crate::db::hazards::{HazardFactRow, list_of_household};
use crate::db::ledger::{self as rows, VisitRow};
use crate::db::{C, applications, cases, households, jobs, places};
use crate::hazards;
use crate::items::{self, Wall};
use crate::jobs::summary::{self, Door, JobSummary};
use crate::ledger;
use crate::state::AppState;

/// Jobs and cases shown at most.
const MOST: i64 = 200;

/// Who looks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The server.
    pub state: &'a AppState,
    /// The hall.
    pub hall: HallId,
    /// Now.
    pub now: Timestamp,
    /// The day in the hall's city.
    pub today: NaiveDate,
}

/// A household with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerBody {
    /// With the groups that hold and may be shown.
    #[schema(value_type = serde_json::Value)]
    household: Household,
    /// Where and when it was taken down, for a place that no register knows.
    place: Option<PlaceBody>,
    /// Whether groups are not shown because the household took its consent back.
    groups_withheld: bool,
    /// Each group that anything is known of; none while they are withheld.
    groups: Vec<GroupBody>,
    /// In which language it is told, `zh` or `en`.
    #[schema(value_type = String)]
    language: Language,
    /// What it consented to, one for each purpose.
    consents: Vec<ConsentBody>,
    meters: Vec<MeterBody>,
    hoses: Vec<HoseBody>,
    /// Replacements it has had, oldest first.
    #[schema(value_type = Vec<serde_json::Value>)]
    replacements: Vec<domain::hose::Replacement>,
    /// Whether it gets a hose free this calendar year (B14).
    #[schema(value_type = serde_json::Value)]
    entitlement: domain::hose::Entitlement,
    appliances: Vec<ApplianceBody>,
    /// What is due here within a year, the most urgent first.
    due: Vec<HomeDue>,
    hazards: Vec<HazardBody>,
    /// Outages that were announced and are not over, or were over within the last day.
    outages: Vec<HomeOutage>,
    visits: Vec<VisitBody>,
    /// Newest first.
    jobs: Vec<JobSummary>,
    cases: Vec<CaseSummary>,
    /// What it asked for at the counter, newest first.
    applications: Vec<ApplicationSummary>,
    /// What staff wrote, oldest first; nothing of groups while they are withheld.
    #[schema(value_type = Vec<serde_json::Value>)]
    entries: Vec<Written>,
    /// What the steps are called that entries name.
    steps: Vec<StepName>,
}

/// A step of the rule pack.
#[derive(Debug, Serialize, ToSchema)]
struct StepName {
    id: String,
    zh: String,
    en: String,
}

impl From<ItemName> for StepName {
    fn from(ItemName { id, zh, en }: ItemName) -> Self {
        Self { id, zh, en }
    }
}

/// The steps that the desk writes down, by the rules that hold.
fn step_names(pack: &Pack) -> Vec<StepName> {
    let hazards = pack.hazard_care.iter().flat_map(|care| &care.steps).map(HazardStep::name);
    let ladder = pack.ladder.iter().flat_map(|rules| &rules.steps).map(LadderStep::name);
    hazards.chain(ladder).map(StepName::from).collect()
}

/// A place that no register knows.
#[derive(Debug, Serialize, ToSchema)]
struct PlaceBody {
    made_at: i64,
    made_by: Uuid,
    /// What its words share with the address of a known door near it.
    road: Option<String>,
    /// The household that it turned out to be; its jobs and cases are there.
    tied_to: Option<Door>,
    tied_at: Option<i64>,
    tied_by: Option<Uuid>,
}

/// A group with what shows it.
#[derive(Debug, Serialize, ToSchema)]
struct GroupBody {
    group: &'static str,
    /// The key of what shows it.
    evidence: &'static str,
    holds: bool,
    /// Whether it gives a free hose.
    entitles: bool,
    /// Which paper, or why it was taken back.
    text: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<NaiveDate>,
    by: Option<Uuid>,
    at: Option<i64>,
}

/// A consent.
#[derive(Debug, Serialize, ToSchema)]
struct ConsentBody {
    purpose: &'static str,
    /// `given`, `withdrawn`, or null when nobody asked.
    #[schema(value_type = Option<String>)]
    state: Option<Consent>,
    /// Which version of the text it was shown.
    version: Option<String>,
    channel: Option<&'static str>,
    by: Option<Uuid>,
    at: Option<i64>,
}

/// A finding of a safety inspection.
#[derive(Debug, Serialize, ToSchema)]
struct HazardBody {
    job: Uuid,
    visit: Uuid,
    fact: Uuid,
    /// What it is called.
    zh: String,
    /// What it is called.
    en: String,
    /// 1 is gravest.
    level: i64,
    /// Where and what, in words.
    text: String,
    found_at: i64,
    /// Until when it has to be gone.
    #[schema(value_type = Option<String>, format = Date)]
    deadline: Option<NaiveDate>,
    /// `open`, `overdue` or `cleared`.
    state: &'static str,
    /// Whether the household got a notice.
    notice_given: bool,
    /// Whether the desk may say that it is gone; a graver one is closed at the door, with a picture.
    may_close: bool,
    cleared: Option<ClearedBody>,
}

/// How a hazard went.
#[derive(Debug, Serialize, ToSchema)]
struct ClearedBody {
    by: Uuid,
    at: i64,
    text: String,
}

/// A visit.
#[derive(Debug, Serialize, ToSchema)]
struct VisitBody {
    job: Uuid,
    visit: Uuid,
    /// The key of the job's kind.
    kind: String,
    technician: Uuid,
    /// How it ended; null while it goes on.
    outcome: Option<String>,
    arrived_earliest: Option<i64>,
    arrived_latest: Option<i64>,
    ended_at: Option<i64>,
    /// The latest of anything recorded in it.
    last_at: i64,
}

/// Puts together what is known of a household of the register.
pub async fn ledger_body(
    mut c: C<'_>,
    seen: &Seen<'_>,
    mut household: Household,
) -> Result<LedgerBody, ApiError> {
    let id = household.id;
    let pack = seen.state.packs.in_force(c.lend(), seen.now).await?;
    let mut entries = ledger::entries(c.lend(), id).await?;
    let groups_withheld = consent(&entries, Purpose::Groups) == Some(Consent::Withdrawn);
    let known = evidence(&household.groups, &entries, seen.today);
    household.groups = shown_groups(&household.groups, &entries, seen.today);
    let hazards = findings(c.lend(), seen, (&household, &entries)).await?;
    let groups = if groups_withheld { Vec::new() } else { groups(&known, &entries, &pack) };
    let consents = Purpose::ALL.map(|purpose| consent_body(purpose, &entries)).into();
    if groups_withheld {
        entries.retain(|it| said_of_group(&it.entry).is_none());
    }
    let Wall { hoses, replacements, appliances } = items::of_home(c.lend(), id).await?;
    let entitlement = entitlement(&household.groups, &replacements, seen.today, &pack);
    let known = items::known_of(c.lend(), id, pack.time.utc_offset_minutes).await?;
    let due = home_due(c.lend(), seen, (&household, &pack)).await?;
    let read = rows::list_readings(c.lend(), id).await?;
    let meters = ledger::meters_of(c.lend(), id).await?;
    let meters = meters.iter().map(|meter| meter_body(meter, &read, (seen.today, &pack)));
    let of_household = jobs::Filter { household: Some(id.0), ..jobs::Filter::default() };
    let page = (Uuid::nil(), MOST);
    let mut jobs = summary::list_page(c.lend(), seen.hall, &of_household, page, seen.now).await?;
    jobs.reverse();
    let of_household = cases::Filter { household: Some(id.0), ..cases::Filter::default() };
    let page = ((i64::MIN, 0), MOST);
    let listed = cases::list_cases(c.lend(), seen.hall, &of_household, page).await?;
    let cases = listed.into_iter().map(|row| CaseSummary::new(row, seen.now));
    let cases = cases.collect::<anyhow::Result<_>>()?;
    let applications = applications_of(c.lend(), seen.hall, id).await?;
    let visits = rows::list_visits(c.lend(), id).await?;
    let place = place_body(c.lend(), seen.hall, id).await?;
    let outages = find_home_outages(c.lend(), (seen.hall, id), seen.now).await?;
    Ok(LedgerBody {
        place,
        groups_withheld,
        groups,
        language: language(&entries),
        consents,
        meters: meters.collect::<anyhow::Result<_>>()?,
        hoses: hoses.iter().map(|it| hose_body(it, &known, (seen.today, &pack))).collect(),
        replacements,
        entitlement,
        appliances: appliances
            .into_iter()
            .map(|it| appliance_body(it, &known, (seen.today, &pack)))
            .collect(),
        due,
        hazards,
        outages,
        visits: visits.into_iter().map(visit_body).collect(),
        jobs,
        cases,
        applications,
        entries,
        steps: step_names(&pack),
        household,
    })
}

/// What a household asked for at the counter, newest first.
async fn applications_of(
    c: C<'_>,
    hall: HallId,
    id: HouseholdId,
) -> Result<Vec<ApplicationSummary>, ApiError> {
    let filter = applications::Filter { household: Some(id.0), ..applications::Filter::default() };
    let listed = applications::list_applications(c, hall, &filter, (i64::MAX, MOST)).await?;
    Ok(listed.into_iter().map(ApplicationSummary::from).collect())
}

async fn place_body(
    mut c: C<'_>,
    hall: HallId,
    id: HouseholdId,
) -> Result<Option<PlaceBody>, ApiError> {
    let Some(row) = places::find_place(c.lend(), hall, id).await? else { return Ok(None) };
    let tied_to = match row.tied_to {
        Some(household) => households::find_household(c, hall, HouseholdId(household)).await?,
        None => None,
    };
    Ok(Some(PlaceBody {
        made_at: row.made_at,
        made_by: row.made_by,
        road: row.road,
        tied_to: tied_to.map(|it| Door::of(&it)),
        tied_at: row.tied_at,
        tied_by: row.tied_by,
    }))
}

fn groups(known: &BTreeMap<Group, Evidence>, entries: &[Written], pack: &Pack) -> Vec<GroupBody> {
    let bodies = known.iter().map(|(group, evidence)| {
        let newest = entries.iter().rev().find_map(|it| {
            let (of, text, until) = said_of_group(&it.entry)?;
            (of == *group).then_some((it.author, text, until))
        });
        GroupBody {
            group: group.key(),
            evidence: evidence.key(),
            holds: evidence.holds(),
            entitles: pack.hose.entitled.contains(group),
            text: newest.map(|(_, text, _)| text.clone()),
            until: newest.and_then(|(_, _, until)| until),
            by: newest.map(|(author, _, _)| author.by.0),
            at: newest.map(|(author, _, _)| author.at.timestamp_millis()),
        }
    });
    bodies.collect()
}

/// What an entry says of a group: which paper until when, or why it was taken back.
fn said_of_group(entry: &Entry) -> Option<(Group, &String, Option<NaiveDate>)> {
    if let Entry::GroupShown { group, paper, until } = entry {
        return Some((*group, paper, *until));
    }
    if let Entry::GroupWithdrawn { group, reason } = entry {
        return Some((*group, reason, None));
    }
    None
}

fn consent_body(purpose: Purpose, entries: &[Written]) -> ConsentBody {
    let newest = entries.iter().rev().find_map(|it| {
        let (of, version, channel) = said_of_consent(&it.entry)?;
        (of == purpose).then_some((it.author, version, channel))
    });
    ConsentBody {
        purpose: purpose.key(),
        state: consent(entries, purpose),
        version: newest.and_then(|(_, version, _)| version.cloned()),
        channel: newest.map(|(_, _, channel)| channel.key()),
        by: newest.map(|(author, _, _)| author.by.0),
        at: newest.map(|(author, _, _)| author.at.timestamp_millis()),
    }
}

/// What an entry says of a consent: the version of what was shown, and how it was given or taken back.
fn said_of_consent(entry: &Entry) -> Option<(Purpose, Option<&String>, Channel)> {
    if let Entry::ConsentGiven { purpose, version, channel } = entry {
        return Some((*purpose, Some(version), *channel));
    }
    if let Entry::ConsentWithdrawn { purpose, channel } = entry {
        return Some((*purpose, None, *channel));
    }
    None
}

async fn findings(
    mut c: C<'_>,
    seen: &Seen<'_>,
    (household, entries): (&Household, &[Written]),
) -> Result<Vec<HazardBody>, ApiError> {
    let facts = list_of_household(c.lend(), household.id).await?;
    let noticed: BTreeSet<(Uuid, Uuid, &str)> = facts
        .iter()
        .filter(|row| row.kind == "notice_given")
        .filter_map(|row| Some((row.job_id, row.visit_id, row.body.0["hazard"].as_str()?)))
        .collect();
    let home = hazards::home(&seen.state.packs, c.lend(), household.id).await?;
    let mut bodies = Vec::new();
    for row in facts.iter().filter(|row| row.kind == "hazard_found") {
        let pack = seen.state.packs.find(c.lend(), &PackId(row.pack_id.clone())).await?;
        let fact = row.fact_id.to_string();
        let notice_given = noticed.contains(&(row.job_id, row.visit_id, fact.as_str()));
        let place = (JobId(row.job_id), VisitId(row.visit_id), FactId(row.fact_id));
        let mut open = home.open.iter().map(|(hazard, _)| hazard);
        let open = open.find(|hazard| hazard.findings.contains(&place));
        bodies.push(hazard_body(row, (&pack, seen.today), (open, notice_given), entries));
    }
    bodies.reverse();
    Ok(bodies)
}

fn hazard_body(
    row: &HazardFactRow,
    (pack, today): (&Pack, NaiveDate),
    (open, notice_given): (Option<&Hazard>, bool),
    entries: &[Written],
) -> HazardBody {
    let body = &row.body.0;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let item = text("item");
    let rule = pack.hazards.iter().find(|it| it.id == item);
    let found_at = chrono::DateTime::from_timestamp_millis(row.latest).unwrap_or_default();
    let found_on = city_day(found_at, pack.time.utc_offset_minutes);
    let days = rule.and_then(|it| it.deadline_days).map(u64::from);
    let own = days.and_then(|days| found_on.checked_add_days(chrono::Days::new(days)));
    // A second finding of the same item does not move the deadline of the first.
    let deadline = open.map_or(own, |hazard| hazard.deadline);
    let place = (JobId(row.job_id), VisitId(row.visit_id), FactId(row.fact_id));
    let cleared = clearance(entries, place).map(|(Author { by, at }, text)| ClearedBody {
        by: by.0,
        at: at.timestamp_millis(),
        text: text.to_owned(),
    });
    let state = match (open, deadline) {
        (None, _) => "cleared",
        (Some(_), Some(deadline)) if deadline < today => "overdue",
        (Some(_), _) => "open",
    };
    let level = body["level"].as_i64().unwrap_or_default();
    let care = pack.hazard_care.as_ref();
    HazardBody {
        job: row.job_id,
        visit: row.visit_id,
        fact: row.fact_id,
        zh: rule.map_or_else(|| item.clone(), |it| it.zh.clone()),
        en: rule.map_or_else(|| item.clone(), |it| it.en.clone()),
        level,
        text: text("text"),
        found_at: row.latest,
        deadline,
        state,
        notice_given,
        may_close: care.is_none_or(|care| level >= i64::from(care.desk_from_level)),
        cleared,
    }
}

fn visit_body(row: VisitRow) -> VisitBody {
    VisitBody {
        job: row.job_id,
        visit: row.visit_id,
        kind: row.kind,
        technician: row.technician_id,
        outcome: row.outcome,
        arrived_earliest: row.arrived_earliest,
        arrived_latest: row.arrived_latest,
        ended_at: row.ended_at,
        last_at: row.last_at,
    }
}
