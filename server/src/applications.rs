//! Taking on applications and adding to them: the events, what they come to, and the live stream's word.

use domain::id::{ApplicationId, HallId, HouseholdId, UserId};
use domain::job::{Channel, Job};
use domain::ledger::Entry;
use domain::pack::{CounterRules, Pack, PackId, Procedure};
use domain::procedure::check::check;
use domain::procedure::{ApplicationEvent, ApplicationStanding, ApplicationState, Happened, fold};
use domain::stamp::Timestamp;
use serde_json::json;
use sqlx::types::Json;

use crate::db::applications::{self, ApplicationRow, EventRow, ListedRow, StandingRow};
use crate::db::{C, live_events};
use crate::http::error::ApiError;
use crate::ledger;
use crate::packs::Packs;

/// What the live stream calls news of an application.
pub const LIVE_KIND: &str = "application";

/// An application that somebody takes on and so owns (B4).
#[derive(Clone, Debug)]
pub struct NewApplication {
    /// Its id.
    pub id: ApplicationId,
    /// The hall.
    pub hall: HallId,
    /// Whose home it is about.
    pub household: HouseholdId,
    /// Who asked, and how to reach them.
    pub applicant: (String, String),
    /// What they asked for, in words.
    pub words: String,
    /// Of a transfer: the holder to be, and their number.
    pub new_holder: (String, String),
    /// Of a relocation: the other address, and its household where the register knows it.
    pub new_address: (String, Option<HouseholdId>),
}

/// An application with its history.
#[derive(Clone, Debug)]
pub struct Whole {
    /// As it is stored.
    pub row: ListedRow,
    /// Its procedure, by the pack that holds for it.
    pub procedure: Procedure,
    /// Oldest first.
    pub history: Vec<Happened>,
    /// What the history comes to.
    pub standing: ApplicationStanding,
}

impl Whole {
    /// Its id.
    pub fn id(&self) -> ApplicationId {
        ApplicationId(self.row.application.application_id)
    }

    /// How many events there are.
    pub fn version(&self) -> i64 {
        i64::try_from(self.history.len()).unwrap_or(i64::MAX)
    }
}

/// The rules of the counter: a pack from before there were any says nothing of them.
pub fn rules(pack: &Pack) -> CounterRules {
    let builtin = || Pack::builtin().counter.expect("a test reads the built-in pack's counter");
    pack.counter.clone().unwrap_or_else(builtin)
}

/// Takes on an application; its taker owns it. Returns its number. The hall's row has to be held.
pub async fn open(
    mut c: C<'_>,
    new: &NewApplication,
    (procedure, pack): (&Procedure, &Pack),
    (taken, position): (Happened, i64),
) -> Result<i64, ApiError> {
    let standing = fold(std::slice::from_ref(&taken)).ok_or_else(not_taken)?;
    let number = applications::next_number(c.lend(), new.hall).await?;
    let row = ApplicationRow {
        application_id: new.id.0,
        hall_id: new.hall.0,
        number,
        procedure_id: procedure.id.clone(),
        household_id: new.household.0,
        applicant: new.applicant.0.clone(),
        contact: new.applicant.1.clone(),
        words: new.words.clone(),
        new_holder: new.new_holder.0.clone(),
        new_phone: new.new_holder.1.clone(),
        new_address: new.new_address.0.clone(),
        new_household_id: new.new_address.1.map(|it| it.0),
        pack_id: pack.id.0.clone(),
        opens_account: procedure.opens_account,
        taken_at: taken.at.timestamp_millis(),
        standing: standing_row(&standing, 1),
    };
    applications::insert_application(c.lend(), &row).await?;
    insert(c.lend(), new.id, 1, &taken).await?;
    live_events::insert_hint(c, new.hall, (LIVE_KIND, new.id.0), (taken.at, position)).await?;
    Ok(number)
}

/// Finds an application of a hall with its history.
pub async fn find(
    mut c: C<'_>,
    packs: &Packs,
    hall: HallId,
    id: ApplicationId,
) -> Result<Whole, ApiError> {
    let found = applications::find_application(c.lend(), hall, id).await?;
    let row = found.ok_or(ApiError::NotFound("application"))?;
    let pack = packs.find(c.lend(), &PackId(row.application.pack_id.clone())).await?;
    let procedure = rules(&pack).procedure(&row.application.procedure_id).cloned();
    let procedure =
        procedure.ok_or_else(|| anyhow::anyhow!("application {id} has no procedure"))?;
    let rows = applications::list_events(c, id).await?;
    let history = rows.into_iter().map(happened).collect::<anyhow::Result<Vec<_>>>()?;
    let standing = fold(&history).ok_or_else(not_taken)?;
    Ok(Whole { row, procedure, history, standing })
}

/// Adds an event to an application when its rules allow it. The hall's row has to be held.
pub async fn add(
    mut c: C<'_>,
    whole: &mut Whole,
    (event, by): (ApplicationEvent, UserId),
    now: Timestamp,
) -> Result<(), ApiError> {
    check(&whole.procedure, &whole.standing, (&event, by))?;
    if let ApplicationEvent::JobMade { job, .. } = &event {
        applications::insert_job(c.lend(), whole.id(), *job).await?;
    }
    let next = Happened { by, at: now, event };
    whole.history.push(next.clone());
    whole.standing = fold(&whole.history).ok_or_else(not_taken)?;
    insert(c.lend(), whole.id(), whole.version(), &next).await?;
    let row = standing_row(&whole.standing, whole.version());
    Ok(applications::update_standing(c, whole.id(), &row).await?)
}

