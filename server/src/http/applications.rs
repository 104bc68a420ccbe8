//! Applications: lists, one whole, and taking one on.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{ApplicationId, HouseholdId};
use domain::job::Channel;
use domain::pack::{Change, Procedure};
use domain::procedure::{ApplicationEvent, ApplicationState, Circumstance, Happened};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::application_views::{
    ApplicationBody, ApplicationCounts, ApplicationSummary, application_body,
};
use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::extract::{Path, Query};
use super::jobs::LONGEST_PHONE;
use super::once::{Once, Receipt};
use super::page::{Limit, Words, read_cursor};
use super::{plans, schema, version};
use crate::applications::{self, NewApplication, rules};
use crate::db::applications::{self as rows, Filter};
use crate::db::{Tx, halls, households};
use crate::ids::fresh_uuid;
use crate::jobs::summary;
use crate::places;
use crate::retry::until_won;
use crate::state::AppState;

/// The longest name, account number or address.
const LONGEST_LINE: usize = 200;

/// Which applications to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListApplications {
    /// Only those that the caller owns.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    mine: bool,
    #[param(schema_with = schema::application_state)]
    state: Option<ApplicationState>,
    /// Only those that are open, or only those that are over.
    open: Option<bool>,
    /// Only those whose household was sent away for what had not been named before, or only the others.
    breached: Option<bool>,
    /// Only those of a household.
    #[param(value_type = Option<Uuid>)]
    household: Option<HouseholdId>,
    /// Only those of a procedure, by its key.
    #[param(max_length = 200)]
    procedure: Option<String>,
    /// Words in number, applicant, what was asked or household.
    #[param(value_type = Option<String>, max_length = 100)]
    text: Option<Words>,
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// A page of applications.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationsBody {
    applications: Vec<ApplicationSummary>,
    /// How many there are in the hall, whatever is listed.
    counts: ApplicationCounts,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// Lists the hall's applications, newest first; nothing of their papers.
#[utoipa::path(
    get, path = "/api/applications", tag = "applications", params(ListApplications),
    responses((status = 200, description = "A page of applications.", body = ApplicationsBody)),
)]
pub async fn list_applications(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<ListApplications>,
) -> Result<Json<ApplicationsBody>, ApiError> {
    if asked.procedure.as_ref().is_some_and(|it| is_long(it)) {
        return Err(too_long("procedure"));
    }
    let filter = Filter {
        application: None,
        owner: asked.mine.then_some(caller.user.0),
        state: asked.state.map(|it| it.key().to_owned()),
        ended: asked.open.map(|open| !open),
        breached: asked.breached,
        household: asked.household.map(|it| it.0),
        procedure: asked.procedure.clone(),
        pattern: asked.text.as_ref().and_then(Words::pattern),
    };
    let below = read_cursor(asked.after.as_deref())?.unwrap_or(i64::MAX);
    let mut conn = state.db.read().await?;
    let page = (below, asked.limit.rows());
    let listed = rows::list_applications(conn.c(), caller.hall, &filter, page).await?;
    let next = asked.limit.next(&listed, |row| row.application.number);
    let counts = rows::count_applications(conn.c(), caller.hall).await?.into();
    let applications = listed.into_iter().map(ApplicationSummary::from).collect();
    Ok(Json(ApplicationsBody { applications, counts, next }))
}

/// Shows one application of the hall: papers seen, what is missing, its history and jobs; the reading is entered.
#[utoipa::path(
    get, path = "/api/applications/{id}", tag = "applications",
    params(("id" = Uuid, Path, description = "The application.")),
    responses((status = 200, description = "The application.", body = ApplicationBody)),
)]
pub async fn get_application(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<ApplicationId>,
) -> Result<Json<ApplicationBody>, ApiError> {
    let now = state.clock.now();
    let mut conn = state.db.read().await?;
    let whole = applications::find(conn.c(), &state.packs, caller.hall, id).await?;
    let mut jobs = Vec::new();
    for (job, _) in &whole.standing.jobs {
        jobs.extend(summary::find(conn.c(), caller.hall, *job, now).await?);
    }
    Ok(Json(application_body(whole, jobs, &caller)))
}

/// An application to take on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenApplication {
    /// The procedure's key in the rule pack.
    #[schema(max_length = 200)]
    procedure: String,
    /// How it came; at the counter it cost a trip.
    #[schema(schema_with = schema::channel)]
    channel: Channel,
    /// The account number of the household: either this or, to open an account, `place`.
    #[schema(max_length = 200)]
    account: Option<String>,
    /// The address in words, where no register knows it yet.
    #[schema(max_length = 200)]
    place: Option<String>,
    /// Who asks; the household's holder when left out.
    #[serde(default)]
    #[schema(max_length = 200)]
    applicant: String,
    /// How to reach them; the household's number when left out.
    #[serde(default)]
    #[schema(max_length = 40)]
    contact: String,
    /// What they asked for, in words.
    #[serde(default)]
    #[schema(max_length = 2000)]
    words: String,
    /// What changes what has to be brought.
    #[serde(default)]
    #[schema(schema_with = schema::circumstances)]
    circumstances: Vec<Circumstance>,
    /// Of a transfer: the holder to be.
    #[serde(default)]
    #[schema(max_length = 200)]
    new_holder: String,
    /// Their number; as it was when left out.
    #[serde(default)]
    #[schema(max_length = 20, pattern = "^[0-9]{0,20}$")]
    new_phone: String,
    /// Of a relocation: the other address.
    #[serde(default)]
    #[schema(max_length = 200)]
    new_address: String,
    /// The account number at the other address, where the register knows it.
    #[schema(max_length = 200)]
    new_account: Option<String>,
}

