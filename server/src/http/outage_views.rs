//! What the pages of outages show: how each stands, how its promise does, and what households were told (B13).

use std::collections::BTreeMap;

use domain::id::{HallId, HouseholdId};
use domain::outage::{Area, Check, OutageError, OutageKind, RULE, check};
use domain::pack::{Pack, PackId};
use domain::stamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::ApiError;
use super::schema;
use crate::db::outage_told::{self as told_rows, CountRow};
use crate::db::outages::{self as rows, CountedRow, OutageRow, TellingRow};
use crate::db::{C, users};
use crate::outage::preview::{CrossingBody, ReachBody};
use crate::outage::{clock, newest_cause, outage};
use crate::state::AppState;
use crate::told::outages::{OFF, ON};
use crate::told::rules;

/// How long a household's page still shows an outage that is over.
const SHOWN_AFTER_MS: i64 = 24 * 3_600_000;

/// An outage; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutageSummary {
    id: Uuid,
    #[schema(schema_with = schema::outage_kind)]
    kind: &'static str,
    /// How it stands now.
    #[schema(schema_with = schema::outage_state)]
    state: &'static str,
    /// Where, in the words that households read.
    area: String,
    /// Why, in the words that households read.
    reason: String,
    from: i64,
    /// As was said last.
    until: i64,
    made_by: Uuid,
    made_at: i64,
    announced_by: Option<Uuid>,
    announced_at: Option<i64>,
    ended_by: Option<Uuid>,
    /// When the gas was on again.
    ended_at: Option<i64>,
    cancelled_by: Option<Uuid>,
    cancelled_at: Option<i64>,
    cancelled_why: String,
    /// Why the promise was broken knowingly; empty where it was not.
    why: String,
    /// Households whose gas is off.
    households: i64,
    /// How many of them were told that it is, by message or at the door.
    told: i64,
    /// The promise; `null` for what was called off.
    promise: Option<OutagePromise>,
}

/// A promise of an outage (B13).
#[derive(Debug, Serialize, ToSchema)]
struct OutagePromise {
    /// The rule of the rulebook.
    rule: &'static str,
    /// By when everybody was promised to be told.
    due_at: i64,
    /// `running`, `kept` or `broken`.
    state: &'static str,
    /// Whether so little is left that somebody should look; none where its pack does not say how little.
    is_at_risk: Option<bool>,
}

impl OutageSummary {
    /// Shows an outage as it stands; `pack` is its own.
    pub fn new(row: CountedRow, pack: &Pack, now: Timestamp) -> Self {
        let promise = clock(&row, pack, now).map(|it| OutagePromise {
            rule: RULE,
            due_at: it.due_at.timestamp_millis(),
            state: it.state.key(),
            is_at_risk: it.is_at_risk,
        });
        let known = outage(&row.outage);
        let CountedRow { outage: row, households, told, .. } = row;
        Self {
            id: row.outage_id,
            kind: known.kind.key(),
            state: known.state(now).key(),
            area: row.area,
            reason: row.reason,
            from: row.from_at,
            until: row.until_at,
            made_by: row.made_by,
            made_at: row.made_at,
            announced_by: row.announced_by,
            announced_at: row.announced_at,
            ended_by: row.ended_by,
            ended_at: row.ended_at,
            cancelled_by: row.cancelled_by,
            cancelled_at: row.cancelled_at,
            cancelled_why: row.cancelled_why,
            why: row.why,
            households,
            told,
            promise,
        }
    }
}

/// What announcing it now would come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckBody {
    /// By when households were promised to be told; `null` where its times cannot be.
    due_at: Option<i64>,
    /// When messages would go out: now, or in the morning.
    tells_at: Option<i64>,
    is_in_time: bool,
    /// The first begin that keeps the promise; only of a planned one.
    earliest_begin: Option<i64>,
    /// The key of the rule that says no; `null` where none does.
    refused: Option<&'static str>,
}