/// Tells the live stream that something happened to an application.
pub async fn tell(
    c: C<'_>,
    whole: &Whole,
    (now, position): (Timestamp, i64),
) -> Result<(), ApiError> {
    let hall = HallId(whole.row.application.hall_id);
    let what = (LIVE_KIND, whole.id().0);
    Ok(live_events::insert_hint(c, hall, what, (now, position)).await?)
}

/// Notes that all an application asked for is done, once the last of its jobs is; whoever did that job is its author.
///
/// The job's own live event tells of it.
pub async fn job_done(
    mut c: C<'_>,
    job: &Job,
    (by, now): (UserId, Timestamp),
) -> crate::db::Result<()> {
    let Some(of) = applications::find_of_job(c.lend(), job.hall, job.id).await? else {
        return Ok(());
    };
    let id = ApplicationId(of.application_id);
    let is_accepted = of.state == ApplicationState::Accepted.key();
    if !is_accepted || applications::count_open_jobs(c.lend(), id).await? > 0 {
        return Ok(());
    }
    let decode = |error: anyhow::Error| sqlx::Error::Decode(error.into());
    let rows = applications::list_events(c.lend(), id).await?;
    let history = rows.into_iter().map(happened).collect::<anyhow::Result<Vec<_>>>();
    let mut history = history.map_err(decode)?;
    let done = Happened { by, at: now, event: ApplicationEvent::Done };
    history.push(done.clone());
    let number = i64::try_from(history.len()).unwrap_or(i64::MAX);
    let Some(standing) = fold(&history) else { return Ok(()) };
    insert(c.lend(), id, number, &done).await?;
    applications::update_standing(c.lend(), id, &standing_row(&standing, number)).await?;
    relocate(c, (job.hall, id), (by, now)).await
}

/// Gives an account its new address once everything is put in there; the ledger keeps the old one (C3).
///
/// Where the register knows a home at that address, both accounts stay as they are: the company decides.
async fn relocate(
    mut c: C<'_>,
    (hall, id): (HallId, ApplicationId),
    (by, now): (UserId, Timestamp),
) -> crate::db::Result<()> {
    let Some(found) = applications::find_application(c.lend(), hall, id).await? else {
        return Ok(());
    };
    let of = &found.application;
    if of.new_address.is_empty() || of.new_household_id.is_some() {
        return Ok(());
    }
    let household = HouseholdId(of.household_id);
    let entry = Entry::AddressChanged {
        address_before: found.address.clone(),
        address: of.new_address.clone(),
        application: id,
    };
    let moment = ledger::moment_after(&ledger::entries(c.lend(), household).await?, now);
    ledger::write(c.lend(), household, (by, now), (&entry, moment)).await?;
    applications::update_address(c, household, &of.new_address).await
}

/// Derives anew what the events of an application come to.
pub async fn rederive(mut c: C<'_>, id: ApplicationId) -> Result<(), ApiError> {
    let rows = applications::list_events(c.lend(), id).await?;
    let history = rows.into_iter().map(happened).collect::<anyhow::Result<Vec<_>>>()?;
    let standing = fold(&history).ok_or_else(not_taken)?;
    let version = i64::try_from(history.len()).unwrap_or(i64::MAX);
    Ok(applications::update_standing(c, id, &standing_row(&standing, version)).await?)
}

async fn insert(
    mut c: C<'_>,
    id: ApplicationId,
    number: i64,
    happened: &Happened,
) -> crate::db::Result<()> {
    let at = happened.at.timestamp_millis();
    let body = Json(json!(happened.event));
    let row = EventRow { author_id: happened.by.0, at, body };
    applications::insert_event(c.lend(), id, number, &row).await?;
    if is_trip(&happened.event) {
        applications::insert_trip(c, id, (number, at)).await
    } else {
        Ok(())
    }
}

/// A way to the hall; calls are none (B16).
fn is_trip(event: &ApplicationEvent) -> bool {
    matches!(
        event,
        ApplicationEvent::Taken { channel: Channel::Counter, .. }
            | ApplicationEvent::Came { channel: Channel::Counter, .. }
    )
}

fn standing_row(it: &ApplicationStanding, version: i64) -> StandingRow {
    StandingRow {
        owner_id: it.owner.0,
        state: it.state.key().to_owned(),
        trips: i64::from(it.trips),
        breaches: i64::from(it.breaches),
        was_incomplete: it.was_incomplete,
        accepted_at: it.accepted_at.map(|at| at.timestamp_millis()),
        ended_at: it.ended_at.map(|at| at.timestamp_millis()),
        version,
    }
}

fn happened(row: EventRow) -> anyhow::Result<Happened> {
    let at = chrono::DateTime::from_timestamp_millis(row.at);
    let at = at.ok_or_else(|| anyhow::anyhow!("{} is no time", row.at))?;
    Ok(Happened { by: UserId(row.author_id), at, event: serde_json::from_value(row.body.0)? })
}

fn not_taken() -> ApiError {
    ApiError::Internal(anyhow::anyhow!("the events of an application do not begin with its taking"))
}
