//! What is done with an application: papers seen, fees taken, all that is missing said, accepted with its jobs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{ApplicationId, HouseholdId, JobId};
use domain::job::{Author, Cancellation, Channel, ClockEvent, JobKind, PlanEntry, Tick};
use domain::ledger::Entry;
use domain::measure::Fen;
use domain::pack::{Change, Start};
use domain::procedure::check::ApplicationAct;
use domain::procedure::{ApplicationEvent, Circumstance, missing};
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::applications::{is_long, too_long};
use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::extract::{Path, read_whole_or_none};
use super::instants::check_window;
use super::jobs::{Agree, JobWanted, make_job};
use super::once::{Once, Receipt};
use super::version::{self, IfMatch, Stale};
use super::{plans, schema};
use crate::applications::{self, Whole};
use crate::db::applications::{list_open_jobs, update_holder};
use crate::db::{Tx, halls, households, live_events};
use crate::jobs::plan::enter;
use crate::ledger;
use crate::retry::until_won;
use crate::state::AppState;

/// Something to add to an application.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToApplication {
    #[schema(schema_with = schema::application_act)]
    act: ApplicationAct,
    /// How the household was in touch (`come`), or how it was told (`say_missing`).
    #[schema(schema_with = schema::channel)]
    channel: Option<Channel>,
    /// What changes what has to be brought, from now on (`turn_out`).
    #[serde(default)]
    #[schema(schema_with = schema::circumstances)]
    circumstances: Vec<Circumstance>,
    /// The key of a paper, condition or fee (`see`, `declare`, `pay`, `strike`).
    #[serde(default)]
    #[schema(max_length = 200)]
    item: String,
    /// The name on a paper, where it matters (`see`).
    #[serde(default)]
    #[schema(max_length = 200)]
    name: String,
    /// The last letters or digits of a paper's number (`see`).
    #[serde(default)]
    #[schema(max_length = 4, pattern = "^[0-9A-Za-z]{0,4}$")]
    digits: String,
    /// How much, in fen (`pay`).
    #[schema(minimum = 0, maximum = 100_000_000)]
    #[serde(default, deserialize_with = "read_whole_or_none")]
    amount: Option<i64>,
    /// The number of the receipt (`pay`).
    #[serde(default)]
    #[schema(max_length = 200)]
    receipt: String,
    /// The number that a condition asks for (`declare`).
    #[schema(maximum = 1000)]
    #[serde(default, deserialize_with = "read_whole_or_none")]
    number: Option<u32>,
    /// In words: what is declared, or why.
    #[serde(default)]
    #[schema(max_length = 2000)]
    text: String,
    /// The window agreed for the first job (`accept`), where the procedure asks for one.
    appointment: Option<Agree>,
}

/// How far an application has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddedToApplication {
    /// How many things have happened to it.
    version: i64,
    /// The jobs that were made, in the order in which they are done.
    jobs: Vec<Uuid>,
    /// To send as `If-Match` with the next addition.
    etag: String,
}

