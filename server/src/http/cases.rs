//! Cases: lists, one whole, taking one on, and everything that is added to one.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::case::{Act, CaseEvent, CaseKind, may, may_see_reporter};
use domain::id::{CaseId, HouseholdId, UserId};
use domain::job::{Channel, JobKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, Staff};
use super::case_views::{CaseBody, CaseCounts, CaseSummary, Look, ReporterBody};
use super::error::ApiError;
use super::extract::{Path, Query};
use super::instants::check_window;
use super::jobs::{Agree, JobWanted, make_job};
use super::once::{Once, Receipt};
use super::page::{Limit, Words, read_cursor};
use super::version::{self, IfMatch, Stale};
use super::{plans, schema};
use crate::cases::{self, NewCase, Whole};
use crate::db::cases::{self as rows, Filter, LookRow};
use crate::db::twice::list_jobs_of_case;
use crate::db::{Tx, halls, households};
use crate::identity::Role;
use crate::ids::fresh_uuid;
use crate::jobs::summary;
use crate::retry::until_won;
use crate::state::AppState;

/// The longest name or telephone number of a caller.
const LONGEST_CALLER: usize = 100;

/// Why somebody looks at cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The caller owns them.
    Mine,
    /// They are offered to the caller.
    Offered,
    /// Their promise is broken, and whoever came with them still waits.
    Overdue,
    /// Whoever came with them waits for a call.
    CallBack,
    /// Their owner was shut out.
    Left,
}

/// Which cases to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListCases {
    /// Only those that need somebody in this way.
    #[param(schema_with = schema::case_view)]
    view: Option<View>,
    /// Only those that are open, or only those that are closed.
    open: Option<bool>,
    /// Only those of a household.
    #[param(value_type = Option<Uuid>)]
    household: Option<HouseholdId>,
    #[param(schema_with = schema::case_kind)]
    kind: Option<CaseKind>,
    /// Words in number, what was said, caller or household.
    #[param(value_type = Option<String>, max_length = 100)]
    text: Option<Words>,
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// A page of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct CasesBody {
    cases: Vec<CaseSummary>,
    /// How many there are for the caller, whatever is listed.
    counts: CaseCounts,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// Lists the hall's cases: what is due first, then what came last.
#[utoipa::path(
    get, path = "/api/cases", tag = "cases", params(ListCases),
    responses((status = 200, description = "A page of cases.", body = CasesBody)),
)]
pub async fn list_cases(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<ListCases>,
) -> Result<Json<CasesBody>, ApiError> {
    let now = state.clock.now();
    let is = |view| asked.view == Some(view);
    let filter = Filter {
        case: None,
        owner: is(View::Mine).then_some(caller.user.0),
        offered_to: is(View::Offered).then_some(caller.user.0),
        closed: asked.open.map(|open| !open),
        due_before: is(View::Overdue).then(|| now.timestamp_millis()),
        call_back_owed: is(View::CallBack).then_some(true),
        left: is(View::Left).then_some(true),
        household: asked.household.map(|it| it.0),
        kind: asked.kind.map(|it| it.key().to_owned()),
        pattern: asked.text.as_ref().and_then(Words::pattern),
    };
    let after = read_cursor(asked.after.as_deref())?.unwrap_or((i64::MIN, 0));
    let mut conn = state.db.read().await?;
    let listed =
        rows::list_cases(conn.c(), caller.hall, &filter, (after, asked.limit.rows())).await?;
    let next = asked.limit.next(&listed, |row| (row.case.standing.clock_at, row.case.number));
    let counts =
        rows::count_cases(conn.c(), caller.hall, caller.user, now.timestamp_millis()).await?;
    let asked_at_doors = rows::count_questions(conn.c(), caller.hall).await?;
    let listed = listed.into_iter().map(|row| CaseSummary::new(row, now));
    let cases = listed.collect::<anyhow::Result<_>>()?;
    Ok(Json(CasesBody { cases, counts: CaseCounts::new(counts, asked_at_doors), next }))
}