/// What was taken on.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenBody {
    id: Uuid,
    /// What people say on the phone.
    number: i64,
    /// To send as `If-Match` with the next addition.
    etag: String,
}

/// Takes on an application; whoever does owns it.
#[utoipa::path(
    post, path = "/api/applications", tag = "applications", request_body = OpenApplication,
    responses(
        (status = 201, description = "The hall has it.", body = TakenBody),
        (status = 404, description = "No such household."),
    ),
)]
pub async fn open_application(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Once(body, receipt): Once<OpenApplication>,
) -> Result<(StatusCode, Json<TakenBody>), ApiError> {
    check_lengths(&body)?;
    let taken = until_won(|| open_once(&state, &caller, (&body, &receipt))).await?;
    Ok((StatusCode::CREATED, Json(taken)))
}

async fn open_once(
    state: &AppState,
    caller: &Caller,
    (body, receipt): (&OpenApplication, &Receipt),
) -> Result<TakenBody, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let pack = state.packs.in_force(tx.c(), now).await?;
    let procedure = rules(&pack).procedure(&body.procedure).cloned().ok_or_else(|| {
        ApiError::Unprocessable("name a procedure that the rule pack has".to_owned())
    })?;
    let new = new_application(state, caller, &mut tx, (body, &procedure)).await?;
    let circumstances: BTreeSet<_> = body.circumstances.iter().copied().collect();
    let event = ApplicationEvent::Taken { channel: body.channel, circumstances };
    let taken = Happened { by: caller.user, at: now, event };
    let rules = (&procedure, &*pack);
    let number = applications::open(tx.c(), &new, rules, (taken, position)).await?;
    let taken = TakenBody { id: new.id.0, number, etag: version::tag(1) };
    receipt.keep(tx.c(), &taken, now.timestamp_millis()).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(taken)
}

/// Puts together what is taken on; an account that is opened may be at a place that no register knows yet.
async fn new_application(
    state: &AppState,
    caller: &Caller,
    tx: &mut Tx,
    (body, procedure): (&OpenApplication, &Procedure),
) -> Result<NewApplication, ApiError> {
    let needs = |what: &str| Err(ApiError::Unprocessable(what.to_owned()));
    let words = |text: &str| text.trim().to_owned();
    if procedure.changes == Some(Change::Holder) && words(&body.new_holder).is_empty() {
        return needs("send `new_holder`: a transfer gives the account another holder");
    }
    if procedure.changes == Some(Change::Address) && words(&body.new_address).is_empty() {
        return needs("send `new_address`: a relocation goes to another address");
    }
    let household = match (&body.account, &body.place) {
        (Some(account), None) => {
            let account = account.trim();
            let found = households::find_household_by_account(tx.c(), caller.hall, account).await?;
            found.ok_or(ApiError::NotFound("household"))?
        }
        (None, Some(place)) if procedure.opens_account => {
            let place = plans::said(words(place))?;
            let likely = places::likely(tx.c(), caller.hall, &place).await?;
            let by = (caller.hall, caller.user);
            let at = (place.as_str(), body.contact.as_str());
            let mut made = places::make(state, tx, by, at, likely.as_ref()).await?;
            made.holder = words(&body.applicant);
            rows::update_holder(tx.c(), made.id, (&made.holder, &made.phone)).await?;
            made
        }
        _ => return needs("send `account`, or `place` to open an account"),
    };
    let new_household = match &body.new_account {
        Some(account) if procedure.changes == Some(Change::Address) => {
            let account = account.trim();
            let found = households::find_household_by_account(tx.c(), caller.hall, account).await?;
            Some(found.ok_or(ApiError::NotFound("household"))?.id)
        }
        _ => None,
    };
    let or = |said: &str, known: &str| {
        if said.trim().is_empty() { known.to_owned() } else { said.trim().to_owned() }
    };
    Ok(NewApplication {
        id: ApplicationId(fresh_uuid(state.clock.now())),
        hall: caller.hall,
        household: household.id,
        applicant: (or(&body.applicant, &household.holder), or(&body.contact, &household.phone)),
        words: words(&body.words),
        new_holder: (words(&body.new_holder), or(&body.new_phone, &household.phone)),
        new_address: (words(&body.new_address), new_household),
    })
}

fn check_lengths(body: &OpenApplication) -> Result<(), ApiError> {
    let lines = [
        ("procedure", Some(&body.procedure)),
        ("account", body.account.as_ref()),
        ("place", body.place.as_ref()),
        ("applicant", Some(&body.applicant)),
        ("new_holder", Some(&body.new_holder)),
        ("new_address", Some(&body.new_address)),
        ("new_account", body.new_account.as_ref()),
    ];
    let long = lines.into_iter().find(|(_, text)| text.is_some_and(|text| is_long(text)));
    if let Some((name, _)) = long {
        return Err(too_long(name));
    }
    if body.contact.chars().count() > LONGEST_PHONE {
        let what = format!("say `contact` in {LONGEST_PHONE} letters or fewer");
        return Err(ApiError::Unprocessable(what));
    }
    if body.words.chars().count() > plans::LONGEST_TEXT {
        return plans::said(body.words.clone()).map(drop);
    }
    let phone = &body.new_phone;
    if phone.len() > 20 || !phone.bytes().all(|it| it.is_ascii_digit()) {
        let what = "send as `new_phone` a telephone number of at most 20 digits";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    Ok(())
}

pub(super) fn is_long(text: &str) -> bool {
    text.chars().count() > LONGEST_LINE
}

pub(super) fn too_long(name: &str) -> ApiError {
    ApiError::Unprocessable(format!("say `{name}` in {LONGEST_LINE} letters or fewer"))
}