/// Adds to an application what its rules allow; accepting it makes its jobs in the same go.
///
/// `say_missing` writes down all that is missing as the server finds it: the household is told once, of everything.
#[utoipa::path(
    post, path = "/api/applications/{id}/events", tag = "applications", request_body = AddToApplication,
    params(("id" = Uuid, Path, description = "The application.")),
    responses(
        (status = 201, description = "It stands in the history.", body = AddedToApplication),
        (status = 409, description = "Not with the application as it stands."),
    ),
)]
pub async fn add_application_event(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<ApplicationId>,
    seen: IfMatch,
    Once(body, receipt): Once<AddToApplication>,
) -> Result<(StatusCode, Json<AddedToApplication>), ApiError> {
    for (name, text) in [("item", &body.item), ("name", &body.name), ("receipt", &body.receipt)] {
        if is_long(text) {
            return Err(too_long(name));
        }
    }
    if body.text.chars().count() > plans::LONGEST_TEXT {
        plans::said(body.text.clone())?;
    }
    if let Some(agreed) = &body.appointment {
        check_window(agreed.window)?;
    }
    let added = until_won(|| add_once(&state, (&caller, id), &body, (&seen, &receipt))).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

async fn add_once(
    state: &AppState,
    (caller, id): (&Caller, ApplicationId),
    body: &AddToApplication,
    (seen, receipt): (&IfMatch, &Receipt),
) -> Result<AddedToApplication, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    // Whoever holds the hall's row sees every event before theirs.
    halls::take_positions(tx.c(), caller.hall, 0).await?;
    let mut whole = applications::find(tx.c(), &state.packs, caller.hall, id).await?;
    if !seen.allows(whole.version()) {
        return Err(stale(&whole, seen));
    }
    let event = event(body, &whole)?;
    let accepts = event == ApplicationEvent::Accepted;
    let withdraws = matches!(event, ApplicationEvent::Withdrawn { .. });
    applications::add(tx.c(), &mut whole, (event, caller.user), now).await?;
    if accepts {
        accept(state, caller, (&mut tx, &mut whole), body.appointment).await?;
    }
    if withdraws {
        cancel_jobs(state, caller, (&mut tx, &whole), body.text.trim()).await?;
    }
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    applications::tell(tx.c(), &whole, (now, position)).await?;
    let added = AddedToApplication {
        version: whole.version(),
        jobs: whole.standing.jobs.iter().map(|(job, _)| job.0).collect(),
        etag: version::tag(whole.version()),
    };
    receipt.keep(tx.c(), &added, now.timestamp_millis()).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(added)
}

/// Both versions of an application that somebody else changed.
fn stale(whole: &Whole, seen: &IfMatch) -> ApiError {
    let etag = version::tag(whole.version());
    let current = json!({"etag": etag, "application": whole.id(), "history": whole.history});
    ApiError::Stale(Box::new(Stale { current, given: json!({"etag": seen.first()}) }))
}

fn event(body: &AddToApplication, whole: &Whole) -> Result<ApplicationEvent, ApiError> {
    let needed = |what: &str| ApiError::Unprocessable(format!("send {what} with this"));
    let channel = || body.channel.ok_or_else(|| needed("`channel`"));
    let line = |text: &str| text.trim().to_owned();
    Ok(match body.act {
        ApplicationAct::Come => ApplicationEvent::Came { channel: channel()? },
        ApplicationAct::TurnOut => ApplicationEvent::TurnedOut {
            circumstances: body.circumstances.iter().copied().collect(),
        },
        ApplicationAct::See => ApplicationEvent::PaperSeen {
            paper: body.item.clone(),
            name: line(&body.name),
            digits: body.digits.clone(),
        },
        ApplicationAct::Pay => ApplicationEvent::FeeTaken {
            fee: body.item.clone(),
            amount: Fen(body.amount.ok_or_else(|| needed("`amount`"))?),
            receipt: line(&body.receipt),
        },
        ApplicationAct::Declare => ApplicationEvent::Declared {
            condition: body.item.clone(),
            number: body.number,
            text: line(&body.text),
        },
        ApplicationAct::Strike => {
            ApplicationEvent::Struck { item: body.item.clone(), text: line(&body.text) }
        }
        ApplicationAct::SayMissing => ApplicationEvent::MissingSaid {
            missing: missing(&whole.procedure, &whole.standing),
            channel: channel()?,
        },
        ApplicationAct::Accept => ApplicationEvent::Accepted,
        ApplicationAct::Refuse => ApplicationEvent::Refused { text: line(&body.text) },
        ApplicationAct::Withdraw => ApplicationEvent::Withdrawn { text: line(&body.text) },
        ApplicationAct::TakeOver => ApplicationEvent::TakenOver { text: line(&body.text) },
    })
}