impl CheckBody {
    /// Judges an outage by a pack, as if it were announced now.
    pub fn new(of: (OutageKind, domain::job::Window), pack: &Pack, now: Timestamp) -> Self {
        let checked = check(of, now, (&rules(pack), pack.time.utc_offset_minutes));
        Self::of(checked)
    }

    fn of(checked: Result<Check, OutageError>) -> Self {
        let ms = |at: Timestamp| at.timestamp_millis();
        match checked {
            Ok(check) => Self {
                due_at: Some(ms(check.due_at)),
                tells_at: Some(ms(check.tells_at)),
                is_in_time: check.is_in_time(),
                earliest_begin: check.earliest_begin.map(ms),
                refused: None,
            },
            Err(error) => Self {
                due_at: None,
                tells_at: None,
                is_in_time: false,
                earliest_begin: None,
                refused: Some(error.key()),
            },
        }
    }
}

/// Something that all households were told.
#[derive(Debug, Serialize, ToSchema)]
struct TellingBody {
    id: Uuid,
    /// The key of the occasion.
    occasion: String,
    /// From when, as was said then.
    from: i64,
    until: i64,
    reason: String,
    made_by: Uuid,
    made_by_name: String,
    made_at: i64,
    /// For how many households it was written down so far.
    written: i64,
    /// When it was for all of them.
    done_at: Option<i64>,
}

/// Households that were told in the same way.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldCount {
    /// `message` or `door` for who was told; `null` for who was not.
    how: Option<String>,
    /// How the newest message stands, as in a household's notices; `null` where nothing was written down.
    state: Option<String>,
    households: i64,
    /// How many of them could not be sent when it was tried last, and are tried again.
    failing: i64,
}

/// An outage with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutageBody {
    outage: OutageSummary,
    /// Where, as it was picked.
    picks: PicksBody,
    /// What announcing it now would come to; only of a draft.
    check: Option<CheckBody>,
    /// How its households can be told, in numbers; only of a draft.
    reach: Option<ReachBody>,
    /// Other outages at the same households and time; only of a draft.
    crossing: Vec<CrossingBody>,
    /// What households were told, oldest first.
    tellings: Vec<TellingBody>,
    /// Who was told that the gas is, or will be, off.
    off: Vec<ToldCount>,
    /// Who was told that it is on again, or stays on.
    on: Vec<ToldCount>,
}

/// Where an outage is, as it was picked.
#[derive(Debug, Serialize, ToSchema)]
struct PicksBody {
    /// Beginnings of addresses up to the end of a road.
    roads: Vec<String>,
    /// Beginnings of addresses up to the end of a building.
    buildings: Vec<String>,
    /// Account numbers.
    accounts: Vec<String>,
}

impl From<Area> for PicksBody {
    fn from(area: Area) -> Self {
        let list = |of: std::collections::BTreeSet<String>| of.into_iter().collect();
        let Area { roads, buildings, accounts } = area;
        Self { roads: list(roads), buildings: list(buildings), accounts: list(accounts) }
    }
}