/// Shows one case of the hall with its history, and what the caller may do with it.
#[utoipa::path(
    get, path = "/api/cases/{id}", tag = "cases",
    params(("id" = Uuid, Path, description = "The case.")),
    responses((status = 200, description = "The case.", body = CaseBody)),
)]
pub async fn get_case(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<CaseId>,
) -> Result<Json<CaseBody>, ApiError> {
    let now = state.clock.now();
    let mut conn = state.db.read().await?;
    let whole = cases::find(conn.c(), caller.hall, id).await?;
    let mut jobs = Vec::new();
    for job in rows::list_job_ids(conn.c(), id).await? {
        jobs.extend(summary::find(conn.c(), caller.hall, job, now).await?);
    }
    let mut about = Vec::new();
    for job in list_jobs_of_case(conn.c(), id).await? {
        about.extend(summary::find(conn.c(), caller.hall, job, now).await?);
    }
    let looks = rows::list_looks(conn.c(), id).await?.iter().map(Look::new).collect();
    let actor = whole.actor(caller.user, manages(&caller));
    let acts = may(whole.nature, &whole.standing, actor);
    let is_secret = whole.nature.kind.hides_caller();
    let pack = state.packs.in_force(conn.c(), now).await?;
    let row = &whole.row.case;
    let asked = row.asked_job_id.zip(row.asked_visit_id).zip(row.asked_fact_id);
    Ok(Json(CaseBody {
        history: json!(whole.history),
        // In the order in which screens show them.
        may: Act::ALL.into_iter().filter(|act| acts.contains(act)).map(Act::key).collect(),
        jobs,
        about,
        looks,
        may_see_reporter: is_secret && may_see_reporter(&whole.standing, caller.user),
        reward_yuan: is_secret.then(|| cases::rules(&pack).report_reward_yuan),
        broken_before: whole.standing.broken_before,
        asked: asked.map(|((job, visit), fact)| AskedAt { job, visit, fact }),
        case: CaseSummary::new(whole.row, now)?,
    }))
}

/// A question at a door.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedAt {
    /// The job.
    pub job: Uuid,
    /// The visit.
    pub visit: Uuid,
    /// The fact.
    pub fact: Uuid,
}

/// A job to take on with a case.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobOfCase {
    #[schema(schema_with = schema::job_kind)]
    kind: JobKind,
    appointment: Option<Agree>,
    /// Who is to do it.
    #[schema(value_type = Option<Uuid>)]
    technician: Option<UserId>,
}

/// A case to take on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenCase {
    #[schema(schema_with = schema::case_kind)]
    kind: CaseKind,
    /// How it came.
    #[schema(schema_with = schema::channel)]
    channel: Channel,
    /// The account number of the household, where it is known; left out of a report of abuse, which it would give away.
    #[schema(max_length = 100)]
    account: Option<String>,
    /// Who came with it.
    #[serde(default)]
    #[schema(max_length = 100)]
    caller: String,
    /// How to reach them.
    #[serde(default)]
    #[schema(max_length = 100)]
    contact: String,
    /// What they said, in their words; with `asked` the question, when it is left out.
    #[serde(default)]
    #[schema(max_length = 2000)]
    words: String,
    /// Whether they have to be called back.
    #[serde(default)]
    call_back: bool,
    /// The question at a door that it answers; its asker is called back.
    asked: Option<AskedAt>,
    /// A job to take on in the same go; by who gives jobs out, an emergency by anybody.
    job: Option<JobOfCase>,
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenedBody {
    id: Uuid,
    /// What people say on the phone.
    number: i64,
    /// The job that was taken on with it.
    job: Option<Uuid>,
    /// To send as `If-Match` with the next addition.
    etag: String,
}