/// Makes the jobs of an application that was just accepted, or does at once what needs no job (C2).
async fn accept(
    state: &AppState,
    caller: &Caller,
    (tx, whole): (&mut Tx, &mut Whole),
    appointment: Option<Agree>,
) -> Result<(), ApiError> {
    let now = state.clock.now();
    if whole.procedure.needs_appointment && appointment.is_none() {
        let what = "send `appointment`: a window is agreed when this procedure is accepted";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    if whole.procedure.changes == Some(Change::Holder) {
        change_holder(caller, tx, whole, now).await?;
    }
    let request = request(whole);
    let mut appointment = appointment;
    for kind in whole.procedure.jobs.clone() {
        let wanted = JobWanted {
            kind,
            household: door(whole, kind),
            request: &request,
            caller_phone: &whole.row.application.contact,
            appointment: appointment.take(),
            technician: None,
        };
        let made = make_job(state, caller, tx, &wanted).await?;
        start_clock(state, caller, tx, (made.id, kind)).await?;
        let event = ApplicationEvent::JobMade { job: made.id, kind };
        applications::add(tx.c(), whole, (event, caller.user), now).await?;
    }
    if whole.procedure.jobs.is_empty() {
        applications::add(tx.c(), whole, (ApplicationEvent::Done, caller.user), now).await?;
    }
    Ok(())
}

/// Nobody goes for what the household does not want any more: jobs that are not over are cancelled, with its reason.
async fn cancel_jobs(
    state: &AppState,
    caller: &Caller,
    (tx, whole): (&mut Tx, &Whole),
    reason: &str,
) -> Result<(), ApiError> {
    let author = Author { by: caller.user, at: state.clock.now() };
    let reason = format!("{} {} {reason}", whole.procedure.zh, whole.row.application.number);
    for job in list_open_jobs(tx.c(), whole.id()).await? {
        let cancelled = Cancellation { reason: reason.trim().to_owned(), author };
        let entry = PlanEntry::Cancellation(cancelled);
        enter(state, tx, (caller.hall, caller.user), (job, &[entry])).await?;
    }
    Ok(())
}

/// Papers and payment are complete: a clock that waits for that starts now (B1).
async fn start_clock(
    state: &AppState,
    caller: &Caller,
    tx: &mut Tx,
    (job, kind): (JobId, JobKind),
) -> Result<(), ApiError> {
    let at = state.clock.now();
    let pack = state.packs.in_force(tx.c(), at).await?;
    if pack.promise(kind).is_none_or(|it| it.starts != Start::PapersComplete) {
        return Ok(());
    }
    let author = Author { by: caller.user, at };
    let tick = PlanEntry::Tick(Tick { event: ClockEvent::Started, at, author });
    enter(state, tx, (caller.hall, caller.user), (job, &[tick])).await.map(drop)
}

/// What is put in at another address is done there, where the register knows it (C3).
fn door(whole: &Whole, kind: JobKind) -> HouseholdId {
    let row = &whole.row.application;
    let there = row.new_household_id.filter(|_| kind == JobKind::Relocation);
    HouseholdId(there.unwrap_or(row.household_id))
}

/// What technicians read of it: number, what was asked, both addresses.
fn request(whole: &Whole) -> String {
    let row = &whole.row.application;
    let mut lines = vec![format!("{} {}", whole.procedure.zh, row.number)];
    if !row.words.is_empty() {
        lines.push(row.words.clone());
    }
    if !row.new_address.is_empty() {
        lines.push(format!("{} → {}", whole.row.address, row.new_address));
    }
    lines.join("\n")
}

/// Gives the account its new holder from now on; the ledger keeps the old one (C2).
async fn change_holder(
    caller: &Caller,
    tx: &mut Tx,
    whole: &Whole,
    now: Timestamp,
) -> Result<(), ApiError> {
    let row = &whole.row.application;
    let id = HouseholdId(row.household_id);
    let found = households::find_household(tx.c(), caller.hall, id).await?;
    let household = found.ok_or(ApiError::NotFound("household"))?;
    let before = ledger::entries(tx.c(), id).await?;
    let entry = Entry::HolderChanged {
        holder_before: household.holder,
        holder: row.new_holder.clone(),
        phone_before: household.phone,
        phone: row.new_phone.clone(),
        application: whole.id(),
    };
    let moment = ledger::moment_after(&before, now);
    ledger::write(tx.c(), id, (caller.user, now), (&entry, moment)).await?;
    update_holder(tx.c(), id, (&row.new_holder, &row.new_phone)).await?;
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let what = (ledger::LIVE_KIND, id.0);
    Ok(live_events::insert_hint(tx.c(), caller.hall, what, (now, position)).await?)
}
