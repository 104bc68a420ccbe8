//! Hazards as visits and desk know them, and households that were not reached (B7, A2).

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::hazard::{
    self, Act, Done, Finding, FindingId, Hazard, KnownHazard, NoticeAnswer, Supply,
};
use domain::id::{FactId, HallId, HouseholdId, JobId, VisitId};
use domain::job::JobKind;
use domain::ladder::{Attempt, Met, Rung, stand};
use domain::ledger::{Entry, Written};
use domain::pack::{LadderRules, Pack, PackId};
use domain::stamp::{Interval, Timestamp};

use crate::db::C;
use crate::db::hazards::{self as rows, EndedRow, HazardFactRow};
use crate::ledger;
use crate::packs::Packs;
use crate::state::AppState;

/// What is known of a household's hazards.
#[derive(Debug, Default)]
pub struct Home {
    /// Those that are open, the most urgent first, each with the pack of its first finding.
    pub open: Vec<(Hazard, Arc<Pack>)>,
    /// How its supply stands.
    pub supply: Supply,
}

/// Folds what visits found and did at one household with what the desk wrote.
pub async fn home(packs: &Packs, mut c: C<'_>, household: HouseholdId) -> anyhow::Result<Home> {
    let facts = rows::list_of_household(c.lend(), household).await?;
    if facts.is_empty() {
        return Ok(Home::default());
    }
    let entries = ledger::entries(c.lend(), household).await?;
    fold(packs, c, &facts, &entries).await
}

/// What a technician has to know of the hazards at a household.
pub async fn known(
    packs: &Packs,
    c: C<'_>,
    household: HouseholdId,
) -> anyhow::Result<Vec<KnownHazard>> {
    let home = home(packs, c, household).await?;
    Ok(home.open.iter().map(|(hazard, _)| hazard.known()).collect())
}

/// The same for every household of a hall where a hazard was ever found.
pub async fn homes(
    packs: &Packs,
    mut c: C<'_>,
    hall: HallId,
) -> anyhow::Result<Vec<(HouseholdId, Home)>> {
    let entries = ledger::entries_of_hall(c.lend(), hall).await?;
    homes_by(packs, c, hall, &entries).await
}

/// The same where the hall's ledgers were read already.
pub async fn homes_by(
    packs: &Packs,
    mut c: C<'_>,
    hall: HallId,
    entries: &BTreeMap<HouseholdId, Vec<Written>>,
) -> anyhow::Result<Vec<(HouseholdId, Home)>> {
    let facts = rows::list_of_hall(c.lend(), hall).await?;
    let mut homes = Vec::new();
    for facts in facts.chunk_by(|a, b| a.household_id == b.household_id) {
        let household = HouseholdId(facts[0].household_id);
        let entries = entries.get(&household).map_or(&[][..], Vec::as_slice);
        let home = fold(packs, c.lend(), facts, entries).await?;
        if !home.open.is_empty() || home.supply.stopped_at.is_some() {
            homes.push((household, home));
        }
    }
    Ok(homes)
}

async fn fold(
    packs: &Packs,
    mut c: C<'_>,
    facts: &[HazardFactRow],
    entries: &[Written],
) -> anyhow::Result<Home> {
    let mut judged_by: BTreeMap<&str, Arc<Pack>> = BTreeMap::new();
    for row in facts {
        let pack = packs.find(c.lend(), &PackId(row.pack_id.clone())).await?;
        judged_by.insert(&row.pack_id, pack);
    }
    let found = facts.iter().filter(|row| row.kind == "hazard_found");
    let findings: Vec<Finding<'_>> =
        found.map(|row| finding(row, &judged_by[row.pack_id.as_str()])).collect();
    let acts: Vec<Act> = facts.iter().filter_map(act).collect();
    let flows = facts.iter().filter(|row| row.kind == "gas_switched" && row.body.0["on"] == true);
    let flows: Vec<Interval> = flows.map(interval).collect();
    let supply = hazard::supply(&findings, &acts, entries, &flows);
    let pack_of = |id: FindingId| {
        let row = facts.iter().find(|row| id_of(row) == id);
        row.map(|row| Arc::clone(&judged_by[row.pack_id.as_str()]))
    };
    let open = hazard::open(&findings, &acts, entries).into_iter();
    let open = open.filter_map(|it| Some((pack_of(*it.findings.first()?)?, it)));
    Ok(Home { open: open.map(|(pack, it)| (it, pack)).collect(), supply })
}

fn finding<'a>(row: &HazardFactRow, pack: &'a Pack) -> Finding<'a> {
    let text = |name: &str| row.body.0[name].as_str().unwrap_or_default().to_owned();
    let level = row.body.0["level"].as_u64().and_then(|level| u8::try_from(level).ok());
    Finding {
        id: id_of(row),
        item: text("item"),
        level: level.unwrap_or(u8::MAX),
        text: text("text"),
        at: interval(row),
        pack,
    }
}

