//! Taking on a job: its document, its projection and its grant, inside the caller's transaction.

pub mod history;
pub mod plan;
pub mod settle;
pub mod summary;

use std::collections::BTreeMap;

use automerge::ActorId;
use domain::calendar::city_day;
use domain::hazard::KnownHazard;
use domain::id::{EntryId, HallId, HouseholdId, JobId, UserId, derived, uuid_v7};
use domain::job::{
    Appointment, Assignment, Author, Briefing, Channel, Due, Job, JobKind, Plan, Window,
};
use domain::ladder::Attempt;
use domain::pack::{Pack, PackId};
use domain::stamp::Timestamp;
use sync::document::{self, EditError, Pen};
use sync::limits::Limits;
use sync::preflight::{self, PreflightError};

use crate::db::changes::{self, ChangeRow};
use crate::db::documents::{self, DocumentRow};
use crate::db::{C, grants, halls, households};
use crate::due::{self, Looking};
use crate::items;
use crate::jobs::settle::{Happening, settle};
use crate::ledger;
use crate::packs::Packs;

/// A job that the hall takes on.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The job's id, chosen by the caller.
    pub id: JobId,
    /// The hall.
    pub hall: HallId,
    /// What is to be done.
    pub kind: JobKind,
    /// Whose door it is.
    pub household: HouseholdId,
    /// What the household asked for, in words.
    pub request: String,
    /// The number of who called, where it was said.
    pub caller_phone: String,
    /// Who took it on, and when: its promise runs from then.
    pub author: Author,
    /// The window agreed, and how.
    pub appointment: Option<(Window, Channel)>,
    /// Who is to do it.
    pub technician: Option<UserId>,
    /// What else is due at the same door.
    pub also_due: Vec<Due>,
    /// Hazards that are open there.
    pub hazards: Vec<KnownHazard>,
    /// Earlier attempts of this kind there.
    pub attempts: Vec<Attempt>,
}

/// In whose name and by which rules the server writes.
#[derive(Clone, Debug)]
pub struct Scribe<'a> {
    /// The server's own actor, drawn at its start.
    pub actor: &'a ActorId,
    /// Where rule packs are.
    pub packs: &'a Packs,
    /// The rule pack that new jobs are judged by, for good.
    pub pack: &'a Pack,
    /// When the server takes the change.
    pub now: Timestamp,
    /// Until when a job's window has to begin for its technician's phone to get it at once.
    pub near_until: Timestamp,
}

