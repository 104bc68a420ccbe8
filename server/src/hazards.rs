//! Hazards as visits and desk know them (B7).

pub mod restoring;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::hazard::{
    self, Act, Done, Finding, FindingId, Hazard, KnownHazard, NoticeAnswer, Stoppage,
};
use domain::id::{FactId, HallId, HouseholdId, JobId, VisitId};
use domain::ledger::Written;
use domain::pack::{Pack, PackId};
use domain::stamp::{Interval, Timestamp};

use crate::db::C;
use crate::db::hazards::{self as rows, HazardFactRow};
use crate::ledger;
use crate::packs::Packs;

/// What is known of a household's hazards.
#[derive(Debug, Default)]
pub struct Home {
    /// Those that are open, the most urgent first, each with the pack of its first finding.
    pub open: Vec<(Hazard, Arc<Pack>)>,
    /// The times without gas because of hazards, oldest first.
    pub stoppages: Vec<Stoppage>,
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
        homes.push((household, fold(packs, c.lend(), facts, entries).await?));
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
    let stoppages = hazard::stoppages(&findings, &acts, entries, &flows);
    let pack_of = |id: FindingId| {
        let row = facts.iter().find(|row| id_of(row) == id);
        row.map(|row| Arc::clone(&judged_by[row.pack_id.as_str()]))
    };
    let open = hazard::open(&findings, &acts, entries).into_iter();
    let open = open.filter_map(|it| Some((pack_of(*it.findings.first()?)?, it)));
    Ok(Home { open: open.map(|(pack, it)| (it, pack)).collect(), stoppages })
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
