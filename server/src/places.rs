//! Places that no register knows: where somebody reports a leak, and the household that one turns out to be later.
//!
//! A place has a household's row, so that jobs, cases and phones know of it as of any door, and a row of its own that
//! says that no register does. Who is nearest is worked out by a known door of its road; nobody is told that door.

use std::collections::BTreeSet;

use domain::calendar::city_day;
use domain::household::Household;
use domain::id::{HallId, HouseholdId, JobId, UserId};
use domain::job::Briefing;
use domain::road::{Likely, locate};
use sync::document::{Pen, briefing_change};

use crate::db::places::{self, PlaceRow};
use crate::db::{C, Tx, changes, halls, households};
use crate::http::error::ApiError;
use crate::ids::fresh_uuid;
use crate::items;
use crate::jobs::plan::{change_row, load, read};
use crate::jobs::settle::{Happening, settle};
use crate::ledger;
use crate::reach;
use crate::state::AppState;

/// What the account numbers of places begin with; a register that has such a number is not loaded.
pub const ACCOUNT_PREFIX: &str = "U-";

/// Finds out where a place is likely to be.
pub async fn likely(c: C<'_>, hall: HallId, words: &str) -> Result<Option<Likely>, ApiError> {
    Ok(locate(words, &places::list_surveyed(c, hall).await?))
}

/// Takes a place down in the caller's transaction, under the hall's row; who reported it can be phoned there.
pub async fn make(
    state: &AppState,
    tx: &mut Tx,
    (hall, by): (HallId, UserId),
    (words, phone): (&str, &str),
    likely: Option<&Likely>,
) -> Result<Household, ApiError> {
    let now = state.clock.now();
    let number = places::count_places(tx.c(), hall).await? + 1;
    let household = Household {
        id: HouseholdId(fresh_uuid(now)),
        account: format!("{ACCOUNT_PREFIX}{number}"),
        holder: String::new(),
        address: words.to_owned(),
        phone: phone.chars().filter(char::is_ascii_digit).collect(),
        // What is likely is no place of a door: an arrival must not be judged by it.
        place: None,
        groups: BTreeSet::new(),
        access: String::new(),
        unregistered: true,
    };
    households::upsert_households(tx.c(), hall, std::slice::from_ref(&household)).await?;
    let made = (by, now.timestamp_millis());
    places::insert_place(tx.c(), (hall, household.id), likely, made).await?;
    Ok(household)
}

/// Ties a place to the household that it is, in the caller's transaction under the hall's row: its jobs are that
/// household's from now on, and their technicians are briefed with it. Returns how many jobs those are.
pub async fn tie(
    state: &AppState,
    tx: &mut Tx,
    (hall, by): (HallId, UserId),
    (place, household): (HouseholdId, &Household),
) -> Result<usize, ApiError> {
    let now = state.clock.now();
    check(places::find_place(tx.c(), hall, place).await?, household)?;
    let jobs = places::list_jobs_at(tx.c(), hall, place).await?;
    places::tie_place(tx.c(), (place, household.id), (by, now.timestamp_millis())).await?;
    for job in &jobs {
        brief_anew(state, tx, (hall, by), (JobId(*job), household)).await?;
    }
    Ok(jobs.len())
}

fn check(place: Option<PlaceRow>, household: &Household) -> Result<(), ApiError> {
    let place = place.ok_or(ApiError::NotFound("place"))?;
    if place.tied_to.is_some() {
        let what = "the place is tied already: look at it again";
        return Err(ApiError::Conflict(what.to_owned()));
    }
    if household.unregistered {
        let what = "tie a place to a household of the register";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    Ok(())
}

/// Briefs a job with another household; what the caller asked for stays.
async fn brief_anew(
    state: &AppState,
    tx: &mut Tx,
    (hall, by): (HallId, UserId),
    (job, household): (JobId, &Household),
) -> Result<(), ApiError> {
    let now = state.clock.now();
    let position = halls::take_positions(tx.c(), hall, 2).await?;
    let mut doc = load(tx.c(), job).await?;
    let before = read(&doc)?;
    let pack = state.packs.find(tx.c(), &before.pack).await?;
    let today = city_day(now, pack.time.utc_offset_minutes);
    let wall = items::of_home(tx.c(), household.id).await?;
    let briefing = Briefing {
        household: ledger::shown(tx.c(), household.clone(), today).await?,
        meters: ledger::meters_of(tx.c(), household.id).await?,
        season: ledger::season(tx.c(), hall, (today, &pack)).await?,
        hoses: wall.hoses,
        appliances: wall.appliances,
        replacements: wall.replacements,
        ..before.briefing
    };
    let pen = Pen { actor: state.actor.clone(), at: now };
    let change = briefing_change(&mut doc, &pen, &briefing)
        .map_err(|error| ApiError::Internal(error.into()))?;
    let Some(bytes) = change else { return Ok(()) };
    let row = change_row((hall, by, job), (position, now), bytes)?;
    changes::insert_changes(tx.c(), &[row]).await?;
    let happening = Happening { what: "planned", facts: Vec::new(), added: Vec::new() };
    let after = read(&doc)?;
    settle(tx.c(), &after, &happening, (&pack, now, position + 1)).await?;
    Ok(reach::jobs::tell_placed(tx.c(), &after, by, now).await?)
}