/// Puts an outage's page together.
pub async fn outage_body(
    state: &AppState,
    mut c: C<'_>,
    (hall, id): (HallId, Uuid),
) -> Result<OutageBody, ApiError> {
    let now = state.clock.now();
    let row = rows::find_counted(c.lend(), hall, id).await?.ok_or(ApiError::NotFound("outage"))?;
    let pack = state.packs.find(c.lend(), &PackId(row.outage.pack_id.clone())).await?;
    let picks = row.outage.picks.0.clone();
    let known = outage(&row.outage);
    let is_draft = known.revise().is_ok();
    let check = is_draft.then(|| CheckBody::new((known.kind, known.span), &pack, now));
    let (mut reach, mut crossing) = (None, Vec::new());
    if is_draft {
        let doors = crate::outage::doors(c.lend(), hall, &picks).await?;
        let of = (known.kind, doors.as_slice());
        let found = crate::outage::preview::reach(c.lend(), hall, of, &pack).await?;
        reach = Some(found.without_names());
        let of = (doors.as_slice(), (row.outage.from_at, row.outage.until_at), Some(id));
        crossing = crate::outage::preview::crossing(c.lend(), hall, of).await?;
    }
    let told = rows::list_tellings(c.lend(), id).await?;
    let off = counts(c.lend(), id, (OFF, &told)).await?;
    let on = counts(c.lend(), id, (ON, &told)).await?;
    let mut tellings = Vec::with_capacity(told.len());
    for telling in told {
        let by = users::find_user(c.lend(), domain::id::UserId(telling.made_by)).await?;
        tellings.push(telling_body(telling, by.map(|it| it.name).unwrap_or_default()));
    }
    let outage = OutageSummary::new(row, &pack, now);
    Ok(OutageBody { outage, picks: picks.into(), check, reach, crossing, tellings, off, on })
}

async fn counts(
    c: C<'_>,
    outage: Uuid,
    (phase, told): (&str, &[TellingRow]),
) -> Result<Vec<ToldCount>, ApiError> {
    let cause = newest_cause(told, phase);
    if cause.is_empty() {
        return Ok(Vec::new());
    }
    let counted = told_rows::count_record(c, (outage, phase, &cause)).await?;
    let body = |row: CountRow| ToldCount {
        how: row.how,
        state: row.state.map(shown_state),
        households: row.households,
        failing: row.failing,
    };
    Ok(counted.into_iter().map(body).collect())
}

/// A notice's state as people read it.
pub(super) fn shown_state(state: String) -> String {
    if state == "handed" { "sending".to_owned() } else { state }
}

fn telling_body(row: TellingRow, made_by_name: String) -> TellingBody {
    TellingBody {
        id: row.telling_id,
        occasion: row.occasion,
        from: row.from_at,
        until: row.until_at,
        reason: row.reason,
        made_by: row.made_by,
        made_by_name,
        made_at: row.made_at,
        written: row.written,
        done_at: row.done_at,
    }
}

/// An outage as whoever speaks with one of its households has to know it; instants are Unix milliseconds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HomeOutage {
    id: Uuid,
    #[schema(schema_with = schema::outage_kind)]
    kind: &'static str,
    #[schema(schema_with = schema::outage_state)]
    state: &'static str,
    area: String,
    reason: String,
    from: i64,
    until: i64,
    /// When the gas was on again, within the last day.
    ended_at: Option<i64>,
}

impl HomeOutage {
    fn new(row: OutageRow, now: Timestamp) -> Self {
        let known = outage(&row);
        Self {
            id: row.outage_id,
            kind: known.kind.key(),
            state: known.state(now).key(),
            area: row.area,
            reason: row.reason,
            from: row.from_at,
            until: row.until_at,
            ended_at: row.ended_at,
        }
    }
}

/// The outages of a household that were announced and are not over, or were over within the last day.
pub async fn find_home_outages(
    c: C<'_>,
    of: (HallId, HouseholdId),
    now: Timestamp,
) -> Result<Vec<HomeOutage>, ApiError> {
    let since = now.timestamp_millis() - SHOWN_AFTER_MS;
    let rows = rows::list_of_household(c, of, since).await?;
    Ok(rows.into_iter().map(|row| HomeOutage::new(row, now)).collect())
}

/// The outages of some households, each by its id; those without any are left out.
pub async fn list_home_outages(
    mut c: C<'_>,
    (hall, households): (HallId, &[HouseholdId]),
    now: Timestamp,
) -> Result<BTreeMap<Uuid, Vec<HomeOutage>>, ApiError> {
    let mut found = BTreeMap::new();
    for household in households {
        let outages = find_home_outages(c.lend(), (hall, *household), now).await?;
        if !outages.is_empty() {
            found.insert(household.0, outages);
        }
    }
    Ok(found)
}