fn act(row: &HazardFactRow) -> Option<Act> {
    let body = &row.body.0;
    let id = |name: &str| body[name].as_str()?.parse::<uuid::Uuid>().ok();
    let here = || Some((JobId(row.job_id), VisitId(row.visit_id), FactId(id("hazard")?)));
    let (of, done) = match row.kind.as_str() {
        "notice_given" => {
            let answer = serde_json::from_value::<Option<NoticeAnswer>>(body["answer"].clone());
            (here()?, Done::Notice(answer.ok().flatten()))
        }
        "supply_stopped" => (here()?, Done::Stopped),
        "hazard_rechecked" => {
            let of = (JobId(id("job")?), VisitId(id("visit")?), FactId(id("hazard")?));
            (of, Done::Rechecked { gone: body["gone"] == true })
        }
        _ => return None,
    };
    Some(Act { of, at: interval(row), done })
}

fn id_of(row: &HazardFactRow) -> FindingId {
    (JobId(row.job_id), VisitId(row.visit_id), FactId(row.fact_id))
}

fn interval(row: &HazardFactRow) -> Interval {
    Interval { earliest: instant(row.earliest), latest: instant(row.latest) }
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(ms).unwrap_or_default()
}

/// A household that was not reached, for one kind of job.
#[derive(Debug)]
pub struct Unreached {
    /// Whose door.
    pub household: HouseholdId,
    /// For what.
    pub kind: JobKind,
    /// Where it stands.
    pub rung: Rung,
}

/// Earlier attempts of one kind at a household, oldest first.
pub async fn attempts(
    mut c: C<'_>,
    (hall, household): (HallId, HouseholdId),
    kind: JobKind,
    (pack, now): (&Pack, Timestamp),
) -> crate::db::Result<Vec<Attempt>> {
    let rules = pack.ladder.as_ref().filter(|rules| rules.kinds.contains(&kind));
    let Some(rules) = rules else { return Ok(Vec::new()) };
    let ended = rows::list_ended(c.lend(), hall, (since(rules, now), Some(household))).await?;
    let of_kind = ended.iter().filter(|row| row.kind == kind.key());
    Ok(of_kind.filter_map(attempt).collect())
}

/// Households of a hall whose newest attempt did not get in, with what is done next; the longest ago first.
pub async fn unreached(
    state: &AppState,
    mut c: C<'_>,
    (hall, household): (HallId, Option<HouseholdId>),
    now: Timestamp,
) -> anyhow::Result<Vec<Unreached>> {
    let pack = state.packs.in_force(c.lend(), now).await?;
    let Some(rules) = &pack.ladder else { return Ok(Vec::new()) };
    let ended = rows::list_ended(c.lend(), hall, (since(rules, now), household)).await?;
    let mut doors: BTreeMap<(uuid::Uuid, JobKind), Vec<Attempt>> = BTreeMap::new();
    for row in &ended {
        let kind = JobKind::from_key(&row.kind).filter(|kind| rules.kinds.contains(kind));
        if let (Some(kind), Some(attempt)) = (kind, attempt(row)) {
            doors.entry((row.household_id, kind)).or_default().push(attempt);
        }
    }
    let mut found = Vec::new();
    for ((household, kind), attempts) in doors {
        let entries = ledger::entries(c.lend(), HouseholdId(household)).await?;
        let rung = stand(&attempts, &done(&entries, kind), rules, now);
        if rung.next.is_some() {
            found.push(Unreached { household: HouseholdId(household), kind, rung });
        }
    }
    found.sort_by_key(|it| (it.rung.last.map(|(_, at)| at), it.household));
    Ok(found)
}

/// The steps of a ladder that the hall wrote down.
fn done(entries: &[Written], kind: JobKind) -> Vec<(String, Timestamp)> {
    let steps = entries.iter().filter_map(|written| {
        let Entry::LadderStepDone { kind: of, step, .. } = &written.entry else { return None };
        (*of == kind).then(|| (step.clone(), written.author.at))
    });
    steps.collect()
}

fn since(rules: &LadderRules, now: Timestamp) -> i64 {
    (now - chrono::TimeDelta::days(i64::from(rules.counts_days))).timestamp_millis()
}

fn attempt(row: &EndedRow) -> Option<Attempt> {
    let met = match row.outcome.as_str() {
        "no_one_home" => Met::NoOneHome,
        "refused" => Met::Refused,
        "empty" => Met::Empty,
        "done" | "cannot_finish" => Met::LetIn,
        _ => return None,
    };
    Some(Attempt { visit: VisitId(row.visit_id), at: instant(row.ended_at), met })
}