/// Takes on a case; whoever does owns it until somebody accepts it.
#[utoipa::path(
    post, path = "/api/cases", tag = "cases", request_body = OpenCase,
    responses(
        (status = 201, description = "The hall has it.", body = OpenedBody),
        (status = 404, description = "No such household, question or technician."),
        (status = 409, description = "Somebody was faster with this question."),
    ),
)]
pub async fn open_case(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Once(body, receipt): Once<OpenCase>,
) -> Result<(StatusCode, Json<OpenedBody>), ApiError> {
    let is_long = |text: &str| text.chars().count() > LONGEST_CALLER;
    if is_long(&body.caller) || is_long(&body.contact) {
        let what = format!("say caller and contact in {LONGEST_CALLER} letters or fewer");
        return Err(ApiError::Unprocessable(what));
    }
    if body.kind.hides_caller() && (body.account.is_some() || body.asked.is_some()) {
        let what = "leave the household out of a report of abuse: it would give the reporter away";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    // A leak waits for nobody who may give jobs out (B2).
    let gives_out = |job: JobOfCase| caller.role != Role::Hall || job.kind == JobKind::Emergency;
    if body.job.is_some_and(|job| !gives_out(job)) {
        return Err(ApiError::Forbidden(caller.role));
    }
    if let Some(agreed) = body.job.and_then(|job| job.appointment) {
        check_window(agreed.window)?;
    }
    let opened = until_won(|| open_once(&state, &caller, (&body, &receipt))).await?;
    Ok((StatusCode::CREATED, Json(opened)))
}

async fn open_once(
    state: &AppState,
    caller: &Caller,
    (body, receipt): (&OpenCase, &Receipt),
) -> Result<OpenedBody, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let mut position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let new = new_case(&mut tx, caller, body, fresh_uuid(now)).await?;
    let pack = state.packs.in_force(tx.c(), now).await?;
    let number = cases::open(tx.c(), &new, (&pack, now, position)).await?;
    let (mut job, mut version) = (None, 1);
    if let Some(wanted) = body.job {
        let Some(household) = new.household else {
            let what = "name the household by its account: a job needs a door";
            return Err(ApiError::Unprocessable(what.to_owned()));
        };
        let wanted = JobWanted {
            kind: wanted.kind,
            household: HouseholdId(household),
            request: &new.words,
            caller_phone: if new.kind == CaseKind::LeakReport { &new.caller.1 } else { "" },
            appointment: wanted.appointment,
            technician: wanted.technician,
        };
        let made = make_job(state, caller, &mut tx, &wanted).await?;
        position = halls::take_positions(tx.c(), caller.hall, 1).await?;
        let (case, of) = ((caller.hall, new.id), (made.id, caller.user));
        cases::link_job(tx.c(), case, of, (now, position)).await?;
        (job, version) = (Some(made.id.0), 2);
    }
    let opened = OpenedBody { id: new.id.0, number, job, etag: version::tag(version) };
    receipt.keep(tx.c(), &opened, now.timestamp_millis()).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(opened)
}

/// Puts together what is taken on: a question at a door brings its household, and is answered by a call (A10).
async fn new_case(
    tx: &mut Tx,
    caller: &Caller,
    body: &OpenCase,
    id: Uuid,
) -> Result<NewCase, ApiError> {
    let mut household = None;
    if let Some(account) = &body.account {
        let found = households::find_household_by_account(tx.c(), caller.hall, account).await?;
        household = Some(found.ok_or(ApiError::NotFound("household"))?);
    }
    let mut words = body.words.clone();
    if let Some(asked) = body.asked {
        let place = (asked.job, asked.visit, asked.fact);
        let question = rows::find_question(tx.c(), caller.hall, place).await?;
        let (at, fact) = question.ok_or(ApiError::NotFound("question"))?;
        household = households::find_household(tx.c(), caller.hall, HouseholdId(at)).await?;
        if words.trim().is_empty() {
            fact.0["question"].as_str().unwrap_or_default().clone_into(&mut words);
        }
    }
    // Who calls about a home is its holder, unless they say another name.
    let home = household.as_ref().map(|it| (it.holder.as_str(), it.phone.as_str()));
    let (holder, phone) = home.unwrap_or_default();
    let or = |said: &str, known: &str| {
        if said.trim().is_empty() { known.to_owned() } else { said.trim().to_owned() }
    };
    Ok(NewCase {
        id: CaseId(id),
        hall: caller.hall,
        kind: body.kind,
        channel: body.channel,
        household: household.as_ref().map(|it| it.id.0),
        caller: (or(&body.caller, holder), or(&body.contact, phone)),
        words: plans::said(words)?,
        call_back: body.call_back || body.asked.is_some(),
        asked: body.asked.map(|it| (it.job, it.visit, it.fact)),
        by: caller.user,
    })
}

/// Something to add to a case.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToCase {
    #[schema(schema_with = schema::case_act)]
    act: Act,
    /// What was noted, decided or said, or why; needed but for `accept`, `withdraw_offer`, `tell` and `close`.
    #[serde(default)]
    #[schema(max_length = 2000)]
    text: String,
    /// To whom it is offered; needed for `offer`.
    #[schema(value_type = Option<Uuid>)]
    to: Option<UserId>,
    /// Whether it was founded; needed for `decide` of a complaint or a report.
    founded: Option<bool>,
    /// How the caller was told; needed for `tell`.
    #[schema(schema_with = schema::channel)]
    channel: Option<Channel>,
    /// Whether the caller heard it; needed for `tell`.
    reached: Option<bool>,
}

/// How far a case has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddedToCase {
    /// How many things have happened to it.
    version: i64,
    /// To send as `If-Match` with the next addition.
    etag: String,
}