/// Why a job was not taken on.
#[derive(Debug, thiserror::Error)]
pub enum CreateJobError {
    /// The hall has no such household.
    #[error("household {0} is not in this hall")]
    NoHousehold(HouseholdId),
    /// The rule pack says nothing of such jobs.
    #[error("the rule pack {} does not offer jobs of the kind {kind}: bring out one that does", pack.0)]
    NotOffered {
        /// What was wanted.
        kind: JobKind,
        /// The pack in force.
        pack: PackId,
    },
    /// The database said no.
    #[error(transparent)]
    Db(#[from] sqlx::Error),
    /// What else is due could not be worked out.
    #[error(transparent)]
    Due(anyhow::Error),
    /// The document could not be written.
    #[error(transparent)]
    Edit(Box<EditError>),
    /// The server's own change is not what it accepts from others.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
}

impl From<EditError> for CreateJobError {
    fn from(error: EditError) -> Self {
        Self::Edit(Box::new(error))
    }
}

/// Takes on a job with everything that the hall knows of the household; returns its position.
///
/// The hall's row stays locked until the transaction ends.
pub async fn create_job(
    mut c: C<'_>,
    scribe: &Scribe<'_>,
    new: &NewJob,
) -> Result<i64, CreateJobError> {
    if !scribe.pack.offers(new.kind) {
        return Err(CreateJobError::NotOffered { kind: new.kind, pack: scribe.pack.id.clone() });
    }
    let briefing = brief(c.lend(), scribe, new).await?;
    let job = Job {
        schema: document::SCHEMA,
        id: new.id,
        hall: new.hall,
        kind: new.kind,
        pack: scribe.pack.id.clone(),
        created_at: new.author.at,
        plan: plan(new),
        briefing,
        visits: BTreeMap::new(),
        messages: BTreeMap::new(),
    };
    let pen = Pen { actor: scribe.actor.clone(), at: new.author.at };
    let bytes = document::create(&job, &pen)?;
    let position = halls::take_positions(c.lend(), new.hall, 2).await?;
    let row = DocumentRow {
        job_id: job.id.0,
        hall_id: job.hall.0,
        household_id: new.household.0,
        pack_id: job.pack.0.clone(),
        created_at: job.created_at.timestamp_millis(),
    };
    documents::insert_document(c.lend(), &row).await?;
    let change = change_row(scribe, new, position, bytes)?;
    changes::insert_changes(c.lend(), &[change]).await?;
    let happening = Happening { what: "created", facts: Vec::new(), added: Vec::new() };
    settle(c.lend(), &job, &happening, (scribe.pack, scribe.now, position + 1)).await?;
    let near_until = scribe.near_until.timestamp_millis();
    grants::insert_near_grant(c, job.id, position, near_until).await?;
    Ok(position + 1)
}

/// Gathers what a technician needs at the door.
async fn brief(
    mut c: C<'_>,
    scribe: &Scribe<'_>,
    new: &NewJob,
) -> Result<Briefing, CreateJobError> {
    let household = households::find_household(c.lend(), new.hall, new.household)
        .await?
        .ok_or(CreateJobError::NoHousehold(new.household))?;
    let today = city_day(scribe.now, scribe.pack.time.utc_offset_minutes);
    let household = ledger::shown(c.lend(), household, today).await?;
    let looking = Looking { packs: scribe.packs, pack: scribe.pack, now: scribe.now };
    let also_due = due::also_due(c.lend(), &household, &looking, new.kind).await;
    let also_due = also_due.map_err(CreateJobError::Due)?;
    let known = |it: &Due| new.also_due.iter().any(|other| other.kind == it.kind);
    let also_due = new.also_due.iter().copied().chain(also_due.into_iter().filter(|it| !known(it)));
    let wall = items::of_home(c.lend(), new.household).await?;
    let season = ledger::season(c.lend(), new.hall, (today, scribe.pack)).await?;
    Ok(Briefing {
        household,
        meters: ledger::meters_of(c, new.household).await?,
        season,
        hoses: wall.hoses,
        appliances: wall.appliances,
        replacements: wall.replacements,
        request: new.request.clone(),
        caller_phone: new.caller_phone.clone(),
        also_due: also_due.collect(),
        hazards: new.hazards.clone(),
        attempts: new.attempts.clone(),
    })
}

fn plan(new: &NewJob) -> Plan {
    let author = new.author;
    // Sorts by when it was decided, as all entries do, and is the same when made again.
    let entry = |what: &str| {
        let name = derived(new.hall, what, &new.id.to_string());
        let mut distinct = [0; 10];
        distinct.copy_from_slice(&name.as_bytes()[..10]);
        EntryId(uuid_v7(author.at.timestamp_millis(), distinct))
    };
    let mut plan = Plan::default();
    if let Some((window, channel)) = new.appointment {
        let appointment = Appointment { window, channel, author };
        plan.appointments.insert(entry("appointment"), appointment);
    }
    if let Some(technician) = new.technician {
        let assignment = Assignment { technician: Some(technician), author };
        plan.assignments.insert(entry("assignment"), assignment);
    }
    plan
}

fn change_row(
    scribe: &Scribe<'_>,
    new: &NewJob,
    position: i64,
    bytes: Vec<u8>,
) -> Result<ChangeRow, CreateJobError> {
    let inspected = preflight::inspect(&bytes, &Limits::default())?;
    Ok(ChangeRow {
        hash: inspected.hash.0.to_vec(),
        hall_id: new.hall.0,
        job_id: new.id.0,
        position,
        actor: inspected.actor.to_bytes().to_vec(),
        seq: i64::try_from(inspected.seq).unwrap_or(i64::MAX),
        device_id: None,
        author_id: Some(new.author.by.0),
        received_at: scribe.now.timestamp_millis(),
        sent_boot: None,
        sent_mono_ms: None,
        bytes,
    })
}