/// Adds to a case what its rules allow the caller: a note, an offer, a decision, telling the caller, its end.
#[utoipa::path(
    post, path = "/api/cases/{id}/events", tag = "cases", request_body = AddToCase,
    params(("id" = Uuid, Path, description = "The case.")),
    responses(
        (status = 201, description = "It stands in the history.", body = AddedToCase),
        (status = 409, description = "Not with the case as it stands."),
    ),
)]
pub async fn add_case_event(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<CaseId>,
    seen: IfMatch,
    Once(body, receipt): Once<AddToCase>,
) -> Result<(StatusCode, Json<AddedToCase>), ApiError> {
    let added = until_won(|| add_once(&state, (&caller, id), &body, (&seen, &receipt))).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

async fn add_once(
    state: &AppState,
    (caller, id): (&Caller, CaseId),
    body: &AddToCase,
    (seen, receipt): (&IfMatch, &Receipt),
) -> Result<AddedToCase, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let whole = cases::find(tx.c(), caller.hall, id).await?;
    let at = whole.row.case.standing.version;
    if !seen.allows(at) {
        return Err(stale(&whole, seen));
    }
    let event = event(body.clone())?;
    let actor = whole.actor(caller.user, manages(caller));
    let version = cases::add(tx.c(), &whole, (event, actor), (now, position)).await?;
    let added = AddedToCase { version, etag: version::tag(version) };
    receipt.keep(tx.c(), &added, now.timestamp_millis()).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(added)
}

/// Both versions of a case that somebody else changed.
fn stale(whole: &Whole, seen: &IfMatch) -> ApiError {
    let etag = version::tag(whole.row.case.standing.version);
    let current = json!({"etag": etag, "case": whole.row.case.case_id, "history": whole.history});
    let given = json!({"etag": seen.first()});
    ApiError::Stale(Box::new(Stale { current, given }))
}

fn event(body: AddToCase) -> Result<CaseEvent, ApiError> {
    let missing = |what: &str| ApiError::Unprocessable(format!("send {what} with this"));
    let text = body.text;
    if text.chars().count() > plans::LONGEST_TEXT {
        return plans::said(text).map(|_| CaseEvent::Opened);
    }
    Ok(match body.act {
        Act::Note => CaseEvent::Noted { text: plans::said(text)? },
        Act::Offer => {
            let to = body.to.ok_or_else(|| missing("`to`, whom it is offered to,"))?;
            CaseEvent::Offered { to, text: plans::said(text)? }
        }
        Act::WithdrawOffer => CaseEvent::OfferWithdrawn,
        Act::Accept => CaseEvent::Accepted,
        Act::Decline => CaseEvent::Declined { text: plans::said(text)? },
        Act::Decide => CaseEvent::Decided { text: plans::said(text)?, founded: body.founded },
        Act::Tell => CaseEvent::Told {
            channel: body.channel.ok_or_else(|| missing("`channel`"))?,
            reached: body.reached.ok_or_else(|| missing("`reached`"))?,
            text,
        },
        Act::Close => CaseEvent::Closed { text },
        Act::Reopen => CaseEvent::Reopened { text: plans::said(text)? },
    })
}

/// Shows the case's owner who reported abuse; each look is noted, refused ones too (B10).
#[utoipa::path(
    post, path = "/api/cases/{id}/looks", tag = "cases",
    params(("id" = Uuid, Path, description = "The case.")),
    responses((status = 201, description = "The reporter; the look is noted.", body = ReporterBody)),
)]
pub async fn look_at_reporter(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<CaseId>,
) -> Result<(StatusCode, Json<ReporterBody>), ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let whole = cases::find(tx.c(), caller.hall, id).await?;
    let reporter = rows::find_reporter(tx.c(), id).await?;
    let (name, contact) = reporter.ok_or(ApiError::NotFound("reporter"))?;
    let refused = !may_see_reporter(&whole.standing, caller.user);
    let look = LookRow { user_id: caller.user.0, at: now.timestamp_millis(), refused };
    rows::insert_look(tx.c(), fresh_uuid(now), id, &look).await?;
    tx.commit().await?;
    if refused {
        return Err(ApiError::ReporterSecret);
    }
    Ok((StatusCode::CREATED, Json(ReporterBody { name, contact })))
}

fn manages(caller: &Caller) -> bool {
    matches!(caller.role, Role::Manager | Role::Admin)
}
